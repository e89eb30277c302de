package kitchen

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/sale"
)

// A Quarter is what a screen will get for one quarter of an hour: orders that are taken and not yet released.
type Quarter struct {
	At     time.Time     `json:"at" doc:"begin of the quarter of an hour in which they are due"`
	Orders []LaterTicket `json:"orders"`
}

// A LaterTicket is a screen's part of an order to come.
type LaterTicket struct {
	Number  int          `json:"number"`
	Service string       `json:"service"`
	Table   string       `json:"table,omitzero"`
	Partner sale.Partner `json:"partner,omitzero"`
	Due     time.Time    `json:"due"`
	Lines   []Line       `json:"lines"`
}

// Later lists what is scheduled for the stations of a screen, by the quarter of an hour in which it is due.
func (k *Kitchen) Later(ctx context.Context, screen string) ([]Quarter, error) {
	if k.board.hubs[screen] == nil {
		return nil, fmt.Errorf("screen %q: %w", screen, ErrUnknown)
	}
	orders, err := k.c.Scheduled(ctx)
	if err != nil {
		return nil, err
	}
	mine := k.board.served(screen)
	quarters := []Quarter{}
	for _, o := range orders {
		t := LaterTicket{Number: o.Number, Service: o.Service, Table: o.Table, Partner: o.Partner, Due: o.ReadyAt}
		for i := range o.Lines {
			if at, _ := k.routes.of(&o.Lines[i]); slices.Contains(mine, k.c.Stations[at].Name) {
				t.Lines = append(t.Lines, lineOf(i, &o.Lines[i]))
			}
		}
		if len(t.Lines) == 0 {
			continue
		}
		at := quarter(o.ReadyAt, k.c.Location)
		x, found := slices.BinarySearchFunc(quarters, at, func(q Quarter, at time.Time) int { return q.At.Compare(at) })
		if !found {
			quarters = slices.Insert(quarters, x, Quarter{At: at})
		}
		quarters[x].Orders = append(quarters[x].Orders, t)
	}
	for _, q := range quarters {
		slices.SortFunc(q.Orders, func(a, b LaterTicket) int { return cmp.Or(a.Due.Compare(b.Due), a.Number-b.Number) })
	}
	return quarters, nil
}

// quarter is the begin of the quarter of an hour, by the wall clock of a zone.
func quarter(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	past := time.Duration(local.Minute()%15)*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	return t.Add(-past).UTC()
}
