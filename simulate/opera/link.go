package opera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"aboyeur/protocol/ifc"
)

// A speaker is one dialect on one connection. Its methods but take are called from several goroutines.
type speaker interface {
	connected()           // the connection stands
	take(record []byte)   // a record arrived; good during the call
	alive() bool          // data may flow
	state() string        // in a word
	vendor() string       // what the vendor said of itself
	records() []string    // what it described
	change(c Change)      // tell of a guest
	night(begins bool)    // tell of the night audit
	restart()             // begin the link anew: LS
	farewell() bool       // say LE; false where the dialect has none
	noise(f Fault) []byte // the record of a fault that sends one
	broken()              // serial: the vendor did not answer
	gone()                // the connection has ended
}

// A link is one connection. Its reader is run; what it sends leaves by its own goroutine, in order.
type link struct {
	s     *Simulator
	p     *port
	n     uint64 // the how-manieth connection of all
	wire  *wire
	conn  ifc.Conn
	speak speaker
	out   *outbox
	peer  string
	since time.Time

	mu        sync.Mutex // guards what follows
	ending    bool       // LE is said or the end has come: no more
	farewell  *alarm
	asked     map[string]time.Time // guests found by inquiries: room and reservation
	unordered int                  // PS not answered yet
}

func newLink(p *port, rw io.ReadWriteCloser) *link {
	s := p.s
	s.mu.Lock()
	s.connections++
	n := s.connections
	s.mu.Unlock()
	l := &link{s: s, p: p, n: n, out: newOutbox(), since: s.c.Now(), asked: map[string]time.Time{}}
	if c, ok := rw.(net.Conn); ok && c.RemoteAddr() != nil {
		l.peer = c.RemoteAddr().String()
	}
	l.wire = newWire(rw, p.Name, p.serial, s.faults)
	o := s.c.Line
	o.Trace = func(e ifc.Event) {
		s.record(p.Name, e)
		if s.c.Trace != nil {
			s.c.Trace(p.Name, e)
		}
	}
	o.Now = s.c.Now
	if p.serial {
		l.conn = ifc.NewSerial(l.wire, o)
	} else {
		l.conn = ifc.NewTCP(l.wire, o)
	}
	switch p.Dialect {
	case XMLPOS:
		l.speak = newXML(l)
	default:
		l.speak = newFIAS(l)
	}
	return l
}

// run is the connection from its start to its end.
func (l *link) run(ctx context.Context) {
	log := l.s.log.With("link", l.p.Name)
	log.Debug("vendor connected", "peer", l.peer, "connection", l.n)
	stop := context.AfterFunc(ctx, l.sayGoodbye)
	defer stop()
	var writer sync.WaitGroup
	writer.Go(l.send)
	l.strikeConnected()
	l.speak.connected()
	var err error
	for {
		var record []byte
		if record, err = l.conn.Receive(context.Background()); err != nil {
			break
		}
		l.s.faults.wait(Hang, l.p.Name, l.wire.done)
		l.speak.take(record)
	}
	l.mu.Lock()
	l.ending = true
	farewell := l.farewell
	l.mu.Unlock()
	farewell.stop()
	l.speak.gone()
	l.out.close()
	l.wire.Close()
	l.conn.Close()
	writer.Wait()
	log.Debug("vendor gone", "connection", l.n, "err", err)
}

// send puts what is in the outbox on the line.
func (l *link) send() {
	for {
		it, ok := l.out.next()
		if !ok {
			return
		}
		if it.cut != nil {
			l.wire.cutOut(it.cut.At, it.cut.Reset)
		}
		if it.mangle != (mangle{}) {
			l.wire.mangle(it.mangle)
		}
		if it.before != nil {
			it.before()
		}
		var err error
		if it.raw != nil {
			err = l.wire.raw(it.raw)
		} else {
			err = l.conn.Send(context.Background(), it.record)
		}
		it.finish(err == nil)
		switch {
		case err == nil:
		case errors.Is(err, ifc.ErrRefused) || errors.Is(err, ifc.ErrReserved) || errors.Is(err, ifc.ErrTooLong):
			// As if it had been acknowledged (fias.md 1.4).
		case errors.Is(err, ifc.ErrNoAnswer) || errors.Is(err, ifc.ErrDoubt):
			l.speak.broken()
		default:
			l.wire.Close()
			l.out.close()
		}
	}
}

