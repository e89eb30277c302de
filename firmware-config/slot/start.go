package slot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aboyeur/firmware-config/bundle"
)

// A Running is the configuration to run on.
type Running struct {
	Config string // path of the file; "" when no bundle was ever applied
	Site   string
	Number uint64 // of the bundle
	Trial  bool   // to be confirmed or returned
	Former string // on trial: path of the configuration to return to; "" none
	Event  *Event // what nobody has told yet
	Fault  error  // what was decided could not be written down; the box runs all the same
}

// Start says on which configuration the service starts, and counts starts that are on trial. It always finds a complete
// one if there is any.
func (s *Store) Start(ctx context.Context) (Running, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return Running{}, err
	}
	defer unlock()
	st, damage := s.read()
	if damage != nil && !errors.Is(damage, errDamaged) {
		return Running{}, damage
	}
	var faults []error
	note := func(err error) { faults = append(faults, err) }
	if damage != nil {
		st.Event = &Event{What: Mended, Site: st.Site, Number: st.Highest[st.Site], Now: st.Highest[st.Site], Reason: damage.Error(), At: s.c.Now().UTC()}
		note(s.write(st))
	}
	if t := st.Trial; t != nil && t.Starts >= MaxStarts {
		note(s.back(&st, fmt.Sprintf("it did not come up in %d starts", MaxStarts)))
	} else if t != nil {
		t.Starts++
		note(s.write(st))
	}
	var m bundle.Manifest
	if st.Slot != "" {
		if m, err = s.intact(st.Slot); err != nil {
			m, err = s.mend(&st, err)
			note(err)
		}
	}
	r := Running{Event: st.Event, Fault: errors.Join(faults...)}
	if st.Slot == "" {
		return r, nil
	}
	r.Config, r.Site, r.Number, r.Trial = s.path(st.Slot), m.Site, m.Number, st.Trial != nil
	if st.Trial != nil && st.Trial.Former != "" {
		r.Former = s.path(st.Trial.Former)
	}
	return r, nil
}

// back makes the former slot the one in force, or none if there was none. The number stays as high as it was.
func (s *Store) back(st *state, reason string) error {
	bad := st.Highest[st.Site]
	st.Slot, st.Trial, st.Why = st.Trial.Former, nil, reason
	e := Event{What: Returned, Site: st.Site, Number: bad, Reason: reason, At: s.c.Now().UTC()}
	if st.Slot != "" {
		if m, err := s.intact(st.Slot); err == nil {
			st.Site, e.Now = m.Site, m.Number
		}
	}
	st.Event = &e
	return s.write(*st)
}

// mend takes the other slot in place of a damaged one. Without an intact one the box runs on its plain file, if it has one.
func (s *Store) mend(st *state, cause error) (m bundle.Manifest, err error) {
	e := Event{What: Mended, Site: st.Site, Number: st.Highest[st.Site], Reason: cause.Error(), At: s.c.Now().UTC()}
	was := st.Slot
	st.Slot, st.Trial, st.Event, st.Why = "", nil, &e, e.Reason
	for _, slot := range slots {
		if other, err := s.intact(slot); slot != was && err == nil {
			m, st.Slot, st.Site, e.Now = other, slot, other.Site, other.Number
		}
	}
	return m, s.write(*st)
}

// Confirm ends the trial of a bundle that was found healthy.
func (s *Store) Confirm(ctx context.Context, number uint64) error {
	return s.settle(ctx, number, func(st *state) error {
		st.add(st.Trial)
		st.Event = &Event{What: Confirmed, Site: st.Site, Number: number, Now: number, Claimed: st.Trial.Claimed, At: s.c.Now().UTC()}
		st.Trial = nil
		return s.write(*st)
	})
}

// Return ends the trial of a bundle that was not healthy in time: the former configuration is in force again.
func (s *Store) Return(ctx context.Context, number uint64, reason string) error {
	return s.settle(ctx, number, func(st *state) error { return s.back(st, reason) })
}

func (s *Store) settle(ctx context.Context, number uint64, do func(*state) error) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	st, err := s.read()
	if err != nil {
		return err
	}
	if st.Trial == nil || st.Highest[st.Site] != number {
		return fmt.Errorf("bundle %d is not on trial", number)
	}
	return do(&st)
}

// Told forgets the event that was handed out, once it is in the audit log.
func (s *Store) Told(ctx context.Context, e Event) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	st, err := s.read()
	if err != nil {
		return err
	}
	if st.Event == nil || st.Event.What != e.What || st.Event.Number != e.Number || !st.Event.At.Equal(e.At) {
		return nil // another one came meanwhile and is told by its own start
	}
	st.Event = nil
	return s.write(st)
}

// Status is what the store says of itself.
type Status struct {
	Site   string
	Number uint64 // in force; 0 none
	Config string // path of its configuration; "" none
	Trial  bool
	Event  *Event  // the latest that nobody told
	Report *Report // of the latest attempt
	Why    string  // why the latest bundle is not the one in force; "" it is
	Keys   []string
}

// Status reads without changing anything.
func (s *Store) Status() (Status, error) {
	st, err := s.read()
	if err != nil {
		return Status{}, err
	}
	v := Status{Site: s.site(st), Trial: st.Trial != nil, Event: st.Event, Why: st.Why}
	if st.Slot != "" {
		v.Config = s.path(st.Slot)
		if head, err := s.disk.ReadFile(st.Slot + "/manifest"); err == nil {
			v.Number = number(head)
		}
	}
	var r Report
	switch err := readJSON(s.disk, reportName, &r); {
	case err == nil:
		v.Report = &r
	case !errors.Is(err, fs.ErrNotExist):
		return v, err
	}
	trust, err := s.trust(st, false)
	if err != nil {
		return v, err
	}
	for _, k := range trust.Keys {
		v.Keys = append(v.Keys, k.Name+" "+k.Fingerprint())
	}
	return v, nil
}

// Settled waits until no bundle is on trial, at most for limit, and tells how things stand then.
func (s *Store) Settled(ctx context.Context, limit time.Duration) (Status, error) {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	end := time.After(limit)
	for {
		st, err := s.Status()
		if err != nil || !st.Trial {
			return st, err
		}
		select {
		case <-ctx.Done():
			return st, ctx.Err()
		case <-end:
			return st, nil
		case <-look.C:
		}
	}
}

// LastReport reads how the latest attempt ended; nil without any. It is cheap enough to be asked twice a minute.
func LastReport(dir string) (*Report, error) {
	b, err := os.ReadFile(filepath.Join(dir, reportName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", reportName, err)
	}
	return &r, nil
}

// KeepUp remembers which devices are up, so that a bundle on trial is measured by them.
func (s *Store) KeepUp(devices []string) error { return writeJSON(s.disk, upName, devices) }

// Up is what KeepUp remembered last; nil if nothing.
func (s *Store) Up() ([]string, error) {
	var list []string
	err := readJSON(s.disk, upName, &list)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return list, err
}

func writeJSON(d disk, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return replace(d, name, append(b, '\n'), 0o640)
}

func readJSON(d disk, name string, v any) error {
	b, err := d.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// number reads the number out of a manifest that was verified when it came.
func number(head []byte) uint64 {
	m, _, err := bundle.Peek(bytes.NewReader(head))
	if err != nil {
		return 0
	}
	return m.Number
}
