package port

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Peripheral is a USB printer. Beside its two pipes it answers the requests of the printer class, also while it takes no
// data (spec/escpos.md 11). A request it refuses gives errors.ErrUnsupported: many clones know none of them.
type Peripheral interface {
	// DeviceID is what the printer says it is.
	DeviceID() (DeviceID, error)
	PortStatus() (PortStatus, error)
	// SoftReset empties the printer's buffers: what it has not printed is thrown away.
	SoftReset() error
}

// A DeviceID is an IEEE 1284 device id: MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;CLS:PRINTER;…
type DeviceID string

// Field returns the value of the first of these keys that d has, "" when it has none. Keys have a short and a long form:
// MFG and MANUFACTURER, MDL and MODEL, CMD and COMMAND SET, SN and SERN and SERIALNUMBER.
func (d DeviceID) Field(keys ...string) string {
	for _, key := range keys {
		for field := range strings.SplitSeq(string(d), ";") {
			name, value, ok := strings.Cut(field, ":")
			if ok && strings.EqualFold(strings.TrimSpace(name), key) {
				return strings.TrimSpace(value)
			}
		}
	}
	return ""
}

// A PortStatus is the answer to GET_PORT_STATUS. Its bits are the Centronics lines; some printers never change them.
type PortStatus byte

// PaperEmpty reports paper out.
func (s PortStatus) PaperEmpty() bool { return s&0x20 != 0 }

// Selected reports on-line.
func (s PortStatus) Selected() bool { return s&0x10 != 0 }

// Fault reports an error.
func (s PortStatus) Fault() bool { return s&0x08 == 0 }

// Requests of the printer class.
const (
	getDeviceID   = 0
	getPortStatus = 1
	softReset     = 2

	fromInterface = 0xA1 // class request that reads from the interface
	toInterface   = 0x21
	toOther       = 0x23 // how the class's first edition sends SOFT_RESET
)

// Sizes and times of USB.
const (
	usbChunk        = 1 << 10 // bytes of one transfer: so many are in doubt at most, and a slow printer shows that it moves
	usbInbox        = 4 << 10 // bytes of answers nobody has read; beyond it the printer has to keep them
	usbGoodbye      = 250 * time.Millisecond
	usbControl      = time.Second // a class request
	usbEmptyPause   = 50 * time.Millisecond
	maxDeviceID     = 1024
	classPrinter    = 0x07
	classVendor     = 0xFF
	protocolOneWay  = 1
	protocolTwoWays = 2
)

// What the boundary to libusb reports. Its own words stand behind them.
var (
	errUSBGone    error = goneError{}
	errUSBHalted        = errors.New("the printer halted its pipe; what it has of the last transfer is unknown")
	errUSBAccess        = errors.New("not allowed")
	errUSBBusy          = errors.New("another program has the printer")
	errUSBNotSent       = errors.New("nothing was sent") // with another: the transfer never began
	errUSBKernel        = errors.New("only the kernel's driver can open it")
	errNoPrinter        = errors.New("it has no printer's pipe; this is not a printer, or not its data interface")
)

// goneError is ErrUnplugged in the words of a USB printer.
type goneError struct{}

func (goneError) Error() string {
	return "the printer is unplugged or switched off; see to its cable and power"
}
func (goneError) Is(target error) bool { return target == ErrUnplugged }

// usbBackend, and what follows, is what this package needs of gousb, and where tests put another device in.
type usbBackend interface {
	// open opens the device of this address on this bus and claims nothing.
	open(bus, address int) (usbDevice, error)
}

type usbDevice interface {
	interfaces() (config int, all []usbInterface, err error) // of the active configuration
	// claim takes the interface from the kernel's driver and for us alone, in one alternate setting.
	claim(config int, i usbInterface) (usbPipes, error)
	control(kind, request byte, value, index uint16, data []byte) (int, error)
	// reset resets the device, with nothing claimed. It may lose what the printer has in memory.
	reset() error
	close() error
}

