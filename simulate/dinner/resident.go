package dinner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Residents are guests of the hotel who dine at a table and have it put on their room. Their waiter opens a check, brings
// what they order, finds them by room, and takes a card where the hotel refuses.
type Residents struct {
	Box    string       // base URL of the box
	Token  string       // "" for a box that asks none
	Client *http.Client // nil means http.DefaultClient
	Rate   float64      // checks a minute, on average
	Rooms  []string     // who is asked for, in turn: rooms, or the beginnings of names
	Tables []string     // where they sit, in turn

	mu     sync.Mutex // guards the ledger
	ledger ResidentLedger
}

// ResidentLedger is what their waiter was told.
type ResidentLedger struct {
	Closed  int      // checks closed
	Rooms   int      // of those, paid by a room
	Cards   int      // of those, paid otherwise since the hotel refused or was not there
	Unknown int      // payments of which nobody knew the outcome
	Faults  []string // the first few calls that went wrong, in words
	Failed  int      // all of them
}

// Ledger is what was answered so far.
func (r *Residents) Ledger() ResidentLedger {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger
}

// meals are what residents order: line by line a name, its group in the accounts, and a price in cents.
var meals = [][]struct {
	name, group string
	price       int64
}{
	{{"Menu du marché", "food", 3900}, {"Verre de Sancerre", "beverage", 950}},
	{{"Club sandwich", "food", 1950}, {"Eau gazeuse", "beverage", 550}, {"Café gourmand", "food", 890}},
	{{"Full breakfast", "food", 2400}, {"Flat white", "beverage", 450}},
	{{"Côte de veau", "food", 3450}, {"Tarte au citron", "food", 1050}, {"Pichet de rouge", "beverage", 1400}},
}

// Run dines until ctx ends; the check under way is closed first.
func (r *Residents) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		r.dine(context.WithoutCancel(ctx), n)
		timer.Reset(time.Duration(rand.ExpFloat64() * float64(time.Minute) / r.Rate))
	}
}

type dinedCheck struct {
	ID      string `json:"id"`
	Balance int64  `json:"balance"`
}

func (r *Residents) dine(ctx context.Context, n int) {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	rooms, paid, err := r.serve(limited, n)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.ledger.Failed++
		if len(r.ledger.Faults) < maxFaults {
			r.ledger.Faults = append(r.ledger.Faults, err.Error())
		}
	case !paid:
		r.ledger.Unknown++
	case rooms:
		r.ledger.Closed++
		r.ledger.Rooms++
	default:
		r.ledger.Closed++
		r.ledger.Cards++
	}
}

// serve is one check from its opening to its end; paid is false when nobody knows whether the room was charged.
func (r *Residents) serve(ctx context.Context, n int) (room, paid bool, err error) {
	meal := meals[n%len(meals)]
	lines := make([]map[string]any, len(meal))
	for i, dish := range meal {
		lines[i] = map[string]any{"name": dish.name, "group": dish.group, "quantity": 1, "price": dish.price}
	}
	var check dinedCheck
	if _, err := r.post(ctx, "/v1/checks", map[string]any{"tables": []string{r.Tables[n%len(r.Tables)]}, "covers": 1 + n%3, "staff": "7"}, &check); err != nil {
		return false, false, err
	}
	at := "/v1/checks/" + check.ID
	for _, step := range []struct {
		path string
		body any
	}{{"/lines", map[string]any{"lines": lines}}, {"/bill", nil}} {
		if _, err := r.post(ctx, at+step.path, step.body, &check); err != nil {
			return false, false, err
		}
	}
	room, unknown, err := r.byRoom(ctx, at, r.Rooms[n%len(r.Rooms)], check.Balance)
	if err != nil || unknown {
		return false, false, err
	}
	if !room {
		if _, err := r.post(ctx, at+"/payments", map[string]any{"method": "card", "amount": check.Balance}, &check); err != nil {
			return false, false, err
		}
	}
	_, err = r.post(ctx, at+"/close", nil, &check)
	return room, err == nil, err
}

// byRoom asks the hotel for the guest and charges the room. Neither room nor unknown means that it refused.
func (r *Residents) byRoom(ctx context.Context, check, term string, amount int64) (room, unknown bool, err error) {
	var found struct {
		Guests []struct {
			Room, Reservation, Name string
		} `json:"guests"`
	}
	status, err := call(ctx, r.Client, r.Token, http.MethodGet, r.Box+"/v1/pms/guests?q="+term, nil, &found)
	if status == http.StatusServiceUnavailable || err == nil && len(found.Guests) == 0 {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("GET /v1/pms/guests?q=%s: %d %w", term, status, err)
	}
	g := found.Guests[0]
	_, err = r.post(ctx, check+"/payments", map[string]any{
		"method": "room", "code": "IKPMS", "amount": amount, "room": g.Room, "reservation": g.Reservation, "guest": g.Name,
	}, &struct{}{})
	var refusal struct {
		Code string `json:"code"`
	}
	if err != nil {
		json.Unmarshal([]byte(errors.Unwrap(err).Error()), &refusal)
	}
	switch {
	case err == nil:
		return true, false, nil
	case refusal.Code == "payment_refused":
		return false, false, nil
	case refusal.Code == "payment_unknown":
		return false, true, nil
	}
	return false, false, err
}

func (r *Residents) post(ctx context.Context, path string, body, into any) (status int, err error) {
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			panic(err) // plain values of this file
		}
	}
	status, err = call(ctx, r.Client, r.Token, http.MethodPost, r.Box+path, text, into)
	if err != nil {
		err = fmt.Errorf("POST %s: %d %w", path, status, err)
	}
	return status, err
}
