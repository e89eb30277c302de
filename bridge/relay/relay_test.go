package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is a platform that answers as told and writes down what it is asked.
type host struct {
	can booking.Capabilities

	mu     sync.Mutex // guards what follows
	calls  []booking.Update
	at     []time.Time
	answer func(ctx context.Context, u booking.Update, n int) error // n counts the calls, from 0; nil takes everything
}

func (h *host) Capabilities() booking.Capabilities { return h.can }

func (h *host) Deliver(ctx context.Context, u booking.Update) error {
	h.mu.Lock()
	n, answer := len(h.calls), h.answer
	h.calls, h.at = append(h.calls, u), append(h.at, time.Now())
	h.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(ctx, u, n)
}

// heard gives the calls as RESERVATION:STAGE or RESERVATION:KIND.
func (h *host) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []string{}
	for _, u := range h.calls {
		word := string(u.Stage)
		if u.Kind != booking.KindStage {
			word = string(u.Kind)
		}
		list = append(list, u.Reservation+":"+word)
	}
	return list
}

func (h *host) times() []time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.at)
}

type rig struct {
	*testing.T
	s *Service
	h *host
	j *journal.Journal
}

// start runs a relay with one platform, host.
func start(t *testing.T, h *host, change func(*Config)) *rig {
	t.Helper()
	return startOn(t, journaltest.Open(t, journal.Config{LaterDelay: 5 * time.Millisecond}, nil), h, change)
}

func startOn(t *testing.T, j *journal.Journal, h *host, change func(*Config)) *rig {
	t.Helper()
	if h.can.Stages == nil {
		h.can = booking.Capabilities{Stages: booking.Stages(), Spend: true, Moves: true}
	}
	c := Config{
		Journal: j, Platform: map[string]Platform{"host": h}, Language: "en", Log: slog.New(slog.DiscardHandler), Pause: 30 * time.Millisecond, Probe: 20 * time.Millisecond,
		Backoff: []time.Duration{5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond},
	}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	s.Release("host")
	return &rig{t, s, h, j}
}