// usbPipes are a claimed interface.
type usbPipes interface {
	// write is one transfer: it takes as long as the printer makes it, and ends with ctx. With an error it may have sent
	// any part of b, none only when the error is errUSBNotSent.
	write(ctx context.Context, b []byte) (int, error)
	read(ctx context.Context, b []byte) (int, error)
	release() error
}

// usbInterface is an interface in one alternate setting.
type usbInterface struct {
	//lint:ignore U1000 only builds with libusb ask for it
	position             int // in the configuration's list
	number, alternate    int
	class, sub, protocol byte
	out, in              int // numbers of the first bulk endpoints; 0: none
	packet               int // bytes of a packet of in
}

// choose finds the printer's interface: the printer class with two ways, the same with one, a vendor's own class with
// pipes, in this order (spec/escpos.md 11).
func choose(all []usbInterface) (usbInterface, bool) {
	for _, fits := range []func(usbInterface) bool{
		func(i usbInterface) bool {
			return i.class == classPrinter && i.protocol == protocolTwoWays && i.in != 0
		},
		func(i usbInterface) bool { return i.class == classPrinter && i.protocol == protocolOneWay },
		func(i usbInterface) bool { return i.class == classVendor && i.in != 0 },
		func(i usbInterface) bool { return i.class == classVendor },
	} {
		n := slices.IndexFunc(all, func(i usbInterface) bool { return i.out != 0 && fits(i) })
		if n >= 0 {
			return all[n], true
		}
	}
	return usbInterface{}, false
}

// usbPort is a printer's two bulk pipes.
//
// A transfer that a printer does not take (no paper, full buffer) stays with the printer until it is taken or the port
// is closed: nobody can tell how much of a cancelled one arrived. So a Write that runs into its deadline leaves its transfer under
// way and counts all of it as taken, and no further one begins before it is through. That makes the count mean what it means on
// a socket: these bytes are on their way, and the next ones follow them.
type usbPort struct {
	o     Options
	dev   usbDevice
	pipes usbPipes
	at    usbInterface
	size  int // of a read: one packet, since a longer one would wait for more after a full packet

	life   context.Context // of transfers
	cancel context.CancelFunc
	work   sync.WaitGroup
	give   chan []byte // 1: the transfer under way

	writing sync.Mutex // one Write at a time; taken before mu
	chunk   []byte     // of the transfer under way

	mu            sync.Mutex    // guards what follows
	bell          chan struct{} // closed and replaced at each change
	inbox         []byte
	under         bool // a transfer is under way
	unsent        bool // the last one never began
	failed        error
	closed        bool
	readDeadline  time.Time
	writeDeadline time.Time

	close func() error
}

// openPipes opens the printer's interface of dev, which it closes unless it succeeds.
func openPipes(dev usbDevice, o Options) (_ *usbPort, err error) {
	defer func() {
		if err != nil {
			dev.close()
		}
	}()
	config, all, err := dev.interfaces()
	if err != nil {
		return nil, err
	}
	at, ok := choose(all)
	if !ok {
		return nil, errNoPrinter
	}
	pipes, err := dev.claim(config, at)
	if err != nil {
		return nil, err
	}
	p := &usbPort{o: o, dev: dev, pipes: pipes, at: at, size: max(at.packet, 1),
		give: make(chan []byte, 1), chunk: make([]byte, 0, usbChunk), bell: make(chan struct{})}
	p.life, p.cancel = context.WithCancel(context.Background())
	p.close = sync.OnceValue(p.end)
	p.work.Go(p.send)
	if !p.OneWay() {
		p.work.Go(p.receive)
	}
	return p, nil
}

// ring wakes everybody who waits for a change. With p.mu held.
func (p *usbPort) ring() {
	close(p.bell)
	p.bell = make(chan struct{})
}

