package printer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aboyeur/protocol/escpos"
)

// Resynchronising a stuck interpreter (spec/escpos.md 10.8).
const (
	resyncBlock  = 8192        // NULs at a time
	resyncRounds = 10          // one a second
	resyncPause  = time.Second // for the answer to each
	wakeNULs     = 64          // complete a command that a broken transfer left without its arguments
)

// hello makes sure that the connection is a printer that is well and has emptied its queue, and finds out what it can
// prove. A connection alone says nothing: boards accept a second host and let it wait (spec/escpos.md 13).
func (s *session) hello(ctx context.Context) error {
	p := s.p
	p.forgetIfAsked()
	if s.mute {
		s.proof, p.proof = ProofNone, ProofNone
		return nil
	}
	if err := s.ask(ctx, 1); err != nil {
		if isSilence(err) {
			return &lostError{ReasonMute, errors.New("connected, but no answer to DLE EOT 1: another host may hold the printer, or its board passes no answers on")}
		}
		return err
	}
	if err := s.untilWell(ctx); err != nil {
		return err
	}
	if p.c.Profile.ASB {
		if err := s.send(escpos.AppendASB(s.buf[:0], 0xFF)); err != nil && err != errStalled {
			return err
		}
	}
	if err := s.probe(ctx); err != nil {
		return err
	}
	p.proof = s.proof
	if s.proof == ProofFence {
		if err := s.quiesce(ctx); err != nil {
			return err
		}
	}
	if err := s.identify(ctx); err != nil {
		return err
	}
	return s.readCuts(ctx)
}

