package kitchen

import (
	"slices"
	"time"

	"aboyeur/bridge/api"
)

// SilentAfter is how long nobody may look at a screen before its backup shows its tickets.
const SilentAfter = 15 * time.Second

// Screen is one kitchen screen; Backup shows its tickets while it is silent, "" for none.
type Screen struct {
	Name   string
	Backup string
}

// glass is what the board knows of the device behind a screen.
type glass struct {
	heard time.Time // when somebody was last known to look at it; zero before the first look
	said  time.Time // when its page last said that it works; zero when none ever did
	at    string    // the screen that shows its tickets meanwhile; "" while it does so itself
}

// Alive takes note that the page of a screen works and shows what it is told.
func (b *Board) Alive(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.glasses[name]
	if g == nil {
		return false
	}
	g.said = b.now()
	return true
}

// looked tells whether somebody looks at a screen: its stream is open, and a page that says so still does. b.mu is held.
func (b *Board) looked(name string, now time.Time) bool {
	g := b.glasses[name]
	return b.hubs[name].Readers() > 0 && (g.said.IsZero() || now.Sub(g.said) < SilentAfter)
}

// StandIn hands the tickets of screens that fell silent to their backups, and takes them back from those of screens that
// are looked at again. change is called for each, outside any lock.
func (b *Board) StandIn(change func(screen, backup string, away bool)) {
	type news struct {
		name, at string
		away     bool
	}
	var all []news
	b.mu.Lock()
	now := b.now()
	for name, g := range b.glasses {
		if g.heard.IsZero() || b.looked(name, now) {
			g.heard = now
		}
		if b.hubs[name].Readers() == 0 {
			g.said = time.Time{} // the next page speaks for itself
		}
		target := g.at
		switch silent := now.Sub(g.heard) >= SilentAfter; {
		case !silent:
			target = ""
		case g.at == "" || !b.looked(g.at, now):
			target = b.standInFor(name, now)
		}
		if target == g.at {
			continue
		}
		if g.at != "" {
			b.handBack(name)
			if target == "" {
				all = append(all, news{name, g.at, false})
			}
		}
		if g.at = target; target != "" {
			b.handOver(name)
			all = append(all, news{name, target, true})
		}
	}
	b.mu.Unlock()
	for _, n := range all {
		change(n.name, n.at, n.away)
	}
}

// standInFor is the first screen along the backups that somebody looks at; "" for none. b.mu is held.
func (b *Board) standInFor(name string, now time.Time) string {
	for at, hops := b.backup[name], 0; at != "" && at != name && hops < len(b.glasses); at, hops = b.backup[at], hops+1 {
		if b.looked(at, now) {
			return at
		}
	}
	return ""
}

// handOver shows the tickets of a silent screen on the one that stands in for it. b.mu is held.
func (b *Board) handOver(name string) {
	to := b.glasses[name].at
	for _, e := range b.order {
		if b.only(e.station, name) && e.payload != nil { // of the others the beat tells that they are missing
			b.hubs[to].Publish(b.seq, api.AppendEvent(nil, api.Event{ID: b.seq, Name: "ticket", Data: e.payload}))
		}
	}
}

// handBack takes them off again. b.mu is held.
func (b *Board) handBack(name string) {
	from := b.glasses[name].at
	for _, e := range b.order {
		if b.only(e.station, name) {
			b.hubs[from].Publish(b.seq, api.AppendEvent(nil, api.Event{ID: b.seq, Name: "ticket-removed", Data: encode(removed{e.id, e.number, e.state, ""})}))
		}
	}
}

// only tells whether a screen that stands in shows the station's tickets for this one alone. b.mu is held.
func (b *Board) only(station, name string) bool {
	place := b.place(station)
	if !slices.Contains(b.screens[place], name) {
		return false
	}
	to := b.glasses[name].at
	if slices.Contains(b.screens[place], to) {
		return false // it shows them anyway
	}
	for _, other := range b.screens[place] {
		if other != name && b.glasses[other].at == to {
			return false // and keeps them for another one
		}
	}
	return true
}

// views are the screens that show a station's tickets now, those that stand in among them. b.mu is held.
func (b *Board) views(station string) []string {
	views := b.screens[b.place(station)]
	own := len(views)
	for _, name := range views[:own:own] {
		if at := b.glasses[name].at; at != "" && !slices.Contains(views, at) {
			views = append(views[:len(views):len(views)], at)
		}
	}
	return views
}
