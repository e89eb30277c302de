package escpos

import "testing"

func TestVisualOrder(t *testing.T) {
	for _, c := range []struct {
		in, want string
		right    bool
	}{
		{"2 x Pizza", "2 x Pizza", false},
		{"שולחן 12", "12 ןחלוש", true},
		{"2 בלי בצל", "לצב ילב 2", true},
		{"בלי בצל (גדול) +", "+ (לודג) לצב ילב", true},
		{"מחיר 12,50 ₪", "₪ 12,50 ריחמ", true},
		{"שעה 19:04", "19:04 העש", true},
		{"Pizza שווארמה חם!", "Pizza םח המראווש!", false},
		{"פיצה Margherita גדולה", "הלודג Margherita הציפ", true},
		{"שולחן 12       #41", "#41       12 ןחלוש", true},
		{"אָב", "בא\u05b8", true},
		{"شاورما 2", "2 \ufe8e\ufee3\ufead\ufeed\ufe8e\ufeb7", true},
		{"بصل", "\ufede\ufebc\ufe91", true},
		{"لا", "\ufefb", true},
	} {
		var line []cell
		for _, r := range c.in {
			line = append(line, cell{r: r, cols: columnsOf(r)})
		}
		out, right := visualOrder(line)
		got := ""
		for _, x := range out {
			got += string(x.r)
		}
		if got != c.want || right != c.right {
			t.Errorf("visualOrder(%q) = %q %v, want %q %v", c.in, got, right, c.want, c.right)
		}
	}
}