// sayGoodbye ends the link as a server that is shut down: LE, a moment for the vendor's LE, the end (fias.md 3.4).
func (l *link) sayGoodbye() {
	if l.s.c.EndWait < 0 || !l.speak.alive() || !l.speak.farewell() {
		l.wire.Close()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ending {
		l.ending = true
		l.farewell = l.s.alarms.after(l.s.c.EndWait, func() { l.wire.Close() })
	}
}

// saidGoodbye says whether an LE of the vendor answers ours.
func (l *link) saidGoodbye() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ending
}

func (l *link) state() LinkState {
	st := LinkState{
		Port: l.p.Name, Dialect: l.p.Dialect, Serial: l.p.serial, Connection: l.n, Peer: l.peer, Alive: l.speak.alive(), State: l.speak.state(),
		Since: l.since, Vendor: l.speak.vendor(), Records: l.speak.records(), Frames: l.conn.Stats(), Waiting: l.out.len(),
	}
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	st.BytesIn, st.BytesOut = l.wire.bytesIn, l.wire.bytesOut
	return st
}

// becomeAlive marks the link alive by mark and sends what waited for it, before anything newer.
func (l *link) becomeAlive(mark func()) {
	l.s.moving.Lock()
	mark()
	l.p.flush(l)
	l.s.moving.Unlock()
	for _, f := range l.s.faults.strike(moment{link: l.p.Name}, eventFaults...) {
		l.happen(f)
	}
}

// strikeConnected lets the faults happen that waited for a connection.
func (l *link) strikeConnected() {
	for _, f := range l.s.faults.strike(moment{link: l.p.Name}, Cut, DropLink, Garbage) {
		l.happen(f)
	}
}

// happen is an event on this link.
func (l *link) happen(f Fault) {
	switch f.Kind {
	case LinkStarts:
		l.speak.restart()
	case LinkEnds:
		l.sayGoodbye()
	case Cut:
		if f.Dir == Out {
			l.wire.cutOut(f.At, f.Reset)
		} else {
			l.wire.cutIn(f.At, f.Reset)
		}
	case DropLink:
		l.s.stayAway(time.Duration(f.For))
		l.wire.cut(f.Reset)
	case Garbage:
		l.out.push(item{raw: unhex(f.Data)}, false)
	case Endless:
		l.out.push(item{raw: append([]byte{ifc.STX}, strings.Repeat("x", f.Bytes)...)}, false)
	case UnknownRecord:
		l.out.push(item{record: l.speak.noise(f)}, false)
	case LongRecord, ManyFields:
		r := l.speak.noise(f)
		if l.p.serial {
			l.out.push(item{raw: ifc.AppendSerial(nil, r)}, false)
		} else {
			l.out.push(item{raw: ifc.AppendFrame(nil, r)}, false)
		}
	}
}

// stayAway refuses connections for d.
func (s *Simulator) stayAway(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awayUntil = time.Time{}
	if d > 0 {
		s.awayUntil = time.Now().Add(d)
	}
}

// found notes whom an inquiry found, so that they may be charged on this connection.
func (l *link) found(matches []Match) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) > maxQueued {
		clear(l.asked)
	}
	now := l.s.c.Now()
	for _, m := range matches {
		l.asked[m.Room+"\x00"+m.Reservation] = now
	}
}

// inquired says whether a guest posting was preceded by an inquiry (fias.md 6.1).
func (l *link) inquired(room, reservation string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.asked[room+"\x00"+reservation]
	return ok && (l.s.c.InquiryLife == 0 || l.s.c.Now().Sub(at) <= l.s.c.InquiryLife)
}

