package order

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
)

// The kitchen gets an order whatever becomes of its place on a check; of an order that is for no table the checks hear nothing.
func TestChecksLoseNoOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.stop()
	var told []string
	d.config.Checks = func(tx *journal.Tx, o Seated) (string, error) {
		told = append(told, o.Table)
		if _, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ('half of a check', ?)`, o.Table); err != nil {
			return "", err
		}
		switch o.Table {
		case "broken":
			return "", errors.New("that check cannot be read")
		case "fallen":
			panic("soup")
		}
		return "no_table", nil
	}
	d.open()
	events := func(id journal.ID) (list []string) {
		for _, s := range d.get(id).Timeline {
			if s.Event != "received" && s.Event != "committed" {
				list = append(list, s.Event)
			}
		}
		return list
	}
	at := func(id, table string) *sale.Order {
		o := order(id)
		o.Service, o.Table = sale.DineIn, table
		return o
	}
	for table, want := range map[string]string{"broken": "check_failed", "fallen": "check_failed", "12": "check_no_table"} {
		r := d.place(at(table, table))
		if got := events(r.ID); !slices.Equal(got, []string{want}) || r.State != Accepted {
			t.Errorf("table %s: %s with %v, want %s", table, r.State, got, want)
		}
		d.kitchen.mu.Lock()
		if n := len(d.kitchen.list); n != 1 || !strings.HasPrefix(d.kitchen.list[0], "plan") {
			t.Errorf("table %s: the kitchen was asked %v", table, d.kitchen.list)
		}
		d.kitchen.mu.Unlock()
		d.kitchen.take()
		if table == "broken" {
			var rows int
			if err := d.journal.Read().QueryRow(`SELECT count(*) FROM meta WHERE value = 'broken'`).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("%d rows of what failed, %v", rows, err)
			}
			if _, err := d.orders.Cancel(t.Context(), access.Principal{Name: "Léa", Role: access.Manager}, "", "", r.ID); err != nil {
				t.Errorf("cancelled: %v", err)
			}
			d.kitchen.take()
		}
	}
	told = nil
	d.place(order("pickup"))
	if len(told) > 0 {
		t.Errorf("checks heard of %v", told)
	}
	if got := events(d.place(order("another")).ID); slices.ContainsFunc(got, func(e string) bool { return strings.HasPrefix(e, "check_") }) {
		t.Errorf("an order for no table has %v", got)
	}
}
