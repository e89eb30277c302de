package ifc

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var update = flag.Bool("update", false, "write the transcripts of testdata/serial")

// TestTranscripts replays the serial lines of testdata/serial. A transcript is one end's view, a line an event:
//
//	+0.000 send LS|…    the owner calls Send
//	+0.000 > LS|…       the line sends a record, with its LRC after a blank in hexadecimal
//	+3.000 > <ENQ>      or a link byte
//	+3.010 < <ACK>      the peer sends a link byte
//	+3.010 < LA|… !     or a record, ! with a wrong LRC
//	+3.010 < hex 0241   or bytes
//	+3.010 got LA|…     the owner receives a record
//	+3.010 sent         Send returned nil, or "failed" and why
//	+3.010 acknowledge  the owner does
//	options hold, nolrc
//
// What the file tells of the owner and the peer is done; what the line does with it must be what the file says.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/serial/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = replay(t, string(want)) })
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A transcript is what happens on a line.
type transcript struct {
	start time.Time

	mu    sync.Mutex
	lines []string // since the last stretch
}

func (s *transcript) add(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("+%.3f ", time.Since(s.start).Seconds())+fmt.Sprintf(format, args...))
}

// stretch is what happened since the last one, in a settled order: at one moment the line before its owner.
func (s *transcript) stretch() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.lines
	s.lines = nil
	slices.SortStableFunc(out, func(a, b string) int {
		x, _, _ := strings.Cut(a, " ")
		y, _, _ := strings.Cut(b, " ")
		m, _ := strconv.ParseFloat(x, 64)
		n, _ := strconv.ParseFloat(y, 64)
		switch {
		case m != n:
			if m < n {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return out
}

func replay(t *testing.T, script string) string {
	near, far := net.Pipe()
	var o Options
	s := &transcript{start: time.Now()}
	var out, notes []string // notes: comments before the next event
	var line *Line
	var running sync.WaitGroup
	begin := func() {
		if line != nil {
			return
		}
		line = NewSerial(near, o)
		running.Go(func() { // the peer's ear
			d := SerialDecoder{NoLRC: o.NoLRC}
			buf := make([]byte, 100)
			for {
				n, err := far.Read(buf)
				if err != nil {
					return
				}
				for p := buf[:n]; len(p) > 0; {
					var tok Token
					tok, p = d.Next(p)
					switch {
					case tok.Kind == Control:
						s.add("> <%s>", LinkByte(tok.Byte))
					case tok.Kind == Record && o.NoLRC:
						s.add("> %s", tok.Record)
					case tok.Kind == Record:
						s.add("> %s %02X", tok.Record, tok.Byte)
					case tok.Kind != More:
						s.add("> ? %+v", tok)
					}
				}
			}
		})
		running.Go(func() { // the owner
			for {
				record, err := line.Receive(context.Background())
				if err != nil {
					if err != ErrClosed {
						s.add("ended %v", err)
					}
					return
				}
				s.add("got %s", record)
			}
		})
	}
	for text := range strings.SplitSeq(strings.TrimSuffix(script, "\n"), "\n") {
		if text == "" || text[0] == '#' {
			notes = append(notes, text)
			continue
		}
		if names, ok := strings.CutPrefix(text, "options "); ok {
			o.Hold, o.NoLRC = strings.Contains(names, "hold"), strings.Contains(names, "nolrc")
			out = append(append(out, notes...), text)
			notes = nil
			continue
		}
		begin()
		stamp, what, _ := strings.Cut(text, " ")
		seconds, err := strconv.ParseFloat(stamp, 64)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		do := func(f func()) {
			time.Sleep(time.Duration(seconds*1e6+0.5)*time.Microsecond - time.Since(s.start))
			synctest.Wait()
			out = append(append(append(out, s.stretch()...), notes...), text)
			notes = nil
			f()
			synctest.Wait()
		}
		verb, rest, _ := strings.Cut(what, " ")
		switch verb {
		case "send":
			do(func() {
				running.Go(func() {
					if err := line.Send(context.Background(), []byte(rest)); err != nil {
						var far *SendError
						certain := errors.As(err, &far) && far.Untouched()
						s.add("failed %v, certain %v", err, certain)
						return
					}
					s.add("sent")
				})
			})
		case "acknowledge":
			do(line.Acknowledge)
		case "hangup":
			do(func() { far.Close() })
		case "<":
			do(func() { far.Write(wire(t, rest, o.NoLRC)) })
		}
	}
	// Whatever more would happen belongs into the file too: a minute is more than any timer.
	time.Sleep(time.Minute)
	synctest.Wait()
	out = append(out, s.stretch()...)
	line.Close()
	far.Close()
	running.Wait()
	return strings.Join(out, "\n") + "\n"
}

// wire is the bytes of a transcript's line.
func wire(t *testing.T, what string, noLRC bool) []byte {
	t.Helper()
	if hex, ok := strings.CutPrefix(what, "hex "); ok {
		var b []byte
		for h := range strings.FieldsSeq(hex) {
			n, err := strconv.ParseUint(h, 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			b = append(b, byte(n))
		}
		return b
	}
	switch what {
	case "<ACK>":
		return []byte{ACK}
	case "<NAK>":
		return []byte{NAK}
	case "<ENQ>":
		return []byte{ENQ}
	}
	record, damaged := strings.CutSuffix(what, " !")
	if noLRC {
		return AppendFrame(nil, []byte(record))
	}
	b := AppendSerial(nil, []byte(record))
	if damaged {
		b[len(b)-1] ^= 0x20
	}
	return b
}

// faulty is a cable that damages what passes: bytes lost, changed, added, each with a probability in 1000.
type faulty struct {
	io.ReadWriteCloser
	mu                     sync.Mutex
	rand                   func(n int) int
	lose, change, addition int
}

func (f *faulty) Write(p []byte) (int, error) {
	f.mu.Lock()
	var out []byte
	for _, b := range p {
		switch x := f.rand(1000); {
		case x < f.lose:
		case x < f.lose+f.change:
			out = append(out, b^byte(1+f.rand(255)))
		case x < f.lose+f.change+f.addition:
			out = append(out, b, byte(f.rand(256)))
		default:
			out = append(out, b)
		}
	}
	f.mu.Unlock()
	if len(out) > 0 {
		if _, err := f.ReadWriteCloser.Write(out); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// TestBadCable sends records both ways at once over a cable that loses, changes and adds bytes. What Send calls certainly
// not sent did not arrive. Where the cable makes no answer of its own, what Send calls sent arrived, and nothing did twice.
func TestBadCable(t *testing.T) {
	const records = 300
	for _, c := range []struct {
		name                   string
		lose, change, addition int
	}{{"clean", 0, 0, 0}, {"losing", 3, 0, 0}, {"noisy", 0, 0, 3}, {"both", 2, 0, 2}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				cable := func(end net.Conn, seed uint64) *faulty {
					return &faulty{ReadWriteCloser: end, rand: func(n int) int { // the same at every run
						seed = seed*6364136223846793005 + 1442695040888963407
						return int(seed>>33) % n
					}, lose: c.lose, change: c.change, addition: c.addition}
				}
				near, far := cable(a, 1), cable(b, 2)
				till, hotel := NewSerial(near, Options{}), NewSerial(far, Options{})
				defer till.Close()
				defer hotel.Close()
				ctx, stop := context.WithCancel(t.Context())
				var ears, mouths sync.WaitGroup
				way := func(from, to *Line, word string) {
					got := map[string]int{}
					ears.Go(func() {
						for {
							r, err := to.Receive(ctx)
							if err != nil {
								return
							}
							got[string(r)]++
						}
					})
					mouths.Go(func() {
						outcome := map[string]error{}
						for i := range records {
							r := fmt.Sprintf("%s|P#%d|", word, i)
							outcome[r] = from.Send(t.Context(), []byte(r))
						}
						time.Sleep(time.Minute)
						stop()
						ears.Wait()
						failed := 0
						for r, err := range outcome {
							n := got[r]
							switch {
							case err == nil && n == 0 && c.addition == 0:
								t.Errorf("%s is called sent and did not arrive", r)
							case errors.Is(err, ErrNotSent) && n > 0:
								t.Errorf("%s is called not sent and arrived: %v", r, err)
							case n > 1 && c.addition == 0:
								t.Errorf("%s arrived %d times", r, n)
							case err != nil:
								failed++
							}
						}
						if failed > 0 && c.name == "clean" || failed > records/2 {
							t.Errorf("%s: %d of %d failed", word, failed, records)
						}
						t.Logf("%s: %d of %d failed, %+v", word, failed, records, from.Stats())
					})
				}
				way(till, hotel, "PR")
				way(hotel, till, "PA")
				mouths.Wait()
			})
		})
	}
}

// TestLineSendAndContext: a context ends the waiting, and says truly whether anything left.
func TestLineSendAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		l := NewSerial(a, Options{})
		defer l.Close()
		go io.Copy(io.Discard, b)
		defer b.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var both sync.WaitGroup
		both.Go(func() {
			if err := l.Send(ctx, []byte("PS|P#1|")); !errors.Is(err, ErrUncertain) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one under way: %v", err)
			}
		})
		both.Go(func() {
			time.Sleep(time.Second)
			if err := l.Send(ctx, []byte("PS|P#2|")); !errors.Is(err, ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one behind it: %v", err)
			}
		})
		both.Wait()
		if err := l.Send(ctx, []byte("x")); !errors.Is(err, ErrNotSent) {
			t.Errorf("an ended context: %v", err)
		}
		if err := l.Send(t.Context(), []byte{ENQ}); !errors.Is(err, ErrReserved) || !errors.Is(err, ErrNotSent) {
			t.Errorf("a link byte: %v", err)
		}
		time.Sleep(10 * time.Second)
		if _, err := l.Receive(ctx); err != context.DeadlineExceeded {
			t.Errorf("Receive = %v", err)
		}
		if s := l.Stats(); s.Enquired != 3 || s.Silent != 1 || s.Sent != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestLineEnds: both ways in which a line ends wake everybody.
func TestLineEnds(t *testing.T) {
	for name, end := range map[string]func(l *Line, far net.Conn){
		"closed":  func(l *Line, _ net.Conn) { l.Close() },
		"hung up": func(_ *Line, far net.Conn) { far.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				l := NewSerial(a, Options{})
				heard := make(chan struct{})
				go func() { // reads one frame and says nothing
					io.ReadFull(b, make([]byte, len("\x02LS|\x03L")))
					close(heard)
				}()
				var all sync.WaitGroup
				all.Go(func() {
					if err := l.Send(t.Context(), []byte("LS|")); !errors.Is(err, ErrUncertain) {
						t.Errorf("the send under way: %v", err)
					}
				})
				<-heard
				all.Go(func() {
					if err := l.Send(t.Context(), []byte("LS|")); !errors.Is(err, ErrNotSent) {
						t.Errorf("the send behind it: %v", err)
					}
				})
				all.Go(func() {
					if _, err := l.Receive(t.Context()); err == nil {
						t.Error("Receive returned a record")
					}
				})
				synctest.Wait()
				end(l, b)
				all.Wait()
				if _, err := l.Receive(t.Context()); err == nil {
					t.Error("Receive after the end returned a record")
				}
				l.Close()
				b.Close()
			})
		})
	}
}

