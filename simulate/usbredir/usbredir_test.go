package usbredir

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/simulate/printer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const enough = time.Minute

// A client is the guest's side of the protocol: what QEMU is.
type client struct {
	t     *testing.T
	conn  net.Conn
	codec codec
	long  bool
	last  uint64

	mu      sync.Mutex
	bell    chan struct{}
	answers map[uint64]message
	seen    []kind // without an id of ours
	bodies  map[kind][]byte
	err     error
	done    chan struct{}
}

// dial connects a guest with these capabilities to d.
func dial(t *testing.T, d *Device, caps uint32) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- d.ServeConn(ctx, theirs) }()
	c := &client{t: t, conn: ours, bell: make(chan struct{}), answers: map[uint64]message{}, bodies: map[kind][]byte{}, done: make(chan struct{})}
	m, err := c.codec.read(ours)
	if err != nil || m.kind != hello {
		t.Fatalf("first message = %+v, %v", m, err)
	}
	if _, theirCaps, err := parseHello(m.body); err != nil || theirCaps != ourCaps {
		t.Fatalf("hello = %x, %v", theirCaps, err)
	}
	body := helloBody("test guest")
	binary.LittleEndian.PutUint32(body[versionSize:], caps)
	c.put(message{kind: hello, body: body})
	c.codec.wide = caps&cap64BitIDs != 0
	c.long = caps&cap32BitLength != 0
	go c.listen()
	t.Cleanup(func() {
		ours.Close()
		<-c.done
		if err := <-served; err != nil {
			t.Errorf("ServeConn = %v", err)
		}
		cancel()
	})
	return c
}

func (c *client) put(m message) {
	c.t.Helper()
	if _, err := c.conn.Write(c.codec.append(nil, m)); err != nil {
		c.t.Errorf("send %d: %v", m.kind, err)
	}
}

func (c *client) listen() {
	defer close(c.done)
	for {
		m, err := c.codec.read(c.conn)
		c.mu.Lock()
		if err != nil {
			c.err = err
			c.mu.Unlock()
			return
		}
		if m.id != 0 {
			c.answers[m.id] = m
		} else {
			c.seen = append(c.seen, m.kind)
			c.bodies[m.kind] = m.body
		}
		close(c.bell)
		c.bell = make(chan struct{})
		c.mu.Unlock()
	}
}

// until waits for cond, which it calls with c.mu held.
func (c *client) until(what string, cond func() bool) {
	c.t.Helper()
	late := time.After(enough)
	for {
		c.mu.Lock()
		ok, bell := cond(), c.bell
		c.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-bell:
		case <-late:
			c.t.Fatalf("%s did not come", what)
		}
	}
}

// times waits until a message of kind k came n times.
func (c *client) times(k kind, n int) {
	c.t.Helper()
	c.until("a message", func() bool {
		got := 0
		for _, s := range c.seen {
			if s == k {
				got++
			}
		}
		return got >= n
	})
}

func (c *client) begin(k kind, body []byte) uint64 {
	c.t.Helper()
	c.last++
	c.put(message{k, c.last, body})
	return c.last
}

func (c *client) answer(id uint64) message {
	c.t.Helper()
	var m message
	c.until("an answer", func() bool {
		var ok bool
		m, ok = c.answers[id]
		return ok
	})
	return m
}

func (c *client) answered(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.answers[id]
	return ok
}

func (c *client) bulkOut(data []byte) uint64 {
	c.t.Helper()
	return c.begin(bulkPacket, append(bulk{endpoint: DefaultOut, length: uint32(len(data))}.append(nil, c.long), data...))
}

func (c *client) bulkIn(n int) uint64 {
	c.t.Helper()
	return c.begin(bulkPacket, bulk{endpoint: endpointIn | DefaultIn, length: uint32(n)}.append(nil, c.long))
}

func (c *client) bulkAnswer(id uint64) (bulk, []byte) {
	c.t.Helper()
	h, data, err := parseBulk(c.answer(id).body, c.long)
	if err != nil {
		c.t.Fatal(err)
	}
	return h, data
}

// write sends data and wants this outcome.
func (c *client) write(data []byte, want status) int {
	c.t.Helper()
	h, _ := c.bulkAnswer(c.bulkOut(data))
	if h.status != want {
		c.t.Errorf("bulk out of %d bytes ended with %d, want %d", len(data), h.status, want)
	}
	return int(h.length)
}

