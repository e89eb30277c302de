package printer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
)

// A session is one connection: the port, what the printer said over it, and the questions that are open. Only the owner
// goroutine uses it; a reader goroutine feeds replies.
type session struct {
	p       *Printer
	port    port.Port
	replies chan escpos.Reply // 64: a burst of frames while the owner writes or asks the ledger
	end     error             // why replies was closed
	gone    chan struct{}     // releases the reader
	timer   *time.Timer

	proof   Proof
	mute    bool  // never asked anything
	greeted bool  // hello is over
	lost    error // the connection is over
	st      escpos.Status
	known   bool      // st was told
	changed bool      // st changed since somebody cleared this
	poked   bool      // Wake, Recover or the like since somebody cleared this
	polls   int       // questions since st changed
	askAt   time.Time // when to ask a printer in trouble
	silence int       // of them unanswered, in a row
	asb     bool      // the printer reports by itself
	frames  uint64    // ASB frames
	heard   time.Time

	asked    byte // the DLE EOT that is open, 0: none
	plain    int  // answers to GS r that may still come; they are anonymous
	answered int  // that came since somebody cleared this
	text     []byte
	wantText bool
	// unanswered: a text was asked for and did not come in time; it may come as the answer to a later question.
	unanswered bool
	fence      [4]byte // the bare fence that is open or was answered last
	fenced     bool
	cleared    bool // 37 25 00 came
	resynced   bool // NULs were sent: what stood before may have been eaten
	patient    bool
	rest       []byte // of a request that the port took in part
	buf        []byte
}

// Ways for a question to end without answer.
var (
	errTime    = errors.New("time is up")
	errStalled = errors.New("the printer takes no bytes")
	errSilent  = errors.New("no answer in time")
)

// A lostError ends a session; reason is a reason word.
type lostError struct {
	reason string
	err    error
}

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

func newSession(p *Printer, port port.Port) *session {
	s := &session{
		p: p, port: port, proof: ProofUnknown, replies: make(chan escpos.Reply, 64), gone: make(chan struct{}),
		timer: time.NewTimer(time.Hour), heard: time.Now(), mute: p.c.Silent || port.OneWay(),
	}
	s.timer.Stop()
	s.plain = p.stale
	go s.read()
	return s
}

// halfAnswer is how long the rest of an answer may take before its beginning is taken for noise.
const halfAnswer = 2 * time.Second

// read feeds replies until the port ends.
func (s *session) read() {
	defer close(s.replies)
	var r escpos.Replies
	buf := make([]byte, 512)
	list := make([]escpos.Reply, 0, 16)
	pending := false // a read deadline is set
	for {
		n, err := s.port.Read(buf)
		list = r.Feed(list[:0], buf[:n])
		late := errors.Is(err, os.ErrDeadlineExceeded)
		if late {
			list = r.Flush(list)
		}
		for _, reply := range list {
			select {
			case s.replies <- reply:
			case <-s.gone:
				return
			}
		}
		if err != nil && !late {
			s.end = err
			return
		}
		if half := r.Partial() > 0; half || late || pending {
			var deadline time.Time
			if half {
				deadline = time.Now().Add(halfAnswer)
			}
			if err := s.port.SetReadDeadline(deadline); err != nil {
				s.end = err
				return
			}
			pending = half
		}
	}
}

// close ends the port and waits for the reader.
func (s *session) close() {
	close(s.gone)
	s.port.Close()
	for range s.replies { // until the reader has closed it
	}
	s.p.stale = s.plain // they may come over the next connection
	s.timer.Stop()
}

// lose ends the session.
func (s *session) lose(reason string, err error) error {
	if s.lost == nil {
		s.lost = &lostError{reason, err}
	}
	return s.lost
}

// reason is the reason word of an error that ended the session.
func (s *session) reason(err error) string {
	var l *lostError
	if errors.As(err, &l) {
		return l.reason
	}
	return ReasonLinkLost
}

