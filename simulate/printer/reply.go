package printer

import (
	"io"
	"net"
	"time"
)

// replyKind is what becomes of an answer that the host does not fetch.
type replyKind byte

const (
	replyOther replyKind = iota
	replyEcho            // only the newest is kept (escpos.md 10.2)
	replyASB             // only the newest is kept: it tells the state now
)

// Bounds of what waits for a host that does not read.
const (
	maxReplies = 2048                   // bytes; beyond it only the newest echo and frame stay, and further answers are dropped
	flushTime  = time.Second            // for the last answers once the host has ended its side
	stalled    = 200 * time.Millisecond // a write that took longer: the host does not read
)

// A link is the connection being served. Its reader is ServeConn; answers gather in out and leave by their own goroutine,
// so that a host that does not read stops neither the mechanism nor real-time commands.
type link struct {
	p    *Printer
	conn io.ReadWriteCloser
	done chan struct{} // closed by end
	wake chan struct{} // 1: something changed

	// Guarded by p.mu.
	dead    bool
	ending  bool // what was answered still leaves, then the link ends
	reset   bool // by RST
	writing bool
	out     []byte
	spans   []span // of out
}

// A span is the extent of one answer in link.out.
type span struct {
	kind replyKind
	n    int
}

func newLink(p *Printer, conn io.ReadWriteCloser) *link {
	return &link{p: p, conn: conn, done: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// end closes the connection, by RST where reset asks for it and the connection can. With p.mu held.
func (l *link) end(reset bool) {
	if l.dead {
		return
	}
	l.dead = true
	if t, ok := l.conn.(*net.TCPConn); ok && reset {
		t.SetLinger(0)
	}
	l.conn.Close()
	close(l.done)
	l.p.room.Broadcast()
}

// finish ends the link once what was answered has left: those answers were out before the fault came. With p.mu held.
func (l *link) finish(reset bool) {
	if l.dead || l.ending {
		return
	}
	if l.writing || len(l.out) == 0 {
		l.end(reset)
		return
	}
	l.ending, l.reset = true, reset
	l.p.room.Broadcast()
	if d, ok := l.conn.(interface{ SetWriteDeadline(time.Time) error }); ok {
		d.SetWriteDeadline(time.Now().Add(flushTime))
	}
	l.kick()
}

// kick wakes the writer.
func (l *link) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// add puts an answer behind the others. With p.mu held.
func (l *link) add(kind replyKind, b []byte) {
	if l.dead || l.ending || len(b) == 0 {
		return
	}
	if l.p.on(HoldReplies) != nil {
		l.coalesce(kind)
	}
	if len(l.out)+len(b) > maxReplies {
		l.coalesce(kind)
		if len(l.out)+len(b) > maxReplies {
			l.p.lostReplies++
			return
		}
	}
	l.out = append(l.out, b...)
	l.spans = append(l.spans, span{kind, len(b)})
	if !l.writing {
		l.kick()
	}
}

// coalesce drops every echo and every frame but the newest; one of kind next is about to come.
func (l *link) coalesce(next replyKind) {
	var newest [replyASB + 1]int
	for i := range newest {
		newest[i] = -1
	}
	for i, s := range l.spans {
		newest[s.kind] = i
	}
	if next != replyOther {
		newest[next] = -1
	}
	out, spans, at := l.out[:0], l.spans[:0], 0
	for i, s := range l.spans {
		if s.kind == replyOther || newest[s.kind] == i {
			out = append(out, l.out[at:at+s.n]...)
			spans = append(spans, s)
		}
		at += s.n
	}
	l.out, l.spans = out, spans
}

// take moves what waits to b. slow says that the host was not reading a moment ago. With p.mu held.
func (l *link) take(b []byte, slow bool) []byte {
	if l.dead || len(l.out) == 0 || l.p.on(HoldReplies) != nil || l.p.on(Hang) != nil {
		l.writing = false
		if l.ending {
			l.end(l.reset)
		}
		l.p.room.Broadcast() // for flush
		return b
	}
	if slow {
		l.coalesce(replyOther)
	}
	b = append(b, l.out...)
	l.out, l.spans = l.out[:0], l.spans[:0]
	l.writing = true
	return b
}

// write is the writer goroutine: it ends with the link.
func (l *link) write() {
	buf := make([]byte, 0, 256)
	slow := false
	for {
		l.p.mu.Lock()
		buf = l.take(buf[:0], slow)
		l.p.mu.Unlock()
		slow = false
		if len(buf) == 0 {
			select {
			case <-l.wake:
				continue
			case <-l.done:
				return
			}
		}
		start := time.Now()
		_, err := l.conn.Write(buf)
		slow = time.Since(start) > stalled
		if err != nil {
			l.p.mu.Lock()
			l.end(false)
			l.p.mu.Unlock()
		}
	}
}

// flush gives what waits a moment to leave after the host has ended its side.
func (l *link) flush() {
	d, ok := l.conn.(interface{ SetWriteDeadline(time.Time) error })
	if !ok {
		return
	}
	d.SetWriteDeadline(time.Now().Add(flushTime))
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	for !l.dead && (l.ending || l.writing || len(l.out) > 0) && l.p.on(HoldReplies) == nil && l.p.on(Hang) == nil {
		l.p.room.Wait()
	}
}