// read collects n bytes.
func (c *client) read(n int) []byte {
	c.t.Helper()
	var all []byte
	for len(all) < n {
		h, data := c.bulkAnswer(c.bulkIn(64))
		if h.status != statusSuccess || int(h.length) != len(data) {
			c.t.Fatalf("bulk in ended with %d, %d bytes", h.status, h.length)
		}
		all = append(all, data...)
	}
	return all
}

func (c *client) control(kind, request byte, value, index, length uint16) (control, []byte) {
	c.t.Helper()
	m := c.answer(c.begin(controlPacket, control{request: request, kind: kind, status: 162 /* as QEMU: anything */, value: value, index: index, length: length}.append(nil)))
	h, data, err := parseControl(m.body)
	if err != nil {
		c.t.Fatal(err)
	}
	return h, data
}

// rig is a printer on a device.
func rig(t *testing.T, c Config, pc printer.Config) (*Device, *printer.Printer) {
	t.Helper()
	p, err := printer.New(pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	c.Serve = p.ServeConn
	if c.Up == nil {
		c.Up = func() bool { return p.State().Power }
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d, p
}

func do(t *testing.T, d *Device, command string) {
	t.Helper()
	if err := d.Do(command); err != nil {
		t.Fatal(err)
	}
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

func tickets(p *printer.Printer) []string {
	var all []string
	for _, t := range p.Tickets() {
		all = append(all, strings.TrimSpace(t.Text))
	}
	return all
}

const (
	cut   = "\x1dV\x00"
	token = "\x1d(H\x06\x0000abcd"
	echo  = "\x37\x22abcd\x00"
)

func TestPrintsAndAnswers(t *testing.T) {
	for _, tt := range []struct {
		name string
		caps uint32
	}{{"as QEMU does", ourCaps}, {"an old guest", 0}} {
		t.Run(tt.name, func(t *testing.T) {
			d, p := rig(t, Config{Serial: "SIM1"}, printer.Config{})
			c := dial(t, d, tt.caps)
			c.times(deviceConnect, 1)
			if b := c.bodies[deviceConnect]; b[0] != speedFull || binary.LittleEndian.Uint16(b[4:]) != DefaultVendor || binary.LittleEndian.Uint16(b[6:]) != DefaultProduct {
				t.Errorf("connect = %x", b)
			}
			if got := c.answer(c.begin(setConfiguration, []byte{1})).body; !bytes.Equal(got, []byte{0, 1}) {
				t.Errorf("set configuration = %x", got)
			}
			if n := c.write([]byte("one coffee\n"+token+cut), statusSuccess); n != 11+len(token)+len(cut) {
				t.Errorf("%d bytes taken", n)
			}
			if got := c.read(len(echo)); string(got) != echo {
				t.Errorf("answer = %q, want %q", got, echo)
			}
			soon(t, "the ticket", func() bool { return len(p.Tickets()) == 1 })
			if got := tickets(p); got[0] != "one coffee" {
				t.Errorf("paper = %q", got)
			}
			if got := d.Counts(); got.Connects != 1 || got.Transfers != 1 || got.Cancelled != 0 {
				t.Errorf("counts = %+v", got)
			}
		})
	}
}

func TestDescriptors(t *testing.T) {
	d, _ := rig(t, Config{Serial: "J5SG004711", Name: "TM-T88 – é", DeviceID: "MFG:EPSON;CMD:ESC/POS;"}, printer.Config{})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	get := func(kind, index byte, n uint16) []byte {
		h, data := c.control(0x80, getDescriptor, uint16(kind)<<8|uint16(index), 0, n)
		if h.status != statusSuccess || int(h.length) != len(data) {
			t.Errorf("descriptor %d.%d: status %d, length %d", kind, index, h.status, h.length)
		}
		return data
	}
	if b := get(typeDevice, 0, 64); len(b) != 18 || b[0] != 18 || binary.LittleEndian.Uint16(b[8:]) != DefaultVendor {
		t.Errorf("device = %x", b)
	}
	if b := get(typeConfig, 0, 9); len(b) != 9 || b[2] != 32 {
		t.Errorf("head of configuration = %x", b)
	}
	b := get(typeConfig, 0, 255)
	if len(b) != 32 || b[14] != 7 || b[15] != 1 || b[16] != 2 || b[20] != DefaultOut || b[27] != 0x80|DefaultIn {
		t.Errorf("configuration = %x", b)
	}
	if b := get(typeString, stringSerial, 255); string(b) != "\x16\x03J\x005\x00S\x00G\x000\x000\x004\x007\x001\x001\x00" {
		t.Errorf("serial = %q", b)
	}
	if h, _ := c.control(0x80, getDescriptor, 6<<8, 0, 10); h.status != statusStall {
		t.Errorf("device qualifier of a full speed device: %d", h.status)
	}
	if _, b := c.control(0xA1, getDeviceID, 0, 0, 1024); string(b) != "\x00\x18MFG:EPSON;CMD:ESC/POS;" {
		t.Errorf("device id = %q", b)
	}
	if _, b := c.control(0xA1, getPortStatus, 0, 0, 1); string(b) != "\x18" {
		t.Errorf("port status = %q", b)
	}
	if h, _ := c.control(0x21, softReset, 0, 0, 0); h.status != statusSuccess {
		t.Errorf("soft reset: %d", h.status)
	}
	if h, _ := c.control(0x40, 7, 0, 0, 0); h.status != statusStall {
		t.Errorf("a vendor's request: %d", h.status)
	}
	if got := c.answer(c.begin(setAltSetting, []byte{0, 3})).body; got[0] != byte(statusStall) {
		t.Errorf("alternate setting 3: %x", got)
	}
	if got := c.answer(c.begin(getAltSetting, []byte{0})).body; !bytes.Equal(got, []byte{0, 0, 0}) {
		t.Errorf("alternate setting: %x", got)
	}
	if got := c.answer(c.begin(getConfiguration, nil)).body; !bytes.Equal(got, []byte{0, 1}) {
		t.Errorf("configuration: %x", got)
	}
}

func TestVendorClassAndOneWay(t *testing.T) {
	d, _ := rig(t, Config{Vendored: true}, printer.Config{})
	if b := d.descriptor(typeConfig, 0); b[14] != 0xFF {
		t.Errorf("configuration = %x", b)
	}
	if c, _ := d.control(control{kind: 0xA1, request: getDeviceID, length: 100}, nil); c.status != statusStall {
		t.Errorf("device id of a vendor's class: %d", c.status)
	}
	d, _ = rig(t, Config{OneWay: true}, printer.Config{})
	if b := d.descriptor(typeConfig, 0); len(b) != 25 || b[13] != 1 || b[16] != 1 {
		t.Errorf("configuration = %x", b)
	}
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	if h, _ := c.bulkAnswer(c.bulkIn(64)); h.status != statusInvalid {
		t.Errorf("reading from a one-way printer: %d", h.status)
	}
}

// A printer that takes no more keeps the transfer, and what it took of a cancelled one it prints.
func TestNAKAndPartialAcceptance(t *testing.T) {
	d, p := rig(t, Config{}, printer.Config{})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	do(t, d, "accept 20")
	id := c.bulkOut([]byte("0123456789\nABCDEFGHIJKLMNOP\n" + cut))
	soon(t, "twenty bytes", func() bool { return d.Counts().Taken == 20 })
	if c.answered(id) {
		t.Fatal("answered before it was taken")
	}
	// Status comes through all the same.
	if h, b := c.control(0xA1, getPortStatus, 0, 0, 1); h.status != statusSuccess || b[0] != DefaultStatus {
		t.Errorf("port status = %d, %x", h.status, b)
	}
	c.put(message{kind: cancelDataPacket, id: id})
	if h, _ := c.bulkAnswer(id); h.status != statusCancelled || h.length != 20 {
		t.Errorf("cancelled with %d, %d bytes", h.status, h.length)
	}
	do(t, d, "ack")
	c.write([]byte("rest\n"+cut), statusSuccess)
	soon(t, "the ticket", func() bool { return len(p.Tickets()) == 1 })
	if got := tickets(p)[0]; got != "0123456789\nABCDEFGHIrest" {
		t.Errorf("paper = %q", got)
	}
	if got := d.Counts(); got.Cancelled != 1 || got.Partial != 1 {
		t.Errorf("counts = %+v", got)
	}
	// Without cancelling it goes on where it stopped.
	do(t, d, "nak")
	id = c.bulkOut([]byte("later\n" + cut))
	do(t, d, "ack")
	if h, _ := c.bulkAnswer(id); h.status != statusSuccess {
		t.Errorf("after ack: %d", h.status)
	}
	soon(t, "the second ticket", func() bool { return len(p.Tickets()) == 2 })
}

// A full buffer is a NAK too: paper out, and nothing of ours says so.
func TestPaperOutFillsTheBuffer(t *testing.T) {
	d, p := rig(t, Config{}, printer.Config{ReceiveBuffer: 256})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	if err := p.Inject(printer.Fault{Kind: printer.PaperOut}); err != nil {
		t.Fatal(err)
	}
	id := c.bulkOut([]byte(strings.Repeat("line\n", 200) + cut))
	soon(t, "a full buffer", func() bool { return d.Counts().Taken >= 256-packetSize })
	if c.answered(id) {
		t.Error("answered by a printer without paper")
	}
	if err := p.Lift(printer.PaperOut); err != nil {
		t.Fatal(err)
	}
	if h, _ := c.bulkAnswer(id); h.status != statusSuccess || h.length != 1000+uint32(len(cut)) {
		t.Errorf("after a new roll: %d, %d bytes", h.status, h.length)
	}
}

func TestStallStaysUntilCured(t *testing.T) {
	d, _ := rig(t, Config{}, printer.Config{})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	for _, cure := range []struct {
		name string
		do   func()
	}{
		{"reset", func() { c.put(message{kind: reset}) }},
		{"clear feature", func() { c.control(0x02, clearFeature, 0, DefaultOut, 0) }},
		{"configuration", func() { c.answer(c.begin(setConfiguration, []byte{1})) }},
		{"interface", func() { c.answer(c.begin(setAltSetting, []byte{0, 0})) }},
	} {
		t.Run(cure.name, func(t *testing.T) {
			do(t, d, "stall 5")
			if n := c.write([]byte("0123456789"), statusStall); n != 5 {
				t.Errorf("%d bytes before the stall", n)
			}
			c.write([]byte("0123456789"), statusStall)
			cure.do()
			c.write([]byte("0123456789"), statusSuccess)
		})
	}
	if got := d.Counts(); got.Stalls != 8 || got.Resets != 1 {
		t.Errorf("counts = %+v", got)
	}
}

func TestUnplugAndReplug(t *testing.T) {
	d, p := rig(t, Config{}, printer.Config{})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	c.write([]byte("half a tick"), statusSuccess)
	do(t, d, "nak")
	id := c.bulkOut([]byte("et"))
	in := c.bulkIn(64)
	do(t, d, "unplug")
	c.times(deviceDisconnect, 1)
	do(t, d, "ack")
	c.write2(t, "lost")
	do(t, d, "plug")
	c.times(deviceConnect, 2)
	if c.answered(id) || c.answered(in) {
		t.Error("a transfer of before was answered")
	}
	c.write([]byte("et\n"+cut), statusSuccess)
	soon(t, "the ticket", func() bool { return len(p.Tickets()) == 1 })
	if got := tickets(p)[0]; got != "half a ticket" {
		t.Errorf("paper = %q", got)
	}
}

// write2 sends to a device that is not there.
func (c *client) write2(t *testing.T, s string) {
	t.Helper()
	id := c.bulkOut([]byte(s))
	if c.answered(id) {
		t.Error("answered by nobody")
	}
}

// A printer that is switched off leaves the bus and comes back.
func TestPowerCycle(t *testing.T) {
	d, p := rig(t, Config{}, printer.Config{})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	c.write([]byte("lost\n"), statusSuccess)
	if err := p.Inject(printer.Fault{Kind: printer.PowerCycle, For: printer.Duration(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	c.times(deviceDisconnect, 1)
	if err := p.Lift(printer.PowerCycle); err != nil {
		t.Fatal(err)
	}
	c.times(deviceConnect, 2)
	c.write([]byte("new\n"+cut), statusSuccess)
	soon(t, "the ticket", func() bool { return p.State().Cuts == 1 })
}

func TestSlow(t *testing.T) {
	d, _ := rig(t, Config{}, printer.Config{})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	do(t, d, "slow 100")
	began := time.Now()
	c.write([]byte("0123456789"), statusSuccess)
	if took := time.Since(began); took < 90*time.Millisecond {
		t.Errorf("10 bytes at 100 a second took %v", took)
	}
	do(t, d, "slow 1")
	id := c.bulkOut([]byte("0123456789"))
	c.put(message{kind: cancelDataPacket, id: id})
	if h, _ := c.bulkAnswer(id); h.status != statusCancelled {
		t.Errorf("cancelled: %d", h.status)
	}
	do(t, d, "fast")
	c.write([]byte("0123456789"), statusSuccess)
}

func TestCancelledReadLosesNothing(t *testing.T) {
	d, _ := rig(t, Config{}, printer.Config{})
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
	id := c.bulkIn(64)
	c.put(message{kind: cancelDataPacket, id: id})
	if h, _ := c.bulkAnswer(id); h.status != statusCancelled {
		t.Errorf("cancelled: %d", h.status)
	}
	c.write([]byte(token), statusSuccess)
	first := c.bulkIn(3)
	h, head := c.bulkAnswer(first)
	if h.length != 3 {
		t.Errorf("a read of 3 gave %d", h.length)
	}
	if got := string(head) + string(c.read(len(echo)-3)); got != echo {
		t.Errorf("answer = %q", got)
	}
}

func TestDoSaysWhatIsWrong(t *testing.T) {
	d, _ := rig(t, Config{}, printer.Config{})
	for command, want := range map[string]string{
		"":           `command "": there is none of this name; write one of ` + commands,
		"jam":        `command "jam": there is none of this name; write one of ` + commands,
		"unplug now": `command "unplug now": unplug stands alone`,
		"accept":     `command "accept" wants a number of bytes, as in accept 1000`,
		"stall x":    `command "stall x" wants a number of bytes, as in stall 1000`,
		"slow 0":     `command "slow 0" wants a number of bytes, as in slow 1000`,
		"accept -1":  `command "accept -1" wants a number of bytes, as in accept 1000`,
	} {
		if err := d.Do(command); err == nil || err.Error() != want {
			t.Errorf("Do(%q) = %v, want %s", command, err, want)
		}
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	serve := func(context.Context, io.ReadWriteCloser) error { return nil }
	for _, c := range []Config{{}, {Serve: serve, Out: 16}, {Serve: serve, Serial: strings.Repeat("x", 101)}, {Serve: serve, DeviceID: strings.Repeat("x", 2000)}} {
		if _, err := New(c); err == nil {
			t.Errorf("New(%+v) has no error", c)
		}
	}
}

// Guests that talk nonsense are sent away and the next one is served.
func TestHostileGuests(t *testing.T) {
	d, _ := rig(t, Config{}, printer.Config{})
	h := codec{}
	greeting := h.append(nil, message{kind: hello, body: helloBody("evil")})
	wide := codec{wide: true}
	for _, b := range [][]byte{
		{},
		{1, 2, 3},
		h.append(nil, message{kind: bulkPacket}),
		h.append(nil, message{kind: hello, body: []byte("x")}),
		{0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0},
		append(bytes.Clone(greeting), 100, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9),
		wide.append(bytes.Clone(greeting), message{kind: 77, body: []byte("nobody knows")}),
	} {
		ours, theirs := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- d.ServeConn(context.Background(), theirs) }()
		go io.Copy(io.Discard, ours)
		ours.SetWriteDeadline(time.Now().Add(enough))
		if _, err := ours.Write(b); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("write: %v", err)
		}
		ours.Close()
		select {
		case <-served:
		case <-time.After(enough):
			t.Fatalf("%x holds the device", b)
		}
	}
	c := dial(t, d, ourCaps)
	c.times(deviceConnect, 1)
}

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := rig(t, Config{}, printer.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Serve(ctx, l) }()
	for range 2 { // one after the other
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		var c codec
		conn.SetDeadline(time.Now().Add(enough))
		if m, err := c.read(conn); err != nil || m.kind != hello {
			t.Errorf("hello = %+v, %v", m, err)
		}
		conn.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// Whatever a guest sends, the device neither panics nor stays.
func FuzzGuest(f *testing.F) {
	c := codec{}
	greeting := c.append(nil, message{kind: hello, body: helloBody("fuzz")})
	w := codec{wide: true}
	f.Add(w.append(bytes.Clone(greeting), message{controlPacket, 1, control{kind: 0x80, request: getDescriptor, value: 0x100, length: 64}.append(nil)}))
	f.Add(w.append(bytes.Clone(greeting), message{bulkPacket, 2, append(bulk{endpoint: 1, length: 3}.append(nil, true), "abc"...)}))
	f.Add(w.append(bytes.Clone(greeting), message{setConfiguration, 3, nil}))
	f.Add([]byte{0, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		var served atomic.Int32
		d, err := New(Config{Serve: func(ctx context.Context, conn io.ReadWriteCloser) error {
			served.Add(1)
			go func() { <-ctx.Done(); conn.Close() }()
			_, err := io.Copy(io.Discard, conn)
			return err
		}})
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- d.ServeConn(context.Background(), theirs) }()
		go io.Copy(io.Discard, ours)
		ours.SetWriteDeadline(time.Now().Add(enough))
		_, _ = ours.Write(b) // the device may end it
		ours.Close()
		select {
		case <-done:
		case <-time.After(enough):
			t.Fatal("the device stays")
		}
	})
}
