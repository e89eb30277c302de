package order

import (
	"context"
	"database/sql"
	"sync"
)

// numbers gives each order of a business day the next number. They are reserved in memory before the commit: a gap
// left by an order that was never taken is harmless, a number given twice is not.
type numbers struct {
	mu   sync.Mutex // guards both
	day  string
	last int
}

// selectLast looks at the newest rows only: numbers are reserved in time order, so the greatest of the day is there.
const selectLast = `SELECT business_day, max(number) FROM (SELECT business_day, number FROM orders ORDER BY key DESC LIMIT 1000) GROUP BY business_day ORDER BY business_day DESC LIMIT 1`

// load goes on where the journal stands.
func (n *numbers) load(ctx context.Context, db *sql.DB) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	err := db.QueryRowContext(ctx, selectLast).Scan(&n.day, &n.last)
	if err == sql.ErrNoRows {
		return nil
	}
	return err
}

func (n *numbers) next(day string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	// A clock set back over the day's end goes on counting the later day: the numbers stay unique.
	if day > n.day {
		n.day, n.last = day, 0
	}
	n.last++
	return n.last
}
