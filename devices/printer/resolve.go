package printer

import (
	"context"
	"errors"
	"time"
)

// maxAttempts is how often a job goes out by itself: once, and once more under a banner when the first outcome stays
// unknown. A third copy needs a person.
const maxAttempts = 2

// resolve settles the job in hand whose outcome is unknown, over a connection whose queue is empty.
func (s *session) resolve(ctx context.Context, h *hand) error {
	p := s.p
	s.drain()
	switch {
	case h.gotP:
		return s.proven(h)
	case h.earlier > 0:
		p.record(h, Printed, "", false)
		p.record(h, Done, ReasonCutUnknown, true)
		return s.drop(s.lost)
	}
	if cut, err := s.cutRan(ctx, h); err != nil {
		return err
	} else if cut {
		h.evidence = EvidenceCutCounter
		p.record(h, Printed, "", false)
		p.record(h, Done, "", true)
		return s.drop(nil)
	}
	if err := s.further(ctx, h, h.trouble); err != nil || p.hand == nil {
		return err
	}
	return s.run(ctx, h)
}

// proven ends a job whose echo came when its outcome was already called unknown.
func (s *session) proven(h *hand) error {
	if h.state != Printed {
		s.p.record(h, Printed, "", false)
	}
	reason := ""
	if !h.gotC {
		reason = ReasonCutUnknown
	}
	s.p.record(h, Done, reason, true)
	return s.drop(s.lost)
}

// cutRan asks the cut counter whether the job in hand was cut.
func (s *session) cutRan(ctx context.Context, h *hand) (bool, error) {
	c := &s.p.cuts
	if !s.p.c.TrustCutCounter || s.proof != ProofProcessID {
		return false, nil
	}
	before := *c
	n, ok, err := s.queryCuts(ctx)
	if err != nil {
		return false, err
	}
	*c = cutCounter{valid: ok, base: n, trusted: before.trusted}
	return ok && before.valid && before.trusted && h.session != nil && n == before.expected()+1, nil
}

// further begins another attempt of the job in hand under a banner when its policy allows one; else it leaves the job
// to a person and drops it.
func (s *session) further(ctx context.Context, h *hand, reason string) error {
	p := s.p
	if h.gotP {
		return s.proven(h)
	}
	p.mem.expect(h.job.ID, h.attempt)
	if !h.job.Reprint || h.attempt.Number >= maxAttempts {
		p.record(h, h.state, reason, true)
		return s.drop(s.lost)
	}
	p.mu.Lock()
	a := p.attempt(h.attempt.Number + 1)
	p.mu.Unlock()
	a.Banner, a.Reason = true, reason
	if err := s.untilRecorded(ctx, h, a); err == ErrGone {
		p.giveBack(a)
		return s.drop(s.lost)
	} else if err != nil {
		p.giveBack(a)
		return err
	}
	if h.gotP { // meanwhile
		h.earlier, h.gotP, h.gotC = h.attempt.Number, false, false
	}
	h.attempt, h.state, h.bytes, h.total, h.trouble, h.damaged = a, Sending, 0, 0, "", false
	h.session = s
	return nil
}

// retry sends a held job in hand.
func (s *session) retry(ctx context.Context, h *hand) error {
	p := s.p
	if h.earlier > 0 {
		p.record(h, Printed, "", false)
		p.record(h, Done, ReasonCutUnknown, true)
		return s.drop(s.lost)
	}
	p.mu.Lock()
	a := p.attempt(h.attempt.Number)
	p.mu.Unlock()
	a.Banner, a.Reason = h.attempt.Banner, h.attempt.Reason
	if err := s.untilRecorded(ctx, h, a); err != nil {
		p.giveBack(a)
		if err == ErrGone {
			return s.drop(s.lost)
		}
		return err
	}
	h.attempt, h.state = a, Sending
	if a.Number == 1 {
		h.job.FirstSent = a.At
	}
	return s.run(ctx, h)
}

// untilRecorded has the ledger write a further attempt down. Without that no byte leaves, however long it takes.
func (s *session) untilRecorded(ctx context.Context, h *hand, a Attempt) error {
	for {
		err := s.p.c.Ledger.Sending(ctx, h.job.ID, a)
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrGone) {
			return ErrGone
		}
		s.p.log.Error("attempt not recorded", "job", h.job.ID, "err", err)
		if err := s.wait(ctx, s.p.c.Poll, never); err != errTime {
			return err
		}
	}
}

// late reports a job that was given up as unknown and proved printed after all.
func (p *Printer) late(o openToken) {
	r := Report{State: Printed, Evidence: EvidenceProcessID, At: p.c.Now(), Attempt: o.attempt}
	p.c.Ledger.Record(o.job, r)
	r.State, r.Settled = Done, true
	if !o.cut {
		r.Reason = ReasonCutUnknown
	}
	p.c.Ledger.Record(o.job, r)
}

