package usbredir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Defaults for a Config left at zero.
const (
	DefaultVendor  = 0x04b8
	DefaultProduct = 0x0e15 // TM-T20II
	DefaultMaker   = "EPSON"
	DefaultName    = "TM-T20II"
	DefaultOut     = 1
	DefaultIn      = 2
	DefaultStatus  = 0x18 // selected, no error, paper
)

// Times of the plug.
const (
	settle = 50 * time.Millisecond  // from power to being on the bus
	absent = 100 * time.Millisecond // off the bus at least
	look   = 20 * time.Millisecond  // between two looks whether the printer has power
)

// A Config is what the device is. Serve is required.
type Config struct {
	Vendor, Product uint16
	Serial          string // "": it has none, as many clones
	Maker, Name     string
	Vendored        bool // a vendor's own class instead of the printer class; the kernel's driver leaves it alone
	OneWay          bool // no way back
	Out, In         int  // endpoint numbers
	DeviceID        string
	NoRequests      bool // class requests are refused, as by many clones

	// Serve is the printer behind the plug: it reads what is sent and writes its answers until conn or ctx ends, as
	// ServeConn of a simulated printer does. It is called anew each time the device is plugged in.
	Serve func(ctx context.Context, conn io.ReadWriteCloser) error
	// Up says whether the printer has power; nil: always. Without power the device is not on the bus.
	Up func() bool
	// Status is the answer to GET_PORT_STATUS; nil: DefaultStatus.
	Status func() byte
	// SoftReset is called for SOFT_RESET; nil: nothing happens.
	SoftReset func()
	Log       *slog.Logger // nil means slog.Default
}

// A Device is one USB device with its plug and faults. It starts plugged in. Its methods may be called from any goroutine.
type Device struct {
	c       Config
	serving chan struct{} // 1: held by the guest

	mu     sync.Mutex    // guards what follows
	bell   chan struct{} // closed and replaced at each change
	out    bool          // pulled out
	faults faults
	counts Counts
}

// faults are those of the OUT pipe.
type faults struct {
	limited bool
	left    int  // bytes it takes yet, when limited
	stalls  bool // then it halts; else it says NAK
	halted  bool
	speed   float64 // bytes a second; 0: no limit
}

// Counts tell what happened at the plug.
type Counts struct {
	Connects  int // times it came onto the bus
	Resets    int // by the guest
	Transfers int // OUT, begun
	Taken     int // OUT bytes the printer has
	Cancelled int // OUT transfers cancelled by the guest
	Partial   int // of them those with a part taken
	Stalls    int
	Answers   int // IN bytes delivered
}

// New checks c.
func New(c Config) (*Device, error) {
	if c.Serve == nil {
		return nil, errors.New("usb device without a printer behind it")
	}
	if c.Vendor == 0 {
		c.Vendor = DefaultVendor
	}
	if c.Product == 0 {
		c.Product = DefaultProduct
	}
	if c.Maker == "" {
		c.Maker = DefaultMaker
	}
	if c.Name == "" {
		c.Name = DefaultName
	}
	if c.Out == 0 {
		c.Out = DefaultOut
	}
	if c.In == 0 {
		c.In = DefaultIn
	}
	if c.Out < 1 || c.Out > 15 || c.In < 1 || c.In > 15 {
		return nil, fmt.Errorf("endpoints %d and %d: from 1 to 15", c.Out, c.In)
	}
	for _, s := range []string{c.Maker, c.Name, c.Serial} {
		if len([]rune(s)) > 100 {
			return nil, fmt.Errorf("string %q is longer than 100 characters", s)
		}
	}
	if len(c.DeviceID) > 1000 {
		return nil, errors.New("device id is longer than 1000 bytes")
	}
	if c.Up == nil {
		c.Up = func() bool { return true }
	}
	if c.Status == nil {
		c.Status = func() byte { return DefaultStatus }
	}
	if c.SoftReset == nil {
		c.SoftReset = func() {}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Device{c: c, serving: make(chan struct{}, 1), bell: make(chan struct{})}, nil
}

// commands of Do, for errors.
const commands = "unplug, plug, nak, accept N, ack, stall, stall N, heal, slow N, fast"

// Do carries out a command:
//
//	unplug      the cable is out, until plug
//	nak         takes no more bytes, until ack
//	accept N    takes N more bytes, then nak
//	stall [N]   takes N more bytes (none), then halts the OUT pipe; it stays halted until the guest cures it. heal takes
//	            back one that has not come yet
//	slow N      takes N bytes a second, until fast
func (d *Device) Do(command string) error {
	word, rest, _ := strings.Cut(command, " ")
	n := 0
	switch word {
	case "accept", "slow", "stall":
		if rest == "" && word == "stall" {
			break
		}
		var err error
		if n, err = strconv.Atoi(rest); err != nil || n < 0 || n == 0 && word == "slow" {
			return fmt.Errorf("command %q wants a number of bytes, as in %s 1000", command, word)
		}
	default:
		if rest != "" {
			return fmt.Errorf("command %q: %s stands alone", command, word)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &d.faults
	switch word {
	case "unplug":
		d.out = true
	case "plug":
		d.out = false
	case "nak", "accept":
		f.limited, f.left, f.stalls = true, n, false
	case "stall":
		f.limited, f.left, f.stalls = true, n, true
	case "ack", "heal":
		f.limited, f.stalls = false, false
	case "slow":
		f.speed = float64(n)
	case "fast":
		f.speed = 0
	default:
		return fmt.Errorf("command %q: there is none of this name; write one of %s", command, commands)
	}
	d.c.Log.Debug("usb command", "command", command)
	d.ring()
	return nil
}

// Counts returns what happened so far.
func (d *Device) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

// ring wakes everybody who waits for a change. With d.mu held.
func (d *Device) ring() {
	close(d.bell)
	d.bell = make(chan struct{})
}

// cure ends a halt.
func (d *Device) cure() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults.halted = false
	d.ring()
}

// count changes the counts.
func (d *Device) count(f func(*Counts)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.counts)
}

// onBus reports whether the device is to be on the bus, and what to wait for.
func (d *Device) onBus() (bool, <-chan struct{}) {
	up := d.c.Up()
	d.mu.Lock()
	defer d.mu.Unlock()
	return up && !d.out, d.bell
}

// waitBus waits until the device is to be on the bus or off it.
func (d *Device) waitBus(ctx context.Context, want bool, done <-chan struct{}) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		on, bell := d.onBus()
		if on == want {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-done:
			return
		case <-bell:
		case <-tick.C:
		}
	}
}

// Serve takes guests until ctx ends, one at a time, and closes l.
func (d *Device) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		if err := d.ServeConn(ctx, conn); err != nil {
			d.c.Log.Warn("usb guest", "err", err)
		}
	}
}
