// Package aboyeur_test holds the house to its own rules: who may import whom, how packages are named, that each tells
// what it is, and that nothing registers itself.
package aboyeur_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "aboyeur/"

// leaves are the parts of the bridge that everything may use and that know no feature. What lies below one of them
// belongs to it.
var leaves = []string{"journal", "money", "words", "supervise", "warning", "access", "api", "sale", "trail", "refusal"}

// A room is a part of the house and what its non-test code may import of the rest. The first room that fits counts.
type room struct {
	what string
	is   func(pkg string) bool
	may  func(pkg string) bool
	rule string
}

var rooms = []room{
	{"a protocol", in("protocol"), in("protocol/ifc", "protocol/rest", "protocol/booking", "protocol/channel"),
		"protocol/* imports only protocol/ifc, protocol/rest, protocol/booking and protocol/channel"},
	{"a device", in("devices"), in("protocol", "devices/port"),
		"devices/* imports only protocol/* and devices/port"},
	{"a simulated peer", in("simulate"), in("protocol", "simulate/cloud", "simulate/bookings", "simulate/deliveries"),
		"simulate/* imports only protocol/* and what simulated services share: simulate/cloud, simulate/bookings, simulate/deliveries"},
	{"the configuration", in("firmware-config"), in("protocol", "devices/port"),
		"firmware-config imports only protocol/* and devices/port"},
	{"the assembly", in("bridge/box"), in("bridge", "devices", "protocol", "firmware-config"),
		"bridge/box wires the house and imports neither commands nor simulated peers"},
	{"the pages", in("bridge/web"), leaf,
		"bridge/web imports only leaves of the bridge; its pages talk to the HTTP API"},
	{"a leaf", leaf, leaf,
		"leaves of the bridge import no feature, only each other"},
	{"a feature", in("bridge"), either(leaf, in("devices", "protocol")),
		"features import leaves, devices and protocol, and never each other"},
	{"the command", in("cmd"), in("bridge/box", "bridge/access", "firmware-config", "simulate", "protocol"),
		"cmd/* has flags; it uses bridge/box, bridge/access, firmware-config, simulate and protocol"},
	{"a bench", in("bench"), in("simulate", "protocol"),
		"bench/* measures from outside and imports only simulate and protocol"},
	{"systemd", in("systemd"), in("firmware-config"), "systemd/* imports only firmware-config"},
	{"a page's check", in("docs"), nothing, "docs/* imports nothing of the house"},
}

func in(folders ...string) func(string) bool {
	return func(pkg string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return pkg == f || strings.HasPrefix(pkg, f+"/") })
	}
}

func leaf(pkg string) bool {
	return slices.ContainsFunc(leaves, func(name string) bool { return in("bridge/" + name)(pkg) })
}

func either(a, b func(string) bool) func(string) bool {
	return func(pkg string) bool { return a(pkg) || b(pkg) }
}

func nothing(string) bool { return false }

// family is the part of the house a package belongs to: protocol/escpos for protocol/escpos/table, bridge/box for
// bridge/box, firmware-config for what lies below it. Inside a family everybody may import everybody.
func family(pkg string) string {
	words := strings.Split(pkg, "/")
	if words[0] == "firmware-config" {
		return words[0]
	}
	return strings.Join(words[:min(2, len(words))], "/")
}

