package port

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usbHost is the box's USB: the kernel's tree of devices says what is plugged in and where, libusb or the kernel's printer
// driver opens it.
type usbHost struct {
	sys, dev string     // /sys and /dev
	backend  usbBackend // nil: this build has none
	tick     time.Duration
}

// usbTick is how often an opening looks for a device that is not there yet.
const usbTick = 250 * time.Millisecond

func newUSBHost() usbHost {
	return usbHost{sys: "/sys", dev: "/dev", backend: libusb(), tick: usbTick}
}

// usbNode is a device as the kernel shows it.
type usbNode struct {
	place           string // 1-1.3
	bus, address    int
	vendor, product uint16
	serial          string
	printer         bool   // an interface has the printer class
	node            string // of the kernel's printer driver, as lp0; "" when it does not hold the device
	oneWay          bool   // as the kernel's printer driver runs it
}

// list reads the kernel's tree. What vanishes while it is read is left out.
func (h usbHost) list() []usbNode {
	root := filepath.Join(h.sys, "bus/usb/devices")
	entries, err := os.ReadDir(root) // sorted
	if err != nil {
		return nil // a kernel without USB
	}
	var all []usbNode
	for _, e := range entries {
		if !isUSBPlace(e.Name()) {
			continue
		}
		dir := filepath.Join(root, e.Name())
		n := usbNode{place: e.Name(), serial: attribute(dir, "serial")}
		var ok [4]bool
		n.vendor, ok[0] = hex4(attribute(dir, "idVendor"))
		n.product, ok[1] = hex4(attribute(dir, "idProduct"))
		n.bus, ok[2] = count(attribute(dir, "busnum"))
		n.address, ok[3] = count(attribute(dir, "devnum"))
		if ok != [4]bool{true, true, true, true} {
			continue
		}
		for _, i := range entries {
			if !strings.HasPrefix(i.Name(), n.place+":") {
				continue
			}
			i := filepath.Join(root, i.Name())
			n.printer = n.printer || attribute(i, "bInterfaceClass") == "07"
			if lp, err := os.ReadDir(filepath.Join(i, "usbmisc")); err == nil && len(lp) > 0 && n.node == "" {
				n.node, n.oneWay = lp[0].Name(), attribute(i, "bInterfaceProtocol") == "01"
			}
		}
		all = append(all, n)
	}
	return all
}

func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func count(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0
}

func (n usbNode) address16() string { return fmt.Sprintf("usb:%04x:%04x", n.vendor, n.product) }

// matches reports whether a names n.
func (n usbNode) matches(a Address) bool {
	if a.USBPort != "" {
		return n.place == a.USBPort
	}
	return n.vendor == a.Vendor && n.product == a.Product && (a.Serial == "" || n.serial == a.Serial)
}

// An absentError is worth waiting for.
type absentError struct {
	text string
	err  error // nil: nothing behind it
}

func (e *absentError) Error() string { return e.text }
func (e *absentError) Unwrap() error { return e.err }

// find picks the device that a names. Two that fit are an error: which of them gets the tickets must not be chance.
func (h usbHost) find(a Address) (usbNode, error) {
	all := h.list()
	fits := slices.DeleteFunc(slices.Clone(all), func(n usbNode) bool { return !n.matches(a) })
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		var which []string
		for _, n := range fits {
			which = append(which, "usb:port="+n.place)
		}
		return usbNode{}, fmt.Errorf("%d printers have this address; write the one that is meant, %s", len(fits), strings.Join(which, " or "))
	}
	var there []string
	for _, n := range all {
		if n.printer {
			there = append(there, fmt.Sprintf("%s at usb:port=%s", n.address16(), n.place))
		}
	}
	if len(there) == 0 {
		return usbNode{}, &absentError{text: "it is not plugged in, or not switched on; see to its cable and power"}
	}
	return usbNode{}, &absentError{text: "it is not plugged in, or not switched on; what is there: " + strings.Join(there, ", ")}
}

// openUSB waits for the printer for Options.DialTimeout: one that was switched on takes a second or two to appear, and
// udev a moment to let us in.
func openUSB(ctx context.Context, a Address, o Options) (Port, error) {
	p, err := newUSBHost().open(ctx, a, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a, err)
	}
	return p, nil
}

func (h usbHost) open(ctx context.Context, a Address, o Options) (Port, error) {
	late := time.NewTimer(o.DialTimeout)
	defer late.Stop()
	tick := time.NewTicker(h.tick)
	defer tick.Stop()
	for {
		p, err := h.open1(a, o)
		if err == nil || !mayHeal(err) {
			return p, err
		}
		select {
		case <-tick.C:
		case <-late.C:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// mayHeal reports an error that the next moment may do away with.
func mayHeal(err error) bool {
	var absent *absentError
	return errors.As(err, &absent) || errors.Is(err, errUSBAccess) || errors.Is(err, errUSBBusy) || errors.Is(err, ErrUnplugged) ||
		errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)
}

func (h usbHost) open1(a Address, o Options) (Port, error) {
	n, err := h.find(a)
	if err != nil {
		return nil, err
	}
	err = errUSBKernel
	if h.backend != nil {
		var dev usbDevice
		if dev, err = h.backend.open(n.bus, n.address); err == nil {
			var p *usbPort
			if p, err = openPipes(dev, o); err == nil {
				return p, nil
			}
		}
	}
	switch {
	case !errors.Is(err, errUSBKernel):
		return nil, usbRemedy(err, n)
	case n.node != "":
		return openLP(filepath.Join(h.dev, "usb", n.node), n.oneWay, o)
	case h.backend == nil:
		err := fmt.Errorf("%w: it has no libusb, and the kernel's usblp driver does not hold the printer (modprobe usblp; printers of a "+
			"vendor's own class it never holds); use a build with libusb, or connect the printer by network", ErrNotInThisBuild)
		if n.printer { // the driver may be on its way
			err = &absentError{err.Error(), err}
		}
		return nil, err
	}
	return nil, usbRemedy(err, n)
}

// usbRemedy tells a person what to do about an error of opening.
func usbRemedy(err error, n usbNode) error {
	switch {
	case errors.Is(err, errUSBAccess):
		return fmt.Errorf("%w; let the service's user open /dev/bus/usb/%03d/%03d, as the packaged udev rule does for printers", err, n.bus, n.address)
	case errors.Is(err, errUSBBusy):
		return fmt.Errorf("%w; stop CUPS, ipp-usb or whatever else prints to it", err)
	}
	return err
}
