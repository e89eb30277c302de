package printer

import (
	"context"
	"errors"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
)

// A hand is the job in hand.
type hand struct {
	job      Job
	attempt  Attempt
	state    State
	session  *session // that took its bytes; nil: a former process's
	total    int      // bytes of the attempt
	bytes    int      // that the port took
	frames   uint64   // ASB frames of the session before the first byte
	estimate time.Duration
	gotP     bool // printed
	gotC     bool // cut
	evidence Evidence
	trouble  string // reason word of the fault it waits for
	damaged  bool
	earlier  int // an earlier attempt that proved printed after all, 0: none
}

// attempted reports whether bytes of the attempt may have gone out.
func (h *hand) attempted() bool { return h.bytes > 0 || h.session == nil }

// Ends of an attempt that leave the session alive.
var (
	errFault   = errors.New("the printer has a fault")        // before the first byte
	errCleared = errors.New("the printer threw the job away") // definite
	errDoubt   = errors.New("the queue went past the job without its echo")
	errKept    = errors.New("the printer does not say that it threw the job away")
)

// begin takes a job in hand.
func (p *Printer) begin(j Job, a Attempt) *hand {
	p.one = hand{job: j, attempt: a, state: Sending}
	p.hand = &p.one
	if p.hand.job.FirstSent.IsZero() {
		p.hand.job.FirstSent = a.At
	}
	return p.hand
}

// record reports the state of the job in hand.
func (p *Printer) record(h *hand, state State, reason string, settled bool) {
	h.state = state
	r := Report{
		State: state, Reason: reason, At: p.c.Now(), Attempt: h.attempt.Number, Bytes: h.bytes, Settled: settled,
	}
	if state == Printed || state == Done {
		r.Evidence, r.Damaged = h.evidence, h.damaged
		if h.earlier > 0 && !h.gotP {
			r.Attempt, r.Evidence = h.earlier, EvidenceProcessID
		}
	}
	p.c.Ledger.Record(h.job.ID, r)
	if state == Done {
		p.mem.forget(h.job.ID)
	}
}

// run prints the job in hand and drops it when it is settled. Its error ends the session; the job then stays in hand as
// unknown.
func (s *session) run(ctx context.Context, h *hand) error {
	p := s.p
	for {
		s.p.tell(s)
		err := s.send1(ctx, h)
		s.setPatient(false)
		switch {
		case err == nil:
			return s.drop(nil)
		case h.earlier > 0 && !h.gotP && h.bytes == 0:
			// The first copy did come out, and the reprint has not begun.
			p.giveBack(h.attempt)
			p.record(h, Printed, "", false)
			p.record(h, Done, ReasonCutUnknown, true)
			return s.drop(s.lost)
		case h.gotP:
			if h.state != Printed {
				p.record(h, Printed, "", false)
			}
			p.record(h, Done, ReasonCutUnknown, true) // never printed again for want of a cut
			return s.drop(err)
		case h.bytes == 0:
			reason := s.st.Reason()
			if s.lost != nil {
				reason = s.reason(err)
			} else if reason == "" {
				reason = ReasonStalled
			}
			p.heldBack(h, reason)
			if err == errFault {
				err = nil
			}
			p.tell(s)
			return err
		case h.earlier > 0:
			p.record(h, Printed, "", false)
			p.record(h, Done, ReasonCutUnknown, true)
			return s.drop(err)
		case err == errCleared:
			p.record(h, Cleared, ReasonCleared, false)
			if err := s.again(ctx, h, ReasonCleared); err != nil || p.hand == nil {
				return err
			}
		case err == errDoubt, err == errKept:
			reason := ReasonNoEcho
			if err == errKept {
				reason = ReasonUncleared
			}
			p.record(h, Unknown, reason, false)
			if err := s.again(ctx, h, reason); err != nil || p.hand == nil {
				return err
			}
		default:
			reason := s.reason(err)
			if s.lost == nil { // ctx ended
				reason = ReasonRestart
			}
			p.lost(h, reason)
			return err
		}
	}
}

// heldBack keeps a job in hand whose attempt put no byte on the line: it goes out as soon as the printer can.
func (p *Printer) heldBack(h *hand, reason string) {
	p.giveBack(h.attempt)
	h.bytes, h.total = 0, 0
	p.record(h, Held, reason, false)
}

