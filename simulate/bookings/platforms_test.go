package bookings_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/protocol/aleno"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/opentable"
	"aboyeur/protocol/rest"
	"aboyeur/protocol/resy"
	"aboyeur/protocol/sevenrooms"
	"aboyeur/protocol/thefork"
	simaleno "aboyeur/simulate/aleno"
	"aboyeur/simulate/bookings"
	simopentable "aboyeur/simulate/opentable"
	simresy "aboyeur/simulate/resy"
	simsevenrooms "aboyeur/simulate/sevenrooms"
	simthefork "aboyeur/simulate/thefork"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialects are all platforms, each with both of its sides.
var dialects = []struct {
	name     string
	simulate func(bookings.Config) (*bookings.Simulator, error)
	client   func(wire.Config) (booking.Platform, error)
}{
	{"opentable", simopentable.New, func(c wire.Config) (booking.Platform, error) { return opentable.New(c) }},
	{"sevenrooms", simsevenrooms.New, func(c wire.Config) (booking.Platform, error) { return sevenrooms.New(c) }},
	{"resy", simresy.New, func(c wire.Config) (booking.Platform, error) { return resy.New(c) }},
	{"thefork", simthefork.New, func(c wire.Config) (booking.Platform, error) { return thefork.New(c) }},
	{"aleno", simaleno.New, func(c wire.Config) (booking.Platform, error) { return aleno.New(c) }},
}

// stage is one platform on a real socket, its client, and a box that keeps what webhooks say.
type stage struct {
	*bookings.Simulator
	client booking.Platform

	mu    sync.Mutex
	heard []booking.Reservation
	fails int // webhooks that the box answers with 503 first
	hook  string
}

var credentials = booking.Credentials{ClientID: "aboyeur", ClientSecret: "simulated-secret", Token: "simulated-secret"}

// each runs a test against every platform.
func each(t *testing.T, do func(t *testing.T, s *stage)) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			zone := time.FixedZone("", 3600)
			sim, err := d.simulate(bookings.Config{Zone: zone})
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- sim.Serve(ctx, l) }()
			client, err := d.client(wire.Config{
				Base: "http://" + l.Addr().String(), Venue: bookings.DefaultVenue, Credentials: credentials, WebhookSecret: []byte(bookings.DefaultHook), Zone: zone,
				HTTP: rest.Config{Timeout: 30 * time.Second},
			})
			if err != nil {
				t.Fatal(err)
			}
			s := &stage{Simulator: sim, client: client}
			box := httptest.NewServer(s)
			s.hook = box.URL
			sim.Hook(box.URL)
			t.Cleanup(func() {
				stop()
				if err := <-served; err != nil {
					t.Errorf("Serve: %v", err)
				}
				client.Close()
				box.Close()
			})
			do(t, s)
		})
	}
}