// wait takes in what the printer says until cond holds, d has passed (errTime), or the link or ctx ends. What the printer
// said before the link ended counts.
func (s *session) wait(ctx context.Context, d time.Duration, cond func() bool) error {
	if cond() {
		return nil
	}
	if s.lost != nil {
		return s.lost
	}
	s.timer.Reset(d)
	defer s.timer.Stop()
	for {
		select {
		case r, ok := <-s.replies:
			s.take(r, ok)
			if cond() {
				return nil
			}
			if s.lost != nil {
				return s.lost
			}
		case <-s.p.wake:
			s.poked = true // what was queued is remembered elsewhere
			if cond() {
				return nil
			}
		case <-s.timer.C:
			return errTime
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// postpone sets when to ask a printer in trouble again. What cannot be printed fills its memory, with our questions too,
// so they become rarer; and a printer that reports by itself is hardly asked at all.
func (s *session) postpone() {
	d := min(s.p.c.Poll<<min(s.polls, 8), 5*s.p.c.Poll)
	if s.asb {
		d = max(d, s.p.c.KeepAlive)
	}
	s.polls++
	s.askAt = time.Now().Add(d)
}

// watch waits for a change in a printer in trouble and asks it how it is, now and then. Silence is for the caller to
// judge.
func (s *session) watch(ctx context.Context) error {
	if err := s.recover(); err != nil {
		return err
	}
	s.changed, s.poked = false, false
	err := s.wait(ctx, max(time.Until(s.askAt), 0), func() bool { return s.changed || s.poked })
	if err != errTime {
		return err
	}
	s.postpone()
	if err := s.ask(ctx, 1); err != nil {
		return err
	}
	if s.st.Offline && s.polls > 1 && !s.changed {
		return nil // as before
	}
	return s.askAll(ctx)
}

func never() bool { return false }

// drain takes in what the printer has said already.
func (s *session) drain() {
	for s.lost == nil {
		select {
		case r, ok := <-s.replies:
			s.take(r, ok)
		default:
			return
		}
	}
}

// take handles one reply; !ok means that the reader has ended.
func (s *session) take(r escpos.Reply, ok bool) {
	if !ok {
		s.lose(ReasonLinkLost, fmt.Errorf("link lost: %w", s.end))
		return
	}
	s.heard, s.silence = time.Now(), 0
	switch r.Kind {
	case escpos.ReplyASB:
		s.frames++
		s.asb = true
		s.told(r.Status())
	case escpos.ReplyRealTime:
		if s.asked == 0 {
			return // nobody asked: a picture held the bytes of a request (spec/escpos.md 8)
		}
		st := s.st
		st.Apply(s.asked, r.Byte)
		if s.asked == 1 && s.p.c.Profile.OfflineLies {
			st.Offline = false
		}
		s.asked = 0
		s.told(st)
	case escpos.ReplyPlain:
		if s.plain > 0 {
			s.plain--
			s.answered++
		}
	case escpos.ReplyProcessID:
		s.token(r.Token)
	case escpos.ReplyCleared:
		s.cleared = true
	case escpos.ReplyPowerOff:
		s.lose(ReasonPowerLost, errors.New("the printer switches itself off"))
	case escpos.ReplyText:
		if s.wantText {
			s.text, s.wantText = r.Data, false
		}
	case escpos.ReplyUnknown:
		s.p.counts.StrayBytes += uint64(len(r.Data))
	}
}

func (s *session) told(st escpos.Status) {
	s.known = true
	if st != s.st {
		s.st = st
		s.changed, s.polls = true, 0
		s.postpone()
		s.p.tell(s)
	}
}

// token handles an echo.
func (s *session) token(t [4]byte) {
	p := s.p
	h := p.hand
	switch {
	case isFenceToken(t):
		if t != s.fence || s.fenced {
			p.counts.ForeignTokens++
			return
		}
		s.fenced = true
		s.proof = ProofProcessID // it may have been slow to say so
	case h != nil && h.attempted() && (t == h.attempt.TokenP || t == h.attempt.TokenC):
		if h.gotC || h.gotP && t == h.attempt.TokenP {
			p.counts.DuplicateTokens++
			return
		}
		// The later token proves the earlier one: only the newest of several is sent (spec/escpos.md 10.2).
		h.gotP, h.gotC = true, t == h.attempt.TokenC
		h.evidence = EvidenceProcessID
		if h.state == Unknown {
			p.counts.LateTokens++
		}
	default:
		o, ok := p.mem.find(t)
		switch {
		case !ok && (t == p.lastP || t == p.lastC):
			p.counts.DuplicateTokens++
		case !ok:
			p.counts.ForeignTokens++
			p.mem.keep(t)
		case h != nil && o.job == h.job.ID:
			p.counts.LateTokens++
			h.earlier = o.attempt
		default:
			p.counts.LateTokens++
			p.late(o)
		}
	}
}

// send writes a request. When the port takes none of it, nothing remains of it; a part taken is completed by the next
// send.
func (s *session) send(b []byte) error {
	if s.lost != nil {
		return s.lost
	}
	whole := b
	if len(s.rest) > 0 {
		s.rest = append(s.rest, b...)
		whole = s.rest
	}
	n, err := s.write(whole)
	switch {
	case err == nil:
		s.rest = s.rest[:0]
		return nil
	case err != errStalled:
		return err
	case n == 0 && len(whole) == len(b):
		return errStalled
	case n < len(whole)-len(b): // not even the old rest: forget b
		whole = whole[:len(whole)-len(b)]
	}
	s.rest = append([]byte(nil), whole[n:]...)
	return errStalled
}

// write gives b to the port for at most Config.Stall.
func (s *session) write(b []byte) (int, error) {
	if err := s.port.SetWriteDeadline(time.Now().Add(s.p.c.Stall)); err != nil {
		return 0, s.lose(ReasonLinkLost, fmt.Errorf("link lost: %w", err))
	}
	n, err := s.port.Write(b)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, errStalled
	}
	// What the printer said before the link broke may hold the answer everybody waits for.
	_ = s.wait(context.Background(), time.Second, never)
	return n, s.lose(ReasonLinkLost, fmt.Errorf("link lost: %w", err))
}

// ask asks DLE EOT n and waits for the answer. errSilent and errStalled leave the session alive.
func (s *session) ask(ctx context.Context, n byte) error {
	s.drain()
	s.buf = escpos.AppendStatusRequest(s.buf[:0], n)
	s.asked = n
	if err := s.send(s.buf); err != nil {
		s.asked = 0
		return err
	}
	err := s.wait(ctx, s.p.c.AnswerTimeout, func() bool { return s.asked == 0 })
	if err == errTime {
		s.asked = 0
		s.silence++
		return errSilent
	}
	return err
}

// quiesce waits for answers to old fences: the next one would be taken for the answer to a new fence.
func (s *session) quiesce(ctx context.Context) error {
	if s.plain > 0 {
		err := s.wait(ctx, s.p.c.AnswerTimeout, func() bool { return s.plain == 0 })
		if err != nil && err != errTime {
			return err
		}
	}
	s.plain, s.answered = 0, 0
	return nil
}

// giveUp ends a session with nothing at stake when the printer has been silent for too long.
func (s *session) giveUp(err error) error {
	const tooOften = 3
	if isSilence(err) && (s.silence >= tooOften || err == errStalled) {
		return s.lose(ReasonNoAnswer, fmt.Errorf("link lost: %w", err))
	}
	if isSilence(err) {
		return nil
	}
	return err
}

// askAll learns the printer's whole condition.
func (s *session) askAll(ctx context.Context) error {
	for _, n := range []byte{1, 2, 4, 3} {
		if n == 3 && !s.st.Error && !s.st.Errors() {
			continue
		}
		if err := s.ask(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// isSilence reports an error that leaves the session alive.
func isSilence(err error) bool { return err == errSilent || err == errStalled || err == errTime }

// setPatient lifts the port's limit on how long the printer may leave bytes unread.
func (s *session) setPatient(on bool) {
	if q, ok := s.port.(port.Patient); ok && s.patient != on {
		s.patient = on
		if err := q.SetPatient(on); err != nil {
			s.lose(ReasonLinkLost, fmt.Errorf("link lost: %w", err))
		}
	}
}

// checkGone ends the session when the peer's kernel has not answered for Config.Gone.
func (s *session) checkGone() error {
	if q, ok := s.port.(port.Patient); ok && s.lost == nil {
		if d := q.Unheard(); d > s.p.c.Gone {
			return s.lose(ReasonLinkLost, fmt.Errorf("link lost: nothing heard for %v", d.Round(time.Second)))
		}
	}
	return s.lost
}

// tell publishes the printer's condition as the session knows it.
func (p *Printer) tell(s *session) {
	paused := p.isPaused()
	p.show(func(st *Status) {
		st.Up, st.Proof, st.AutoStatus, st.Paused, st.Counts = true, s.proof, s.asb, paused, p.counts
		st.Paper = PaperUnknown
		if s.known {
			st.Paper = paper(s.st)
		}
		st.Reason, st.Detail = s.st.Reason(), ""
		switch {
		case s.st.CoverOpen:
			st.State = CoverOpen
		case s.st.PaperOut || s.st.PaperStop:
			st.State = PaperOut
		case s.st.Errors():
			st.State = Faulty
		case s.st.Offline:
			st.State = Offline
		case !s.greeted:
			st.State = Connecting
		case p.hand != nil && p.hand.state != Held:
			st.State = Printing
			st.Reason = p.hand.trouble
		case paused:
			st.State, st.Reason = Paused, ReasonPaused
		default:
			st.State = Ready
			st.Reason = ""
		}
		st.InHand = p.hand != nil
		st.Job, st.JobState, st.Attempt = JobID{}, "", 0
		if h := p.hand; h != nil {
			st.Job, st.JobState, st.Attempt = h.job.ID, h.state, h.attempt.Number
		}
	})
}

func paper(st escpos.Status) Paper {
	switch {
	case st.PaperOut || st.PaperStop:
		return PaperEnd
	case st.PaperLow:
		return PaperLow
	}
	return PaperOK
}
