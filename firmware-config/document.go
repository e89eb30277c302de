package firmwareconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document is the root of the one YAML document in b, or the first reason why there is none: a file that is not YAML
// has no keys to say more about. A UTF-8 byte order mark and CRLF line ends, which Windows editors leave, are taken.
func document(file string, b []byte) (root *node, fault *Fault) {
	return documentOf(file, b, MaxFile, "begin with site:, printers: and stations:")
}

// documentOf is document for a file of another kind: of at most limit bytes, and begun as begin says.
func documentOf(file string, b []byte, limit int, begin string) (root *node, fault *Fault) {
	refuse := func(p position, problem, remedy string) (*node, *Fault) {
		return nil, &Fault{file, p.line, p.column, "file", problem, remedy}
	}
	if len(b) > limit {
		return refuse(position{1, 1}, fmt.Sprintf("is larger than %d KiB", limit>>10), "give the configuration itself, which has a few")
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if p, problem, remedy := unreadable(b); problem != "" {
		return refuse(p, problem, remedy)
	}
	// The parser reports every fault of YAML as an error. Its own internal checks panic: none is known to be
	// reachable, and a box must not die of a file.
	defer func() {
		if r := recover(); r != nil {
			root, fault = refuse(position{1, 1}, fmt.Sprintf("cannot be read as YAML (%v)", r), "write it anew, section by section")
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return refuse(position{1, 1}, "is empty", begin)
	case err != nil:
		return refuse(syntax(b, err))
	}
	var second node
	switch err := dec.Decode(&second); {
	case err == nil:
		return refuse(where(&second), "a second document begins here", "keep one and remove the line ---")
	case !errors.Is(err, io.EOF):
		return refuse(syntax(b, err))
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return refuse(position{1, 1}, "is empty", begin)
	}
	root = doc.Content[0]
	d := decoder{file: file}
	if d.plain("", root); len(d.faults) > 0 {
		return nil, &d.faults[0]
	}
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return refuse(position{1, 1}, "is empty", begin)
	}
	return root, nil
}

// unreadable finds what no text file has.
func unreadable(b []byte) (p position, problem, remedy string) {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return position{1, 1}, "is UTF-16", "save it as UTF-8"
	}
	p = position{1, 1}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r == '\n':
			p.line++
			p.column = 1
			i++
			continue
		case r == '\r':
			if i+1 < len(b) && b[i+1] != '\n' {
				return p, "a carriage return without a line feed", "save the file with the line ends of Unix or Windows"
			}
		case r == utf8.RuneError && size == 1:
			return p, fmt.Sprintf("the byte %02X is not UTF-8", b[i]), "save the file as UTF-8"
		case r == 0:
			return p, "holds a zero byte, as no text does", "give the configuration itself"
		case r == '\t':
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff', r == '\ufffe', r == '\uffff':
			return p, fmt.Sprintf("holds the invisible character U+%04X", r), "delete it, if this is the right file"
		}
		p.column++
		i += size
	}
	return position{}, "", ""
}

var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)^yaml: (?:line ([0-9]+): )?(.*)$`) })

// glued is a line like "id:bistro-1", which YAML reads as one word.
var glued = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[ -]*[a-z_]+:[^ "'\[{]`) })

