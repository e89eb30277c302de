package cable

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a box that a test looks into.
type bench struct {
	mu      sync.Mutex
	applied [][]byte
	any     bool
	verdict State
	gate    chan struct{} // Apply waits for it; nil: it does not
	logs    string
}

func (b *bench) Welcome(context.Context) (Welcome, error) {
	return Welcome{Program: "1.2.0", Site: "bistro-1", Number: 7, Identity: "age1x"}, nil
}

func (b *bench) Apply(_ context.Context, file string, anySite bool) State {
	text, err := os.ReadFile(file)
	if err != nil {
		return State{Code: "failed", Text: err.Error()}
	}
	if b.gate != nil {
		<-b.gate
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.applied, b.any = append(b.applied, text), anySite
	return b.verdict
}

func (b *bench) Text(_ context.Context, what string) (string, error) {
	switch what {
	case "status":
		return "well\n", nil
	case "logs":
		return b.logs, nil
	}
	return "", fmt.Errorf("there is no %q", what)
}

func (b *bench) got() [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.applied
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// connect serves a box over one line and gives the laptop's end.
func connect(t *testing.T, s *Server, wrap func(io.ReadWriteCloser) io.ReadWriteCloser) *Client {
	t.Helper()
	laptop, box := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(ctx, box) }()
	var line io.ReadWriteCloser = laptop
	if wrap != nil {
		line = wrap(laptop)
	}
	c := NewClient(line)
	t.Cleanup(func() { c.Close(); cancel(); <-done })
	return c
}

func send(t *testing.T, c *Client, file []byte) (State, error) {
	t.Helper()
	if _, err := c.Hello(t.Context()); err != nil {
		return State{}, err
	}
	one := transfer(t, file, true)
	if err := c.Send(t.Context(), one, func(int64, int64) {}); err != nil {
		return State{}, err
	}
	return c.Finish(t.Context(), one, func() {})
}

func transfer(t *testing.T, file []byte, anySite bool) *Transfer {
	t.Helper()
	one, err := NewTransfer(bytes.NewReader(file), int64(len(file)), anySite)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func TestSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{verdict: State{Code: "applied", Text: "bundle 8 is healthy and stays"}, logs: strings.Repeat("a line of the log\n", 1000)}
		s := NewServer(t.TempDir(), b)
		defer s.Close()
		c := connect(t, s, nil)
		w, err := c.Hello(t.Context())
		if err != nil || w.Site != "bistro-1" || w.Number != 7 || w.Program != "1.2.0" {
			t.Errorf("Hello = %+v, %v", w, err)
		}
		for _, n := range []int{1, piece, piece + 1, 300_000} {
			file := randomBytes(n)
			st, err := send(t, c, file)
			if err != nil || !st.Done || st.Code != "applied" {
				t.Fatalf("%d bytes: %+v, %v", n, st, err)
			}
			if got := b.got(); !bytes.Equal(got[len(got)-1], file) || !b.any {
				t.Fatalf("%d bytes came as %d", n, len(got[len(got)-1]))
			}
		}
		for what, want := range map[string]string{"status": "well\n", "logs": b.logs} {
			if got, err := c.Text(t.Context(), what); err != nil || got != want {
				t.Errorf("Text(%s) = %d bytes, %v, want %d", what, len(got), err, len(want))
			}
		}
		if _, err := c.Text(t.Context(), "shadow"); err == nil || !strings.Contains(err.Error(), `there is no "shadow"`) {
			t.Errorf("Text of something else: %v", err)
		}
		if left, err := filepath.Glob(filepath.Join(s.dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{verdict: State{Code: "unknown_key", Text: strings.Repeat("é\n", 2000)}, gate: make(chan struct{})}
		s := NewServer(t.TempDir(), b)
		defer s.Close()
		c := connect(t, s, nil)
		file := randomBytes(5000)
		go func() { time.Sleep(5 * time.Second); close(b.gate) }() // the box takes its time
		waited := 0
		one := transfer(t, file, false)
		if err := c.Send(t.Context(), one, func(int64, int64) {}); err != nil {
			t.Fatal(err)
		}
		st, err := c.Finish(t.Context(), one, func() {
			waited++
			if waited == 3 { // somebody begins another while this one is in hand
				other := randomBytes(10)
				sum := sha256.Sum256(other)
				var no *Answer
				if _, err := c.ask(t.Context(), askBegin, sayBegun, begin{10, hex.EncodeToString(sum[:]), "x"}); !errors.As(err, &no) {
					t.Errorf("a second bundle: %v", err)
				}
			}
		})
		if err != nil || st.Code != "unknown_key" || !strings.HasPrefix(st.Text, "é") || waited < 5 {
			t.Errorf("Finish = %s, %v after %d waits", st.Code, err, waited)
		}
		for name, q := range map[string]begin{"nothing": {0, strings.Repeat("0", 64), "x"}, "too much": {MaxBundle + 1, strings.Repeat("0", 64), "x"}, "no sum": {5, "../../etc/passwd", "x"}, "sum in capitals": {5, strings.Repeat("A", 64), "x"}} {
			var no *Answer
			if _, err := c.ask(t.Context(), askBegin, sayBegun, q); !errors.As(err, &no) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var no *Answer
		if _, err := c.ask(t.Context(), askFinish, sayState, finish{SHA256: strings.Repeat("0", 64)}); !errors.As(err, &no) {
			t.Errorf("finish of what is not here: %v", err)
		}
	})
}

// noise spoils what passes: flips, drops and doubles bytes, and says things of its own.
type noise struct {
	io.ReadWriteCloser
	mu  sync.Mutex // guards r
	r   *rand.Rand
	per int // bytes a fault
}

func (n *noise) spoil(p []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []byte
	for _, b := range p {
		if n.r.IntN(n.per) > 0 {
			out = append(out, b)
			continue
		}
		switch n.r.IntN(4) {
		case 0:
			out = append(out, b^byte(1<<n.r.IntN(8)))
		case 1:
			out = append(out, b, b)
		case 2:
			out = append(out, "login: \xA5\x5A\xA5"...)
		}
	}
	return out
}

func (n *noise) Write(p []byte) (int, error) {
	if _, err := n.ReadWriteCloser.Write(n.spoil(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (n *noise) Read(p []byte) (int, error) {
	got, err := n.ReadWriteCloser.Read(p[:(len(p)+15)/16])
	return copy(p, n.spoil(p[:got])), err
}

func TestNoise(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			b := &bench{verdict: State{Code: "applied"}, logs: strings.Repeat("0123456789\n", 2000)}
			s := NewServer(t.TempDir(), b)
			defer s.Close()
			c := connect(t, s, func(l io.ReadWriteCloser) io.ReadWriteCloser {
				return &noise{ReadWriteCloser: l, r: rand.New(rand.NewPCG(seed, 7)), per: 3000}
			})
			file := randomBytes(200_000)
			if st, err := send(t, c, file); err != nil || st.Code != "applied" {
				t.Fatalf("seed %d: %+v, %v", seed, st, err)
			}
			if got := b.got(); len(got) != 1 || !bytes.Equal(got[0], file) {
				t.Fatalf("seed %d: %d files applied", seed, len(got))
			}
			if got, err := c.Text(t.Context(), "logs"); err != nil || got != b.logs {
				t.Errorf("seed %d: the log came as %d bytes, %v", seed, len(got), err)
			}
		})
	}
}

// cut ends a line after some bytes.
type cut struct {
	io.ReadWriteCloser
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		c.Close()
		return 0, io.ErrClosedPipe
	}
	return c.ReadWriteCloser.Write(p)
}

// The cable comes off again and again; each time the file goes on where it was.
func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{verdict: State{Code: "applied"}}
		s := NewServer(t.TempDir(), b)
		defer s.Close()
		file := randomBytes(200_000)
		one := transfer(t, file, false)
		var starts []int64
		for attempt := 0; ; attempt++ {
			if attempt == 40 {
				t.Fatal("forty cables were not enough")
			}
			c := connect(t, s, func(l io.ReadWriteCloser) io.ReadWriteCloser { return &cut{l, 30_000 + attempt*100} })
			first := true
			err := c.Send(t.Context(), one, func(have, _ int64) {
				if first {
					starts = append(starts, have)
					first = false
				}
			})
			if err == nil {
				_, err = c.Finish(t.Context(), one, func() {})
			}
			if err == nil {
				break
			}
			c.Close()
		}
		if got := b.got(); len(got) != 1 || !bytes.Equal(got[0], file) {
			t.Fatalf("%d files applied", len(got))
		}
		for i := 1; i < len(starts); i++ {
			if starts[i] < starts[i-1] || starts[i] == 0 {
				t.Errorf("began at %v", starts)
				break
			}
		}
		if len(starts) < 5 {
			t.Errorf("began at %v; the cable was cut less often than thought", starts)
		}
	})
}