// charge books c or says why not. answered is false where nothing is answered: a guest who was not inquired.
func (l *link) charge(c Charge) (d Decision, answered bool) {
	s := l.s
	room := c.Method == "" || slices.Contains(s.hotel.RoomMethods(), c.Method)
	if room && c.Record != "PS" && c.Reservation != "" && !l.inquired(c.Room, c.Reservation) {
		if !s.c.AnswerUninquired {
			return Decision{}, false
		}
		return refusal(StatusUR, "NO INQUIRY"), true
	}
	repeat := c.Number != 0 && l.p.repeated(c.Number)
	if repeat {
		s.remark(l.p.Name, "number_reused", fmt.Sprintf("a second posting has the number %d", c.Number))
		if s.c.RefuseRepeats {
			return refusal(StatusUR, "NUMBER REUSED"), true
		}
	}
	d = s.hotel.Post(c, l.p.Name, repeat, s.c.Now())
	s.write(d.Posting)
	return d, true
}

// A request is something a vendor asked, in either dialect.
type request struct {
	Exchange
	process func(x *Exchange) reply // does it in the hotel and notes in x what came of it
	refuse  func(Status, string) reply
	done    func() // called once an answer is out, or never will be
}

// A reply makes the records of an answer. It is nil where none is due.
type reply func(number int64, f form) [][]byte

// form is how the records of an answer are written.
type form struct{ reordered, guestFirst, unknownFields, emptyFields, unknownMixed, bare bool }

// ask does a request with what goes wrong on the way.
func (l *link) ask(r request) {
	x := &r.Exchange
	x.At, x.Link, x.Connection, x.Fate = l.s.c.Now(), l.p.Name, l.n, Open
	l.s.keepExchange(x)
	m := moment{link: l.p.Name, on: x.On, room: x.Room, number: x.Number}
	now := l.s.faults.strike(m, requestFaults...)
	if l.s.c.Choose != nil {
		l.s.mu.Lock()
		copied := *x
		l.s.mu.Unlock()
		for _, f := range l.s.c.Choose(copied) {
			if err := f.check(); err != nil {
				l.s.log.Warn("chosen fault", "err", err)
				continue
			}
			now = append(now, f.filled())
			l.s.faults.count(f.Kind)
		}
	}
	if len(now) > 0 {
		l.s.mu.Lock()
		for _, f := range now {
			x.Faults = append(x.Faults, f.Kind)
		}
		l.s.mu.Unlock()
	}
	struck := func(k FaultKind) (Fault, bool) {
		i := slices.IndexFunc(now, func(f Fault) bool { return f.Kind == k })
		if i < 0 {
			return Fault{}, false
		}
		return now[i], true
	}
	events := func(w When) {
		for _, f := range now {
			if f.When == w && slices.Contains(eventFaults, f.Kind) && (f.Kind != Cut || f.Dir == In) {
				l.s.event(f, l)
			}
		}
	}
	if r.done == nil {
		r.done = func() {}
	}
	answer := func() {
		var records reply
		if f, ok := struck(Refused); ok {
			l.s.mu.Lock()
			x.Status, x.Text = f.Status, f.Text
			l.s.mu.Unlock()
			records = r.refuse(f.Status, f.Text)
		} else {
			records = r.process(x)
		}
		events(WhenAnswer)
		if records == nil {
			r.done()
			l.s.fate(x, Ignored)
			return
		}
		if _, ok := struck(AnswerLost); ok {
			l.lose(x, r.done)
			return
		}
		l.reply(x, records, struck, r.done, func() { events(WhenAfter) })
	}
	begin := func() {
		events(WhenRequest)
		_, lost := struck(RequestLost)
		dropped, drops := struck(DropLink)
		if lost || drops && dropped.When == WhenRequest {
			l.lose(x, r.done)
			return
		}
		if f, ok := struck(RequestDelayed); ok {
			l.s.alarms.after(time.Duration(f.Delay), answer)
			return
		}
		answer()
	}
	if l.s.c.Latency > 0 {
		l.s.alarms.after(l.s.c.Latency, begin)
		return
	}
	begin()
}