// again begins another attempt on the same connection, once the printer is well.
func (s *session) again(ctx context.Context, h *hand, reason string) error {
	h.trouble = reason
	if h.job.Reprint {
		if err := s.untilWell(ctx); err != nil {
			return err
		}
	}
	return s.further(ctx, h, reason)
}

// drop lets the job in hand go.
func (s *session) drop(err error) error {
	p := s.p
	if h := p.hand; h != nil {
		p.lastP, p.lastC = h.attempt.TokenP, h.attempt.TokenC
	}
	p.hand = nil
	p.one.job.Body = nil
	p.tell(s)
	return err
}

// lost makes the job in hand unknown.
func (p *Printer) lost(h *hand, reason string) {
	h.trouble = reason
	p.log.Warn("outcome of a ticket is unknown", "job", h.job.ID, "err", reason)
	p.record(h, Unknown, reason, false)
}

// send1 sends the attempt and waits for its proof.
func (s *session) send1(ctx context.Context, h *hand) error {
	s.drain()
	if h.earlier > 0 {
		return errFault
	}
	if s.lost != nil {
		return s.lost
	}
	if s.st.Fault() {
		return errFault
	}
	if s.proof == ProofFence {
		if err := s.quiesce(ctx); err != nil {
			return err
		}
		if s.st.Fault() {
			return errFault
		}
	}
	b := s.p.envelope.build(h.job, h.attempt, s.proof)
	h.session, h.total, h.bytes, h.frames, h.estimate = s, len(b), 0, s.frames, s.p.envelope.duration(b)
	h.gotP, h.gotC, h.evidence, h.trouble = false, false, NoEvidenceYet, ""
	s.cleared, s.resynced, s.fenced = false, false, false
	s.answered = 0
	if s.proof == ProofFence {
		s.plain = 1
	}
	if err := s.transmit(ctx, h, b); err != nil {
		return err
	}
	if h.state != Sent && h.state != Printed { // its last bytes may be taken after what stands before them was proved
		s.p.record(h, Sent, "", false)
	}
	if s.proof == ProofNone {
		return s.pace(ctx, h)
	}
	if err := s.await(ctx, h, h.printed); err != nil {
		return err
	}
	s.p.record(h, Printed, "", false)
	if err := s.await(ctx, h, h.cut); err != nil {
		return err
	}
	if err := s.checkCutter(ctx, h); err != nil {
		return err
	}
	s.p.cuts.since++
	s.p.record(h, Done, "", true)
	return nil
}

func (h *hand) printed() bool { return h.gotP }
func (h *hand) cut() bool     { return h.gotC }

