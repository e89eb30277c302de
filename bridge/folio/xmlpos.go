package folio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"aboyeur/protocol/ifc"
	"aboyeur/protocol/xmlpos"
)

// XMLPOSConfig is OPERA on site, spoken to in XML_POS. Dial is required.
type XMLPOSConfig struct {
	Dial          Dialler
	Peer          string // for people: where the hotel system is
	Dialect       xmlpos.Dialect
	Location      *time.Location
	Currency      string
	AnswerTimeout time.Duration // 0 means DefaultAnswerTimeout
	Backoff       ifc.Backoff   // between connections
	Now           func() time.Time
	Log           *slog.Logger
}

// XMLPOS is OPERA's interface on site in its XML dialect (spec/fias.md 10.1). It tells nothing of night audits and guests.
type XMLPOS struct {
	told
	c     XMLPOSConfig
	link  *xmlpos.Link
	trace Trace
}

// NewXMLPOS checks c; nothing is started.
func NewXMLPOS(c XMLPOSConfig) (*XMLPOS, error) {
	if c.Dial == nil {
		return nil, errors.New("an XML_POS link needs a line")
	}
	if c.AnswerTimeout <= 0 {
		c.AnswerTimeout = DefaultAnswerTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	x := &XMLPOS{c: c}
	x.status = Status{State: Down, Since: c.Now().UTC(), Peer: c.Peer, Reason: "not started"}
	var err error
	x.link, err = xmlpos.NewLink(xmlpos.Config{
		Dial: func(ctx context.Context) (ifc.Conn, error) {
			return c.Dial(ctx, ifc.Options{Trace: tracer(&x.trace, func(b []byte) string { return string(b) }), Now: c.Now})
		},
		Dialect: c.Dialect, Answer: c.AnswerTimeout, Backoff: c.Backoff, Log: c.Log,
		Now:     func() time.Time { return c.Now().In(c.Location) },
		Late:    x.late,
		Changed: x.changed,
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Limits implements PMS.
func (x *XMLPOS) Limits() Limits { return Limits{Subtotals: xmlpos.Groups} }

// Trace gives the latest elements.
func (x *XMLPOS) Trace() *Trace { return &x.trace }

// Run implements PMS.
func (x *XMLPOS) Run(ctx context.Context) error {
	defer x.set(x.c.Now(), func(s *Status) { s.State, s.Reason = Down, "stopped" })
	return x.link.Run(ctx)
}

func (x *XMLPOS) changed(s xmlpos.Status) {
	x.set(x.c.Now(), func(st *Status) {
		switch s.State {
		case xmlpos.Up:
			st.State, st.Reason = Up, ""
		case xmlpos.Connecting, xmlpos.Describing:
			if st.State == Up || st.Reason == "not started" || st.Reason == "stopped" || st.Reason == "" {
				st.State, st.Reason = Connecting, ""
			}
		default:
			st.State = Down
			if s.Err != nil {
				st.Reason = s.Err.Error()
			}
		}
	})
}

func (x *XMLPOS) late(r xmlpos.Reply) {
	l := x.hears()
	if l == nil || r.Answer == nil {
		return
	}
	l.Late(int64(r.Answer.Sequence), answerOf(r.Answer))
}

func answerOf(a *xmlpos.PostAnswer) Answer {
	return Answer{Status: string(a.Status), Text: a.Text, At: a.At}
}

// byRoomOrName is what a term is looked for as; rooms may have letters and names digits.
const byRoomOrName = xmlpos.ByRoom | xmlpos.ByName

// Search implements PMS.
func (x *XMLPOS) Search(ctx context.Context, q Query) ([]Guest, error) {
	reply, err := x.link.Inquire(ctx, &xmlpos.PostInquiry{
		Information: q.Term, Matches: cmp.Or(q.Max, xmlpos.DefaultMatches), Sequence: uint32(q.Number), Type: byRoomOrName, PaymentMethod: q.Method, At: q.At,
		RevenueCenter: number(q.Outlet), Waiter: q.Staff, Workstation: cmp.Or(q.Workstation, "ABOYEUR"),
	})
	if err != nil {
		return nil, x.fault(err)
	}
	if reply.List == nil {
		return nil, &RefusedError{answerOf(reply.Answer)}
	}
	via := x.link.Status().Stats.Connections
	guests := make([]Guest, len(reply.List.Items))
	for i := range reply.List.Items {
		item := &reply.List.Items[i]
		name := item.LastName
		if given := strings.TrimSpace(item.Title + " " + item.FirstName); given != "" {
			name += ", " + given
		}
		guests[i] = Guest{
			Room: item.Room, Reservation: item.Reservation, Name: name, Last: item.LastName, First: item.FirstName, Title: item.Title, Profile: item.Profile, Hotel: item.Hotel,
			VIP: item.VIP, NoPost: item.NoPost, Index: i + 1, via: via,
		}
		if limit, ok := item.CreditLimit.Minor(2); ok {
			guests[i].Limit = new(fromHundredths(limit, x.c.Currency))
		}
	}
	return guests, nil
}

// Post implements PMS.
func (x *XMLPOS) Post(ctx context.Context, m Message) (Answer, error) {
	r := &xmlpos.PostRequest{
		Type: xmlpos.NonRoom, Sequence: uint32(m.Number), Total: hundredths(m.Total, m.Currency), Override: m.Override, Description: m.Text, PaymentMethod: m.Method,
		Covers: m.Covers, RevenueCenter: number(m.Outlet), ServingTime: m.Period, Tip: hundredths(m.Tip, m.Currency), At: m.At, Waiter: m.Staff,
		Workstation: cmp.Or(m.Workstation, "ABOYEUR"), CheckNumber: fmt.Sprint(m.Check),
	}
	copy(r.Subtotals[:], scaled(m.Subtotals, m.Currency))
	copy(r.Taxes[:], scaled(m.Taxes, m.Currency))
	copy(r.Discounts[:], scaled(m.Discounts, m.Currency))
	r.ServiceCharges[0] = hundredths(m.ServiceCharge, m.Currency)
	if m.Term != "" {
		g := m.Guest
		if g.via != nil && g.via != x.link.Status().Stats.Connections {
			return Answer{}, errOtherLine
		}
		r.Type, r.Information, r.Match = byRoomOrName, m.Term, g.Index
		r.Room, r.Reservation, r.Profile, r.LastName, r.Hotel = g.Room, g.Reservation, g.Profile, cmp.Or(g.Last, g.Name), g.Hotel
	}
	a, err := x.link.Post(ctx, r)
	if err != nil {
		return Answer{}, x.fault(err)
	}
	return answerOf(a), nil
}

// fault gives an error of the link the meaning it has here. What the exchange says of itself counts, not what it wraps: the
// send that ended the connection may have been another's.
func (x *XMLPOS) fault(err error) error {
	var e *xmlpos.ExchangeError
	switch {
	case errors.As(err, &e) && !e.Left:
		return fmt.Errorf("%w: %v", ErrNotSent, err)
	case errors.Is(err, xmlpos.ErrSilent):
		return fmt.Errorf("%w: %v", ErrNoAnswer, err)
	}
	return fmt.Errorf("hotel link: %v", err)
}

var (
	_ PMS      = (*FIAS)(nil)
	_ Resyncer = (*FIAS)(nil)
	_ PMS      = (*XMLPOS)(nil)
)
