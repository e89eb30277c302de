package opera

import (
	"slices"
	"time"
)

// Inject makes f happen at once, or arms it for what it waits for. The error names what is wrong with f.
func (s *Simulator) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	f = f.filled()
	if f.After == 0 {
		s.begin(f)
		return nil
	}
	a := s.faults.add(f, true)
	s.faults.wake(a, time.Duration(f.After), func() {
		s.faults.remove(func(b *armed) bool { return a == b })
		s.begin(f)
	})
	return nil
}

// begin is a fault whose time has come.
func (s *Simulator) begin(f Fault) {
	switch {
	case f.Every > 0:
		s.recur(s.faults.add(f, true))
	case f.event():
		if !s.event(f, nil) {
			s.faults.add(f, false)
		}
	default:
		s.faults.add(f, false)
	}
}

// recur lets an event happen again and again.
func (s *Simulator) recur(a *armed) {
	s.faults.wake(a, time.Duration(a.Every), func() {
		if s.event(a.Fault, nil) {
			if a.left--; a.left == 0 {
				s.faults.remove(func(b *armed) bool { return a == b })
				return
			}
		}
		s.recur(a)
	})
}

// event lets f happen on l, or on every link it is meant for when l is nil. It tells whether there was one.
func (s *Simulator) event(f Fault, l *link) bool {
	switch f.Kind {
	case NightBegins, NightEnds:
		s.count(f, l)
		s.night(f.Kind == NightBegins)
		return true
	}
	if l != nil {
		l.happen(f)
		return true
	}
	needsAlive := !slices.Contains([]FaultKind{Cut, DropLink, Garbage, Endless}, f.Kind)
	links := s.links(func(l *link) bool {
		return (f.Link == "" || f.Link == l.p.Name) && (!needsAlive || l.speak.alive())
	})
	if len(links) == 0 {
		return false
	}
	s.count(f, nil)
	for _, l := range links {
		l.happen(f)
	}
	return true
}

// count notes an event that no request called; strike has counted the others.
func (s *Simulator) count(f Fault, l *link) {
	if l == nil {
		s.faults.count(f.Kind)
	}
}

// Lift ends every fault of this kind, those that wait too; "" is every fault. A night audit ends by the fault ne, not by
// this.
func (s *Simulator) Lift(k FaultKind) error {
	if k != "" {
		if err := (Fault{Kind: k}).check(); err != nil {
			return err
		}
	}
	s.faults.remove(func(a *armed) bool { return k == "" || a.shown().Kind == k })
	if k == "" || k == DropLink {
		s.stayAway(0)
	}
	return nil
}
