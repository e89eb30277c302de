// Package docs_test keeps the documents true: what they name exists, and what exists they name.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A feature is a row of features.md.
type feature struct {
	id, kind, short, state, shown string
}

var (
	featureRow = regexp.MustCompile(`^\| ((?:OT|RES|OTR|BEP|OPR)-\d\d) \|(.*)\|$`)
	specRow    = regexp.MustCompile(`^\| ((?:OT|RES|OTR|BEP|OPR)-\d\d) \| [^|]+ \| (\w) \|`)
	testName   = regexp.MustCompile("`([a-z0-9/-]+)\\.((?:Test|Fuzz)\\w+)`")
	subjects   = []string{"hotel", "printers", "screens", "floor and platforms", "delivery", "technician"}
)

func TestFeatures(t *testing.T) {
	rows := map[string]feature{}
	for _, line := range lines(t, "features.md") {
		m := featureRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		cells := strings.Split(m[2], "|")
		if len(cells) != 4 {
			t.Errorf("%s has %d columns, want 5", m[1], len(cells)+1)
			continue
		}
		if _, twice := rows[m[1]]; twice {
			t.Errorf("%s stands there twice", m[1])
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[m[1]] = feature{m[1], cells[0], cells[1], cells[2], cells[3]}
	}
	asked := 0
	for _, line := range lines(t, "spec/features.md") {
		m := specRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		asked++
		f, ok := rows[m[1]]
		if !ok {
			t.Errorf("%s is missing", m[1])
			continue
		}
		if f.kind != m[2] {
			t.Errorf("%s is of kind %s, want %s", f.id, f.kind, m[2])
		}
		delete(rows, m[1])
		f.check(t)
	}
	if asked != 227 {
		t.Errorf("spec/features.md asks for %d rows, want 227", asked)
	}
	for id := range rows {
		t.Errorf("%s is not in spec/features.md", id)
	}
}

func (f feature) check(t *testing.T) {
	t.Helper()
	if f.short == "" {
		t.Errorf("%s says nothing", f.id)
	}
	tests := testName.FindAllStringSubmatch(f.shown, -1)
	for _, m := range tests {
		if !hasTest(t, m[1], m[2]) {
			t.Errorf("%s: there is no %s in %s", f.id, m[2], m[1])
		}
	}
	switch f.state {
	case "done":
		if len(tests) == 0 {
			t.Errorf("%s is done and names no test; write `pkg/path.TestName`", f.id)
		}
	case "part":
		there, missing, ok := strings.Cut(f.shown, "; ")
		if !ok || there == "" || !slices.ContainsFunc(subjects, func(s string) bool { return strings.HasSuffix(missing, s) }) {
			t.Errorf("%s is part: say what is there; and what is missing, ending with its subject", f.id)
		}
	case "later":
		if !slices.Contains(subjects, f.shown) {
			t.Errorf("%s is later with %q; the subjects are %s", f.id, f.shown, strings.Join(subjects, ", "))
		}
	case "none":
	default:
		t.Errorf("%s has state %q; write done, part, later or none", f.id, f.state)
	}
}

// declared are the test functions of the folders looked at so far.
var declared = map[string][]string{}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	names, known := declared[folder]
	if !known {
		files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					names = append(names, fn.Name.Name)
				}
			}
		}
		declared[folder] = names
	}
	return slices.Contains(names, name)
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	return strings.Split(text(t, path), "\n")
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
