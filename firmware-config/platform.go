package firmwareconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"aboyeur/protocol/aleno"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/kres"
	"aboyeur/protocol/opentable"
	"aboyeur/protocol/resy"
	"aboyeur/protocol/sevenrooms"
	"aboyeur/protocol/thefork"
)

// wireOf is what is known of a platform's wire, which a venue's vocabulary and paths are changes of; ok is false for a
// platform that has none.
func wireOf(platform string) (s wire.Spec, ok bool) {
	switch platform {
	case "opentable":
		return opentable.Spec(), true
	case "sevenrooms":
		return sevenrooms.Spec(), true
	case "resy":
		return resy.Spec(), true
	case "thefork":
		return thefork.Spec(), true
	case "aleno":
		return aleno.Spec(), true
	case "generic":
		return kres.Spec(), true
	}
	return s, false
}

// resolveWire holds vocabulary and paths against the platform's own, and wants an address of a platform that has no public
// one: a word with a slip would otherwise be found by the first guest who is seated.
func (d *decoder) resolveWire(key string, r *Reservations) {
	spec, ok := wireOf(r.Platform)
	if !ok {
		return
	}
	if r.BaseURL == "" && spec.Host == "" && r.Platform != "generic" && !d.blamed(key+".base_url") {
		d.wrong(key+".base_url", "is missing, and "+spec.Name+" has no public address", `write the address that `+spec.Name+` gave with the credentials, as in base_url: "https://api.example.com"`)
	}
	d.resolveWords(key+".vocabulary", r.Vocabulary, spec)
	operations := slices.Sorted(maps.Keys(spec.Paths))
	for _, op := range slices.Sorted(maps.Keys(r.Paths)) {
		at := key + ".paths." + op
		if _, known := spec.Paths[op]; !known && !d.blamed(at) {
			d.unknown(at, op, spec.Name+" has no operation", operations)
			continue
		}
		for _, name := range placeholders(r.Paths[op]) {
			if !slices.Contains([]string{"venue", "reservation", "check"}, name) && !d.blamed(at) {
				d.wrong(at, "has {"+name+"}, which nothing fills in", "write {venue}, {reservation} or {check}")
			}
		}
	}
}

// resolveWords looks at each word, and then whether two became one spelling.
func (d *decoder) resolveWords(key string, other map[string]string, spec wire.Spec) {
	var names []string
	for _, w := range spec.Words {
		names = append(names, w.Name)
	}
	headers := slices.Sorted(maps.Keys(spec.Names))
	good := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(other)) {
		at := key + "." + name
		switch _, header := spec.Names[name]; {
		case d.blamed(at):
		case header:
			if strings.ContainsFunc(other[name], func(c rune) bool { return c <= ' ' || c > '~' }) {
				d.wrong(at, quote(other[name])+" is no name of a header", "write letters, digits and hyphens, as in "+spec.Names[name])
			}
		case strings.Contains(name, ".") && len(headers) > 0:
			d.unknown(at, name, spec.Name+" has no name", headers)
		case !slices.Contains(names, name):
			d.unknown(at, name, spec.Name+" has no word", names)
		default:
			good[name] = other[name]
		}
	}
	wires := map[string]string{} // spelling -> our word
	for _, w := range spec.Words {
		spelling := w.Wire
		if own, ok := good[w.Name]; ok {
			spelling = own
		}
		before, twice := wires[spelling]
		wires[spelling] = w.Name
		if !twice {
			continue
		}
		name, with := w.Name, before
		if _, ours := good[name]; !ours {
			name, with = before, w.Name
		}
		d.wrong(key+"."+name, fmt.Sprintf("%s is the spelling of %s too", quote(spelling), with), "spell one of the two differently")
	}
}

// unknown reports a key that the platform does not know, with the one that was probably meant.
func (d *decoder) unknown(key, name, what string, known []string) {
	remedy := "write one of " + strings.Join(known, ", ")
	if guess := near(name, known); guess != "" {
		remedy = "did you mean " + guess + "?"
	}
	d.wrong(key, what+" "+quote(name), remedy)
}

// placeholders are the names in braces of a path.
func placeholders(path string) (names []string) {
	for {
		_, rest, found := strings.Cut(path, "{")
		if !found {
			return names
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(names, rest)
		}
		names, path = append(names, name), after
	}
}
