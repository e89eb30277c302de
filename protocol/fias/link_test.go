package fias

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aboyeur/protocol/ifc"
)

// A hotel is the far end of a link, driven by a test step by step.
type hotel struct {
	t    *testing.T
	far  net.Conn
	conn ifc.Conn
	in   chan string
	link *Link

	ended chan struct{}
	err   error // of Run, after ended
	stop  context.CancelFunc

	mu    sync.Mutex
	seen  []string // what the hooks were told
	done  sync.WaitGroup
	close sync.Once
}

// quiet is a log that says nothing.
var quiet = slog.New(slog.DiscardHandler)

// connect makes a link and its hotel; serial puts the serial protocol between them.
func connect(t *testing.T, serial bool, c LinkConfig) *hotel {
	t.Helper()
	near, far := net.Pipe()
	h := &hotel{t: t, far: far, in: make(chan string, 10000), ended: make(chan struct{})}
	var mine ifc.Conn
	if serial {
		mine, h.conn = ifc.NewSerial(near, ifc.Options{Hold: true}), ifc.NewSerial(far, ifc.Options{})
	} else {
		mine, h.conn = ifc.NewTCP(near, ifc.Options{}), ifc.NewTCP(far, ifc.Options{})
	}
	c.Log = quiet
	c.Hooks = Hooks{
		State:  func(s LinkStatus) { h.told("state %s night %v swap %v", s.State, s.Night, s.Swap) },
		Guest:  func(g GuestRecord) { h.told("%s %s %s swap %v", g.ID, g.Room, g.Reservation, g.Swap) },
		Night:  func(on bool, at time.Time) { h.told("night %v %v", on, !at.IsZero()) },
		Swap:   func(on bool, at time.Time) { h.told("swap %v %v", on, !at.IsZero()) },
		Answer: func(a PostingAnswer, fit Fit) { h.told("answer %d %s %s", a.Number, a.Status, fit) },
		Other:  func(r *Record) { h.told("other %s", r.Raw()) },
	}
	h.link = NewLink(mine, c)
	ctx, stop := context.WithCancel(t.Context())
	h.stop = stop
	h.done.Go(func() {
		for {
			r, err := h.conn.Receive(context.Background())
			if err != nil {
				close(h.in)
				return
			}
			h.in <- string(r)
		}
	})
	h.done.Go(func() { h.err = h.link.Run(ctx); close(h.ended) })
	return h
}

func (h *hotel) told(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, fmt.Sprintf(format, args...))
}

// heard takes what the hooks were told since the last time.
func (h *hotel) heard() []string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := h.seen
	h.seen = nil
	return seen
}

// hangUp ends both sides and waits for them.
func (h *hotel) hangUp() {
	h.close.Do(func() {
		h.conn.Close()
		<-h.ended
		h.done.Wait()
		h.stop()
	})
}

func (h *hotel) say(records ...string) {
	h.t.Helper()
	for _, r := range records {
		if err := h.conn.Send(context.Background(), []byte(r)); err != nil {
			h.t.Errorf("hotel says %s: %v", r, err)
		}
	}
}

// next is the next record of the vendor; "" if none comes for a while, or ever.
func (h *hotel) next(wait time.Duration) string {
	select {
	case r := <-h.in:
		return r
	case <-time.After(wait):
		return ""
	}
}

// expect takes the next record, which must begin like that within ten minutes.
func (h *hotel) expect(prefix string) *Record {
	h.t.Helper()
	got := h.next(10 * time.Minute)
	if !strings.HasPrefix(got, prefix) {
		h.t.Fatalf("the vendor sent %q, want %s…", got, prefix)
	}
	return parsed(h.t, got)
}

// description takes LD, all LR and LA.
func (h *hotel) description() *Record {
	h.t.Helper()
	ld := h.expect("LD|")
	for _, l := range POSRecords() {
		h.expect("LR|RI" + l.Described.String() + "|FL")
	}
	h.expect("LA|")
	return ld
}

