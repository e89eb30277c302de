package port

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fakeUSB is a printer at the boundary to libusb. A test drives its pipes by hand.
type fakeUSB struct {
	config     int
	all        []usbInterface
	claimErr   error
	controlErr error
	answers    map[[2]byte][]byte // kind and request -> answer
	resetErr   error

	mu       sync.Mutex
	bell     chan struct{}
	taken    []byte
	nak      bool // the printer takes no transfer
	takes    int  // bytes it takes of a transfer before it stops; -1: all
	lie      int  // what a cancelled transfer claims to have sent
	writeErr error
	readErr  error
	short    bool
	packets  [][]byte // answers; an empty one is an empty packet

	writes, cancels, resets, closes, releases int
	asked                                     [][]byte
}

var twoWays = usbInterface{class: classPrinter, sub: 1, protocol: protocolTwoWays, out: 1, in: 2, packet: 64}

func newFakeUSB() *fakeUSB {
	return &fakeUSB{config: 1, all: []usbInterface{twoWays}, takes: -1, bell: make(chan struct{}), answers: map[[2]byte][]byte{}}
}

// change changes the printer and wakes its pipes.
func (f *fakeUSB) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	close(f.bell)
	f.bell = make(chan struct{})
}

func (f *fakeUSB) look(do func() int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return do()
}

func (f *fakeUSB) open(bus, address int) (usbDevice, error)  { return f, nil }
func (f *fakeUSB) interfaces() (int, []usbInterface, error)  { return f.config, f.all, nil }
func (f *fakeUSB) claim(int, usbInterface) (usbPipes, error) { return f, f.claimErr }
func (f *fakeUSB) reset() error                              { f.change(func() { f.resets++ }); return f.resetErr }
func (f *fakeUSB) close() error                              { f.change(func() { f.closes++ }); return nil }
func (f *fakeUSB) release() error                            { f.change(func() { f.releases++ }); return nil }
func (f *fakeUSB) control(kind, request byte, value, index uint16, data []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, []byte{kind, request, byte(value), byte(index >> 8), byte(index)})
	if f.controlErr != nil {
		return 0, f.controlErr
	}
	answer, ok := f.answers[[2]byte{kind, request}]
	if !ok {
		return 0, errUSBHalted
	}
	return copy(data, answer), nil
}

func (f *fakeUSB) write(ctx context.Context, b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	part := len(b)
	if f.takes >= 0 {
		part = min(f.takes, part)
	}
	f.taken = append(f.taken, b[:part]...)
	for done := part; ; {
		switch {
		case f.writeErr != nil:
			return part, f.writeErr
		case f.short:
			return part, nil
		case !f.nak:
			f.taken = append(f.taken, b[done:]...)
			return len(b), nil
		}
		bell := f.bell
		f.mu.Unlock()
		select {
		case <-bell:
			f.mu.Lock()
		case <-ctx.Done():
			f.mu.Lock()
			f.cancels++
			return f.lie, ctx.Err()
		}
	}
}

func (f *fakeUSB) read(ctx context.Context, b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case len(f.packets) > 0:
			n := copy(b, f.packets[0])
			f.packets = f.packets[1:]
			return n, nil
		case f.readErr != nil:
			return 0, f.readErr
		}
		bell := f.bell
		f.mu.Unlock()
		select {
		case <-bell:
			f.mu.Lock()
		case <-ctx.Done():
			f.mu.Lock()
			return 0, ctx.Err()
		}
	}
}

// openFake opens f.
func openFake(t *testing.T, f *fakeUSB) *usbPort {
	t.Helper()
	p, err := openPipes(f, Options{WriteTimeout: enough})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// soon waits until ok.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(enough); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

func (f *fakeUSB) waitTaken(t *testing.T, n int) []byte {
	t.Helper()
	soon(t, "the printer's bytes", func() bool { return f.look(func() int { return len(f.taken) }) >= n })
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.taken)
}

func TestUSBSuite(t *testing.T) {
	t.Run("two ways", func(t *testing.T) {
		runPortSuite(t, func(t *testing.T) bench {
			f := newFakeUSB()
			return bench{Port: openFake(t, f), taken: func(n int) []byte { return f.waitTaken(t, n) },
				say: func(b []byte) { f.change(func() { f.packets = append(f.packets, b) }) }}
		})
	})
	t.Run("one way", func(t *testing.T) {
		runPortSuite(t, func(t *testing.T) bench {
			f := newFakeUSB()
			f.all = []usbInterface{{class: classPrinter, sub: 1, protocol: protocolOneWay, out: 1}}
			return bench{Port: openFake(t, f), taken: func(n int) []byte { return f.waitTaken(t, n) }}
		})
	})
}