// transmit gives b to the port, however long the printer takes. A blocked write is a fault of the printer, not the
// link's death: the rest follows at the offset (spec/escpos.md 10.4, rule 3).
func (s *session) transmit(ctx context.Context, h *hand, b []byte) error {
	if len(s.rest) > 0 { // a half question from before
		if err := s.send(nil); err != nil {
			if err == errStalled {
				return s.lose(ReasonStalled, err)
			}
			return err
		}
	}
	for {
		n, err := s.write(b[h.bytes:])
		h.bytes += n
		if err == nil {
			s.calm(h)
			return nil
		}
		if err != errStalled {
			return err
		}
		s.drain()
		switch {
		case s.lost != nil:
			return s.lost
		case h.bytes == 0 && s.st.Fault():
			return errFault
		case h.bytes == 0:
			return s.lose(ReasonStalled, errStalled)
		case s.cleared:
			// What the printer threw away cannot be continued in its middle.
			return s.lose(ReasonCleared, errCleared)
		}
		reason := s.st.Reason()
		if reason == "" {
			reason = ReasonStalled
		}
		s.trouble(h, reason)
		if err := s.checkGone(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// trouble notes a fault in the middle: the printer keeps what it has and goes on by itself, so nothing is sent.
func (s *session) trouble(h *hand, reason string) {
	switch reason {
	case "paper_out", "cover_open":
		if !h.gotP {
			h.damaged = true // two rolls, or a line lost
		}
	}
	if h.trouble == reason {
		return
	}
	h.trouble = reason
	s.polls = 0
	s.postpone()
	s.setPatient(true)
	state := Waiting
	if h.gotP {
		state = Printed
	}
	s.p.record(h, state, reason, false)
	s.p.hold(reason)
	s.p.tell(s)
}

// calm ends the trouble.
func (s *session) calm(h *hand) {
	if h.trouble == "" {
		return
	}
	h.trouble = ""
	s.setPatient(false)
	if h.state == Waiting && h.bytes == h.total {
		s.p.record(h, Sent, "", false)
	}
	s.p.unhold()
	s.p.tell(s)
}

// overdueAfter is how long a healthy printer may lack its answer before a fence asks for it: a hot head prints slowly.
const overdueAfter = 30 * time.Second

// await waits for one of the job's answers. There is no fixed limit: the budget is the printing time, and it is extended
// while the printer answers. A healthy printer that should be long done is asked by a bare fence.
func (s *session) await(ctx context.Context, h *hand, arrived func() bool) error {
	budget := h.estimate + s.p.c.Margin
	restart := func() (deadline, overdue time.Time) {
		now := time.Now()
		return now.Add(budget), now.Add(max(overdueAfter, 2*budget))
	}
	deadline, overdue := restart()
	for {
		s.changed, s.poked = false, false
		d := max(time.Until(deadline), 0)
		switch {
		case h.trouble != "":
			d = max(time.Until(s.askAt), 0)
		case !s.asb:
			d = min(d, s.p.c.Poll)
		}
		err := s.wait(ctx, d, func() bool {
			return arrived() || s.cleared || s.changed || s.poked || s.rang(h)
		})
		switch {
		case arrived():
			s.calm(h)
			return nil
		case s.cleared && !h.gotP:
			return errCleared
		case err != nil && err != errTime:
			return err
		case s.rang(h):
			if h.gotP, err = s.confirm(ctx); err != nil {
				return err
			}
			if h.gotC = h.gotP; h.gotP {
				h.evidence = EvidenceFence
			}
			continue
		}
		s.cleared = false
		if err == errTime {
			s.postpone()
			if err := s.askAll(ctx); isSilence(err) {
				if arrived() {
					continue
				}
				s.trouble(h, ReasonNoAnswer)
				if err := s.checkGone(); err != nil {
					return err
				}
				continue
			} else if err != nil {
				return err
			}
		}
		if s.st.Fault() {
			s.trouble(h, s.st.Reason())
			if err := s.recover(); err != nil {
				return err
			}
			if err := s.clearAway(ctx, h); err != nil {
				return err
			}
			deadline, overdue = restart()
			continue
		}
		if h.trouble != "" && err == errTime || h.trouble != ReasonNoAnswer && h.trouble != "" {
			s.calm(h)
			deadline, overdue = restart()
			continue
		}
		if h.trouble != "" || arrived() || time.Now().Before(deadline) {
			continue
		}
		// It lives, it is well, and it should be done: have the answers been lost?
		if time.Now().After(overdue) {
			sound, err := s.overtake(ctx, h)
			if err != nil {
				return err
			}
			if arrived() {
				continue
			}
			if !sound {
				return errDoubt
			}
			h.gotP, h.gotC = true, true
			h.evidence = EvidenceFence
		}
		deadline = time.Now().Add(budget)
	}
}

// rang reports an answer to the GS r behind the job, where that is the printer's way.
func (s *session) rang(h *hand) bool { return s.proof == ProofFence && s.answered > 0 && !h.gotP }

// confirm asks by GS r once more. The answer to the first bears no name: any byte of an interpreter that is stuck in the middle
// of the ticket may look like it. A printer that came to the end of the ticket answers the second at once.
func (s *session) confirm(ctx context.Context) (bool, error) {
	s.plain, s.answered = s.plain+1, 0
	s.buf = escpos.AppendFence(s.buf[:0])
	if err := s.send(s.buf); err == errStalled || isSilence(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	err := s.wait(ctx, s.p.c.AnswerTimeout, func() bool { return s.answered > 0 || s.cleared })
	if err != nil && err != errTime {
		return false, err
	}
	sure := s.answered > 0 && !s.cleared
	s.answered = 0
	return sure, nil
}

// overtake sends a bare fence behind the job, and resynchronises when even that is not answered. sound says that the
// fence proves the job (see the package's "What is certain").
func (s *session) overtake(ctx context.Context, h *hand) (sound bool, err error) {
	s.fence, s.fenced = s.p.mem.fence(), false
	proof := s.proof
	defer func() { s.proof = proof }()
	got := func() bool { return s.rung() || h.gotC || s.cleared }
	if s.proof != ProofFence { // else the one that is open is the job's own
		if err := s.quiesce(ctx); err != nil {
			return false, err
		}
	}
	s.plain, s.answered = s.plain+1, 0
	s.buf = escpos.AppendProcessID(escpos.AppendFence(s.buf[:0]), s.fence)
	if err := s.send(s.buf); err != nil && err != errStalled {
		return false, err
	}
	if err := s.wait(ctx, h.estimate+overdueAfter/2, got); err != nil && err != errTime {
		return false, err
	} else if err == errTime {
		if err := s.resync(ctx, resyncRounds); err != nil {
			return false, err
		}
		if !got() {
			// Neither our answers nor any other: this is no printer any more.
			return false, s.lose(ReasonStuck, errors.New("answers in real time but not in its queue: switch the printer off and on"))
		}
	}
	// An answer to GS r may come just before the echo that everybody waits for.
	if err := s.wait(ctx, s.p.c.AnswerTimeout, func() bool { return s.fenced || h.gotC }); err != nil && err != errTime {
		return false, err
	}
	if proof == ProofFence && !s.fenced && !s.resynced {
		if sure, err := s.confirm(ctx); err != nil || !sure {
			return false, err
		}
	}
	sound = h.session == s && h.bytes == h.total && !s.resynced && !s.cleared && s.p.c.Connect.Scheme != port.Serial
	if s.p.c.Profile.ASB && s.asb && s.frames == h.frames {
		sound = false // not even the envelope's GS a was obeyed
	}
	return sound, nil
}

// checkCutter asks for a cutter fault, and waits for its end: the ticket hangs on the one before (spec/escpos.md 10.3).
func (s *session) checkCutter(ctx context.Context, h *hand) error {
	for {
		err := s.ask(ctx, 3)
		if err != nil && !isSilence(err) {
			return err
		}
		if !s.st.CutterError {
			s.calm(h)
			return nil
		}
		s.trouble(h, s.st.Reason())
		if err := s.recover(); err != nil {
			return err
		}
		s.changed, s.poked = false, false
		s.postpone()
		if err := s.wait(ctx, time.Until(s.askAt), func() bool { return s.changed || s.poked }); err != nil && err != errTime {
			return err
		}
		if err := s.checkGone(); err != nil {
			return err
		}
	}
}

// recover passes a person's wish on to a printer in a recoverable error: go on at the line that failed.
func (s *session) recover() error {
	s.p.mu.Lock()
	wanted := s.p.recover
	s.p.recover = false
	s.p.mu.Unlock()
	if !wanted {
		return nil
	}
	if err := s.send(escpos.AppendRecover(s.buf[:0], 1)); err != nil && err != errStalled {
		return err
	}
	return nil
}

// clearAway throws the rest of the job in hand away when a person wants that.
func (s *session) clearAway(ctx context.Context, h *hand) error {
	if h.gotP || !s.p.clearWanted(h.job.ID) {
		return nil
	}
	s.cleared = false
	if err := s.send(escpos.AppendClear(s.buf[:0])); err == errStalled {
		return nil // it hears nothing; the wish is gone
	} else if err != nil {
		return err
	}
	err := s.wait(ctx, s.p.c.AnswerTimeout, func() bool { return s.cleared || h.gotP })
	switch {
	case h.gotP:
		return nil
	case s.cleared:
		return errCleared
	case err == errTime:
		return errKept
	}
	return err
}

// pace is the end of a job that nothing will prove: its printing time passes, and where the printer at least tells its
// condition it must be well.
func (s *session) pace(ctx context.Context, h *hand) error {
	estimate := h.estimate
	if s.p.c.Connect.Scheme == port.File {
		estimate = 0 // a file prints nothing
	}
	if err := s.wait(ctx, estimate, never); err != nil && err != errTime {
		return err
	}
	for !s.mute {
		err := s.askAll(ctx)
		if err != nil && !isSilence(err) {
			return err
		}
		reason := s.st.Reason()
		if err != nil {
			reason = ReasonNoAnswer
		}
		if reason == "" || !s.st.Fault() && err == nil {
			if h.trouble == "" {
				break
			}
			s.calm(h) // it goes on from where it stopped
			if err := s.wait(ctx, estimate, never); err != nil && err != errTime {
				return err
			}
			continue
		}
		s.trouble(h, reason)
		if err := s.checkGone(); err != nil {
			return err
		}
		s.postpone()
		if err := s.wait(ctx, time.Until(s.askAt), never); err != nil && err != errTime {
			return err
		}
	}
	h.evidence = EvidenceNone
	s.p.record(h, Done, "", true)
	return nil
}
