package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
)

// Modes of a link.
const (
	Live    = "live"    // orders are cooked
	Observe = "observe" // orders are written down, and another system cooks them
	Off     = "off"     // nothing is taken
)

// Policies for what the POS does not know.
const (
	Strict   = "strict"    // the order stays out of the POS
	OpenItem = "open_item" // it goes in as an open item
)

// Bounds of settings.
const (
	maxChannels = 50
	maxMinutes  = 48 * 60
	maxName     = 100
)

// Settings are what a venue wants of one aggregator.
type Settings struct {
	Mode           string             `json:"mode" enum:"live,observe,off" doc:"observe: orders are written down only, because another system cooks them"`
	LiveFrom       time.Time          `json:"live_from,omitzero" doc:"with mode live: before it the box observes"`
	AutoAccept     bool               `json:"auto_accept" doc:"orders are accepted without a person"`
	AcceptMinutes  int                `json:"accept_minutes" minimum:"1" maximum:"120" doc:"an order that nobody accepted by then is rejected; the aggregator's own limit holds as well"`
	Inject         string             `json:"inject" enum:"strict,open_item" doc:"what becomes of an order with a line that the POS does not know"`
	ReleaseMinutes int                `json:"release_minutes" minimum:"0" maximum:"2880" doc:"how long before its time a scheduled order goes to kitchen and POS"`
	ShowMinutes    int                `json:"show_minutes" minimum:"0" maximum:"2880" doc:"how long before its time it is shown; at least release_minutes"`
	LeadMinutes    int                `json:"lead_minutes" minimum:"0" maximum:"2880" doc:"from pickup to delivery, for orders that name only the latter"`
	TipToPOS       bool               `json:"tip_to_pos" doc:"a tip for the restaurant goes into the POS; a courier's never does"`
	Fees           map[string]string  `json:"fees" doc:"POS items for delivery_fee, service_fee, small_order_fee, packaging_fee, bag_fee; a fee without one stays out of the POS"`
	Discount       string             `json:"discount" doc:"the POS's code for a discount that the restaurant bears; empty: it is only recorded"`
	Channels       map[string]Channel `json:"channels" doc:"what single marketplaces have different, by their slug"`
}

// Channel is what one marketplace has different.
type Channel struct {
	Name          string `json:"name,omitzero" doc:"as people call it; empty: as the aggregator does"`
	AutoAccept    *bool  `json:"auto_accept,omitzero"`
	Inject        string `json:"inject,omitzero" enum:",strict,open_item"`
	Injection     *bool  `json:"injection,omitzero" doc:"false: its orders stay out of the POS and are typed in by hand"`
	LeadMinutes   *int   `json:"lead_minutes,omitzero" minimum:"0" maximum:"2880"`
	PaymentMethod string `json:"payment_method,omitzero" doc:"the POS's method for what its guests paid online"`
}

// Defaults are the settings of an aggregator nobody has set up.
func Defaults() Settings {
	return Settings{Mode: Live, AutoAccept: true, AcceptMinutes: 10, Inject: Strict, ReleaseMinutes: 30, ShowMinutes: 60, LeadMinutes: 20, Fees: map[string]string{}, Channels: map[string]Channel{}}
}

// fees are what Settings.Fees may name.
func fees() []string {
	return []string{"delivery_fee", "service_fee", "small_order_fee", "packaging_fee", "bag_fee"}
}

// check lists what is wrong with settings.
func (s *Settings) check() []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	within := func(pointer string, n, lo, hi int) {
		if n < lo || n > hi {
			wrong(pointer, fmt.Sprintf("is %d; write a number from %d to %d", n, lo, hi))
		}
	}
	policy := func(pointer, p string) {
		if p != Strict && p != OpenItem {
			wrong(pointer, "is none of strict, open_item")
		}
	}
	if !slices.Contains([]string{Live, Observe, Off}, s.Mode) {
		wrong("/mode", "is none of live, observe, off")
	}
	within("/accept_minutes", s.AcceptMinutes, 1, 120)
	policy("/inject", s.Inject)
	within("/release_minutes", s.ReleaseMinutes, 0, maxMinutes)
	within("/show_minutes", s.ShowMinutes, 0, maxMinutes)
	if s.ShowMinutes < s.ReleaseMinutes {
		wrong("/show_minutes", "is less than release_minutes; an order is shown before it is cooked")
	}
	within("/lead_minutes", s.LeadMinutes, 0, maxMinutes)
	for _, name := range slices.Sorted(maps.Keys(s.Fees)) {
		switch sku := s.Fees[name]; {
		case !slices.Contains(fees(), name):
			wrong("/fees/"+name, "is no fee")
		case !fits(sku, maxName):
			wrong("/fees/"+name, "is not an item of the POS")
		}
	}
	if !fits(s.Discount, maxName) {
		wrong("/discount", "is too long or has control characters")
	}
	if len(s.Channels) > maxChannels {
		wrong("/channels", fmt.Sprintf("has more than %d marketplaces", maxChannels))
	}
	for _, slug := range slices.Sorted(maps.Keys(s.Channels)) {
		c, at := s.Channels[slug], "/channels/"+slug
		if slug == "" || !fits(slug, maxName) {
			wrong(at, "is no slug of a marketplace")
		}
		if c.Inject != "" {
			policy(at+"/inject", c.Inject)
		}
		if c.LeadMinutes != nil {
			within(at+"/lead_minutes", *c.LeadMinutes, 0, maxMinutes)
		}
		if !fits(c.Name, maxName) || !fits(c.PaymentMethod, maxName) {
			wrong(at, "has a name that is too long or has control characters")
		}
	}
	return faults
}