func (r *rig) put(party int64, updates ...booking.Update) {
	r.Helper()
	err := r.j.Write(r.Context(), func(tx *journal.Tx) error {
		for _, u := range updates {
			u.Reservation = fmt.Sprintf("R%d", party)
			if err := r.s.Put(tx, "host", party, u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
}

func at(s booking.Stage) booking.Update { return booking.Update{Kind: booking.KindStage, Stage: s} }

// until waits for a condition.
func (r *rig) until(what string, ok func() bool) {
	r.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			told, _ := r.s.Of(r.Context(), 1)
			r.Fatalf("never: %s; heard %v, told of party 1 %+v", what, r.h.heard(), told)
		}
	}
}

func (r *rig) quiet() {
	r.Helper()
	r.until("nothing waits", func() bool {
		q, err := r.s.Queue(r.Context(), "host")
		return err == nil && q.Waiting == 0
	})
}

func (r *rig) states(party int64) (list []string) {
	r.Helper()
	told, err := r.s.Of(r.Context(), party)
	if err != nil {
		r.Fatal(err)
	}
	for _, t := range slices.Backward(told) {
		list = append(list, string(t.Stage)+":"+t.State)
	}
	return list
}

func status(code int, after time.Duration) error {
	return fmt.Errorf("tell: %w", &rest.Error{Op: "tell", Method: "PUT", Path: "/x", Status: code, Fate: rest.Refused, RetryAfter: after})
}

// What happens at one table is told in order, each once; what a platform cannot take is not kept for it.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := start(t, &host{}, nil)
	for _, s := range booking.Stages() {
		r.put(1, at(s))
		r.until("told "+string(s), func() bool { return slices.Contains(r.h.heard(), "R1:"+string(s)) })
	}
	r.put(1, booking.Update{Kind: booking.KindCovers, Covers: 3})
	r.quiet()
	if got := r.h.heard(); len(got) != 10 {
		t.Errorf("told %v", got)
	}
	if got := r.states(1); len(got) != 10 || got[9] != "finished:sent" {
		t.Errorf("kept %v", got)
	}
}

// A platform that fails is told again under the same request id, then what came later; other parties do not wait.
func TestRepeats(t *testing.T) {
	t.Parallel()
	h := &host{}
	h.answer = func(_ context.Context, u booking.Update, n int) error {
		if u.Reservation == "R1" && n < 4 {
			return errors.New("connection reset")
		}
		return nil
	}
	r := start(t, h, nil)
	r.put(1, at(booking.Paid))
	r.until("a first call", func() bool { return len(h.heard()) > 0 })
	r.put(1, at(booking.Finished))
	r.put(2, at(booking.AtTable))
	r.quiet()
	h.mu.Lock()
	defer h.mu.Unlock()
	var one []booking.Update
	for _, u := range h.calls {
		if u.Reservation == "R1" {
			one = append(one, u)
		}
	}
	for i, u := range one[:len(one)-1] {
		if u.Stage != booking.Paid || u.Request != one[0].Request || !u.At.Equal(one[0].At) {
			t.Errorf("call %d is %+v, not the first one again: %+v", i, u, one[0])
		}
	}
	if last := one[len(one)-1]; last.Stage != booking.Finished || last.Request == one[0].Request {
		t.Errorf("the last is %+v", last)
	}
}

// Of what waits only the newest stage goes, and paid and totals always.
func TestNewestWins(t *testing.T) {
	t.Parallel()
	r := start(t, &host{}, nil)
	r.s.Hold("host")
	closed := booking.Update{Kind: booking.KindClosed, Stage: booking.Paid, Check: &booking.Check{Total: 6000}}
	r.put(1, at(booking.AtTable))
	r.put(1, at(booking.Appetizer), booking.Update{Kind: booking.KindCheck, Check: &booking.Check{Total: 900}})
	r.put(1, booking.Update{Kind: booking.KindCheck, Check: &booking.Check{Total: 1000}}, booking.Update{Kind: booking.KindTables, Tables: []string{"2"}})
	r.put(1, at(booking.Entree), booking.Update{Kind: booking.KindTables, Tables: []string{"3"}})
	r.put(1, closed)
	r.put(1, at(booking.Finished))
	r.s.Release("host")
	r.quiet()
	if got := fmt.Sprint(r.h.heard()); got != "[R1:tables R1:closed R1:finished]" {
		t.Errorf("told %s", got)
	}
	if got := fmt.Sprint(r.states(1)); !strings.HasPrefix(got, "[seated:superseded appetizer:superseded") {
		t.Errorf("kept %s", got)
	}
}

// Refusals end an update; what the platform may take later does not.
func TestAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		err   error
		calls int
		want  string
	}{
		{status(http.StatusBadRequest, 0), 1, "seated:failed"},
		{status(http.StatusForbidden, 0), 1, "seated:failed"},
		{status(http.StatusUnauthorized, 0), 2, "seated:sent"},
		{status(http.StatusTooManyRequests, 0), 2, "seated:sent"},
		{status(http.StatusTooEarly, 0), 2, "seated:sent"},
		{status(http.StatusRequestTimeout, 0), 2, "seated:sent"},
		{&rest.Error{Status: 500}, 2, "seated:sent"},
		{&rest.Error{Status: 503, Fate: rest.Refused}, 2, "seated:sent"},
		{&rest.Error{Fate: rest.NotSent}, 2, "seated:sent"},
		{context.DeadlineExceeded, 2, "seated:sent"},
		{fmt.Errorf("x: %w", booking.ErrUnsupported), 1, "seated:skipped"},
	}
	h := &host{}
	tries := make([]int, len(cases))
	h.answer = func(_ context.Context, u booking.Update, _ int) error {
		var party int
		fmt.Sscanf(u.Reservation, "R%d", &party)
		h.mu.Lock()
		defer h.mu.Unlock()
		if tries[party-1]++; tries[party-1] == 1 {
			return cases[party-1].err
		}
		return nil
	}
	r := start(t, h, nil)
	for i := range cases {
		r.put(int64(i+1), at(booking.AtTable))
	}
	r.quiet()
	for i, c := range cases {
		if got := r.states(int64(i + 1)); len(got) != 1 || got[0] != c.want || tries[i] != c.calls {
			t.Errorf("%v: %v after %d calls, want %s after %d", c.err, got, tries[i], c.want, c.calls)
		}
	}
}

