// Package dinner is an evening in a restaurant as programs: guests who order over the API, and cooks who read a kitchen
// screen and work through its tickets. Each keeps a ledger of what it saw itself, so that a run can be judged from
// outside the box.
package dinner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Guests send the sixteen menus, one after the other, at random intervals.
type Guests struct {
	Box    string       // base URL of the box
	Token  string       // "" for a box that asks none
	Client *http.Client // nil means http.DefaultClient
	Rate   float64      // orders a minute, on average
	Source string       // name of the sender in the orders

	mu     sync.Mutex // guards the ledger
	ledger GuestLedger
}

// GuestLedger is what the guests were told.
type GuestLedger struct {
	Orders  int      // answered 201
	Changed int      // changes answered 200
	Refused int      // answered otherwise, or not at all
	Faults  []string // the first few, in words
	IDs     []string // of the orders taken
}

// Ledger is what was answered so far.
func (g *Guests) Ledger() GuestLedger {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.ledger
	l.IDs = append([]string(nil), l.IDs...)
	return l
}

// maxFaults bounds the ledger's faults.
const maxFaults = 10

// Run orders until ctx ends. The first first orders come at once, as when the doors open.
func (g *Guests) Run(ctx context.Context, first int) error {
	menus := Menus()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		o := menus[n%len(menus)]
		g.personalise(&o, n)
		id := g.send(ctx, http.MethodPost, "/v1/orders", o)
		if id != "" && n%9 == 8 {
			g.change(ctx, id, o)
		}
		pause := 200 * time.Millisecond
		if n >= first {
			pause = time.Duration(rand.ExpFloat64() * float64(time.Minute) / g.Rate)
		}
		timer.Reset(pause)
	}
}

// personalise makes an order of a menu.
func (g *Guests) personalise(o *Order, n int) {
	now := time.Now().UTC()
	o.Source, o.SourceOrderID = g.Source, fmt.Sprintf("%s-%d-%d", g.Source, now.UnixNano(), n)
	o.PlacedAt = now.Format(time.RFC3339)
	if o.Service == "dine_in" {
		o.Partner = Partner{}
		return
	}
	o.Partner.OrderID = strings.ToUpper(strconv.FormatInt(now.UnixNano()/1000%46656000+46656000, 36))
	o.ReadyAt = now.Add(time.Duration(12+n%5*4) * time.Minute).Format(time.RFC3339)
}

// change sends a second version: somebody wants one more of the first dish and a coffee.
func (g *Guests) change(ctx context.Context, id string, o Order) {
	o.Version = 2
	o.Lines = append([]Line(nil), o.Lines...)
	o.Lines[0].Quantity++
	o.Lines = append(o.Lines, Line{SKU: "BOI-01", Name: "Café allongé", Category: "Drinks", Quantity: 1, Price: 280})
	g.send(ctx, http.MethodPut, "/v1/orders/"+id, o)
}

// send gives one order to the box and returns its id, "" when it was not taken.
func (g *Guests) send(ctx context.Context, method, path string, o Order) (id string) {
	body, err := json.Marshal(o)
	if err != nil {
		panic(err) // plain values of this package
	}
	var answer struct {
		ID string `json:"id"`
	}
	status, err := call(ctx, g.Client, g.Token, method, g.Box+path, body, &answer)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil && status == http.StatusCreated:
		g.ledger.Orders++
		g.ledger.IDs = append(g.ledger.IDs, answer.ID)
		return answer.ID
	case err == nil && status == http.StatusOK:
		g.ledger.Changed++
		return answer.ID
	case errors.Is(err, context.Canceled):
		return ""
	}
	g.ledger.Refused++
	if len(g.ledger.Faults) < maxFaults {
		g.ledger.Faults = append(g.ledger.Faults, fmt.Sprintf("%s %s: %d %v", method, path, status, err))
	}
	return ""
}

// call makes one request with a JSON answer of at most a megabyte.
func call(ctx context.Context, client *http.Client, token, method, url string, body []byte, into any) (status int, err error) {
	if client == nil {
		client = http.DefaultClient
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return answer.StatusCode, err
	}
	if answer.StatusCode >= 400 {
		return answer.StatusCode, errors.New(strings.TrimSpace(string(text)))
	}
	return answer.StatusCode, json.Unmarshal(text, into)
}
