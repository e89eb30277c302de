package box

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/relay"
	"aboyeur/protocol/booking"
	"aboyeur/simulate/bookings"
)

var long = flag.Bool("long", false, "run the long forms of the tests")

// A party of the evening: what it is, and what the test itself knows of it.
type party struct {
	platform, ref string
	kind          string   // plain, walk_in, no_table, strange_table, taken, assumed, scheduled, cancelled
	tables        []string // it sits at

	inputs  []input         // what happened, as far as its order goes
	stages  []booking.Stage // reached on the floor, in order, with repetitions
	closing time.Time       // when the last check was about to be closed
	total   int64
}

// An input is something that the table of spec/reservations.md 4 depends on.
type input struct {
	status  booking.Status // said by the host; "" for what staff did
	tables  []string
	blocked bool // another check was open there
	assumed bool
	staff   bool // opened a check at the tables themselves
	closed  bool // the last check
}

// house is how the chaos sets up its platforms: which open checks by themselves, and which of walk-ins.
var house = map[string]struct{ opens, walkIns bool }{
	"opentable": {true, true}, "sevenrooms": {true, false}, "resy": {true, true}, "thefork": {true, true}, "aleno": {false, false},
}

// order is the order state that a party's inputs lead to by the table of spec/reservations.md 4, which is done here anew: it
// shares nothing with the product but the words.
func (p *party) order(known func(table string) bool) (state, problem string) {
	state = "none"
	seated := false
	for _, in := range p.inputs {
		switch {
		case in.closed:
			state, problem = "closed", ""
		case in.staff: // linked, when the party sits there and waits for a check
			if seated && state == "failed" && problem == "order_creation_disabled" {
				state, problem = "open", ""
			}
		case in.status == booking.Seated && !in.assumed:
			seated = true
			set := house[p.platform]
			switch {
			case state == "open" || state == "closed": // line 1
			case !set.opens || p.kind == "walk_in" && !set.walkIns: // lines 2 and 3
				state, problem = "failed", "order_creation_disabled"
			case len(in.tables) == 0: // line 4
				state, problem = "failed", "no_table"
			case slices.ContainsFunc(in.tables, func(t string) bool { return !known(t) }): // line 5
				state, problem = "failed", "invalid_table"
			case in.blocked: // line 7
				state, problem = "failed", "table_unavailable"
			default: // line 9; the till is the box's own, which is never away
				state, problem = "open", ""
			}
		case in.status.Over():
			seated = false
		}
	}
	return state, problem
}

// evenings is the chaos: five platforms with faults, a till that goes on over restarts of the box, and a judge that knows only
// what it did and what the platforms took.
type chaos struct {
	*evening
	random  *rand.Rand // only by the goroutine that makes parties
	free    chan string
	tables  map[string]bool
	mu      sync.Mutex // guards outages and up
	outages map[string][][2]time.Time
}

