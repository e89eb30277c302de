package ifc

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// queued is how many whole records a Line keeps for its owner, answered, before it leaves one unanswered.
const queued = 16

// A Line carries records over RS-232, or over a converter that speaks the serial protocol on TCP. Underneath each record
// is answered ACK or NAK, repeated after NAK, enquired after with ENQ when no answer came, and given up after three of
// either (fias.md 1.4). Both directions run at once; one record of ours is under way at a time.
//
// At most once. A record goes out again only after a NAK, which says that it did not arrive. The receiving side answers an
// ENQ with what it last answered and does not take the record again; any other byte, and time, turn that answer into NAK.
// Two holes of the protocol are closed on the sending side: an ENQ may have been answered twice, so the line falls quiet
// for a moment before the next record; and a NAK to an ENQ proves nothing once we have sent a link byte after the record,
// since that byte made the peer forget its answer, so that record is given up as uncertain.
type Line struct {
	rw io.ReadWriteCloser
	o  Options

	jobs    chan *job
	answers chan byte   // ACK and NAK of the peer; bounded, more than a few are nonsense
	links   chan byte   // ACK and NAK for the peer, on their way out
	records chan []byte // whole records for the owner
	shut    chan struct{}
	wg      sync.WaitGroup
	ending  sync.Once
	err     error // why the line ended; read after shut is closed
	closed  error // what the port's Close said; likewise

	awaiting atomic.Bool // a record of ours is out and not answered

	mu      sync.Mutex // guards what follows; not held during I/O
	dec     SerialDecoder
	since   time.Time // when the record began that the decoder has open
	last    byte      // our last answer
	at      time.Time // when it was given
	held    int       // records received that the owner has not acknowledged
	waiting []byte    // a record for which the queue has no room
	stats   Stats
}

// A job is one record on its way out.
type job struct {
	ctx    context.Context
	record []byte
	begun  atomic.Bool // taken by the line, or by the caller who gave up first
	result chan error  // 1: the line never waits for a caller
}

// settle is how long the line is quiet after a record that needed an ENQ: a second answer may be on its way.
const settle = 250 * time.Millisecond

// NewSerial makes a Line of a port that is open, and starts the two goroutines that own it; Close ends them. The port need
// not have deadlines; its Close must end a Read and a Write.
func NewSerial(rw io.ReadWriteCloser, o Options) *Line {
	l := &Line{
		rw: rw, o: o.withDefaults(),
		jobs: make(chan *job), answers: make(chan byte, 8), links: make(chan byte, 8), records: make(chan []byte, queued),
		shut: make(chan struct{}), last: NAK,
	}
	l.dec.Limit, l.dec.NoLRC = l.o.Limit, l.o.NoLRC
	l.wg.Add(2)
	go func() { defer l.wg.Done(); l.listen() }()
	go func() { defer l.wg.Done(); l.talk() }()
	return l
}

// Send puts one record on the line and returns when the peer has answered it: nil after ACK. Once its first byte is out a
// record runs its course, at most four attempts and three enquiries; ctx ends the waiting for it, not the sending.
func (l *Line) Send(ctx context.Context, record []byte) error {
	if err := l.o.sendable(record); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return &SendError{Err: err}
	}
	j := &job{ctx: ctx, record: append([]byte(nil), record...), result: make(chan error, 1)}
	select {
	case l.jobs <- j:
	case <-ctx.Done():
		return &SendError{Err: ctx.Err()}
	case <-l.shut:
		return &SendError{Err: ErrClosed}
	}
	select {
	case err := <-j.result:
		return err
	case <-ctx.Done():
		if j.begun.CompareAndSwap(false, true) {
			return &SendError{Err: ctx.Err()}
		}
		return &SendError{Sent: len(record), Err: ctx.Err()}
	}
}

// Receive returns the next record. It was answered ACK already, unless Options.Hold leaves that to the owner. Records that
// arrived before the line ended are returned before its error.
func (l *Line) Receive(ctx context.Context) ([]byte, error) {
	record, err := l.next(ctx)
	if err == nil {
		l.mu.Lock()
		l.admit()
		l.mu.Unlock()
	}
	return record, err
}

func (l *Line) next(ctx context.Context) ([]byte, error) {
	select {
	case r := <-l.records:
		return r, nil
	default:
	}
	select {
	case r := <-l.records:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.shut:
	}
	select {
	case r := <-l.records:
		return r, nil
	default:
		return nil, l.err
	}
}

