package folio

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
	"aboyeur/bridge/warning"
)

// Order is a charge as a caller inside the house places it.
type Order struct {
	ID      journal.ID              // zero: one is made
	Sale    string                  // the sale it pays a part of; "" for none
	Request Request                 // completed and checked by Place
	Also    func(*journal.Tx) error // written in the transaction that records the charge; may be nil
	Wait    time.Duration           // how long to wait for the outcome
	Text    string                  // CT on the bill; "" is made of outlet and table
}

// Place takes a charge and, as far as o.Wait allows, waits for what becomes of it. known tells that key was used for
// this very charge before. Faults of the request come as api.Problem; ErrOther says that key was used otherwise; the
// journal's errors pass through.
func (s *Service) Place(ctx context.Context, by access.Principal, key string, o Order) (p Posting, known bool, err error) {
	set := s.set.Load()
	o.Request.complete(set.firstOutlet())
	if err := s.invalid(by, &o.Request, set); err != nil {
		return Posting{}, false, err
	}
	kind := Charge
	if !o.Request.room() {
		kind = Tender
	}
	return s.place(ctx, by, key, kind, o, nil)
}

// place records a posting of any kind and starts it. prepare, which may be nil, completes it within the transaction.
func (s *Service) place(ctx context.Context, by access.Principal, key, kind string, o Order, prepare func(*journal.Tx, *posting) error) (_ Posting, known bool, err error) {
	now := s.c.Now()
	p := &posting{ID: o.ID, Kind: kind, Sale: o.Sale, Day: s.calendar().Day(now), Stamp: now.UTC().Truncate(time.Second)}
	if p.ID.IsZero() {
		p.ID = s.c.Journal.NewID()
	}
	p.content = content{Request: o.Request, Period: s.calendar().Period(now), By: by.Name, Role: string(by.Role), Text: o.Text}
	p.Queue = o.Request.Queue
	digest := sale.Hash(append([]byte(kind+" "), encode(o.Request)...))

	slot := false
	switch reason := s.gate(); {
	case p.Queue:
		p.State = Queued
	case reason != "":
		p.State, p.Reason = Refused, reason
	default:
		select {
		case s.slots <- struct{}{}:
			slot = true
		default:
			return Posting{}, false, ErrBusy
		}
		if p.State = Inquiring; !o.Request.room() {
			p.State = Queued
		}
	}
	free := func() {
		if slot {
			<-s.slots
		}
	}
	at := p.ID
	w := s.await(at.Key())
	err = s.c.Journal.Overtake(ctx, func(tx *journal.Tx) error {
		if key != "" {
			prior, used, err := tx.Idempotent(by.Subject(), key, digest, p.ID.String())
			if errors.Is(err, journal.ErrKeyReused) {
				return ErrOther
			}
			if err != nil {
				return err
			}
			if used {
				known = true
				at, err = journal.ParseID(prior)
				return err
			}
		}
		if prepare != nil {
			if err := prepare(tx, p); err != nil {
				return err
			}
		}
		if o.Also != nil {
			// First: a charge that is refused at once has an end to tell of.
			if err := o.Also(tx); err != nil {
				return err
			}
		}
		return s.insert(tx, p)
	})
	if err != nil || known {
		free()
		s.unwait(p.ID.Key(), w)
		if err != nil {
			return Posting{}, false, err
		}
		v, err := s.wait(ctx, at, s.await(at.Key()), o.Wait, true)
		return v, true, err
	}
	if p.State == Queued && p.Queue {
		s.stir()
	}
	placed := s.view(p)
	if slot && !s.task("posting", func(ctx context.Context) { defer free(); s.carry(ctx, p) }) {
		free()
		s.settle(ctx, p, Refused, LinkDown, Answer{}, "not running")
	}
	if o.Wait <= 0 && !settled(placed.State) {
		s.unwait(p.ID.Key(), w)
		return placed, false, nil
	}
	v, err := s.wait(ctx, at, w, max(o.Wait, time.Second), false)
	return v, false, err
}

