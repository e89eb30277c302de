package folio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"aboyeur/protocol/ohip"
	"aboyeur/protocol/rest"
)

// Times of OPERA Cloud.
const (
	DefaultProbe = time.Minute      // how often an idle gateway is asked whether it is there
	probeDown    = 5 * time.Second  // and one that did not answer
	lookEvery    = 10 * time.Second // how often the folio is looked at for a posting whose outcome is unknown
	lookFor      = 24 * time.Hour   // and for how long
	maxDoubts    = 1000             // postings looked for at a time
)

// OHIPConfig is OPERA Cloud. Client.Gateway and what it needs are required; its HTTP.Trace is set here.
type OHIPConfig struct {
	Client ohip.Config
	Probe  time.Duration // 0 means DefaultProbe
	Now    func() time.Time
}

// OHIP is OPERA Cloud behind Oracle's integration platform (spec/fias.md 10.2). It tells nothing of night audits and guests,
// but its folios can be read: a posting found there ends its doubt.
type OHIP struct {
	told
	c      OHIPConfig
	client *ohip.Client
	trace  Trace
	again  chan struct{} // of size 1: the gateway did not answer

	doubtMu sync.Mutex // guards what follows
	doubts  map[int64]doubt
}

// doubt is a posting that may have been booked.
type doubt struct {
	reservation, reference string
	since                  time.Time
}

// NewOHIP checks c; nothing is started.
func NewOHIP(c OHIPConfig) (*OHIP, error) {
	if c.Probe <= 0 {
		c.Probe = DefaultProbe
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	o := &OHIP{c: c, doubts: map[int64]doubt{}, again: make(chan struct{}, 1)}
	c.Client.HTTP.Trace = func(x rest.Exchange) {
		text := fmt.Sprintf("%s %s -> %d in %v", x.Method, x.Path, x.Status, x.Took.Round(time.Millisecond))
		if x.Err != "" {
			text += ": " + x.Err
		}
		o.trace.Add(x.At, ">", text)
	}
	var err error
	if o.client, err = ohip.New(c.Client); err != nil {
		return nil, err
	}
	o.status = Status{State: Down, Since: c.Now().UTC(), Peer: c.Client.Gateway, Reason: "not started"}
	return o, nil
}

// Limits implements PMS.
func (o *OHIP) Limits() Limits { return Limits{Subtotals: 16} }

// Trace gives the latest calls.
func (o *OHIP) Trace() *Trace { return &o.trace }

// Run implements PMS: it asks now and then whether the gateway is there, and looks for postings in doubt.
func (o *OHIP) Run(ctx context.Context) error {
	defer o.client.Close()
	defer o.set(o.c.Now(), func(s *Status) { s.State, s.Reason = Down, "stopped" })
	o.set(o.c.Now(), func(s *Status) { s.State, s.Reason = Connecting, "" })
	probe, look := time.NewTimer(0), time.NewTicker(lookEvery)
	defer probe.Stop()
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-probe.C:
			_, err := o.client.Search(ctx, ohip.Query{Name: "A", Limit: 1})
			o.reached(err)
			pause := o.c.Probe
			if err != nil {
				pause = min(pause, probeDown)
			}
			probe.Reset(pause)
		case <-o.again:
			if o.Status().State != Up {
				probe.Reset(min(o.c.Probe, probeDown))
			}
		case <-look.C:
			o.look(ctx)
		}
	}
}

// reached notes whether the gateway answered; when it did not, it is asked again soon.
func (o *OHIP) reached(err error) {
	if err != nil {
		select {
		case o.again <- struct{}{}:
		default:
		}
	}
	o.set(o.c.Now(), func(s *Status) {
		var e *rest.Error
		switch {
		case err == nil || errors.As(err, &e) && e.Status != 0 && e.Status != 401 && e.Status < 500:
			s.State, s.Reason = Up, ""
		case errors.Is(err, context.Canceled):
		default:
			s.State, s.Reason = Down, err.Error()
		}
	})
}

