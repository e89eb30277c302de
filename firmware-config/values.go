package firmwareconfig

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
)

// wrong is what a parser of one value says.
type wrong struct{ problem, remedy string }

func (w wrong) Error() string { return w.problem + "; " + w.remedy }

// scalar is a value of one word: text, number or yes/no.
type scalar[T any] struct {
	dst      *T
	def      T
	empty    bool // "" is the same as leaving the key out
	takes    string
	rule     Schema
	shown    any // the default as the schema shows it
	expected string
	// parse reads the text. With an error it may still return a value: references then do not complain a second time.
	parse func(d *decoder, text string) (T, error)
}

func (s scalar[T]) preset() { *s.dst = s.def }

func (s scalar[T]) schema() *Schema {
	r := s.rule
	r.Type = s.takes
	r.Default = s.shown
	if s.empty && r.Pattern != "" {
		r.Pattern = "^$|" + r.Pattern
	}
	if s.empty && r.Enum != nil {
		r.Enum = append([]string{""}, r.Enum...)
	}
	return &r
}

func (s scalar[T]) decode(d *decoder, key string, n *node) {
	d.at[key] = where(n)
	text, err := s.text(n)
	if err == nil {
		if text == "" && s.takes == "string" {
			if s.empty {
				return
			}
			err = wrong{"is empty", "write " + s.expected}
		} else {
			*s.dst, err = s.parse(d, text)
		}
	}
	if err != nil {
		w := split(err, "write "+s.expected)
		d.faultAt(n, key, w.problem, w.remedy)
	}
}

// text is the text of n if it is of the kind that s takes.
func (s scalar[T]) text(n *node) (string, error) {
	tag := n.ShortTag()
	if n.Kind == yaml.ScalarNode {
		switch s.takes {
		case "string":
			if tag == "!!str" {
				return n.Value, nil
			}
			if tag == "!!int" || tag == "!!float" || tag == "!!bool" || tag == "!!timestamp" {
				if s.rule.Pattern == durationPattern {
					return n.Value, nil // its parser knows better what is missing
				}
				return "", wrong{"is " + kind(n) + " and must be text", "put it in quotes: " + quote(n.Value)}
			}
		case "boolean":
			if tag == "!!bool" {
				return n.Value, nil
			}
		case "integer":
			if tag == "!!int" || tag == "!!float" {
				return n.Value, nil
			}
			if _, err := strconv.Atoi(n.Value); err == nil {
				return "", wrong{"is " + kind(n) + " and must be a number", "write it without quotes: " + n.Value}
			}
		case "number":
			if tag == "!!int" || tag == "!!float" {
				return n.Value, nil
			}
			if _, err := strconv.ParseFloat(n.Value, 64); err == nil {
				return "", wrong{"is " + kind(n) + " and must be a number", "write it without quotes: " + shorten(n.Value)}
			}
		}
	}
	return "", wrong{"is " + kind(n) + " and must be " + map[string]string{"string": "text", "boolean": "true or false",
		"integer": "a whole number", "number": "a number"}[s.takes], "write " + s.expected}
}

// split makes what another package says into problem and remedy: "what is wrong; what to write".
func split(err error, remedy string) wrong {
	if w := (wrong{}); errors.As(err, &w) {
		return w
	}
	text := err.Error()
	quoted, _ := strconv.QuotedPrefix(text) // what is quoted may have a semicolon of its own
	if problem, r, ok := strings.Cut(text[len(quoted):], "; "); ok {
		return wrong{quoted + problem, r}
	}
	return wrong{text, remedy}
}

// A format is a pattern of text with words for it.
type format struct {
	pattern string
	words   string // "write …"
	match   func() *regexp.Regexp
}

func newFormat(pattern, words string) format {
	// Compiled when first used: most commands never read a configuration.
	return format{pattern, words, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })}
}

const durationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`

var (
	nameFormat     = newFormat(`^[a-z0-9-]{1,32}$`, "1 to 32 small letters, digits and hyphens, as in grill or bar-2")
	siteFormat     = newFormat(`^[a-z0-9-]{1,64}$`, "1 to 64 small letters, digits and hyphens, as in hotel-bellevue-1")
	clockFormat    = newFormat(`^([01][0-9]|2[0-3]):[0-5][0-9]$`, `a time of day as hours and minutes, as in "05:30"`)
	currencyFormat = newFormat(`^[A-Z]{3}$`, "the three letters of ISO 4217, as in EUR")
	durationFormat = newFormat(durationPattern, "a number with its unit, as in 10s, 15m or 1h30m")
	versionFormat  = newFormat(`^[0-9]+(\.[0-9]+){1,3}$`, `numbers with points between, as in "5.0.05.00"`)
	wordFormat     = newFormat(`^[a-z0-9_.-]{1,64}$`, "small letters, digits, underscores, points and hyphens, as in check_dropped")
	channelFormat  = newFormat(`^[a-z0-9_-]{1,64}$`, "small letters, digits, underscores and hyphens, as in uber-eats")
	serverFormat   = newFormat(`^(nats|tls|wss)://[A-Za-z0-9.:\[\]-]+$`, "a server of the hub, as in tls://hub.example.org:4222")
	pathFormat     = newFormat(`^/[!-~]*$`, "a path that begins with /, as in /v2/status")
)

const maxText = 200 // characters of a name or code that people give to something

// text is free text of at most maxText characters.
func text(dst *string, def string, expected string) scalar[string] {
	return scalar[string]{dst: dst, def: def, empty: false, takes: "string", shown: shown(def), expected: expected,
		rule: Schema{MinLength: 1, MaxLength: maxText},
		parse: func(_ *decoder, s string) (string, error) {
			if n := utf8.RuneCountInString(s); n > maxText {
				return s, wrong{fmt.Sprintf("has %d characters", n), fmt.Sprintf("write at most %d", maxText)}
			}
			if strings.ContainsFunc(s, unicode.IsControl) {
				return s, wrong{"contains a control character", "write it in one line"}
			}
			return s, nil
		}}
}

func shown(def string) any {
	if def == "" {
		return nil
	}
	return def
}

// optional lets "" stand for leaving the key out.
func optional[T any](s scalar[T]) scalar[T] {
	s.empty = true
	s.rule.MinLength = 0
	return s
}

// formatted is text that matches f.
func formatted(dst *string, def string, f format) scalar[string] {
	return scalar[string]{dst: dst, def: def, takes: "string", shown: shown(def), expected: f.words, rule: Schema{Pattern: f.pattern},
		parse: func(_ *decoder, s string) (string, error) {
			if !f.match().MatchString(s) {
				return s, wrong{quote(s) + " is not valid here", "write " + f.words}
			}
			return s, nil
		}}
}

// name is the name of a printer, screen or station.
func name(dst *string) scalar[string] { return formatted(dst, "", nameFormat) }

// choice is one of a few words.
func choice(dst *string, def string, words ...string) scalar[string] {
	return scalar[string]{dst: dst, def: def, takes: "string", shown: shown(def), expected: oneOf(words), rule: Schema{Enum: words},
		parse: func(_ *decoder, s string) (string, error) {
			if slices.Contains(words, s) {
				return s, nil
			}
			// Not kept: what depends on the word would complain about a word nobody may write.
			return def, wrong{quote(s) + " is not known here", "write " + oneOf(words)}
		}}
}

func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// boolean is true or false.
func boolean(dst *bool, def bool) scalar[bool] {
	return scalar[bool]{dst: dst, def: def, takes: "boolean", shown: def, expected: "true or false",
		parse: func(_ *decoder, s string) (bool, error) { return strings.EqualFold(s, "true"), nil }}
}

// integer is a whole number from lo to hi.
func integer(dst *int, def, lo, hi int) scalar[int] {
	words := fmt.Sprintf("a whole number from %d to %d", lo, hi)
	s := scalar[int]{dst: dst, def: def, takes: "integer", expected: words,
		rule: Schema{Minimum: bound(float64(lo)), Maximum: bound(float64(hi))},
		parse: func(_ *decoder, s string) (int, error) {
			i, err := strconv.Atoi(s)
			if err != nil || strconv.Itoa(i) != s {
				return def, wrong{shorten(s) + " is not a plain whole number", "write " + words}
			}
			if i < lo || i > hi {
				return def, wrong{s + " is out of range", "write " + words}
			}
			return i, nil
		}}
	if def != 0 {
		s.shown = def
	}
	return s
}

