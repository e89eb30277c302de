package usbredir

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A guest is one connection from QEMU.
type guest struct {
	d     *Device
	conn  io.ReadWriteCloser
	ctx   context.Context
	codec codec
	caps  uint32 // of both
	send  chan message
	ready chan struct{} // closed once caps are known

	mu    sync.Mutex // guards now
	now   *visit     // nil: not on the bus
	setup byte       // configuration
}

// ServeConn is the device for the guest at the other end of conn, until that ends it or ctx does. It closes conn. The
// error is what the guest did wrong.
func (d *Device) ServeConn(ctx context.Context, conn io.ReadWriteCloser) error {
	defer conn.Close()
	select {
	case d.serving <- struct{}{}:
		defer func() { <-d.serving }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	g := &guest{d: d, conn: conn, ctx: ctx, send: make(chan message, 16 /* answers under way */), ready: make(chan struct{}), setup: 1}
	var work sync.WaitGroup
	work.Go(func() {
		defer cancel()
		g.write()
	})
	work.Go(g.visits)
	err := g.read()
	cancel()
	work.Wait()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) || ctx.Err() != nil && errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// say puts a message on its way.
func (g *guest) say(m message) {
	select {
	case g.send <- m:
	case <-g.ctx.Done():
	}
}

// write is the writer goroutine.
func (g *guest) write() {
	codec := codec{}
	b := codec.append(nil, message{kind: hello, body: helloBody("aboyeur simulated printer")})
	if _, err := g.conn.Write(b); err != nil {
		return
	}
	select {
	case <-g.ready:
	case <-g.ctx.Done():
		return
	}
	codec.wide = g.caps&cap64BitIDs != 0
	for {
		select {
		case m := <-g.send:
			b = codec.append(b[:0], m)
			if _, err := g.conn.Write(b); err != nil {
				return
			}
		case <-g.ctx.Done():
			return
		}
	}
}

// read handles what the guest says.
func (g *guest) read() error {
	m, err := g.codec.read(g.conn)
	if err != nil {
		return err
	}
	if m.kind != hello {
		return fmt.Errorf("message %d before hello", m.kind)
	}
	name, caps, err := parseHello(m.body)
	if err != nil {
		return err
	}
	g.d.c.Log.Debug("usb guest", "peer", name)
	g.caps = caps & ourCaps
	g.codec.wide = g.caps&cap64BitIDs != 0
	close(g.ready)
	for {
		m, err := g.codec.read(g.conn)
		if err != nil {
			return err
		}
		if err := g.handle(m); err != nil {
			return err
		}
	}
}

func (g *guest) long() bool { return g.caps&cap32BitLength != 0 }

// visit is the device's time on the bus, nil when it is not there.
func (g *guest) visit() *visit {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *guest) handle(m message) error {
	v := g.visit()
	if v == nil {
		return nil // said before the guest saw the device leave
	}
	short := func(n int) error {
		if len(m.body) < n {
			return fmt.Errorf("message %d of %d bytes: at least %d", m.kind, len(m.body), n)
		}
		return nil
	}
	switch m.kind {
	case reset:
		g.d.count(func(c *Counts) { c.Resets++ })
		g.d.cure()
		v.cancelAll()
	case setConfiguration:
		if err := short(1); err != nil {
			return err
		}
		g.setup = m.body[0]
		v.cancelAll()
		g.d.cure()
		g.describe()
		g.say(message{configurationStatus, m.id, []byte{byte(statusSuccess), g.setup}})
	case getConfiguration:
		g.say(message{configurationStatus, m.id, []byte{byte(statusSuccess), g.setup}})
	case setAltSetting, getAltSetting:
		if err := short(1); err != nil {
			return err
		}
		answer := []byte{byte(statusSuccess), m.body[0], 0}
		if m.kind == setAltSetting {
			if err := short(2); err != nil {
				return err
			}
			if answer[2] = m.body[1]; m.body[0] != 0 || m.body[1] != 0 {
				answer[0] = byte(statusStall)
			} else {
				g.d.cure()
			}
		}
		g.say(message{altSettingStatus, m.id, answer})
	case controlPacket:
		c, data, err := parseControl(m.body)
		if err != nil {
			return err
		}
		c, data = g.d.control(c, data)
		g.say(message{controlPacket, m.id, append(c.append(nil), data...)})
	case bulkPacket:
		h, data, err := parseBulk(m.body, g.long())
		if err != nil {
			return err
		}
		v.bulk(m.id, h, data)
	case cancelDataPacket:
		v.cancel(m.id)
	}
	return nil // what is not known is for devices that we are not
}

// describe tells of the interface and its pipes.
func (g *guest) describe() {
	g.say(message{interfaceInfo, 0, g.d.interfaceInfo()})
	g.say(message{epInfo, 0, g.d.epInfo(g.caps&capMaxPacketSize != 0)})
}

// control answers a control transfer. What QEMU asks with holds anything in the place of the status.
func (d *Device) control(c control, data []byte) (control, []byte) {
	c.status = statusSuccess
	reply := func(b []byte) (control, []byte) {
		b = b[:min(len(b), int(c.length))]
		c.length = uint16(len(b))
		return c, b
	}
	stall := func() (control, []byte) {
		c.status, c.length = statusStall, 0
		return c, nil
	}
	if c.kind&kindMask == kindClass {
		class, _ := d.class()
		if d.c.NoRequests || class != 7 {
			return stall()
		}
		switch {
		case c.request == getDeviceID && c.kind&toHost != 0:
			id := binary.BigEndian.AppendUint16(nil, uint16(len(d.c.DeviceID)+2))
			return reply(append(id, d.c.DeviceID...))
		case c.request == getPortStatus && c.kind&toHost != 0:
			return reply([]byte{d.c.Status()})
		case c.request == softReset && c.kind&toHost == 0:
			d.c.SoftReset()
			return reply(nil)
		}
		return stall()
	}
	switch {
	case c.kind&kindMask != 0:
		return stall()
	case c.request == getDescriptor:
		if b := d.descriptor(byte(c.value>>8), byte(c.value)); b != nil {
			return reply(b)
		}
		return stall()
	case c.request == getStatus:
		b := []byte{0, 0}
		if c.kind == 0x80 {
			b[0] = 1 // own power
		}
		return reply(b)
	case c.request == clearFeature:
		d.cure()
		return reply(nil)
	case c.request == setFeature:
		return reply(nil)
	}
	return stall()
}

// visits brings the device onto the bus and off it.
func (g *guest) visits() {
	select {
	case <-g.ready:
	case <-g.ctx.Done():
		return
	}
	never := make(chan struct{})
	for g.ctx.Err() == nil {
		g.d.waitBus(g.ctx, true, never)
		v := newVisit(g)
		here := pause(g.ctx, settle, v.over) && v.ctx.Err() == nil
		if here {
			g.d.cure()
			g.describe()
			g.mu.Lock()
			g.now = v
			g.mu.Unlock()
			g.d.count(func(c *Counts) { c.Connects++ })
			g.say(message{deviceConnect, 0, g.d.connectBody(g.caps&capDeviceVersion != 0)})
			g.d.waitBus(g.ctx, false, v.over)
			g.mu.Lock()
			g.now = nil
			g.mu.Unlock()
		}
		v.end() // before the guest hears of it: what it did not take by then it never takes
		if here {
			g.say(message{kind: deviceDisconnect})
		}
		pause(g.ctx, absent, never)
	}
}

// pause waits for d; false when something ended it.
func pause(ctx context.Context, d time.Duration, over <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
	case <-ctx.Done():
	}
	return false
}
