package reservation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/protocol/booking"
)

// States of an integration.
const (
	Inactive        = "inactive"
	Activating      = "pending" // works already; nothing has proved the link yet
	Active          = "active"
	Disabling       = "disabling" // off here, and the platform has yet to be told
	Broken          = "error"     // works on; the platform refused the credentials or the call that proves them
	LinkedElsewhere = "linked_elsewhere"
)

// state is how an integration stands, as the journal has it.
type state struct {
	State     string
	Detail    string
	Since     time.Time
	ExpiresAt time.Time
	HeardAt   time.Time
	PulledAt  time.Time
}

// on tells whether messages are taken and sent.
func (i *integration) on() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state.State == Activating || i.state.State == Active || i.state.State == Broken
}

const (
	selectState = `SELECT state, detail, since, expires_at, heard_at, pulled_at FROM integrations WHERE platform = ?`
	putState    = `INSERT INTO integrations (platform, state, detail, since, expires_at, heard_at, pulled_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET state = excluded.state, detail = excluded.detail, since = excluded.since, expires_at = excluded.expires_at, heard_at = excluded.heard_at, pulled_at = excluded.pulled_at`
)

func (s *Service) loadState(ctx context.Context, i *integration) error {
	var st state
	var since, expires, heard, pulled int64
	err := s.c.Journal.Read().QueryRowContext(ctx, selectState, i.Name).Scan(&st.State, &st.Detail, &since, &expires, &heard, &pulled)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		st.State = Inactive
		if i.Enabled {
			st.State = Activating
		}
		st.Since = s.c.Now()
	case err != nil:
		return fmt.Errorf("read the state of %s: %w", i.Name, err)
	default:
		st.Since, st.ExpiresAt = journal.FromMicros(since), journal.FromMicros(expires)
		st.HeardAt, st.PulledAt = journal.FromMicros(heard), journal.FromMicros(pulled)
	}
	i.state = st
	i.asked = i.can.Pull
	return nil
}

// turn changes the state of an integration within a transaction, and in memory when that holds.
func (s *Service) turn(tx *journal.Tx, i *integration, to, detail string) error {
	i.mu.Lock()
	st := i.state
	i.mu.Unlock()
	if st.State == to && st.Detail == detail {
		return nil
	}
	if st.State != to {
		st.Since = tx.Now()
	}
	st.State, st.Detail, st.ExpiresAt = to, detail, time.Time{}
	if to == Activating && i.Client != nil {
		st.ExpiresAt = tx.Now().Add(DefaultPending)
	}
	return s.keep(tx, i, st)
}

func (s *Service) keep(tx *journal.Tx, i *integration, st state) error {
	if _, err := tx.Exec(putState, i.Name, st.State, st.Detail, journal.Micros(st.Since), journal.Micros(st.ExpiresAt), journal.Micros(st.HeardAt), journal.Micros(st.PulledAt)); err != nil {
		return fmt.Errorf("store the state of %s: %w", i.Name, err)
	}
	tx.Change("integration", i.Name, encode(map[string]string{"state": st.State, "detail": st.Detail}))
	tx.After(func(err error) {
		if err == nil {
			i.mu.Lock()
			i.state = st
			i.mu.Unlock()
		}
	})
	return nil
}

// Activate switches an integration on. What it knew before, it knows again. The link counts as proved when the platform took a
// call or sent a message that is signed well.
func (s *Service) Activate(ctx context.Context, by access.Principal, platform string) error {
	i := s.link(platform)
	if i == nil {
		return ErrPlatform
	}
	if i.on() && i.now().State == Active {
		return nil
	}
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := s.turn(tx, i, Activating, ""); err != nil {
			return err
		}
		return access.Record(tx, by, "integration_activate", platform, i.Venue)
	})
	if err != nil {
		return err
	}
	i.mu.Lock()
	i.again, i.tries, i.asked = time.Time{}, 0, i.can.Pull
	i.mu.Unlock()
	// Whoever asked sees at once what the platform says, if it says something soon.
	soon, cancel := context.WithTimeout(ctx, activateWait)
	defer cancel()
	s.prove(soon, i)
	i.stir()
	if i.on() {
		s.c.Relay.Release(platform)
		return s.resume(context.WithoutCancel(ctx), i)
	}
	return nil
}

// activateWait is how long somebody who activates a link waits for the platform.
const activateWait = 8 * time.Second