// start brings the link up.
func (h *hotel) start() {
	h.t.Helper()
	h.say("LS|DA250301|TI120000|")
	h.description()
	h.say("LA|DA250301|TI120001|")
	synctest.Wait()
	if s := h.link.Status(); s.State != Alive {
		h.t.Fatalf("after the start: %+v", s)
	}
	h.heard()
}

// bubble runs a test of a link over TCP in fake time.
func bubble(t *testing.T, c LinkConfig, f func(t *testing.T, h *hotel)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, false, c)
		defer h.hangUp()
		f(t, h)
	})
}

func TestLinkStart(t *testing.T) {
	bubble(t, LinkConfig{Version: "1.4.0"}, func(t *testing.T, h *hotel) {
		h.say("LS|DA250301|TI120000|")
		ld := h.description()
		if !ld.Is(VNum, "1.4.0") || !ld.Is(IF, "PO") || !ld.Is(RT, "5") || ld.Get(CG) != nil || ld.Moment(Codec{}).IsZero() {
			t.Errorf("LD = %s", ld.Raw())
		}
		synctest.Wait()
		if s := h.link.Status(); s.State != Describing || s.Configuration != nil {
			t.Errorf("%+v", s)
		}
		h.say("LC|RPROOM|A15.0.05.00|PH1|", "LA|DA250301|TI120001|", "LA|DA250301|TI120001|")
		if err := h.link.WaitAlive(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := h.link.Status()
		if s.State != Alive || s.Configuration == nil || s.Configuration.PMSVersion != "5.0.05.00" || s.Heard.IsZero() {
			t.Errorf("%+v", s)
		}
		if got := h.heard(); !slices.Equal(got, []string{"state describing night false swap false",
			"state describing night false swap false", "state alive night false swap false"}) {
			t.Errorf("hooks %q", got)
		}
		if got := h.next(4 * time.Minute); got != "" {
			t.Errorf("the vendor says %q by itself", got)
		}
		if err := h.link.Send(t.Context(), Moment{LA, time.Now()}); err != nil {
			t.Error(err)
		}
		h.expect("LA|")
	})
}

func TestLinkStartsWithoutLS(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		begun := time.Now()
		h.description()
		if took := time.Since(begun); took != DefaultStartWait {
			t.Errorf("LD after %v", took)
		}
		h.say("LA|")
		if err := h.link.WaitAlive(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLinkAuthenticates(t *testing.T) {
	key := NewKey()
	bubble(t, LinkConfig{Key: key}, func(t *testing.T, h *hotel) {
		host := Host{Key: key, Sent: "250301120000"}
		h.expect("LS|") // no LS came, and the key needs one
		h.say("LS|DA250301|TI120000|")
		step := host.Take(h.description(), Codec{})
		if step.Fault != nil || step.Close {
			t.Errorf("%+v", step)
		}
		host.Sent = "250301120005"
		h.say("LS|DA250301|TI120005|")
		if step := host.Take(h.description(), Codec{}); step.Fault != nil {
			t.Errorf("at the second LS: %+v", step)
		}
	})
	bubble(t, LinkConfig{Key: key}, func(t *testing.T, h *hotel) {
		<-h.ended // the hotel never says LS
		if !errors.Is(h.err, ErrSilent) {
			t.Errorf("Run = %v", h.err)
		}
	})
}

// TestLinkDescribesAtEveryLS: whenever the hotel says LS (fias.md 3.3), but not without end (3.3, 9.1).
func TestLinkDescribesAtEveryLS(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		for range 5 {
			time.Sleep(10 * time.Second)
			h.say("LS|DA250301|TI120000|")
			h.description()
			_, err := h.link.Post(t.Context(), PostingRequest{Posting{Number: 1, PaymentMethod: "CASH", Total: 5}})
			if !errors.Is(err, ErrDown) || !errors.Is(err, ifc.ErrNotSent) {
				t.Errorf("Post before LA = %v", err)
			}
			h.say("LA|DA250301|TI120001|")
			if err := h.link.WaitAlive(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		begun := time.Now()
		for range 30 {
			h.say("LS|DA250301|TI120000|")
			time.Sleep(100 * time.Millisecond)
		}
		descriptions := 0
		for {
			r := h.next(5 * time.Second)
			if r == "" {
				break
			}
			if strings.HasPrefix(r, "LD|") {
				descriptions++
			}
		}
		if descriptions < 2 || descriptions > 4 {
			t.Errorf("%d descriptions for 30 LS in %v", descriptions, time.Since(begun))
		}
		h.say("LA|")
		if err := h.link.WaitAlive(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLinkGivesUpWithoutLA(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.say("LS|")
		h.description()
		begun := time.Now()
		<-h.ended
		if !errors.Is(h.err, ErrSilent) || time.Since(begun) != DefaultAliveWait {
			t.Errorf("Run = %v after %v", h.err, time.Since(begun))
		}
		if s := h.link.Status(); s.State != Closed {
			t.Errorf("%+v", s)
		}
		if err := h.link.WaitAlive(t.Context()); err != ErrDown {
			t.Errorf("WaitAlive = %v", err)
		}
	})
}

func TestLinkKeepsAlive(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		for range 3 {
			begun := time.Now()
			h.expect("LS|")
			if idle := time.Since(begun); idle < DefaultIdle-time.Second || idle > DefaultIdle+time.Second {
				t.Errorf("LS after %v", idle)
			}
			time.Sleep(20 * time.Second)
			h.say("LA|")
		}
		time.Sleep(4 * time.Minute)
		h.say("GI|RN1|G#1|GSN|") // any record will do
		if got := h.next(4 * time.Minute); got != "" {
			t.Errorf("the vendor asks, %q, though it heard something", got)
		}
		h.expect("LS|")
		begun := time.Now()
		<-h.ended
		if !errors.Is(h.err, ErrSilent) || time.Since(begun) != DefaultIdleAnswer {
			t.Errorf("Run = %v after %v", h.err, time.Since(begun))
		}
	})
}

func TestLinkEnd(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		h.say("LE|DA160728|TI151638|")
		h.expect("LE|")
		<-h.ended
		if h.err != ErrEnded {
			t.Errorf("Run = %v", h.err)
		}
	})
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		h.stop()
		h.expect("LE|")
		h.say("PA|ASOK|P#9|", "LE|")
		<-h.ended
		if h.err != nil || !slices.Contains(h.heard(), "answer 9 OK unasked") {
			t.Errorf("Run = %v", h.err)
		}
	})
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		begun := time.Now()
		h.stop()
		h.expect("LE|")
		<-h.ended // without an answer
		if h.err != nil || time.Since(begun) != DefaultEndWait {
			t.Errorf("Run = %v after %v", h.err, time.Since(begun))
		}
	})
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		h.conn.Close()
		<-h.ended
		if !errors.Is(h.err, io.EOF) {
			t.Errorf("Run = %v", h.err)
		}
	})
}

