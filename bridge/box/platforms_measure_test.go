package box

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/booking"
	"aboyeur/simulate/bookings"
)

// TestMeasurePlatforms measures, with -measure, an evening at a hundred events a second: from a seated event to the check being
// open, which is when its answer comes, and from a line at the till to the platform's having it. Full has a journal of 100,000
// reservations and a million events of checks behind it.
func TestMeasurePlatforms(t *testing.T) {
	if !*measure {
		t.Skip("a measurement: -measure")
	}
	for _, full := range []bool{false, true} {
		t.Run(map[bool]string{false: "fresh", true: "full"}[full], func(b *testing.T) {
			e := newEvening(b, "opentable", "generic")
			var names []string
			for n := range 5000 {
				names = append(names, fmt.Sprintf("B%d", n))
			}
			e.config.Floor.Areas[0].Tables = names
			e.open()
			if full {
				fill(b, e.box.journal)
			}
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			var seated, told []time.Duration
			checks := map[string]time.Time{}
			n := 0
			for n < 200 {
				<-pace.C
				ref := fmt.Sprintf("S%d", n)
				began := time.Now()
				e.do(http.MethodPut, "/v1/platforms/generic/restaurants/"+bookings.DefaultVenue+"/reservations/"+ref, fmt.Sprintf(
					`{"utcUpdatedAt":"2026-11-21T18:00:00","utcScheduledAt":"2026-11-21T19:00:00","partySize":4,"status":"SEATED","guest":{"platformGuestId":"G","firstName":"Max"},"tableNumbers":["B%d"]}`, n%2500), nil)
				seated = append(seated, time.Since(began))
				if n++; n <= 40 {
					ref := fmt.Sprintf("O%d", n)
					e.seat("opentable", ref, fmt.Sprintf("B%d", 2500+n))
					check := e.entry(ref).Checks[0]
					e.settled("opentable")
					<-pace.C
					checks[ref] = time.Now()
					e.order(check, "Mains")
				}
			}
			e.settled("opentable")
			for _, d := range e.sims["opentable"].Ledger() {
				if began, ok := checks[d.Reservation]; ok && d.Stage == booking.Entree {
					told = append(told, d.TakenAt.Sub(began))
				}
			}
			b.Logf("seated to open: p50 %.1f ms, p99 %.1f ms; line to platform: p50 %.1f ms, p99 %.1f ms (%d and %d events)",
				percentile(seated, .5), percentile(seated, .99), percentile(told, .5), percentile(told, .99), len(seated), len(told))
		})
	}
}

func percentile(list []time.Duration, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))].Seconds() * 1000
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
