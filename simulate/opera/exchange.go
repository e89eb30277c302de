package opera

import (
	"slices"
	"time"
)

// An Exchange is a request of a vendor and what became of it. Together they are the simulator's own account of the wire,
// against which a vendor's account can be held.
type Exchange struct {
	N           uint64      `json:"n"` // from 1, in the order they arrived
	At          time.Time   `json:"at"`
	Link        string      `json:"link"`
	Connection  uint64      `json:"connection"` // the how-manieth of all
	On          On          `json:"on"`         // inquiry, posting, other
	Record      string      `json:"record"`     // PR, PS, PostRequest ...
	Number      int64       `json:"number"`     // P#
	Room        string      `json:"room,omitempty"`
	Reservation string      `json:"reservation,omitempty"`
	Total       Amount      `json:"total,omitempty"`
	Status      Status      `json:"status,omitempty"` // as decided, whether it was answered or not
	Text        string      `json:"text,omitempty"`
	Matches     int         `json:"matches,omitempty"` // of an inquiry
	Booked      int64       `json:"booked,omitempty"`  // number of the posting; 0: nothing was booked
	Fate        Fate        `json:"fate"`
	Faults      []FaultKind `json:"faults,omitempty"` // what struck it
	AnsweredAt  time.Time   `json:"answered_at,omitzero"`
}

// Fate is what became of an answer.
type Fate string

const (
	Open     Fate = "open"     // not answered yet
	Answered Fate = "answered" // the line took it whole
	Lost     Fate = "lost"     // by a fault
	Ignored  Fate = "ignored"  // by rule: before the link was alive, without an inquiry, or no LR for the answer
	Dead     Fate = "dead"     // the link was gone, or went with the answer on it
)

// keepExchange notes x and returns its number.
func (s *Simulator) keepExchange(x *Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchangesEver++
	x.N = s.exchangesEver
	s.exchanges = append(s.exchanges, x)
	if s.c.Keep > 0 && len(s.exchanges) >= 2*s.c.Keep {
		s.exchanges = slices.Clone(s.exchanges[len(s.exchanges)-s.c.Keep:])
	}
}

// fate notes what became of x.
func (s *Simulator) fate(x *Exchange, f Fate) {
	s.mu.Lock()
	x.Fate = f
	if f == Answered && x.AnsweredAt.IsZero() {
		x.AnsweredAt = s.c.Now()
	}
	done := *x
	s.mu.Unlock()
	if s.c.OnExchange != nil {
		s.c.OnExchange(done)
	}
}

// decided notes what the hotel decided on x.
func (s *Simulator) decided(x *Exchange, d Decision, matches int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.Status, x.Text, x.Matches = d.Status, d.Text, matches
	if d.Posting != nil {
		x.Booked = d.Posting.N
	}
}

// Exchanges are the requests kept after number n, oldest first.
func (s *Simulator) Exchanges(n uint64) []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := len(s.exchanges)
	for from > 0 && s.exchanges[from-1].N > n {
		from--
	}
	all := make([]Exchange, 0, len(s.exchanges)-from)
	for _, x := range s.exchanges[from:] {
		all = append(all, *x)
	}
	return all
}

// A Remark is something a vendor did that the specification does not want.
type Remark struct {
	Code  string    `json:"code"`
	Text  string    `json:"text"` // of the last time
	Link  string    `json:"link"`
	Times uint64    `json:"times"`
	Last  time.Time `json:"last"`
}

// remark notes a deviation. Codes are few; texts vary.
func (s *Simulator) remark(link, code, text string) {
	s.log.Debug("vendor deviates", "link", link, "code", code, "text", text)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := link + "\x00" + code
	r := s.remarks[key]
	if r == nil {
		r = &Remark{Code: code, Link: link}
		s.remarks[key] = r
	}
	r.Times++
	r.Text, r.Last = text, s.c.Now()
}

// Remarks are all deviations so far, by link and code.
func (s *Simulator) Remarks() []Remark {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Remark{}
	for _, r := range s.remarks {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Remark) int {
		if a.Link != b.Link {
			if a.Link < b.Link {
				return -1
			}
			return 1
		}
		if a.Code < b.Code {
			return -1
		}
		return 1
	})
	return all
}
