package opera

import "testing"

func TestCheckVersion(t *testing.T) {
	for _, c := range []struct {
		dialect, branch, version string
		ok                       bool
	}{
		{"fias", "", "5.0.03.03", true}, {"fias", "", "5.0.03.02", false}, {"fias", "", "V5.0.03.03", true}, {"fias", "", "", true}, {"fias", "", "5.0.3.3", true},
		{"fias", "E43", "5.0.04.00", false}, {"fias", "E43", "5.0.04.01", true}, {"fias", "E24", "5.0.04.01", false}, {"fias", "E24", "5.0.04.02", true},
		{"xmlpos", "E17", "5.0.04.02", false}, {"xmlpos", "E17", "5.0.04.03", true}, {"fias", "E10", "5.0.04.99", false}, {"fias", "E10", "5.0.05.00", true},
		{"ohip", "", "1.9", false}, {"ohip", "", "1.20", true}, {"ohip", "", "22.1", true}, {"fias", "", "6.2031", true}, {"fias", "", "IFC8", true}, {"fias", "", "5.0", false},
	} {
		if err := CheckVersion(c.dialect, c.branch, c.version); (err == nil) != c.ok {
			t.Errorf("CheckVersion(%s, %s, %s) = %v", c.dialect, c.branch, c.version, err)
		}
	}
}

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"5.0.03.02", "5.0.03.03", true}, {"5.0.03.03", "5.0.03.03", false}, {"5.0.3.3", "5.0.03.03", false}, {"1.9", "1.20", true},
		{"5.0.10", "5.0.9.9", false}, {"5", "5.0.0", false}, {"4.9.99.99", "5.0", true}, {"5", "5.0.1", true}, {"05.00", "5.0", false},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("older(%s, %s) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
