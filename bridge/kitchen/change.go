package kitchen

import (
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/trail"
)

// Change plans what the stations must be told when earlier became o. A station whose ticket is still open sees the
// difference marked on it until somebody has seen it; paper gets the difference as a ticket of its own, and so do
// screens where the ticket is gone already. What concerns the whole order (a note, an allergy, another table or time)
// is told to each of its stations.
func (k *Kitchen) Change(o sale.Placed, earlier *sale.Order) *Plan {
	return &Plan{k: k, order: o, late: func(tx *journal.Tx, p *Plan) error {
		rows, err := ticketsIn(tx, selectOwn, o.ID)
		if err != nil {
			return err
		}
		first := -1
		for i := range rows { // a change may bring an earlier course, or take the first away: what is cooked stays so
			first = max(first, rows[i].First)
		}
		if first < 0 {
			first = firstCourse(o.Order)
		}
		was, now := k.split(sale.Placed{ID: o.ID, Number: o.Number, Day: o.Day, Received: o.Received, Order: earlier}, first), k.split(o, first)
		was, now, fired := fireByChange(rows, was, now)
		all, fresh := !sameHead(earlier, o.Order), 0
		for _, at := range parts(k.c.Stations, was, now) {
			before, after := linesOf(was, at), linesOf(now, at)
			step := difference(before, after)
			marked := marks(step)
			fire := slices.Contains(fired, at)
			if len(step) == 0 || len(marked) == 0 && !all && !fire {
				continue
			}
			if len(before) == 0 { // news to this station
				for _, t := range now {
					if t.is(at.station, at.course) {
						p.add(t, 0)
						fresh += k.toCook(t)
					}
				}
				continue
			}
			t := k.ticket(o, k.stationAt(at.station))
			t.Kind, t.Course = KindChange, at.course
			if earlier.Table != o.Table {
				t.WasTable = earlier.Table
			}
			if t.Lines = marked; len(marked) == 0 {
				t.Lines = step
			}
			x := slices.IndexFunc(rows, func(r row) bool { return working(r.State) && r.Kind == KindOrder && r.is(at.station, at.course) })
			if x < 0 {
				t.ChangedUnseen = true
				p.add(t, 0)
				fresh += k.toCook(t)
				continue
			}
			// The open ticket shows the change; the ticket of the difference exists for paper.
			parent := &rows[x]
			if len(marked) > 0 || all {
				if err := k.mark(tx, parent, t, after, o.Version); err != nil {
					return err
				}
			}
			if parent.State == StateHeld {
				if fire {
					if err := k.fire(tx, parent, "", "by a change of the order"); err != nil {
						return err
					}
					continue
				}
				if out, err := begun(tx, parent.ID); err != nil || !out {
					if err != nil {
						return err
					}
					continue // its paper comes when it is fired
				}
			}
			if k.prints(at.station) {
				t.State = StateServed
				p.add(t, parent.ID.Key())
			}
		}
		if fresh == 0 { // the course that one waited for may be wanted no more
			if err := k.fireNext(tx, o.ID, ""); err != nil {
				return err
			}
		}
		return k.tellReady(tx, o.ID, "", fresh)
	}}
}

// A part is where and when lines of an order are cooked.
type part struct {
	station string
	course  int
}