func (l *link) lose(x *Exchange, done func()) {
	done()
	l.s.fate(x, Lost)
}

// requestFaults are all that may strike a request.
var requestFaults = slices.Concat(answerFaults, formFaults, eventFaults)

// reply sends an answer as the faults have it.
func (l *link) reply(x *Exchange, records reply, struck func(FaultKind) (Fault, bool), before, then func()) {
	has := func(k FaultKind) bool { _, ok := struck(k); return ok }
	number := x.Number
	if has(AnswerNumber) {
		number = number%99_999_999 + 1
	}
	f := form{has(Reordered), has(GuestFirst), has(UnknownFields), has(EmptyFields), has(AnswersMixed), has(Bare)}
	all := records(number, f)
	if has(AnswerDuplicated) {
		all = append(all, all...)
	}
	if f.unknownMixed {
		all = append([][]byte{l.speak.noise(Fault{Kind: UnknownRecord})}, all...)
	}
	m := mangle{half: has(HalfFrame), split: has(Split), glued: has(Glued), restarted: has(Restarted)}
	var items []item
	for i, record := range all {
		it := item{record: record}
		if i == 0 {
			it.mangle = m
			if c, ok := struck(Cut); ok && c.Dir == Out {
				it.cut = &c
			}
		}
		if i == len(all)-1 {
			it.before = before
			it.done = func(sent bool) {
				switch {
				case !sent:
					l.s.fate(x, Dead)
				case m.half || number != x.Number:
					l.s.fate(x, Lost)
				default:
					l.s.fate(x, Answered)
				}
				then()
			}
		}
		items = append(items, it)
	}
	put := func() {
		for _, it := range items {
			l.out.push(it, true)
		}
	}
	if has(AnswerNextLink) {
		for _, it := range items {
			l.p.keep(it)
		}
		return
	}
	if d, ok := struck(AnswerDelayed); ok {
		l.s.alarms.after(time.Duration(d.Delay), put)
		return
	}
	put()
}

// An item is something to send: a record, or bytes as they are.
type item struct {
	record []byte
	raw    []byte
	mangle mangle
	cut    *Fault
	before func()          // called when it leaves; nil: nothing
	done   func(sent bool) // nil: nobody wants to know
}

func (it item) finish(sent bool) {
	if it.done != nil {
		it.done(sent)
	}
}

// maxOutbox is how many items wait before the one who answers waits too; maxHeap is how many may ever wait.
const (
	maxOutbox = 256
	maxHeap   = 100_000
)

// An outbox is what a link has still to send.
type outbox struct {
	mu     sync.Mutex // guards what follows
	room   sync.Cond  // something was put in or taken out, or it was closed
	items  []item
	closed bool
}

func newOutbox() *outbox {
	o := &outbox{}
	o.room.L = &o.mu
	return o
}

// push puts it behind the others. With wait it waits for room; otherwise it drops what is far beyond it.
func (o *outbox) push(it item, wait bool) {
	o.mu.Lock()
	for wait && len(o.items) >= maxOutbox && !o.closed {
		o.room.Wait()
	}
	taken := !o.closed && len(o.items) < maxHeap
	if taken {
		o.items = append(o.items, it)
		o.room.Broadcast()
	}
	o.mu.Unlock()
	if !taken {
		it.finish(false)
	}
}

// next takes the first item, waiting for one; ok is false when the outbox is closed.
func (o *outbox) next() (it item, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.items) == 0 && !o.closed {
		o.room.Wait()
	}
	if o.closed {
		return item{}, false
	}
	it = o.items[0]
	o.items[0] = item{}
	o.items = o.items[1:]
	o.room.Broadcast()
	return it, true
}

func (o *outbox) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.items)
}

// close takes nothing more; what waited was not sent.
func (o *outbox) close() {
	o.mu.Lock()
	left := o.items
	o.items, o.closed = nil, true
	o.room.Broadcast()
	o.mu.Unlock()
	for _, it := range left {
		it.finish(false)
	}
}