// TestLineIsBounded: an owner that sleeps leaves the peer without an answer; the line does not grow.
func TestLineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		l := NewSerial(a, Options{})
		defer l.Close()
		defer b.Close()
		answer := func() byte {
			b.SetReadDeadline(time.Now().Add(time.Second))
			buf := make([]byte, 1)
			if _, err := io.ReadFull(b, buf); err != nil {
				return 0
			}
			return buf[0]
		}
		for i := range queued + 1 {
			b.Write(AppendSerial(nil, fmt.Appendf(nil, "GI|RN%d|", i)))
			if got := answer(); (got == ACK) != (i < queued) || got == NAK {
				t.Errorf("record %d answered %02X", i, got)
			}
		}
		b.Write([]byte{ENQ})
		if got := answer(); got != 0 {
			t.Errorf("ENQ answered %02X while nothing is decided", got)
		}
		for range 3 { // a peer that does not wait
			b.Write(AppendSerial(nil, []byte("GI|RN99|")))
			if got := answer(); got != NAK {
				t.Errorf("a record too many answered %02X", got)
			}
		}
		for i := range queued + 1 {
			r, err := l.Receive(t.Context())
			if string(r) != fmt.Sprintf("GI|RN%d|", i) || err != nil {
				t.Errorf("Receive %d = %q, %v", i, r, err)
			}
			if i == 0 && answer() != ACK {
				t.Error("room in the queue, and the waiting record has no answer")
			}
		}
		if s := l.Stats(); s.Busy != 3 {
			t.Errorf("%+v", s)
		}
	})
}
