package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"aboyeur/protocol/ifc"
)

// pty makes a pseudo-terminal: the device's end, and the path of ours.
func pty(t *testing.T) (*os.File, string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	n := 0
	control(t, master, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	return master, fmt.Sprintf("/dev/pts/%d", n)
}

func control(t *testing.T, f *os.File, do func(fd int) error) {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil || inner != nil {
		t.Fatal(err, inner)
	}
}

// openPTY opens our end of a new pseudo-terminal.
func openPTY(t *testing.T, settings string, o Options) (*serialPort, *os.File) {
	t.Helper()
	master, path := pty(t)
	return openLine(t, path, settings, o), master
}

func openLine(t *testing.T, path, settings string, o Options) *serialPort {
	t.Helper()
	a, err := Parse("serial:" + path + settings)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), a, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p.(*serialPort)
}

// drink reads n bytes at the device's end.
func drink(t *testing.T, master *os.File, n int) []byte {
	t.Helper()
	got := make([]byte, n)
	if err := master.SetReadDeadline(time.Now().Add(enough)); err != nil {
		t.Fatal(err)
	}
	k, err := io.ReadFull(master, got)
	if err != nil {
		t.Errorf("the device has %d of %d bytes: %v", k, n, err)
	}
	return got[:k]
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)
	}
	return b
}

func TestSerialSuite(t *testing.T) {
	for _, settings := range []string{"", "?baud=115200&flow=rtscts", "?baud=1200&parity=even&data=7&stop=2"} {
		t.Run(settings, func(t *testing.T) {
			runPortSuite(t, func(t *testing.T) bench {
				p, master := openPTY(t, settings, Options{})
				return bench{Port: p, taken: func(n int) []byte { return drink(t, master, n) }, say: func(b []byte) {
					if _, err := master.Write(b); err != nil {
						t.Error(err)
					}
				}}
			})
		})
	}
}

// Every byte passes as it is, both ways: no echo, no line ends turned, no characters that mean something.
func TestSerialIsTransparent(t *testing.T) {
	p, master := openPTY(t, "", Options{})
	all := pattern(256)
	if _, err := p.Write(all); err != nil {
		t.Fatal(err)
	}
	if got := drink(t, master, len(all)); !bytes.Equal(got, all) {
		t.Errorf("the device has %q", got)
	}
	if _, err := master.Write(all); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(all))
	if n, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("Read = %q, %v", got[:n], err)
	}
	master.SetReadDeadline(time.Now().Add(-time.Second))
	if n, _ := master.Read(got); n != 0 {
		t.Errorf("echo: %q", got[:n])
	}
}

func TestSerialSettings(t *testing.T) {
	for _, tt := range []struct {
		settings     string
		speed        uint32
		cflag, iflag uint32 // that must be set
		noC, noI     uint32 // that must not
	}{
		{"", unix.B9600, unix.CS8 | unix.CREAD | unix.CLOCAL, 0, unix.CRTSCTS | unix.CSTOPB, unix.IXON | unix.INPCK | unix.ICRNL},
		{"?baud=19200&flow=rtscts", unix.B19200, unix.CRTSCTS, 0, unix.CSTOPB, unix.IXON},
		{"?baud=230400&flow=xonxoff&stop=2", unix.B230400, unix.CSTOPB, unix.IXON, unix.CRTSCTS, unix.INPCK},
		{"?baud=1200&parity=odd", unix.B1200, unix.PARODD, unix.INPCK | unix.IGNPAR, unix.CRTSCTS, unix.IXON},
		{"?parity=even", unix.B9600, 0, unix.INPCK, unix.PARODD, unix.IXON},
	} {
		t.Run(tt.settings, func(t *testing.T) {
			p, _ := openPTY(t, tt.settings, Options{})
			s, err := p.termios()
			if err != nil {
				t.Fatal(err)
			}
			if s.Cflag&unix.CBAUD != tt.speed || s.Cflag&tt.cflag != tt.cflag || s.Iflag&tt.iflag != tt.iflag || s.Cflag&tt.noC != 0 || s.Iflag&tt.noI != 0 {
				t.Errorf("cflag %#o, iflag %#o", s.Cflag, s.Iflag)
			}
			if s.Lflag != 0 || s.Oflag != 0 {
				t.Errorf("lflag %#o, oflag %#o: the line is not raw", s.Lflag, s.Oflag)
			}
		})
	}
}