// stuck writes b to a printer that takes no transfer, and ends the time for it once the first transfer is under way.
func stuck(t *testing.T, p *usbPort, f *fakeUSB, b []byte) (n int, err error) {
	t.Helper()
	before := f.look(func() int { return f.writes })
	if err := p.SetWriteDeadline(time.Now().Add(enough)); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		n, err = p.Write(b)
	}()
	soon(t, "the transfer", func() bool { return f.look(func() int { return f.writes }) > before })
	if err := p.SetWriteDeadline(time.Now()); err != nil {
		t.Error(err)
	}
	<-wrote
	return n, err
}

// A printer without paper takes no transfer. It stays under way, and nothing is said twice.
func TestUSBTransferOutlivesItsDeadline(t *testing.T) {
	f := newFakeUSB()
	f.nak, f.takes, f.lie = true, 1000, usbChunk
	p := openFake(t, f)
	ticket := bytes.Repeat([]byte("x"), usbChunk)
	if n, err := stuck(t, p, f, ticket); n != len(ticket) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write to a printer without paper = %d, %v, want %d, %v", n, err, len(ticket), os.ErrDeadlineExceeded)
	}
	for _, b := range [][]byte{[]byte("\x10\x04\x01"), nil} {
		if n, err := p.Write(b); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write of %d bytes behind it = %d, %v, want 0, %v", len(b), n, err, os.ErrDeadlineExceeded)
		}
	}
	f.change(func() { f.nak, f.takes = false, -1 })
	if err := p.SetWriteDeadline(time.Now().Add(enough)); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Write(nil); n != 0 || err != nil {
		t.Errorf("an empty Write = %d, %v, want it to wait for the transfer", n, err)
	}
	if n, err := p.Write([]byte("next")); n != 4 || err != nil {
		t.Errorf("Write after it = %d, %v", n, err)
	}
	if got := f.waitTaken(t, usbChunk+4); string(got) != string(ticket)+"next" {
		t.Errorf("the printer has %d bytes, want %d in order", len(got), usbChunk+4)
	}
	if c := f.look(func() int { return f.cancels }); c != 0 {
		t.Errorf("%d transfers were cancelled", c)
	}
}

func TestUSBLongWriteGoesInTransfers(t *testing.T) {
	f := newFakeUSB()
	p := openFake(t, f)
	long := bytes.Repeat([]byte("0123456789"), 20000)
	if n, err := p.Write(long); n != len(long) || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if !bytes.Equal(f.waitTaken(t, len(long)), long) {
		t.Error("the bytes differ")
	}
	if want := (len(long) + usbChunk - 1) / usbChunk; f.writes != want {
		t.Errorf("%d transfers of %d bytes, want %d", f.writes, len(long), want)
	}
	// Stuck in the middle: what was never given to a transfer is not counted.
	f.change(func() { f.nak = true })
	if n, err := stuck(t, p, f, long); n != usbChunk || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write = %d, %v, want %d, %v", n, err, usbChunk, os.ErrDeadlineExceeded)
	}
}

func TestUSBFaultsOfATransfer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  func(f *fakeUSB)
		n      int
		want   error
		resets int
	}{
		{"unplugged in the middle", func(f *fakeUSB) { f.takes, f.writeErr = 1000, errUSBGone }, usbChunk, ErrUnplugged, 0},
		{"unplugged before it began", func(f *fakeUSB) { f.takes, f.writeErr = 0, errors.Join(errUSBNotSent, errUSBGone) }, 0, ErrUnplugged, 0},
		{"stall", func(f *fakeUSB) { f.takes, f.writeErr = 700, errUSBHalted }, usbChunk, errUSBHalted, 1},
		{"i/o error", func(f *fakeUSB) { f.takes, f.writeErr = 64, io.ErrUnexpectedEOF }, usbChunk, io.ErrUnexpectedEOF, 0},
		{"it ended short", func(f *fakeUSB) { f.takes, f.short = 64, true }, usbChunk, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeUSB()
			tt.fault(f)
			p := openFake(t, f)
			n, err := p.Write(bytes.Repeat([]byte("x"), 1985))
			if n != tt.n || err == nil || tt.want != nil && !errors.Is(err, tt.want) || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Write = %d, %v, want %d, %v", n, err, tt.n, tt.want)
			}
			if n, again := p.Write([]byte("more")); n != 0 || again == nil || again.Error() != err.Error() {
				t.Errorf("Write after it = %d, %v, want 0, %v", n, again, err)
			}
			if _, again := p.Read(make([]byte, 1)); again == nil || again.Error() != err.Error() {
				t.Errorf("Read after it = %v, want %v", again, err)
			}
			if err := p.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
			if f.resets != tt.resets || f.releases != 1 || f.closes != 1 {
				t.Errorf("%d resets, %d releases, %d closes, want %d, 1, 1", f.resets, f.releases, f.closes, tt.resets)
			}
		})
	}
}

