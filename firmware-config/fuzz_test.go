package firmwareconfig

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// FuzzParse: never a panic; every fault stands inside the file; what is valid is still valid, and means the same, when it
// is written anew as JSON, which is YAML too.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/*.yaml", "testdata/wrong/*.yaml", "testdata/*.yaml"} {
		for _, name := range files(f, pattern) {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return // the limit itself has its own test
		}
		c, err := Parse("box.yaml", b)
		if err != nil {
			var faults Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("Parse = %v, want faults", err)
			}
			checkFaults(t, b, faults)
			return
		}
		root, fault := document("box.yaml", b)
		if fault != nil {
			t.Fatal(fault)
		}
		text := string(appendJSON(nil, root))
		again, err := Parse("box.yaml", []byte(text))
		if err != nil {
			t.Fatalf("as JSON:\n%s\n%v", text, err)
		}
		if !same(c, again) {
			t.Errorf("as JSON it means something else:\n%+v\n%+v\n%s", c, again, text)
		}
	})
}

// appendJSON writes n as JSON, a line a value.
func appendJSON(b []byte, n *node) []byte {
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',', '\n')
			}
			b = appendText(b, n.Content[i].Value)
			b = append(b, ": "...)
			b = appendJSON(b, n.Content[i+1])
		}
		return append(b, '}')
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, item := range n.Content {
			if i > 0 {
				b = append(b, ',', '\n')
			}
			b = appendJSON(b, item)
		}
		return append(b, ']')
	}
	if n.ShortTag() == "!!str" {
		return appendText(b, n.Value)
	}
	return append(b, n.Value...)
}

func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case strconv.IsPrint(r):
			b = append(b, string(r)...)
		default:
			b = append(b, `\U`...)
			b = append(b, strings.Repeat("0", 8-len(strconv.FormatInt(int64(r), 16)))...)
			b = strconv.AppendInt(b, int64(r), 16)
		}
	}
	return append(b, '"')
}