// A device that reads nothing stalls the write, which says how far it came; the rest goes on from there.
func TestSerialWriteTellsHowFarItCame(t *testing.T) {
	p, master := openPTY(t, "", Options{WriteTimeout: 50 * time.Millisecond})
	b := pattern(1 << 20)
	n, err := p.Write(b)
	if n == 0 || n == len(b) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write to a device that reads nothing = %d, %v", n, err)
	}
	if again, err := p.Write(b[n:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a second Write = %d, %v", again, err)
	} else {
		n += again
	}
	rest := make(chan error, 1)
	go func() {
		p.SetWriteDeadline(time.Now().Add(enough))
		k, err := p.Write(b[n:])
		if k != len(b)-n {
			err = fmt.Errorf("%d of %d bytes: %w", k, len(b)-n, err)
		}
		rest <- err
	}()
	if got := drink(t, master, len(b)); !bytes.Equal(got, b) {
		t.Error("the device has other bytes than those written")
	}
	if err := <-rest; err != nil {
		t.Errorf("Write of the rest: %v", err)
	}
}

func TestSerialXOFF(t *testing.T) {
	p, master := openPTY(t, "?flow=xonxoff", Options{})
	if _, err := master.Write([]byte{xoff}); err != nil {
		t.Fatal(err)
	}
	held := func() bool {
		p.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := p.Write([]byte("x"))
		return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
	}
	poll(t, "a write that is held", held)
	// It is not held because the line is full: the device reads it empty.
	for b := make([]byte, 1<<16); ; {
		master.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if n, err := master.Read(b); n == 0 || err != nil {
			break
		}
	}
	if !held() {
		t.Error("the device said XOFF and gets more")
	}
	if _, err := master.Write([]byte{xon}); err != nil {
		t.Fatal(err)
	}
	p.SetWriteDeadline(time.Now().Add(enough))
	if _, err := p.Write([]byte("on")); err != nil {
		t.Errorf("Write after XON = %v", err)
	}
}

// poll waits for a condition.
func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(enough); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// The line is cut while a write waits: it ends with what was taken, and so does the read beside it.
func TestSerialCutInAWrite(t *testing.T) {
	p, master := openPTY(t, "", Options{WriteTimeout: enough})
	read := make(chan error, 1)
	go func() {
		_, err := p.Read(make([]byte, 1))
		read <- err
	}()
	type result struct {
		n   int
		err error
	}
	wrote := make(chan result, 1)
	b := pattern(1 << 20)
	go func() {
		n, err := p.Write(b)
		wrote <- result{n, err}
	}()
	got := drink(t, master, 100) // the write is under way
	if !bytes.Equal(got, b[:100]) {
		t.Error("the device has other bytes than those written")
	}
	master.Close()
	if r := <-wrote; r.n < 100 || r.n == len(b) || !errors.Is(r.err, ErrUnplugged) {
		t.Errorf("Write = %d, %v, want %v", r.n, r.err, ErrUnplugged)
	}
	if err := <-read; !errors.Is(err, ErrUnplugged) {
		t.Errorf("Read = %v, want %v", err, ErrUnplugged)
	}
	if n, err := p.Write(b); n != 0 || !errors.Is(err, ErrUnplugged) {
		t.Errorf("Write after it = %d, %v", n, err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// What the device said before the cut is still read.
func TestSerialLastWords(t *testing.T) {
	p, master := openPTY(t, "", Options{})
	if _, err := master.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if n, err := p.Read(got[:2]); n != 2 || err != nil {
		t.Fatalf("Read = %d, %v", n, err)
	}
	master.Close()
	if n, err := p.Read(got[2:]); err != nil || string(got) != "last" {
		t.Logf("Read = %d, %v: this kernel drops what was not read", n, err)
	}
	if _, err := p.Read(got); !errors.Is(err, ErrUnplugged) {
		t.Errorf("Read = %v, want %v", err, ErrUnplugged)
	}
}

// An adapter that is pulled out hangs its line up: tarm alone reads that as silence, for ever (0, io.EOF).
func TestSerialHangUp(t *testing.T) {
	p, _ := openPTY(t, "", Options{})
	hangUp := func() error {
		return p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCVHANGUP, 0) })
	}
	read := make(chan error, 1)
	go func() {
		_, err := p.Read(make([]byte, 1))
		read <- err
	}()
	if err := hangUp(); errors.Is(err, unix.EPERM) {
		p.Close()
		<-read
		t.Skip("only root may hang a line up")
	} else if err != nil {
		t.Fatal(err)
	}
	if n, err := p.line.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("tarm reads %d, %v; the reason for the second descriptor has changed", n, err)
	}
	if err := <-read; !errors.Is(err, ErrUnplugged) {
		t.Errorf("Read = %v, want %v", err, ErrUnplugged)
	}
	if n, err := p.Write([]byte("x")); n != 0 || !errors.Is(err, ErrUnplugged) {
		t.Errorf("Write = %d, %v, want %v", n, err, ErrUnplugged)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// Close ends a write that the device holds up, in a bounded time.
func TestSerialCloseEndsAWrite(t *testing.T) {
	p, master := openPTY(t, "", Options{WriteTimeout: time.Hour})
	wrote := make(chan error, 1)
	go func() {
		_, err := p.Write(make([]byte, 1<<20))
		wrote <- err
	}()
	drink(t, master, 1)
	if err := p.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if err := <-wrote; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write = %v, want %v", err, os.ErrClosed)
	}
	if err := p.Close(); err != nil {
		t.Errorf("a second Close = %v", err)
	}
	for what, err := range map[string]error{
		"SetReadDeadline": p.SetReadDeadline(time.Time{}), "SetWriteDeadline": p.SetWriteDeadline(time.Time{}),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close = %v", what, err)
		}
	}
}