// TestChaos is an evening of faults. The short form is part of every run.
func TestChaos(t *testing.T) {
	parties, waiters, restarts, grace := 40, 12, 2, 30*time.Second
	if *long {
		parties, waiters, restarts, grace = 2000, 24, 8, 5*time.Second
	}
	names := []string{"opentable", "sevenrooms", "resy", "thefork", "aleno"}
	c := &chaos{evening: newEvening(t, names...), random: rand.New(rand.NewPCG(7, 9)), free: make(chan string, 80), tables: map[string]bool{}, outages: map[string][][2]time.Time{}}
	var tables []string
	for n := range cap(c.free) {
		name := fmt.Sprintf("T%02d", n+1)
		tables, c.tables[name] = append(tables, name), true
		c.free <- name
	}
	c.config.Floor.Areas = []firmwareconfig.Area{{Name: "Salle", Tables: tables}}
	for _, name := range names {
		c.only(name).OpenChecks, c.only(name).WalkIns = house[name].opens, house[name].walkIns
		err := c.sims[name].Faults(bookings.Faults{Seed: 11, Rates: map[bookings.Kind]float64{
			bookings.Unauthorized: .02, bookings.TooMany: .01, bookings.Broken: .04, bookings.Timeout: .01, bookings.LostAnswer: .04, bookings.Refused: .02,
			bookings.Late: .05, bookings.Duplicate: .1, bookings.OutOfOrder: .05,
		}, LateBy: bookings.Duration(100 * time.Millisecond), TimeoutBy: bookings.Duration(200 * time.Millisecond), RetryAfter: bookings.Duration(time.Second)})
		if err != nil {
			t.Fatal(err)
		}
	}
	c.open()

	all := make([]*party, parties)
	kinds := []string{"plain", "plain", "plain", "plain", "plain", "walk_in", "no_table", "strange_table", "taken", "assumed", "scheduled", "cancelled"}
	work := make(chan *party)
	done := make(chan struct{}, parties) // a party each
	var serving sync.WaitGroup
	for n := range waiters {
		seed := uint64(n + 1)
		serving.Go(func() {
			random := rand.New(rand.NewPCG(3, seed))
			for p := range work {
				c.serve(p, random)
				done <- struct{}{}
			}
		})
	}
	serving.Go(func() {
		defer close(work)
		for n := range all {
			p := &party{platform: names[n%len(names)], kind: kinds[c.random.IntN(len(kinds))]}
			if p.kind == "assumed" && p.platform != "opentable" {
				p.kind = "plain" // only OpenTable says so
			}
			if p.ref = fmt.Sprintf("P%04d", n); p.platform == "thefork" {
				p.ref = fmt.Sprintf("0f3f9a70-8f35-4d9b-8a53-%012d", n)
				if slices.Contains([]string{"walk_in", "scheduled", "cancelled"}, p.kind) {
					p.kind = "plain" // it tells of nothing before arrival
				}
			}
			all[n] = p
			work <- p
		}
	})
	// The box falls and rises, and so do the platforms.
	for n := range restarts {
		for range parties / (restarts + 1) {
			<-done
		}
		name := names[n%len(names)]
		from := time.Now()
		c.down()
		f := c.sims[name].Present()
		f.Down = true
		if err := c.sims[name].Faults(f); err != nil {
			t.Fatal(err)
		}
		c.open()
		for _, other := range names {
			c.outage(other, from, time.Now()) // nothing was told while the box was down
		}
		for range 5 {
			<-done
		}
		f.Down = false
		if err := c.sims[name].Faults(f); err != nil {
			t.Fatal(err)
		}
		c.outage(name, from, time.Now())
	}
	serving.Wait()
	for _, name := range names {
		c.settled(name)
	}
	told := map[string][]booking.Delivered{} // by reservation, whose ids are those of one platform each
	for _, name := range names {
		for _, d := range c.sims[name].Ledger() {
			told[d.Reservation] = append(told[d.Reservation], d)
		}
	}
	for _, p := range all {
		c.judge(p, told[p.ref], grace)
	}
}

func (c *chaos) outage(platform string, from, to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outages[platform] = append(c.outages[platform], [2]time.Time{from, to})
}

// host tells the box through the platform until the platform got through.
func (c *chaos) host(p *party, status booking.Status, tables []string) {
	p.inputs = append(p.inputs, input{status: status, tables: tables, assumed: p.kind == "assumed"})
	r := booking.Reservation{
		ID: p.ref, Status: status, Tables: tables, PartySize: 2, ScheduledAt: time.Now().UTC().Truncate(time.Second), WalkIn: p.kind == "walk_in", Assumed: p.kind == "assumed",
		OpenNow: p.platform == "thefork", Guest: booking.Guest{ID: "0f3f9a70-8f35-4d9b-8a53-0a4dd7a3b002", FirstName: "Zoé", LastName: "Lambert"},
	}
	if status == booking.Seated {
		r.Stage = booking.AtTable
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := c.sims[p.platform].Put(ctx, r)
		cancel()
		var refused *bookings.HookError
		if err == nil {
			return
		}
		if errors.As(err, &refused) && refused.Status != 0 && refused.Status < 500 || time.Now().After(end) {
			c.t.Errorf("%s of %s at %s: %v", status, p.ref, p.platform, err)
			return
		}
	}
}

// till makes a call until the box answers, as a till does: under one key, over restarts.
func (c *chaos) till(key, path string, body, into any) bool {
	text := []byte("")
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			panic(err)
		}
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(text))
		if err != nil {
			panic(err)
		}
		q.Header.Set("Authorization", "Bearer "+c.token)
		q.Header.Set("Idempotency-Key", key)
		if body != nil {
			q.Header.Set("Content-Type", "application/json")
		}
		a, err := http.DefaultClient.Do(q)
		if err == nil {
			var b bytes.Buffer
			_, err = b.ReadFrom(a.Body)
			a.Body.Close()
			if err == nil && a.StatusCode < 300 {
				cancel()
				if into != nil {
					if err := json.Unmarshal(b.Bytes(), into); err != nil {
						c.t.Errorf("POST %s: %v", path, err)
					}
				}
				return true
			}
			if err == nil && (a.StatusCode < 500 || a.StatusCode == http.StatusInternalServerError) {
				cancel()
				c.t.Errorf("POST %s %s = %d %s", path, text, a.StatusCode, b.String())
				return false
			}
		}
		cancel()
	}
	c.t.Errorf("POST %s: the box does not come back", path)
	return false
}

