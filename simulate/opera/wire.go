package opera

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"aboyeur/protocol/ifc"
)

// errCut is what a write gets after the connection was ended by a fault.
var errCut = errors.New("cut by a fault")

// A wire is a connection with the faults of its bytes. It stands below the framing, which knows nothing of it. Reads come
// from one goroutine at a time; writes may come from any.
type wire struct {
	rw     io.ReadWriteCloser
	link   string
	serial bool
	faults *faults
	done   chan struct{} // closed with the connection

	end   sync.Once
	write sync.Mutex // held for a whole write, so that frames stay whole

	mu                sync.Mutex // guards what follows
	inLeft            int64      // bytes that may still arrive; below 0: any number
	outLeft           int64      // bytes that may still leave
	inReset           bool
	reset             bool // of outLeft
	next              mangle
	bytesIn, bytesOut uint64

	in   position // of the reader
	held []byte   // arrived and not yet let through, while a cut waits for its request
	free int      // of held, what may be let through
}

// mangle is what happens to the next frame that is written.
type mangle struct{ half, split, glued, restarted, badCheck bool }

func newWire(rw io.ReadWriteCloser, link string, serial bool, fs *faults) *wire {
	return &wire{rw: rw, link: link, serial: serial, faults: fs, done: make(chan struct{}), inLeft: -1, outLeft: -1}
}

// position tells where in a stream of frames a byte stands.
type position byte

const (
	outside position = iota
	first            // the byte after STX
	inside
	check // after ETX on a serial line
)

func (p position) after(b byte, serial bool) position {
	switch {
	case p == check:
		return outside
	case b == ifc.STX:
		return first
	case p == outside:
		return outside
	case b == ifc.ETX && serial:
		return check
	case b == ifc.ETX:
		return outside
	}
	return inside
}

func (w *wire) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n := w.letThrough(p); n > 0 {
			return n, nil
		}
		n, err := w.rw.Read(p)
		if n > 0 {
			w.mu.Lock()
			let, over, reset := n, false, w.inReset
			if w.inLeft >= 0 {
				let = int(min(int64(n), w.inLeft))
				w.inLeft -= int64(let)
				over = w.inLeft == 0
			}
			w.bytesIn += uint64(let)
			w.mu.Unlock()
			w.corrupt(p[:let])
			if over {
				w.cut(reset) // what arrived behind it goes nowhere
				err = nil
			}
			switch {
			case let == 0:
				return 0, net.ErrClosed
			case len(w.held) > 0 || w.waiting():
				w.hold(p[:let])
				if err == nil {
					continue
				}
			default:
				return let, err
			}
		}
		if err != nil {
			w.free = len(w.held)
			if n := w.letThrough(p); n > 0 {
				return n, nil
			}
			return 0, err
		}
	}
}

func (w *wire) letThrough(p []byte) int {
	n := copy(p, w.held[:w.free])
	w.held = w.held[n:]
	w.free -= n
	return n
}

// waiting says whether a cut waits for a request to arrive.
func (w *wire) waiting() bool {
	if !w.faults.some.Load() {
		return false
	}
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	for _, a := range w.faults.active {
		if a.Kind == inCut && (a.Link == "" || a.Link == w.link) {
			return true
		}
	}
	return false
}

// hold keeps what arrives until a frame is whole, and cuts in it when it is the request that a cut waits for.
func (w *wire) hold(p []byte) {
	w.held = append(w.held, p...)
	for w.free < len(w.held) {
		rest := w.held[w.free:]
		start := bytes.IndexByte(rest, ifc.STX)
		if start < 0 {
			w.free = len(w.held)
			return
		}
		length := bytes.IndexByte(rest[start:], ifc.ETX)
		if length < 0 {
			if len(rest) > maxFrame {
				w.free = len(w.held)
			}
			return
		}
		length++
		if w.serial {
			length++
		}
		if start+length > len(rest) {
			return
		}
		r := peek(rest[start+1 : start+length])
		now := w.faults.strike(moment{link: w.link, on: r.on, room: r.room, number: r.number}, inCut)
		if len(now) == 0 {
			w.free += start + length
			continue
		}
		at := int64(w.free+start) + now[0].At
		if at <= int64(len(w.held)) {
			w.held = w.held[:at]
			w.free = int(at)
			w.cut(now[0].Reset)
			return
		}
		w.free = len(w.held)
		w.cutIn(at-int64(len(w.held)), now[0].Reset)
		return
	}
}

// inCut is a cut that counts arriving bytes; the two directions are struck at different places.
const inCut FaultKind = "cut in"

func (w *wire) cutIn(left int64, reset bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inLeft, w.inReset = left, reset
}

func (w *wire) cutOut(left int64, reset bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outLeft, w.reset = left, reset
}