// TestLinkOnALine: on a serial line an LE does not close the port, and any record starts the link again (fias.md 3.4).
func TestLinkOnALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, true, LinkConfig{})
		defer h.hangUp()
		h.start()
		h.say("LE|DA160728|TI151638|")
		h.expect("LE|")
		synctest.Wait()
		if s := h.link.Status(); s.State != Ended {
			t.Errorf("%+v", s)
		}
		_, err := h.link.Inquire(t.Context(), Inquiry{Number: 1, Find: "1"})
		if !errors.Is(err, ErrDown) || !errors.Is(err, ifc.ErrNotSent) {
			t.Errorf("Inquire after LE = %v", err)
		}
		time.Sleep(time.Hour)
		h.say("GI|RN7|G#7|GSN|") // its LS was missed
		h.description()
		h.say("LA|")
		if err := h.link.WaitAlive(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.heard(); !slices.Contains(got, "GI 7 7 swap false") {
			t.Errorf("hooks %q", got)
		}
		var post sync.WaitGroup
		post.Go(func() {
			a, err := h.link.PostSimple(t.Context(), PostingSimple{Posting{Number: 5, Room: "7", Total: 100}})
			if a.Status != OK || err != nil {
				t.Errorf("PostSimple = %+v, %v", a, err)
			}
		})
		h.expect("PS|")
		h.say("PA|RN7|ASOK|P#5|")
		post.Wait()
	})
}