// row looks for a party in the report; false while the box is down or does not know it.
func (c *chaos) row(ref string) (found booked, ok bool) {
	var list struct{ Reservations []booked }
	status, err := c.call(http.MethodGet, "/v1/reservations?q="+ref, nil, &list)
	if err != nil || status != http.StatusOK || len(list.Reservations) != 1 {
		return booked{}, false
	}
	return list.Reservations[0], true
}

// await waits for the order state that the inputs so far lead to.
func (c *chaos) await(p *party) (r booked, ok bool) {
	want, problem := p.order(c.known)
	pause := 5 * time.Millisecond
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(pause) {
		if r, ok = c.row(p.ref); ok && r.OrderState == want && r.Problem == problem {
			return r, true
		}
		pause = min(2*pause, 80*time.Millisecond)
	}
	c.t.Errorf("%s at %s (%s) is %q %q, want %q %q", p.ref, p.platform, p.kind, r.OrderState, r.Problem, want, problem)
	return r, false
}

func (c *chaos) known(table string) bool { return c.tables[table] }

// serve is one party from its booking to its bill.
func (c *chaos) serve(p *party, random *rand.Rand) {
	if p.platform != "thefork" {
		c.host(p, booking.Scheduled, nil)
	}
	switch p.kind {
	case "scheduled":
		return
	case "cancelled":
		c.host(p, booking.Cancelled, nil)
		return
	}
	table := <-c.free
	p.tables = []string{table}
	defer func() { c.free <- table }()
	off := !house[p.platform].opens || p.kind == "walk_in" && !house[p.platform].walkIns
	switch {
	case p.kind == "assumed":
		c.host(p, booking.Seated, p.tables)
		return
	case off:
		c.host(p, booking.Seated, p.tables)
		if _, ok := c.await(p); !ok {
			return
		}
		if random.IntN(4) == 0 { // nobody opens a check; the next party must not be taken for this one
			c.host(p, booking.Departed, p.tables)
			return
		}
		if !c.till(p.ref+" open", "/v1/checks", map[string]any{"tables": p.tables, "covers": 2}, nil) {
			return
		}
		p.inputs = append(p.inputs, input{staff: true, tables: p.tables})
	case p.kind == "no_table":
		c.host(p, booking.Seated, nil)
		if _, ok := c.await(p); !ok || random.IntN(2) == 0 {
			return
		}
		c.host(p, booking.Seated, p.tables)
	case p.kind == "strange_table":
		c.host(p, booking.Seated, []string{"t" + table[1:]})
		c.await(p)
		return
	case p.kind == "taken":
		var other billView
		if !c.till(p.ref+" other", "/v1/checks", map[string]any{"tables": p.tables, "covers": 4}, &other) {
			return
		}
		c.host(p, booking.Seated, p.tables)
		p.inputs[len(p.inputs)-1].blocked = true
		_, ok := c.await(p)
		if !c.till(p.ref+" other gone", "/v1/checks/"+other.ID+"/cancel", nil, nil) || !ok {
			return
		}
		if random.IntN(3) == 0 {
			c.host(p, booking.Departed, p.tables)
			return
		}
		c.host(p, booking.Arrived, p.tables)
		c.host(p, booking.Seated, p.tables)
	default:
		c.host(p, booking.Seated, p.tables)
	}
	r, ok := c.await(p)
	if !ok || len(r.Checks) != 1 {
		c.t.Errorf("%s has checks %v", p.ref, r.Checks)
		return
	}
	if c.eat(p, r.Checks[0], random) {
		p.inputs = append(p.inputs, input{closed: true})
	}
	c.await(p)
}

var courses = map[string]booking.Stage{"Starters": booking.Appetizer, "Mains": booking.Entree, "Desserts": booking.Dessert, "Water": ""}