// The part of a long write that a transfer took before the device left is counted, the transfer that never began is not.
func TestUSBUnpluggedBetweenTransfers(t *testing.T) {
	f := newFakeUSB()
	f.nak = true
	p := openFake(t, f)
	type result struct {
		n   int
		err error
	}
	got := make(chan result, 1)
	go func() {
		n, err := p.Write(make([]byte, usbChunk+100))
		got <- result{n, err}
	}()
	soon(t, "the first transfer", func() bool { return f.look(func() int { return f.writes }) == 1 })
	f.change(func() { f.nak = false })
	if r := <-got; r.n != usbChunk+100 || r.err != nil {
		t.Fatalf("Write = %d, %v", r.n, r.err)
	}
	f.change(func() { f.writeErr = errors.Join(errUSBNotSent, errUSBGone); f.takes = 0 })
	if n, err := p.Write(make([]byte, 10)); n != 0 || !errors.Is(err, ErrUnplugged) {
		t.Errorf("Write to a device that left = %d, %v, want 0, %v", n, err, ErrUnplugged)
	}
}

func TestUSBCloseCancelsWhatIsUnderWay(t *testing.T) {
	f := newFakeUSB()
	f.nak = true
	p := openFake(t, f)
	got := make(chan error, 1)
	go func() {
		n, err := p.Write(make([]byte, 100))
		if n != 100 {
			t.Errorf("Write = %d, want 100: it may have arrived", n)
		}
		got <- err
	}()
	soon(t, "the transfer", func() bool { return f.look(func() int { return f.writes }) == 1 })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write = %v, want %v", err, os.ErrClosed)
	}
	if f.cancels != 1 || f.resets != 0 || f.closes != 1 {
		t.Errorf("%d cancels, %d resets, %d closes, want 1, 0, 1", f.cancels, f.resets, f.closes)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close again = %v", err)
	}
	if err := p.SetReadDeadline(time.Now()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("SetReadDeadline after Close = %v", err)
	}
}

// Close lets a transfer end that is nearly through.
func TestUSBCloseWaitsAMoment(t *testing.T) {
	f := newFakeUSB()
	f.nak = true
	p := openFake(t, f)
	if n, err := stuck(t, p, f, []byte("last")); n != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write = %d, %v", n, err)
	}
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	soon(t, "closing", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.closed })
	f.change(func() { f.nak = false })
	if err := <-closed; err != nil || string(f.taken) != "last" || f.cancels != 0 {
		t.Errorf("Close = %v; the printer has %q, %d transfers cancelled", err, f.taken, f.cancels)
	}
}

// Status comes while the printer takes no data, in packets of any size and empty ones between.
func TestUSBAnswersWhileStuck(t *testing.T) {
	f := newFakeUSB()
	f.nak = true
	p := openFake(t, f)
	if n, err := stuck(t, p, f, []byte("ticket")); n != 6 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write = %d, %v", n, err)
	}
	want := "\x1c\x00\x0c\x0f" + strings.Repeat("y", 64)
	f.change(func() {
		f.packets = [][]byte{[]byte("\x1c\x00"), {}, []byte("\x0c\x0f"), []byte(strings.Repeat("y", 64))}
		f.readErr = errUSBGone
	})
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p, got); err != nil || string(got) != want {
		t.Errorf("Read = %q, %v", got, err)
	}
	if _, err := p.Read(got); !errors.Is(err, ErrUnplugged) {
		t.Errorf("Read after the last words = %v, want %v", err, ErrUnplugged)
	}
}

