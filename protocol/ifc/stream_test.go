package ifc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pair is the two ends of a TCP connection on loopback.
func pair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			c = nil
		}
		accepted <- c
	}()
	a, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b = <-accepted
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestStream(t *testing.T) {
	a, b := pair(t)
	till, hotel := NewTCP(a, Options{}), NewTCP(b, Options{})
	ctx := t.Context()
	for i := range 100 {
		want := fmt.Sprintf("PR|P#%d|", i)
		if err := till.Send(ctx, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := hotel.Receive(ctx); string(got) != want || err != nil {
			t.Fatalf("Receive = %q, %v; want %q", got, err, want)
		}
	}
	b.Write([]byte("\r\n\x02L"))
	b.Write([]byte("A|\x03\x02LS|\x03\x02L"))
	for _, want := range []string{"LA|", "LS|"} {
		if got, err := till.Receive(ctx); string(got) != want || err != nil {
			t.Fatalf("Receive = %q, %v; want %q", got, err, want)
		}
	}
	b.Close()
	if got, err := till.Receive(ctx); err != io.ErrUnexpectedEOF {
		t.Errorf("after half a record: %q, %v", got, err)
	}
	if s := till.Stats(); s.Records != 2 || s.Sent != 100 || s.Skipped != 2 {
		t.Errorf("stats %+v", s)
	}
	till.Close()
	if _, err := till.Receive(ctx); err != ErrClosed {
		t.Errorf("Receive after Close = %v", err)
	}
	err := till.Send(ctx, []byte("LS|"))
	if !errors.Is(err, ErrNotSent) || !errors.Is(err, ErrClosed) && !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after Close = %v", err)
	}
}

func TestStreamRefusesWhatCannotBeFramed(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	s := NewTCP(a, Options{Limit: 10})
	defer s.Close()
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx    context.Context
		record string
		want   error
	}{
		{t.Context(), "a\x02b", ErrReserved}, {t.Context(), "a\x03", ErrReserved}, {t.Context(), "\x05", ErrReserved},
		{t.Context(), "\x06", ErrReserved}, {t.Context(), "\x15", ErrReserved}, {t.Context(), "01234567890", ErrTooLong},
		{done, "LS|", context.Canceled},
	} {
		err := s.Send(c.ctx, []byte(c.record))
		if !errors.Is(err, c.want) || !errors.Is(err, ErrNotSent) || errors.Is(err, ErrUncertain) {
			t.Errorf("Send(%q) = %v, want %v and ErrNotSent", c.record, err, c.want)
		}
	}
}

// TestStreamTellsHowFarASendCame cuts the connection after every byte of a frame.
func TestStreamTellsHowFarASendCame(t *testing.T) {
	record := []byte("PS|RN1|TA100|P#1|")
	for n := range len(record) + 2 {
		synctest.Test(t, func(t *testing.T) {
			a, b := net.Pipe()
			s := NewTCP(a, Options{})
			go func() {
				io.ReadFull(b, make([]byte, n))
				b.Close()
			}()
			err := s.Send(t.Context(), record)
			var far *SendError
			if !errors.As(err, &far) || far.Sent != n || errors.Is(err, ErrNotSent) != (n == 0) || errors.Is(err, ErrUncertain) != (n > 0) {
				t.Errorf("cut after %d bytes: %v", n, err)
			}
			if err := s.Send(t.Context(), record); !errors.Is(err, ErrNotSent) {
				t.Errorf("the send after it: %v", err)
			}
			s.Close()
		})
	}
}

func TestStreamGivesUpAPeerThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		s := NewTCP(a, Options{})
		defer s.Close()
		start := time.Now()
		if err := s.Send(t.Context(), []byte("LS|")); !errors.Is(err, ErrNotSent) || time.Since(start) != DefaultWriteTimeout {
			t.Errorf("Send = %v after %v", err, time.Since(start))
		}
		// Nothing left, so the connection is as good as before. A second caller waits its turn, and no longer than it wants.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := s.Send(ctx, []byte("LS|")); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrNotSent) {
					t.Errorf("Send = %v", err)
				}
			})
		}
		both.Wait()
		go s.Send(t.Context(), []byte("LS|"))
		buf := make([]byte, 5)
		if _, err := io.ReadFull(b, buf); string(buf) != "\x02LS|\x03" || err != nil {
			t.Errorf("the peer read %q, %v", buf, err)
		}
	})
}