// complete brings two ways to write the same settings into one.
func (s *Settings) complete() {
	if s.Fees == nil {
		s.Fees = map[string]string{}
	}
	if s.Channels == nil {
		s.Channels = map[string]Channel{}
	}
	s.LiveFrom = s.LiveFrom.UTC().Truncate(time.Microsecond)
}

func (s *Settings) autoAccept(slug string) bool {
	if c := s.Channels[slug]; c.AutoAccept != nil {
		return *c.AutoAccept
	}
	return s.AutoAccept
}

func (s *Settings) policy(slug string) string {
	if c := s.Channels[slug]; c.Inject != "" {
		return c.Inject
	}
	return s.Inject
}

func (s *Settings) injects(slug string) bool {
	c := s.Channels[slug]
	return c.Injection == nil || *c.Injection
}

func (s *Settings) lead(slug string) time.Duration {
	minutes := s.LeadMinutes
	if c := s.Channels[slug]; c.LeadMinutes != nil {
		minutes = *c.LeadMinutes
	}
	return time.Duration(minutes) * time.Minute
}

// mode is what holds now.
func (s *Settings) mode(now time.Time) string {
	if s.Mode == Live && now.Before(s.LiveFrom) {
		return Observe
	}
	return s.Mode
}

// state is how a link stands besides its settings.
type state struct {
	HeardAt     time.Time `json:"heard_at,omitzero"`
	PausedAt    time.Time `json:"paused_at,omitzero"` // zero: the store is open
	PausedTill  time.Time `json:"paused_till,omitzero"`
	PauseReason string    `json:"pause_reason,omitzero"`
	PausedBy    string    `json:"paused_by,omitzero"`
	FedAt       time.Time `json:"fed_at,omitzero"`
	Outages     []Outage  `json:"outages,omitzero"` // latest first
}

func settingsKey(name string) string { return "delivery/" + name }
func stateKey(name string) string    { return "delivery-state/" + name }

// restore reads a link's settings and state.
func (s *Service) restore(ctx context.Context, l *link) error {
	set := kept{Settings: l.Settings}
	set.complete()
	stored, err := s.c.Journal.Setting(ctx, settingsKey(l.Name))
	switch {
	case err == nil:
		set = kept{Settings: Defaults(), revision: stored.Revision}
		if err := json.Unmarshal(stored.Value, &set.Settings); err != nil {
			return fmt.Errorf("read its settings: %w", err)
		}
		set.complete()
	case !errors.Is(err, journal.ErrNoSetting):
		return err
	}
	l.settings.Store(&set)
	stored, err = s.c.Journal.Setting(ctx, stateKey(l.Name))
	switch {
	case err == nil:
		if err := json.Unmarshal(stored.Value, &l.state); err != nil {
			return fmt.Errorf("read its state: %w", err)
		}
	case !errors.Is(err, journal.ErrNoSetting):
		return err
	}
	l.fed = l.state.FedAt
	return nil
}

// Put changes the settings of an aggregator. revision is that which the change was made from; another by now is a
// *journal.ConflictError.
func (s *Service) Put(ctx context.Context, by access.Principal, name string, revision int64, to Settings) error {
	l := s.link(name)
	if l == nil {
		return ErrNone
	}
	to.complete()
	value, err := json.Marshal(to, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("settings of %s: %w", name, err)
	}
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		was := l.settings.Load()
		stored, err := tx.PutSetting(settingsKey(name), value, revision, by.Name)
		if err != nil {
			return err
		}
		if was.Mode != to.Mode || !was.LiveFrom.Equal(to.LiveFrom) {
			detail := to.Mode
			if !to.LiveFrom.IsZero() {
				detail += " from " + to.LiveFrom.Format(time.RFC3339)
			}
			if err := access.Record(tx, by, "delivery_mode", name, detail); err != nil {
				return err
			}
		}
		tx.After(func(err error) {
			if err == nil {
				l.settings.Store(&kept{to, stored.Revision})
				poke(l.look)
			}
		})
		return nil
	})
}

// keepState writes how a link stands.
func (s *Service) keepState(tx *journal.Tx, l *link, change func(*state)) error {
	l.mu.Lock()
	next := l.state
	l.mu.Unlock()
	change(&next)
	value, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := tx.SetSetting(stateKey(l.Name), value, l.Name); err != nil {
		return err
	}
	tx.After(func(err error) {
		if err == nil {
			l.mu.Lock()
			change(&l.state)
			l.mu.Unlock()
		}
	})
	return nil
}

func (l *link) now() state {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// paused tells whether the store takes no orders.
func (l *link) paused(now time.Time) bool {
	st := l.now()
	return !st.PausedAt.IsZero() && (st.PausedTill.IsZero() || st.PausedTill.After(now))
}

// Lead is how long before its time a scheduled order of an aggregator is released and shown.
func (s *Service) Lead(aggregator string) (release, show time.Duration, ok bool) {
	l := s.link(aggregator)
	if l == nil {
		return 0, 0, false
	}
	set := l.settings.Load()
	return time.Duration(set.ReleaseMinutes) * time.Minute, time.Duration(set.ShowMinutes) * time.Minute, true
}

// title is what people call a marketplace.
func (s *Settings) title(o *channel.Order) string {
	if c := s.Channels[o.Slug]; c.Name != "" {
		return c.Name
	}
	if o.Partner != "" {
		return o.Partner
	}
	return o.Slug
}
