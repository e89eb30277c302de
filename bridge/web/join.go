package web

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
)

// joining makes one file of a module and all that it imports, at any depth: a browser takes about 10 ms for each file
// that it asks for, whatever its size, and a page has up to thirty. Each module keeps a scope of its own, runs once, and
// after those that it imports, as if it had been fetched by itself.
//
// What makes this simple is how the modules are written, and anything else is an error: an import stands on one line and
// names what it takes, an export stands before a function, a class or a constant, nothing waits outside a function or
// imports in a circle, and what is imported when it is needed, `import('./pin.js')`, is imported in no other way.
type joining struct {
	assets *assets
	state  map[string]progress
	lazy   map[string]bool // imported when needed
	out    bytes.Buffer
}

type progress int

const (
	untouched progress = iota
	underWay
	written
)

// join gives a module joined with its imports; one that has none as it is.
func (a *assets) join(name string) ([]byte, error) {
	if len(a.files[name].needs) == 0 {
		return a.read(name)
	}
	j := &joining{assets: a, state: map[string]progress{}, lazy: map[string]bool{}}
	j.out.WriteString("const joined = {};\n")
	if err := j.add(name, false); err != nil {
		return nil, fmt.Errorf("join %s: %w", name, err)
	}
	return j.out.Bytes(), nil
}

func (a *assets) read(name string) ([]byte, error) {
	f, err := a.files[name].open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return io.ReadAll(f)
}

// add writes a module after those that it imports. A lazy one runs when it is first asked for.
func (j *joining) add(name string, lazy bool) error {
	f := j.assets.files[name]
	switch {
	case f == nil:
		return fmt.Errorf("there is no %s", name)
	case j.state[name] == underWay:
		return fmt.Errorf("%s imports itself, by way of others", name)
	case j.state[name] == written && j.lazy[name] == lazy:
		return nil
	case j.state[name] == written:
		return fmt.Errorf("%s is imported at once and when needed", name)
	}
	j.state[name], j.lazy[name] = underWay, lazy
	for _, need := range f.needs {
		if err := j.add(need.name, need.lazy); err != nil {
			return err
		}
	}
	j.state[name] = written
	text, err := j.assets.read(name)
	if err != nil {
		return err
	}
	body, exports, err := scoped(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	gives := "{}"
	if len(exports) > 0 {
		gives = "{ " + strings.Join(exports, ", ") + " }"
	}
	if lazy {
		fmt.Fprintf(&j.out, "joined['%s'] = (run => () => run ??= (async () => {\n%sreturn %s;\n})())();\n", name, body, gives)
	} else {
		fmt.Fprintf(&j.out, "joined['%s'] = (() => {\n%sreturn %s;\n})();\n", name, body, gives)
	}
	return nil
}

// scoped rewrites a module for a scope inside a joined file, and lists what it exports.
func scoped(text string) (body string, exports []string, err error) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "import "):
			names, module, ok := importLine(line)
			if !ok {
				return "", nil, fmt.Errorf("an import that is not on one line, or takes all: %s", strings.TrimSpace(line))
			}
			if names != "" {
				fmt.Fprintf(&b, "const {%s} = joined['%s'];\n", strings.ReplaceAll(names, " as ", ": "), module)
			}
			continue
		case strings.HasPrefix(line, "export "):
			line = strings.TrimPrefix(line, "export ")
			name, ok := declared(line)
			if !ok {
				return "", nil, fmt.Errorf("an export that is no function, class or constant: %s", strings.TrimSpace(line))
			}
			exports = append(exports, name)
		}
		for _, module := range lazyImports(line) {
			line = strings.ReplaceAll(line, "import('./"+module+"')", "joined['"+module+"']()")
		}
		b.WriteString(line)
	}
	if !strings.HasSuffix(text, "\n") {
		b.WriteByte('\n')
	}
	return b.String(), exports, nil
}

// declared gives the name that `async function act(verb) {` or `const UNDO = 8e3;` declares.
func declared(line string) (name string, ok bool) {
	line = strings.TrimPrefix(line, "async ")
	for _, kind := range []string{"function ", "class ", "const "} {
		if rest, found := strings.CutPrefix(line, kind); found {
			end := strings.IndexFunc(rest, func(r rune) bool {
				return r != '$' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
			})
			return rest[:max(end, 0)], end > 0
		}
	}
	return "", false
}

// importLine reads `import { a, b as c } from './base.js';` and `import './who.js';`.
func importLine(line string) (names, module string, ok bool) {
	rest := strings.TrimSpace(strings.TrimPrefix(line, "import "))
	if strings.HasPrefix(rest, "{") {
		if names, rest, ok = strings.Cut(rest[1:], "} from "); !ok {
			return "", "", false
		}
	}
	module, ok = strings.CutPrefix(rest, "'./")
	if ok {
		module, ok = strings.CutSuffix(module, "';")
	}
	return names, module, ok && !strings.Contains(module, "'")
}

// A need is a module that another imports, when it runs or later.
type need struct {
	name string
	lazy bool
}

// imports lists what a module imports, each once.
func imports(name, body string) (needs []need) {
	if path.Ext(name) != ".js" {
		return nil
	}
	seen := map[string]bool{}
	add := func(module string, lazy bool) {
		if !seen[module] {
			seen[module] = true
			needs = append(needs, need{strings.Clone(module), lazy})
		}
	}
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "import ") {
			if _, module, ok := importLine(line); ok {
				add(module, false)
			}
			continue
		}
		for _, module := range lazyImports(line) {
			add(module, true)
		}
	}
	return needs
}

// lazyImports lists the modules that a line imports as import('./pin.js').
func lazyImports(line string) (modules []string) {
	for {
		_, rest, ok := strings.Cut(line, "import('./")
		if !ok {
			return modules
		}
		var module string
		if module, line, ok = strings.Cut(rest, "')"); ok {
			modules = append(modules, module)
		}
	}
}