// ask runs a request beside the test.
func ask[T any](f func() (T, error)) (T, func() (T, error)) {
	type result struct {
		v   T
		err error
	}
	c := make(chan result, 1)
	go func() { v, err := f(); c <- result{v, err} }()
	var zero T
	return zero, func() (T, error) { r := <-c; return r.v, r.err }
}

func TestInquire(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		inquire := func(n int, find string) func() (PostingList, error) {
			_, wait := ask(func() (PostingList, error) {
				return h.link.Inquire(t.Context(), Inquiry{Number: n, Find: find, Workstation: "POS1", Most: 9})
			})
			return wait
		}
		found := inquire(1001, "2781")
		if r := h.expect("PR|"); !r.Is(PI, "2781") || !r.Is(MX, "9") || !r.Is(PNum, "1001") || RequestOf(r) != InquiryRequest {
			t.Errorf("%s", r.Raw())
		}
		h.say("PL|P#1001|WSPOS1|RN2781|G#12345|GNGuest|CL500.00|NPN|RN2781|G#12381|GNSharer|NPY|")
		if l, err := found(); err != nil || len(l.Guests) != 2 || !l.Guests[1].NoPost {
			t.Errorf("Inquire = %+v, %v", l, err)
		}

		nobody := inquire(1002, "ZZ")
		h.expect("PR|")
		h.say("PA|ASNG|CTINVALID ROOM|P#1002|")
		var answer *AnswerError
		if _, err := nobody(); !errors.As(err, &answer) || answer.Answer.Status != NotFound || err.Error() != "the hotel answered NG, INVALID ROOM" {
			t.Errorf("Inquire = %v", err)
		}
		if got := h.heard(); len(got) != 0 { // an inquiry's answer is nothing for the hook of postings
			t.Errorf("hooks %q", got)
		}

		mute := inquire(1003, "1")
		h.expect("PR|")
		begun := time.Now()
		if _, err := mute(); !errors.Is(err, ErrSilent) || !errors.Is(err, ifc.ErrUncertain) || time.Since(begun) != DefaultInquiryWait {
			t.Errorf("Inquire = %v after %v", err, time.Since(begun))
		}
		h.say("PL|P#1003|RN1|G#1|")
		if got := h.heard(); !slices.Equal(got, []string{"other PL|P#1003|RN1|G#1|"}) {
			t.Errorf("hooks %q", got)
		}
		if _, err := h.link.Inquire(t.Context(), Inquiry{Number: 1004}); !errors.Is(err, ErrInquiry) || !errors.Is(err, ifc.ErrNotSent) {
			t.Errorf("an empty inquiry: %v", err)
		}
		if _, err := h.link.Inquire(t.Context(), Inquiry{Number: 1005, Find: "12345678901"}); !errors.Is(err, ErrTooWide) {
			t.Errorf("an inquiry too long: %v", err)
		}
	})
}

func post(ctx context.Context, h *hotel, n int) func() (PostingAnswer, error) {
	_, wait := ask(func() (PostingAnswer, error) {
		return h.link.Post(ctx, PostingRequest{Posting{Number: n, Room: "2781", Reservation: "12345", Guest: "Guest", PaymentMethod: "ROOM",
			Total: 1000, Parts: Parts{Subtotals: [9]Amount{800}, Taxes: [9]Amount{400}, Discounts: [9]Amount{-200}}}})
	})
	return wait
}

