package dinner

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Cook stands before one kitchen screen: reads its event stream, starts a ticket after a while and bumps it later.
type Cook struct {
	Box    string       // base URL of the box
	Token  string       // "" for a box that asks none
	Client *http.Client // nil means http.DefaultClient; without a timeout, since the stream does not end
	Screen string
	// Pace is how long a ticket takes on average; 0: the cook only watches.
	Pace time.Duration

	mu     sync.Mutex // guards the ledger and what is on the screen
	ledger CookLedger
	open   map[string]bool
}

// CookLedger is what the cook saw and did.
type CookLedger struct {
	Events  int            // of every kind but beats
	Tickets map[string]int // how often each ticket appeared, by its id
	Bumped  int
	Lost    int // bumps that somebody else had made
}

// Ledger is what was seen so far.
func (c *Cook) Ledger() CookLedger {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.ledger
	l.Tickets = make(map[string]int, len(c.ledger.Tickets))
	for id, n := range c.ledger.Tickets {
		l.Tickets[id] = n
	}
	return l
}

// Run reads the screen until ctx ends; a stream that breaks is taken up again.
func (c *Cook) Run(ctx context.Context) error {
	c.open, c.ledger.Tickets = map[string]bool{}, map[string]int{}
	var hands sync.WaitGroup
	defer hands.Wait()
	last := ""
	for {
		err := c.watch(ctx, &last, &hands)
		if ctx.Err() != nil {
			return nil
		}
		_ = err // the box was restarted or the line was cut: a screen comes back by itself
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *Cook) watch(ctx context.Context, last *string, hands *sync.WaitGroup) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Box+"/v1/screens/"+c.Screen+"/events", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/event-stream")
	if *last != "" {
		r.Header.Set("Last-Event-ID", *last)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("screen %s: %s", c.Screen, answer.Status)
	}
	lines := bufio.NewReaderSize(answer.Body, 64<<10)
	var name, id, data string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSuffix(line, "\n")
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if id != "" {
				*last = id
			}
			c.see(ctx, name, data, hands)
			name, id, data = "", "", ""
		}
	}
}

// seen is as much of a ticket as a cook needs.
type seen struct {
	ID            string `json:"id"`
	State         string `json:"state"`
	ChangedUnseen bool   `json:"changed_unseen"`
}

func (c *Cook) see(ctx context.Context, name, data string, hands *sync.WaitGroup) {
	var tickets []seen
	switch name {
	case "snapshot":
		var s struct {
			Tickets []seen `json:"tickets"`
		}
		if json.Unmarshal([]byte(data), &s) != nil {
			return
		}
		tickets = s.Tickets
	case "ticket", "ticket-updated":
		var t seen
		if json.Unmarshal([]byte(data), &t) != nil {
			return
		}
		tickets = []seen{t}
	case "ticket-removed":
		var t seen
		if json.Unmarshal([]byte(data), &t) != nil {
			return
		}
		c.mu.Lock()
		delete(c.open, t.ID)
		c.mu.Unlock()
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.Events++
	for _, t := range tickets {
		if name == "ticket" || name == "snapshot" && c.ledger.Tickets[t.ID] == 0 {
			c.ledger.Tickets[t.ID]++
		}
		if name == "ticket" && c.Pace > 0 {
			hands.Go(func() { c.act(ctx, t.ID, "painted") })
		}
		if !c.open[t.ID] && c.Pace > 0 {
			c.open[t.ID] = true
			hands.Go(func() { c.cook(ctx, t) })
		}
	}
}

// cook takes one ticket from first look to bump.
func (c *Cook) cook(ctx context.Context, t seen) {
	wait := func(share float64) bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Duration((share + share*rand.Float64()) * float64(c.Pace))):
			return true
		}
	}
	for _, step := range []struct {
		share float64
		act   string
	}{{.15, "start"}, {.3, "seen"}, {.45, "bump"}} {
		if !wait(step.share) {
			return
		}
		status := c.act(ctx, t.ID, step.act)
		if step.act != "bump" {
			continue // nothing to be seen, or started by another: both are fine
		}
		c.mu.Lock()
		switch status {
		case http.StatusOK:
			c.ledger.Bumped++
		case http.StatusConflict:
			c.ledger.Lost++
		}
		c.mu.Unlock()
	}
}

// act does something with a ticket; the status is 0 when no answer came.
func (c *Cook) act(ctx context.Context, id, name string) int {
	var answer seen
	status, _ := call(ctx, c.Client, c.Token, http.MethodPost, c.Box+"/v1/tickets/"+id+"/"+name, nil, &answer)
	return status
}