// prove makes the call that needs credentials and venue.
func (s *Service) prove(ctx context.Context, i *integration) {
	if i.Client == nil {
		return
	}
	err := i.Client.Activate(ctx)
	to, detail := Active, ""
	switch {
	case err == nil:
	case errors.Is(err, booking.ErrUnsupported):
		to = Activating
	case errors.Is(err, booking.ErrLinkedElsewhere):
		to, detail = LinkedElsewhere, err.Error()
	case ctx.Err() != nil:
		return
	default:
		to, detail = Broken, err.Error()
	}
	// Only a link that nobody switched off meanwhile is changed.
	werr := s.c.Journal.Insist(context.WithoutCancel(ctx), func(tx *journal.Tx) error {
		switch st := i.now(); {
		case !i.on():
			return nil
		case to == Activating:
			// The first message proves the link, and that may be tonight's first guest.
			if st.State != Activating || st.ExpiresAt.IsZero() {
				return nil
			}
			st.ExpiresAt = st.Since.Add(DefaultAwait)
			return s.keep(tx, i, st)
		}
		return s.turn(tx, i, to, detail)
	})
	if werr != nil {
		s.c.Log.Warn("state of an integration not stored", "platform", i.Name, "err", werr)
	}
	i.mu.Lock()
	if i.tries++; to == Broken {
		i.again = s.c.Now().Add(min(time.Duration(i.tries)*proveFirst, proveLongest))
	}
	i.mu.Unlock()
	switch to {
	case Broken, LinkedElsewhere:
		s.raise("platform_link", warning.Warn, i.Name, i.Title, detail)
		if to == LinkedElsewhere {
			s.c.Relay.Hold(i.Name)
		}
	default:
		s.c.Warnings.Lower("platform_link", i.Name)
	}
}

// Pauses between two proofs of a link that did not hold.
const (
	proveFirst   = 15 * time.Second
	proveLongest = 10 * time.Minute
)

// resume tells a platform where its parties are that went on while the link was off.
func (s *Service) resume(ctx context.Context, i *integration) error {
	const selectOpen = `SELECT ` + columns + ` FROM reservations WHERE platform = ? AND order_state = 'open'`
	list, err := s.read(ctx, selectOpen, i.Name)
	if err != nil {
		return err
	}
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		for _, r := range list {
			if err := s.catchUp(tx, i, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Disable switches an integration off: when it returns, nothing goes out and nothing is taken in. The platform is told
// afterwards, again and again until it heard.
func (s *Service) Disable(ctx context.Context, by access.Principal, platform string) error {
	i := s.link(platform)
	if i == nil {
		return ErrPlatform
	}
	if now := i.now().State; now == Inactive || now == Disabling {
		return nil
	}
	s.c.Relay.Hold(platform)
	to := Inactive
	if i.Client != nil && i.can.Deactivates {
		to = Disabling
	}
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := s.turn(tx, i, to, ""); err != nil {
			return err
		}
		if err := s.c.Relay.Drop(tx, platform); err != nil {
			return err
		}
		return access.Record(tx, by, "integration_disable", platform, i.Venue)
	})
	if err != nil {
		if i.on() {
			s.c.Relay.Release(platform)
		}
		return err
	}
	i.mu.Lock()
	i.again, i.tries = time.Time{}, 0
	i.mu.Unlock()
	s.c.Warnings.Lower("platform_link", platform)
	i.stir()
	return nil
}

// Sync reads a platform's reservations now (RES-07).
func (s *Service) Sync(platform string) error {
	i := s.link(platform)
	switch {
	case i == nil:
		return ErrPlatform
	case !i.on():
		return ErrOff
	case !i.can.Pull || i.Client == nil:
		return ErrUnsupported
	}
	i.mu.Lock()
	i.asked, i.again = true, time.Time{}
	i.state.PulledAt = time.Time{} // all of today and tomorrow, not only what changed
	i.mu.Unlock()
	s.c.Relay.Retry(platform)
	i.stir()
	return nil
}

func (i *integration) now() state {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state
}

// Heard notes that a platform sent a message that is signed well, or took a call: the link is proved.
func (s *Service) Heard(platform string, message bool) {
	i := s.link(platform)
	if i == nil {
		return
	}
	i.mu.Lock()
	prove := i.state.State == Activating || i.state.State == Broken
	if message {
		i.state.HeardAt = s.c.Now()
	}
	i.mu.Unlock()
	if !prove {
		return
	}
	s.c.Journal.Later(func(tx *journal.Tx) error {
		if !i.on() {
			return nil
		}
		tx.After(func(err error) {
			if err == nil {
				s.c.Warnings.Lower("platform_link", platform)
			}
		})
		return s.turn(tx, i, Active, "")
	})
}

// HeardAt is when a platform was last heard or read, whichever it was; zero for never.
func (s *Service) HeardAt() (at time.Time) {
	for _, i := range s.links {
		st := i.now()
		for _, t := range []time.Time{st.HeardAt, st.PulledAt} {
			if t.After(at) {
				at = t
			}
		}
	}
	return at
}

func (i *integration) stir() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// tendLink keeps one link: it proves it, reads the platform if that wants reading, and tells it when the link was switched off.
func (s *Service) tendLink(ctx context.Context, i *integration) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-i.wake:
		case <-timer.C:
		}
		timer.Reset(s.step(ctx, i))
	}
}

