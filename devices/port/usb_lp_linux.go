package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lpPort is a printer through /dev/usb/lpN, the kernel's own driver, for builds without libusb. The driver takes up to
// 8 KiB at a time, says so before the printer has them, and takes no more until they are gone: what Write counts is on
// its way, as with usbPort. It knows printers of the printer class only, tells nobody when a transfer failed, and never
// cures a halted pipe: only the printer's own answers prove anything, and a halt lasts until the printer is replugged.
type lpPort struct {
	o      Options
	f      *os.File
	raw    syscall.RawConn
	oneWay bool

	mu       sync.Mutex // guards deadline and closed
	deadline time.Time
	closed   bool
}

// lpIOC is LPIOC_…(size): direction read, group P, of the kernel's driver.
func lpIOC(number, size uintptr) uintptr { return 2<<30 | size<<16 | 'P'<<8 | number }

// Requests of the kernel's driver.
const (
	lpDeviceID  = 1
	lpSoftReset = 'P'<<8 | 7 // LPIOC_SOFT_RESET has neither direction nor size
	lpGetStatus = 0x060b
)

func openLP(path string, oneWay bool, o Options) (Port, error) {
	flag := os.O_RDWR
	if oneWay {
		flag = os.O_WRONLY
	}
	f, err := os.OpenFile(path, flag|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w; let the service's user into the device's group (usermod -aG %s USER) and start the service again", err, deviceGroup(path))
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("%w; another program has it, fuser -v %s tells which: stop it", err, path)
	case err != nil:
		return nil, err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &lpPort{o: o, f: f, raw: raw, oneWay: oneWay}, nil
}

func (p *lpPort) OneWay() bool { return p.oneWay }

// Read waits again after an empty answer, which os.File would take for the end.
func (p *lpPort) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n := 0
		var inner error
		err := p.raw.Read(func(fd uintptr) bool {
			if p.oneWay {
				return false // until the deadline or the end
			}
			n, inner = unix.Read(int(fd), b)
			return inner != unix.EAGAIN && inner != unix.EINTR
		})
		switch {
		case err != nil:
			return 0, p.fault(err)
		case inner != nil:
			return 0, p.fault(inner)
		case n > 0:
			return n, nil
		case p.hungUp():
			return 0, p.fault(unix.ENODEV)
		}
		time.Sleep(usbEmptyPause)
	}
}

// hungUp reports that the device is gone.
func (p *lpPort) hungUp() (gone bool) {
	err := p.raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd)}}
		_, _ = unix.Poll(fds, 0)
		gone = fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
	})
	return gone || err != nil
}

func (p *lpPort) Write(b []byte) (int, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return 0, os.ErrClosed
	}
	if p.deadline.IsZero() {
		if err := p.f.SetWriteDeadline(time.Now().Add(p.o.WriteTimeout)); err != nil {
			p.mu.Unlock()
			return 0, err
		}
	}
	p.mu.Unlock()
	n, err := 0, error(nil)
	if len(b) > 0 { // an empty one of os.File says EAGAIN while the driver is at work
		n, err = p.f.Write(b)
	}
	if err == nil {
		// The printer has them when the driver would take more.
		err = p.raw.Write(func(fd uintptr) bool {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			_, _ = unix.Poll(fds, 0)
			return fds[0].Revents != 0
		})
		if err == nil && p.hungUp() {
			err = unix.ENODEV
		}
	}
	if err != nil {
		err = p.fault(err)
	}
	return n, err
}

// fault puts the driver's errors into the words of the package.
func (p *lpPort) fault(err error) error {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	switch {
	case closed:
		return os.ErrClosed // a raw descriptor says it in another error
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return errUSBGone
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	return err
}

func (p *lpPort) SetReadDeadline(t time.Time) error { return p.f.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of this and later writes; the zero time goes back to Options.WriteTimeout a write.
func (p *lpPort) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return p.f.SetWriteDeadline(t)
}

// Close cancels what the driver still has.
func (p *lpPort) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.f.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (p *lpPort) ioctl(request uintptr, to unsafe.Pointer) error {
	var errno unix.Errno
	err := p.raw.Control(func(fd uintptr) { _, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(to)) })
	switch {
	case err != nil:
		return p.fault(err)
	case errno == unix.EPIPE, errno == unix.ENOTTY, errno == unix.EINVAL, errno == unix.EIO, errno == unix.ENOTSUP:
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, errno)
	case errno != 0:
		return p.fault(errno)
	}
	return nil
}

// DeviceID implements Peripheral.
func (p *lpPort) DeviceID() (DeviceID, error) {
	b := make([]byte, maxDeviceID)
	if err := p.ioctl(lpIOC(lpDeviceID, maxDeviceID), unsafe.Pointer(&b[0])); err != nil {
		return "", fmt.Errorf("device id: %w", err)
	}
	return parseDeviceID(b)
}

// PortStatus implements Peripheral.
func (p *lpPort) PortStatus() (PortStatus, error) {
	var status int32
	if err := p.ioctl(lpGetStatus, unsafe.Pointer(&status)); err != nil {
		return 0, fmt.Errorf("port status: %w", err)
	}
	return PortStatus(status), nil
}

// SoftReset implements Peripheral.
func (p *lpPort) SoftReset() error {
	if err := p.ioctl(lpSoftReset, nil); err != nil {
		return fmt.Errorf("soft reset: %w", err)
	}
	return nil
}