// fail ends the port. With p.mu held.
func (p *usbPort) fail(err error) {
	if p.failed == nil {
		p.failed = err
	}
	p.ring()
}

// send gives the printer one transfer after the other.
func (p *usbPort) send() {
	for {
		select {
		case <-p.life.Done():
			return
		case b := <-p.give:
			n, err := p.pipes.write(p.life, b)
			if err == nil && n < len(b) {
				err = fmt.Errorf("a transfer ended after %d of %d bytes", n, len(b))
			}
			p.mu.Lock()
			p.under = false
			p.unsent = errors.Is(err, errUSBNotSent)
			if err != nil {
				p.fail(err)
			}
			p.ring()
			p.mu.Unlock()
		}
	}
}

// receive always has a read under way, so that status comes while the printer takes no data.
func (p *usbPort) receive() {
	buf := make([]byte, p.size)
	for {
		n, err := p.pipes.read(p.life, buf)
		p.mu.Lock()
		p.inbox = append(p.inbox, buf[:n]...)
		if n > 0 {
			p.ring()
		}
		if err != nil {
			if p.life.Err() == nil {
				p.fail(err)
			}
			p.mu.Unlock()
			return
		}
		for len(p.inbox) >= usbInbox && p.life.Err() == nil {
			bell := p.bell
			p.mu.Unlock()
			select {
			case <-bell:
			case <-p.life.Done():
			}
			p.mu.Lock()
		}
		p.mu.Unlock()
		if n == 0 { // some printers answer with empty packets for a while
			select {
			case <-time.After(usbEmptyPause):
			case <-p.life.Done():
			}
		}
		if p.life.Err() != nil {
			return
		}
	}
}

func (p *usbPort) OneWay() bool {
	return p.at.in == 0 || p.at.class == classPrinter && p.at.protocol == protocolOneWay
}

// ended is why the port can do nothing more. With p.mu held.
func (p *usbPort) ended() error {
	if p.closed {
		return os.ErrClosed
	}
	return p.failed
}

// await waits until ok, the port's end, or the deadline, which may move meanwhile. With p.mu held, but not while it waits.
func (p *usbPort) await(deadline func() time.Time, ok func() bool) error {
	for !ok() {
		if err := p.ended(); err != nil {
			return err
		}
		var late <-chan time.Time
		var timer *time.Timer
		if d := deadline(); !d.IsZero() {
			left := time.Until(d)
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			timer = time.NewTimer(left)
			late = timer.C
		}
		bell := p.bell
		p.mu.Unlock()
		select {
		case <-bell:
		case <-late:
		}
		if timer != nil {
			timer.Stop()
		}
		p.mu.Lock()
	}
	return nil
}

// Read gives what came before the end, too.
func (p *usbPort) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.await(func() time.Time { return p.readDeadline }, func() bool { return len(p.inbox) > 0 && !p.closed })
	if err != nil {
		return 0, err
	}
	n := copy(b, p.inbox)
	p.inbox = p.inbox[:copy(p.inbox, p.inbox[n:])]
	p.ring()
	return n, nil
}

// Write counts the transfer under way as taken, in whole (see the type's description). An empty Write waits for it.
func (p *usbPort) Write(b []byte) (done int, err error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	began := time.Now()
	deadline := func() time.Time {
		if p.writeDeadline.IsZero() {
			return began.Add(p.o.WriteTimeout)
		}
		return p.writeDeadline
	}
	last := 0 // bytes of our own transfer under way
	for {
		err := p.await(deadline, func() bool { return !p.under })
		if err == nil {
			err = p.ended()
		}
		if err != nil {
			if p.unsent && !p.under {
				done -= last
			}
			return done, err
		}
		if done == len(b) {
			return done, nil
		}
		if !time.Now().Before(deadline()) {
			return done, os.ErrDeadlineExceeded
		}
		last = min(len(b)-done, usbChunk)
		p.chunk = append(p.chunk[:0], b[done:done+last]...)
		p.under, p.unsent = true, false
		p.give <- p.chunk
		done += last
	}
}