// eat is a meal with its bill, in one or two checks.
func (c *chaos) eat(p *party, check string, random *rand.Rand) (closed bool) {
	p.stages = append(p.stages, booking.AtTable)
	groups := []string{"Starters", "Mains", "Desserts", "Water"}
	lines := 0
	for n := range 1 + random.IntN(4) {
		var order []map[string]any
		var highest booking.Stage
		for range 1 + random.IntN(2) {
			g := groups[random.IntN(len(groups))]
			order = append(order, map[string]any{"name": g, "group": g, "quantity": 1, "price": 1000})
			if courses[g].Rank() > highest.Rank() {
				highest = courses[g]
			}
		}
		if !c.till(fmt.Sprintf("%s lines %d", p.ref, n), "/v1/checks/"+check+"/lines", map[string]any{"lines": order}, nil) {
			return false
		}
		lines += len(order)
		if highest != "" {
			p.stages = append(p.stages, highest)
		}
		if random.IntN(2) == 0 { // some order the next course before the platform has heard of this one
			c.heard(p)
		}
	}
	p.total = int64(lines) * 1000
	bills := []billView{{ID: check, Total: p.total}}
	if lines > 1 && random.IntN(4) == 0 {
		var other billView
		if !c.till(p.ref+" split", "/v1/checks/"+check+"/split", map[string]any{"lines": []int{0}}, &other) {
			return false
		}
		bills[0].Total -= other.Total
		bills = append(bills, other)
	}
	if random.IntN(2) == 0 {
		if !c.till(p.ref+" bill", "/v1/checks/"+check+"/bill", nil, nil) {
			return false
		}
		p.stages = append(p.stages, booking.CheckDropped)
	}
	for n, b := range bills {
		half := b.Total / 2
		for i, amount := range []int64{half, b.Total - half} {
			if !c.till(fmt.Sprintf("%s pay %d %d", p.ref, n, i), "/v1/checks/"+b.ID+"/payments", map[string]any{"method": "card", "amount": amount}, nil) {
				return false
			}
		}
		p.closing = time.Now()
		if !c.till(fmt.Sprintf("%s close %d", p.ref, n), "/v1/checks/"+b.ID+"/close", nil, nil) {
			return false
		}
	}
	p.stages = append(p.stages, booking.Paid)
	return true
}

// reached is the highest stage of a party, as its platform has a word for it.
func (p *party) reached() booking.Stage {
	var highest booking.Stage
	for _, s := range p.stages {
		if s.Rank() > highest.Rank() {
			highest = s
		}
	}
	return highest.Nearest(stagesOf(p.platform))
}

// heard waits until the platform shows how far a party is, unless it is away.
func (c *chaos) heard(p *party) {
	want, sim := p.reached(), c.sims[p.platform]
	if want == "" {
		return
	}
	pause := 5 * time.Millisecond
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && !sim.Present().Down; time.Sleep(pause) {
		if r, ok := sim.Reservation(p.ref); ok && r.Stage.Rank() >= want.Rank() {
			return
		}
		pause = min(2*pause, 80*time.Millisecond)
	}
}

// stagesOf is what a platform can be told, by spec/reservations.md 8.
func stagesOf(platform string) []booking.Stage {
	switch platform {
	case "opentable":
		return booking.Stages()
	case "thefork":
		return nil
	case "aleno":
		return []booking.Stage{booking.AtTable, booking.Paid, booking.Finished}
	}
	return []booking.Stage{booking.AtTable, booking.Appetizer, booking.Entree, booking.Dessert, booking.CheckDropped, booking.Paid, booking.Finished}
}

// judge holds the platform's own ledger, and the report, against what the test knows.
func (c *chaos) judge(p *party, ledger []booking.Delivered, grace time.Duration) {
	t := c.t
	row, ok := c.row(p.ref)
	if !ok {
		t.Errorf("%s at %s is not in the report", p.ref, p.platform)
		return
	}
	want, problem := p.order(c.known)
	if row.OrderState != want || row.Problem != problem {
		t.Errorf("%s at %s (%s) ended %s %s, want %s %s", p.ref, p.platform, p.kind, row.OrderState, row.Problem, want, problem)
	}
	var last booking.Stage
	var told []booking.Stage
	var total int64
	for _, d := range ledger {
		if d.Stage != "" {
			if slices.Contains(told, d.Stage) {
				t.Errorf("%s at %s was told %s twice: %v", p.ref, p.platform, d.Stage, told)
			}
			if d.Stage.Rank() < last.Rank() {
				t.Errorf("%s at %s was told %s after %v", p.ref, p.platform, d.Stage, told)
			}
			told, last = append(told, d.Stage), d.Stage
		}
		if d.Kind == booking.KindClosed {
			if d.TakenAt.Before(p.closing) || p.closing.IsZero() {
				t.Errorf("%s at %s (%s) was told paid at %v, the last check was closed after %v; %s", p.ref, p.platform, p.kind, d.TakenAt, p.closing, c.story(p, ledger))
			}
			if d.Check != nil {
				total = d.Check.Total
			}
		}
		if p.platform == "thefork" || d.At.IsZero() {
			continue // its wire carries no time
		}
		if late := d.TakenAt.Sub(d.At) - c.excuse(p.platform, d.At, d.TakenAt) - c.struck(p.platform, ledger, &d); late > grace {
			t.Errorf("%s at %s waited %v for %s beyond every outage and fault; %s", p.ref, p.platform, late, d.Kind, c.story(p, ledger))
		}
	}
	if reached := p.reached(); p.platform != "thefork" && last != reached {
		t.Errorf("%s at %s was told %v, the floor was at %v", p.ref, p.platform, told, p.stages)
	}
	if want == "closed" && total != p.total {
		t.Errorf("%s at %s was told a total of %d, it paid %d", p.ref, p.platform, total, p.total)
	}
}