// A platform that asks for time gets it, for everything it is told.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const rest = 300 * time.Millisecond
	h := &host{answer: func(_ context.Context, _ booking.Update, n int) error {
		if n == 0 {
			return status(http.StatusTooManyRequests, rest)
		}
		return nil
	}}
	r := start(t, h, nil)
	r.put(1, at(booking.AtTable))
	r.until("a first call", func() bool { return len(h.heard()) > 0 })
	r.until("the answer is known", func() bool { q, _ := r.s.Queue(t.Context(), "host"); return q.LastError != "" })
	r.put(2, at(booking.AtTable))
	r.quiet()
	if times := h.times(); len(times) != 3 || times[1].Sub(times[0]) < rest || times[2].Sub(times[0]) < rest {
		t.Errorf("called at %v", times)
	}
}

// After an outage everything goes at once, whatever its own pause was, and each party has told its newest stage alone.
func TestAfterAnOutage(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	down := true
	h := &host{answer: func(context.Context, booking.Update, int) error {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return &rest.Error{Fate: rest.NotSent, Err: errors.New("connection refused")}
		}
		return nil
	}}
	board := warning.New(nil, slog.New(slog.DiscardHandler))
	r := start(t, h, func(c *Config) {
		c.Backoff, c.Warnings = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond, time.Hour}, board
	})
	const parties = 20
	for p := int64(1); p <= parties; p++ {
		r.put(p, at(booking.AtTable))
	}
	r.until("it is known that it is down", func() bool { return len(h.heard()) > 4 })
	for p := int64(1); p <= parties; p++ {
		r.put(p, at(booking.Entree))
	}
	mu.Lock()
	down = false
	mu.Unlock()
	r.quiet()
	last := map[string]string{}
	for _, word := range h.heard() {
		party, stage, _ := strings.Cut(word, ":")
		last[party] = stage
	}
	for party, stage := range last {
		if stage != string(booking.Entree) {
			t.Errorf("%s was told %s last", party, stage)
		}
	}
	if len(last) != parties {
		t.Errorf("%d parties were told", len(last))
	}
}

// The first answer after an outage may come while the platform wants to be left alone: what waits goes when that is over,
// and not by its own pauses.
func TestAnswerWhileLeftAlone(t *testing.T) {
	t.Parallel()
	slow := make(chan struct{})
	h := &host{answer: func(ctx context.Context, u booking.Update, n int) error {
		switch {
		case u.Reservation == "R1":
			select {
			case <-slow:
			case <-ctx.Done():
			}
			return ctx.Err()
		case n < 3:
			return status(http.StatusServiceUnavailable, 0)
		case n == 3:
			return status(http.StatusTooManyRequests, 200*time.Millisecond)
		}
		return nil
	}}
	r := start(t, h, func(c *Config) { c.Backoff, c.Probe = []time.Duration{time.Hour}, time.Hour })
	for party := int64(1); party <= 4; party++ {
		r.put(party, at(booking.AtTable))
		r.until("a call", func() bool { return len(h.heard()) == int(party) })
	}
	for party := int64(2); party <= 4; party++ { // three calls that came to nothing make an outage
		r.until("it is put off", func() bool { told, _ := r.s.Of(t.Context(), party); return len(told) == 1 && told[0].Attempts == 1 })
	}
	close(slow)
	r.quiet()
	for party := int64(1); party <= 4; party++ {
		if got := fmt.Sprint(r.states(party)); got != "[seated:sent]" {
			t.Errorf("party %d: %s", party, got)
		}
	}
}

