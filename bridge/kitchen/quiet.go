package kitchen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
)

// merged says which station does the work of a closed one. It is read at each plan, and changes a few times a day.
type merged struct {
	to atomic.Pointer[map[string]string]
}

// of is the station that does the work of station: itself, unless it is closed.
func (m *merged) of(station string) string {
	if all := m.to.Load(); all != nil {
		if to, closed := (*all)[station]; closed {
			return to
		}
	}
	return station
}

// set closes a station, or opens it with to "".
func (m *merged) set(station, to string) {
	next := map[string]string{}
	if all := m.to.Load(); all != nil {
		for s, t := range *all {
			next[s] = t
		}
	}
	if delete(next, station); to != "" {
		next[station] = to
	}
	m.to.Store(&next)
}

// closing is the value of the setting station/NAME.
type closing struct {
	To string `json:"to" doc:"the station that takes the tickets"` // "" in the journal: the station is open
}

// Errors of Close.
var (
	ErrSelf     = errors.New("a station cannot take over its own tickets")
	ErrTaken    = errors.New("it is closed itself")
	ErrTakes    = errors.New("it takes over the tickets of another station")
	ErrNoScreen = errors.New("it has no screen, so nobody could bump those tickets")
)

// A StationView is a station and where its tickets go now.
type StationView struct {
	Name     string   `json:"name"`
	Printers []string `json:"printers"`
	Screens  []string `json:"screens"`
	ClosedTo string   `json:"closed_to,omitzero" doc:"the station that does its work while it is closed"`
	Open     int      `json:"open" doc:"its open tickets, wherever they are shown"`
}

// Stations lists the stations.
func (k *Kitchen) Stations() []StationView {
	list := make([]StationView, len(k.c.Stations))
	k.board.mu.Lock()
	defer k.board.mu.Unlock()
	for i, s := range k.c.Stations {
		list[i] = StationView{Name: s.Name, Printers: append([]string{}, s.Printers...), Screens: append([]string{}, s.Screens...)}
		if to := k.merged.of(s.Name); to != s.Name {
			list[i].ClosedTo = to
		}
		for _, e := range k.board.order {
			if e.station == s.Name {
				list[i].Open++
			}
		}
	}
	return list
}

// CloseStation sends the tickets of a station to another one's screens and printers, until OpenStation. Tickets that are
// open go along; paper that is under way stays where it is.
func (k *Kitchen) CloseStation(ctx context.Context, by access.Principal, key, station, to string) error {
	from, target := k.stationAt(station), k.stationAt(to)
	switch {
	case from < 0:
		return fmt.Errorf("station %q: %w", station, ErrUnknown)
	case target < 0:
		return fmt.Errorf("station %q: %w", to, ErrUnknown)
	case from == target:
		return ErrSelf
	case k.merged.of(to) != to:
		return fmt.Errorf("station %s: %w", to, ErrTaken)
	case len(k.c.Stations[from].Screens) > 0 && len(k.c.Stations[target].Screens) == 0:
		return fmt.Errorf("station %s: %w", to, ErrNoScreen)
	}
	for _, s := range k.c.Stations {
		if s.Name != station && k.merged.of(s.Name) == station {
			return fmt.Errorf("station %s: %w", station, ErrTakes)
		}
	}
	return k.putClosing(ctx, by, key, station, to, "station_closed")
}

// OpenStation lets a closed station do its own work again.
func (k *Kitchen) OpenStation(ctx context.Context, by access.Principal, key, station string) error {
	if k.stationAt(station) < 0 {
		return fmt.Errorf("station %q: %w", station, ErrUnknown)
	}
	return k.putClosing(ctx, by, key, station, "", "station_opened")
}

// putClosing changes where a station's tickets go, once for the caller's Idempotency-Key, "" for none.
func (k *Kitchen) putClosing(ctx context.Context, by access.Principal, key, station, to, act string) error {
	var revision int64
	set, err := k.c.Journal.Setting(ctx, settingStation+station)
	switch {
	case errors.Is(err, journal.ErrNoSetting):
		if to == "" {
			return nil
		}
	case err != nil:
		return err
	default:
		revision = set.Revision
	}
	value, err := json.Marshal(closing{to})
	if err != nil {
		return err
	}
	if string(set.Value) == string(value) {
		return nil
	}
	return k.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if key != "" {
			_, again, err := tx.Idempotent(by.Subject(), key, digestOf(act+" "+station+" "+to), station)
			if err != nil || again {
				return err
			}
		}
		if _, err := tx.PutSetting(settingStation+station, value, revision, by.Name); err != nil {
			return err
		}
		return access.Record(tx, by, act, station, to)
	})
}

// loadMerged reads which stations are closed. One that a later configuration has no more, or whose stand-in it has no
// more, is as configured.
func (k *Kitchen) loadMerged(ctx context.Context) error {
	settings, err := k.c.Journal.Settings(ctx, settingStation)
	if err != nil {
		return err
	}
	for _, s := range settings {
		k.follow(s.Key, s.Value)
	}
	return nil
}

// follow takes a setting over and tells whether it was one of a station.
func (k *Kitchen) follow(key string, value []byte) bool {
	station, mine := strings.CutPrefix(key, settingStation)
	var c closing
	if !mine || json.Unmarshal(value, &c) != nil || k.stationAt(station) < 0 {
		return false
	}
	if k.stationAt(c.To) < 0 {
		c.To = ""
	}
	k.merged.set(station, c.To)
	return true
}

// served are the stations that a screen shows now: its own without the closed ones, and those it stands in for.
func (b *Board) served(screen string) []string {
	var list []string
	for _, s := range b.stations {
		if slices.Contains(b.shows[screen], b.place(s)) {
			list = append(list, s)
		}
	}
	return list
}

// closed lists the closed stations in the words of a snapshot.
func (b *Board) closed() (list []Closed) {
	for _, s := range b.stations {
		if to := b.merged.of(s); to != s {
			list = append(list, Closed{s, to})
		}
	}
	return list
}

// Closed is a station whose work another one does now.
type Closed struct {
	Station string `json:"station"`
	To      string `json:"to"`
}