func TestPost(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		one, two, three := post(t.Context(), h, 1), post(t.Context(), h, 2), post(t.Context(), h, 3)
		var got []string
		for range 3 {
			r := h.expect("PR|")
			got = append(got, string(r.Get(PNum)))
			if !r.Is(TA, "1000") || !r.Is(Nth(D1, 1), "-200") || RequestOf(r) != PostRequest {
				t.Errorf("%s", r.Raw())
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{"1", "2", "3"}) {
			t.Errorf("sent %q", got)
		}
		if s := h.link.Status(); s.Waiting != 3 {
			t.Errorf("%+v", s)
		}
		// Answers in another order, padded, beside a stranger and a duplicate.
		h.say("PA|ASOK|CTACCEPTED|P#0003|RN2781|", "PA|ASNP|P#1|", "PA|ASOK|P#77|", "PA|ASOK|P#3|", "PL|P#2|RN1|G#1|", "PA|ASCO|P#2|")
		for i, wait := range []func() (PostingAnswer, error){one, two, three} {
			a, err := wait()
			if want := []Status{NoPost, OverLimit, OK}[i]; a.Status != want || err != nil || a.Number != i+1 {
				t.Errorf("posting %d: %+v, %v; want %s", i+1, a, err, want)
			}
		}
		if got, want := h.heard(), []string{"answer 3 OK in time", "answer 1 NP in time", "answer 77 OK unasked", "answer 3 OK duplicate",
			"other PL|P#2|RN1|G#1|", "answer 2 CO in time"}; !slices.Equal(got, want) {
			t.Errorf("hooks %q, want %q", got, want)
		}
		h.say("PA|ASOK|P#1|") // the hotel says it twice, with another status
		if got := h.heard(); !slices.Equal(got, []string{"answer 1 OK duplicate"}) {
			t.Errorf("hooks %q", got)
		}
	})
}

func TestPostWithoutAnAnswer(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		late := post(t.Context(), h, 1)
		h.expect("PR|")
		begun := time.Now()
		var failed *RequestError
		if _, err := late(); !errors.Is(err, ErrSilent) || !errors.Is(err, ifc.ErrUncertain) || !errors.As(err, &failed) ||
			failed.Number != 1 || time.Since(begun) != DefaultPostWait {
			t.Errorf("Post = %v after %v", err, time.Since(begun))
		}
		h.say("PA|ASOK|P#1|")
		if got := h.heard(); !slices.Equal(got, []string{"answer 1 OK unasked"}) {
			t.Errorf("hooks %q", got)
		}

		ctx, cancel := context.WithCancel(t.Context())
		left := post(ctx, h, 2)
		h.expect("PR|")
		cancel()
		if _, err := left(); !errors.Is(err, context.Canceled) || !errors.Is(err, ifc.ErrUncertain) {
			t.Errorf("Post = %v", err)
		}

		first := post(t.Context(), h, 3)
		h.expect("PR|")
		if _, err := post(t.Context(), h, 3)(); !errors.Is(err, ErrInUse) || !errors.Is(err, ifc.ErrNotSent) {
			t.Errorf("the same number twice: %v", err)
		}
		begun = time.Now()
		h.conn.Close() // the connection ends with a posting under way: nobody knows
		if _, err := first(); !errors.Is(err, ifc.ErrUncertain) || !errors.Is(err, ErrDown) || time.Since(begun) > time.Second {
			t.Errorf("Post = %v after %v", err, time.Since(begun))
		}
		<-h.ended
		if _, err := post(t.Context(), h, 4)(); !errors.Is(err, ErrDown) || !errors.Is(err, ifc.ErrNotSent) {
			t.Errorf("Post after the end = %v", err)
		}
		if _, err := h.link.PostSimple(t.Context(), PostingSimple{Posting{Number: 9, Room: "1", Total: 1}}); !errors.Is(err, ifc.ErrNotSent) {
			t.Errorf("PostSimple after the end = %v", err)
		}
		if err := h.link.Resync(t.Context()); err == nil {
			t.Error("Resync after the end")
		}
	})
}

