package port

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enough bounds waits for things that must happen.
const enough = time.Minute

// A bench is an open port and the device's end of it.
type bench struct {
	Port
	// taken waits until the device has n bytes and returns all it has.
	taken func(n int) []byte
	// say makes the device speak; nil when it cannot.
	say func(b []byte)
}

// runPortSuite holds what every Port promises.
func runPortSuite(t *testing.T, open func(t *testing.T) bench) {
	t.Run("bytes arrive in order", func(t *testing.T) {
		b := open(t)
		var want []byte
		for _, s := range []string{"one ", "", "two ", strings.Repeat("x", 5000)} {
			n, err := b.Write([]byte(s))
			if n != len(s) || err != nil {
				t.Fatalf("Write of %d bytes = %d, %v", len(s), n, err)
			}
			want = append(want, s...)
		}
		if got := b.taken(len(want)); !bytes.Equal(got, want) {
			t.Errorf("the device has %d bytes that differ from the %d written", len(got), len(want))
		}
	})
	t.Run("answers come back", func(t *testing.T) {
		b := open(t)
		if b.OneWay() != (b.say == nil) {
			t.Errorf("OneWay = %v", b.OneWay())
		}
		if b.say == nil {
			t.Skip("one way")
		}
		b.say([]byte("\x12\x16"))
		got := make([]byte, 2)
		if _, err := io.ReadFull(b, got); err != nil || string(got) != "\x12\x16" {
			t.Errorf("Read = %q, %v", got, err)
		}
	})
	t.Run("a passed deadline ends a read", func(t *testing.T) {
		b := open(t)
		if err := b.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read = %d, %v, want %v", n, err, os.ErrDeadlineExceeded)
		}
	})
	t.Run("a deadline set during a read ends it", func(t *testing.T) {
		b := open(t)
		got := make(chan error, 1)
		go func() {
			_, err := b.Read(make([]byte, 1))
			got <- err
		}()
		if err := b.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read = %v, want %v", err, os.ErrDeadlineExceeded)
		}
		if err := b.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := b.SetWriteDeadline(time.Now().Add(enough)); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Write([]byte("still open")); n != 10 || err != nil {
			t.Errorf("Write after it = %d, %v", n, err)
		}
	})
	t.Run("close ends a read", func(t *testing.T) {
		b := open(t)
		got := make(chan error, 1)
		go func() {
			_, err := b.Read(make([]byte, 1))
			got <- err
		}()
		if err := b.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := <-got; err == nil {
			t.Error("Read after Close has no error")
		}
		if n, err := b.Write([]byte("x")); n != 0 || err == nil {
			t.Errorf("Write after Close = %d, %v", n, err)
		}
	})
}

func TestTCPSuite(t *testing.T) {
	runPortSuite(t, func(t *testing.T) bench {
		p, peer := dial(t, Options{})
		return bench{Port: p, say: func(b []byte) {
			if _, err := peer.Write(b); err != nil {
				t.Error(err)
			}
		}, taken: func(n int) []byte {
			got := make([]byte, n)
			peer.SetReadDeadline(time.Now().Add(enough))
			k, _ := io.ReadFull(peer, got)
			return got[:k]
		}}
	})
}

func TestFileSuite(t *testing.T) {
	runPortSuite(t, func(t *testing.T) bench {
		path := filepath.Join(t.TempDir(), "ticket.bin")
		p, err := Open(t.Context(), Address{Scheme: File, Path: path}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return bench{Port: p, taken: func(int) []byte {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			return b
		}}
	})
}

// dial opens a tcp port to a peer of the test.
func dial(t *testing.T, o Options) (Port, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := Parse("tcp:" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), a, o)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	// The peer first: then the port's Close need not wait for it.
	t.Cleanup(func() { peer.Close(); p.Close() })
	return p, peer.(*net.TCPConn)
}

func TestFileAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ticket.bin")
	for range 2 {
		p, err := Open(t.Context(), Address{Scheme: File, Path: path}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte("ticket\n")); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "ticket\nticket\n" {
		t.Errorf("file holds %q, %v", b, err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.3.2.1:0") // nobody else is given that port when it is free again
	if err != nil {
		t.Fatal(err)
	}
	refused := "tcp:" + l.Addr().String()
	l.Close()
	for _, tt := range []struct{ in, want string }{
		{"usb:dead:dead", "it is not plugged in, or not switched on"},
		{"file:" + dir + "/missing/ticket.bin", "create its folder first"},
		{"file:" + fifo, "no such device or address"},
		{refused, "connection refused"},
	} {
		a, err := Parse(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Open(t.Context(), a, Options{DialTimeout: enough})
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), "open "+a.String()+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Open(%s) = %v, want it to hold %q", a, err, tt.want)
		}
	}
	if _, err := Open(t.Context(), Address{}, Options{}); err == nil {
		t.Error("Open of nothing has no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Address{Scheme: TCP, Host: "127.0.0.1", Port: 9}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open after cancel = %v", err)
	}
}

// A printer that says something as we leave must see an end, not a reset.
func TestTCPCloseIsNoReset(t *testing.T) {
	p, peer := dial(t, Options{})
	if _, err := peer.Write([]byte("\x10\x00\x00\x0F")); err != nil { // never read by us
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	peer.SetReadDeadline(time.Now().Add(enough))
	if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the peer reads %d, %v, want the end", n, err)
	}
	peer.Close()
	if err := <-closed; err != nil {
		t.Errorf("Close = %v", err)
	}
}

func TestTCPCloseDoesNotWaitForAChatterbox(t *testing.T) {
	p, peer := dial(t, Options{})
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for {
			if _, err := peer.Write(make([]byte, 512)); err != nil {
				return
			}
		}
	}()
	p.Close()
	<-stop
}

func TestTCPWriteTellsHowFarItCame(t *testing.T) {
	p, peer := dial(t, Options{WriteTimeout: 100 * time.Millisecond})
	b := make([]byte, 16<<20)
	for i := range b {
		b[i] = byte(i >> 8)
	}
	n, err := p.Write(b)
	if n == 0 || n == len(b) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write into a stuck peer = %d, %v", n, err)
	}
	rest := make(chan error, 1)
	go func() {
		p.SetWriteDeadline(time.Now().Add(enough))
		_, err := p.Write(b[n:])
		rest <- err
	}()
	got := make([]byte, len(b))
	peer.SetReadDeadline(time.Now().Add(enough))
	if k, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, b) {
		t.Errorf("the peer has %d bytes, %v, not those written", k, err)
	}
	if err := <-rest; err != nil {
		t.Errorf("Write of the rest = %v", err)
	}
}

// The kernel gives up a peer that answers but does not read after TCP_USER_TIMEOUT; a patient port does not.
func TestTCPPatience(t *testing.T) {
	o := Options{UserTimeout: 300 * time.Millisecond, WriteTimeout: 50 * time.Millisecond}
	impatient, _ := dial(t, o)
	patient, peer := dial(t, o)
	if err := patient.(Patient).SetPatient(true); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16<<20)
	n, err := patient.Write(b)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if _, err := impatient.Write(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write = %v", err)
	}
	impatient.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := impatient.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Skip("this kernel does not count a closed window against TCP_USER_TIMEOUT")
	}
	if d := patient.(Patient).Unheard(); d != 0 {
		t.Errorf("Unheard = %v of a peer that answers", d)
	}
	patient.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := patient.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read = %v, want the link alive", err)
	}
	go io.Copy(io.Discard, peer)
	patient.SetWriteDeadline(time.Now().Add(enough))
	if _, err := patient.Write(b[n:]); err != nil {
		t.Errorf("Write once the peer reads again = %v", err)
	}
}
