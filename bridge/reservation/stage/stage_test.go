package stage

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aboyeur/protocol/booking"
)

var venue = Rules{Courses: []Course{
	{booking.Drinks, []Group{{"", "Drinks"}}},
	{booking.Appetizer, []Group{{"", "Starters"}, {"", "Soups"}}},
	{booking.Entree, []Group{{"", "Mains"}}},
	{booking.Dessert, []Group{{"", "Desserts"}}},
}}

func lines(groups ...string) []Line {
	var list []Line
	for _, g := range groups {
		list = append(list, Line{Group: g})
	}
	return list
}

// run gives what a platform is told of a row of happenings.
func run(r Rules, happenings ...Happening) []string {
	var p Progress
	told := []string{}
	for _, h := range happenings {
		var s booking.Stage
		if p, s = r.Next(p, h); s != "" {
			told = append(told, string(s))
		}
	}
	return told
}

// The rules one by one, and the evenings of the specification.
func TestStages(t *testing.T) {
	t.Parallel()
	sat := Happening{Kind: Seated}
	ordered := func(groups ...string) Happening { return Happening{Kind: Ordered, Lines: lines(groups...)} }
	billed := Happening{Kind: Billed}
	closed := func(open bool, due int64) Happening { return Happening{Kind: Closed, Open: open, Due: due} }
	regress, numbers, few, closing := venue, venue, venue, venue
	regress.Regress, numbers.Numbers = true, true
	few.Have, closing.Have = []booking.Stage{booking.AtTable, booking.Paid}, []booking.Stage{booking.Paid}
	for _, c := range []struct {
		name  string
		rules Rules
		what  []Happening
		want  string
	}{
		{"a whole evening", venue, []Happening{sat, ordered("Starters"), ordered("Mains"), ordered("Starters"), ordered("Desserts"), billed, closed(false, 1000), closed(false, 0)},
			"[seated appetizer entree dessert check_dropped paid]"},
		{"several at once", venue, []Happening{sat, ordered("Starters", "Mains")}, "[seated entree]"},
		{"each once", venue, []Happening{sat, sat, ordered("Mains"), ordered("Mains"), billed, billed, closed(false, 0), closed(false, 0)}, "[seated entree check_dropped paid]"},
		{"no regress", venue, []Happening{ordered("Desserts"), ordered("Starters"), sat}, "[dessert]"},
		{"unmapped", venue, []Happening{sat, ordered("Gifts"), ordered("")}, "[seated]"},
		{"case counts", venue, []Happening{ordered("mains")}, "[]"},
		{"blanks and accents do not", Rules{Courses: []Course{{booking.Entree, []Group{{"", "Entrées"}}}}}, []Happening{ordered(" Entre\u0301es ")}, "[entree]"},
		{"voided", venue, []Happening{{Kind: Ordered, Lines: []Line{{Group: "Mains", Voided: true}, {Group: "Starters"}}}}, "[appetizer]"},
		{"accounting group", venue, []Happening{{Kind: Ordered, Lines: []Line{{Category: "Mains"}}}}, "[entree]"},
		{"group before accounting group", venue, []Happening{{Kind: Ordered, Lines: []Line{{Group: "Soups", Category: "Mains"}}}}, "[appetizer]"},
		{"course number", numbers, []Happening{{Kind: Ordered, Lines: []Line{{Course: 3}}}, {Kind: Ordered, Lines: []Line{{Course: 7}}}}, "[dessert]"},
		{"course number not asked for", venue, []Happening{{Kind: Ordered, Lines: []Line{{Course: 3}}}}, "[]"},
		{"split", venue, []Happening{sat, closed(true, 0), closed(true, 500), closed(false, 0)}, "[seated paid]"},
		{"closed with something left", venue, []Happening{sat, closed(false, 1)}, "[seated]"},
		{"after the bill", venue, []Happening{ordered("Mains"), billed, ordered("Desserts"), billed}, "[entree check_dropped]"},
		{"after the bill, with regress", regress, []Happening{ordered("Mains"), billed, ordered("Desserts"), billed, ordered("Desserts"), closed(false, 0)},
			"[entree check_dropped dessert check_dropped dessert paid]"},
		{"no regress from paid", regress, []Happening{billed, closed(false, 0), ordered("Mains")}, "[check_dropped paid]"},
		{"table", venue, []Happening{{Kind: Cleared}, billed, closed(false, 0), {Kind: Bussing}, {Kind: Finished}}, "[cleared check_dropped paid bussing finished]"},
		{"a platform that knows few", few, []Happening{sat, ordered("Mains"), billed, closed(false, 0), {Kind: Finished}}, "[seated paid]"},
		{"a platform that knows the end alone", closing, []Happening{sat, ordered("Mains"), billed, closed(false, 0)}, "[paid]"},
		{"a platform that knows none", Rules{Have: []booking.Stage{}}, []Happening{sat, closed(false, 0)}, "[]"},
	} {
		if got := fmt.Sprint(run(c.rules, c.what...)); got != c.want {
			t.Errorf("%s: told %s, want %s", c.name, got, c.want)
		}
	}
}