// judge tells the rule that importer breaks by importing imported, "" when it may. Both are relative to the module.
func judge(importer, imported string) string {
	if family(importer) == family(imported) {
		return ""
	}
	for _, r := range rooms {
		if !r.is(importer) {
			continue
		}
		if r.may(imported) {
			return ""
		}
		return r.rule
	}
	return "every package lies in a folder of the house; " + importer + " is in none, add its room to house_test.go"
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		importer, imported string
		allowed            bool
	}{
		{"protocol/fias", "protocol/ifc", true},
		{"protocol/fias", "protocol/escpos", false},
		{"protocol/escpos/table", "protocol/escpos", true},
		{"protocol/escpos", "devices/port", false},
		{"devices/printer", "protocol/escpos", true},
		{"devices/printer", "devices/port", true},
		{"devices/printer", "devices/screen", false},
		{"devices/printer", "bridge/journal", false},
		{"simulate/printer", "protocol/escpos", true},
		{"simulate/printer", "devices/port", false},
		{"firmware-config", "devices/port", true},
		{"firmware-config", "devices/printer", false},
		{"bridge/journal", "bridge/supervise", true},
		{"bridge/journal/journaltest", "bridge/journal", true},
		{"bridge/journal", "bridge/order", false},
		{"bridge/journal", "devices/port", false},
		{"bridge/journalist", "bridge/order", false},
		{"bridge/kitchen", "bridge/sale", true},
		{"bridge/kitchen", "bridge/order", false},
		{"bridge/order", "bridge/web", false},
		{"bridge/order", "bridge/box", false},
		{"bridge/order", "firmware-config", false},
		{"bridge/web", "bridge/words", true},
		{"bridge/web", "bridge/kitchen", false},
		{"bridge/web", "devices/printer", false},
		{"bridge/box", "bridge/kitchen", true},
		{"bridge/box", "simulate/printer", false},
		{"cmd/aboyeur", "bridge/box", true},
		{"cmd/aboyeur", "bridge/kitchen", false},
		{"bench/inject", "bridge/order", false},
		{"attic", "bridge/order", false},
	} {
		if rule := judge(c.importer, c.imported); (rule == "") != c.allowed {
			t.Errorf("judge(%s, %s) = %q, want allowed %t", c.importer, c.imported, rule, c.allowed)
		}
	}
}

// A pkg is a package of the house, with its files for every system and board, tests left out.
type pkg struct {
	path  string // relative to the module
	name  string
	files map[string]*ast.File
	fset  *token.FileSet
}

func house(t *testing.T) []pkg {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,IgnoredGoFiles", "./...")
	var faults bytes.Buffer
	command.Stderr = &faults
	list, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &faults)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p struct {
			ImportPath, Name, Dir             string
			GoFiles, CgoFiles, IgnoredGoFiles []string
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		one := pkg{path: strings.TrimPrefix(p.ImportPath, module), name: p.Name, files: map[string]*ast.File{}, fset: token.NewFileSet()}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			path := filepath.Join(p.Dir, name)
			f, err := parser.ParseFile(one.fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if short, err := filepath.Rel(root, path); err == nil {
				path = short
			}
			one.files[path] = f
		}
		if len(one.files) > 0 {
			all = append(all, one)
		}
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages; the house has more", len(all))
	}
	return all
}

func TestImports(t *testing.T) {
	for _, p := range house(t) {
		for path, f := range p.files {
			for _, spec := range f.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(imported, module) {
					continue
				}
				if rule := judge(p.path, strings.TrimPrefix(imported, module)); rule != "" {
					t.Errorf("%s:%d imports %s: %s", path, p.fset.Position(spec.Pos()).Line, imported, rule)
				}
			}
		}
	}
}

// Names that say nothing of what a package is for.
var empty = []string{"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range house(t) {
		for _, word := range append(strings.Split(p.path, "/"), p.name) {
			if slices.Contains(empty, word) {
				t.Errorf("package %s: %q says nothing; name it by its one idea", p.path, word)
			}
		}
		want := "Package " + p.name + " "
		if p.name == "main" {
			want = "Command " + filepath.Base(p.path) + " "
		}
		told := false
		for _, f := range p.files {
			told = told || f.Doc != nil && strings.HasPrefix(f.Doc.Text(), want)
		}
		if !told {
			t.Errorf("package %s has no comment that begins with %q; one page of a package tells what it is", p.path, want)
		}
	}
}

func TestNothingRegistersItself(t *testing.T) {
	for _, p := range house(t) {
		for path, f := range p.files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s:%d: func init; what must be wired is wired by hand where it is used", path, p.fset.Position(fn.Pos()).Line)
				}
			}
		}
	}
}