// ServeHTTP is the box's webhook.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails > 0 {
		s.fails--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	receipt, err := s.client.Receive(booking.Message{Header: r.Header, Path: r.URL.Path, Body: body, At: time.Now()})
	switch {
	case errors.Is(err, booking.ErrSignature):
		w.WriteHeader(http.StatusUnauthorized)
	case errors.Is(err, booking.ErrVenue):
		w.WriteHeader(http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	default:
		s.heard = append(s.heard, receipt.Reservations...)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *stage) said() []booking.Reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

func party(id string) booking.Reservation {
	return booking.Reservation{
		ID: id, ScheduledAt: time.Date(2026, 11, 21, 19, 30, 0, 0, time.UTC), Duration: 90 * time.Minute, PartySize: 4, Status: booking.Seated, Stage: booking.AtTable,
		Tables: []string{"12", "T01"}, Guest: booking.Guest{ID: "g1", FirstName: "Zoé", LastName: "L'Été", Phone: "+33100000000"},
		Currency: "EUR", Deposits: []booking.Deposit{{ID: "prepayment", Amount: "40.00"}},
	}
}

var at = time.Date(2026, 11, 21, 20, 15, 30, 0, time.UTC)

func check(kind booking.Kind) booking.Update {
	u := booking.Update{Reservation: "R1", Kind: kind, At: at, Tables: []string{"12", "T01"}, Check: &booking.Check{
		ID: "C7", Number: 41, Open: kind != booking.KindClosed, Covers: 4, Staff: "Léa", Tables: []string{"12"}, OpenedAt: at.Add(-time.Hour), Currency: "EUR", Decimals: 2,
		Lines:    []booking.Line{{Name: "Bœuf", SKU: "M1", Group: "Mains", Quantity: 2, Amount: 5001}},
		Payments: []booking.Payment{{Method: "card", Amount: 5501, Tip: 300}}, Net: 4546, Tax: 455, Service: 500, Tip: 300, Total: 5501, Paid: 5501,
	}}
	if kind == booking.KindClosed {
		u.Stage, u.Check.ClosedAt = booking.Paid, at
	}
	return u
}

// What the host does reaches the box as it is, signed; a webhook that the box could not take comes again, one that it refuses
// does not.
func TestHostTellsTheBox(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mu.Lock()
		s.fails = 2
		s.mu.Unlock()
		r := party("R1")
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		heard := s.said()
		if len(heard) != 1 {
			t.Fatalf("%d reservations heard", len(heard))
		}
		got := heard[0]
		if got.ID != "R1" || got.Status != booking.Seated || got.PartySize != 4 || !slices.Equal(got.Tables, r.Tables) || got.Guest.Name() != "Zoé L'Été" ||
			!got.ScheduledAt.Equal(r.ScheduledAt) || got.Duration != r.Duration || got.Word == "" || got.UpdatedAt.IsZero() {
			t.Errorf("heard %+v", got)
		}
		if caps := s.client.Capabilities(); caps.Deposits && (len(got.Deposits) != 1 || got.Deposits[0].Amount != "40.00" || got.Currency != "EUR") {
			t.Errorf("deposits %+v %s", got.Deposits, got.Currency)
		}
		if s.Table("T01") != booking.AtTable {
			t.Errorf("the host sees %q at T01", s.Table("T01"))
		}

		r.Status, r.Stage = booking.Cancelled, ""
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if heard = s.said(); len(heard) != 2 || heard[1].Status != booking.Cancelled || heard[1].OpenNow || !newer(heard[1], heard[0]) {
			t.Errorf("heard %+v", heard)
		}
		if err := s.Again(t.Context(), "R1", 5); err != nil || len(s.said()) != 7 {
			t.Errorf("Again: %v, %d heard", err, len(s.said()))
		}
		r.Word, r.Status = "Levitating", ""
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if heard = s.said(); heard[7].Word != "Levitating" || heard[7].Status != "" {
			t.Errorf("a word nobody knows is %+v", heard[7])
		}
		var refused *bookings.HookError
		r.PartySize = wire.MaxParty + 1
		if err := s.Put(t.Context(), r); !errors.As(err, &refused) || refused.Status != http.StatusUnprocessableEntity {
			t.Errorf("a party without end: %v", err)
		}
	})
}