// TestStreamReceiveResumes: an ended context loses nothing of what had come.
func TestStreamReceiveResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		s := NewTCP(a, Options{})
		defer s.Close()
		var writer sync.WaitGroup
		defer writer.Wait()
		writer.Go(func() { // a byte a second
			for _, c := range []byte("\x02LS|DA260101|\x03") {
				b.Write([]byte{c})
				time.Sleep(time.Second)
			}
		})
		tries := 0
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			record, err := s.Receive(ctx)
			cancel()
			if tries++; err == nil {
				if string(record) != "LS|DA260101|" || tries < 5 {
					t.Errorf("Receive = %q at try %d", record, tries)
				}
				return
			}
			if err != context.DeadlineExceeded {
				t.Fatal(err)
			}
		}
	})
}

// bare hides the deadlines of a connection, as a serial port has none.
type bare struct{ io.ReadWriteCloser }

// unable has deadlines only by name, as a file that is no socket.
type unable struct{ bare }

func (unable) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (unable) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

func TestStreamWithoutDeadlines(t *testing.T) {
	t.Run("none", func(t *testing.T) { withoutDeadlines(t, func(c net.Conn) io.ReadWriteCloser { return bare{c} }) })
	t.Run("refused", func(t *testing.T) {
		withoutDeadlines(t, func(c net.Conn) io.ReadWriteCloser { return unable{bare{c}} })
	})
}

func withoutDeadlines(t *testing.T, hide func(net.Conn) io.ReadWriteCloser) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		s := NewTCP(hide(a), Options{})
		defer s.Close()
		go b.Write([]byte("\x02LS|\x03"))
		if got, err := s.Receive(t.Context()); string(got) != "LS|" || err != nil {
			t.Errorf("Receive = %q, %v", got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Receive(ctx); err == nil {
			t.Error("Receive outlived its context")
		}
		if err := s.Send(t.Context(), []byte("LS|")); !errors.Is(err, ErrNotSent) {
			t.Errorf("Send on the closed stream = %v", err)
		}
	})
}

// TestStreamMemory: a peer that never ends its frame costs the memory of one record.
func TestStreamMemory(t *testing.T) {
	a, b := pair(t)
	s := NewTCP(a, Options{})
	defer s.Close()
	const total = 64 << 20
	go func() {
		b.Write([]byte{STX})
		chunk := bytes.Repeat([]byte("GNx|"), 16<<10)
		for sent := 0; sent < total; sent += len(chunk) {
			if _, err := b.Write(chunk); err != nil {
				return
			}
		}
		b.Write(AppendFrame(nil, []byte("LA|")))
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := s.Receive(t.Context())
	runtime.ReadMemStats(&after)
	if string(got) != "LA|" || err != nil {
		t.Fatalf("Receive = %.40q, %v", got, err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 4<<20 {
		t.Errorf("%d bytes allocated for an endless frame", spent)
	}
	if c := s.Stats().Counters; c.Long != 1 || c.Records != 1 {
		t.Errorf("%+v", c)
	}
}

func TestTrace(t *testing.T) {
	a, b := pair(t)
	start := time.Date(2026, 8, 21, 19, 4, 5, 0, time.UTC)
	now := start
	var mu sync.Mutex
	var text []byte
	s := NewTCP(a, Options{
		Now: func() time.Time { now = now.Add(31 * time.Millisecond); return now },
		Trace: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			text = append(e.AppendTo(text, start), '\n')
		},
	})
	defer s.Close()
	go b.Write([]byte("\x02LS|DA260821|TI190405|\x03\x02XT|MTa\r\nb\x7f\xe9|\x03"))
	for range 2 {
		if _, err := s.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.Send(t.Context(), []byte("LA|DA260821|TI190406|"))
	text = append(Event{At: start.Add(time.Second), Sent: true, Link: ACK}.AppendTo(text, start), '\n')
	text = append(Event{At: start.Add(time.Second), Record: []byte("12"), Note: "damaged"}.AppendTo(text, start), '\n')
	text = append(Event{At: start.Add(time.Second), Link: 0x41}.AppendTo(text, start), '\n')
	want := strings.TrimPrefix(`
+0.031 < LS|DA260821|TI190405|
+0.062 < XT|MTa<0D><0A>b<7F>`+"\xe9"+`|
+0.093 > LA|DA260821|TI190406|
+1.000 > <ACK>
+1.000 < 12  # damaged
+1.000 < <41>
`, "\n")
	if string(text) != want {
		t.Errorf("trace:\n%s\nwant:\n%s", text, want)
	}
	for b, want := range map[byte]string{STX: "STX", ETX: "ETX", ENQ: "ENQ", ACK: "ACK", NAK: "NAK", 0: "00"} {
		if LinkByte(b) != want {
			t.Errorf("LinkByte(%02X) = %s", b, LinkByte(b))
		}
	}
}