func TestSerialOneOwner(t *testing.T) {
	p, _ := openPTY(t, "", Options{}) // others than root are kept out too: TestSerialGivesTheLineBack
	_, err := Open(t.Context(), p.a, Options{})
	if err == nil || !strings.Contains(err.Error(), "another program has the line, fuser -v "+p.a.Path+" tells which: stop it") {
		t.Errorf("a second Open = %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), p.a, Options{})
	if err != nil {
		t.Fatalf("Open after Close = %v", err)
	}
	again.Close()
}

// A line that is closed stays free for others although a third program holds it open.
func TestSerialGivesTheLineBack(t *testing.T) {
	master, path := pty(t)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	third, err := os.OpenFile(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	p := openLine(t, path, "", Options{})
	asNobody(t, func() {
		if f, err := os.OpenFile(path, unix.O_RDWR|unix.O_NOCTTY, 0); err == nil {
			f.Close()
			t.Error("another user opens the line")
		} else if !errors.Is(err, unix.EBUSY) {
			t.Errorf("another user: %v", err)
		}
	})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		f, err := os.OpenFile(path, unix.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			t.Errorf("after Close: %v", err)
			return
		}
		f.Close()
	})
	master.Close()
}

// asNobody runs do on a thread of its own that has lost root's rights.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		const nobody = 65534
		var err error
		if os.Geteuid() == 0 {
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
				err = errno
			}
		}
		if err == nil {
			do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skip("cannot be nobody: ", err)
	}
}

func TestSerialOpenErrors(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, line := pty(t)
	for _, tt := range []struct{ in, want string }{
		{dir + "/ttyUSB7", "no such file or directory; plug the adapter in, or write the name that ls /dev/serial/by-id shows"},
		{"/dev/null", "inappropriate ioctl for device; it is not a serial line, write the device of the adapter, as in serial:/dev/ttyUSB0"},
		{plain, "it is not a serial line"},
		{dir, "it is not a serial line"},
		{line + "?flow=dsr", "the adapter does not tell DSR; use flow=rtscts with a cable"},
	} {
		a, err := Parse("serial:" + tt.in)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Open(t.Context(), a, Options{})
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), "open "+a.String()+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Open(%s) = %v, want it to hold %q", a, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Address{Scheme: Serial, Path: line, Baud: 9600, Data: 8, Stop: 1}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open after cancel = %v", err)
	}
}

func TestSerialPermission(t *testing.T) {
	_, path := pty(t)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	want := "permission denied; let the service's user into the device's group (usermod -aG " + deviceGroup(path) + " USER) and start the service again"
	asNobody(t, func() {
		p, err := Open(context.Background(), Address{Scheme: Serial, Path: path, Baud: 9600, Data: 8, Parity: ParityNone, Stop: 1, Flow: FlowNone}, Options{})
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, os.ErrPermission) {
			t.Errorf("Open = %v, want %q", err, want)
		}
	})
}

// The remedies for errors that a pseudo-terminal cannot have.
func TestSerialRemedies(t *testing.T) {
	p := &serialPort{a: Address{Scheme: Serial, Path: "/dev/ttyS1"}}
	for err, want := range map[error]string{
		unix.EIO:   "there is no line behind this name",
		unix.EBUSY: "another program has the line",
		unix.ENXIO: "plug the adapter in",
	} {
		if got := p.remedy(err); !errors.Is(got, err) || !strings.Contains(got.Error(), want) {
			t.Errorf("remedy(%v) = %v, want %q", err, got, want)
		}
	}
	if got := deviceGroup("/no/such/device"); got != "dialout" {
		t.Errorf("group of nothing = %s", got)
	}
}