// parts lists those of either side, in the order of the stations.
func parts(stations []Station, was, now []*Ticket) []part {
	var list []part
	for _, t := range slices.Concat(was, now) {
		if p := (part{t.Station, t.Course}); !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	place := func(p part) int {
		return slices.IndexFunc(stations, func(s Station) bool { return s.Name == p.station })
	}
	slices.SortStableFunc(list, func(a, b part) int {
		if by := place(a) - place(b); by != 0 {
			return by
		}
		return a.course - b.course
	})
	return list
}

// fireByChange finds the held tickets whose lines the changed order holds no more, and keeps those lines with them; the
// list says which of them are fired by it.
func fireByChange(rows []row, was, now []*Ticket) (_, _ []*Ticket, fired []part) {
	for i := range rows {
		r := &rows[i]
		at := part{r.Station, r.Course}
		if r.Course == 0 || r.Kind != KindOrder || r.State == StateCancelled {
			continue
		}
		if len(linesOf(was, at)) == 0 { // an earlier change fired it
			was, _ = keepWith(was, at, linesNow(r.Lines))
		}
		before := linesOf(was, at)
		if len(before) == 0 || len(linesOf(now, at)) > 0 {
			continue
		}
		var all bool
		if now, all = keepWith(now, at, before); all && r.State == StateHeld {
			fired = append(fired, at)
		}
	}
	return was, now, fired
}

// keepWith moves lines from what a station cooks at once to a part of its own, if all of them stand there.
func keepWith(tickets []*Ticket, at part, lines []Line) (_ []*Ticket, all bool) {
	x := slices.IndexFunc(tickets, func(t *Ticket) bool { return t.is(at.station, 0) })
	if x < 0 || len(lines) == 0 {
		return tickets, false
	}
	left := slices.Clone(tickets[x].Lines)
	var mine []Line
	for _, l := range lines {
		y := -1
		for z := range left { // the last of equal ones: those before stood there already
			if sameDish(left[z], l) && left[z].Quantity == l.Quantity {
				y = z
			}
		}
		if y < 0 {
			return tickets, false
		}
		mine = append(mine, left[y])
		left = slices.Delete(left, y, y+1)
	}
	t := *tickets[x]
	t.Course, t.Lines = at.course, mine
	if tickets[x].Lines = left; len(left) == 0 {
		tickets = slices.Delete(tickets, x, x+1)
	}
	return append(tickets, &t), true
}

// toCook is 1 for a ticket that somebody will say is ready, else 0.
func (k *Kitchen) toCook(t *Ticket) int {
	if working(t.State) && k.board.shown(t.Station) {
		return 1
	}
	return 0
}

// mark shows on an open ticket what changed since somebody last saw it: change is the ticket that tells of the latest
// step, now what the station has to cook.
func (k *Kitchen) mark(tx *journal.Tx, open *row, change *Ticket, now []Line, version int) error {
	lines := difference(linesBefore(open.Lines), now)
	for i := range lines {
		keep(&lines[i], open.Lines, change.At)
	}
	if open.AllergyNote != change.AllergyNote || allergens(lines) != allergens(open.Lines) {
		open.AllergySeen = false
	}
	if open.Table != change.Table && open.WasTable == "" {
		open.WasTable = open.Table
	}
	open.Lines, open.ChangedUnseen = lines, true
	open.Service, open.Table, open.Covers, open.Staff, open.Due = change.Service, change.Table, change.Covers, change.Staff, change.Due
	open.Partner, open.Customer, open.Notes, open.AllergyNote = change.Partner, change.Customer, change.Notes, change.AllergyNote
	if len(now) == 0 {
		open.before, open.State = open.State, StateCancelled
	}
	return update(tx, open, trail.Append(nil, tx.Now(), "changed", "", fmt.Sprintf("version %d", version)))
}

// keep gives a line of a changed ticket what its dish had on it before: when it was added, and the tick, unless there is
// more of it to cook now.
func keep(l *Line, was []Line, now time.Time) {
	for i := range was {
		if w := &was[i]; sameDish(*w, *l) && w.Change != Removed {
			l.At = w.At
			if l.Ticked = w.Ticked && l.Quantity <= w.Quantity; l.Quantity == w.Quantity {
				return
			}
		}
	}
	if l.Change == Added && l.At.IsZero() {
		l.At = now
	}
}

// allergens are all that lines speak of, as one text.
func allergens(lines []Line) string {
	var all []string
	for i := range lines {
		if lines[i].Change != Removed {
			all = append(all, lines[i].Allergens...)
		}
	}
	slices.Sort(all)
	return fmt.Sprint(slices.Compact(all))
}

// sameHead tells whether a and b are alike in what stands above the lines of every ticket and matters to its cook.
func sameHead(a, b *sale.Order) bool {
	return a.Service == b.Service && a.Table == b.Table && a.Covers == b.Covers && a.Partner == b.Partner && a.Customer.Name == b.Customer.Name &&
		a.Notes == b.Notes && a.AllergyNote == b.AllergyNote && a.ReadyAt.Equal(b.ReadyAt)
}

func linesOf(tickets []*Ticket, at part) []Line {
	for _, t := range tickets {
		if t.is(at.station, at.course) {
			return t.Lines
		}
	}
	return nil
}

// difference marks on the new lines what changed against the old ones, and puts what is gone behind them. Two lines
// are the same dish when all but their quantity is alike; of several such, those of the same quantity belong together.
func difference(was, now []Line) []Line {
	lines := slices.Clone(now)
	gone := slices.Clone(was)
	matched := make([]bool, len(lines))
	for _, exact := range []bool{true, false} {
		for i := range lines {
			l := &lines[i]
			if matched[i] {
				continue
			}
			at := slices.IndexFunc(gone, func(g Line) bool { return sameDish(g, *l) && (!exact || g.Quantity == l.Quantity) })
			switch {
			case at >= 0:
				if matched[i] = true; !exact {
					l.Change, l.Was = Changed, gone[at].Quantity
				}
				gone = slices.Delete(gone, at, at+1)
			case !exact:
				l.Change = Added
			}
		}
	}
	for _, g := range gone {
		g.Change = Removed
		lines = append(lines, g)
	}
	return lines
}

// marks are the lines that a difference marked.
func marks(lines []Line) []Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Change == "" })
}