// struck is how long the faults that met the calls of a party keep an update of it back: the pauses of spec/reservations.md
// 6.2, one after the other for each request, as they go in order; what the platform asked for itself in the meantime; and the
// pauses between looks at a platform that answers nobody.
func (c *chaos) struck(platform string, ledger []booking.Delivered, d *booking.Delivered) (sum time.Duration) {
	pauses := map[string]time.Duration{}
	for _, of := range ledger {
		pauses[of.Request] = time.Second
	}
	failed := 0 // calls in a row
	for _, call := range c.sims[platform].Calls() {
		if call.Fault == "" {
			failed = 0
			continue
		}
		if failed++; call.At.After(d.TakenAt) || call.At.Before(d.At) {
			continue
		}
		pause, mine := pauses[call.Request]
		switch {
		case mine:
			sum += pause
			pauses[call.Request] = 2 * pause
		case call.Fault == bookings.TooMany:
			sum += time.Second // nobody is told anything until the platform wants to be called again
		case failed > 2 || c.excuse(platform, call.At.Add(-10*time.Second), call.At) > 0:
			sum += relay.DefaultProbe
		}
	}
	return sum
}

// story is all that is known of a party, for whoever reads a failure.
func (c *chaos) story(p *party, ledger []booking.Delivered) string {
	var b strings.Builder
	fmt.Fprintf(&b, "inputs %+v\n", p.inputs)
	for _, d := range ledger {
		fmt.Fprintf(&b, "told %s %s at %s, made at %s\n", d.Kind, d.Stage, d.TakenAt.Format(clockMicro), d.At.Format(clockMicro))
		if d.Check != nil {
			fmt.Fprintf(&b, "  check %s open %v total %d paid %d due %d\n", d.Check.ID, d.Check.Open, d.Check.Total, d.Check.Paid, d.Check.Due)
		}
	}
	for n, call := range c.sims[p.platform].Calls() {
		if len(ledger) > 0 && call.At.After(ledger[0].At) && call.At.Before(ledger[len(ledger)-1].TakenAt) && (call.Fault != "" || n%8 == 0) {
			fmt.Fprintf(&b, "  call %s %s %d %s %s\n", call.At.Format(clockMicro), call.Op, call.Status, call.Fault, call.Request)
		}
	}
	for _, o := range c.outages[p.platform] {
		fmt.Fprintf(&b, "  outage %s to %s\n", o[0].Format(clockMicro), o[1].Format(clockMicro))
	}
	row, _ := c.row(p.ref)
	var r struct{ Timeline []map[string]any }
	_, _ = c.call(http.MethodGet, "/v1/reservations/"+row.ID, nil, &r)
	for _, e := range r.Timeline {
		fmt.Fprintf(&b, "%v\n", e)
	}
	for _, id := range row.Checks {
		var v struct {
			State    string
			Total    int64
			Timeline []map[string]any
			Events   []map[string]any
		}
		_, _ = c.call(http.MethodGet, "/v1/checks/"+id, nil, &v)
		fmt.Fprintf(&b, "check %s %+v\n", id, v)
	}
	return b.String()
}

const clockMicro = "15:04:05.000000"

// excuse is how much of a span of time the platform or the box was away.
func (c *chaos) excuse(platform string, from, to time.Time) (sum time.Duration) {
	for _, o := range c.outages[platform] {
		begin, end := o[0], o[1]
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		if end.After(begin) {
			sum += end.Sub(begin)
		}
	}
	return sum
}