// carry brings a recorded posting to the hotel. When it returns, the posting is settled, or queued again.
func (s *Service) carry(ctx context.Context, p *posting) {
	// Whatever falls over on the way, the posting does not stay where nobody looks.
	done := false
	defer func() {
		if !done {
			s.abandon(p)
		}
	}()
	s.attempt(ctx, p)
	done = true
}

func (s *Service) attempt(ctx context.Context, p *posting) {
	set := s.set.Load()
	m := s.compose(p, set)
	if p.Method == "" {
		guest, term, refusal, err := s.inquire(ctx, p, m)
		switch {
		case err != nil:
			s.notSent(ctx, p, LinkDown, err.Error())
			return
		case refusal.Status != "":
			s.decide(ctx, p, refusal)
			return
		case guest.NoPost && p.Kind != Void && p.Kind != Refund:
			s.decide(ctx, p, Answer{Status: "NP"})
			return
		}
		if left, over := s.over(p, guest); over {
			if !p.Manager {
				s.settle(ctx, p, Refused, OverCap, Answer{}, "limit "+strconv.FormatInt(left, 10))
				return
			}
			p.Limit = left
		}
		m.Guest, m.Term = guest, term
	}
	number, err := s.numbers.take(ctx)
	if err != nil {
		s.notSent(ctx, p, LinkDown, err.Error())
		return
	}
	m.Number = number
	if err := s.recordSending(ctx, p, number); err != nil {
		s.c.Log.Error("posting not sent, the journal cannot record it", "posting", p.ID.String(), "err", err)
		s.standing(ctx, p)
		s.notSent(ctx, p, LinkDown, "journal: "+err.Error())
		return
	}
	began := time.Now()
	asked, stop := context.WithTimeout(ctx, s.c.AnswerTimeout)
	answer, err := s.c.PMS.Post(asked, m)
	stop()
	switch {
	case err == nil && answer.Status == "":
		s.settle(ctx, p, Unknown, "", answer, "the answer has no status")
	case err == nil:
		s.metrics.answer(time.Since(began))
		s.decide(ctx, p, answer)
	case errors.Is(err, ErrNotSent):
		s.notSent(ctx, p, LinkDown, err.Error())
	default:
		s.c.Log.Warn("outcome of a posting is unknown", "posting", p.ID.String(), "number", number, "err", err)
		s.settle(ctx, p, Unknown, "", Answer{}, err.Error())
	}
}

// inquire asks the hotel for the guest of p anew. A refusal with a status is the hotel's, or that the guest is not there.
func (s *Service) inquire(ctx context.Context, p *posting, m Message) (guest Guest, term string, refusal Answer, err error) {
	number, err := s.numbers.take(ctx)
	if err != nil {
		return Guest{}, "", Answer{}, err
	}
	asked, stop := context.WithTimeout(ctx, s.c.AnswerTimeout)
	defer stop()
	list, err := s.c.PMS.Search(asked, Query{
		Number: number, Term: p.Room, Method: m.Method, Outlet: m.Outlet, Staff: m.Staff, Workstation: m.Workstation, At: m.At,
	})
	var refused *RefusedError
	if errors.As(err, &refused) {
		return Guest{}, "", refused.Answer, nil
	}
	if err != nil {
		return Guest{}, "", Answer{}, err
	}
	for _, g := range list {
		if g.Room != p.Room {
			continue
		}
		if p.Reservation == "" || g.Reservation == p.Reservation || p.Reservation == accountReservation(g.Room) && g.account() {
			return g, p.Room, Answer{}, nil
		}
	}
	return Guest{}, "", Answer{Status: "NG"}, nil
}

