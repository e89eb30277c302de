// Package scan finds receipt printers on the networks this machine is in: which addresses take a connection at the raw
// port, and what stands there. It is slow and visible on the network, so it runs only when somebody asks for it, and it is
// bounded in addresses, time and connections.
//
// Nothing is printed. A device is asked for its status in real time first (DLE EOT 1, docs/spec/escpos.md 9), which no
// kind of printer prints, and for its name (GS I, 3) only when it answered as a receipt printer does: an office printer at
// the same port would put the letters of the second question on a page.
package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
)

// Bounds of a scan.
const (
	MaxAddresses   = 1024
	Parallel       = 64
	ConnectTimeout = 300 * time.Millisecond
	AnswerTimeout  = 500 * time.Millisecond // to each question
	RawPort        = 9100
	smallest       = 22 // of a larger network only the 1024 addresses around the machine's own are asked
)

// Config of a scan. The zero value asks every address of the machine's own private networks at RawPort.
type Config struct {
	Segments []netip.Prefix // nil means Segments()
	Port     uint16         // 0 means RawPort
	// Skip are addresses that are in use: a second connection would wait behind the first, or disturb it.
	Skip []netip.AddrPort
	// Neighbours gives hardware addresses; nil means Neighbours of this package.
	Neighbours func() map[netip.Addr]string
}

// Found is a device that takes connections at the raw port.
type Found struct {
	Address                         netip.AddrPort
	Hardware                        string // of its network socket, "" when the machine does not know it
	Answers                         bool   // it answers as a receipt printer does
	Maker, Device, Firmware, Serial string
}

// Result is what a scan found, by address.
type Result struct {
	Found []Found
	Asked int // addresses
	Took  time.Duration
}

// ErrNoNetwork reports a machine that is in no private IPv4 network.
var ErrNoNetwork = errors.New("this machine is in no private network; connect it to the printers' network")

// Run asks every address once. It ends early with ctx and then gives what it found so far together with the error.
func Run(ctx context.Context, c Config) (Result, error) {
	began := time.Now()
	list, err := c.addresses()
	if err != nil {
		return Result{}, err
	}
	var mu sync.Mutex // guards r
	var r Result
	each(ctx, list, func(a netip.Addr) {
		at := netip.AddrPortFrom(a, c.port())
		f, ok := ask(ctx, at)
		mu.Lock()
		defer mu.Unlock()
		r.Asked++
		if ok {
			r.Found = append(r.Found, f)
		}
	})
	known := c.neighbours()
	for i := range r.Found {
		r.Found[i].Hardware = known[r.Found[i].Address.Addr()]
	}
	slices.SortFunc(r.Found, func(a, b Found) int { return a.Address.Compare(b.Address) })
	r.Took = time.Since(began)
	return r, ctx.Err()
}

// Find looks for the device with a hardware address. It asks nothing of what it finds: a connection that is taken is
// closed again.
func Find(ctx context.Context, c Config, hardware string) (netip.Addr, bool, error) {
	list, err := c.addresses()
	if err != nil {
		return netip.Addr{}, false, err
	}
	var mu sync.Mutex // guards open
	var open []netip.Addr
	each(ctx, list, func(a netip.Addr) {
		p, err := connect(ctx, netip.AddrPortFrom(a, c.port()))
		if err != nil {
			return
		}
		p.Close()
		mu.Lock()
		open = append(open, a)
		mu.Unlock()
	})
	if err := ctx.Err(); err != nil {
		return netip.Addr{}, false, err
	}
	known := c.neighbours()
	for _, a := range open {
		if strings.EqualFold(known[a], hardware) {
			return a, true, nil
		}
	}
	return netip.Addr{}, false, nil
}

func (c Config) port() uint16 {
	if c.Port == 0 {
		return RawPort
	}
	return c.Port
}

func (c Config) neighbours() map[netip.Addr]string {
	if c.Neighbours == nil {
		return Neighbours()
	}
	return c.Neighbours()
}

// addresses lists what to ask, MaxAddresses at most.
func (c Config) addresses() ([]netip.Addr, error) {
	segments := c.Segments
	if segments == nil {
		var err error
		if segments, err = Segments(); err != nil {
			return nil, err
		}
	}
	var list []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, s := range segments {
		whole := s.Masked()
		for a := whole.Addr(); whole.Contains(a) && len(list) < MaxAddresses; a = a.Next() {
			if ends := whole.Bits() < 31 && (a == whole.Addr() || !whole.Contains(a.Next())); ends || seen[a] || slices.Contains(c.Skip, netip.AddrPortFrom(a, c.port())) {
				continue // the network's own address, and that of everybody on it
			}
			seen[a] = true
			list = append(list, a)
		}
	}
	if len(segments) == 0 {
		return nil, ErrNoNetwork
	}
	return list, nil
}

// Segments are the private IPv4 networks of the machine, each cut to the 1024 addresses around its own.
func Segments() ([]netip.Prefix, error) {
	cards, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the network interfaces: %w", err)
	}
	var list []netip.Prefix
	for _, card := range cards {
		if card.Flags&net.FlagUp == 0 || card.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
			continue
		}
		addrs, err := card.Addrs()
		if err != nil {
			continue // it went away while we looked
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err != nil || !p.Addr().Is4() || !p.Addr().IsPrivate() && !p.Addr().IsLinkLocalUnicast() {
				continue
			}
			p = netip.PrefixFrom(p.Addr(), max(p.Bits(), smallest)).Masked()
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	if len(list) == 0 {
		return nil, ErrNoNetwork
	}
	return list, nil
}

