package dinner

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A Waiter brings the bill to the tables whose guests ordered for themselves, takes a card and closes the check.
type Waiter struct {
	Box    string       // base URL of the box
	Token  string       // "" for a box that asks none
	Client *http.Client // nil means http.DefaultClient
	Tables []string     // the tables of this waiter
	Stay   time.Duration
}

// look is the pause between two looks at the tables.
const look = 5 * time.Second

type openCheck struct {
	ID       string    `json:"id"`
	Tables   []string  `json:"tables"`
	OpenedAt time.Time `json:"opened_at"`
	Balance  int64     `json:"balance"`
}

// Run serves until ctx ends. Guests whose bill went wrong get it again at the next look.
func (w *Waiter) Run(ctx context.Context) error {
	pace := time.NewTicker(look)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pace.C:
		}
		var list struct {
			Checks []openCheck `json:"checks"`
		}
		if _, err := call(ctx, w.Client, w.Token, http.MethodGet, w.Box+"/v1/checks", nil, &list); err != nil {
			continue
		}
		for _, c := range list.Checks {
			if len(c.Tables) > 0 && slices.Contains(w.Tables, c.Tables[0]) && time.Since(c.OpenedAt) > w.Stay && w.settle(ctx, c) != nil {
				break
			}
		}
	}
}

func (w *Waiter) settle(ctx context.Context, c openCheck) error {
	payment, err := json.Marshal(map[string]any{"method": "card", "amount": c.Balance})
	if err != nil {
		return fmt.Errorf("pay %s: %w", c.ID, err)
	}
	for _, step := range []struct {
		path string
		body []byte
		skip bool
	}{{"/bill", nil, false}, {"/payments", payment, c.Balance == 0}, {"/close", nil, false}} {
		if step.skip {
			continue
		}
		if _, err := call(ctx, w.Client, w.Token, http.MethodPost, w.Box+"/v1/checks/"+c.ID+step.path, step.body, &struct{}{}); err != nil {
			return fmt.Errorf("%s of check %s: %w", step.path, c.ID, err)
		}
	}
	return nil
}
