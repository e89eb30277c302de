package fias

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aboyeur/protocol/ifc"
)

// queued is how many records wait for Run while it writes; beyond that the line waits.
const queued = 16

// Run keeps the link until ctx ends, which ends it in order with LE and returns nil, or until the connection does or the
// hotel is silent. It closes the connection. Requests without an answer then fail. Run is called once.
func (l *Link) Run(ctx context.Context) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	records, failed := make(chan *Record, queued), make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		failed <- l.read(inner, records)
	}()
	defer func() {
		cancel()
		l.conn.Close()
		<-done
		l.change(func(s *LinkStatus) { s.State, s.Swap = Closed, false })
		close(l.gone)
	}()
	l.run.heard = time.Now()
	l.run.until = l.run.heard.Add(l.c.StartWait)
	l.untilNight(time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(l.next()))
		var err error
		select {
		case r := <-records:
			err = l.handle(ctx, r)
		case <-timer.C:
			err = l.tick(ctx, time.Now())
		case err = <-failed:
			for len(records) > 0 { // what came before the end counts
				if e := l.handle(ctx, <-records); errors.Is(e, ErrEnded) {
					err = e
				}
			}
		case <-ctx.Done():
			l.goodbye(inner, records, failed)
			return nil
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// read hands the records of the connection to Run.
func (l *Link) read(ctx context.Context, records chan<- *Record) error {
	var view Record
	for {
		raw, err := l.conn.Receive(ctx)
		if err != nil {
			return err
		}
		if err := Parse(raw, &view); err != nil {
			l.c.Log.Debug("no FIAS record", "err", err)
			view = Record{} // it is acknowledged like the others
		}
		select {
		case records <- view.Clone():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// next is when something is due.
func (l *Link) next() time.Time {
	next := l.run.until
	if l.status.State == Alive {
		next = l.run.heard.Add(l.c.Idle)
		if l.run.asked {
			next = l.run.heard.Add(l.c.Idle + l.c.IdleAnswer)
		}
	}
	for _, t := range []time.Time{l.run.again, l.run.nightUntil, l.run.swapUntil} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if next.IsZero() {
		return time.Now().Add(time.Hour)
	}
	return next
}

// tick does what is due.
func (l *Link) tick(ctx context.Context, now time.Time) error {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if due(l.run.nightUntil) {
		l.run.nightUntil = time.Time{}
		l.night(false, time.Time{})
	}
	if due(l.run.swapUntil) {
		l.run.swapUntil = time.Time{}
		l.swap(false, time.Time{})
	}
	if due(l.run.again) {
		l.run.again = time.Time{}
		if l.status.State != Alive {
			return l.describe(ctx)
		}
	}
	switch l.status.State {
	case Starting:
		if !due(l.run.until) {
			return nil
		}
		if l.c.Key == nil { // no LS came: go on without (fias.md 3.3)
			return l.describe(ctx)
		}
		// The key needs an LS to answer; the hotel answers ours with one.
		if now.Sub(l.run.heard) > l.c.AliveWait {
			return fmt.Errorf("wait for LS: %w", ErrSilent)
		}
		l.run.until = now.Add(l.c.StartWait)
		return l.send(ctx, Moment{LS, l.c.Now()})
	case Describing:
		if due(l.run.until) {
			return fmt.Errorf("wait for LA: %w; are all records of the link set up at the hotel?", ErrSilent)
		}
	case Alive:
		switch {
		case due(l.run.heard.Add(l.c.Idle + l.c.IdleAnswer)):
			return fmt.Errorf("wait for any record: %w", ErrSilent)
		case due(l.run.heard.Add(l.c.Idle)) && !l.run.asked:
			l.run.asked = true
			return l.send(ctx, Moment{LS, l.c.Now()})
		}
	}
	return nil
}

// handle deals with one record that came.
func (l *Link) handle(ctx context.Context, r *Record) error {
	l.run.heard, l.run.asked = time.Now(), false
	l.change(func(s *LinkStatus) { s.Heard = l.c.Now() })
	if r.ID() != PA {
		l.conn.Acknowledge()
	}
	switch r.ID() {
	case LS:
		l.run.stamp = Stamp(r)
		return l.again(ctx)
	case LE:
		if err := l.send(ctx, Moment{LE, l.c.Now()}); err != nil && !l.c.Serial {
			return ErrEnded
		}
		l.run.until, l.run.again = time.Time{}, time.Time{}
		l.change(func(s *LinkStatus) { s.State, s.Swap = Ended, false })
		if !l.c.Serial {
			return ErrEnded
		}
		return nil
	}
	switch l.status.State {
	case Ended: // any record starts the link again, even if its LS was missed (fias.md 3.4)
		return errors.Join(l.data(r), l.again(ctx))
	case Describing:
		if r.ID() == LA {
			l.change(func(s *LinkStatus) { s.State = Alive })
			return nil
		}
	}
	return l.data(r)
}

// again describes the link because the hotel said LS. Several LS at once get two descriptions, further ones wait, and are
// dropped if the link came alive meanwhile: both sides answering each other's start would never end (fias.md 3.3, 9.1).
func (l *Link) again(ctx context.Context) error {
	now := time.Now()
	recent := l.run.described[:0]
	for _, t := range l.run.described {
		if now.Sub(t) < descriptionsDebounce {
			recent = append(recent, t)
		}
	}
	l.run.described = recent
	if len(recent) < descriptionsInARow {
		return l.describe(ctx)
	}
	l.run.again = recent[0].Add(descriptionsDebounce)
	l.run.until = now.Add(l.c.AliveWait)
	l.change(func(s *LinkStatus) { s.State, s.Swap = Describing, false })
	return nil
}

// describe sends LD, LR and LA (fias.md 3.2).
func (l *Link) describe(ctx context.Context) error {
	l.run.described = append(l.run.described, time.Now())
	l.run.again, l.run.swapUntil = time.Time{}, time.Time{}
	l.change(func(s *LinkStatus) { s.State, s.Swap = Describing, false })
	d := LinkDescription{At: l.c.Now(), Version: l.c.Version, Interface: l.c.Family, Request: l.c.Request}
	if l.c.Key != nil {
		d.Cryptogram = l.c.Key.Cryptogram(l.run.stamp)
	}
	if err := l.send(ctx, d); err != nil {
		return err
	}
	for _, r := range l.c.Records {
		if err := l.send(ctx, r); err != nil {
			return err
		}
	}
	l.run.until = time.Now().Add(l.c.AliveWait)
	return l.send(ctx, Moment{LA, l.c.Now()})
}

// data deals with a record that is not of the hand-shake.
func (l *Link) data(r *Record) error {
	h := l.c.Hooks
	switch r.ID() {
	case LC:
		var lc LinkConfiguration
		lc.Decode(r, l.c.Codec)
		l.change(func(s *LinkStatus) { s.Configuration = &lc })
	case LA: // alive
	case NS, NE:
		l.night(r.ID() == NS, r.Moment(l.c.Codec))
	case DS, DE:
		l.swap(r.ID() == DS, r.Moment(l.c.Codec))
	case GI, GC, GO:
		if l.status.Swap {
			l.run.swapUntil = time.Now().Add(l.c.SwapLimit)
		}
		if h.Guest != nil {
			var g GuestRecord
			g.Decode(r, l.c.Codec)
			h.Guest(g)
		}
	case PL:
		var list PostingList
		list.Decode(r, l.c.Codec)
		if q, _ := l.claim(list.Number, true); q != nil {
			q.reply <- reply{list: list, listed: true}
		} else if h.Other != nil {
			h.Other(r)
		}
	case PA:
		var a PostingAnswer
		a.Decode(r, l.c.Codec)
		q, fit := l.claim(a.Number, false)
		if h.Answer != nil && (q == nil || !q.inquiry) {
			h.Answer(a, fit)
		}
		if q != nil {
			q.reply <- reply{answer: a}
		}
		l.conn.Acknowledge()
	default:
		if h.Other != nil && r.ID() != 0 {
			h.Other(r)
		}
	}
	return nil
}

func (l *Link) night(on bool, at time.Time) {
	l.change(func(s *LinkStatus) {
		s.Night, s.NightSince = on, time.Time{}
		if on {
			s.NightSince = l.c.Now()
		}
	})
	l.untilNight(time.Now())
	if l.c.Hooks.Night != nil {
		l.c.Hooks.Night(on, at)
	}
}

// untilNight says when a night audit ends by itself. It counts from its NS, on an earlier connection too.
func (l *Link) untilNight(now time.Time) {
	l.run.nightUntil = time.Time{}
	if l.status.Night {
		l.run.nightUntil = now.Add(l.c.NightLimit - l.c.Now().Sub(l.status.NightSince))
	}
}

func (l *Link) swap(on bool, at time.Time) {
	l.run.swapUntil = time.Time{}
	if on {
		l.run.swapUntil = time.Now().Add(l.c.SwapLimit)
	}
	l.change(func(s *LinkStatus) {
		s.Swap = on
		if on {
			s.swaps++
		}
	})
	if l.c.Hooks.Swap != nil {
		l.c.Hooks.Swap(on, at)
	}
}

// Resync asks for all guests in house (fias.md 7): only after loss of data or for a new installation. It returns when they
// have passed the hooks; ErrSilent says that the hotel ignored the request, as newer ones do when they think it unneeded.
func (l *Link) Resync(ctx context.Context) error {
	select {
	case <-l.resync:
		defer func() { l.resync <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	case <-l.gone:
		return ErrDown
	}
	before := l.Status()
	if before.State != Alive {
		return ErrDown
	}
	if err := l.send(ctx, Moment{DR, l.c.Now()}); err != nil {
		return err
	}
	start, cancel := context.WithTimeoutCause(ctx, l.c.SwapStart, ErrSilent)
	defer cancel()
	if err := l.wait(start, func(s LinkStatus) bool { return s.swaps > before.swaps }); err != nil {
		if start.Err() != nil {
			err = context.Cause(start)
		}
		return fmt.Errorf("wait for DS: %w", err)
	}
	return l.wait(ctx, func(s LinkStatus) bool { return !s.Swap })
}

// goodbye ends the link in order (fias.md 3.4).
func (l *Link) goodbye(ctx context.Context, records <-chan *Record, failed <-chan error) {
	ctx, cancel := context.WithTimeout(ctx, l.c.EndWait)
	defer cancel()
	l.change(func(s *LinkStatus) { s.State, s.Swap = Ended, false })
	if l.send(ctx, Moment{LE, l.c.Now()}) != nil {
		return
	}
	for {
		select {
		case r := <-records:
			if r.ID() == LE {
				l.conn.Acknowledge()
				return
			}
			l.data(r) // an answer may still be among them
			if r.ID() != PA {
				l.conn.Acknowledge()
			}
		case <-failed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Send puts a record of any other kind on the link, such as a bill request. It is alive, or the error is ifc.ErrNotSent.
func (l *Link) Send(ctx context.Context, m Message) error {
	if s := l.Status(); s.State != Alive {
		return &RequestError{Record: m.Record(), Err: ErrDown}
	}
	return l.send(ctx, m)
}

func (l *Link) send(ctx context.Context, m Message) error {
	record, err := Marshal(nil, m, l.c.Codec)
	if err != nil {
		return &RequestError{Record: m.Record(), Err: err}
	}
	if err := l.conn.Send(ctx, record); err != nil {
		return &RequestError{Record: m.Record(), Sent: !errors.Is(err, ifc.ErrNotSent), Err: err}
	}
	return nil
}
