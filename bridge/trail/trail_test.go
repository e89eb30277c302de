package trail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aboyeur/bridge/trail"
)

var at = time.Date(2026, 11, 21, 19, 4, 5, 123456000, time.UTC)

func TestAppend(t *testing.T) {
	b := trail.Append(nil, at, "bumped", "Léa\tcook\n", "a\x00b\x7f")
	if got, want := string(b), "1795287845123456\tbumped\tLéa cook \ta b\x7f\n"; got != want {
		t.Errorf("Append = %q, want %q", got, want)
	}
}

func TestParseSkipsWhatItCannotRead(t *testing.T) {
	log := "1795287845123456\treceived\ttill\t\n" + "noise\n" + "x\ty\tz\t\n" + "1\t2\n" + "99999999999999999999\ta\tb\tc\n" + "1795287845123457\tcommitted\t\tlast without end"
	want := []trail.Step{{At: at, Event: "received", By: "till"}, {At: at.Add(time.Microsecond), Event: "committed", Detail: "last without end"}}
	if diff := cmp.Diff(want, trail.Parse(log)); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
	if steps := trail.Parse(""); steps != nil {
		t.Errorf("Parse of nothing = %v", steps)
	}
}

func TestSortKeepsWhatCameTogether(t *testing.T) {
	steps := []trail.Step{{At: at.Add(2), Event: "c"}, {At: at.Add(time.Millisecond), Event: "d"}, {At: at, Event: "a"}, {At: at, Event: "b"}}
	trail.Sort(steps)
	var got []string
	for _, s := range steps {
		got = append(got, s.Event)
	}
	if strings.Join(got, "") != "cabd" { // c is in the same microsecond as a and b, and came first
		t.Errorf("order %v, want c a b d", got)
	}
}

// What was appended is read back, whatever the words hold, but for control characters, which become spaces.
func TestRoundTrip(t *testing.T) {
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		var log []byte
		var want []trail.Step
		for range rapid.IntRange(0, 5).Draw(t, "steps") {
			s := trail.Step{
				At:    time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "at")).UTC(),
				Event: rapid.String().Draw(t, "event"), By: rapid.String().Draw(t, "by"), Detail: rapid.String().Draw(t, "detail"),
			}
			log = trail.Append(log, s.At, s.Event, s.By, s.Detail)
			s.Event, s.By, s.Detail = clean(s.Event), clean(s.By), clean(s.Detail)
			want = append(want, s)
		}
		if diff := cmp.Diff(want, trail.Parse(string(log))); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}