func TestPostIsChecked(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		for _, c := range []struct {
			p    Posting
			want error
		}{
			{Posting{Number: 1, Room: "1", Total: 5}, ErrGuest},
			{Posting{Room: "1", Reservation: "1", Total: 5}, ErrNumber},
			{Posting{Number: 1, Room: "1", Reservation: "1", Total: 5, Check: 1e9}, ErrTooWide},
		} {
			if _, err := h.link.Post(t.Context(), PostingRequest{c.p}); !errors.Is(err, c.want) || !errors.Is(err, ifc.ErrNotSent) {
				t.Errorf("Post(%+v) = %v, want %v", c.p, err, c.want)
			}
		}
		var off *BalanceError
		_, err := h.link.Post(t.Context(), PostingRequest{Posting{Number: 1, Total: 5, Parts: Parts{Tip: 1}}})
		if !errors.As(err, &off) || !errors.Is(err, ifc.ErrNotSent) {
			t.Errorf("unbalanced: %v", err)
		}
		if got := h.next(time.Minute); got != "" {
			t.Errorf("the vendor sent %q", got)
		}
	})
}

// TestPostSimple: one PS at a time (fias.md 6.1), and answers without P#.
func TestPostSimple(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		ps := func(n int) func() (PostingAnswer, error) {
			_, wait := ask(func() (PostingAnswer, error) {
				return h.link.PostSimple(t.Context(), PostingSimple{Posting{Number: n, Room: "1", Total: 5}})
			})
			synctest.Wait()
			return wait
		}
		one, two, three := ps(1), ps(0), ps(3)
		h.expect("PS|")
		if got := h.next(time.Second); got != "" {
			t.Errorf("a second PS, %q, before the answer to the first", got)
		}
		h.say("PA|RN1|ASOK|") // no P#: it can only be that one
		h.expect("PS|")
		h.say("PA|RN1|ASOK|")
		h.expect("PS|")
		if _, err := one(); err != nil {
			t.Error(err)
		}
		begun := time.Now()
		if _, err := two(); err != nil {
			t.Error(err)
		}
		if _, err := three(); !errors.Is(err, ErrSilent) || time.Since(begun) < 29*time.Second || time.Since(begun) > DefaultSimpleWait {
			t.Errorf("PostSimple = %v after %v", err, time.Since(begun))
		}
		// An answer is owed: one without a number is not taken for the next PS.
		h.heard()
		four := ps(4)
		h.expect("PS|")
		h.say("PA|RN1|ASOK|")
		if got := h.heard(); !slices.Equal(got, []string{"answer 0 OK unasked"}) {
			t.Errorf("hooks %q", got)
		}
		h.say("PA|RN1|ASUR|P#4|")
		if a, err := four(); a.Status != Unprocessed || err != nil {
			t.Errorf("PostSimple = %+v, %v", a, err)
		}
	})
}