// A half file that is no longer the beginning of this one is noticed at its end, and comes whole the next time.
func TestOtherBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{verdict: State{Code: "applied"}}
		s := NewServer(t.TempDir(), b)
		defer s.Close()
		file := randomBytes(9000)
		sum := sha256.Sum256(file)
		part := filepath.Join(s.dir, hex.EncodeToString(sum[:])[:16]+".part")
		if err := os.WriteFile(part, []byte("not its beginning"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, "0000000000000000.part"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c := connect(t, s, nil)
		var no *Answer
		if _, err := send(t, c, file); !errors.As(err, &no) || !strings.Contains(err.Error(), "damaged on the way") {
			t.Fatalf("a file with another beginning: %v", err)
		}
		if st, err := send(t, c, file); err != nil || st.Code != "applied" {
			t.Fatalf("the next time: %+v, %v", st, err)
		}
		if left, err := filepath.Glob(filepath.Join(s.dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		laptop, nobody := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, nobody) }()
		c := NewClient(laptop)
		defer c.Close()
		if _, err := c.Hello(t.Context()); !errors.Is(err, ErrSilent) {
			t.Errorf("Hello to nobody = %v", err)
		}
		nobody.Close()
	})
}

// wire carries bytes at the rate of a serial line, each way, through a buffer as the system has one.
type wire struct {
	net.Conn
	out  chan byte
	done chan struct{}
	rate int // bytes a second
}

