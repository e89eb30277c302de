package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// serialPort is an RS-232 line. tarm/serial opens it, sets speed, bits and parity, and reads. What it leaves out is done
// on a second descriptor of the same device, which is open without blocking: the terminal settings belong to the device,
// and readiness, deadlines, hang-up and exact counts of writes come from the descriptor (see the package's "Serial lines").
type serialPort struct {
	a    Address
	o    Options
	line *serial.Port // reads only, and only when the other descriptor says that there is something
	ctl  *os.File
	raw  syscall.RawConn // of ctl

	// dsr reads the line by which a device says that it takes bytes; nil unless flow=dsr.
	dsr func() (bool, error)

	mu       sync.Mutex // guards closed and deadline
	closed   bool
	deadline time.Time // of writes, set by the caller

	close func() error
}

// Constants of serial lines.
const (
	xon, xoff = 0x11, 0x13
	// readTick is tarm's shortest time-out. A read without one could not be ended.
	readTick = 100 * time.Millisecond
	// dsrChunk is how much a device takes after it said that it takes no more (spec/escpos.md 12).
	dsrChunk = 64
	dsrTick  = 2 * time.Millisecond
	// Close waits for bytes not yet on the wire while their number falls, so long in all, and so long without one going.
	drainMax   = 5 * time.Second
	drainStall = 250 * time.Millisecond
	drainTick  = 5 * time.Millisecond
)

func openSerial(ctx context.Context, a Address, o Options) (Port, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", a, err)
	}
	p := &serialPort{a: a, o: o}
	if err := p.open(); err != nil {
		if p.line != nil {
			p.line.Close()
		}
		if p.ctl != nil {
			p.ctl.Close()
		}
		return nil, fmt.Errorf("open %s: %w", a, err)
	}
	p.close = sync.OnceValue(p.end)
	return p, nil
}

func (p *serialPort) open() (err error) {
	if p.ctl, err = os.OpenFile(p.a.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err != nil {
		return p.remedy(err)
	}
	if p.raw, err = p.ctl.SyscallConn(); err != nil {
		return err
	}
	if _, err := p.termios(); err != nil {
		return p.remedy(err)
	}
	// TIOCEXCL does not stop root, so that two of us could talk at once. The lock does, and it goes with the descriptor.
	err = p.control(func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if err != nil {
		return p.remedy(err)
	}
	parity := map[Parity]serial.Parity{ParityNone: serial.ParityNone, ParityEven: serial.ParityEven, ParityOdd: serial.ParityOdd}[p.a.Parity]
	p.line, err = serial.OpenPort(&serial.Config{Name: p.a.Path, Baud: p.a.Baud, Size: byte(p.a.Data), Parity: parity,
		StopBits: serial.StopBits(p.a.Stop), ReadTimeout: readTick})
	if err != nil {
		return p.remedy(err)
	}
	if err := p.settle(); err != nil {
		return err
	}
	if p.a.Flow == FlowDSR {
		p.dsr = p.readDSR
		if _, err := p.dsr(); err != nil {
			return fmt.Errorf("%w: the adapter does not tell DSR; use flow=rtscts with a cable that brings the printer's DTR to CTS, or flow=xonxoff", err)
		}
	}
	return p.control(func(fd int) error {
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			return fmt.Errorf("keep others out: %w", err)
		}
		// What came before we set the speed is noise.
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
	})
}

// settle adds what tarm does not set, and looks whether the device took it all.
func (p *serialPort) settle() error {
	t, err := p.termios()
	if err != nil {
		return err
	}
	speed := t.Cflag & unix.CBAUD
	switch p.a.Flow {
	case FlowRTSCTS:
		t.Cflag |= unix.CRTSCTS
	case FlowXONXOFF:
		t.Iflag |= unix.IXON
		t.Cc[unix.VSTART], t.Cc[unix.VSTOP] = xon, xoff // tarm leaves them 0, which means none
	}
	if p.a.Parity != ParityNone {
		// Without it wrong parity passes unseen; with IGNPAR, which tarm sets, a byte that fails is left out.
		t.Iflag |= unix.INPCK
	}
	if err := p.control(func(fd int) error { return unix.IoctlSetTermios(fd, unix.TCSETS, t) }); err != nil {
		return err
	}
	if t, err = p.termios(); err != nil {
		return err
	}
	switch {
	case t.Cflag&unix.CBAUD != speed || speed == 0:
		return fmt.Errorf("the adapter does not take baud=%d; set another speed here and at the device", p.a.Baud)
	case p.a.Flow == FlowRTSCTS && t.Cflag&unix.CRTSCTS == 0:
		return errors.New("the adapter has no RTS/CTS; use flow=xonxoff, or flow=none and a slower speed")
	}
	return nil
}

func (p *serialPort) termios() (t *unix.Termios, err error) {
	err = p.control(func(fd int) error { t, err = unix.IoctlGetTermios(fd, unix.TCGETS); return err })
	return t, err
}

// remedy tells a person what to do about an error of opening.
func (p *serialPort) remedy(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w; plug the adapter in, or write the name that ls /dev/serial/by-id shows", err)
	case errors.Is(err, fs.ErrPermission):
		group := deviceGroup(p.a.Path)
		return fmt.Errorf("%w; let the service's user into the device's group (usermod -aG %s USER) and start the service again", err, group)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK):
		return fmt.Errorf("%w; another program has the line, fuser -v %s tells which: stop it", err, p.a.Path)
	case errors.Is(err, unix.EIO):
		return fmt.Errorf("%w; there is no line behind this name, write the one that ls /dev/serial/by-id shows", err)
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EISDIR):
		return fmt.Errorf("%w; it is not a serial line, write the device of the adapter, as in serial:/dev/ttyUSB0", err)
	}
	return err
}

