package bepoz

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseMessage(t *testing.T) {
	t.Parallel()
	m, err := ParseMessage([]byte(`{"till":"T1","seq":7,"table":"12","check":"41","event":"paid","at":"2026-11-21T20:00:00Z","payload":{"method":"card","amount":2500}}`))
	if err != nil || m.Seq != 7 || m.Payload.Amount != 2500 {
		t.Errorf("%+v, %v", m, err)
	}
	for body, want := range map[string]string{
		`{}`: "/till is missing; /table is missing; /check is missing; /seq is 0; numbers begin with 1; /at is no time; /event",
		`{"till":"T1","seq":7,"table":"12","check":"41","event":"paid","at":"2026-11-21T20:00:00Z"}`:                            "/payload/method is missing",
		`{"till":"T1","seq":7,"table":"12","check":"41","event":"ordered","at":"2026-11-21T20:00:00Z"}`:                         "/payload/lines are 0",
		`{"till":"T1","seq":7,"table":"1\n2","check":"41","event":"moved","at":"2026-11-21T20:00:00Z","payload":{"amount":-1}}`: "/table has more than 64 bytes or a control character; /payload/table is missing; /payload has an amount that is not from 0 to 1099511627776",
		`{"till":"T1","seq":"7"}`: "/seq",
	} {
		if _, err := ParseMessage([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

// FuzzEvent: a message that is read from a line is written and read as the same.
func FuzzEvent(f *testing.F) {
	for _, s := range []string{"EVT\t7\t12\t41\tpaid\t2026-11-21T20:00:00Z\t{\"method\":\"card\",\"amount\":1}", "EVT\t1\ta\tb\topened\t2026-11-21T20:00:00.5+01:00\t{}", "EVT\t\t\t\t\t\t", "EVT\t1\ta\tb\tordered\t2026-11-21T20:00:00Z\t{\"lines\":[{\"name\":\"x\",\"quantity\":1}]}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		m, err := parseEvent("T1", strings.Split(line, "\t"))
		if err != nil {
			return
		}
		b, err := m.AppendLine(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseEvent("T1", strings.Split(strings.TrimSuffix(string(b), "\n"), "\t"))
		if err != nil || !again.At.Equal(m.At) {
			t.Fatalf("%q is %+v, then %+v, %v", line, m, again, err)
		}
		again.At = m.At
		if diff := cmp.Diff(m, again); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	})
}

// nobody is a box that knows nothing.
type nobody struct{}

func (nobody) Hello(context.Context, string, Version, string) (int64, error) { return 0, nil }
func (nobody) Take(_ context.Context, m Message) (Answer, error)             { return Answer{Ack: m.Seq}, nil }
func (nobody) List(context.Context, Filter) ([]Booking, time.Duration, error) {
	return []Booking{{Name: "a\tb\nc"}}, 0, nil
}
func (nobody) Show(context.Context, string) (Booking, error) { return Booking{}, io.ErrNoProgress }
func (nobody) Open(context.Context, string, string) (string, string, error) {
	return "", "", &Refusal{"x", "y\nz"}
}

type pipe struct {
	io.Reader
	strings.Builder
}

func (*pipe) Close() error { return nil }

// FuzzSession: whatever a till says, each of its lines gets whole lines for an answer.
func FuzzSession(f *testing.F) {
	f.Add("HELLO\tT1\t4.6.1.20\toperate_tills\nEVT\t7\t12\t41\tbill_printed\t2026-11-21T20:00:00Z\t{}\nLIST\t0\t0\t\nSHOW\tx\nOPEN\tx\nGRID\n")
	f.Add("EVT\n\n\t\nHELLO\nHELLO\tT1\t1\n")
	f.Fuzz(func(t *testing.T, said string) {
		p := &pipe{Reader: strings.NewReader(said)}
		if err := Serve(t.Context(), p, nobody{}); err != nil && !strings.Contains(err.Error(), "too long") {
			t.Fatal(err)
		}
		out := p.String()
		if out != "" && !strings.HasSuffix(out, "\n") || utf8.ValidString(said) && !utf8.ValidString(out) {
			t.Errorf("%q answered by %q", said, out)
		}
		for _, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
			switch word, _, _ := strings.Cut(line, "\t"); word {
			case "OK", "ACK", "RESEND", "ROW", "END", "ERR":
			default:
				if line != "" || out != "" {
					t.Errorf("%q answered by %q", said, line)
				}
			}
		}
	})
}