func (p *usbPort) SetReadDeadline(t time.Time) error {
	return p.set(func() { p.readDeadline = t })
}

// SetWriteDeadline sets the deadline of this and later writes; the zero time goes back to Options.WriteTimeout a write.
func (p *usbPort) SetWriteDeadline(t time.Time) error {
	return p.set(func() { p.writeDeadline = t })
}

func (p *usbPort) set(f func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	f()
	p.ring()
	return nil
}

// Close gives the transfer under way a moment and cancels it then; a job it belonged to is in doubt. The kernel's driver gets the
// printer back. A halted pipe stays halted for whoever comes next, and a reset of the device is the one cure here.
func (p *usbPort) Close() error { return p.close() }

func (p *usbPort) end() error {
	p.mu.Lock()
	p.closed = true
	p.ring()
	timer := time.NewTimer(usbGoodbye)
	defer timer.Stop()
	for waiting := true; waiting && p.under && p.failed == nil; {
		bell := p.bell
		p.mu.Unlock()
		select {
		case <-bell:
		case <-timer.C:
			waiting = false
		}
		p.mu.Lock()
	}
	halted := errors.Is(p.failed, errUSBHalted)
	p.mu.Unlock()
	p.cancel()
	p.work.Wait()
	err := p.pipes.release()
	if halted && err == nil {
		err = p.dev.reset()
	}
	err = errors.Join(err, p.dev.close())
	if errors.Is(err, ErrUnplugged) {
		return nil // there is nothing left to close
	}
	return err
}

// request runs a class request; see Peripheral.
func (p *usbPort) request(kind, request byte, value, index uint16, data []byte) (int, error) {
	p.mu.Lock()
	err := p.ended()
	p.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := p.dev.control(kind, request, value, index, data)
	if errors.Is(err, errUSBHalted) {
		err = fmt.Errorf("the printer does not know the request: %w", errors.ErrUnsupported)
	}
	return n, err
}

// DeviceID implements Peripheral.
func (p *usbPort) DeviceID() (DeviceID, error) {
	b := make([]byte, maxDeviceID)
	// The value is the index of the configuration; nearly every printer has one only.
	n, err := p.request(fromInterface, getDeviceID, 0, uint16(p.at.number<<8|p.at.alternate), b)
	if err != nil {
		return "", fmt.Errorf("device id: %w", err)
	}
	return parseDeviceID(b[:n])
}

// parseDeviceID reads the answer to GET_DEVICE_ID. Its length counts itself, except where it lies.
func parseDeviceID(b []byte) (DeviceID, error) {
	if len(b) < 2 {
		return "", fmt.Errorf("device id: the answer has %d bytes: %w", len(b), errors.ErrUnsupported)
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < 2 || n > len(b) {
		n = len(b) // some give it in the other order, or too large
	}
	return DeviceID(strings.TrimRight(string(b[2:n]), "\x00")), nil
}

// PortStatus implements Peripheral.
func (p *usbPort) PortStatus() (PortStatus, error) {
	var b [1]byte
	n, err := p.request(fromInterface, getPortStatus, 0, uint16(p.at.number), b[:])
	if err == nil && n == 0 {
		err = fmt.Errorf("the answer is empty: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return 0, fmt.Errorf("port status: %w", err)
	}
	return PortStatus(b[0]), nil
}

// SoftReset implements Peripheral.
func (p *usbPort) SoftReset() error {
	_, err := p.request(toInterface, softReset, 0, uint16(p.at.number), nil)
	if errors.Is(err, errors.ErrUnsupported) {
		_, err = p.request(toOther, softReset, 0, uint16(p.at.number), nil)
	}
	if err != nil {
		return fmt.Errorf("soft reset: %w", err)
	}
	return nil
}
