package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/escpos"
	"aboyeur/simulate/printer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// street is a few neighbours on the loopback network with the same port number.
type street struct {
	t    *testing.T
	port uint16
	wait sync.WaitGroup
}

func newStreet(t *testing.T) *street {
	s := &street{t: t}
	t.Cleanup(s.wait.Wait)
	return s
}

// house opens the n-th neighbour's port.
func (s *street) house(n int) net.Listener {
	s.t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:%d", n, s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	s.port = uint16(l.Addr().(*net.TCPAddr).Port)
	return l
}

func (s *street) printer(n int, c printer.Config) *printer.Printer {
	s.t.Helper()
	c.Log = slog.New(slog.DiscardHandler)
	p, err := printer.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	l := s.house(n)
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	s.wait.Go(func() { _ = p.Serve(ctx, l) })
	return p
}

// stranger opens a house where something else lives: answer talks, and heard gives all that was said to it once nobody is
// connected any more.
func (s *street) stranger(n int, answer func(net.Conn)) (heard func() []byte) {
	s.t.Helper()
	var all bytes.Buffer
	var talking sync.WaitGroup
	l := s.house(n)
	s.t.Cleanup(func() { l.Close() })
	s.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talking.Go(func() { // the scan connects once
				defer c.Close()
				if answer != nil {
					answer(c)
				}
				_, _ = io.Copy(&all, c)
			})
		}
	})
	return func() []byte { talking.Wait(); return all.Bytes() }
}

var loop = netip.MustParsePrefix("127.0.0.0/29")

func TestScanFindsPrintersAndPrintsNothing(t *testing.T) {
	s := newStreet(t)
	kitchen := s.printer(1, printer.Config{Serial: "ABC123"})
	clone := s.printer(2, printer.Config{Model: "xprinter-80mm", Without: printer.Identify})
	office := s.stranger(3, nil)
	chatty := s.stranger(4, func(c net.Conn) { // talks and never answers
		for _, err := c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); err == nil; _, err = c.Write(make([]byte, 4096)) {
		}
	})
	taken := s.printer(5, printer.Config{})
	before := taken.State().Connections
	r, err := Run(t.Context(), Config{Segments: []netip.Prefix{loop, loop}, Port: s.port, Skip: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.5"), s.port)},
		Neighbours: func() map[netip.Addr]string {
			return map[netip.Addr]string{netip.MustParseAddr("127.0.0.1"): "00:26:ab:01:02:03"}
		}})
	if err != nil || r.Asked != 5 || len(r.Found) != 4 {
		t.Fatalf("%+v %v; want 5 asked, 4 found", r, err)
	}
	want := Found{Address: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.port), Hardware: "00:26:ab:01:02:03", Answers: true,
		Maker: printer.DefaultMaker, Device: printer.DefaultDevice, Firmware: printer.DefaultFirmware, Serial: "ABC123"}
	if r.Found[0] != want {
		t.Errorf("found %+v, want %+v", r.Found[0], want)
	}
	if f := r.Found[1]; !f.Answers || f.Maker != "" {
		t.Errorf("a clone without a name is %+v", f)
	}
	for _, f := range r.Found[2:] {
		if f.Answers || f.Maker != "" {
			t.Errorf("what is no receipt printer is %+v", f)
		}
	}
	if got := office(); !bytes.Equal(got, escpos.AppendStatusRequest(nil, 1)) {
		t.Errorf("an office printer heard % x, want the status question alone", got)
	}
	chatty()
	for _, p := range []*printer.Printer{kitchen, clone} {
		if p.Paper() != "" || len(p.Tickets()) != 0 {
			t.Errorf("the scan printed: %q", p.Paper())
		}
	}
	if n := taken.State().Connections; n != before {
		t.Error("a printer in use was connected to")
	}
}

func TestFindByHardware(t *testing.T) {
	s := newStreet(t)
	s.printer(2, printer.Config{})
	moved := netip.MustParseAddr("127.0.0.2")
	c := Config{Segments: []netip.Prefix{loop}, Port: s.port, Neighbours: func() map[netip.Addr]string {
		return map[netip.Addr]string{moved: "00:26:ab:01:02:03", netip.MustParseAddr("127.0.0.3"): "00:26:ab:0f:0f:0f"}
	}}
	if a, ok, err := Find(t.Context(), c, "00:26:AB:01:02:03"); err != nil || !ok || a != moved {
		t.Errorf("Find = %v %v %v, want %v", a, ok, err, moved)
	}
	// What the table names and nobody answers for is not where it is now.
	if a, ok, err := Find(t.Context(), c, "00:26:ab:0f:0f:0f"); err != nil || ok {
		t.Errorf("Find = %v %v %v, want nothing", a, ok, err)
	}
}

func TestBounds(t *testing.T) {
	list, err := Config{Segments: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("192.168.1.0/24")}}.addresses()
	if err != nil || len(list) != MaxAddresses || list[0] != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("%d addresses from %v, %v; want %d from 10.0.0.1", len(list), list[0], err, MaxAddresses)
	}
	if list, _ := (Config{Segments: []netip.Prefix{netip.MustParsePrefix("192.168.1.40/32")}}).addresses(); len(list) != 1 {
		t.Errorf("one address is %v", list)
	}
	if _, err := (Config{Segments: []netip.Prefix{}}).addresses(); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("no network: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := Run(ctx, Config{Segments: []netip.Prefix{loop}, Port: 1}); !errors.Is(err, context.Canceled) || r.Asked > Parallel {
		t.Errorf("cancelled: %+v %v", r, err)
	}
	began := time.Now()
	if r, err := Run(t.Context(), Config{Segments: []netip.Prefix{loop}, Port: 1}); err != nil || r.Asked != 6 || len(r.Found) != 0 || r.Took > time.Since(began) {
		t.Errorf("nobody there: %+v %v", r, err)
	}
}

func TestNeighbours(t *testing.T) {
	const table = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.40     0x1         0x2         00:26:AB:01:02:03     *        eth0
192.168.1.41     0x1         0x0         00:00:00:00:00:00     *        eth0
fe80::1          0x1         0x2         zz                    *        eth0
192.168.1.42     0x1
`
	got := parseNeighbours(table)
	if len(got) != 1 || got[netip.MustParseAddr("192.168.1.40")] != "00:26:ab:01:02:03" {
		t.Errorf("neighbours %v, want the one that answered", got)
	}
}

func TestIdentify(t *testing.T) {
	s := newStreet(t)
	p := s.printer(1, printer.Config{})
	profile, _ := escpos.ProfileFor("generic-80mm")
	if err := Identify(t.Context(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.port), profile, "fr", 7, "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); len(p.Tickets()) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if got := p.Tickets(); len(got) != 1 || !bytes.Contains([]byte(got[0].Text), []byte("7")) {
		t.Errorf("paper %+v, want a slip with 7", got)
	}
}

func FuzzNeighbours(f *testing.F) {
	f.Add("192.168.1.40     0x1         0x2         00:26:AB:01:02:03     *        eth0\n")
	f.Fuzz(func(t *testing.T, table string) {
		for a, hardware := range parseNeighbours(table) {
			if !a.IsValid() || len(hardware) != len("00:26:ab:01:02:03") {
				t.Errorf("%v has %q", a, hardware)
			}
		}
	})
}