// Acknowledge answers ACK for the oldest record that waits for it (see Options.Hold).
func (l *Line) Acknowledge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held > 0 {
		l.held--
		l.answer(ACK)
	}
}

// Stats counts what passed.
func (l *Line) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Counters = l.dec.Counters()
	return s
}

// Close closes the port and waits for the line's goroutines.
func (l *Line) Close() error {
	l.end(ErrClosed)
	l.wg.Wait()
	return l.closed
}

// end ends the line for a reason; the first one counts.
func (l *Line) end(why error) {
	l.ending.Do(func() {
		l.err = why
		l.closed = l.rw.Close()
		close(l.shut)
	})
}

// listen reads the port until it ends.
func (l *Line) listen() {
	buf := make([]byte, 4<<10)
	for {
		n, err := l.rw.Read(buf)
		l.take(buf[:n])
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) && l.receiving() {
			err = io.ErrUnexpectedEOF
		}
		l.end(err)
		return
	}
}

// take deals with bytes that came.
func (l *Line) take(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.dec.Open() && now.Sub(l.since) > l.o.RecordTime {
		l.dec.Abandon()
		l.last = NAK
	}
	for len(p) > 0 {
		open, begun := l.dec.Open(), l.dec.Counters().Restarted
		var t Token
		t, p = l.dec.Next(p)
		if l.dec.Open() && (!open || t.Kind != More || l.dec.Counters().Restarted > begun) {
			l.since = now
		}
		l.token(t, now)
	}
	if l.dec.Open() {
		l.last = NAK // a byte that is not ENQ came (fias.md 1.4)
	}
}

// token deals with one thing that came. l.mu is held.
func (l *Line) token(t Token, now time.Time) {
	switch t.Kind {
	case Record:
		l.o.trace(Event{Record: t.Record})
		if l.waiting != nil { // the peer did not wait for the answer to the one before
			l.stats.Busy++
			l.answer(NAK)
			return
		}
		l.waiting = append([]byte{}, t.Record...)
		l.admit()
	case Damaged, Long:
		note := "damaged"
		if t.Kind == Long {
			note = "too long"
		}
		l.o.trace(Event{Record: append([]byte{}, t.Record...), Note: note})
		if l.o.NoLRC { // there is no NAK without LRC (fias.md 1.4)
			l.answer(ACK)
			return
		}
		l.stats.Nacked++
		l.answer(NAK)
	case Control:
		l.o.trace(Event{Link: t.Byte})
		if t.Byte == ENQ {
			l.enquired(now)
			return
		}
		if l.awaiting.Load() {
			select {
			case l.answers <- t.Byte:
			default:
			}
			return // it belongs to our own record and leaves our last answer as it is
		}
		l.stats.Stray++
		l.last = NAK
	case Noise:
		l.last = NAK
	}
}

// admit hands the waiting record to the owner and answers it. While the owner sleeps over a full queue it stays where it is,
// unanswered: that holds the peer back. l.mu is held.
func (l *Line) admit() {
	if l.waiting == nil {
		return
	}
	select {
	case l.records <- l.waiting:
	default:
		return
	}
	l.waiting = nil
	if l.o.Hold {
		l.held++
		return
	}
	l.answer(ACK)
}

// answer sends ACK or NAK and remembers it. l.mu is held.
func (l *Line) answer(b byte) {
	l.last, l.at = b, time.Now()
	select {
	case l.links <- b:
	default: // the peer reads nothing; it will enquire
	}
}

// enquired repeats our last answer, if it is fresh enough to be about the record that the peer means. A conforming peer
// enquires at the latest timer 1 and timer 2 after the end of its record. l.mu is held.
func (l *Line) enquired(now time.Time) {
	switch {
	case l.held > 0 || l.waiting != nil: // not decided yet
		return
	case l.last == ACK && now.Sub(l.at) <= l.o.Answer+l.o.Enquiry:
		l.answer(ACK)
	default:
		l.answer(NAK)
	}
}

// receiving reports whether a record is coming in now.
func (l *Line) receiving() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dec.Open() && time.Since(l.since) <= l.o.RecordTime
}