// Search implements PMS.
func (o *OHIP) Search(ctx context.Context, q Query) ([]Guest, error) {
	var found []ohip.Guest
	var err error
	ask := func(query ohip.Query) {
		if err != nil || len(found) > 0 {
			return
		}
		var f ohip.Found
		f, err = o.client.Search(ctx, query)
		found = f.Guests
	}
	if strings.ContainsAny(q.Term, "0123456789") {
		ask(ohip.Query{Room: q.Term, Limit: q.Max})
	} else {
		ask(ohip.Query{Name: q.Term, Limit: q.Max})
		ask(ohip.Query{Room: q.Term, Limit: q.Max})
	}
	o.reached(err)
	if err != nil {
		return nil, fmt.Errorf("search at OPERA Cloud: %w", err)
	}
	guests := make([]Guest, len(found))
	for i := range found {
		g := &found[i]
		guests[i] = Guest{
			Room: g.Room, Reservation: g.Reservation, Name: g.Name(), Last: g.Surname, First: g.Given, Title: g.Title, Profile: g.Profile, VIP: g.VIP, NoPost: g.NoPost,
			Limit: g.CreditLimit, Balance: g.Balance, Index: i + 1,
		}
	}
	return guests, nil
}

// Post implements PMS.
func (o *OHIP) Post(ctx context.Context, m Message) (Answer, error) {
	p := ohip.Posting{
		Reservation: m.Guest.Reservation, Check: strconv.FormatInt(m.Check, 10), Reference: m.Reference, Remark: strings.TrimSpace(m.Text + " " + m.Supplement),
		Outlet: m.OutletName, Currency: m.Currency, Total: m.Total, Covers: m.Covers,
	}
	// Each try of a queued posting is a request of its own.
	p.Reference = m.Reference + "-" + strconv.FormatInt(m.Number, 10)
	add := func(kind ohip.PartKind, n int, amount int64) {
		if amount != 0 {
			p.Parts = append(p.Parts, ohip.Part{Kind: kind, N: n, Amount: amount})
		}
	}
	for _, list := range []struct {
		kind    ohip.PartKind
		amounts []int64
	}{{ohip.Subtotal, m.Subtotals}, {ohip.Discount, m.Discounts}, {ohip.Tax, m.Taxes}} {
		for i, amount := range list.amounts {
			add(list.kind, i+1, amount)
		}
	}
	add(ohip.ServiceCharge, 0, m.ServiceCharge)
	add(ohip.Tip, 0, m.Tip)
	var a ohip.Outcome
	var err error
	if m.Term == "" {
		a, err = o.client.PasserBy(ctx, p, m.Method)
	} else {
		a, err = o.client.Post(ctx, p)
	}
	if err == nil || errors.Is(err, rest.ErrNotSent) {
		o.reached(err) // one posting without an answer does not tell that the gateway is gone
	}
	switch {
	case err == nil:
		return Answer{Status: a.AS, Text: strings.TrimSpace(cmp.Or(a.Text, "posted") + " " + a.Number), At: a.At}, nil
	case errors.Is(err, rest.ErrNotSent):
		return Answer{}, fmt.Errorf("%w: %v", ErrNotSent, err)
	}
	if m.Term != "" {
		o.doubtMu.Lock()
		if len(o.doubts) < maxDoubts {
			o.doubts[m.Number] = doubt{p.Reservation, p.Reference, o.c.Now()}
		}
		o.doubtMu.Unlock()
	}
	return Answer{}, fmt.Errorf("post at OPERA Cloud: %v", err)
}

// look reads the folios of postings in doubt. One that is there was booked; one that is not may still come.
func (o *OHIP) look(ctx context.Context) {
	o.doubtMu.Lock()
	list := make(map[int64]doubt, len(o.doubts))
	for number, d := range o.doubts {
		if list[number] = d; o.c.Now().Sub(d.since) > lookFor {
			delete(o.doubts, number)
			delete(list, number)
		}
	}
	o.doubtMu.Unlock()
	for number, d := range list {
		lines, err := o.client.Folio(ctx, d.reservation)
		if err != nil {
			return
		}
		found := lines.With(d.reference)
		if len(found) == 0 {
			continue
		}
		o.doubtMu.Lock()
		delete(o.doubts, number)
		o.doubtMu.Unlock()
		if l := o.hears(); l != nil {
			l.Late(number, Answer{Status: "OK", Text: "found on the folio, transaction " + found[0].Number, At: o.c.Now()})
		}
	}
}

var _ PMS = (*OHIP)(nil)