// number is a number from lo to hi.
func number(dst *float64, def, lo, hi float64, unit string) scalar[float64] {
	words := fmt.Sprintf("a number from %g to %g (%s)", lo, hi, unit)
	return scalar[float64]{dst: dst, def: def, takes: "number", shown: def, expected: words,
		rule: Schema{Minimum: bound(lo), Maximum: bound(hi)},
		parse: func(_ *decoder, s string) (float64, error) {
			f, err := strconv.ParseFloat(s, 64)
			if err != nil || strings.ContainsAny(s, "xX_") {
				return def, wrong{shorten(s) + " is not a plain decimal number", "write " + words}
			}
			if !(f >= lo && f <= hi) {
				return def, wrong{shorten(s) + " is out of range", "write " + words}
			}
			return f, nil
		}}
}

func bound(f float64) *float64 { return &f }

// duration is a time span from lo to hi.
func duration(dst *time.Duration, def, lo, hi time.Duration) scalar[time.Duration] {
	return scalar[time.Duration]{dst: dst, def: def, takes: "string", shown: span(def), expected: durationFormat.words,
		rule: Schema{Pattern: durationPattern},
		parse: func(_ *decoder, s string) (time.Duration, error) {
			if _, err := strconv.ParseFloat(s, 64); err == nil {
				return def, wrong{shorten(s) + " has no unit", "write " + durationFormat.words}
			}
			t, err := time.ParseDuration(s)
			if err != nil || !durationFormat.match().MatchString(s) {
				return def, wrong{quote(s) + " is not a time span", "write " + durationFormat.words}
			}
			if t < lo || t > hi {
				return def, wrong{shorten(s) + " is out of range", "write " + span(lo) + " to " + span(hi)}
			}
			return t, nil
		}}
}

// unset has no default of its own: without the key something else decides.
func unset[T any](s scalar[T]) scalar[T] {
	s.shown = nil
	return s
}

