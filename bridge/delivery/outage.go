package delivery

import (
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/words"
)

// maxOutages is how many of a link's outages are kept.
const maxOutages = 20

// An Outage is a time in which an aggregator did not answer, as reading its feed found out.
type Outage struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to,omitzero" doc:"absent: it lasts"`
	Reason string    `json:"reason"`
}

// connected records when an aggregator stopped answering and when it answered again; latest first. fault is why it does not.
func (s *Service) connected(l *link, at time.Time, fault error) {
	was := l.now().Outages
	if down := len(was) > 0 && was[0].To.IsZero(); down == (fault != nil) {
		return
	}
	next := slices.Clone(was)
	if fault != nil {
		next = slices.Insert(next, 0, Outage{From: at, Reason: words.Tidy(fault.Error(), 200)})
	} else {
		next[0].To = at
	}
	next = next[:min(len(next), maxOutages)]
	s.c.Journal.Later(func(tx *journal.Tx) error {
		return s.keepState(tx, l, func(st *state) { st.Outages = next })
	})
}