// each calls f for every address, Parallel at once, until ctx ends.
func each(ctx context.Context, list []netip.Addr, f func(netip.Addr)) {
	next := make(chan netip.Addr)
	var all sync.WaitGroup
	for range min(Parallel, len(list)) {
		all.Go(func() {
			for a := range next {
				f(a)
			}
		})
	}
feed:
	for _, a := range list {
		select {
		case next <- a:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	all.Wait()
}

func connect(ctx context.Context, at netip.AddrPort) (port.Port, error) {
	return port.Open(ctx, port.Address{Scheme: port.TCP, Host: at.Addr().String(), Port: at.Port()}, port.Options{DialTimeout: ConnectTimeout, WriteTimeout: AnswerTimeout})
}

// ask connects to an address and, when a receipt printer is there, asks who it is.
func ask(ctx context.Context, at netip.AddrPort) (f Found, ok bool) {
	p, err := connect(ctx, at)
	if err != nil {
		return f, false
	}
	defer p.Close()
	stop := context.AfterFunc(ctx, func() { _ = p.SetReadDeadline(time.Now()) })
	defer stop()
	f.Address = at
	l := &listener{p: p}
	if !l.question(escpos.AppendStatusRequest(nil, 1), escpos.ReplyRealTime) {
		return f, true
	}
	f.Answers = true
	for _, q := range []struct {
		n    byte
		into *string
	}{{escpos.IdentifyMaker, &f.Maker}, {escpos.IdentifyName, &f.Device}, {escpos.IdentifyFirmware, &f.Firmware}, {escpos.IdentifySerial, &f.Serial}} {
		if ctx.Err() != nil || !l.question(escpos.AppendIdentify(nil, q.n), escpos.ReplyText) {
			break
		}
		*q.into = strings.TrimSpace(string(l.text))
	}
	return f, true
}

// listener takes answers from a port.
type listener struct {
	p    port.Port
	r    escpos.Replies
	text []byte
}

// question sends b and waits for an answer of this kind.
func (l *listener) question(b []byte, want escpos.ReplyKind) bool {
	if _, err := l.p.Write(b); err != nil {
		return false
	}
	if l.p.SetReadDeadline(time.Now().Add(AnswerTimeout)) != nil {
		return false
	}
	buf := make([]byte, 256)
	for {
		n, err := l.p.Read(buf)
		for _, r := range l.r.Feed(nil, buf[:n]) {
			switch r.Kind {
			case want:
				l.text = r.Data
				return true
			case escpos.ReplyASB, escpos.ReplyXON, escpos.ReplyXOFF, escpos.ReplyRealTime:
			default:
				return false // another language, which has such letters in the middle
			}
		}
		if err != nil {
			return false // late, or gone; a device that talks on and on ends at the deadline
		}
	}
}

// Neighbours is the machine's table of hardware addresses, as far as Linux shows it: only of devices that were spoken to,
// and that stand in the same network.
func Neighbours() map[netip.Addr]string {
	f, err := os.Open("/proc/net/arp")
	if err != nil {
		return nil
	}
	defer f.Close()
	const most = 1 << 20
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil
	}
	return parseNeighbours(string(b))
}

// parseNeighbours reads the table: address, type, flags, hardware address, mask, interface. A line it cannot read, or of a
// device that did not answer, is skipped.
func parseNeighbours(table string) map[netip.Addr]string {
	const complete = 2 // of the flags
	known := map[netip.Addr]string{}
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) < 6 {
			continue
		}
		a, err := netip.ParseAddr(words[0])
		if err != nil {
			continue
		}
		var flags int
		if _, err := fmt.Sscanf(words[2], "0x%x", &flags); err != nil || flags&complete == 0 {
			continue
		}
		if hardware, err := net.ParseMAC(words[3]); err == nil && len(hardware) == 6 {
			known[a] = hardware.String()
		}
	}
	return known
}

// Identify prints a number in the largest letters on the device at an address, so that a person who stands before several
// sees which one it is. It waits for no proof: whoever asked looks at the paper.
func Identify(ctx context.Context, at netip.AddrPort, p escpos.Profile, language string, number int, lines ...string) error {
	device, err := port.Open(ctx, port.Address{Scheme: port.TCP, Host: at.Addr().String(), Port: at.Port()}, port.Options{})
	if err != nil {
		return err
	}
	defer device.Close()
	_, err = device.Write(Slip(p, language, number, lines...))
	return err
}

// Slip is the paper of Identify.
func Slip(p escpos.Profile, language string, number int, lines ...string) []byte {
	return escpos.AppendCut(append(escpos.AppendInit(nil, p, language), SlipBody(p, language, number, lines...)...), p)
}

// SlipBody is Slip without what makes a print job of it.
func SlipBody(p escpos.Profile, language string, number int, lines ...string) []byte {
	e := escpos.NewEncoder(p, language)
	e.Align(escpos.AlignCentre)
	e.Set(escpos.Style{Bold: true, Width: byte(p.MaxSize), Height: byte(p.MaxSize)})
	e.Line(fmt.Sprint(number))
	e.Plain()
	for _, line := range lines {
		e.Wrap("", "", line)
	}
	e.Align(escpos.AlignLeft)
	return e.Finish()
}
