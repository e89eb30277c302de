package port

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// plug puts a device into a tree like the kernel's.
func plug(t *testing.T, sys, place, vendor, product, serial string, address string, attributes ...string) {
	t.Helper()
	dir := filepath.Join(sys, "bus/usb/devices", place)
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(dir, "idVendor"), vendor)
	put(filepath.Join(dir, "idProduct"), product)
	put(filepath.Join(dir, "busnum"), place[:1])
	put(filepath.Join(dir, "devnum"), address)
	if serial != "" {
		put(filepath.Join(dir, "serial"), serial)
	}
	for _, a := range attributes { // of its interface 0
		name, text, _ := strings.Cut(a, "=")
		put(filepath.Join(dir+":1.0", name), text)
	}
}

const printerClass = "bInterfaceClass=07"

func testHost(t *testing.T, b usbBackend) usbHost {
	t.Helper()
	root := t.TempDir()
	return usbHost{sys: filepath.Join(root, "sys"), dev: filepath.Join(root, "dev"), backend: b, tick: time.Millisecond}
}

func mustParse(t *testing.T, s string) Address {
	t.Helper()
	a, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestUSBFind(t *testing.T) {
	h := testHost(t, nil)
	if _, err := h.find(mustParse(t, "usb:04b8:0202")); err == nil || err.Error() != "it is not plugged in, or not switched on; see to its cable and power" {
		t.Errorf("find on a box without USB = %v", err)
	}
	plug(t, h.sys, "1-1", "1d6b", "0002", "", "1")
	plug(t, h.sys, "1-1.3", "04b8", "0202", "J5SG004711", "7", printerClass, "bInterfaceProtocol=02", "usbmisc/lp1/dev=180:1")
	plug(t, h.sys, "1-1.4", "04b8", "0202", "J5SG004712", "8", printerClass, "bInterfaceProtocol=01", "usbmisc/lp0/dev=180:0")
	plug(t, h.sys, "2-1", "0416", "5011", "", "2", printerClass)
	plug(t, h.sys, "2-2", "dead", "zzzz", "", "3") // broken
	for _, tt := range []struct{ address, place, wrong string }{
		{"usb:04b8:0202:J5SG004711", "1-1.3", ""},
		{"usb:04b8:0202:J5SG004712", "1-1.4", ""},
		{"usb:port=1-1.4", "1-1.4", ""},
		{"usb:0416:5011", "2-1", ""},
		{"usb:04b8:0202", "", "2 printers have this address; write the one that is meant, usb:port=1-1.3 or usb:port=1-1.4"},
		{"usb:0519:0001", "", "it is not plugged in, or not switched on; what is there: usb:04b8:0202 at usb:port=1-1.3, usb:04b8:0202 at usb:port=1-1.4, usb:0416:5011 at usb:port=2-1"},
		{"usb:0416:5011:X", "", "it is not plugged in"},
		{"usb:port=2-2", "", "it is not plugged in"},
	} {
		n, err := h.find(mustParse(t, tt.address))
		if n.place != tt.place || (err == nil) != (tt.wrong == "") || err != nil && !strings.HasPrefix(err.Error(), tt.wrong) {
			t.Errorf("find(%s) = %+v, %v, want %s, %s", tt.address, n, err, tt.place, tt.wrong)
		}
	}
	n, err := h.find(mustParse(t, "usb:port=1-1.4"))
	want := usbNode{place: "1-1.4", bus: 1, address: 8, vendor: 0x04b8, product: 0x0202, serial: "J5SG004712", printer: true, node: "lp0", oneWay: true}
	if err != nil || n != want {
		t.Errorf("find = %+v, %v, want %+v", n, err, want)
	}
}

// backendFunc opens whatever it likes.
type backendFunc func(bus, address int) (usbDevice, error)

func (f backendFunc) open(bus, address int) (usbDevice, error) { return f(bus, address) }

// A printer that comes late, and one that udev has not let us into yet, is opened all the same.
func TestUSBOpenWaits(t *testing.T) {
	var tries atomic.Int32
	h := testHost(t, backendFunc(func(bus, address int) (usbDevice, error) {
		if bus != 1 || address != 9 {
			t.Errorf("opened device %d on bus %d", address, bus)
		}
		switch tries.Add(1) {
		case 1:
			return nil, errUSBAccess
		case 2:
			return nil, errUSBGone
		case 3:
			return nil, errUSBBusy
		}
		return newFakeUSB(), nil
	}))
	go func() {
		time.Sleep(5 * time.Millisecond)
		plug(t, h.sys, "1-2", "04b8", "0e15", "", "9", printerClass)
	}()
	p, err := h.open(t.Context(), mustParse(t, "usb:04b8:0e15"), Options{DialTimeout: enough, WriteTimeout: enough})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.Write([]byte("hello")); n != 5 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// The kernel's driver binds a moment after the device is there.
func TestUSBOpenWaitsForTheDriver(t *testing.T) {
	_, path := pty(t)
	h := testHost(t, nil)
	plug(t, h.sys, "1-1", "04b8", "0202", "", "4", printerClass)
	if err := os.MkdirAll(filepath.Join(h.dev, "usb"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(h.dev, "usb/lp0")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.open1(mustParse(t, "usb:04b8:0202"), Options{}); !errors.Is(err, ErrNotInThisBuild) || !mayHeal(err) {
		t.Errorf("open before it = %v, want %v, and worth waiting for", err, ErrNotInThisBuild)
	}
	plug(t, h.sys, "1-1", "04b8", "0202", "", "4", printerClass, "usbmisc/lp0/dev=180:0")
	p, err := h.open(t.Context(), mustParse(t, "usb:04b8:0202"), Options{DialTimeout: enough})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

func TestUSBOpenErrors(t *testing.T) {
	busy := backendFunc(func(int, int) (usbDevice, error) { return nil, errUSBBusy })
	access := backendFunc(func(int, int) (usbDevice, error) { return nil, errUSBAccess })
	odd := backendFunc(func(int, int) (usbDevice, error) {
		f := newFakeUSB()
		f.claimErr = errUSBKernel
		return f, nil
	})
	keyboard := backendFunc(func(int, int) (usbDevice, error) {
		f := newFakeUSB()
		f.all = nil
		return f, nil
	})
	for _, tt := range []struct {
		name, address, want string
		backend             usbBackend
	}{
		{"absent", "usb:04b8:0001", "it is not plugged in, or not switched on; what is there: usb:04b8:0202 at usb:port=1-1", busy},
		{"busy", "usb:04b8:0202", "another program has the printer; stop CUPS, ipp-usb or whatever else prints to it", busy},
		{"access", "usb:04b8:0202", "not allowed; let the service's user open /dev/bus/usb/001/004, as the packaged udev rule does for printers", access},
		{"odd numbers and no driver", "usb:04b8:0202", "only the kernel's driver can open it", odd},
		{"no printer", "usb:04b8:0202", "it has no printer's pipe; this is not a printer, or not its data interface", keyboard},
		{"no libusb and no driver", "usb:04b8:0202", "this build cannot open it yet: it has no libusb, and the kernel's usblp driver does not hold the printer " +
			"(modprobe usblp; printers of a vendor's own class it never holds); use a build with libusb, or connect the printer by network", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := testHost(t, tt.backend)
			plug(t, h.sys, "1-1", "04b8", "0202", "", "4", printerClass)
			_, err := h.open(t.Context(), mustParse(t, tt.address), Options{DialTimeout: 20 * time.Millisecond})
			if err == nil || err.Error() != tt.want {
				t.Errorf("open = %v\nwant %s", err, tt.want)
			}
			if got := errors.Is(err, ErrNotInThisBuild); got != (tt.backend == nil) {
				t.Errorf("ErrNotInThisBuild: %v", got)
			}
		})
	}
	h := testHost(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.open(ctx, mustParse(t, "usb:04b8:0202"), Options{DialTimeout: enough}); !errors.Is(err, context.Canceled) {
		t.Errorf("open that was cancelled = %v", err)
	}
}

// openLPTY opens a pseudo-terminal as if it were the kernel's printer node.
func openLPTY(t *testing.T) (*lpPort, *os.File) {
	t.Helper()
	master, path := pty(t)
	control(t, master, func(fd int) error { // as the kernel's driver passes bytes: unchanged
		tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		tio.Iflag, tio.Oflag, tio.Lflag = 0, 0, 0
		tio.Cc[unix.VMIN] = 1
		return unix.IoctlSetTermios(fd, unix.TCSETS, tio)
	})
	h := testHost(t, nil)
	plug(t, h.sys, "1-1", "04b8", "0e15", "", "4", printerClass, "bInterfaceProtocol=02", "usbmisc/lp0/dev=180:0")
	if err := os.MkdirAll(filepath.Join(h.dev, "usb"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(h.dev, "usb/lp0")); err != nil {
		t.Fatal(err)
	}
	p, err := h.open(t.Context(), mustParse(t, "usb:04b8:0e15"), Options{DialTimeout: enough, WriteTimeout: enough})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p.(*lpPort), master
}

func TestUSBKernelDriverSuite(t *testing.T) {
	runPortSuite(t, func(t *testing.T) bench {
		p, master := openLPTY(t)
		return bench{Port: p, taken: func(n int) []byte { return drink(t, master, n) }, say: func(b []byte) {
			if _, err := master.Write(b); err != nil {
				t.Error(err)
			}
		}}
	})
}

func TestUSBKernelDriverFaults(t *testing.T) {
	p, master := openLPTY(t)
	var _ Peripheral = p
	if _, err := p.DeviceID(); !errors.Is(err, errors.ErrUnsupported) { // a terminal does not know the request
		t.Errorf("DeviceID = %v", err)
	}
	if _, err := p.PortStatus(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("PortStatus = %v", err)
	}
	if err := p.SoftReset(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SoftReset = %v", err)
	}
	for _, e := range []error{unix.ENODEV, unix.ENXIO} {
		if err := p.fault(e); !errors.Is(err, ErrUnplugged) {
			t.Errorf("fault(%v) = %v", e, err)
		}
	}
	master.Close()
	if _, err := p.Read(make([]byte, 1)); err == nil {
		t.Error("Read of a node that hung up has no error")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close again = %v", err)
	}
	if _, err := p.PortStatus(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("PortStatus after Close = %v", err)
	}
	if _, err := openLP(filepath.Join(t.TempDir(), "lp0"), false, Options{}); !mayHeal(err) {
		t.Errorf("openLP of nothing = %v, want one worth waiting for", err)
	}
}

// messages is a pair of sockets that keeps messages apart, as the kernel's does.
func messages(t *testing.T) (ours, kernels *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, kernels = os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "kernel's")
	t.Cleanup(func() { kernels.Close() })
	return ours, kernels
}

func TestWatchUSB(t *testing.T) {
	ours, kernel := messages(t)
	h := testHost(t, nil)
	w := usbWatch{host: h, poll: time.Millisecond, slow: time.Hour, listen: func() (kernelSocket, error) { return ours, nil }}
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan struct{}, 100)
	done := make(chan error, 1)
	go func() { done <- w.run(ctx, func() { told <- struct{}{} }) }()

	say := func(message string) {
		t.Helper()
		if _, err := kernel.WriteString(strings.ReplaceAll(message, " ", "\x00")); err != nil {
			t.Fatal(err)
		}
	}
	say("add@/devices/x ACTION=add SUBSYSTEM=tty")                                    // not ours
	say("add@/devices/usb1/1-1/1-1:1.0 SUBSYSTEM=usb DEVTYPE=usb_interface")          // a part
	say("add@/devices/usb1/1-1 ACTION=add SUBSYSTEM=usb DEVTYPE=usb_device BUSNUM=1") // a device
	wait := func(what string) {
		t.Helper()
		select {
		case <-told:
		case <-time.After(enough):
			t.Fatal("not told of " + what)
		}
	}
	wait("a device")
	say("add@/devices/usb1/1-1/1-1:1.0/usbmisc/lp0 SUBSYSTEM=usbmisc")
	wait("a printer's node")

	// Without the kernel's messages the list is looked at.
	kernel.Close()
	plug(t, h.sys, "1-2", "04b8", "0202", "", "5", printerClass)
	wait("a device in the list")
	if err := os.RemoveAll(filepath.Join(h.sys, "bus/usb/devices/1-2")); err != nil {
		t.Fatal(err)
	}
	wait("a device that left the list")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run = %v", err)
	}
}

func TestWatchUSBWithoutSocket(t *testing.T) {
	h := testHost(t, nil)
	w := usbWatch{host: h, poll: time.Millisecond, slow: time.Hour, listen: func() (kernelSocket, error) { return nil, unix.EAFNOSUPPORT }}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		done <- w.run(ctx, func() {
			select {
			case told <- struct{}{}:
			default:
			}
		})
	}()
	n := 1
	soon(t, "word of it", func() bool { // it may come before the first look
		n++
		plug(t, h.sys, "1-1", "04b8", "0202", "", strconv.Itoa(n), printerClass)
		return len(told) > 0
	})
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run = %v", err)
	}
}

// The real socket can be opened, and ends.
func TestWatchUSBKernel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- WatchUSB(ctx, func() {}) }()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("WatchUSB = %v", err)
	}
}

func FuzzIsUSBChange(f *testing.F) {
	f.Add([]byte("add@/devices/usb1/1-1\x00SUBSYSTEM=usb\x00DEVTYPE=usb_device\x00"))
	f.Add([]byte("libudev\x00\xfe\xed\xca\xfe"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if isUSBChange(b) && !strings.Contains(string(b), "SUBSYSTEM=usb") {
			t.Errorf("%q is taken for a message about USB", b)
		}
	})
}
