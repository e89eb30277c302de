package order

import (
	"context"
	"database/sql"
	"sync"
)

// numbers gives each order of a business day the next number. They are reserved in memory before the commit: a gap
// left by an order that was never taken is harmless, a number given twice is not. Each day counts for itself, since
// orders are placed for days to come, and a clock that is set back returns to a day that had begun.
type numbers struct {
	mu   sync.Mutex
	last map[string]int // of each business day; days are as many as valid orders can name
}

// Of today, the newest rows hold the greatest number, since numbers are reserved in the order of time; of days to come,
// the orders that wait for them.
const selectLast = `SELECT business_day, max(number) FROM (SELECT business_day, number FROM orders ORDER BY key DESC LIMIT 2000) GROUP BY business_day
UNION ALL SELECT business_day, max(number) FROM orders WHERE state = 'scheduled' GROUP BY business_day`

// load goes on where the journal stands.
func (n *numbers) load(ctx context.Context, db *sql.DB) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = map[string]int{}
	rows, err := db.QueryContext(ctx, selectLast)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var day string
		var last int
		if err := rows.Scan(&day, &last); err != nil {
			return err
		}
		n.last[day] = max(n.last[day], last)
	}
	return rows.Err()
}

func (n *numbers) next(day string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last[day]++
	return n.last[day]
}