// talk writes the port until the line ends.
func (l *Line) talk() {
	for {
		select {
		case b := <-l.links:
			if l.link(b) != nil {
				return
			}
			continue
		default:
		}
		select {
		case b := <-l.links:
			if l.link(b) != nil {
				return
			}
		case j := <-l.jobs:
			if !j.begun.CompareAndSwap(false, true) {
				continue
			}
			enquired, err := l.exchange(j.record)
			j.result <- err
			if enquired {
				l.quiet()
			}
		case <-l.shut:
			return
		}
	}
}

// exchange sends one record until it is answered or given up, and reports whether the answer came after an ENQ.
func (l *Line) exchange(record []byte) (enquired bool, err error) {
	var frame []byte
	if l.o.NoLRC {
		frame = AppendFrame(nil, record)
	} else {
		frame = AppendSerial(nil, record)
	}
	l.awaiting.Store(true)
	defer l.awaiting.Store(false)
	sent, refused := 0, true
	for attempt := 0; ; attempt++ {
		l.drain()
		l.o.trace(Event{Sent: true, Record: record})
		n, err := l.write(frame)
		sent += n
		if err != nil {
			return false, &SendError{Sent: sent, Err: err}
		}
		a := l.await()
		if a.err != nil {
			return false, &SendError{Sent: sent, Err: a.err}
		}
		enquired = enquired || a.enquired
		switch {
		case a.byte == ACK:
			l.count(func(s *Stats) { s.Sent++ })
			return enquired, nil
		case a.enquired && a.talked:
			return enquired, &SendError{Sent: sent, Err: ErrDoubt}
		}
		refused = refused && !a.enquired
		if attempt == Retries {
			l.count(func(s *Stats) { s.Refused++ })
			return enquired, &SendError{Sent: sent, Refused: refused, Err: ErrRefused}
		}
		l.count(func(s *Stats) { s.Repeats++ })
	}
}

// reply is what became of one frame.
type reply struct {
	byte     byte // ACK or NAK
	enquired bool // it took an ENQ
	talked   bool // a link byte of ours went out since the frame
	err      error
}

// await waits for the answer to a frame and enquires after it (fias.md 1.4).
func (l *Line) await() (r reply) {
	timer := time.NewTimer(l.o.Answer)
	defer timer.Stop()
	for enquiries := 0; ; {
		select {
		case r.byte = <-l.answers:
			return r
		case b := <-l.links:
			r.talked = true
			if r.err = l.link(b); r.err != nil {
				return r
			}
		case <-l.shut:
			r.err = l.err
			return r
		case <-timer.C:
			timer.Reset(l.o.Enquiry)
			if l.receiving() { // the peer's answer cannot come inside a record
				continue
			}
			if enquiries == Enquiries {
				l.count(func(s *Stats) { s.Silent++ })
				r.err = ErrNoAnswer
				return r
			}
			enquiries++
			r.enquired = true
			l.count(func(s *Stats) { s.Enquired++ })
			if r.err = l.link(ENQ); r.err != nil {
				return r
			}
		}
	}
}

// quiet lets a second answer to the last record pass, so that it is not taken for the answer to the next.
func (l *Line) quiet() {
	l.awaiting.Store(true)
	defer l.awaiting.Store(false)
	timer := time.NewTimer(settle)
	defer timer.Stop()
	for {
		select {
		case <-l.answers:
			l.count(func(s *Stats) { s.Stray++ })
		case b := <-l.links:
			if l.link(b) != nil {
				return
			}
		case <-timer.C:
			return
		case <-l.shut:
			return
		}
	}
}

// drain forgets answers that came before the frame they would be taken for.
func (l *Line) drain() {
	for {
		select {
		case <-l.answers:
			l.count(func(s *Stats) { s.Stray++ })
		default:
			return
		}
	}
}

// link writes one link byte.
func (l *Line) link(b byte) error {
	l.o.trace(Event{Sent: true, Link: b})
	_, err := l.write([]byte{b})
	return err
}

// write writes all of p. A write that failed ends the line: nobody knows what the peer has of it.
func (l *Line) write(p []byte) (int, error) {
	if w, ok := l.rw.(interface{ SetWriteDeadline(time.Time) error }); ok {
		w.SetWriteDeadline(time.Now().Add(l.o.WriteTimeout))
	}
	n, err := l.rw.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		l.end(err)
		<-l.shut
		err = l.err
	}
	return n, err
}

func (l *Line) count(f func(*Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.stats)
}
