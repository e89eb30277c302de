package box

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking"
	"aboyeur/simulate/bookings"
)

// TestMeasurePlatforms measures, with -measure, a hundred events a second: half are parties that a platform seats, which are
// answered once their check is open, and half are lines at the till, each the first main course of a party of OpenTable's, which
// is told at once. Full has a journal of 100,000 reservations and a million events of checks behind it.
func TestMeasurePlatforms(t *testing.T) {
	if !*measure {
		t.Skip("a measurement: -measure")
	}
	const warm, events = 300, 2200 // both kinds together
	for _, full := range []bool{false, true} {
		name := map[bool]string{false: "fresh", true: "full"}[full]
		t.Run(name, func(t *testing.T) {
			e := newEvening(t, "opentable", "generic")
			e.change = func(o *Options) { o.Log = slog.New(slog.DiscardHandler) }
			var tables []string
			for n := range warm + events {
				tables = append(tables, fmt.Sprintf("B%d", n))
			}
			e.config.Floor.Areas[0].Tables = tables
			e.open()
			if full {
				fill(t, e.box.journal)
			}
			// The parties whose lines come, odd numbers, sit at their tables before.
			for n := 1; n < warm+events; n += 2 {
				e.seat("opentable", fmt.Sprint("O", n), tables[n])
			}
			e.settled("opentable")
			checks := map[string]string{} // by table
			err := e.box.journal.Each(t.Context(), `SELECT t.name, c.id FROM check_tables AS t JOIN checks AS c ON c.key = t.check_key`, nil, func(scan func(...any) error) error {
				var table string
				var id []byte
				err := scan(&table, &id)
				checks[table] = journal.ID(id).String()
				return err
			})
			if err != nil || len(checks) != (warm+events)/2 {
				t.Fatalf("%d checks are open: %v", len(checks), err)
			}
			p := newPace(t, 100)
			var mu sync.Mutex
			ordered := map[string]time.Time{}
			event := func(n int, at time.Time) {
				if n%2 == 1 {
					mu.Lock()
					ordered[fmt.Sprint("O", n)] = at
					mu.Unlock()
					p.request(http.MethodPost, e.base+"/v1/checks/"+checks[tables[n]]+"/lines", e.token, []byte(`{"lines":[{"name":"A dish","group":"Mains","quantity":1,"price":2000}]}`), nil)
					p.note("line answered", time.Since(at))
					return
				}
				ref := fmt.Sprint("S", n)
				p.request(http.MethodPut, e.base+"/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/"+ref, e.token, fmt.Appendf(nil,
					`{"utcUpdatedAt":"2026-11-21T18:00:00","utcScheduledAt":"2026-11-21T19:00:00","partySize":4,"status":"SEATED","guest":{"platformGuestId":"G","firstName":"Max"},"tableNumbers":[%q]}`, tables[n]), nil)
				p.note("seated to open check", time.Since(at))
			}
			// What a fresh box does for the first time (statements, connections, pages of memory given back) is not what an
			// evening costs.
			p.turn(10*time.Second, warm, event)
			e.settled("opentable")
			p.forget()
			before := e.commits()
			p.run(events, func(n int, at time.Time) { event(warm+n, at) })
			e.settled("opentable")
			commits := e.commits() - before
			for _, d := range e.sims["opentable"].Ledger() {
				var n int
				if _, err := fmt.Sscanf(d.Reservation, "O%d", &n); err == nil && n >= warm && d.Stage == booking.Entree {
					p.note("line to platform", d.TakenAt.Sub(ordered[d.Reservation]))
				}
			}
			p.tell(fmt.Sprintf("%s: a hundred events a second; %.2f commits an event", name, float64(commits)/events))
		})
	}
}

// fill gives a journal years to look back on.
func fill(b *testing.T, j *journal.Journal) {
	const numbers = `WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?) `
	content := `{"id":"x","status":"departed","tables":["12"],"party_size":4,"guest":{"first_name":"Max","last_name":"Müller","phone":"+33100000000"},"notes":"` + strings.Repeat("a", 100) + `"}`
	for from := 1; from <= 1_000_000; from += 100_000 {
		err := j.Write(context.Background(), func(tx *journal.Tx) error {
			if from == 1 {
				_, err := tx.Exec(numbers+`INSERT INTO reservations (key, id, platform, ref, status, order_state, problem, detail, origin, business_day, scheduled_at, updated_at, sequence, hash,
					seated_at, wanting, retry_at, give_up_at, forget_at, applied, flags, progress, content, log)
					SELECT i, randomblob(16), 'opentable', 'old' || i, 'departed', 'closed', '', '', 'auto', date('2025-01-01', '+' || (i / 200) || ' days'), i, i, 1, x'00', i, 0, 0, 0, 0, 0, '', '',
					?, 'log' FROM n`, 1, 100_000, []byte(content))
				if err != nil {
					return err
				}
			}
			_, err := tx.Exec(numbers+`INSERT INTO check_events (key, check_key, at, kind, by, payload) SELECT i, i / 10, i, 'line_added', 'Léa', '[{"name":"A dish","quantity":1,"price":2000}]' FROM n`,
				from, from+99_999)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