// A message with another secret, a changed body or none of the headers is not ours.
func TestForgedWebhook(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		var header http.Header
		var body []byte
		tap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header = r.Header
			body, _ = io.ReadAll(r.Body)
		}))
		defer tap.Close()
		s.Hook(tap.URL)
		if err := s.Put(t.Context(), party("R1")); err != nil {
			t.Fatal(err)
		}
		m := booking.Message{Header: header, Body: body, At: time.Now()}
		if _, err := s.client.Receive(m); err != nil {
			t.Fatalf("the true message: %v", err)
		}
		bare := m
		bare.Header = http.Header{}
		forged := m
		forged.Header = header.Clone()
		for name := range forged.Header {
			if v := forged.Header.Get(name); len(v) > 30 || strings.HasPrefix(v, "Bearer ") {
				forged.Header.Set(name, v[:len(v)-1]+"0"[:1])
				if strings.HasSuffix(v, "0") {
					forged.Header.Set(name, v[:len(v)-1]+"1")
				}
			}
		}
		cases := map[string]booking.Message{"without headers": bare, "with another signature": forged}
		if header.Get("Authorization") == "" { // a bearer token proves who calls, not what is said
			changed := m
			changed.Body = bytes.Replace(body, []byte("12"), []byte("13"), 1)
			old := m
			old.At = m.At.Add(wire.DefaultSkew + 2*time.Second)
			cases["changed"], cases["played back later"] = changed, old
		}
		for name, m := range cases {
			if _, err := s.client.Receive(m); !errors.Is(err, booking.ErrSignature) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// What the box tells is taken as it was said.
func TestBoxTellsThePlatform(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		if err := s.Put(t.Context(), party("R1")); err != nil {
			t.Fatal(err)
		}
		caps := s.client.Capabilities()
		var want []booking.Update
		for _, u := range []booking.Update{
			{Kind: booking.KindStage, Stage: booking.Entree, Tables: []string{"12", "T01"}},
			{Kind: booking.KindStage, Stage: booking.Drinks, Tables: []string{"12"}},
			check(booking.KindCheck),
			{Kind: booking.KindTables, Tables: []string{"14"}},
			{Kind: booking.KindCovers, Covers: 5},
			{Kind: booking.KindStatus, Status: booking.NoShow},
			check(booking.KindClosed),
		} {
			u.Reservation, u.Venue, u.At = "R1", bookings.DefaultVenue, at
			u.Request = "request-" + string(u.Kind) + string(u.Stage)
			err := s.client.Deliver(t.Context(), u)
			if takes := caps.Takes(&u); takes != (err == nil) || err != nil && !errors.Is(err, booking.ErrUnsupported) {
				t.Errorf("Deliver(%s %s) = %v; takes it: %v", u.Kind, u.Stage, err, takes)
			}
			if err == nil {
				want = append(want, u)
			}
		}
		ledger := s.Ledger()
		if len(ledger) != len(want) {
			t.Fatalf("%d updates taken, want %d: %+v", len(ledger), len(want), ledger)
		}
		for i, d := range ledger {
			w := want[i]
			if d.Request != w.Request || d.Kind != w.Kind || d.Stage != w.Stage && !(d.Kind == booking.KindClosed) || d.Covers != w.Covers {
				t.Errorf("taken %+v, want %+v", d, w)
			}
			if w.Check != nil && (d.Check == nil || d.Check.Total != 5501 || d.Check.Open != w.Check.Open || len(d.Check.Lines) != 1 || d.Check.Lines[0].Amount != 5001) {
				t.Errorf("the check of %s was taken as %+v", w.Kind, d.Check)
			}
		}
		if caps.Totals {
			if last := ledger[len(ledger)-1]; last.Kind != booking.KindClosed || last.Stage != booking.Paid {
				t.Errorf("the end was taken as %+v", last)
			}
		}
		err := s.client.Deliver(t.Context(), booking.Update{Request: "x", Reservation: "R 2/../é", Kind: booking.KindClosed, Stage: booking.Paid, At: at, Check: check(booking.KindClosed).Check})
		var e *rest.Error
		if !errors.As(err, &e) || e.Status != http.StatusNotFound {
			t.Errorf("an update for nobody: %v", err)
		}
	})
}

// Whatever goes wrong, an update that is repeated until it is taken is taken once.
func TestFaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		if err := s.Put(t.Context(), party("R1")); err != nil {
			t.Fatal(err)
		}
		u := check(booking.KindClosed)
		u.Request = "the-one"
		for _, c := range []struct {
			kind   bookings.Kind
			status int
			fate   rest.Fate
		}{
			{bookings.TooMany, http.StatusTooManyRequests, rest.Refused},
			{bookings.Broken, http.StatusServiceUnavailable, rest.Uncertain},
			{bookings.Refused, 0, rest.Uncertain},
			{bookings.LostAnswer, 0, rest.Uncertain},
		} {
			if err := s.Faults(bookings.Faults{Next: []bookings.Kind{c.kind}, Ops: []string{"status", "ticket", "close"}, RetryAfter: bookings.Duration(3 * time.Second)}); err != nil {
				t.Fatal(err)
			}
			err := s.client.Deliver(t.Context(), u)
			var e *rest.Error
			if !errors.As(err, &e) || e.Status != c.status || e.Fate != c.fate {
				t.Errorf("%s: %v", c.kind, err)
			} else if c.kind == bookings.TooMany && e.RetryAfter != 3*time.Second {
				t.Errorf("Retry-After is %v", e.RetryAfter)
			}
		}
		s.Faults(bookings.Faults{Next: []bookings.Kind{bookings.Unauthorized}, Ops: []string{"status", "ticket", "close"}})
		if err := s.client.Deliver(t.Context(), u); err != nil { // a new token where there are tokens
			var e *rest.Error
			if !errors.As(err, &e) || e.Status != http.StatusUnauthorized {
				t.Errorf("401: %v", err)
			}
			if err := s.client.Deliver(t.Context(), u); err != nil {
				t.Error(err)
			}
		}
		s.Faults(bookings.Faults{Down: true})
		if err := s.client.Deliver(t.Context(), u); err == nil {
			t.Error("a platform that is down took an update")
		}
		s.Faults(bookings.Faults{})
		if err := s.client.Deliver(t.Context(), u); err != nil {
			t.Error(err)
		}
		if l := s.Ledger(); len(l) != 1 || l[0].Repeats < 1 {
			t.Errorf("the ledger has %+v", l)
		}
		s.Faults(bookings.Faults{Next: []bookings.Kind{bookings.Timeout}, Ops: []string{"status", "ticket", "close"}, TimeoutBy: bookings.Duration(100 * time.Millisecond)})
		if err := s.client.Deliver(t.Context(), u); !errors.Is(err, rest.ErrUncertain) {
			t.Errorf("silence: %v", err)
		}
	})
}