// syntax places what the YAML parser says. The parser names a line, not always the one a person would look at, and no
// column: scanner errors count lines from 1, parser errors from 0 and name where the collection around began.
func syntax(b []byte, err error) (position, string, string) {
	lines := strings.Split(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
	for len(lines) > 1 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	m := yamlLine().FindStringSubmatch(err.Error())
	if m == nil {
		m = []string{"", "", err.Error()}
	}
	n, _ := strconv.Atoi(m[1])
	n = max(n, 1)
	msg := m[2]
	line := func() string { return lines[n-1] }
	at := func(byteOffset int) position {
		return position{n, 1 + utf8.RuneCountInString(line()[:byteOffset])}
	}
	clamp := func() { n = min(max(n, 1), len(lines)) }
	clamp()
	first := func() position { // the first visible character of the line
		return at(len(line()) - len(strings.TrimLeft(line(), " \t")))
	}
	tab := func() (position, bool) {
		named := n
		for ; n <= min(named+2, len(lines)); n++ { // a value before it may have been read to its end
			indent := line()[:len(line())-len(strings.TrimLeft(line(), " \t"))]
			if i := strings.IndexByte(indent, '\t'); i >= 0 {
				return at(i), true
			}
		}
		n = named
		return position{}, false
	}
	switch {
	case strings.HasPrefix(msg, "unknown anchor"):
		alias := "*" + strings.TrimSuffix(strings.TrimPrefix(msg, "unknown anchor '"), "' referenced")
		for i := range lines {
			if at := strings.Index(lines[i], alias); at >= 0 {
				return position{i + 1, 1 + utf8.RuneCountInString(lines[i][:at])}, "the alias " + shorten(alias) + " is not taken", "write the value out, in quotes if it begins with *"
			}
		}
		return first(), "the alias " + shorten(alias) + " is not taken", "write the value out"
	case strings.Contains(msg, "tab character"), strings.Contains(msg, "cannot start any token"):
		if p, ok := tab(); ok {
			return p, "a tab stands where spaces must", "indent with spaces"
		}
		if i := strings.IndexAny(line(), "@`%\t"); i >= 0 {
			return at(i), "a value cannot begin with " + quote(line()[i:i+1]), "put the value in quotes"
		}
		return first(), "a character here cannot begin a value", "put the value in quotes"
	case strings.Contains(msg, "mapping values are not allowed"):
		if n > 1 && glued().MatchString(lines[n-2]) {
			n--
			return first(), "a space is missing after the colon", "write KEY: VALUE"
		}
		p := first()
		if i := strings.Index(line(), ": "); i >= 0 {
			if j := strings.Index(line()[i+2:], ":"); j >= 0 {
				p = at(i + 2 + j)
			}
		}
		return p, "a colon cannot stand here", `put a text with ": " in quotes, or indent the key like its neighbours`
	case strings.Contains(msg, "block sequence entries"):
		p := first()
		if i := strings.Index(line(), ": - "); i >= 0 {
			p = at(i + 2)
		}
		return p, "an entry of a list cannot begin here", "put each hyphen on a line of its own below the key"
	case strings.Contains(msg, "could not find expected ':'"):
		return first(), "this is neither a key nor an entry of a list", "write KEY: VALUE with a space after the colon, or a hyphen and a space"
	case strings.Contains(msg, "unexpected end of stream"), strings.Contains(msg, "unexpected document indicator"):
		if m[1] != "" && !strings.ContainsAny(line(), `"'`) {
			n = 1 // it names the end when the quote opens in the first line
		}
		p := first()
		if i := strings.LastIndexAny(line(), `"'`); i >= 0 {
			p = at(i)
		}
		return p, "the quote that opens here is never closed", "close it"
	case strings.Contains(msg, "unknown escape"), strings.Contains(msg, "hexdecimal"), strings.Contains(msg, "escape code"):
		p := first()
		if i := strings.IndexByte(line(), '\\'); i >= 0 {
			p = at(i)
		}
		return p, "a backslash in double quotes begins an escape", "write the value in single quotes"
	case strings.Contains(msg, "max depth"):
		return first(), "is nested thousands of levels deep", "give the configuration itself"
	case strings.Contains(msg, "document start"):
		n = min(n+1, len(lines))
		return first(), "a second document begins here", "keep one and remove the line ... before it"
	case strings.Contains(msg, "directive"), strings.Contains(msg, "non-alphabetical"):
		return first(), "a line that begins with % is a directive of YAML", "remove it"
	case strings.Contains(msg, "did not find expected key"), strings.Contains(msg, "'-' indicator"):
		n = 1 + sort.Search(len(lines)-1, func(i int) bool { return strings.HasSuffix(parse(lines[:i+1]), msg) })
		if strings.Contains(msg, "'-' indicator") {
			return first(), "this line is not an entry of the list above", "begin it with a hyphen, or indent it like the key of the list"
		}
		return first(), "this line does not fit the lines above", "indent it like its neighbours, and look for a quote or bracket that is not closed or closed twice"
	case strings.Contains(msg, "',' or ']'"), strings.Contains(msg, "',' or '}'"):
		open, problem, remedy := "[", "a list in brackets is not closed or lacks a comma", "write a comma between entries and ] at the end"
		if strings.Contains(msg, "'}'") {
			open, problem, remedy = "{", "a mapping in braces is not closed or lacks a comma", "write a comma between keys and } at the end"
		}
		if m[1] != "" {
			n++
			clamp()
		}
		p := first()
		if i := strings.LastIndex(line(), open); i >= 0 {
			p = at(i)
		}
		return p, problem, remedy
	}
	return first(), "is not YAML here (" + shorten(msg) + ")", "compare with the example in the documentation"
}

// parse is what the parser says of these lines.
func parse(lines []string) string {
	var n node
	if err := yaml.Unmarshal([]byte(strings.Join(lines, "\n")+"\n"), &n); err != nil {
		return err.Error()
	}
	return ""
}
