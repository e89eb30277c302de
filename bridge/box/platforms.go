package box

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/pos"
	"aboyeur/bridge/relay"
	"aboyeur/bridge/reservation"
	"aboyeur/bridge/reservation/stage"
	"aboyeur/protocol/aleno"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/kres"
	"aboyeur/protocol/opentable"
	"aboyeur/protocol/rest"
	"aboyeur/protocol/resy"
	"aboyeur/protocol/sevenrooms"
	"aboyeur/protocol/thefork"
)

// buildPlatforms makes the links to the reservation platforms. A platform that is not in the configuration has none.
func (b *Box) buildPlatforms(ctx context.Context) error {
	if len(b.c.Reservations) == 0 {
		return nil
	}
	calendar := floor.Calendar{Location: b.c.Site.Location, Close: b.dayClose}
	rc := reservation.Config{
		Journal: b.journal, Floor: b.tables(), Calendar: calendar, Location: b.c.Site.Location,
		Currency: b.c.Site.Currency.Code, Language: b.c.Site.Language, Warnings: b.warnings, Now: b.o.Now, Log: b.log,
		Address: b.c.HTTP.PublicURL, POS: b.c.POS.Kind, Till: b.o.till, Patience: b.o.patience,
	}
	if b.rights != nil {
		rc.May = b.mayChange
	}
	if rc.Till == nil {
		rc.Till = b.pos.reservations()
	}
	if b.o.till != nil {
		rc.Retry = b.o.pause
	}
	out := map[string]relay.Platform{}
	for i := range b.c.Reservations {
		r := &b.c.Reservations[i]
		client, err := b.newPlatform(r)
		if err != nil {
			return fmt.Errorf("reservations of %s: %w", r.Platform, err)
		}
		link := reservation.Link{
			Name: r.Platform, Venue: r.Venue, Title: platformTitle(r.Platform), Enabled: r.Enabled, Settings: platformSettings(r), Webhook: b.c.HTTP.PublicURL != "",
			Credentials: r.CredentialsFile != "", Secret: r.WebhookSecretFile != "",
		}
		if client != nil {
			link.Client, out[r.Platform] = client, client
			b.platforms = append(b.platforms, client)
		}
		rc.Links = append(rc.Links, link)
	}
	var err error
	b.relay, err = relay.New(relay.Config{
		Journal: b.journal, Platform: out, Language: b.c.Site.Language, Warnings: b.warnings, Now: b.o.Now, Log: b.log, Meter: b.meter,
		DayEnd: calendar.End, Backoff: b.o.backoff, Probe: b.o.probe,
		Heard: func(platform string, err error) {
			if err == nil {
				b.bookings.Heard(platform, false)
			}
		},
	})
	if err != nil {
		return err
	}
	rc.Relay = outbox{b.relay}
	b.bookings, err = reservation.New(ctx, rc)
	return err
}

func platformTitle(name string) string {
	switch name {
	case "opentable":
		return "OpenTable"
	case "sevenrooms":
		return "SevenRooms"
	case "resy":
		return "Resy"
	case "thefork":
		return "TheFork"
	case "aleno":
		return "Aleno"
	}
	return name
}

// platformSettings are those of the configuration, which hold until somebody changes them in the console.
func platformSettings(r *firmwareconfig.Reservations) reservation.Settings {
	s := reservation.Defaults()
	s.OpenChecks, s.WalkIns, s.MultiTable = r.OpenChecks, r.WalkIns, r.MultiTable
	s.DefaultProfile, s.OrderProfile, s.Staff, s.Tills = r.DefaultProfile, r.OrderProfile, r.Staff, slices.Clone(r.Tills)
	for _, c := range r.Courses {
		course := stage.Course{Stage: booking.Stage(c.Status)}
		for _, g := range c.Groups {
			course.Groups = append(course.Groups, stage.Group{Value: g})
		}
		s.Courses = append(s.Courses, course)
	}
	return s
}