func newWire(far net.Conn, baud int) *wire {
	w := &wire{Conn: far, out: make(chan byte, 4096), done: make(chan struct{}), rate: baud / 10} // 8N1: ten bits a byte
	go w.carry()
	return w
}

// carry moves a packet as long as the line would take for it.
func (w *wire) carry() {
	buf := make([]byte, 0, 64)
	for {
		select {
		case b := <-w.out:
			buf = append(buf[:0], b)
		case <-w.done:
			return
		}
		for len(buf) < cap(buf) && len(w.out) > 0 {
			buf = append(buf, <-w.out)
		}
		time.Sleep(time.Duration(len(buf)) * time.Second / time.Duration(w.rate))
		if _, err := w.Conn.Write(buf); err != nil {
			return
		}
	}
}

func (w *wire) Write(p []byte) (int, error) {
	for _, b := range p {
		select {
		case w.out <- b:
		case <-w.done:
			return 0, io.ErrClosedPipe
		}
	}
	return len(p), nil
}

func (w *wire) Close() error {
	select {
	case <-w.done:
	default:
		close(w.done)
	}
	return w.Conn.Close()
}

// At 115200 and 921600 baud a file takes at most a tenth longer than its bytes on the line. Time is the bubble's.
func TestLineRate(t *testing.T) {
	for _, baud := range []int{115200, 921600} {
		synctest.Test(t, func(t *testing.T) {
			b := &bench{verdict: State{Code: "applied"}}
			s := NewServer(t.TempDir(), b)
			defer s.Close()
			near, far := net.Pipe()
			ctx, cancel := context.WithCancel(t.Context())
			box := newWire(far, baud)
			done := make(chan struct{})
			go func() { defer close(done); _ = s.Serve(ctx, box) }()
			c := NewClient(newWire(near, baud))
			defer func() { c.Close(); box.Close(); cancel(); <-done }()
			file := randomBytes(baud) // ten seconds of line
			began := time.Now()
			if err := c.Send(t.Context(), transfer(t, file, false), func(int64, int64) {}); err != nil {
				t.Fatal(err)
			}
			took, line := time.Since(began), 10*time.Second
			t.Logf("%d baud: %d bytes in %s, %.1f %% over the line's own time", baud, len(file), took.Round(time.Millisecond), 100*(took.Seconds()/line.Seconds()-1))
			if took > line*11/10 {
				t.Errorf("%d baud: %s for %s of line", baud, took, line)
			}
		})
	}
}

// pty makes a pseudo-terminal: the box's end, and the laptop's, opened as a serial line is.
func pty(t *testing.T) (box *os.File, laptop io.ReadWriteCloser) {
	t.Helper()
	box, err := os.OpenFile("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { box.Close() })
	raw, err := box.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var inner error
	if err := raw.Control(func(fd uintptr) {
		if inner = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); inner == nil {
			n, inner = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || inner != nil {
		t.Fatal(err, inner)
	}
	if laptop, err = Open(t.Context(), fmt.Sprintf("/dev/pts/%d", n), DefaultBaud); err != nil {
		t.Fatal(err)
	}
	return box, laptop
}

// Over a real pseudo-terminal, opened as a serial line is: the cable comes off in the middle and in again.
func TestPseudoTerminal(t *testing.T) {
	b := &bench{verdict: State{Code: "applied"}, logs: "a log\n"}
	s := NewServer(t.TempDir(), b)
	defer s.Close()
	file := randomBytes(400_000)
	one := transfer(t, file, false)
	for attempt := range 3 {
		master, line := pty(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = s.Serve(ctx, master) }()
		c := NewClient(line)
		pulled := false
		err := c.Send(t.Context(), one, func(have, _ int64) {
			if attempt < 2 && !pulled && have > int64(100_000*(attempt+1)) {
				pulled = true
				master.Close()
			}
		})
		if attempt < 2 && err == nil {
			t.Error("a cable that came off was not noticed")
		}
		if attempt == 2 {
			if err != nil {
				t.Fatal(err)
			}
			if st, err := c.Finish(t.Context(), one, func() {}); err != nil || st.Code != "applied" {
				t.Errorf("Finish = %+v, %v", st, err)
			}
			if got, err := c.Text(t.Context(), "logs"); err != nil || got != "a log\n" {
				t.Errorf("Text = %q, %v", got, err)
			}
		}
		cancel()
		c.Close()
		<-done
	}
	if got := b.got(); len(got) != 1 || !bytes.Equal(got[0], file) {
		t.Errorf("%d files applied", len(got))
	}
}
