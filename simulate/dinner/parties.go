package dinner

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"aboyeur/protocol/booking"
)

// A Host seats guests on a reservation platform: a simulated one.
type Host interface {
	Put(ctx context.Context, r booking.Reservation) error
}

// Parties are guests with a reservation. A host seats them on the platform's side; their waiter finds the check that this
// opened, brings course after course, the bill, and takes their money.
type Parties struct {
	Box    string       // base URL of the box
	Token  string       // "" for a box that asks none
	Client *http.Client // nil means http.DefaultClient
	Host   Host
	Name   string           // of the platform, in their reservations' ids
	ID     func(int) string // of the n-th reservation; nil: Name and a number
	Open   bool             // the platform calls for a receipt when they arrive (TheFork)
	Rate   float64          // parties a minute, on average
	Pace   time.Duration    // between two things at a table
	Tables []string         // one party at each at a time

	mu     sync.Mutex // guards the ledger
	ledger PartyLedger
}

// PartyLedger is what became of them.
type PartyLedger struct {
	Seated int
	Closed []string // reservations whose check was paid and closed
	Faults []string // the first few calls that went wrong, in words
	Failed int      // all of them
}

// Ledger is what happened so far.
func (p *Parties) Ledger() PartyLedger {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.ledger
	l.Closed = append([]string(nil), l.Closed...)
	return l
}

// courses are what a party eats, one after the other: a name, its statistic group and a price in cents.
var courses = []struct {
	name, group string
	price       int64
}{{"Soupe à l'oignon", "Starters", 950}, {"Sole meunière", "Mains", 3200}, {"Île flottante", "Desserts", 900}}

// guests are the names of parties, in turn.
var guests = []booking.Guest{
	{ID: "0f3f9a70-8f35-4d9b-8a53-000000000001", FirstName: "Zoé", LastName: "Lambert", Allergens: []string{"lait"}},
	{ID: "0f3f9a70-8f35-4d9b-8a53-000000000002", FirstName: "James", LastName: "O'Neill"},
	{ID: "0f3f9a70-8f35-4d9b-8a53-000000000003", FirstName: "Aïcha", LastName: "Benali", VIP: true},
	{ID: "0f3f9a70-8f35-4d9b-8a53-000000000004", FirstName: "Max", LastName: "Müller"},
}

// Run seats parties until ctx ends; those who sit then are served to the end without a pause.
func (p *Parties) Run(ctx context.Context) error {
	free := make(chan string, len(p.Tables))
	for _, t := range p.Tables {
		free <- t
	}
	var dining sync.WaitGroup
	defer dining.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return nil
		case table := <-free:
			dining.Go(func() {
				p.dine(ctx, n, table)
				free <- table
			})
		}
		timer.Reset(time.Duration(rand.ExpFloat64() * float64(time.Minute) / p.Rate))
	}
}

func (p *Parties) dine(ctx context.Context, n int, table string) {
	id := fmt.Sprintf("%s-%d", p.Name, n+1)
	if p.ID != nil {
		id = p.ID(n)
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	err := p.serve(limited, ctx, n, id, table)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.ledger.Closed = append(p.ledger.Closed, id)
		return
	}
	p.ledger.Failed++
	if len(p.ledger.Faults) < maxFaults {
		p.ledger.Faults = append(p.ledger.Faults, err.Error())
	}
}

// serve is one party from its seat to its receipt.
func (p *Parties) serve(ctx, open context.Context, n int, id, table string) error {
	r := booking.Reservation{
		ID: id, ScheduledAt: time.Now().UTC().Truncate(time.Second), PartySize: 2 + n%3, Status: booking.Seated, Stage: booking.AtTable, OpenNow: p.Open, WalkIn: n%5 == 4,
		Tables: []string{table}, Guest: guests[n%len(guests)],
	}
	if p.Open {
		r.Status, r.Stage = booking.Arrived, ""
	}
	if err := p.Host.Put(ctx, r); err != nil {
		return fmt.Errorf("seat %s: %w", id, err)
	}
	p.mu.Lock()
	p.ledger.Seated++
	p.mu.Unlock()
	check, err := p.check(ctx, id)
	if err != nil {
		return err
	}
	at := "/v1/checks/" + check
	var total int64
	for _, c := range courses {
		p.pause(open)
		lines := []map[string]any{{"name": c.name, "group": c.group, "quantity": r.PartySize, "price": c.price}}
		total += int64(r.PartySize) * c.price
		if err := p.post(ctx, at+"/lines", map[string]any{"lines": lines}); err != nil {
			return err
		}
	}
	p.pause(open)
	if err := p.post(ctx, at+"/bill", nil); err != nil {
		return err
	}
	p.pause(open)
	if err := p.post(ctx, at+"/payments", map[string]any{"method": "card", "amount": total}); err != nil {
		return err
	}
	return p.post(ctx, at+"/close", nil)
}

// check is the check that seating opened.
func (p *Parties) check(ctx context.Context, id string) (string, error) {
	for end := time.Now().Add(5 * time.Second); ; {
		var list struct {
			Reservations []struct {
				Reservation, Problem, Detail string
				Checks                       []string
			}
		}
		status, err := call(ctx, p.Client, p.Token, http.MethodGet, p.Box+"/v1/reservations?q="+url.QueryEscape(id), nil, &list)
		if err != nil {
			return "", fmt.Errorf("GET /v1/reservations?q=%s: %d %w", id, status, err)
		}
		problem := "is not there"
		for _, r := range list.Reservations {
			if r.Reservation == id && len(r.Checks) > 0 {
				return r.Checks[0], nil
			}
			if r.Reservation == id {
				problem = "has no check: " + r.Problem + " " + r.Detail
			}
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("reservation %s %s", id, problem)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// pause is the time between two courses; when the evening is over there is none.
func (p *Parties) pause(open context.Context) {
	select {
	case <-open.Done():
	case <-time.After(p.Pace/2 + rand.N(p.Pace)):
	}
}

func (p *Parties) post(ctx context.Context, path string, body any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			panic(err) // plain values of this file
		}
	}
	if status, err := call(ctx, p.Client, p.Token, http.MethodPost, p.Box+path, text, &struct{}{}); err != nil {
		return fmt.Errorf("POST %s: %d %w", path, status, err)
	}
	return nil
}