// span is a duration without its idle zeros: 15m, not 15m0s.
func span(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// clock is a time of day, kept as what has passed since midnight.
func clock(dst *time.Duration, def time.Duration) scalar[time.Duration] {
	return scalar[time.Duration]{dst: dst, def: def, takes: "string", expected: clockFormat.words,
		shown: fmt.Sprintf("%02d:%02d", int(def.Hours()), int(def.Minutes())%60), rule: Schema{Pattern: clockFormat.pattern},
		parse: func(_ *decoder, s string) (time.Duration, error) {
			if !clockFormat.match().MatchString(s) {
				return def, wrong{quote(s) + " is not a time of day", "write " + clockFormat.words}
			}
			h, _ := strconv.Atoi(s[:2])
			m, _ := strconv.Atoi(s[3:])
			return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, nil
		}}
}

// zone is a time zone by its name in the IANA database.
func zone(name *string, loc **time.Location) scalar[string] {
	const words = "a name of the IANA time zone database, as in Europe/Paris"
	*loc = time.UTC
	return scalar[string]{dst: name, takes: "string", expected: words, rule: Schema{MinLength: 1, MaxLength: 64},
		parse: func(_ *decoder, s string) (string, error) {
			if s == "Local" || len(s) > 64 {
				return s, wrong{quote(s) + " is no time zone of a venue", "write " + words}
			}
			l, err := time.LoadLocation(s)
			if err != nil {
				return s, wrong{"there is no time zone " + quote(s), "write " + words}
			}
			*loc = l
			return s, nil
		}}
}

func currency(dst *Currency) scalar[Currency] {
	return scalar[Currency]{dst: dst, takes: "string", expected: currencyFormat.words, rule: Schema{Pattern: currencyFormat.pattern},
		parse: func(_ *decoder, s string) (Currency, error) {
			if c, ok := LookupCurrency(s); ok {
				return c, nil
			}
			if c, ok := LookupCurrency(strings.ToUpper(s)); ok {
				return c, wrong{quote(s) + " is in small letters", "write " + c.Code}
			}
			return Currency{}, wrong{quote(s) + " is no currency of ISO 4217", "write three letters, as in EUR, CHF or GBP"}
		}}
}

// address is where a device is.
func address(dst *port.Address) scalar[port.Address] {
	const words = "tcp:HOST:PORT, usb:VENDOR:PRODUCT, serial:DEVICE?baud=9600 or file:PATH"
	return scalar[port.Address]{dst: dst, takes: "string", expected: words, rule: Schema{Pattern: `^(tcp|usb|serial|file):.+$`},
		parse: func(_ *decoder, s string) (port.Address, error) {
			a, err := port.Parse(s)
			if err != nil {
				return port.Address{}, split(err, "write "+words)
			}
			return a, nil
		}}
}

// DefaultBumpBarBaud is the rate of bump bars as they come from the factory.
const DefaultBumpBarBaud = 1200

// bumpBar is where a bump bar is: a serial line, or one behind a device server.
func bumpBar(dst *port.Address) scalar[port.Address] {
	const words = "serial:DEVICE or tcp:HOST:PORT"
	device := address(dst)
	return scalar[port.Address]{dst: dst, takes: "string", expected: words, rule: Schema{Pattern: `^(tcp|serial):.+$`},
		parse: func(d *decoder, s string) (port.Address, error) {
			a, err := device.parse(d, s)
			switch {
			case err != nil:
				return a, err
			case a.Scheme != port.Serial && a.Scheme != port.TCP:
				return port.Address{}, wrong{quote(s) + " is no serial line", "write " + words + "; a bar on USB is a keyboard and needs no line here"}
			case a.Scheme == port.Serial && !strings.Contains(s, "baud="):
				a.Baud = DefaultBumpBarBaud
			}
			return a, nil
		}}
}

// hotel is where a hotel system is: a device address, or the URL of OPERA Cloud.
func hotel(dst *port.Address, addr *string) scalar[string] {
	const words = "tcp:HOST:PORT or serial:DEVICE?baud=9600, for dialect ohip https://HOST"
	var device = address(dst)
	return scalar[string]{dst: addr, takes: "string", expected: words, empty: true, rule: Schema{Pattern: `^(tcp:|serial:|https?://).+$`},
		parse: func(d *decoder, s string) (string, error) {
			if strings.HasPrefix(s, "http:") || strings.HasPrefix(s, "https:") {
				return web(addr).parse(d, s)
			}
			a, err := device.parse(d, s)
			*dst = a
			return "", err
		}}
}

// model is a profile of protocol/escpos.
func model(dst *string, def string) scalar[string] {
	models := escpos.Models()
	return scalar[string]{dst: dst, def: def, takes: "string", shown: def, expected: "one of " + strings.Join(models, ", "),
		rule: Schema{Enum: models},
		parse: func(_ *decoder, s string) (string, error) {
			if slices.Contains(models, s) {
				return s, nil
			}
			if guess := near(s, models); guess != "" {
				return def, wrong{"there is no model " + quote(s), "did you mean " + guess + "?"}
			}
			return def, wrong{"there is no model " + quote(s), "write one of " + strings.Join(models, ", ")}
		}}
}

// listen is the address the box listens on.
func listen(dst *string, def string) scalar[string] {
	const words = `ADDRESS:PORT, as in ":8080" for every network or "127.0.0.1:8080" for this machine alone`
	return scalar[string]{dst: dst, def: def, takes: "string", shown: def, expected: words, rule: Schema{Pattern: `^.*:[0-9]{1,5}$`},
		parse: func(_ *decoder, s string) (string, error) {
			host, portText, err := net.SplitHostPort(s)
			if err != nil {
				return def, wrong{quote(s) + " is not an address with a port", "write " + words}
			}
			if host != "" && host != "localhost" {
				if _, err := netip.ParseAddr(host); err != nil {
					return def, wrong{quote(host) + " is not an IP address", "write " + words}
				}
			}
			n, err := strconv.ParseUint(portText, 10, 16)
			if err != nil {
				return def, wrong{quote(portText) + " is not a port", "write a port from 1 to 65535"}
			}
			if n == 0 && !loopback(host) {
				return def, wrong{"port 0 is another port after every start", "write a port from 1 to 65535"}
			}
			return s, nil
		}}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// shared is the address space of RFC 6598: behind a provider's NAT or in a VPN, not reachable from outside.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// Private reports whether a is an address of this machine or of a private network: where plain HTTP may be spoken.
func Private(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// web is an address of a server: https, or http in a private network.
func web(dst *string) scalar[string] {
	const words = "https://HOST, as in https://box.example.org"
	return optional(scalar[string]{dst: dst, takes: "string", expected: words, rule: Schema{Pattern: `^https?://.+$`},
		parse: func(_ *decoder, s string) (string, error) {
			u, err := url.Parse(s)
			switch {
			case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
				return "", wrong{quote(s) + " is not a web address", "write " + words}
			case u.User != nil:
				return "", wrong{"a web address must not hold a name or password", "put them into a credentials file"}
			case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
				return "", wrong{quote(s) + " has a part after ? or #", "write the address without it"}
			}
			if u.Scheme == "http" && u.Hostname() != "localhost" {
				if a, err := netip.ParseAddr(u.Hostname()); err != nil || !Private(a) {
					return "", wrong{quote(s) + " would send secrets in the clear", "write https://"}
				}
			}
			return strings.TrimRight(s, "/"), nil
		}})
}

// network is an address or a range of addresses.
func network(dst *netip.Prefix) scalar[netip.Prefix] {
	const words = "an address or a network, as in 10.0.0.5 or 10.0.0.0/24"
	return scalar[netip.Prefix]{dst: dst, takes: "string", expected: words, rule: Schema{Pattern: `^[0-9a-fA-F:.]+(/[0-9]{1,3})?$`},
		parse: func(_ *decoder, s string) (netip.Prefix, error) {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				a, err := netip.ParseAddr(s)
				if err != nil || a.Zone() != "" {
					return p, wrong{quote(s) + " is neither an address nor a network", "write " + words}
				}
				p = netip.PrefixFrom(a, a.BitLen())
			}
			if p.Bits() == 0 {
				return p, wrong{quote(s) + " would trust everybody", "write the network of the proxy, as in 10.0.0.0/24"}
			}
			return p.Masked(), nil
		}}
}

// file is the name of a file or folder.
func file(dst *string, def, expected string) scalar[string] {
	s := text(dst, def, expected)
	s.rule.MaxLength = 4096
	s.parse = func(d *decoder, path string) (string, error) {
		if len(path) > 4096 || strings.ContainsFunc(path, unicode.IsControl) {
			return path, wrong{quote(path) + " is not a file name", "write " + expected}
		}
		return d.beside(path), nil
	}
	return s
}

// secretFile is the name of a file that only the box may read.
type secretFile struct {
	scalar[string]
	holds content
}

func (s secretFile) decode(d *decoder, key string, n *node) {
	s.scalar.decode(d, key, n)
	if *s.dst != "" {
		d.secrets = append(d.secrets, secret{key, *s.dst, where(n), s.holds})
	}
}

// courseRef is a course of a station, by index or name; resolved when all is read.
type courseRef struct {
	key  string
	text string
	dst  *int
}

// course is an index into courses, or a name from there.
type course struct{ dst *int }

func (c course) preset() { *c.dst = -1 }

func (c course) schema() *Schema { return &Schema{Type: []string{"integer", "string"}} }

func (c course) decode(d *decoder, key string, n *node) {
	d.at[key] = where(n)
	if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!str" {
		d.faultAt(n, key, "is "+kind(n)+" and must be a course", "write a name from courses or its number from 0")
		return
	}
	d.courses = append(d.courses, courseRef{key, n.Value, c.dst})
}

// list is a list of values of one kind.
type list[T any] struct {
	dst    *[]T
	def    []T
	item   func(*T) value
	lo, hi int
	unique bool // no text twice
}

func (l list[T]) preset() { *l.dst = slices.Clone(l.def) } // the default must not be shared

func (l list[T]) schema() *Schema {
	s := &Schema{Type: "array", Items: l.item(new(T)).schema(), MinItems: l.lo, MaxItems: l.hi, Unique: l.unique}
	if l.def != nil {
		s.Default = l.def
	}
	return s
}

func (l list[T]) decode(d *decoder, key string, n *node) {
	d.at[key] = where(n)
	switch {
	case n.Kind == yaml.MappingNode:
		d.faultAt(n, key, "is a mapping and must be a list", "put a hyphen before each entry")
		return
	case n.Kind != yaml.SequenceNode:
		d.faultAt(n, key, "is "+kind(n)+" and must be a list", "write it in brackets: ["+shorten(n.Value)+"]")
		return
	case len(n.Content) > l.hi:
		d.faultAt(n, key, fmt.Sprintf("has %d entries", len(n.Content)), fmt.Sprintf("write at most %d", l.hi))
		return
	case len(n.Content) < l.lo:
		d.faultAt(n, key, "has too few entries", fmt.Sprintf("write at least %d", l.lo))
		return
	}
	if len(n.Content) == 0 {
		*l.dst = nil
		return
	}
	items := make([]T, len(n.Content))
	lines := map[string]int{}
	for i, m := range n.Content {
		at := index(key, i)
		v := l.item(&items[i])
		v.preset()
		if !d.plain(at, m) {
			continue
		}
		if m.Kind == yaml.ScalarNode && m.ShortTag() == "!!null" {
			d.faultAt(m, at, "has no value", "write one or remove the entry")
			continue
		}
		v.decode(d, at, m)
		if l.unique && m.Kind == yaml.ScalarNode {
			if line, ok := lines[m.Value]; ok {
				d.faultAt(m, at, fmt.Sprintf("%s is in the list already, in line %d", quote(m.Value), line), "remove one of the two")
			} else {
				lines[m.Value] = m.Line
			}
		}
	}
	*l.dst = items
}

// list of texts, each once.
func texts(dst *[]string, hi int, expected string) list[string] {
	return list[string]{dst: dst, hi: hi, unique: true, item: func(s *string) value { return text(s, "", expected) }}
}

// names is a list of names that are given elsewhere in the file, each once.
func names(dst *[]string, hi int) list[string] {
	return list[string]{dst: dst, hi: hi, unique: true, item: func(s *string) value { return name(s) }}
}

// keyed is a mapping whose keys are free.
type keyed[T any] struct {
	dst  *map[string]T
	item func(*T) value
	keys format
	hi   int
}

func (m keyed[T]) preset() { *m.dst = nil }

func (m keyed[T]) schema() *Schema {
	return &Schema{Type: "object", Names: &Schema{Pattern: m.keys.pattern}, Additional: m.item(new(T)).schema(), MaxMembers: m.hi}
}

func (m keyed[T]) decode(d *decoder, key string, n *node) {
	d.at[key] = where(n)
	if n.Kind != yaml.MappingNode {
		d.faultAt(n, key, "is "+kind(n)+" and must be a mapping", "write keys below it")
		return
	}
	if len(n.Content)/2 > m.hi {
		d.faultAt(n, key, fmt.Sprintf("has %d keys", len(n.Content)/2), fmt.Sprintf("write at most %d", m.hi))
		return
	}
	if len(n.Content) == 0 {
		return
	}
	out := make(map[string]T, len(n.Content)/2)
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !d.keyIsText(key, k) {
			continue
		}
		full := join(key, shorten(k.Value))
		if line := lines[k.Value]; line != 0 {
			d.faultAt(k, full, fmt.Sprintf("stands here again, first in line %d", line), "keep one of the two")
			continue
		}
		lines[k.Value] = k.Line
		if !m.keys.match().MatchString(k.Value) {
			d.faultAt(k, full, "is not a key for here", "write "+m.keys.words)
			continue
		}
		var t T
		item := m.item(&t)
		item.preset()
		if !d.plain(full, v) {
			continue
		}
		if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!null" {
			d.faultAt(k, full, "has no value", "write one or remove the key")
			continue
		}
		item.decode(d, full, v)
		out[k.Value] = t
	}
	*m.dst = out
}