// newPlatform makes the client of a platform; nil for one that only sends to the generic inbound API.
func (b *Box) newPlatform(r *firmwareconfig.Reservations) (booking.Platform, error) {
	c := wire.Config{Base: r.BaseURL, Venue: r.Venue, Vocabulary: r.Vocabulary, Paths: r.Paths, Zone: b.c.Site.Location, HTTP: rest.Config{Now: b.o.Now}}
	var err error
	if c.Credentials, err = readCredentials(r.CredentialsFile); err != nil {
		return nil, err
	}
	if r.WebhookSecretFile != "" {
		secret, err := os.ReadFile(r.WebhookSecretFile)
		if err != nil {
			return nil, fmt.Errorf("read the webhook secret: %w", err)
		}
		c.WebhookSecret = bytes.TrimSpace(secret)
	}
	switch r.Platform {
	case "opentable":
		return platform(opentable.New(c))
	case "sevenrooms":
		return platform(sevenrooms.New(c))
	case "resy":
		return platform(resy.New(c))
	case "thefork":
		return platform(thefork.New(c))
	case "aleno":
		return platform(aleno.New(c))
	}
	if r.BaseURL == "" {
		return nil, nil
	}
	return platform(kres.New(kres.Config{Config: c, Platform: r.Platform}))
}

// platform keeps a client that could not be made from looking like one.
func platform[T booking.Platform](client T, err error) (booking.Platform, error) {
	if err != nil {
		return nil, err
	}
	return client, nil
}

// followCheck hears of each step of a check within its transaction: paper comes of it, and what the party's reservation
// platform is told.
func (b *Box) followCheck(tx *journal.Tx, s floor.Step) error {
	if b.till == nil && b.mirror == nil { // a till that is not ours prints its own bills
		if err := b.printCheck(tx, s); err != nil {
			return err
		}
	}
	if err := b.moveTickets(tx, s); err != nil {
		return err
	}
	if err := b.followEntry(tx, s); err != nil {
		return err
	}
	if b.bookings == nil {
		return nil
	}
	step := reservation.Step{Kind: s.Kind, Check: b.tables().check(s.Check), By: s.By, Other: s.Other}
	if s.Kind == floor.LineAdded {
		for _, l := range s.Lines {
			taken := l.Price != nil && *l.Price < 0 // back, at a till that writes it as a line
			step.Lines = append(step.Lines, stage.Line{Group: b.departments.Value(l.Group, l.Category), Category: l.Category, Course: l.Course, Voided: l.Voided || taken})
		}
	}
	return b.bookings.Follow(tx, step)
}

// deposit takes a payment by deposit off what the party of a check has left.
func (b *Box) deposit(tx *journal.Tx, c *floor.Check, amount int64, by string) error {
	if b.bookings == nil {
		return nil
	}
	err := b.bookings.TakeDeposit(tx, c.ID, amount, by)
	if errors.Is(err, reservation.ErrDeposit) {
		return fmt.Errorf("%w: %v", floor.ErrDeposit, err)
	}
	return err
}

// tables is the floor as reservations know it: neither knows the other.
type tables struct {
	floor    *floor.Service
	currency string
	mirror   *pos.Mirror // of a till that keeps the checks; nil: the floor does
}

func (b *Box) tables() tables { return tables{b.checks, b.c.Site.Currency.Code, b.mirror} }

var _ reservation.Floor = tables{}

func (t tables) Known(table string) bool { return t.floor.Known(table) }
func (t tables) Tables() []string        { return t.floor.Tables() }

func (t tables) On(tx *journal.Tx, table string) ([]reservation.Check, error) {
	list, err := t.floor.On(tx, table)
	checks := make([]reservation.Check, len(list))
	for i, c := range list {
		checks[i] = t.check(c)
	}
	return checks, err
}

func (t tables) Load(tx *journal.Tx, id journal.ID) (reservation.Check, error) {
	c, err := t.floor.Load(tx, id)
	switch {
	case errors.Is(err, floor.ErrNone):
		return reservation.Check{}, reservation.ErrCheck
	case err != nil:
		return reservation.Check{}, err
	}
	return t.check(c), nil
}

