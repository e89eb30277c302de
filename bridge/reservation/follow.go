package reservation

import (
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/reservation/stage"
	"aboyeur/protocol/booking"
)

var stageZero stage.Progress

// Follow hears of every step of a check within its transaction: it finds the party of a check that staff opened, follows
// checks that are split and merged, and puts what the platform is to be told into its outbox.
func (s *Service) Follow(tx *journal.Tx, step Step) error {
	switch step.Kind {
	case StepOpened:
		if !s.opening.IsZero() {
			return nil // open itself joins it
		}
		if done, err := s.named(tx, step.Check, step.By); err != nil || done {
			return err
		}
		return s.matchCheck(tx, step.Check)
	case StepSplitOff, StepTookOver:
		// Whoever the lines were of is at both checks now; a check that was merged away is nobody's any more.
		list, err := parties(tx, step.Other)
		if err != nil {
			return err
		}
		for _, party := range list {
			if _, err := tx.Exec(insertParty, step.Check.ID.Key(), party, step.Check.ID[:]); err != nil {
				return err
			}
			if step.Kind == StepTookOver {
				if _, err := tx.Exec(deleteParty, step.Other.Key(), party); err != nil {
					return err
				}
			}
		}
	case StepMerged:
		return nil // took_over has seen to it
	}
	list, err := parties(tx, step.Check.ID)
	if err != nil {
		return err
	}
	for _, key := range list {
		r, err := find(tx, selectRow, key)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		if i := s.link(r.Platform); i != nil {
			if err := s.happen(tx, i, r.ID, step); err != nil {
				return err
			}
		}
	}
	return nil
}

// live tells whether the platform is told how the party's meal goes on: while it sits.
func (r *row) live() bool {
	return r.Status == booking.Seated || r.Status == booking.PartiallySeated || r.Content.OpenNow && !r.Status.Over()
}

// happen takes a step of one of a party's checks.
func (s *Service) happen(tx *journal.Tx, i *integration, id journal.ID, step Step) error {
	r, err := load(tx, id)
	if err != nil {
		return err
	}
	h := stage.Happening{Lines: step.Lines}
	switch step.Kind {
	case StepOpened:
		h.Kind = stage.Seated
	case StepOrdered:
		h.Kind = stage.Ordered
	case StepBilled:
		h.Kind = stage.Billed
	case StepCleared:
		h.Kind = stage.Cleared
	case StepBussing:
		h.Kind = stage.Bussing
	case StepFree:
		h.Kind = stage.Finished
	case StepClosed, StepCancelled:
		return s.closed(tx, i, r, step)
	case StepReopened:
		return s.reopened(tx, i, r, step)
	case StepMoved:
		return s.moved(tx, i, r, step)
	}
	set := i.settings.Load()
	rules := set.rules(i.can.Stages)
	if !r.live() || !i.on() {
		rules.Have = []booking.Stage{} // the party goes on, the platform is not told
	}
	progress, tell := rules.Next(r.Progress, h)
	changed := progress.Now != r.Progress.Now
	r.Progress = progress
	if tell != "" {
		r.note(tx.Now(), "stage", step.By, string(tell))
	}
	if tell != "" || changed {
		if err := s.store(tx, r); err != nil {
			return err
		}
	}
	if !r.live() || !i.on() {
		return nil
	}
	spend := i.can.Spend && set.RelayCheckData
	switch {
	case tell != "":
		u := s.update(i, r, booking.KindStage, step.Check)
		if u.Stage = tell; spend {
			u.Check, err = s.sum(tx, r, step.Check)
		}
		if err != nil {
			return err
		}
		return s.c.Relay.Put(tx, i.Name, id.Key(), u)
	case step.Kind == StepCovers && i.can.Covers:
		u := s.update(i, r, booking.KindCovers, step.Check)
		if u.Covers = step.Check.Covers; u.Covers == r.Content.PartySize {
			return nil // the platform said so itself
		}
		return s.c.Relay.Put(tx, i.Name, id.Key(), u)
	case spend:
		u := s.update(i, r, booking.KindCheck, step.Check)
		if u.Check, err = s.sum(tx, r, step.Check); err != nil {
			return err
		}
		return s.c.Relay.Put(tx, i.Name, id.Key(), u)
	}
	return nil
}

func (s *Service) update(i *integration, r *row, kind booking.Kind, c Check) booking.Update {
	set := i.settings.Load()
	return booking.Update{Reservation: r.Ref, Venue: i.Venue, Kind: kind, Tables: set.theirs(c.Tables)}
}

// party reads the party's checks; c is the one that the step is of, as it is now.
func (s *Service) party(tx *journal.Tx, r *row, c Check) (list []Check, open bool, due int64, err error) {
	ids, err := checks(tx, r.ID.Key())
	if err != nil {
		return nil, false, 0, err
	}
	for _, id := range ids {
		one := c
		if id != c.ID {
			if one, err = s.c.Floor.Load(tx, id); err != nil {
				return nil, false, 0, err
			}
		}
		if !one.Open && !one.Ended {
			continue // merged or cancelled: nothing of it counts
		}
		list = append(list, one)
		open, due = open || one.Open, due+one.Due
	}
	return list, open, due, nil
}