// over tells whether p, without its tip, is more than what the guest may still charge, and how much that is. A hotel that
// names no limit, or none above zero, decides for itself.
func (s *Service) over(p *posting, g Guest) (left int64, over bool) {
	if g.Limit == nil || *g.Limit <= 0 || p.Kind == Void || p.Kind == Refund {
		return 0, false
	}
	left = *g.Limit
	if g.Balance != nil {
		left -= *g.Balance
	}
	return left, p.amount()-p.Tip > left
}

// compose makes the message of a posting but for the guest and the number.
func (s *Service) compose(p *posting, set *settings) Message {
	limits := s.c.PMS.Limits()
	m := Message{
		Method: set.method(p.Method), Total: p.amount(), Tip: p.Tip, ServiceCharge: p.ServiceCharge, Currency: p.Currency,
		Subtotals: make([]int64, limits.Subtotals), Taxes: make([]int64, limits.Subtotals), Discounts: make([]int64, limits.Subtotals),
		Check: digits(p.Check, lastNumber), Outlet: set.outlet(p.Outlet), OutletName: p.Outlet, Table: int(digits(p.Table, 9999)), Covers: p.Covers, Period: p.Period,
		Staff: p.Staff, Workstation: p.Workstation, Reference: p.ID.String(), Override: p.Manager, Text: p.Text, At: p.Stamp.In(s.calendar().Location),
	}
	if m.Text == "" {
		m.Text = p.Outlet
	}
	if p.Table != "" {
		m.Supplement = s.words.T("pms.on_bill", p.Check, p.Table)
	}
	at := place{outlet: p.Outlet, posConfig: Any, floorPlan: Any, period: p.Period}
	for _, part := range p.parts() {
		if part.Part == partService {
			continue
		}
		n, ok := subtotalOf(set.Rules, at, part.Group)
		switch {
		case p.Kind == Revenue:
			n = int(digits(part.Group, int64(limits.Subtotals)))
		case !ok && part.Group != "" && len(set.Rules) > 0:
			s.raise("pms_unmapped", warning.Warn, "pms", part.Group)
		}
		if n < 1 || n > limits.Subtotals {
			n = 1
		}
		switch part.Part {
		case Subtotal:
			m.Subtotals[n-1] += part.Amount
		case partTax:
			m.Taxes[n-1] += part.Amount
		case partDiscount:
			m.Discounts[n-1] += part.Amount
		}
	}
	return m
}

// digits gives the number that a text's digits make, 0 when it has none or they are more than most.
func digits(text string, most int64) int64 {
	var n int64
	for _, c := range text {
		if c >= '0' && c <= '9' {
			if n = n*10 + int64(c-'0'); n > most {
				return 0
			}
		}
	}
	return n
}

// recordSending has it on disk that bytes may leave now.
func (s *Service) recordSending(ctx context.Context, p *posting, number int64) error {
	return s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		now := tx.Now()
		rows, err := tx.Exec(updateSending, number, now, trail.Append(nil, now, Sending, "", "P#"+strconv.FormatInt(number, 10)), p.ID.Key())
		if err != nil {
			return err
		}
		if rows != 1 {
			return fmt.Errorf("posting %s is not where it can be sent from: %w", p.ID, ErrState)
		}
		if p.Manager {
			if _, err := tx.Exec(updateContent, encode(p.content), p.ID.Key()); err != nil {
				return err
			}
			detail := "credit limit override, " + money.Format(p.amount(), money.Decimals(p.Currency)) + " " + p.Currency + ", room " + p.Room
			if p.Limit != 0 {
				detail += ", left of the limit " + money.Format(p.Limit, money.Decimals(p.Currency))
			}
			if err := tx.Audit(p.By, p.Role, "pms_override", p.ID.String(), detail); err != nil {
				return err
			}
		}
		tx.After(func(err error) {
			if err == nil {
				p.State, p.Number, p.SentAt = Sending, number, now
				p.Attempts++
			}
		})
		return nil
	})
}

// standing reads which state the journal left a posting in after a commit that failed: it may hold all the same.
func (s *Service) standing(ctx context.Context, p *posting) {
	s.persist(ctx, p, func(tx *journal.Tx) error {
		row, err := load(tx, p.ID.Key())
		if err == nil {
			p.State = row.State
		}
		return err
	})
}