func (t tables) Open(tx *journal.Tx, by string, o reservation.Opening) (reservation.Check, error) {
	c, err := t.floor.Open(tx, by, floor.Opening{
		Tables: o.Tables, Covers: o.Covers, Staff: o.Staff, Reservation: o.Reservation, Guest: o.Guest, Notes: o.Notes, Profile: o.Profile, Till: o.Till, WalkIn: o.WalkIn,
	})
	if err == nil && t.mirror != nil && o.Reference != "" {
		err = t.mirror.Join(tx, o.Reference, c.ID)
	}
	if err != nil {
		return reservation.Check{}, err
	}
	return t.check(c), nil
}

func (t tables) Move(tx *journal.Tx, id journal.ID, by string, to []string) error {
	err := t.floor.MoveIn(tx, id, by, to)
	if errors.Is(err, floor.ErrTable) {
		return fmt.Errorf("%w: %v", reservation.ErrTaken, err)
	}
	return err
}

func (t tables) Party(tx *journal.Tx, id journal.ID, by string, covers int, guest, notes string) error {
	return t.floor.PartyIn(tx, id, by, covers, guest, notes)
}

func (t tables) PayDeposit(tx *journal.Tx, id journal.ID, by string, amount int64) error {
	return t.floor.DepositIn(tx, id, by, amount)
}

func (t tables) Link(tx *journal.Tx, id journal.ID, by, reservation, guest string) error {
	return t.floor.LinkIn(tx, id, by, reservation, guest)
}

func (t tables) check(c *floor.Check) reservation.Check {
	return reservation.Check{
		ID: c.ID, Number: c.Number, Open: c.State == floor.Open, Ended: c.State == floor.Closed, Tables: c.Tables, Covers: c.Covers, OpenedAt: c.OpenedAt,
		Reservation: c.Reservation, Empty: c.Empty(), Due: c.Balance, Snapshot: func() booking.Check { return t.snapshot(c) },
	}
}

// snapshot is a check as platforms are told of it. Prices hold their taxes, and nobody charges for service here, so net and
// total are one.
func (t tables) snapshot(c *floor.Check) booking.Check {
	s := booking.Check{
		ID: c.ID.String(), Number: c.Number, Open: c.State == floor.Open, Covers: c.Covers, Staff: c.Staff, Tables: slices.Clone(c.Tables), OpenedAt: c.OpenedAt, ClosedAt: c.ClosedAt,
		Currency: t.currency, Decimals: money.Decimals(t.currency), Net: c.Total, Total: c.Total, Tip: c.Tips, Paid: c.Paid, Due: c.Balance,
	}
	for i := range c.Lines {
		if l := &c.Lines[i]; !l.Voided {
			s.Lines = append(s.Lines, booking.Line{Name: l.Name, SKU: l.SKU, Group: l.Group, Quantity: l.Quantity, Amount: l.Total()})
		}
	}
	for _, p := range c.Payments {
		if p.State == floor.Paid {
			s.Payments = append(s.Payments, booking.Payment{Method: p.Method, Amount: p.Amount, Tip: p.Tip})
		}
	}
	return s
}

// outbox is the relay as reservations know it.
type outbox struct{ *relay.Service }

var _ reservation.Relay = outbox{}

func (o outbox) Queue(ctx context.Context, platform string) (reservation.Queue, error) {
	q, err := o.Service.Queue(ctx, platform)
	return reservation.Queue(q), err
}

func (o outbox) Told(ctx context.Context, party int64) ([]reservation.Told, error) {
	list, err := o.Service.Of(ctx, party)
	told := make([]reservation.Told, len(list))
	for i, t := range list {
		told[i] = reservation.Told(t)
	}
	return told, err
}

// closePlatforms gives the connections back.
func (b *Box) closePlatforms() {
	for _, p := range b.platforms {
		p.Close()
	}
}