func TestNightAudit(t *testing.T) {
	bubble(t, LinkConfig{NightLimit: time.Hour}, func(t *testing.T, h *hotel) {
		h.start()
		h.say("NS|DA130425|TI030400|")
		synctest.Wait()
		if _, err := post(t.Context(), h, 1)(); !errors.Is(err, ErrNight) || !errors.Is(err, ifc.ErrNotSent) {
			t.Errorf("Post = %v", err)
		}
		_, inquiry := ask(func() (PostingList, error) { return h.link.Inquire(t.Context(), Inquiry{Number: 2, Find: "1"}) })
		h.expect("PR|")
		h.say("PL|P#2|RN1|G#1|")
		if _, err := inquiry(); err != nil {
			t.Errorf("Inquire = %v", err)
		}
		h.say("NE|DA130425|TI032500|")
		synctest.Wait()
		if h.link.Status().Night {
			t.Error("NE did not end the night")
		}
		h.say("NS|DA130425|TI030400|")
		for range 15 { // no NE ever comes, only keep-alive
			time.Sleep(4 * time.Minute)
			h.say("LA|")
		}
		synctest.Wait()
		if s := h.link.Status(); s.Night {
			t.Errorf("the night outlasts its limit: %+v", s)
		}
		if got := h.heard(); got[len(got)-1] != "night false false" {
			t.Errorf("hooks %q", got)
		}
	})
	// A night that began on the connection before goes on, and ends at its limit.
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, false, LinkConfig{NightLimit: time.Hour, NightSince: time.Now().Add(-59 * time.Minute)})
		defer h.hangUp()
		h.start()
		if _, err := post(t.Context(), h, 1)(); !errors.Is(err, ErrNight) {
			t.Errorf("Post = %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		done := post(t.Context(), h, 1)
		h.expect("PR|")
		h.say("PA|ASOK|P#1|")
		if _, err := done(); err != nil {
			t.Errorf("Post = %v", err)
		}
	})
	bubble(t, LinkConfig{PostAtNight: true}, func(t *testing.T, h *hotel) {
		h.start()
		h.say("NS|")
		synctest.Wait()
		done := post(t.Context(), h, 1)
		h.expect("PR|")
		h.say("PA|ASNA|P#1|")
		if a, err := done(); a.Status != NightAudit || err != nil {
			t.Errorf("Post = %+v, %v", a, err)
		}
	})
}

func TestResync(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		resync := func() func() (int, error) {
			_, wait := ask(func() (int, error) { return 0, h.link.Resync(t.Context()) })
			h.expect("DR|")
			return wait
		}
		done := resync()
		h.say("DS|DA250301|TI120000|", "GI|RN1001|G#12345|GSN|SF|", "GC|RN5|G#9|GNReal, Time|")
		synctest.Wait()
		held := post(t.Context(), h, 1)
		if got := h.next(30 * time.Second); got != "" { // nothing goes out during a resync (fias.md 7)
			t.Errorf("the vendor sent %q", got)
		}
		h.say("GO|RN1002|GSN|SF|", "DE|DA250301|TI120000|")
		if _, err := done(); err != nil {
			t.Errorf("Resync = %v", err)
		}
		h.expect("PR|")
		h.say("PA|ASOK|P#1|")
		if _, err := held(); err != nil {
			t.Errorf("Post = %v", err)
		}
		got := slices.DeleteFunc(h.heard(), func(s string) bool { return strings.HasPrefix(s, "state") })
		if want := []string{"swap true true", "GI 1001 12345 swap true", "GC 5 9 swap false", "GO 1002  swap true", "swap false true",
			"answer 1 OK in time"}; !slices.Equal(got, want) {
			t.Errorf("hooks %q, want %q", got, want)
		}

		ignored := resync()
		begun := time.Now()
		if _, err := ignored(); !errors.Is(err, ErrSilent) || time.Since(begun) != DefaultSwapStart {
			t.Errorf("Resync = %v after %v", err, time.Since(begun))
		}

		short := resync()
		h.say("DS|", "DE|") // over before anybody looks
		if _, err := short(); err != nil {
			t.Errorf("Resync = %v", err)
		}

		lost := resync()
		h.say("DS|")
		begun = time.Now()
		if _, err := lost(); err != nil || time.Since(begun) != DefaultSwapLimit { // DE never comes
			t.Errorf("Resync = %v after %v", err, time.Since(begun))
		}
	})
}

func TestUnknownRecords(t *testing.T) {
	bubble(t, LinkConfig{}, func(t *testing.T, h *hotel) {
		h.start()
		h.say("ZZ|Q?1|", "no record at all", "XI|RN2781|F#1|", "LD|IFPO|", "LR|RIPR|FLDA|")
		if got, want := h.heard(), []string{"other ZZ|Q?1|", "other XI|RN2781|F#1|", "other LD|IFPO|", "other LR|RIPR|FLDA|"}; !slices.Equal(got, want) {
			t.Errorf("hooks %q, want %q", got, want)
		}
		if h.link.Status().State != Alive {
			t.Error("the link fell")
		}
	})
}
