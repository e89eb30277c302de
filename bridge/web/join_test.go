package web

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

// Every module can be joined with what it imports, each of them once and after its own imports, and takes only what they
// export. TestAccessibility runs the pages.
func TestModulesJoin(t *testing.T) {
	t.Parallel()
	a := files()
	within := map[string]bool{} // what others import is joined with them
	for _, f := range a.files {
		for _, n := range f.needs {
			within[n.name] = true
		}
	}
	opened := regexp.MustCompile(`(?m)^joined\['([^']+)'\] = `)
	taken := regexp.MustCompile(`const \{([^}]*)\} = joined\['([^']+)'\];`)
	given := regexp.MustCompile(`^return \{ ?(.*?) ?\};\n$`)
	for name := range a.files {
		if !strings.HasSuffix(name, ".js") || len(a.files[name].needs) == 0 || within[name] {
			continue
		}
		text, err := a.join(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if bytes.Contains(text, []byte("\nimport ")) || bytes.Contains(text, []byte("\nexport ")) || bytes.Contains(text, []byte("import('")) {
			t.Errorf("%s imports or exports after it was joined", name)
		}
		exports, at := map[string]string{}, ""
		for line := range strings.Lines(string(text)) {
			if m := opened.FindStringSubmatch(line); m != nil {
				if at = m[1]; exports[at] != "" {
					t.Errorf("%s has %s twice", name, at)
				}
			}
			if m := given.FindStringSubmatch(line); m != nil {
				exports[at] = ", " + m[1] + ","
			}
			if m := taken.FindStringSubmatch(line); m != nil {
				for part := range strings.SplitSeq(m[1], ",") {
					what, _, _ := strings.Cut(strings.TrimSpace(part), ":")
					if !strings.Contains(exports[m[2]], ", "+what+",") {
						t.Errorf("%s: %s takes %s, which %s does not export before it", name, at, what, m[2])
					}
				}
			}
		}
		if at != name {
			t.Errorf("%s ends with %s", name, at)
		}
	}
}

func TestJoinRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"circle", map[string]string{"a.js": "import { b } from './b.js';\nexport const a = 1;\n", "b.js": "import { a } from './a.js';\nexport const b = 2;\n"}, "join a.js: a.js imports itself, by way of others"},
		{"missing", map[string]string{"a.js": "import './b.js';\n"}, "join a.js: there is no b.js"},
		{"lines", map[string]string{"a.js": "import './b.js';\nimport {\n  c,\n} from './c.js';\n", "b.js": "\n"}, "join a.js: a.js: an import that is not on one line, or takes all: import {"},
		{"all", map[string]string{"a.js": "import './b.js';\nimport * as c from './b.js';\n", "b.js": "\n"}, "join a.js: a.js: an import that is not on one line, or takes all: import * as c from './b.js';"},
		{"variable", map[string]string{"a.js": "import { b } from './b.js';\n", "b.js": "export let b = 1;\n"}, "join a.js: b.js: an export that is no function, class or constant: let b = 1;"},
		{"both", map[string]string{"a.js": "import './b.js';\nawait import('./c.js');\n", "b.js": "import './c.js';\n", "c.js": "\n"}, "join a.js: c.js is imported at once and when needed"},
	} {
		a := &assets{files: map[string]*asset{}}
		for name, text := range c.files {
			a.add(name, func() (io.ReadSeeker, error) { return strings.NewReader(text), nil })
		}
		if _, err := a.join("a.js"); fmt.Sprint(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestJoin(t *testing.T) {
	a := &assets{files: map[string]*asset{}}
	for name, text := range map[string]string{
		"a.js":    "import { one, two as zwei } from './b.js';\nconst late = async () => (await import('./late.js')).three;\n",
		"b.js":    "export const one = 1;\nexport async function two() {}\n",
		"late.js": "import { one } from './b.js';\nexport class three {}",
	} {
		a.add(name, func() (io.ReadSeeker, error) { return strings.NewReader(text), nil })
	}
	const want = `const joined = {};
joined['b.js'] = (() => {
const one = 1;
async function two() {}
return { one, two };
})();
joined['late.js'] = (run => () => run ??= (async () => {
const { one } = joined['b.js'];
class three {}
return { three };
})())();
joined['a.js'] = (() => {
const { one, two: zwei } = joined['b.js'];
const late = async () => (await joined['late.js']()).three;
return {};
})();
`
	if got, err := a.join("a.js"); err != nil || string(got) != want {
		t.Errorf("joined: %v\n%s\nwant\n%s", err, got, want)
	}
}