// serve prints what comes until the link or ctx ends; life outlasts ctx for the job in hand.
func (s *session) serve(ctx, life context.Context) error {
	p := s.p
	asked := time.Now() // when the condition was last asked for
	for {
		s.drain()
		if p.shut() {
			if err := s.claimed(life); err != nil {
				return err
			}
			continue
		}
		if s.lost != nil {
			return s.lost
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case s.st.Fault():
			p.tell(s)
			p.hold(s.st.Reason())
			if err := s.giveUp(s.watch(ctx)); err != nil {
				return err
			}
			continue
		case p.isPaused():
			p.tell(s)
			p.hold(ReasonPaused)
		default:
			p.unhold()
			p.tell(s)
			if h := p.hand; h != nil { // held
				if err := s.retry(life, h); err != nil {
					return err
				}
				continue
			}
			if p.mayBeQueued(false) {
				if !s.mute && !s.fresh(asked) {
					if err := s.askAll(ctx); isSilence(err) {
						return s.lose(ReasonNoAnswer, err)
					} else if err != nil {
						return err
					}
					asked = time.Now()
					if s.st.Fault() {
						continue
					}
				}
				if err := s.next(life); err != nil {
					return err
				}
				continue
			}
			if !p.unlock(s.asb) {
				continue
			}
		}
		// The keep-alive.
		d := p.c.KeepAlive
		if !s.mute {
			d = time.Until(s.heard.Add(d))
		}
		if d > 0 {
			if err := s.idle(ctx, life, d); err != nil {
				return err
			}
			continue
		}
		if p.shut() {
			continue
		}
		err := s.askAll(ctx)
		if err == errSilent { // once more: some boards are slow to wake
			err = s.ask(ctx, 1)
		}
		if isSilence(err) {
			return s.lose(ReasonNoAnswer, err)
		} else if err != nil {
			return err
		}
		asked = time.Now()
		if p.cuts.since > 0 && !s.st.Fault() {
			if err := s.readCuts(ctx); err != nil {
				return err
			}
		}
	}
}

// fresh reports whether the condition is known well enough to send: the printer reports by itself and spoke lately, or
// was asked just now.
func (s *session) fresh(asked time.Time) bool {
	const lately = 2 * time.Second
	return s.asb && time.Since(s.heard) < lately || time.Since(asked) < lately/2
}

// idle waits for something to do, d at most.
func (s *session) idle(ctx, life context.Context, d time.Duration) error {
	s.changed = false
	s.timer.Reset(d)
	defer s.timer.Stop()
	for {
		select {
		case j := <-s.p.handover:
			s.p.accepted()
			return s.run(life, s.p.begin(j.job, j.attempt))
		case r, ok := <-s.replies:
			s.take(r, ok)
			if s.lost != nil {
				return nil // serve looks for a claim first
			}
			if s.changed {
				return nil
			}
		case <-s.p.wake:
			return nil
		case <-s.timer.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// claimed waits for the job of a claim, whose commit is under way, and prints it.
func (s *session) claimed(life context.Context) error {
	select {
	case j := <-s.p.handover:
		s.p.accepted()
		return s.run(life, s.p.begin(j.job, j.attempt))
	case <-s.p.wake: // perhaps Unclaim
		return nil
	case <-life.Done():
		return life.Err()
	}
}

// next takes the oldest job of the ledger and prints it, or resolves it when an earlier process left it in the middle.
func (s *session) next(ctx context.Context) error {
	p := s.p
	p.mayBeQueued(true)
	var given Attempt
	j, a, ok, err := p.c.Ledger.Next(ctx, func(j Job) Attempt {
		given = p.following(j)
		return given
	})
	if err != nil || !ok {
		if given.Number > 0 {
			p.giveBack(given)
		}
		if err == nil {
			return nil
		}
		p.remarkQueued()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.log.Error("next job not read", "err", err)
		if err := s.wait(ctx, p.c.Poll, never); err != errTime {
			return err
		}
		return nil
	}
	p.remarkQueued() // there may be more
	h := p.begin(j, a)
	if given.Number > 0 {
		return s.run(ctx, h)
	}
	if a.TokenP == ([4]byte{}) {
		h.attempt.TokenP, h.attempt.TokenC = tokens(a.Sequence)
		a = h.attempt
	}
	h.session, h.total = nil, 1 // nobody knows how far it came
	h.gotC = p.mem.kept(a.TokenC)
	h.gotP = p.mem.kept(a.TokenP) || h.gotC || j.State == Printed
	h.state, h.trouble = j.State, ReasonRestart
	if j.State != Unknown && j.State != Printed && j.State != Cleared {
		p.lost(h, ReasonRestart)
	}
	if h.gotP {
		h.evidence = EvidenceProcessID
	}
	return s.resolve(ctx, h)
}

// following makes the attempt that Next records for j.
func (p *Printer) following(j Job) Attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	number := j.Attempt + 1
	if j.State == Held && j.Attempt > 0 && !j.Redo {
		number = j.Attempt // held means that this attempt put no byte on the line
	}
	a := p.attempt(number)
	a.Banner = j.Redo || number > 1
	if a.Banner {
		a.Reason = j.Reason
		if j.Redo && j.Reason == "" {
			a.Reason = ReasonAsked
		}
	}
	return a
}
