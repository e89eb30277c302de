package usbredir

import (
	"context"
	"net"
	"sync"
	"time"
)

// A visit is the device's time on the bus, from being plugged in to leaving: one connection to the printer.
type visit struct {
	g      *guest
	d      *Device
	ctx    context.Context
	leave  context.CancelFunc
	over   chan struct{} // closed when the printer ended the connection
	wire   net.Conn      // our end of it
	work   sync.WaitGroup
	orders chan *transfer // OUT, in order
	fetch  chan *transfer // IN, in order

	mu   sync.Mutex // guards open
	open map[uint64]*transfer
}

// maxTransfers a pipe may have under way; a host controller has fewer.
const maxTransfers = 256

// A transfer is a bulk packet of the guest that was not answered yet.
type transfer struct {
	id     uint64
	head   bulk
	data   []byte
	ctx    context.Context
	cancel context.CancelFunc
}

func newVisit(g *guest) *visit {
	v := &visit{g: g, d: g.d, over: make(chan struct{}), open: make(map[uint64]*transfer),
		orders: make(chan *transfer, maxTransfers), fetch: make(chan *transfer, maxTransfers)}
	v.ctx, v.leave = context.WithCancel(g.ctx)
	var printer net.Conn
	v.wire, printer = net.Pipe()
	v.work.Go(func() {
		defer close(v.over)
		defer v.leave()
		// How it ends is the printer's affair; a printer that takes no connection is not on the bus.
		_ = v.d.c.Serve(v.ctx, printer)
		printer.Close()
	})
	v.work.Go(v.take)
	v.work.Go(v.give)
	return v
}

// end takes the device off the bus.
func (v *visit) end() {
	v.leave()
	v.wire.Close()
	v.work.Wait()
}

// bulk begins a transfer.
func (v *visit) bulk(id uint64, h bulk, data []byte) {
	pipe := v.orders
	switch {
	case h.endpoint == v.d.in() && !v.d.c.OneWay:
		pipe = v.fetch
	case h.endpoint != byte(v.d.c.Out):
		v.answer(id, h, statusInvalid, 0, nil)
		return
	}
	t := &transfer{id: id, head: h, data: data}
	t.ctx, t.cancel = context.WithCancel(v.ctx)
	v.mu.Lock()
	v.open[id] = t
	v.mu.Unlock()
	select {
	case pipe <- t:
	default:
		v.done(t, statusIOError, 0, nil)
	}
}

func (v *visit) cancel(id uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t := v.open[id]; t != nil {
		t.cancel()
	}
}

func (v *visit) cancelAll() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, t := range v.open {
		t.cancel()
	}
}

// done answers a transfer. A device that has left answers nothing.
func (v *visit) done(t *transfer, st status, n int, data []byte) {
	v.mu.Lock()
	delete(v.open, t.id)
	v.mu.Unlock()
	t.cancel()
	v.answer(t.id, t.head, st, n, data)
}

func (v *visit) answer(id uint64, h bulk, st status, n int, data []byte) {
	if v.ctx.Err() != nil {
		return
	}
	h.status, h.length = st, uint32(n)
	v.g.say(message{bulkPacket, id, append(h.append(nil, v.g.long()), data...)})
}

// take gives the printer what the OUT pipe carries.
func (v *visit) take() {
	for {
		select {
		case <-v.ctx.Done():
			return
		case t := <-v.orders:
			v.d.count(func(c *Counts) { c.Transfers++ })
			n, st := v.carry(t)
			v.d.count(func(c *Counts) {
				switch st {
				case statusCancelled:
					c.Cancelled++
					if n > 0 {
						c.Partial++
					}
				case statusStall:
					c.Stalls++
				}
			})
			v.done(t, st, n, nil)
		}
	}
}

// carry moves one transfer, packet by packet, as far as the printer and the faults let it.
func (v *visit) carry(t *transfer) (done int, st status) {
	for done < len(t.data) {
		n, st := v.d.mayTake(t.ctx, min(packetSize, len(t.data)-done))
		if st != statusSuccess {
			return done, st
		}
		m, err := write(t.ctx, v.wire, t.data[done:done+n])
		done += m
		v.d.count(func(c *Counts) { c.Taken += m })
		switch {
		case t.ctx.Err() != nil && m < n:
			return done, statusCancelled
		case err != nil:
			return done, statusIOError
		}
	}
	if t.ctx.Err() != nil && done < len(t.data) {
		return done, statusCancelled
	}
	return done, statusSuccess
}

// mayTake waits until the pipe takes bytes, n at most, and says how many.
func (d *Device) mayTake(ctx context.Context, n int) (int, status) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		f := &d.faults
		if ctx.Err() != nil {
			return 0, statusCancelled
		}
		if f.limited && f.left == 0 && f.stalls {
			f.halted, f.limited, f.stalls = true, false, false
		}
		switch {
		case f.halted:
			return 0, statusStall
		case !f.limited || f.left > 0:
			if f.limited {
				n = min(n, f.left)
				f.left -= n
			}
			if f.speed == 0 {
				return n, statusSuccess
			}
			wait := time.Duration(float64(n) / f.speed * float64(time.Second))
			d.mu.Unlock()
			ok := pause(ctx, wait, nil)
			d.mu.Lock()
			if !ok {
				return 0, statusCancelled
			}
			return n, statusSuccess
		}
		bell := d.bell
		d.mu.Unlock()
		select {
		case <-bell:
		case <-ctx.Done():
		}
		d.mu.Lock()
	}
}

// write is conn.Write that ctx ends.
func write(ctx context.Context, conn net.Conn, b []byte) (int, error) {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		conn.SetWriteDeadline(time.Unix(1, 0))
	})
	n, err := conn.Write(b)
	if !stop() {
		<-fired
		conn.SetWriteDeadline(time.Time{})
	}
	return n, err
}

// give answers the IN pipe's transfers with what the printer says. What nobody asks for stays with the printer.
func (v *visit) give() {
	var rest []byte
	buf := make([]byte, packetSize)
	for {
		var t *transfer
		select {
		case <-v.ctx.Done():
			return
		case t = <-v.fetch:
		}
		if len(rest) == 0 {
			n, err := read(t.ctx, v.wire, buf)
			switch {
			case n > 0:
				rest = buf[:n]
			case t.ctx.Err() != nil:
				v.done(t, statusCancelled, 0, nil)
				continue
			case err != nil:
				v.done(t, statusIOError, 0, nil)
				continue
			}
		}
		n := min(len(rest), int(t.head.length))
		if t.ctx.Err() != nil { // the guest would drop it
			v.done(t, statusCancelled, 0, nil)
			continue
		}
		v.d.count(func(c *Counts) { c.Answers += n })
		data := append([]byte(nil), rest[:n]...)
		rest = rest[n:]
		v.done(t, statusSuccess, n, data)
	}
}

// read is conn.Read that ctx ends.
func read(ctx context.Context, conn net.Conn, b []byte) (int, error) {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		conn.SetReadDeadline(time.Unix(1, 0))
	})
	n, err := conn.Read(b)
	if !stop() {
		<-fired
		conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