// corrupt flips a bit of the next frame's first byte where a fault wants it.
func (w *wire) corrupt(p []byte) {
	if !w.serial {
		return
	}
	for i, b := range p {
		at := w.in
		w.in = at.after(b, true)
		if at == first && w.in == inside {
			if _, ok := w.faults.use(CorruptIn, w.link); ok {
				p[i] ^= 0x01
			}
		}
	}
}

// Write puts p on the line as the faults have it. It tells what the line took, except where a fault swallows it.
func (w *wire) Write(p []byte) (int, error) {
	w.write.Lock()
	defer w.write.Unlock()
	if w.faults.on(Silent, w.link) {
		return len(p), nil
	}
	if w.serial && len(p) == 1 && p[0] == ifc.ACK {
		if _, ok := w.faults.use(AckLost, w.link); ok {
			return 1, nil
		}
		if f, ok := w.faults.use(AckWrong, w.link); ok {
			p = unhex(f.Data)
		}
	}
	out := p
	if len(p) > 0 && p[0] == ifc.STX {
		w.mu.Lock()
		m := w.next
		w.next = mangle{}
		w.mu.Unlock()
		if w.serial {
			_, m.badCheck = w.faults.use(CorruptOut, w.link)
		}
		switch {
		case m.half:
			out = p[:len(p)/2]
		case m.restarted:
			out = append(append([]byte{}, p[:len(p)/2]...), p...)
		case m.glued:
			out = append([]byte("\r\n\x02ZZ|Z1glued|\x03\r\n"), p...)
			out = append(out, "\r\n\x02ZZ|Z2glued|\x03"...)
		case m.badCheck:
			out = append([]byte{}, p...)
			out[len(out)-1] ^= 0x55
		}
		if m.split {
			for i := range out {
				if _, err := w.put(out[i : i+1]); err != nil {
					return 0, err
				}
			}
			return len(p), nil
		}
	}
	if n, err := w.put(out); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// raw writes bytes that are no frame.
func (w *wire) raw(p []byte) error {
	w.write.Lock()
	defer w.write.Unlock()
	if w.faults.on(Silent, w.link) {
		return nil
	}
	_, err := w.put(p)
	return err
}

// mangle sets what happens to the next frame.
func (w *wire) mangle(m mangle) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = m
}

// put writes p until the byte at which the line is cut, at the speed it has. With w.write held.
func (w *wire) put(p []byte) (int, error) {
	w.mu.Lock()
	left, reset := w.outLeft, w.reset
	cut := left >= 0 && int64(len(p)) >= left
	if cut {
		p = p[:left]
		w.outLeft = -1
	} else if left >= 0 {
		w.outLeft -= int64(len(p))
	}
	w.mu.Unlock()
	n, err := w.paced(p)
	w.mu.Lock()
	w.bytesOut += uint64(n)
	w.mu.Unlock()
	if cut {
		w.cut(reset)
		if err == nil {
			err = errCut
		}
	}
	return n, err
}

func (w *wire) paced(p []byte) (int, error) {
	f, ok := w.faults.use(Slow, w.link)
	if !ok {
		return w.rw.Write(p)
	}
	t := time.NewTimer(0)
	defer t.Stop()
	for i := range p {
		select {
		case <-t.C:
		case <-w.done:
			return i, net.ErrClosed
		}
		if _, err := w.rw.Write(p[i : i+1]); err != nil {
			return i, err
		}
		t.Reset(time.Duration(float64(time.Second) / f.BytesPerSecond))
	}
	return len(p), nil
}

// cut ends the connection as a fault does.
func (w *wire) cut(reset bool) {
	under := any(w.rw)
	if t, ok := under.(interface{ NetConn() net.Conn }); ok { // TLS
		under = t.NetConn()
	}
	if t, ok := under.(*net.TCPConn); ok && reset {
		t.SetLinger(0)
	}
	w.Close()
}

// Close ends the connection; a second time does nothing.
func (w *wire) Close() (err error) {
	w.end.Do(func() {
		close(w.done)
		err = w.rw.Close()
	})
	return err
}

// The framing may set deadlines where the connection has them.

func (w *wire) SetReadDeadline(t time.Time) error {
	if d, ok := w.rw.(interface{ SetReadDeadline(time.Time) error }); ok {
		return d.SetReadDeadline(t)
	}
	return os.ErrNoDeadline
}

func (w *wire) SetWriteDeadline(t time.Time) error {
	if d, ok := w.rw.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return d.SetWriteDeadline(t)
	}
	return os.ErrNoDeadline
}

func (w *wire) SetDeadline(t time.Time) error {
	if d, ok := w.rw.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return os.ErrNoDeadline
}

// maxFrame is how much of a frame is kept while a cut waits for it.
const maxFrame = 64 << 10