// A link that is held is silent at once, and what waits for it is cancelled by whoever switched it off.
func TestHold(t *testing.T) {
	t.Parallel()
	broken := make(chan struct{})
	h := &host{answer: func(ctx context.Context, _ booking.Update, n int) error {
		if n > 0 {
			return nil
		}
		<-ctx.Done()
		close(broken)
		return ctx.Err()
	}}
	r := start(t, h, nil)
	r.put(1, at(booking.AtTable))
	r.until("a call", func() bool { return len(h.heard()) == 1 })
	r.s.Hold("host")
	select {
	case <-broken:
	default:
		t.Error("Hold returned with a call under way")
	}
	r.put(2, at(booking.AtTable))
	if err := r.j.Write(t.Context(), func(tx *journal.Tx) error { return r.s.Drop(tx, "host") }); err != nil {
		t.Fatal(err)
	}
	r.s.Release("host")
	r.put(3, at(booking.AtTable))
	r.quiet()
	if got := fmt.Sprint(h.heard()); got != "[R1:seated R3:seated]" {
		t.Errorf("told %s", got)
	}
	if got := fmt.Sprint(r.states(1), r.states(2)); got != "[seated:cancelled] [seated:cancelled]" {
		t.Errorf("kept %s", got)
	}
}

// What nobody took ends when its time is over.
func TestExpiry(t *testing.T) {
	t.Parallel()
	h := &host{answer: func(context.Context, booking.Update, int) error { return &rest.Error{} }}
	r := start(t, h, func(c *Config) { c.Life = 100 * time.Millisecond })
	r.put(1, at(booking.AtTable))
	r.quiet()
	if got := fmt.Sprint(r.states(1)); got != "[seated:expired]" {
		t.Errorf("kept %s", got)
	}
	r = start(t, h, func(c *Config) {
		c.Life, c.DayEnd = time.Millisecond, func(t time.Time) time.Time { return t.Add(time.Hour) }
	})
	r.put(1, at(booking.AtTable))
	r.until("several tries", func() bool { return len(h.heard()) > 6 })
	if got := fmt.Sprint(r.states(1)); got != "[seated:waiting]" {
		t.Errorf("before the day ends: %s", got)
	}
}

// Totals of a living check go at most so often, and the last one always.
func TestTotals(t *testing.T) {
	t.Parallel()
	r := start(t, &host{}, nil)
	for n := int64(1); n <= 10; n++ {
		r.put(1, booking.Update{Kind: booking.KindCheck, Check: &booking.Check{Total: n}})
		r.until("the first goes", func() bool { return len(r.h.heard()) > 0 })
	}
	r.quiet()
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	if n := len(r.h.calls); n < 2 || r.h.calls[n-1].Check.Total != 10 {
		t.Errorf("%d calls, the last %+v", n, r.h.calls[n-1].Check)
	}
	for i := 1; i < len(r.h.at); i++ {
		if d := r.h.at[i].Sub(r.h.at[i-1]); d < 25*time.Millisecond {
			t.Errorf("totals %v apart", d)
		}
	}
}

// What was under way when the box fell goes out again under the same request id.
func TestAfterRestart(t *testing.T) {
	t.Parallel()
	j := journaltest.Open(t, journal.Config{}, nil)
	h := &host{}
	entered := make(chan struct{}, 1)
	h.answer = func(ctx context.Context, _ booking.Update, n int) error {
		if n == 0 {
			entered <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	t.Run("before", func(t *testing.T) {
		r := startOn(t, j, h, nil)
		r.put(1, at(booking.AtTable))
		<-entered
	})
	r := startOn(t, j, h, nil)
	r.quiet()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.calls) != 2 || h.calls[0].Request != h.calls[1].Request {
		t.Errorf("calls %+v", h.calls)
	}
}
