package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

const selectOrders = `SELECT key, source, state, in_pos, received_at, committed_at, content, log FROM orders
	WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`

// eventInPOS is the step on an order's time line at which a POS took it. The built-in POS has an order as soon as the
// journal does and writes no step.
const eventInPOS = "in_pos"

// intake gathers the orders of one source or day.
type intake struct {
	Source
	answers, injections []float64 // milliseconds
}

type order struct {
	source, state, inPOS string
	total                int64
	answer, injection    float64
}

func (r *Reporter) orders(ctx context.Context, days []day, s *sources) error {
	return r.pages(ctx, selectOrders, days, func(scan func(...any) error) (int64, error) {
		var o order
		var key, received, committed int64
		var content []byte
		var log string
		if err := scan(&key, &o.source, &o.state, &o.inPOS, &received, &committed, &content, &log); err != nil {
			return 0, err
		}
		var said sale.Order
		if err := json.Unmarshal(content, &said); err != nil {
			return 0, fmt.Errorf("order %d: %w", key, err)
		}
		o.total, o.answer = said.Total(), max(0, float64(committed-received)/1000)
		if committed == 0 {
			o.answer = -1 // the box stopped before it could write this down
		}
		o.injection = o.answer
		for _, step := range trail.Parse(log) {
			if step.Event == eventInPOS {
				o.injection = max(0, float64(step.At.UnixMicro()-received)/1000)
			}
		}
		s.add(&o, journal.FromMicros(received))
		return key, nil
	})
}

func (y *intake) add(o *order) {
	y.Orders++
	switch o.inPOS {
	case "yes":
		y.Injected++
		if o.injection >= 0 {
			y.injections = append(y.injections, o.injection)
		}
	case "no":
		y.Failed++
	case "manual":
		y.Manual++
	case "pending":
		y.Pending++
	}
	switch o.state {
	case "cancelled":
		y.Cancelled++
	case "rejected":
		y.Rejected++
	default:
		y.Total += o.total
	}
	if o.answer >= 0 {
		y.answers = append(y.answers, o.answer)
	}
}

func (y *intake) figures() Source {
	f := y.Source
	f.Answer, f.Injection = quantile(y.answers, .5), quantile(y.injections, .5)
	return f
}

// sources gathers the orders of all.
type sources struct {
	days   []day
	perDay []intake
	by     map[string]*intake
}

func newSources(days []day) *sources {
	return &sources{days: days, perDay: make([]intake, len(days)), by: map[string]*intake{}}
}

func (s *sources) add(o *order, received time.Time) {
	y := s.by[o.source]
	if y == nil {
		y = &intake{}
		y.Source.Source = o.source
		s.by[o.source] = y
	}
	y.add(o)
	if i := at(s.days, received); i >= 0 {
		s.perDay[i].add(o)
	}
}

// into writes what was gathered; the days are there already.
func (s *sources) into(rep *Report) {
	for _, y := range s.by {
		rep.Sources = append(rep.Sources, y.figures())
	}
	slices.SortFunc(rep.Sources, func(a, b Source) int { return cmp.Compare(a.Source, b.Source) })
	for i := range rep.Days {
		d, f := &rep.Days[i], s.perDay[i].figures()
		d.Orders, d.Injected, d.Failed, d.Manual, d.Pending = f.Orders, f.Injected, f.Failed, f.Manual, f.Pending
		d.Cancelled, d.Rejected, d.Total, d.Answer, d.Injection = f.Cancelled, f.Rejected, f.Total, f.Answer, f.Injection
	}
}