// Whatever happens in whatever order: each stage once, never down, only what the platform knows, paid only when nothing is
// open and nothing left; and what was told last is the highest the platform can be told of the highest stage reached.
func TestStagesHold(t *testing.T) {
	t.Parallel()
	groups := []string{"Drinks", "Starters", "Soups", "Mains", "Desserts", "Gifts", ""}
	rapid.Check(t, func(t *rapid.T) {
		r := venue
		if rapid.Bool().Draw(t, "all") {
			r.Have = nil
		} else {
			r.Have = rapid.SliceOfDistinct(rapid.SampledFrom(booking.Stages()), func(s booking.Stage) booking.Stage { return s }).Draw(t, "have")
			if r.Have == nil {
				r.Have = []booking.Stage{}
			}
		}
		var p Progress
		var told []booking.Stage
		highest, payable := booking.Stage(""), false
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			h := Happening{Kind: Kind(rapid.IntRange(0, int(Finished)+1).Draw(t, "kind"))}
			switch h.Kind {
			case Ordered:
				for range rapid.IntRange(0, 4).Draw(t, "lines") {
					h.Lines = append(h.Lines, Line{Group: rapid.SampledFrom(groups).Draw(t, "group"), Voided: rapid.Bool().Draw(t, "voided")})
				}
			case Closed:
				h.Open, h.Due = rapid.Bool().Draw(t, "open"), rapid.Int64Range(0, 2).Draw(t, "due")
				payable = payable || !h.Open && h.Due == 0
			}
			// A stage of its own for each happening, found apart from the code.
			reached := (&Rules{Courses: r.Courses}).reached(h)
			if reached.Rank() > highest.Rank() {
				highest = reached
			}
			before := p
			var s booking.Stage
			if p, s = r.Next(p, h); s == "" {
				continue
			}
			if slices.Contains(told, s) {
				t.Fatalf("%s is told twice: %v", s, told)
			}
			if len(told) > 0 && s.Rank() < told[len(told)-1].Rank() {
				t.Fatalf("%s is told after %v", s, told)
			}
			if r.Have != nil && !slices.Contains(r.Have, s) {
				t.Fatalf("%s is told to a platform that has %v", s, r.Have)
			}
			if s == booking.Paid && (!payable || reached != booking.Paid) {
				t.Fatalf("paid is told of %+v", h)
			}
			told = append(told, s)
			if slices.Contains(before.Told, s) {
				t.Fatalf("the progress before knew %s", s)
			}
		}
		want := highest
		if r.Have != nil {
			want = highest.Nearest(r.Have)
		}
		if highest.Rank() > booking.Paid.Rank() && want.Rank() <= booking.Paid.Rank() {
			return // nothing stands for a free table there; what was told before it stays
		}
		if want != last(told) {
			t.Fatalf("told %v, while the floor is at %s, which is %q there", told, highest, want)
		}
		if !slices.Equal(p.Told, told) && len(told) > 0 {
			t.Fatalf("kept %v of %v", p.Told, told)
		}
	})
}

func last(told []booking.Stage) booking.Stage {
	if len(told) == 0 {
		return ""
	}
	return told[len(told)-1]
}

// However a bill is split and put together again, paid comes exactly when the last check of the party is closed.
func TestPaidAfterSplitsAndMerges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := venue
		checks := map[int]bool{0: true} // number to whether it is open
		p, _ := r.Next(Progress{}, Happening{Kind: Seated})
		paid := 0
		for n := 1; n < 30; n++ {
			var open []int
			for c, is := range checks {
				if is {
					open = append(open, c)
				}
			}
			slices.Sort(open)
			if len(open) == 0 {
				break
			}
			c := rapid.SampledFrom(open).Draw(t, "check")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				checks[n] = true // split
			case 1:
				if len(open) > 1 { // merged into another
					delete(checks, c)
				}
			case 2:
				checks[c] = false
				still := len(open) > 1
				var s booking.Stage
				if p, s = r.Next(p, Happening{Kind: Closed, Open: still}); s == booking.Paid {
					if still {
						t.Fatal("paid while a check is open")
					}
					paid++
				} else if !still {
					t.Fatal("the last check is closed, and nobody says paid")
				}
			}
		}
		if paid > 1 {
			t.Fatalf("paid %d times", paid)
		}
	})
}
