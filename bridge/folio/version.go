package folio

import (
	"fmt"
	"strings"
)

// least are the oldest versions of OPERA 5 whose interface works, by patch branch (OPR-13 to OPR-17); "" is none of the
// others.
var least = map[string]string{"": "5.0.03.03", "E43": "5.0.04.01", "E24": "5.0.04.02", "E17": "5.0.04.03", "E10": "5.0.05.00"}

// leastCloud is the oldest OPERA Cloud (OPR-18).
const leastCloud = "1.20"

// A VersionError says that the hotel system is too old.
type VersionError struct{ Product, Version, Least string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s %s has no interface that works; update it to %s or later", e.Product, e.Version, e.Least)
}

// CheckVersion refuses a version of OPERA that is too old; "" is not known, and passes. A text that is no version passes
// too: what a hotel calls its own is no reason to refuse guests.
func CheckVersion(dialect, branch, version string) error {
	want, product := least[branch], "OPERA 5"
	if want == "" {
		want = least[""]
	} else if branch != "" {
		product += " " + branch
	}
	if dialect == "ohip" {
		want, product = leastCloud, "OPERA Cloud"
	}
	version = strings.TrimPrefix(strings.TrimSpace(strings.ToUpper(version)), "V")
	if version != "" && older(version, want) {
		return &VersionError{product, version, want}
	}
	return nil
}

// older reports whether version a comes before b, number by number: 1.9 is older than 1.20.
func older(a, b string) bool {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if strings.Trim(x, "0123456789") != "" || x == "" && y == "" {
			return false
		}
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if len(x) != len(y) {
			return len(x) < len(y)
		}
		if x != y {
			return x < y
		}
	}
	return false
}

// gated tells why the hotel system's version forbids charging; nil when it does not.
func (s *Service) gated(st Status) error {
	version := st.Version
	if version == "" {
		version = s.c.Version
	}
	return CheckVersion(s.c.Dialect, s.c.Branch, version)
}
