// Package opera tells which releases of Oracle's hotel system have an interface that works. Configuration refuses older
// ones in writing, the hotel link refuses them when they name themselves.
package opera

import (
	"fmt"
	"strings"
)

// Cloud is the dialect of OPERA Cloud; every other is a link on site, of OPERA 5.
const Cloud = "ohip"

// A VersionError says that the hotel system is too old.
type VersionError struct{ Product, Version, Least string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s %s has no interface that works; update it to %s or later", e.Product, e.Version, e.Least)
}

// CheckVersion refuses a version that is too old for its patch branch with a *VersionError (spec/features.md OPR-13 to
// OPR-18). "" is not known, and passes. A text that is no version passes too: what a hotel calls its own is no reason
// to refuse guests.
func CheckVersion(dialect, branch, version string) error {
	product, want := least(dialect, branch)
	number := strings.TrimPrefix(strings.TrimSpace(strings.ToUpper(version)), "V")
	if number != "" && older(number, want) {
		return &VersionError{product, number, want}
	}
	return nil
}

func least(dialect, branch string) (product, version string) {
	if dialect == Cloud {
		return "OPERA Cloud", "1.20"
	}
	switch branch {
	case "E43":
		version = "5.0.04.01"
	case "E24":
		version = "5.0.04.02"
	case "E17":
		version = "5.0.04.03"
	case "E10":
		version = "5.0.05.00"
	default:
		return "OPERA 5", "5.0.03.03"
	}
	return "OPERA 5 " + branch, version
}

// older reports whether version a comes before b, number by number: 1.9 is older than 1.20. What is no version is not
// older than anything.
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
