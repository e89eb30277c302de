package reservation

import (
	"fmt"
	"strings"
	"testing"

	"aboyeur/protocol/booking"
)

// decisions is the table of spec/reservations.md 4 in its own words: what must hold (+) or not hold (-) for a line to fit, and
// what comes of it. The first line that fits counts. A user whom the till does not know is found out when the till is asked,
// so that line stands after the one of an offline till.
const decisions = `
+linked                        nothing
-opens                         failed order_creation_disabled match
+walkin -walkins               failed order_creation_disabled match
-tables                        failed no_table
+unknown                       failed invalid_table
+mine                          link
+blocked                       failed table_unavailable
-online                        pending pos_offline
+staff                         failed staff_unknown
                               open
`

// facts are the words of the table.
var facts = []struct {
	name string
	set  func(*Facts)
}{
	{"linked", func(f *Facts) { f.Linked = true }},
	{"opens", func(f *Facts) { f.OpenChecks = true }},
	{"walkins", func(f *Facts) { f.WalkIns = true }},
	{"walkin", func(f *Facts) { f.WalkIn = true }},
	{"tables", func(f *Facts) { f.Tables = true }},
	{"unknown", func(f *Facts) { f.Unknown = "7a" }},
	{"mine", func(f *Facts) { f.Mine = true }},
	{"blocked", func(f *Facts) { f.Blocking = 1041 }},
	{"online", func(f *Facts) { f.Online = true }},
	{"staff", func(f *Facts) { f.Staff = "Nobody" }},
}

// decided reads the table for a set of facts.
func decided(holds map[string]bool) string {
	for line := range strings.Lines(strings.TrimLeft(decisions, "\n")) {
		words := strings.Fields(line)
		fits := true
		for len(words) > 0 && strings.ContainsAny(words[0][:1], "+-") {
			fits = fits && holds[words[0][1:]] == (words[0][0] == '+')
			words = words[1:]
		}
		if fits {
			return strings.Join(words, " ")
		}
	}
	return ""
}

func (d Decision) String() string {
	text := []string{map[int]string{DoNothing: "nothing", DoLink: "link", DoOpen: "open", DoWait: "pending", DoFail: "failed"}[d.Do]}
	if d.Problem != "" {
		text = append(text, d.Problem)
	}
	if d.Match {
		text = append(text, "match")
	}
	return strings.Join(text, " ")
}

// TestDecide goes through every set of facts there is.
func TestDecide(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for set := range 1 << len(facts) {
		var f Facts
		holds := map[string]bool{}
		for n, fact := range facts {
			if set&(1<<n) != 0 {
				fact.set(&f)
				holds[fact.name] = true
			}
		}
		want := decided(holds)
		seen[want]++
		if got := Decide(f).String(); got != want {
			t.Errorf("Decide(%+v) = %s, want %s", f, got, want)
		}
	}
	if len(seen) != 9 { // the two lines of switched off checks lead to one
		t.Errorf("the table leads to %v", seen)
	}
}

// TestOpens: which statuses ask for a check (spec/reservations.md 2, 8.1, 8.4).
func TestOpens(t *testing.T) {
	t.Parallel()
	for _, status := range booking.Statuses() {
		for _, partly := range []bool{false, true} {
			for _, now := range []bool{false, true} { // the platform's message itself means "open an order now"
				for _, assumed := range []bool{false, true} {
					over := status == booking.Departed || status == booking.Cancelled || status == booking.NoShow
					want := !assumed && (status == booking.Seated || status == booking.PartiallySeated && partly || status != booking.PartiallySeated && now && !over)
					r := booking.Reservation{OpenNow: now, Assumed: assumed}
					if got := Opens(&r, status, &Settings{OpenOnPartiallySeated: partly}); got != want {
						t.Errorf("%s, open now %v, assumed %v, with partly seated %v: opens %v, want %v", status, now, assumed, partly, got, want)
					}
				}
			}
		}
	}
}

// moves is spec/reservations.md 2 as a board: from the left to the top. A party that left comes back under no status; one
// that was called off or did not come may be booked or seated again, and the two may be corrected into one another.
const moves = `
                  on_hold scheduled partially_arrived arrived partially_seated seated departed cancelled no_show error
on_hold           x       x         x                 x       x                x      x        x         x       x
scheduled         x       x         x                 x       x                x      x        x         x       x
partially_arrived x       x         x                 x       x                x      x        x         x       x
arrived           x       x         x                 x       x                x      x        x         x       x
partially_seated  x       x         x                 x       x                x      x        x         x       x
seated            x       x         x                 x       x                x      x        x         x       x
departed          .       .         .                 .       .                .      x        .         .       x
cancelled         .       x         .                 .       .                x      .        x         x       x
no_show           .       x         .                 .       .                x      .        x         x       x
error             x       x         x                 x       x                x      x        x         x       x
`

func TestAllowed(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(moves), "\n")
	to := strings.Fields(lines[0])
	if want := fmt.Sprint(booking.Statuses()); fmt.Sprint(to) != want || len(lines) != len(to)+1 {
		t.Fatalf("the board is of %v, statuses are %s", to, want)
	}
	for _, line := range lines[1:] {
		words := strings.Fields(line)
		for n, may := range words[1:] {
			if got, want := Allowed(booking.Status(words[0]), booking.Status(to[n])), may == "x"; got != want {
				t.Errorf("from %s to %s: %v, want %v", words[0], to[n], got, want)
			}
		}
	}
	for _, status := range booking.Statuses() {
		if !Allowed("", status) {
			t.Errorf("the first word of a reservation cannot be %s", status)
		}
	}
}

// TestCompareTables: which names of tables resemble one another, and are shown as near (OT-02).
func TestCompareTables(t *testing.T) {
	t.Parallel()
	ours := []string{"1", "2", "7A", "T01", "12", "Bar 3", "007"}
	theirs := []string{"1", "7a", "T1", "01", "Table 12", "bar-3", "99", "Terrasse"}
	var a Audit
	compareTables(&a, ours, theirs, map[string]string{"Terrasse": "2"})
	for _, c := range []struct{ what, got, want string }{
		{"matching", fmt.Sprint(a.Matching), "[1]"},
		{"only here", fmt.Sprint(a.OnlyHere), "[7A T01 12 Bar 3 007]"},
		{"only there", fmt.Sprint(a.OnlyThem), "[01 7a 99 T1 Table 12 bar-3]"},
		{"near", fmt.Sprint(a.Near), "[{1 01} {T01 01} {7A 7a} {1 T1} {T01 T1} {12 Table 12} {Bar 3 bar-3}]"},
		{"aliases", fmt.Sprint(a.Aliases), "[{2 Terrasse}]"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}
