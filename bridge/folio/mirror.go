package folio

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
)

// maxMirror bounds the guests kept in mind; a hotel has fewer.
const maxMirror = 20_000

// mirror is who is in the house as far as the hotel told: for room lists while the link is down, and to find the room of a
// reservation. It never authorises a posting (spec/fias.md 6.1).
type mirror struct {
	mu     sync.Mutex // guards what follows
	guests map[guestKey]seenGuest
	told   map[guestKey]bool // between resync begin and end: who was told of
	rooms  map[string]bool   // and the rooms told to be occupied
	asked  bool              // this run has asked for everybody
}

type guestKey struct{ room, reservation string }

type seenGuest struct {
	Guest
	at time.Time
}

const (
	selectGuests = `SELECT room, reservation, content, seen_at FROM guests ORDER BY seen_at LIMIT ?`
	upsertGuest  = `INSERT INTO guests (room, reservation, name, content, seen_at) VALUES (?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET name = excluded.name, content = excluded.content, seen_at = excluded.seen_at`
	deleteGuest = `DELETE FROM guests WHERE room = ? AND reservation = ?`
)

func (s *Service) loadMirror(ctx context.Context) error {
	m := &s.mirror
	m.guests = map[guestKey]seenGuest{}
	rows, err := s.c.Journal.Read().QueryContext(ctx, selectGuests, maxMirror)
	if err != nil {
		return fmt.Errorf("read guests: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key guestKey
		var body []byte
		var at int64
		if err := rows.Scan(&key.room, &key.reservation, &body, &at); err != nil {
			return fmt.Errorf("read guests: %w", err)
		}
		var g Guest
		if err := json.Unmarshal(body, &g); err != nil {
			return fmt.Errorf("%w: guest of room %s: %v", errCorrupt, key.room, err)
		}
		m.guests[key] = seenGuest{g, journal.FromMicros(at)}
	}
	return rows.Err()
}

// remember notes guests that an inquiry told of.
func (s *Service) remember(list []Guest) {
	for _, g := range list {
		s.note(g)
	}
}

// note puts one guest into the mirror.
func (s *Service) note(g Guest) {
	key, now := guestKey{g.Room, g.Reservation}, s.c.Now().UTC()
	m := &s.mirror
	m.mu.Lock()
	was, known := m.guests[key]
	if !known && len(m.guests) >= maxMirror {
		m.mu.Unlock()
		return
	}
	g.Index, g.via = 0, nil
	m.guests[key] = seenGuest{g, now}
	m.mu.Unlock()
	body := encode(g)
	if known && string(encode(was.Guest)) == string(body) && now.Sub(was.at) < time.Hour {
		return // nothing that the next start would need
	}
	s.c.Journal.Later(func(tx *journal.Tx) error {
		_, err := tx.Exec(upsertGuest, key.room, key.reservation, g.Name, body, now)
		return err
	})
}

func (s *Service) drop(keys ...guestKey) {
	for _, key := range keys {
		delete(s.mirror.guests, key)
		s.c.Journal.Later(func(tx *journal.Tx) error {
			_, err := tx.Exec(deleteGuest, key.room, key.reservation)
			return err
		})
	}
}

// News follows the hotel's guests.
func (s *Service) News(n News) {
	m := &s.mirror
	g := n.Guest
	key := guestKey{g.Room, g.Reservation}
	switch n.Kind {
	case ResyncBegin:
		m.mu.Lock()
		m.told, m.rooms = map[guestKey]bool{}, map[string]bool{}
		m.mu.Unlock()
		return
	case ResyncLost:
		m.mu.Lock()
		m.told, m.rooms = nil, nil
		m.mu.Unlock()
		return
	case ResyncEnd:
		m.mu.Lock()
		if m.told != nil {
			// Who was not told of, in a room that was, has left (spec/fias.md 7).
			s.drop(slices.Collect(func(yield func(guestKey) bool) {
				for k := range m.guests {
					if !m.told[k] && m.rooms[k.room] && !yield(k) {
						return
					}
				}
			})...)
		}
		m.told, m.rooms = nil, nil
		m.mu.Unlock()
	case CheckedIn, Changed:
		m.mu.Lock()
		if m.told != nil {
			m.told[key], m.rooms[g.Room] = true, true
		}
		was := m.guests[key]
		if n.Kind == Changed && n.From != "" && n.From != g.Room {
			old := guestKey{n.From, g.Reservation}
			was = m.guests[old]
			s.drop(old)
		}
		m.mu.Unlock()
		g = merge(was.Guest, g)
		if !n.NoPost {
			g.NoPost = was.NoPost
		}
		s.note(g)
	case CheckedOut:
		m.mu.Lock()
		for k := range maps.Clone(m.guests) {
			if k.room == g.Room && (g.Reservation == "" || k.reservation == g.Reservation) {
				s.drop(k)
			}
		}
		m.mu.Unlock()
	}
	s.search.forget()
}

// merge lays what a change tells over what was known.
func merge(was, now Guest) Guest {
	for _, f := range []struct{ now, was *string }{
		{&now.Name, &was.Name}, {&now.Last, &was.Last}, {&now.First, &was.First}, {&now.Title, &was.Title}, {&now.Profile, &was.Profile}, {&now.VIP, &was.VIP},
	} {
		if *f.now == "" {
			*f.now = *f.was
		}
	}
	if now.Limit == nil {
		now.Limit, now.Balance = was.Limit, was.Balance
	}
	return now
}

// recall gives the guests in the mirror that a term fits, or all of them for "", by room; at most limit.
func (s *Service) recall(term string, limit int) []seenGuest {
	term = fold(term)
	m := &s.mirror
	m.mu.Lock()
	var list []seenGuest
	for _, g := range m.guests {
		if term == "" || strings.HasPrefix(fold(g.Name), term) || strings.HasPrefix(fold(g.Room), term) {
			list = append(list, g)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(list, func(a, b seenGuest) int {
		if c := strings.Compare(a.Room, b.Room); c != 0 {
			return c
		}
		return strings.Compare(a.Reservation, b.Reservation)
	})
	return list[:min(limit, len(list))]
}

// roomOf finds where a reservation was last seen.
func (s *Service) roomOf(reservation string) (Guest, bool) {
	if number, ok := strings.CutPrefix(reservation, "account:"); ok {
		return Guest{Room: number, Reservation: reservation, Name: number}, true
	}
	m := &s.mirror
	m.mu.Lock()
	defer m.mu.Unlock()
	var best seenGuest
	for k, g := range m.guests {
		if k.reservation == reservation && g.at.After(best.at) {
			best = g
		}
	}
	return best.Guest, best.Room != ""
}

// fill asks for everybody in the house, once, when nobody is known: a new installation, or a lost memory. Hotels do not
// like it more often (spec/fias.md 7).
func (s *Service) fill() {
	hotel, ok := s.c.PMS.(Resyncer)
	m := &s.mirror
	m.mu.Lock()
	want := ok && !m.asked && len(m.guests) == 0
	m.mu.Unlock()
	if !want {
		return
	}
	asked := s.task("resync", func(ctx context.Context) {
		if err := hotel.Resync(ctx); err != nil {
			s.c.Log.Info("the hotel did not tell who is in the house", "err", err)
		}
	})
	m.mu.Lock()
	m.asked = m.asked || asked
	m.mu.Unlock()
}