// A host that does not read leaves the printer its answers, and memory stays small.
func TestUSBInboxIsBounded(t *testing.T) {
	f := newFakeUSB()
	const all = 200
	for range all {
		f.packets = append(f.packets, bytes.Repeat([]byte("z"), 64))
	}
	p := openFake(t, f)
	left := func() int { return f.look(func() int { return len(f.packets) }) }
	soon(t, "a full inbox", func() bool { return left() == all-usbInbox/64 })
	got := make([]byte, all*64)
	if _, err := io.ReadFull(p, got); err != nil || left() != 0 {
		t.Errorf("read all: %v, %d packets left", err, left())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if cap(p.inbox) > 2*usbInbox {
		t.Errorf("the inbox grew to %d bytes", cap(p.inbox))
	}
}

func TestUSBOpenFaults(t *testing.T) {
	f := newFakeUSB()
	f.all = []usbInterface{{class: 3, out: 1, in: 1}}
	if _, err := openPipes(f, Options{}); !errors.Is(err, errNoPrinter) || f.closes != 1 {
		t.Errorf("openPipes of a keyboard = %v, closed %d times", err, f.closes)
	}
	f = newFakeUSB()
	f.claimErr = errUSBBusy
	if _, err := openPipes(f, Options{}); !errors.Is(err, errUSBBusy) || f.closes != 1 {
		t.Errorf("openPipes of a busy one = %v, closed %d times", err, f.closes)
	}
	f = newFakeUSB()
	f.resetErr, f.writeErr = io.ErrNoProgress, errUSBHalted
	p := openFake(t, f)
	if _, err := p.Write([]byte("x")); err == nil {
		t.Error("Write to a halted pipe has no error")
	}
	if err := p.Close(); !errors.Is(err, io.ErrNoProgress) || f.closes != 1 {
		t.Errorf("Close = %v, closed %d times", err, f.closes)
	}
}

func TestUSBChoose(t *testing.T) {
	oneWay := usbInterface{number: 0, alternate: 0, class: classPrinter, protocol: protocolOneWay, out: 1}
	two := usbInterface{number: 0, alternate: 1, class: classPrinter, protocol: protocolTwoWays, out: 1, in: 2}
	dot4 := usbInterface{number: 0, alternate: 2, class: classPrinter, protocol: 3, out: 1, in: 2}
	vendor := usbInterface{number: 1, class: classVendor, out: 3, in: 4}
	half := usbInterface{number: 2, class: classVendor, out: 3}
	disk := usbInterface{number: 3, class: 8, out: 5, in: 6}
	for _, tt := range []struct {
		all  []usbInterface
		want usbInterface
		ok   bool
	}{
		{[]usbInterface{oneWay, two, dot4}, two, true},
		{[]usbInterface{disk, vendor, oneWay}, oneWay, true},
		{[]usbInterface{disk, half, vendor}, vendor, true},
		{[]usbInterface{half}, half, true},
		{[]usbInterface{disk, dot4}, usbInterface{}, false},
		{nil, usbInterface{}, false},
	} {
		if got, ok := choose(tt.all); got != tt.want || ok != tt.ok {
			t.Errorf("choose(%+v) = %+v, %v, want %+v, %v", tt.all, got, ok, tt.want, tt.ok)
		}
	}
}

func TestUSBRequests(t *testing.T) {
	const id = "MFG:EPSON;CMD:ESC/POS; MDL :TM-T88V;CLS:PRINTER;SN:J5SG004711;"
	f := newFakeUSB()
	f.all[0].number, f.all[0].alternate = 2, 1
	f.answers[[2]byte{0xA1, 0}] = append([]byte{0, byte(len(id) + 2)}, id+"rubbish"...)
	f.answers[[2]byte{0xA1, 1}] = []byte{0x38}
	f.answers[[2]byte{0x23, 2}] = nil
	p := openFake(t, f)
	var _ Peripheral = p
	got, err := p.DeviceID()
	if err != nil || got != id {
		t.Errorf("DeviceID = %q, %v", got, err)
	}
	if m := got.Field("MODEL", "MDL"); m != "TM-T88V" {
		t.Errorf("model = %q", m)
	}
	if m := got.Field("nothing"); m != "" {
		t.Errorf("nothing = %q", m)
	}
	st, err := p.PortStatus()
	if err != nil || !st.PaperEmpty() || !st.Selected() || st.Fault() {
		t.Errorf("PortStatus = %#x, %v", byte(st), err)
	}
	if err := p.SoftReset(); err != nil { // only the old form is known
		t.Errorf("SoftReset = %v", err)
	}
	want := [][]byte{{0xA1, 0, 0, 2, 1}, {0xA1, 1, 0, 0, 2}, {0x21, 2, 0, 0, 2}, {0x23, 2, 0, 0, 2}}
	if !slices.EqualFunc(f.asked, want, bytes.Equal) {
		t.Errorf("asked %x, want %x", f.asked, want)
	}

	f = newFakeUSB()
	p = openFake(t, f)
	if _, err := p.DeviceID(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("DeviceID of a clone = %v", err)
	}
	if _, err := p.PortStatus(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("PortStatus of a clone = %v", err)
	}
	if err := p.SoftReset(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SoftReset of a clone = %v", err)
	}
	f.controlErr = errUSBGone
	if _, err := p.PortStatus(); !errors.Is(err, ErrUnplugged) {
		t.Errorf("PortStatus of one that left = %v", err)
	}
	p.Close()
	if _, err := p.PortStatus(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("PortStatus after Close = %v", err)
	}
}

func TestParseDeviceID(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"\x00\x08MFG:A\x00", "MFG:A"},
		{"\x08\x00MFG:A;", "MFG:A;"}, // the other order
		{"\x00\x00MFG:A;", "MFG:A;"},
		{"\x00\x02", ""},
	} {
		if got, err := parseDeviceID([]byte(tt.in)); err != nil || string(got) != tt.want {
			t.Errorf("parseDeviceID(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
	if _, err := parseDeviceID([]byte{0}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("parseDeviceID of a byte = %v", err)
	}
}