// Links are made and taken back, and feeds are read page by page.
func TestLinkAndPull(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		caps := s.client.Capabilities()
		if err := s.client.Activate(t.Context()); err != nil || !s.Linked() {
			t.Errorf("Activate: %v, linked %v", err, s.Linked())
		}
		for range 2 {
			if err := s.client.Deactivate(t.Context()); caps.Deactivates != (err == nil) || err != nil && !errors.Is(err, booking.ErrUnsupported) {
				t.Errorf("Deactivate: %v", err)
			}
		}
		if caps.Deactivates == s.Linked() {
			t.Errorf("linked %v after Deactivate", s.Linked())
		}
		s.Hook("")
		const n = opentable.Page + 7
		for i := range n {
			r := party(fmt.Sprintf("R-%d", i))
			r.UpdatedAt = at.Add(time.Duration(i) * time.Second)
			if i == 3 {
				r.ScheduledAt = r.ScheduledAt.AddDate(0, 0, 3)
			}
			if err := s.Put(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		all, err := s.client.Pull(t.Context(), time.Time{}, day, day.AddDate(0, 0, 2))
		if !caps.Pull {
			if !errors.Is(err, booking.ErrUnsupported) {
				t.Errorf("Pull: %v", err)
			}
			return
		}
		if err != nil || len(all) != n-1 || all[0].Status != booking.Seated || all[0].ID == "" {
			t.Errorf("Pull: %d, %v", len(all), err)
		}
		some, err := s.client.Pull(t.Context(), at.Add(time.Duration(n-6)*time.Second), time.Time{}, time.Time{})
		if err != nil || len(some) != 5 {
			t.Errorf("Pull since: %d, %v", len(some), err)
		}
	})
}

// Webhooks come late, twice and in the wrong order when faults say so, and all of them come.
func TestWebhookFaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		by := bookings.Duration(time.Millisecond)
		if err := s.Faults(bookings.Faults{LateBy: by, Rates: map[bookings.Kind]float64{bookings.Late: 1, bookings.Duplicate: 1}}); err != nil {
			t.Fatal(err)
		}
		r := party("R1")
		r.Status, r.Stage = booking.Arrived, ""
		if s.client.Capabilities().Stages != nil && len(s.client.Capabilities().Stages) < 4 {
			r.Status = booking.Scheduled // Aleno has no word for arrived
		}
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		s.await(t, 2)
		s.Faults(bookings.Faults{LateBy: bookings.Duration(time.Minute), Rates: map[bookings.Kind]float64{bookings.OutOfOrder: 1}})
		r.PartySize = 5
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		s.Faults(bookings.Faults{})
		r.PartySize = 6
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		heard := s.await(t, 4)
		if heard[2].PartySize != 6 || heard[3].PartySize != 5 || !newer(heard[2], heard[3]) {
			t.Errorf("heard %+v then %+v", heard[2], heard[3])
		}
	})
}

// newer tells whether a is the later state of a reservation, by its sequence where the platform has one.
func newer(a, b booking.Reservation) bool {
	if a.Sequence != 0 {
		return a.Sequence > b.Sequence
	}
	return a.UpdatedAt.After(b.UpdatedAt)
}

// await waits until n reservations have been heard.
func (s *stage) await(t *testing.T, n int) []booking.Reservation {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if heard := s.said(); len(heard) >= n {
			return heard
		} else if time.Now().After(end) {
			t.Fatalf("%d heard, want %d", len(heard), n)
		}
	}
}
