package xmlpos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aboyeur/protocol/ifc"
)

// A hotel is the server's end of a link, driven step by step by a test.
type hotel struct {
	t      *testing.T
	accept chan net.Conn
	conn   ifc.Conn
}

// rig starts a Link in a bubble; its connections come to hotel.open.
func rig(t *testing.T, change func(*Config)) (*Link, *hotel, *box) {
	t.Helper()
	h := &hotel{t: t, accept: make(chan net.Conn)}
	b := new(box)
	c := Config{
		Dial: func(ctx context.Context) (ifc.Conn, error) {
			ours, theirs := net.Pipe()
			select {
			case h.accept <- theirs:
				return ifc.NewTCP(ours, ifc.Options{}), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
		Late: b.put,
		Log:  slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	l, err := NewLink(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(func() {
		stop()
		if h.conn != nil {
			h.conn.Close()
		}
		done.Wait()
	})
	return l, h, b
}

// A box keeps late answers.
type box struct {
	mu  sync.Mutex
	all []Reply
}

func (b *box) put(r Reply) { b.mu.Lock(); b.all = append(b.all, r); b.mu.Unlock() }

func (b *box) numbers() (all []uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.all {
		all = append(all, r.Sequence())
	}
	return all
}

// open takes the next connection.
func (h *hotel) open() {
	if h.conn != nil {
		h.conn.Close()
	}
	h.conn = ifc.NewTCP(<-h.accept, ifc.Options{})
}

// up is open and the way to LinkAlive.
func (h *hotel) up() {
	h.t.Helper()
	h.open()
	h.hear("LinkDescription")
	h.say(&LinkAlive{At: time.Now()})
	synctest.Wait()
}

func (h *hotel) hear(name string) Element {
	h.t.Helper()
	record, err := h.conn.Receive(h.t.Context())
	if err != nil {
		h.t.Fatalf("waiting for %s: %v", name, err)
	}
	e, err := Dialect{}.Decode(record)
	if err != nil {
		h.t.Fatalf("%s: %v", record, err)
	}
	if e.Name() != name {
		h.t.Fatalf("heard %s, want %s", e.Name(), name)
	}
	if err := e.Check(); err != nil {
		h.t.Errorf("the vendor sent %s: %v", record, err)
	}
	return e
}

func (h *hotel) say(e Element) { h.raw(string(Dialect{}.AppendAsIs(nil, e))) }

func (h *hotel) raw(record string) {
	h.t.Helper()
	if err := h.conn.Send(h.t.Context(), []byte(record)); err != nil {
		h.t.Errorf("hotel sends %s: %v", record, err)
	}
}

func (h *hotel) answer(sequence uint32, status AnswerStatus) {
	h.t.Helper()
	h.say(&PostAnswer{Status: status, Sequence: sequence})
}

func inquiry(sequence uint32) *PostInquiry {
	return &PostInquiry{Information: "217", Sequence: sequence, Type: ByRoom, PaymentMethod: "16", At: time.Now(), Workstation: "POS1"}
}

func request(sequence uint32) *PostRequest {
	return &PostRequest{Room: "217", Reservation: "1", LastName: "Doe", Hotel: "1", Type: ByRoom, Information: "217", Match: 1, Sequence: sequence,
		Total: 1000, Subtotals: [Groups]int64{1000}, PaymentMethod: "16", CheckNumber: "55", At: time.Now(), Workstation: "POS1"}
}

// outcome is how a Post ended.
type outcome struct {
	answer *PostAnswer
	err    error
}

func post(ctx context.Context, l *Link, sequence uint32) <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		a, err := l.Post(ctx, request(sequence))
		c <- outcome{a, err}
	}()
	return c
}

func TestExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, late := rig(t, nil)
		if st := l.Status(); st.State == Up {
			t.Errorf("Status = %+v before the hotel was there", st)
		}
		h.up()
		if st := l.Status(); st.State != Up || st.Err != nil || st.Stats.Connections != 1 {
			t.Errorf("Status = %+v", st)
		}
		type found struct {
			Reply
			error
		}
		first, second := make(chan found, 1), make(chan found, 1)
		ask := func(n uint32, c chan found) {
			r, err := l.Inquire(t.Context(), inquiry(n))
			c <- found{r, err}
		}
		go ask(1, first)
		h.hear("PostInquiry")
		go ask(2, second)
		h.hear("PostInquiry")
		h.answer(2, NotFound) // overtakes
		h.say(&PostList{Sequence: 1, Items: []PostListItem{{Room: "217"}, {Room: "217"}}})
		if r := <-second; r.error != nil || r.List != nil || r.Answer.Status != NotFound {
			t.Errorf("Inquire = %+v", r)
		}
		if r := <-first; r.error != nil || r.Answer != nil || len(r.List.Items) != 2 {
			t.Errorf("Inquire = %+v", r)
		}
		p := post(t.Context(), l, 3)
		h.hear("PostRequest")
		h.say(&PostList{Sequence: 3}) // no answer to a posting
		h.answer(4, OK)               // another's
		h.answer(0, OK)               // nobody's
		h.raw(`<Hello SequenceNumber="3"/>`)
		h.raw(`rubbish`)
		h.say(inquiry(3)) // not for a vendor
		h.answer(3, OK)
		h.answer(3, Unprocessable) // again
		if o := <-p; o.err != nil || o.answer.Status != OK {
			t.Errorf("Post = %+v", o)
		}
		synctest.Wait()
		if got := late.numbers(); !slices.Equal(got, []uint32{3, 4, 3}) {
			t.Errorf("late answers: %v", got)
		}
		if st := l.Status().Stats; st.Sent != 4 || st.Received != 11 || st.Faulty != 1 || st.Ignored != 2 || st.Late != 4 {
			t.Errorf("Stats = %+v", st)
		}
	})
}

func TestNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, _ := rig(t, nil)
		check := func(what string, err, want error) {
			t.Helper()
			var x *ExchangeError
			if !errors.As(err, &x) || x.Left || !errors.Is(err, ifc.ErrNotSent) || errors.Is(err, ifc.ErrUncertain) || !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v and not sent", what, err, want)
			}
		}
		_, err := l.Post(t.Context(), request(1))
		check("before the link is up", err, ErrDown)
		h.open()
		h.hear("LinkDescription")
		_, err = l.Post(t.Context(), request(1))
		check("before LinkAlive", err, ErrDown)
		h.say(&LinkAlive{})
		synctest.Wait()
		r := request(1)
		r.Tip = 1
		_, err = l.Post(t.Context(), r)
		if check("unbalanced", err, ifc.ErrNotSent); !strings.Contains(err.Error(), "PostRequest 1: PostRequest TotalAmount is not the sum") {
			t.Errorf("unbalanced: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = l.Post(ctx, request(1))
		check("nobody waits any more", err, context.Canceled)
		p := post(t.Context(), l, 1)
		h.hear("PostRequest")
		_, err = l.Inquire(t.Context(), inquiry(1))
		check("the number in use", err, ErrInUse)
		h.answer(1, OK)
		if o := <-p; o.err != nil {
			t.Error(o.err)
		}
	})
}

func uncertain(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || !errors.Is(err, ifc.ErrUncertain) || errors.Is(err, ifc.ErrNotSent) {
		t.Errorf("Post = %v, want %v and uncertain", err, want)
	}
}

func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, late := rig(t, nil)
		h.up()
		p := post(t.Context(), l, 1)
		h.hear("PostRequest")
		began := time.Now()
		o := <-p
		uncertain(t, o.err, ErrSilent)
		if took := time.Since(began); took != DefaultAnswer {
			t.Errorf("gave up after %v", took)
		}
		h.answer(1, OK)
		synctest.Wait()
		if got := late.numbers(); !slices.Equal(got, []uint32{1}) {
			t.Errorf("late answers: %v", got)
		}
		if l.Status().State != Up {
			t.Error("a slow answer ended the link")
		}
	})
}

// An answer in the moment of giving up reaches either the one who waits or Late, never both or none.
func TestAnswerInTheLastMoment(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			l, h, late := rig(t, nil)
			h.up()
			p := post(t.Context(), l, 1)
			h.hear("PostRequest")
			time.Sleep(DefaultAnswer)
			h.answer(1, OK)
			o := <-p
			synctest.Wait()
			if n := len(late.numbers()); (o.err == nil) == (n == 1) || n > 1 {
				t.Errorf("Post = %+v and %d late answers", o, n)
			}
		})
	}
}

func TestGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, late := rig(t, nil)
		h.up()
		ctx, cancel := context.WithCancel(t.Context())
		p := post(ctx, l, 1)
		h.hear("PostRequest")
		cancel()
		uncertain(t, (<-p).err, context.Canceled)
		h.answer(1, OK)
		synctest.Wait()
		if got := late.numbers(); !slices.Equal(got, []uint32{1}) {
			t.Errorf("late answers: %v", got)
		}
	})
}

func TestGarbledAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, late := rig(t, nil)
		h.up()
		for n, answer := range []string{
			`<PostAnswer SequenceNumber="1"/>`,
			`<PostAnswer SequenceNumber="2" AnswerStatus="OK" AnswerStatus="NG"/>`,
		} {
			p := post(t.Context(), l, uint32(n+1))
			h.hear("PostRequest")
			h.raw(answer)
			uncertain(t, (<-p).err, ErrGarbled)
		}
		if got := late.numbers(); got != nil {
			t.Errorf("late answers: %v", got)
		}
	})
}

func TestConnectionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var states []State
		l, h, late := rig(t, func(c *Config) {
			c.Changed = func(st Status) { mu.Lock(); states = append(states, st.State); mu.Unlock() }
		})
		h.up()
		p := post(t.Context(), l, 1)
		h.hear("PostRequest")
		h.conn.Close()
		uncertain(t, (<-p).err, ErrLost)
		if st := l.Status(); st.State != Down || st.Err == nil {
			t.Errorf("Status = %+v", st)
		}
		h.up() // it connects again, and the answer of the old connection comes on the new one
		h.answer(1, OK)
		synctest.Wait()
		if got := late.numbers(); !slices.Equal(got, []uint32{1}) {
			t.Errorf("late answers: %v", got)
		}
		mu.Lock()
		defer mu.Unlock()
		if want := []State{Connecting, Describing, Up, Down, Connecting, Describing, Up}; !slices.Equal(states, want) {
			t.Errorf("states %v, want %v", states, want)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials []time.Duration
		start := time.Now()
		refused := errors.New("connection refused")
		l, _, _ := rig(t, func(c *Config) {
			c.Dial = func(context.Context) (ifc.Conn, error) { dials = append(dials, time.Since(start)); return nil, refused }
		})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if st := l.Status(); st.State != Down || !errors.Is(st.Err, refused) {
			t.Errorf("Status = %+v", st)
		}
		if n := len(dials); n < 10 || n > 30 {
			t.Errorf("%d attempts in ten minutes: %v", n, dials)
		}
	})
}

func TestNoLinkAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, _ := rig(t, nil)
		h.open()
		h.hear("LinkDescription")
		began := time.Now()
		for range 9 { // it talks, but is never alive
			time.Sleep(3 * time.Second)
			h.raw(`<Hello/>`)
		}
		if _, err := h.conn.Receive(t.Context()); err == nil {
			t.Error("the link was not given up")
		}
		if took := time.Since(began); took != DefaultStart {
			t.Errorf("given up after %v", took)
		}
		synctest.Wait()
		if st := l.Status(); !errors.Is(st.Err, ErrSilent) || !strings.Contains(st.Err.Error(), "another client") {
			t.Errorf("Status = %+v", st)
		}
		h.up()
	})
}

func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, _ := rig(t, nil)
		h.up()
		for range 3 {
			began := time.Now()
			h.hear("LinkStart")
			if took := time.Since(began); took != DefaultIdle {
				t.Errorf("LinkStart after %v", took)
			}
			time.Sleep(DefaultSilence - time.Second)
			h.say(&LinkAlive{})
		}
		time.Sleep(DefaultIdle - time.Second)
		h.say(&LinkAlive{}) // unasked
		began := time.Now()
		h.hear("LinkStart")
		if _, err := h.conn.Receive(t.Context()); err == nil {
			t.Error("the silent link was not given up")
		}
		if took := time.Since(began); took != DefaultIdle+DefaultSilence {
			t.Errorf("given up after %v", took)
		}
		synctest.Wait()
		if st := l.Status(); st.State == Up || !errors.Is(st.Err, ErrSilent) {
			t.Errorf("Status = %+v", st)
		}
	})
}

func TestServerStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, _ := rig(t, nil)
		h.up()
		h.say(&LinkStart{}) // crossed our description: it has it
		synctest.Wait()
		if st := l.Status(); st.State != Up || st.Stats.Sent != 1 {
			t.Errorf("Status = %+v after a LinkStart that crossed the description", st)
		}
		p := post(t.Context(), l, 1)
		h.hear("PostRequest")
		time.Sleep(time.Minute / 2)
		h.say(&LinkStart{})
		h.hear("LinkDescription")
		if st := l.Status(); st.State != Describing {
			t.Errorf("Status = %+v", st)
		}
		h.say(&LinkAlive{})
		h.answer(1, OK)
		if o := <-p; o.err != nil {
			t.Errorf("Post across a new start: %v", o.err)
		}
		h.say(&LinkDescription{})
		h.hear("LinkAlive")
		// A server that answers each description with LinkStart is not followed at its own speed.
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			h.conn.Send(t.Context(), []byte(`<LinkStart/>`))
			if l.Status().State == Describing {
				break
			}
		}
		h.hear("LinkDescription")
		synctest.Wait() // it is heard before it is counted
		before := l.Status().Stats.Sent
		for range 50 {
			h.raw(`<LinkStart/>`)
		}
		synctest.Wait()
		if n := l.Status().Stats.Sent - before; n != 0 {
			t.Errorf("%d descriptions at once", n)
		}
	})
}

func TestServerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, _ := rig(t, nil)
		h.up()
		h.say(&LinkEnd{})
		h.hear("LinkEnd")
		synctest.Wait()
		if st := l.Status(); st.State != Down || !errors.Is(st.Err, ErrLinkOver) {
			t.Errorf("Status = %+v", st)
		}
		h.up()
	})
}

// A hostile server may send what it likes.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, h, _ := rig(t, nil)
		h.up()
		for i := range 1000 {
			h.raw(fmt.Sprintf(`<PostAnswer SequenceNumber="%d" AnswerStatus="OK"/>`, i+1))
			h.raw(strings.Repeat("<", 2000))
		}
		p := post(t.Context(), l, 5000)
		h.hear("PostRequest")
		h.answer(5000, OK)
		if o := <-p; o.err != nil {
			t.Error(o.err)
		}
		if n := len(l.waiting); n != 0 {
			t.Errorf("%d exchanges wait for ever", n)
		}
	})
}

// A tornConn fails after some bytes of the posting.
type tornConn struct {
	net.Conn
	mu   sync.Mutex
	left int // bytes it still takes; negative: any number
}

func (c *tornConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	left := c.left
	c.mu.Unlock()
	if left < 0 {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(b[:min(left, len(b))])
	if err == nil {
		err = errors.New("line cut")
	}
	c.Conn.Close()
	return n, err
}

// Wherever the line is cut in a posting, the error is certain when nothing left and uncertain else, and the link comes back.
func TestCutAtEveryByte(t *testing.T) {
	frame := len(Dialect{}.AppendAsIs(nil, request(1))) + 2
	for cut := range frame + 1 {
		synctest.Test(t, func(t *testing.T) {
			var torn *tornConn
			accept := make(chan net.Conn)
			l, h, _ := rig(t, func(c *Config) {
				c.Dial = func(ctx context.Context) (ifc.Conn, error) {
					ours, theirs := net.Pipe()
					torn = &tornConn{Conn: ours, left: -1}
					select {
					case accept <- theirs:
						return ifc.NewTCP(torn, ifc.Options{}), nil
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}
			})
			h.accept = accept
			h.up()
			torn.mu.Lock()
			torn.left = cut
			torn.mu.Unlock()
			p := post(t.Context(), l, 1)
			go h.conn.Receive(t.Context())
			o := <-p
			if o.err == nil || errors.Is(o.err, ifc.ErrNotSent) != (cut == 0) || errors.Is(o.err, ifc.ErrUncertain) == (cut == 0) {
				t.Errorf("Post, cut after %d of %d bytes: %v", cut, frame, o.err)
			}
			h.up()
			if st := l.Status(); st.State != Up {
				t.Errorf("Status = %+v", st)
			}
		})
	}
}

func TestNewLinkErrors(t *testing.T) {
	dial := func(context.Context) (ifc.Conn, error) { return nil, nil }
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{}, "Config.Dial is missing"},
		{Config{Dial: dial, Dialect: Dialect{Charset: "cp850"}}, `unknown charset "cp850"; use utf-8 or windows-1252`},
		{Config{Dial: dial, Version: "1.0.0.0.0.0"}, "VerNum has more than 10 characters"},
	} {
		if _, err := NewLink(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewLink = %v, want %q", err, tt.want)
		}
	}
}

// The same link runs over a serial line.
func TestOverSerialLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		accept := make(chan net.Conn)
		var safe atomic.Uint32 // the last answer on disk
		l, h, late := rig(t, func(c *Config) {
			c.Dial = func(ctx context.Context) (ifc.Conn, error) {
				ours, theirs := net.Pipe()
				select {
				case accept <- theirs:
					return ifc.NewSerial(ours, ifc.Options{Hold: true}), nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			c.Answered = func(a *PostAnswer) {
				time.Sleep(time.Second) // a slow disk
				safe.Store(a.Sequence)
			}
		})
		h.conn = ifc.NewSerial(<-accept, ifc.Options{})
		h.hear("LinkDescription")
		h.say(&LinkAlive{})
		synctest.Wait()
		for n := range uint32(100) { // every value of an LRC's low bits
			p := post(t.Context(), l, n+1)
			h.hear("PostRequest")
			h.answer(n+1, OK) // returns with the ACK
			if got := safe.Load(); got != n+1 {
				t.Fatalf("answer %d acknowledged before it was safe", n+1)
			}
			if o := <-p; o.err != nil {
				t.Fatal(o.err)
			}
		}
		// Everything is acknowledged, whatever it is: an ACK that is missing fails the send.
		h.raw(`rubbish`)
		h.raw(`<Hello/>`)
		h.answer(7, OK)
		h.say(&PostList{Sequence: 8})
		h.say(&LinkAlive{})
		synctest.Wait()
		if got := late.numbers(); !slices.Equal(got, []uint32{7, 8}) {
			t.Errorf("late answers: %v", got)
		}
	})
}
