package support

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"aboyeur/bridge/journal"
)

// What stands where, counted. Keys begin with the time, so that each count reads the latest stretch of its table alone.
var counts = []struct{ name, query string }{
	{"orders_by_state", `SELECT state, count(*) FROM orders WHERE key >= ?1 GROUP BY 1`},
	{"orders_in_pos", `SELECT in_pos, count(*) FROM orders WHERE key >= ?1 GROUP BY 1`},
	{"orders_by_source", `SELECT source, count(*) FROM orders WHERE key >= ?1 GROUP BY 1`},
	{"tickets", `SELECT station || ' ' || kind || ' ' || state, count(*) FROM tickets WHERE key >= ?1 GROUP BY 1`},
	{"jobs", `SELECT printer || ' ' || state || ' ' || evidence, count(*) FROM jobs WHERE key >= ?1 GROUP BY 1`},
	{"jobs_with_a_reason", `SELECT printer || ' ' || state || ': ' || reason, count(*) FROM jobs WHERE key >= ?1 AND reason <> '' GROUP BY 1`},
	{"postings", `SELECT kind || ' ' || state || ' ' || reason, count(*) FROM postings WHERE key >= ?1 GROUP BY 1`},
	{"checks_open", `SELECT state, count(*) FROM checks WHERE state = 'open' AND ?1 >= 0 GROUP BY 1`},
	{"injections", `SELECT state, count(*) FROM injections WHERE key >= ?1 GROUP BY 1`},
	{"reservations", `SELECT platform || ' ' || status || ' ' || order_state || ' ' || problem, count(*) FROM reservations WHERE key >= ?1 GROUP BY 1`},
	{"relays", `SELECT platform || ' ' || kind || ' ' || state, count(*) FROM relays WHERE key >= ?1 GROUP BY 1`},
	{"messages_rejected", `SELECT platform || ' ' || status || ': ' || reason, count(*) FROM rejected WHERE at >= (?1 >> 12) * 1000 GROUP BY 1`},
	{"delivery_orders", `SELECT aggregator || ' ' || status, count(*) FROM delivery_orders WHERE order_key >= ?1 GROUP BY 1`},
	{"delivery_calls", `SELECT aggregator || ' ' || kind || ' ' || state, count(*) FROM delivery_calls WHERE key >= ?1 GROUP BY 1`},
	{"settings", `SELECT key || ' ' || origin, revision FROM settings WHERE ?1 >= 0`},
}

const (
	counted    = 7 * 24 * time.Hour
	mostGroups = 200 // of one count
)

// states counts the last week's rows by what became of them.
func (b *Bundler) states(ctx context.Context) (any, error) {
	all := map[string]map[string]int64{}
	var failed error
	since := journal.KeyAt(b.c.Now().Add(-counted))
	for _, c := range counts {
		groups := map[string]int64{}
		failed = errors.Join(failed, b.c.Journal.Each(ctx, c.query+fmt.Sprint(" LIMIT ", mostGroups), []any{since}, func(scan func(...any) error) error {
			var group string
			var n int64
			if err := scan(&group, &n); err != nil {
				return err
			}
			groups[group] = n
			return nil
		}))
		all[c.name] = groups
	}
	if failed != nil {
		return map[string]any{"counts": all, "failed": failed.Error()}, nil
	}
	return all, nil
}

// Those whose names and numbers the journal knows.
var known = []string{
	`SELECT json_extract(content, '$.customer.name'), json_extract(content, '$.customer.phone') FROM orders ORDER BY key DESC LIMIT ?`,
	`SELECT json_extract(content, '$.staff'), '' FROM orders ORDER BY key DESC LIMIT ?`,
	`SELECT name, '' FROM guests ORDER BY seen_at DESC LIMIT ?`,
	`SELECT name, '' FROM people LIMIT ?`,
	`SELECT json_extract(content, '$.guest'), '' FROM postings ORDER BY key DESC LIMIT ?`,
	`SELECT json_extract(content, '$.guest'), '' FROM checks ORDER BY key DESC LIMIT ?`,
	`SELECT json_extract(content, '$.guest.first_name'), json_extract(content, '$.guest.last_name') FROM reservations ORDER BY key DESC LIMIT ?`,
	`SELECT json_extract(content, '$.guest.phone'), '' FROM reservations ORDER BY key DESC LIMIT ?`,
	`SELECT json_extract(content, '$.customer.name'), json_extract(content, '$.customer.phone') FROM delivery_orders ORDER BY order_key DESC LIMIT ?`,
}

// people gives everybody the journal knows by name or number. It gives those it found with the error.
func (b *Bundler) people(ctx context.Context) ([]string, error) {
	var list []string
	var failed error
	seen := map[string]bool{}
	for _, query := range known {
		failed = errors.Join(failed, b.c.Journal.Each(ctx, query, []any{maxPeople}, func(scan func(...any) error) error {
			var words [2]*string
			if err := scan(&words[0], &words[1]); err != nil {
				return err
			}
			for _, w := range words {
				if w != nil && *w != "" && !seen[*w] {
					seen[*w] = true
					list = append(list, *w)
				}
			}
			return nil
		}))
	}
	if failed != nil {
		failed = fmt.Errorf("some names could not be looked up, look for them yourself: %w", failed)
	}
	return list, failed
}

// told is what was said to platforms and aggregators and what they were refused, the newest first: moment in microseconds,
// who, what, how it ended, why.
const told = `SELECT * FROM (
	SELECT created_at AS at, platform, kind, state || ' ' || attempts, answer FROM relays
	UNION ALL SELECT at, platform, 'to us', 'refused ' || status, reason || ' ' || ref FROM rejected
	UNION ALL SELECT created_at, aggregator, kind, state || ' ' || attempts, cause FROM delivery_calls
) ORDER BY at DESC LIMIT ?`

const maxTold = 2000

// platforms writes what platforms and aggregators were told, a line each.
func (b *Bundler) platforms(ctx context.Context, w io.Writer) error {
	return b.c.Journal.Each(ctx, told, []any{maxTold}, func(scan func(...any) error) error {
		var at int64
		var who, what, end, why string
		if err := scan(&at, &who, &what, &end, &why); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "%s %s %s: %s %s\n", time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000Z"), who, what, end, why)
		return err
	})
}