// untilWell waits until the printer can print. Before that no queued question would be answered.
func (s *session) untilWell(ctx context.Context) error {
	if err := s.askAll(ctx); err != nil {
		if isSilence(err) {
			return s.lose(ReasonMute, err)
		}
		return err
	}
	for s.st.Fault() {
		s.p.hold(s.st.Reason())
		if err := s.giveUp(s.watch(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// probe sends a bare fence and so learns two things: which proof the printer gives, and that its queue is empty. A
// printer that answered before and does not now is busy with the rest of an old ticket, or stuck in a half command.
func (s *session) probe(ctx context.Context) error {
	p := s.p
	known := p.proof == ProofProcessID || p.proof == ProofFence || p.provedBefore()
	expect := known || p.hand != nil || p.proof == ProofUnknown && p.c.Profile.ProcessID
	patience := p.c.AnswerTimeout
	if expect {
		patience += p.c.Margin
	}
	if h := p.hand; h != nil {
		patience += h.estimate
		if h.bytes < h.total {
			// The broken end of a command would eat the beginning of the probe and print the rest.
			if err := s.send(escpos.AppendNULs(nil, wakeNULs)); err != nil && err != errStalled {
				return err
			}
		}
	}
	s.fence, s.fenced = p.mem.fence(), false
	if p.proof != ProofFence {
		if err := s.ring(ctx, true, false, patience); err != nil || s.rung() {
			return err
		}
	}
	if p.proof != ProofProcessID {
		if err := s.ring(ctx, false, true, patience); err != nil || s.rung() {
			return err
		}
	}
	if known {
		// A spare in the place of a printer that proves is not stuck: it says who it is, in its queue.
		id, sure, err := s.whoSurely(ctx)
		if err != nil {
			return err
		}
		if sure && p.stranger(id) {
			// What was not asked above.
			if err := s.ring(ctx, p.proof == ProofFence, p.proof == ProofProcessID, patience); err != nil || s.rung() {
				return err
			}
			s.proof = ProofNone
			return nil
		}
	}
	if expect {
		if err := s.resync(ctx, resyncRounds); err != nil || s.rung() {
			return err
		}
	}
	if known {
		return s.lose(ReasonStuck, errors.New("answers in real time but not in its queue: switch the printer off and on"))
	}
	s.proof = ProofNone
	return nil
}

// ring asks for the open fence by GS ( H, by GS r, or by both, and waits while the printer lives and is in trouble.
func (s *session) ring(ctx context.Context, echo, plain bool, patience time.Duration) error {
	b := s.buf[:0]
	if plain {
		b = escpos.AppendFence(b)
		s.plain, s.answered = s.plain+1, 0
	}
	if echo {
		b = escpos.AppendProcessID(b, s.fence)
	}
	s.buf = b
	if err := s.send(b); err != nil && err != errStalled {
		return err
	}
	for {
		err := s.wait(ctx, patience, s.rung)
		if err != errTime {
			return err
		}
		if err := s.askAll(ctx); err != nil {
			if isSilence(err) {
				return s.lose(ReasonNoAnswer, err)
			}
			return err
		}
		if !s.st.Fault() {
			return nil // well, and yet no answer
		}
		if err := s.untilWell(ctx); err != nil {
			return err
		}
	}
}

// rung reports that the open fence was answered, and notes what that says of the printer.
func (s *session) rung() bool {
	switch {
	case s.fenced:
		s.proof = ProofProcessID
		return true
	case s.answered > 0:
		s.proof = ProofFence
		return true
	}
	return false
}

// resync brings a stuck interpreter back: NULs are data to a half command and nothing between commands.
func (s *session) resync(ctx context.Context, rounds int) error {
	s.resynced = true
	for range rounds {
		b := escpos.AppendNULs(nil, resyncBlock)
		b = escpos.AppendFence(b)
		b = escpos.AppendProcessID(b, s.fence)
		s.plain, s.answered = s.plain+1, 0
		if err := s.send(b); err != nil && err != errStalled {
			return err
		}
		if err := s.wait(ctx, resyncPause, s.rung); err != errTime {
			if err == nil && !s.fenced { // give the better proof the same chance
				if err := s.wait(ctx, resyncPause, func() bool { return s.fenced }); err != nil && err != errTime {
					return err
				}
			}
			return err
		}
	}
	return nil
}

// identify asks who the printer is. Clones say what they like, so that nothing follows from the words themselves; that they
// differ from last time means another printer.
func (s *session) identify(ctx context.Context) error {
	p := s.p
	id, err := s.who(ctx)
	if err != nil {
		return err
	}
	if last, ok := p.last(); id != last.Identity || !ok && id != (Identity{}) {
		again, _, err := s.whoSurely(ctx)
		if err != nil {
			return err
		}
		if again != id {
			return nil // noise among the answers
		}
	}
	fonts := ""
	if id != (Identity{}) {
		if fonts, err = s.query(ctx, escpos.AppendIdentify(s.buf[:0], escpos.IdentifyFonts)); err != nil {
			return err
		}
	}
	if last, ok := p.last(); ok && id != last.Identity {
		p.log.Warn("another printer stands here", "was", last.Identity, "is", id)
		p.counts.Replaced++
		p.cuts = cutCounter{}
		if s.proof == ProofFence { // that was asked first because of the old one; perhaps this one does better
			s.fence, s.fenced, s.answered = p.mem.fence(), false, 0
			if err := s.ring(ctx, true, false, p.c.AnswerTimeout); err != nil {
				return err
			}
			s.rung()
			p.proof = s.proof
		}
	}
	p.remember(Known{Identity: id, Proof: s.proof, Fonts: fonts})
	p.show(func(st *Status) { st.Identity, st.Fonts = id, fonts })
	return nil
}

// whoSurely asks twice: noise among the answers, or one that came late and was taken for the next, must not make another
// printer of this one. sure says that every answer came in time and both times the same.
func (s *session) whoSurely(ctx context.Context) (id Identity, sure bool, err error) {
	if id, err = s.who(ctx); err != nil {
		return id, false, err
	}
	again, err := s.who(ctx)
	if err != nil || again != id {
		return Identity{}, false, err
	}
	return id, !s.unanswered && id.Serial != "", nil
}

// who asks for the printer's own words about itself.
func (s *session) who(ctx context.Context) (id Identity, err error) {
	for _, q := range []struct {
		n    byte
		into *string
	}{
		{escpos.IdentifyMaker, &id.Maker}, {escpos.IdentifyName, &id.Model},
		{escpos.IdentifyFirmware, &id.Firmware}, {escpos.IdentifySerial, &id.Serial},
	} {
		text, err := s.query(ctx, escpos.AppendIdentify(s.buf[:0], q.n))
		if err != nil {
			return id, err
		}
		if text == "" {
			break
		}
		*q.into = text
	}
	return id, nil
}

// query sends a question that is answered by a text block; "" means no answer.
func (s *session) query(ctx context.Context, b []byte) (string, error) {
	s.buf = b
	s.text, s.wantText = nil, true
	defer func() { s.wantText = false }()
	if err := s.send(b); err != nil {
		if err == errStalled {
			return "", nil
		}
		return "", err
	}
	err := s.wait(ctx, s.p.c.AnswerTimeout/3, func() bool { return !s.wantText })
	if err != nil && err != errTime {
		return "", err
	}
	s.unanswered = s.unanswered || err == errTime
	return strings.TrimSpace(string(s.text)), nil
}

// cutCounter follows the maintenance counter of cuts (see the package's "What is certain").
type cutCounter struct {
	valid   bool   // base was read
	base    uint64 // as last read
	since   uint64 // tickets proven cut since then
	trusted bool   // it was seen to count our tickets and nothing else
}

// expected is what the counter stands at when nothing but proven tickets was cut.
func (c *cutCounter) expected() uint64 { return c.base + c.since }

// readCuts reads the counter while nothing is in hand.
func (s *session) readCuts(ctx context.Context) error {
	if !s.p.c.TrustCutCounter || s.proof != ProofProcessID || s.p.hand != nil {
		return nil
	}
	c := &s.p.cuts
	n, ok, err := s.queryCuts(ctx)
	if err != nil {
		return err
	}
	if c.valid && c.since > 0 {
		c.trusted = ok && n == c.expected()
	} else if n != c.base {
		c.trusted = false
	}
	c.valid, c.base, c.since = ok, n, 0
	return nil
}

func (s *session) queryCuts(ctx context.Context) (n uint64, ok bool, err error) {
	text, err := s.query(ctx, escpos.AppendCounter(s.buf[:0], escpos.CounterCuts))
	if err != nil || text == "" {
		return 0, false, err
	}
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
		return 0, false, nil
	}
	return n, true, nil
}