// decide follows the hotel's answer.
func (s *Service) decide(ctx context.Context, p *posting, a Answer) {
	v := judge(a.Status)
	if v.again && p.Queue {
		s.requeue(ctx, p, a, reasonOf(a.Status))
		return
	}
	reason := ""
	if v.state == Refused {
		reason = reasonOf(a.Status)
	}
	s.settle(ctx, p, v.state, reason, a, "")
}

// notSent ends a try of which nothing reached the hotel.
func (s *Service) notSent(ctx context.Context, p *posting, reason, detail string) {
	if p.Queue {
		s.requeue(ctx, p, Answer{}, detail)
		return
	}
	s.settle(ctx, p, Refused, reason, Answer{}, detail)
}

// requeue has a posting that nobody waits for tried again later.
func (s *Service) requeue(ctx context.Context, p *posting, a Answer, why string) {
	pause := firstRetry << min(p.Attempts, 10)
	next := s.c.Now().Add(min(pause, longestRetry))
	s.persist(ctx, p, func(tx *journal.Tx) error {
		rows, err := tx.Exec(updateQueued, next, a.Status, a.Text, trail.Append(nil, tx.Now(), Queued, "", why), p.ID.Key(), p.State)
		if err != nil || rows != 1 {
			return err
		}
		requeued := *p
		requeued.State = Queued
		s.tell(tx, &requeued)
		return nil
	})
	s.stir()
}

// settle records how a posting ended.
func (s *Service) settle(ctx context.Context, p *posting, state, reason string, a Answer, detail string) {
	if detail == "" {
		detail = a.Text
	}
	if a.Status != "" {
		detail = a.Status + " " + detail
	}
	s.persist(ctx, p, func(tx *journal.Tx) error {
		end := *p
		end.Reason = reason
		return s.close(tx, &end, state, a, detail)
	})
}

// close records within tx how a posting ended, unless a late answer was quicker.
func (s *Service) close(tx *journal.Tx, p *posting, state string, a Answer, detail string) error {
	now, was := tx.Now(), p.State
	if state == Refused && p.Reason == "" {
		p.Reason = reasonOf(a.Status)
	}
	rows, err := tx.Exec(updateSettled, state, p.Reason, state == Unknown, a.Status, a.Text, now, trail.Append(nil, now, state, "", detail), p.ID.Key(), was)
	if err != nil || rows != 1 {
		return err
	}
	p.State, p.Answer, p.AnswerText, p.SettledAt = state, a.Status, a.Text, now
	if state == Unknown {
		s.countUnknown(tx, 1)
	}
	s.tell(tx, p)
	return s.ended(tx, p)
}

// persist writes what became of a posting. While the journal cannot take it, it is tried again: who waits hears nothing that is
// not on disk. When the program ends first, the next one finds the posting as it was, and calls it unknown if bytes may
// have left.
func (s *Service) persist(ctx context.Context, p *posting, fn func(*journal.Tx) error) {
	ctx = context.WithoutCancel(ctx)
	pause := 50 * time.Millisecond
	for {
		err := s.c.Journal.Insist(ctx, fn)
		if err == nil {
			return
		}
		s.c.Log.Error("outcome of a posting not recorded, trying again", "posting", p.ID.String(), "err", err)
		if !errors.Is(err, journal.ErrDown) && !errors.Is(err, journal.ErrUncertain) {
			return
		}
		s.mu.Lock()
		running := s.running
		s.mu.Unlock()
		if running == nil {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-running.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// abandon records the end of a posting whose task fell over.
func (s *Service) abandon(p *posting) {
	state, reason := Refused, LinkDown
	if p.State == Sending {
		state, reason = Unknown, ""
	}
	s.settle(context.Background(), p, state, reason, Answer{}, "a fault in the program; see the log")
}
