package pos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/protocol/bepoz"
	simbepoz "aboyeur/simulate/bepoz"
)

// house is a floor that keeps what it was told, once a key.
type house struct {
	j *journal.Journal

	mu   sync.Mutex
	keys map[string]journal.ID
	log  []string
	busy int // calls that fail and pass
}

func (h *house) Do(_ context.Context, key string, check journal.ID, m bepoz.Message) (journal.ID, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id, again := h.keys[key]; again {
		return id, nil
	}
	switch {
	case h.busy > 0:
		h.busy--
		return journal.ID{}, errors.New("the journal is busy")
	case m.Event != bepoz.Opened && check == journal.ID{}:
		return journal.ID{}, &Refusal{Code: Validation, Detail: "no check " + m.Check}
	case m.Event == bepoz.Opened:
		check = h.j.NewID()
	}
	h.keys[key] = check
	h.log = append(h.log, fmt.Sprintf("%d %s %s %s", m.Seq, m.Table, m.Check, m.Event))
	return check, nil
}

func (h *house) did() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.log, ", ")
}

var day = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// stand is a list of two parties, one of which sits.
type stand struct{}

func (stand) List(context.Context) ([]bepoz.Booking, time.Duration, error) {
	return []bepoz.Booking{
		{Reference: "R1", Day: day, At: day.Add(19 * time.Hour), Name: "Zoé", Covers: 2, Table: "12", State: "seated", Seated: true},
		{Reference: "R2", Day: day.AddDate(0, 0, 1), At: day.Add(43 * time.Hour), Name: "Jo", Covers: 4, State: "scheduled"},
	}, 7 * time.Second, nil
}
func (stand) Open(_ context.Context, _, reference string) (string, string, error) {
	return "check-of-" + reference, "12", nil
}
func (stand) Today() time.Time { return day }

