package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// WatchUSB calls changed soon after a USB device was plugged in or pulled out, perhaps more often than that, until ctx
// ends; it then returns nil. The kernel's own messages tell it, and a look at its list of devices every few seconds where
// those do not come, as in some containers. changed must not block: it wakes whoever waits for a printer.
func WatchUSB(ctx context.Context, changed func()) error {
	return usbWatch{host: newUSBHost(), listen: listenKernel, poll: usbPoll, slow: usbSlowPoll}.run(ctx, changed)
}

// Times between two looks at the list.
const (
	usbPoll     = time.Second      // while nobody tells
	usbSlowPoll = 10 * time.Second // beside the kernel's messages
)

// kernelSocket reads the kernel's messages, one a call.
type kernelSocket interface {
	io.ReadCloser
	SetReadDeadline(time.Time) error
}

type usbWatch struct {
	host       usbHost
	listen     func() (kernelSocket, error)
	poll, slow time.Duration
}

// listenKernel opens the socket on which the kernel tells what it adds and removes.
func listenKernel() (kernelSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("kernel messages: %w", err)
	}
	const fromKernel = 1 // the group; 2 is udev's
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: fromKernel}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("kernel messages: %w", err)
	}
	return os.NewFile(uintptr(fd), "uevent"), nil
}

func (w usbWatch) run(ctx context.Context, changed func()) error {
	told := make(chan struct{}, 1) // 1: something changed
	poll := w.poll
	var deaf chan struct{} // closed when the socket ends
	if s, err := w.listen(); err == nil {
		poll, deaf = w.slow, make(chan struct{})
		stop := context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
		go func() {
			defer close(deaf)
			defer s.Close()
			hear(s, told)
		}()
		defer func() {
			_ = s.SetReadDeadline(time.Unix(1, 0)) // fails only when it has ended
			if deaf != nil {
				<-deaf
			}
		}()
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	known := w.host.list()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-told:
			known = w.host.list()
			changed()
		case <-deaf:
			deaf = nil
			ticker.Reset(w.poll)
		case <-ticker.C:
			if now := w.host.list(); !slices.Equal(now, known) {
				known = now
				changed()
			}
		}
	}
}

// hear passes on that something changed, until the socket ends.
func hear(s io.Reader, told chan<- struct{}) {
	buf := make([]byte, 8<<10) // the kernel's own limit is 2 KiB of variables
	for {
		n, err := s.Read(buf)
		lost := errors.Is(err, unix.ENOBUFS) // messages came faster than they were read
		if err != nil && !lost {
			return
		}
		if lost || isUSBChange(buf[:n]) {
			select {
			case told <- struct{}{}:
			default:
			}
		}
	}
}

// isUSBChange reports a message about a whole USB device or a printer's node: its variables stand behind a first line,
// each ended by a zero.
func isUSBChange(message []byte) bool {
	var usb, whole bool
	for line := range bytes.SplitSeq(message, []byte{0}) {
		switch string(line) {
		case "SUBSYSTEM=usbmisc":
			usb, whole = true, true
		case "SUBSYSTEM=usb":
			usb = true
		case "DEVTYPE=usb_device":
			whole = true
		}
	}
	return usb && whole
}
