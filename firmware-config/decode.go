package firmwareconfig

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFaults bounds the answer: a file with more faults than this is another kind of file.
const maxFaults = 100

type node = yaml.Node

type position struct{ line, column int }

// A decoder is the state of one Parse.
type decoder struct {
	file     string
	faults   Faults
	more     bool // there were more than maxFaults
	warnings Faults
	at       map[string]position // of every value read, by full key
	secrets  []secret
	courses  []courseRef
}

// Parse checks b, the content of the file called name, and returns the configuration. The error is Faults.
func Parse(name string, b []byte) (*Config, error) {
	root, fault := document(name, b)
	if fault != nil {
		return nil, Faults{*fault}
	}
	c := new(Config)
	d := &decoder{file: name, at: make(map[string]position, 256)}
	t := configTable(c)
	t.preset()
	t.decode(d, "", root)
	d.resolve(c)
	if len(d.faults) > 0 {
		return nil, d.report()
	}
	c.secrets, c.warnings, c.source = d.secrets, d.warnings.sorted(), bytes.Clone(b)
	return c, nil
}

// report is what was found, in the order of the file.
func (d *decoder) report() Faults {
	fs := d.faults.sorted()
	if d.more {
		last := fs[len(fs)-1]
		last.Key, last.Problem, last.Remedy = "file", fmt.Sprintf("there are more than %d faults", maxFaults), "correct these first"
		fs = append(fs, last)
	}
	return fs
}

func (d *decoder) full() bool { return len(d.faults) >= maxFaults }

func (d *decoder) fault(p position, key, problem, remedy string) {
	if d.full() {
		d.more = true
		return
	}
	if key == "" {
		key = "file"
	}
	d.faults = append(d.faults, Fault{d.file, p.line, p.column, key, problem, remedy})
}

func (d *decoder) faultAt(n *node, key, problem, remedy string) {
	d.fault(where(n), key, problem, remedy)
}

func (d *decoder) warn(key, problem, remedy string) {
	p := d.position(key)
	d.warnings = append(d.warnings, Fault{d.file, p.line, p.column, key, problem, remedy})
}

// wrong reports a fault of a value that was read before, by its key.
func (d *decoder) wrong(key, problem, remedy string) {
	d.fault(d.position(key), key, problem, remedy)
}

// position is where the value of key stands, or the nearest mapping around it when the file leaves the key out.
func (d *decoder) position(key string) position {
	for {
		if p, ok := d.at[key]; ok {
			return p
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			if p, ok := d.at[""]; ok {
				return p
			}
			return position{1, 1}
		}
		key = key[:i]
	}
}

// has reports whether the file itself gives key.
func (d *decoder) has(key string) bool {
	_, ok := d.at[key]
	return ok
}

func where(n *node) position { return position{n.Line, n.Column} }

// plain refuses what YAML offers and this file does not need: it makes a file hard to read for people, and aliases make
// small files large.
func (d *decoder) plain(key string, n *node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.faultAt(n, key, "the alias *"+shorten(n.Value)+" is not taken", "write the value out")
	case n.Anchor != "":
		d.faultAt(n, key, "the anchor &"+shorten(n.Anchor)+" is not taken", "remove it and write the value out where it is needed")
		return true // the value is good all the same
	case n.Style&yaml.TaggedStyle != 0:
		d.faultAt(n, key, "the tag "+shorten(n.Tag)+" is not taken", "remove it")
	default:
		return true
	}
	return false
}

func (t table) decode(d *decoder, key string, n *node) {
	d.at[key] = where(n)
	if n.Kind != yaml.MappingNode {
		remedy := "write keys below it, as in " + t.sample()
		if n.Kind == yaml.SequenceNode {
			remedy = "write one mapping without the hyphen, as in " + t.sample()
		}
		d.faultAt(n, key, "is "+kind(n)+" and must be a mapping", remedy)
		return
	}
	lines := make([]int, len(t)) // where each key stood first
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if d.full() {
			d.more = true
			return
		}
		if !d.keyIsText(key, k) {
			continue
		}
		full := join(key, shorten(k.Value))
		at := t.find(k.Value)
		if at < 0 {
			remedy := "known here: " + strings.Join(t.keys(), ", ")
			if guess := near(k.Value, t.keys()); guess != "" {
				remedy = "did you mean " + guess + "?"
			}
			d.faultAt(k, full, "unknown key", remedy)
			continue
		}
		if lines[at] != 0 {
			d.faultAt(k, full, fmt.Sprintf("stands here again, first in line %d", lines[at]), "keep one of the two")
			continue
		}
		lines[at] = k.Line
		if !d.plain(full, v) {
			continue
		}
		if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!null" {
			d.at[full] = where(k)
			d.faultAt(k, full, "has no value", "write one or remove the key")
			continue
		}
		t[at].value.decode(d, full, v)
	}
	for i, f := range t {
		if f.required && lines[i] == 0 {
			d.faultAt(n, join(key, f.key), "is missing", "write it, as in "+f.example)
		}
	}
}

// keyIsText refuses keys that are not a plain word.
func (d *decoder) keyIsText(parent string, k *node) bool {
	if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" {
		d.faultAt(k, parent, "the merge key << is not taken", "write the keys out")
		return false
	}
	if !d.plain(parent, k) {
		return false
	}
	if k.Kind != yaml.ScalarNode {
		d.faultAt(k, parent, "a key here is "+kind(k), "write a word as the key, and in quotes a value that begins with [ or {")
		return false
	}
	if k.Value == "" {
		d.faultAt(k, parent, "a key here is empty", "write a word before the colon")
		return false
	}
	return true
}

func (t table) find(key string) int {
	for i, f := range t {
		if f.key == key {
			return i
		}
	}
	return -1
}

// sample is the first required keys of t, or else its first key, as they look in one line.
func (t table) sample() string {
	var parts []string
	for _, f := range t {
		if f.required {
			parts = append(parts, f.example)
		}
	}
	if parts == nil {
		parts = append(parts, t[0].key+": …")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func join(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}

func index(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }

// kind says in words what a node is.
func kind(n *node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "the value " + n.Value
	case "!!int", "!!float":
		return "the number " + shorten(n.Value)
	case "!!timestamp":
		return "the date " + shorten(n.Value)
	}
	return "the text " + quote(n.Value)
}

// quote is s in quotes, cut to a length that fits a line.
func quote(s string) string { return strconv.Quote(shorten(s)) }

// shorten cuts s to a length that fits a line and makes what does not print visible.
func shorten(s string) string {
	const limit = 60
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s[:min(len(s), 4*limit)])[:limit]) + "…"
	}
	for _, r := range s {
		if !strconv.IsPrint(r) {
			q := strconv.Quote(s)
			return q[1 : len(q)-1]
		}
	}
	return s
}

// near returns the one of words that was probably meant by s, or "".
func near(s string, words []string) string {
	const longest = 40
	if len(s) > longest {
		return ""
	}
	fold := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
	}
	s = fold(s)
	best, bound := "", min(3, 1+len(s)/4)
	for _, w := range words {
		if d := distance(s, fold(w)); d < bound || d == bound && best == "" {
			best, bound = w, d
		}
	}
	return best
}

// distance counts the letters to add, drop, change or swap with their neighbour to make b out of a.
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// beside joins a relative file name to the folder of the configuration file.
func (d *decoder) beside(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(d.file), path)
}