// deviceGroup is the group that may open the device; dialout where it cannot be told.
func deviceGroup(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "dialout"
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Gid == 0 {
		return "dialout"
	}
	gid := strconv.Itoa(int(st.Gid))
	if g, err := user.LookupGroupId(gid); err == nil {
		return g.Name
	}
	return gid
}

// control runs an ioctl.
func (p *serialPort) control(f func(fd int) error) error {
	var inner error
	if err := p.raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

func (p *serialPort) OneWay() bool { return false }

// Read waits on the second descriptor, where deadlines and Close reach it, and lets tarm take what is there. tarm's own
// wait says 0, io.EOF both for silence and for an adapter that was pulled out.
func (p *serialPort) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		var events int16
		err := p.raw.Read(func(fd uintptr) bool {
			events = ready(int(fd))
			return events != 0
		})
		if err != nil {
			return 0, p.fault(err)
		}
		if events&unix.POLLIN != 0 {
			n, err := p.line.Read(b)
			switch {
			case n > 0:
				return n, nil
			case err != nil && !errors.Is(err, io.EOF):
				return 0, p.fault(err)
			}
		}
		if events&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0 {
			return 0, p.fault(unix.EIO)
		}
	}
}

// ready says what a read would find, without waiting: bytes, the end, or nothing yet.
func ready(fd int) int16 {
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		switch _, err := unix.Poll(set, 0); err {
		case nil:
			return set[0].Revents
		case unix.EINTR:
		default:
			return unix.POLLERR
		}
	}
}

// fault names an error of the line.
func (p *serialPort) fault(err error) error {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	switch {
	case closed:
		return os.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%s: %w", p.a.Path, ErrUnplugged)
	}
	return err
}

// Write returns how many bytes the kernel took for the line; Unsent says how many of them are not on the wire yet.
func (p *serialPort) Write(b []byte) (int, error) {
	p.mu.Lock()
	deadline := p.deadline
	if deadline.IsZero() {
		deadline = time.Now().Add(p.o.WriteTimeout)
	}
	var err error
	if p.closed {
		err = os.ErrClosed
	} else if p.deadline.IsZero() {
		err = p.ctl.SetWriteDeadline(deadline)
	}
	p.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if p.dsr == nil {
		n, err := p.ctl.Write(b)
		if err != nil {
			err = p.fault(err)
		}
		return n, err
	}
	return p.writeDSR(b)
}

// writeDSR gives the device a little at a time and looks between whether it still takes bytes: Linux has no handshake on
// DTR and DSR.
func (p *serialPort) writeDSR(b []byte) (done int, err error) {
	tick := time.NewTicker(dsrTick)
	defer tick.Stop()
	for done < len(b) {
		takes, err := p.dsr()
		if err != nil {
			return done, p.fault(err)
		}
		unsent, err := p.Unsent()
		if err != nil {
			return done, p.fault(err)
		}
		if takes && unsent == 0 {
			n, err := p.ctl.Write(b[done:min(len(b), done+dsrChunk)])
			done += n
			if err != nil {
				return done, p.fault(err)
			}
			continue
		}
		// An empty write fails like any other once the deadline has passed or the port is closed.
		if err := p.expired(); err != nil {
			return done, err
		}
		<-tick.C
	}
	return done, nil
}

// expired is what a write that waits by itself must end with now.
func (p *serialPort) expired() error {
	err := p.raw.Write(func(uintptr) bool { return true })
	if err == nil {
		return nil
	}
	return p.fault(err)
}

func (p *serialPort) readDSR() (takes bool, err error) {
	err = p.control(func(fd int) error {
		bits, err := unix.IoctlGetInt(fd, unix.TIOCMGET)
		takes = bits&unix.TIOCM_DSR != 0
		return err
	})
	return takes, err
}

// Unsent implements Buffered.
func (p *serialPort) Unsent() (n int, err error) {
	err = p.control(func(fd int) error { n, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ); return err })
	return n, err
}

func (p *serialPort) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	return p.ctl.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline of this and later writes; the zero time goes back to Options.WriteTimeout a write.
func (p *serialPort) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	p.deadline = t
	return p.ctl.SetWriteDeadline(t)
}

// Close ends reads and writes at once, gives the bytes the kernel still has a bounded time to leave, and throws away those
// that a stuck device does not take: the kernel would wait half a minute for it.
func (p *serialPort) Close() error { return p.close() }

func (p *serialPort) end() error {
	p.mu.Lock()
	p.closed = true
	past := time.Unix(1, 0)
	// Both fail only on a file that is closed.
	_ = p.ctl.SetReadDeadline(past)
	_ = p.ctl.SetWriteDeadline(past)
	p.mu.Unlock()
	if drain(p.Unsent) > 0 {
		_ = p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH) })
	}
	// Else a line that another process has open too could not be opened again.
	_ = p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0) })
	return errors.Join(p.ctl.Close(), p.line.Close())
}

// drain waits for the bytes not yet on the wire and returns how many are left.
func drain(unsent func() (int, error)) int {
	began := time.Now()
	least, since := -1, began
	for {
		n, err := unsent()
		if err != nil || n == 0 {
			return 0 // gone or done
		}
		now := time.Now()
		if least < 0 || n < least {
			least, since = n, now
		}
		if now.Sub(since) > drainStall || now.Sub(began) > drainMax {
			return n
		}
		time.Sleep(drainTick)
	}
}