// linesBefore takes the marks of a difference back: the lines as they were.
func linesBefore(lines []Line) []Line {
	var was []Line
	for _, l := range lines {
		switch l.Change {
		case Added:
			continue
		case Changed:
			l.Quantity = l.Was
		}
		l.Change, l.Was = "", 0
		was = append(was, l)
	}
	return was
}

func sameDish(a, b Line) bool {
	return a.Name == b.Name && a.Notes == b.Notes && a.Course == b.Course &&
		slices.Equal(a.Allergens, b.Allergens) && slices.Equal(a.Modifiers, b.Modifiers)
}

// Cancel plans the end of an order: its tickets are crossed out until somebody has seen it, those that are ready too,
// since their dishes wait at the pass; jobs that did not begin are dropped, and stations whose paper may be out get a
// ticket that says so.
func (k *Kitchen) Cancel(o sale.Placed, by string) *Plan {
	return &Plan{k: k, order: o, late: func(tx *journal.Tx, p *Plan) error {
		rows, err := ticketsIn(tx, selectUnserved, o.ID)
		if err != nil {
			return err
		}
		if err := k.dropJobs(tx, selectDroppable, o.ID, o.ID, "order cancelled"); err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			t := r.Ticket
			r.before, r.State, r.ChangedUnseen = r.State, StateCancelled, true
			if err := update(tx, r, trail.Append(nil, tx.Now(), "cancelled", by, "")); err != nil {
				return err
			}
			out, err := begun(tx, r.ID)
			if err != nil {
				return err
			}
			if !out || !k.prints(r.Station) {
				continue
			}
			t.ID, t.Kind, t.State, t.ChangedUnseen, t.Version = k.c.Journal.NewID(), KindCancel, StateServed, false, 1
			t.StartedAt, t.BumpedAt, t.BumpedBy = time.Time{}, time.Time{}, ""
			t.Lines = linesNow(t.Lines)
			p.add(&t, r.ID.Key())
		}
		return nil
	}}
}

// linesNow takes the marks of a difference away: the lines as they are.
func linesNow(lines []Line) []Line {
	var are []Line
	for _, l := range lines {
		if l.Change != Removed {
			l.Change, l.Was = "", 0
			are = append(are, l)
		}
	}
	return are
}

const (
	selectOwn      = `SELECT ` + columns + ` FROM tickets WHERE order_key = ? AND parent = 0 ORDER BY key`
	selectUnserved = `SELECT ` + columns + ` FROM tickets WHERE order_key = ? AND parent = 0 AND state IN ('held', 'new', 'cooking', 'ready') ORDER BY key`
)

// ticketsIn reads the tickets of an order that query selects.
func ticketsIn(tx *journal.Tx, query string, order journal.ID) ([]row, error) {
	var list []row
	err := tx.Query(query, []any{order.Key()}, func(scan func(...any) error) error {
		r, err := scanTicket(scan)
		list = append(list, r)
		return err
	})
	return list, err
}

// Hand records that everything of the order left the kitchen.
func (k *Kitchen) Hand(tx *journal.Tx, order journal.ID, by string) error {
	rows, err := ticketsIn(tx, selectUnserved, order)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		r.before, r.State, r.ChangedUnseen = r.State, StateServed, false
		r.Lines = linesNow(r.Lines)
		if err := update(tx, r, trail.Append(nil, tx.Now(), "served", by, "")); err != nil {
			return err
		}
	}
	return nil
}