// step does what is due and tells how long nothing more is.
func (s *Service) step(ctx context.Context, i *integration) time.Duration {
	now := s.c.Now()
	i.mu.Lock()
	st, again, tries := i.state, i.again, i.tries
	i.mu.Unlock()
	if again.After(now) {
		return again.Sub(now)
	}
	switch st.State {
	case Disabling:
		s.tellDisabled(ctx, i)
	case Activating, Broken:
		switch {
		case st.State == Activating && !st.ExpiresAt.IsZero() && !now.Before(st.ExpiresAt):
			s.expire(ctx, i)
		case st.State == Broken || tries == 0:
			s.prove(ctx, i)
		}
	}
	if !i.on() {
		return i.rest(s.c.Now(), time.Hour)
	}
	if !i.can.Pull {
		return i.rest(s.c.Now(), time.Hour)
	}
	i.mu.Lock()
	asked, pulled := i.asked, i.state.PulledAt
	i.mu.Unlock()
	polls := !i.can.Webhooks || !i.Webhook
	if asked || polls && !s.c.Now().Before(pulled.Add(s.c.Poll)) {
		s.pull(ctx, i)
	}
	if polls {
		return i.rest(s.c.Now(), s.c.Poll)
	}
	return i.rest(s.c.Now(), time.Hour)
}

// rest is how long a link can be left alone.
func (i *integration) rest(now time.Time, longest time.Duration) time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	if at := i.state.ExpiresAt; i.state.State == Activating && at.After(now) {
		longest = min(longest, at.Sub(now))
	}
	if i.again.After(now) {
		return min(longest, i.again.Sub(now))
	}
	return longest
}

// expire ends an activation that nothing confirmed in time (OT-06).
func (s *Service) expire(ctx context.Context, i *integration) {
	s.c.Relay.Hold(i.Name)
	err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if i.now().State != Activating {
			return nil
		}
		if err := s.turn(tx, i, Inactive, s.words.T("reservation.not_confirmed")); err != nil {
			return err
		}
		return s.c.Relay.Drop(tx, i.Name)
	})
	if err != nil {
		s.c.Log.Warn("state of an integration not stored", "platform", i.Name, "err", err)
	}
	if i.on() {
		s.c.Relay.Release(i.Name) // proved at the last moment, or not stored
	}
}

// tellDisabled tells the platform that the link is off.
func (s *Service) tellDisabled(ctx context.Context, i *integration) {
	soon, cancel := context.WithTimeout(ctx, activateWait)
	err := i.Client.Deactivate(soon)
	cancel()
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, booking.ErrUnsupported) {
		err = nil
	}
	i.mu.Lock()
	if i.tries++; err != nil {
		i.again = s.c.Now().Add(min(time.Duration(i.tries)*proveFirst, proveLongest))
	}
	i.mu.Unlock()
	werr := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if i.now().State != Disabling {
			return nil
		}
		if err != nil {
			return s.turn(tx, i, Disabling, err.Error())
		}
		return s.turn(tx, i, Inactive, "")
	})
	if werr != nil {
		s.c.Log.Warn("state of an integration not stored", "platform", i.Name, "err", werr)
	}
}

// pull reads what changed at a platform since the last time, with an overlap, of today and tomorrow.
func (s *Service) pull(ctx context.Context, i *integration) {
	began := s.c.Now()
	since := i.now().PulledAt
	if !since.IsZero() {
		since = since.Add(-DefaultOverlap)
	}
	local := began.In(s.c.Location)
	from := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, s.c.Location)
	list, err := i.Client.Pull(ctx, since, from.AddDate(0, 0, -1), from.AddDate(0, 0, 2))
	if err == nil {
		s.unknown(i, list)
		err = s.takeEach(ctx, i, list)
	}
	i.mu.Lock()
	i.asked = false
	if err != nil {
		i.again = s.c.Now().Add(proveFirst)
		i.asked = true
	}
	st := i.state
	i.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, booking.ErrUnsupported) {
			s.c.Log.Warn("reservations could not be read", "platform", i.Name, "err", err)
		}
		return
	}
	st.PulledAt = began
	s.c.Journal.Later(func(tx *journal.Tx) error {
		if !i.on() {
			return nil
		}
		st := i.now()
		st.PulledAt = began
		return s.keep(tx, i, st)
	})
	i.mu.Lock()
	i.state.PulledAt = began
	i.mu.Unlock()
}

// takeEach takes a list of which single ones may be malformed: those are kept among the refused.
func (s *Service) takeEach(ctx context.Context, i *integration, list []booking.Reservation) error {
	for n := range list {
		_, err := s.Take(ctx, i.Name, list[n:n+1])
		var wrong *booking.Malformed
		if errors.As(err, &wrong) {
			s.reject(i, 422, err.Error(), list[n].ID, nil)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