// With flow=dsr bytes leave a little at a time while the device says that it takes them. Pseudo-terminals have no DSR, so
// the test plays it.
func TestSerialDSR(t *testing.T) {
	p, master := openPTY(t, "", Options{WriteTimeout: enough})
	var takes atomic.Bool
	takes.Store(true)
	asked := 0
	p.dsr = func() (bool, error) { asked++; return takes.Load(), nil }
	b := pattern(1000)
	if n, err := p.Write(b); n != len(b) || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if got := drink(t, master, len(b)); !bytes.Equal(got, b) {
		t.Error("the device has other bytes than those written")
	}
	if asked < len(b)/dsrChunk {
		t.Errorf("DSR was asked %d times for %d bytes", asked, len(b))
	}
	takes.Store(false)
	p.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := p.Write(b); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write while the device takes nothing = %d, %v", n, err)
	}
	p.SetWriteDeadline(time.Time{})
	p.dsr = func() (bool, error) { return false, unix.EIO }
	if n, err := p.Write(b); n != 0 || !errors.Is(err, ErrUnplugged) {
		t.Errorf("Write after the end = %d, %v", n, err)
	}
	held := make(chan struct{})
	first := true
	p.dsr = func() (bool, error) {
		if first {
			close(held)
		}
		first = false
		return false, nil
	}
	p.SetWriteDeadline(time.Now().Add(enough))
	wrote := make(chan error, 1)
	go func() {
		_, err := p.Write(b)
		wrote <- err
	}()
	<-held
	p.Close()
	if err := <-wrote; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write ended by Close = %v", err)
	}
}

func TestSerialUnsent(t *testing.T) {
	p, _ := openPTY(t, "", Options{})
	var b Buffered = p
	if n, err := b.Unsent(); n != 0 || err != nil {
		t.Errorf("Unsent = %d, %v", n, err)
	}
	p.Close()
	if _, err := b.Unsent(); err == nil {
		t.Error("Unsent after Close has no error")
	}
}

// How long Close waits for bytes that are not on the wire yet. A pseudo-terminal never has any.
func TestSerialDrain(t *testing.T) {
	falling := func(n, step int) func() (int, error) {
		return func() (int, error) { n = max(0, n-step); return n, nil }
	}
	for _, tt := range []struct {
		name     string
		unsent   func() (int, error)
		left     int
		min, max time.Duration
	}{
		{"nothing", falling(0, 1), 0, 0, 0},
		{"a ticket at 9600 baud", falling(1000, 5), 0, 900 * time.Millisecond, 1100 * time.Millisecond},
		{"a device that takes nothing", falling(1000, 0), 1000, drainStall, drainStall + 2*drainTick},
		{"a device that takes too long", falling(1<<20, 1), 1<<20 - 1002, drainMax, drainMax + 2*drainTick},
		{"a line that is gone", func() (int, error) { return 7, unix.EIO }, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				left := drain(tt.unsent)
				if took := time.Since(began); left != tt.left || took < tt.min || took > tt.max {
					t.Errorf("drain = %d after %v, want %d after %v to %v", left, took, tt.left, tt.min, tt.max)
				}
			})
		})
	}
}

// Records of the hotel's interface pass over a real line discipline, whatever byte their LRC is; a cut in the middle of one
// is uncertain, and the line opened anew carries the next.
func TestSerialCarriesRecords(t *testing.T) {
	open := func() (ours, theirs *ifc.Line, cut func()) {
		p, master := openPTY(t, "?baud=9600", Options{})
		ours, theirs = ifc.NewSerial(p, ifc.Options{}), ifc.NewSerial(master, ifc.Options{})
		t.Cleanup(func() { theirs.Close(); ours.Close() })
		return ours, theirs, func() { master.Close() }
	}
	pass := func(from, to *ifc.Line, record string) {
		t.Helper()
		got := make(chan string, 1)
		ctx, cancel := context.WithTimeout(t.Context(), enough)
		defer cancel()
		go func() {
			b, err := to.Receive(ctx)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- string(b)
		}()
		if err := from.Send(ctx, []byte(record)); err != nil {
			t.Fatalf("Send(%q) = %v", record, err)
		}
		if s := <-got; s != record {
			t.Fatalf("got %q, want %q", s, record)
		}
	}
	ours, theirs, cut := open()
	for n := range 256 {
		// A byte in front makes the LRC run through all values a record of printable bytes can have, those of the link among them.
		pass(ours, theirs, string([]byte{byte(0x20 + n%0x5F)})+fmt.Sprintf("R|RN2781|P#%d|", n))
		pass(theirs, ours, fmt.Sprintf("PA|ASOK|P#%d|", n))
	}
	sent := make(chan error, 1)
	go func() { sent <- ours.Send(t.Context(), bytes.Repeat([]byte("x"), 60_000)) }()
	cut()
	if err := <-sent; !errors.Is(err, ifc.ErrUncertain) && !errors.Is(err, ifc.ErrNotSent) {
		t.Errorf("Send over a line that was cut = %v", err)
	}
	if _, err := ours.Receive(t.Context()); err == nil {
		t.Error("Receive from a line that was cut has no error")
	}
	ours, theirs, _ = open()
	pass(ours, theirs, "LS|DA260821|TI190405|")
}