func queue(t *testing.T, j *journal.Journal, h *house) *Queue {
	t.Helper()
	q, err := NewQueue(QueueConfig{Journal: j, Floor: h, Bookings: stand{}, Secret: []byte("shared")})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// run runs q until the test or stop ends it.
func run(t *testing.T, q *Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	once := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(once)
	return once
}

// line connects a till to q over a socket.
func line(t *testing.T, q *Queue, till *simbepoz.Till) *simbepoz.Session {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = bepoz.Serve(ctx, conn, q)
		}
		served <- err
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		stop()
		<-served
	})
	s, err := till.Connect(conn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// An evening of a till with numbers twice, a gap, a line that is cut and a box that starts anew in the middle: everything is
// done at the floor once and in order, and what the floor refuses does not hold up the rest.
func TestQueueOverFaultsAndRestart(t *testing.T) {
	t.Parallel()
	j := journaltest.Open(t, journal.Config{}, nil)
	h := &house{j: j, keys: map[string]journal.ID{}, busy: 2}
	q := queue(t, j, h)
	till := simbepoz.New("T1")
	till.Secret = "shared"
	at := day.Add(20 * time.Hour)
	soup := bepoz.Payload{Lines: []bepoz.Line{{Name: "Soup", Group: "Starters", Quantity: 1, Price: 900}}}
	till.Ring("12", "7", bepoz.Opened, at, bepoz.Payload{Covers: 2, Reference: "R1"})
	till.Ring("12", "7", bepoz.Ordered, at, soup)
	till.Ring("14", "9", bepoz.Billed, at, bepoz.Payload{}) // of a check that nobody opened
	till.Ring("12", "7", bepoz.Billed, at, bepoz.Payload{})
	till.Ring("12", "7", bepoz.Paid, at, bepoz.Payload{Method: "card", Amount: 900})
	till.Break(simbepoz.Faults{Twice: map[int64]bool{1: true}, Lost: map[int64]bool{2: true}, CutAt: 4})
	if err := line(t, q, till).Drain(); !errors.Is(err, simbepoz.ErrCut) {
		t.Fatalf("Drain: %v", err)
	}
	stop := run(t, q)
	await(t, "the first messages are done", func() bool { return strings.Contains(h.did(), "2 12 7 ordered") })
	stop()

	q = queue(t, j, h) // the box starts anew on the same journal
	if err := line(t, q, till).Drain(); err != nil {
		t.Fatal(err)
	}
	run(t, q)
	till.Break(simbepoz.Faults{Restart: 2}) // and the till forgets what was acknowledged
	till.Ring("12", "7", bepoz.Closed, at, bepoz.Payload{Total: 900})
	if err := line(t, q, till).Drain(); err != nil {
		t.Fatal(err)
	}
	await(t, "the check is closed", func() bool { return strings.Contains(h.did(), "closed") })
	if got, want := h.did(), "1 12 7 opened, 2 12 7 ordered, 4 12 7 bill_printed, 5 12 7 paid, 6 12 7 closed"; got != want {
		t.Errorf("done: %s\nwant: %s", got, want)
	}
	await(t, "nothing waits", func() bool {
		tills, err := q.Tills(t.Context())
		return err == nil && len(tills) == 1 && tills[0].Waiting == 0
	})
	tills, err := q.Tills(t.Context())
	if err != nil || tills[0].Last != 6 || tills[0].Refused != 1 || tills[0].Error != "validation: no check 9" || tills[0].Version != "4.6.1.20" || tills[0].SeenAt.IsZero() {
		t.Errorf("%+v, %v", tills, err)
	}
}

// The same over HTTP: messages, the list with its filters, open only when the party sits, and a plain no to the grid.
func TestRoutes(t *testing.T) {
	t.Parallel()
	j := journaltest.Open(t, journal.Config{}, nil)
	q := queue(t, j, &house{j: j, keys: map[string]journal.ID{}})
	var no *bepoz.Refusal
	if _, err := q.Hello(t.Context(), "T1", bepoz.Minimum(), "guessed"); !errors.As(err, &no) || no.Code != bepoz.CodeSecret {
		t.Errorf("a till with another secret: %v", err)
	}
	mux := http.NewServeMux()
	for _, r := range q.Routes() {
		mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, req *http.Request) {
			err := r.Handle(w, req)
			var p *api.Problem
			switch {
			case errors.As(err, &p):
				w.WriteHeader(p.Status)
				io.WriteString(w, strings.TrimLeft(fmt.Sprintf("%s %s %v", p.Code, p.Detail, p.Errors), " "))
			case err != nil:
				t.Errorf("%s: %v", req.URL, err)
			}
		})
	}
	call := func(method, target, body string) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
		return fmt.Sprintf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
	}
	const opened = `{"till":"T1","seq":1,"table":"12","check":"7","event":"opened","at":"2026-11-21T20:00:00Z","payload":{"covers":2}}`
	for _, c := range []struct{ method, target, body, want string }{
		{"POST", "/v1/events/bepoz", opened, `200 {"ack":1}`},
		{"POST", "/v1/events/bepoz", opened, `200 {"ack":1}`},
		{"POST", "/v1/events/bepoz", strings.Replace(opened, `"seq":1`, `"seq":3`, 1), `200 {"ack":1,"resend":2}`},
		{"POST", "/v1/events/bepoz", strings.Replace(opened, `"opened"`, `"sold"`, 1), `422 the message makes no sense [{/event "sold" is not known`},
		{"POST", "/v1/events/bepoz?version=4.6.1.9", opened, "422 version SmartPOS 4.6.1.9 is too old; 4.6.1.20 at least"},
		{"POST", "/v1/events/bepoz?version=new", opened, "422 the message makes no sense [{?version"},
		{"GET", "/v1/tills", "", `200 {"tills":[{"till":"T1","version":"","last":1,"waiting":1,"refused":0,"oldest":"`},
		{"GET", "/v1/till/bookings", "", `200 {"bookings":[{"reference":"R1"`},
		{"GET", "/v1/till/bookings?filter=2&days=4", "", `200 {"bookings":[{"reference":"R2"`},
		{"GET", "/v1/till/bookings?filter=1&days=4", "", `200 {"bookings":[],"age_seconds":7}`},
		{"GET", "/v1/till/bookings?filter=64", "", "422 "},
		{"GET", "/v1/till/bookings?days=2&from=tomorrow", "", "422 "},
		{"GET", "/v1/till/bookings/R2", "", `200 {"reference":"R2"`},
		{"GET", "/v1/till/bookings/R9", "", "404 unknown"},
		{"POST", "/v1/till/bookings/R1/open", "", `200 {"check":"check-of-R1","table":"12"}`},
		{"POST", "/v1/till/bookings/R2/open", "", "409 not_seated the party is not seated"},
		{"GET", "/v1/till/grid", "", "501 not_supported graphical table bookings"},
	} {
		if got := call(c.method, c.target, c.body); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %s\nwant %s", c.method, c.target, got, c.want)
		}
	}
}
