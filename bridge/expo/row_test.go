package expo

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// pass is a pass with the orders that a test lays out.
type pass struct {
	*Expo
	t    *testing.T
	next int64
}

func newPass(t *testing.T) *pass {
	t.Helper()
	j := journaltest.Open(t, journal.Config{}, nil)
	return &pass{Expo: New(Config{Journal: j, Now: func() time.Time { return noon }, Stations: []Station{{"grill", true}, {"fry", true}, {"bar", false}}}), t: t}
}

// order adds an order of that age and its tickets: station, state, unseen and content.
func (p *pass) order(number int, state string, age time.Duration, tickets ...[4]string) {
	p.t.Helper()
	err := p.c.Journal.Write(p.t.Context(), func(tx *journal.Tx) error {
		p.next++
		key := noon.Add(-age).UnixMilli()<<12 + p.next
		id := make([]byte, 16)
		id[15] = byte(p.next)
		if _, err := tx.Exec(`INSERT INTO orders (key, id, source, source_order_id, number, business_day, version, state, in_pos, received_at, committed_at, release_at, posted, content, log)
			VALUES (?, ?, 'till', ?, ?, '2026-11-22', 1, ?, '', 0, 0, 0, x'', '{}', '')`, key, id, fmt.Sprint(number), number, state); err != nil {
			return err
		}
		for _, k := range tickets {
			p.next++
			if _, err := tx.Exec(`INSERT INTO tickets (key, id, order_key, parent, station, kind, state, before, unseen, version, started_at, bumped_at, bumped_by, painted_at, content, log)
				VALUES (?, x'01', ?, 0, ?, 'order', ?, '', ?, 1, 0, 0, '', 0, ?, '')`, key+p.next, key, k[0], k[1], min(len(k[2]), 1), []byte(k[3])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pass) numbers() (list []int) {
	p.t.Helper()
	rows, err := p.open(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range rows {
		list = append(list, r.Number)
	}
	return list
}

const dish = `{"at":"2026-11-22T11:50:00Z","warn_after":600,"late_after":900,"table":"12","lines":[{"quantity":2,"allergens":["lait"]},{"quantity":1,"change":"removed","allergens":["noix"]}]}`

// What the pass has nothing to do with is not on it.
func TestOrdersOfThePass(t *testing.T) {
	p := newPass(t)
	p.order(1, "accepted", 13*time.Hour, [4]string{"grill", "new", "", dish})
	p.order(2, "prepared", 2*time.Hour, [4]string{"grill", "ready", "", dish})
	p.order(3, "accepted", time.Hour, [4]string{"grill", "left_open", "", dish})
	p.order(4, "cancelled", time.Hour, [4]string{"grill", "cancelled", "yes", dish})
	p.order(5, "cancelled", time.Hour, [4]string{"grill", "cancelled", "", dish})
	p.order(6, "scheduled", time.Minute)
	p.order(7, "handed_off", time.Minute, [4]string{"grill", "served", "", dish})
	p.order(8, "accepted", time.Minute, [4]string{"grill", "served", "", dish})
	p.order(9, "accepted", 0, [4]string{"bar", "new", "", dish})
	if got := p.numbers(); !cmp.Equal(got, []int{2, 4, 9}) {
		t.Errorf("the pass shows %v, want 2, the cancelled 4 that its station has not seen, and 9", got)
	}
	rows, err := p.gone(t.Context())
	if err != nil || len(rows) != 1 || rows[0].Number != 7 {
		t.Errorf("handed over: %+v, %v, want order 7", rows, err)
	}
}

// A lamp is a station's tickets together, in the stations' order.
func TestLampsOfARow(t *testing.T) {
	p := newPass(t)
	p.order(1, "accepted", 10*time.Minute,
		[4]string{"bar", "new", "", `{"at":"2026-11-22T11:55:00Z","allergy_note":"noix","warn_after":180,"late_after":1200,"lines":[{"quantity":1}]}`},
		[4]string{"grill", "ready", "", dish},
		[4]string{"grill", "held", "", dish},
		[4]string{"fry", "ready", "", dish},
		[4]string{"fry", "cooking", "yes", dish})
	rows, err := p.open(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	r := rows[0]
	want := []Lamp{{Station: "grill", State: "ready", Items: 4, Screen: true}, {Station: "fry", State: "cooking", Items: 4, Screen: true, Unseen: true}, {Station: "bar", State: "new", Items: 1}}
	for i := range r.Lamps {
		r.Lamps[i].ReadyAt = time.Time{}
	}
	if diff := cmp.Diff(want, r.Lamps); diff != "" {
		t.Errorf("lamps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"noix", "lait"}, r.Allergy); diff != "" {
		t.Errorf("the note comes before what lines name, and what was removed warns of nothing (-want +got):\n%s", diff)
	}
	if !r.At.Equal(noon.Add(-10*time.Minute)) || r.WarnAfter != 600 || r.LateAfter != 1200 {
		t.Errorf("age from %s with limits %d and %d, want that of the oldest ticket and the latest limits", r.At, r.WarnAfter, r.LateAfter)
	}
}