// sum adds up what is on all checks of a party: a platform knows one bill (spec/reservations.md 3.11).
func (s *Service) sum(tx *journal.Tx, r *row, c Check) (*booking.Check, error) {
	list, open, _, err := s.party(tx, r, c)
	if err != nil {
		return nil, err
	}
	var total *booking.Check
	for _, one := range list {
		b := one.Snapshot()
		if total == nil {
			total = &b
			continue
		}
		total.Covers += b.Covers
		total.Lines = append(total.Lines, b.Lines...)
		total.Payments = append(total.Payments, b.Payments...)
		total.Net, total.Tax, total.Service, total.Tip, total.Discount = total.Net+b.Net, total.Tax+b.Tax, total.Service+b.Service, total.Tip+b.Tip, total.Discount+b.Discount
		total.Total, total.Paid, total.Due = total.Total+b.Total, total.Paid+b.Paid, total.Due+b.Due
		if b.ClosedAt.After(total.ClosedAt) {
			total.ClosedAt = b.ClosedAt
		}
	}
	if total != nil {
		if total.Open = open; open {
			total.ClosedAt = time.Time{} // one of several bills: a platform that reads it takes the party's bill for closed
		}
	}
	return total, nil
}

// closed takes the end of a check. With the last one the order is closed, and the platform is told paid and the totals: when
// nothing is left to pay.
func (s *Service) closed(tx *journal.Tx, i *integration, r *row, step Step) error {
	list, open, due, err := s.party(tx, r, step.Check)
	if err != nil {
		return err
	}
	set := i.settings.Load()
	rules := set.rules(i.can.Stages)
	live := r.live() && i.on()
	if !live {
		rules.Have = []booking.Stage{}
	}
	var tell booking.Stage
	if len(list) > 0 {
		r.Progress, tell = rules.Next(r.Progress, stage.Happening{Kind: stage.Closed, Open: open, Due: due})
	}
	if !open {
		if r.Order == Open {
			r.Order, r.Problem, r.Detail = Closed, "", ""
			r.note(tx.Now(), "order_closed", step.By, "")
		}
		r.unflag(FlagRemoveCheck, FlagUnseated, FlagCancelledOpen, FlagReopened, FlagTables)
	}
	if tell != "" {
		r.note(tx.Now(), "stage", step.By, string(tell))
	}
	if err := s.store(tx, r); err != nil {
		return err
	}
	// A party that has left is told its totals still, and one that was cancelled nothing.
	if !i.on() || len(list) == 0 || !live && r.Status != booking.Departed {
		return nil
	}
	spend := i.can.Spend && set.RelayCheckData
	u := s.update(i, r, booking.KindClosed, step.Check)
	u.Stage = tell
	switch {
	case open || due != 0:
		u.Kind, u.Stage = booking.KindCheck, "" // part of the bill
	case tell != "" && !i.can.Totals && !spend && tell != booking.Paid:
		u.Kind = booking.KindStage
	case tell != "":
	case i.can.Totals:
		if live && len(i.can.Stages) == 0 {
			u.Stage = booking.Paid
		}
	default:
		u.Kind = booking.KindCheck // closed once more
	}
	if i.can.Totals || spend {
		if u.Check, err = s.sum(tx, r, step.Check); err != nil {
			return err
		}
	} else if u.Kind == booking.KindCheck {
		return nil
	}
	return s.c.Relay.Put(tx, i.Name, r.ID.Key(), u)
}

// reopened takes a check that was closed and is open again. The platform is not told: it has no way back from paid.
func (s *Service) reopened(tx *journal.Tx, i *integration, r *row, step Step) error {
	if r.Order == Closed && r.Status != booking.Departed {
		r.Order = Open
	}
	if r.Progress.Now.Rank() >= booking.Paid.Rank() {
		r.flag(FlagReopened)
	}
	r.note(tx.Now(), "reopened", step.By, "")
	return s.store(tx, r)
}

// moved tells the platform of the party's new tables, unless it said them itself.
func (s *Service) moved(tx *journal.Tx, i *integration, r *row, step Step) error {
	u := s.update(i, r, booking.KindTables, step.Check)
	r.unflag(FlagTables)
	r.note(tx.Now(), "moved", step.By, strings.Join(step.Check.Tables, ", "))
	if err := s.store(tx, r); err != nil {
		return err
	}
	set := i.settings.Load()
	theirs := r.Content.Tables
	if !set.MultiTable {
		theirs = theirs[:min(len(theirs), 1)]
	}
	if !r.live() || !i.on() || !i.can.Moves || slices.Equal(u.Tables, theirs) {
		return nil
	}
	return s.c.Relay.Put(tx, i.Name, r.ID.Key(), u)
}

// catchUp tells the platform where a party is, which it was not told while the party did not sit or the link was off.
func (s *Service) catchUp(tx *journal.Tx, i *integration, id journal.ID) error {
	r, err := load(tx, id)
	if err != nil {
		return err
	}
	list, err := checks(tx, id.Key())
	if err != nil || len(list) == 0 || !r.live() || r.Order != Open || !i.on() {
		return err
	}
	c, err := s.c.Floor.Load(tx, list[0])
	if err != nil {
		return err
	}
	set := i.settings.Load()
	rules := set.rules(i.can.Stages)
	// What was put into the outbox may have been cancelled with the link.
	known, err := s.c.Relay.Knows(tx, id.Key())
	if err != nil {
		return err
	}
	r.Progress.Told = slices.DeleteFunc(slices.Clone(r.Progress.Told), func(s booking.Stage) bool { return s.Rank() > known.Rank() })
	progress, tell := rules.CatchUp(r.Progress)
	if tell == "" {
		return nil
	}
	r.Progress = progress
	r.note(tx.Now(), "stage", "", string(tell))
	if err := s.store(tx, r); err != nil {
		return err
	}
	u := s.update(i, r, booking.KindStage, c)
	if u.Stage = tell; i.can.Spend && set.RelayCheckData {
		if u.Check, err = s.sum(tx, r, c); err != nil {
			return err
		}
	}
	return s.c.Relay.Put(tx, i.Name, id.Key(), u)
}
