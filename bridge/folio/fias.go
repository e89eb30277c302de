package folio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"aboyeur/protocol/fias"
	"aboyeur/protocol/ifc"
)

// FIASConfig is OPERA on site, spoken to in FIAS. Dial is required.
type FIASConfig struct {
	Dial          Dialler
	Peer          string // for people: where the hotel system is
	Encoding      string // "" means UTF-8
	Location      *time.Location
	Currency      string
	Key           *fias.Key     // IfcAuthKey; nil: none
	Version       string        // ours, told in LD; at most 10 characters
	AnswerTimeout time.Duration // 0 means DefaultAnswerTimeout
	NightLimit    time.Duration // a night audit without an end is over after this; 0 means fias.DefaultNightLimit
	StartWait     time.Duration // for the hotel's LS; 0 means fias.DefaultStartWait
	Backoff       ifc.Backoff   // between connections
	NoMirror      bool          // do not ask for guests coming and going
	Now           func() time.Time
	Log           *slog.Logger
}

// FIAS is OPERA's interface on site (spec/fias.md).
type FIAS struct {
	told
	c     FIASConfig
	codec fias.Codec
	trace Trace

	linkMu sync.Mutex // guards what follows
	link   *fias.Link // of the connection under way, nil between two
	held   bool       // its answers are acknowledged once they are on disk
	rooms  []string   // RP: the methods that mean a room, as the hotel told them
	night  time.Time  // since when the night audit runs, kept from one connection to the next
}

// NewFIAS checks c; nothing is started.
func NewFIAS(c FIASConfig) (*FIAS, error) {
	encoding, err := fias.NewEncoding(c.Encoding)
	if err != nil {
		return nil, err
	}
	if c.Dial == nil {
		return nil, errors.New("a FIAS link needs a line")
	}
	if c.AnswerTimeout <= 0 {
		c.AnswerTimeout = DefaultAnswerTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	f := &FIAS{c: c, codec: fias.Codec{Encoding: encoding, Location: c.Location}}
	f.status = Status{State: Down, Since: c.Now().UTC(), Peer: c.Peer, Reason: "not started"}
	return f, nil
}

// Limits implements PMS.
func (f *FIAS) Limits() Limits { return Limits{Subtotals: len(fias.Parts{}.Subtotals)} }

// Trace gives the latest records.
func (f *FIAS) Trace() *Trace { return &f.trace }

// Run implements PMS: it connects again and again until ctx ends.
func (f *FIAS) Run(ctx context.Context) error {
	backoff := f.c.Backoff
	defer f.set(f.c.Now(), func(s *Status) { s.State, s.Reason = Down, "stopped" })
	for {
		f.set(f.c.Now(), func(s *Status) {
			if s.State != Down || s.Reason == "not started" || s.Reason == "stopped" {
				s.State, s.Reason = Connecting, ""
			}
		})
		up, err := f.connection(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if up {
			backoff.Reset()
		}
		reason := "the hotel system ended the link"
		if err != nil {
			reason = err.Error()
		}
		f.trace.Add(f.c.Now(), "!", reason)
		f.set(f.c.Now(), func(s *Status) { s.State, s.Reason = Down, reason })
		pause := time.NewTimer(backoff.Next())
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// connection is one connection from beginning to end. It tells whether the link ever was alive.
func (f *FIAS) connection(ctx context.Context) (up bool, err error) {
	// On a serial line, an answer that was acknowledged is never told again: it is to be on disk first.
	conn, err := f.c.Dial(ctx, ifc.Options{Trace: tracer(&f.trace, f.codec.Encoding.Decode), Now: f.c.Now, Hold: true})
	if err != nil {
		return false, err
	}
	f.trace.Add(f.c.Now(), "!", "connected to "+f.c.Peer)
	records := fias.POSRecords()
	if f.c.NoMirror {
		kept := records[:0]
		for _, r := range records {
			if r.Described != fias.GI && r.Described != fias.GC && r.Described != fias.GO {
				kept = append(kept, r)
			}
		}
		records = kept
	}
	_, serial := conn.(*ifc.Line)
	f.linkMu.Lock()
	night := f.night
	f.linkMu.Unlock()
	link := fias.NewLink(conn, fias.LinkConfig{
		Version: f.c.Version, Request: fias.WantPaymentMethods | fias.WantPMSVersion, Records: records, Codec: f.codec, Key: f.c.Key,
		StartWait: f.c.StartWait, InquiryWait: f.c.AnswerTimeout, PostWait: f.c.AnswerTimeout, NightLimit: f.c.NightLimit, NightSince: night,
		Now: f.c.Now, Log: f.c.Log,
		Hooks: fias.Hooks{
			State:  func(s fias.LinkStatus) { up = up || s.State == fias.Alive; f.state(s) },
			Guest:  f.guest,
			Swap:   f.swap,
			Answer: f.answer,
		},
	})
	f.linkMu.Lock()
	f.link, f.held = link, serial
	f.linkMu.Unlock()
	defer func() {
		f.linkMu.Lock()
		f.link = nil
		f.linkMu.Unlock()
	}()
	err = link.Run(ctx)
	return up, err
}

func (f *FIAS) state(s fias.LinkStatus) {
	f.linkMu.Lock()
	if f.night = s.NightSince; !s.Night {
		f.night = time.Time{}
	}
	if s.Configuration != nil {
		f.rooms = s.Configuration.PaymentMethods
	}
	f.linkMu.Unlock()
	f.set(f.c.Now(), func(st *Status) {
		if s.Configuration != nil {
			st.Version = s.Configuration.PMSVersion
		}
		switch s.State {
		case fias.Alive:
			if st.State, st.Reason = Up, ""; s.Night {
				st.State = NightAudit
			}
		case fias.Describing:
			if st.State = Connecting; f.c.Key != nil {
				st.State = Auth
			}
		case fias.Starting:
			st.State = Connecting
		default:
			st.State, st.Reason = Down, "the hotel system ended the link"
		}
	})
}

// answer is told of each answer to a posting before its caller is.
func (f *FIAS) answer(a fias.PostingAnswer, fit fias.Fit) {
	l := f.hears()
	if l == nil || fit == fias.Duplicate {
		return
	}
	f.linkMu.Lock()
	held := f.held
	f.linkMu.Unlock()
	got := Answer{Status: string(a.Status), Text: a.Text, At: a.At}
	switch {
	case fit == fias.Unasked:
		l.Late(int64(a.Number), got)
	case held:
		l.Answered(int64(a.Number), got)
	}
}

func (f *FIAS) guest(r fias.GuestRecord) {
	l := f.hears()
	if l == nil {
		return
	}
	n := News{Kind: CheckedIn, From: r.OldRoom, NoPost: r.Present.Has(fias.NP), Guest: Guest{
		Room: r.Room, Reservation: r.Reservation, Name: r.Name, First: r.FirstName, Title: r.Title, Profile: r.Profile, VIP: r.VIP, NoPost: r.NoPost,
	}}
	switch r.ID {
	case fias.GC:
		n.Kind = Changed
	case fias.GO:
		n.Kind = CheckedOut
	}
	l.News(n)
}

func (f *FIAS) swap(on bool, at time.Time) {
	l := f.hears()
	if l == nil {
		return
	}
	kind := ResyncBegin
	if !on {
		if kind = ResyncEnd; at.IsZero() {
			kind = ResyncLost
		}
	}
	l.News(News{Kind: kind})
}

// current is the link of the connection under way.
func (f *FIAS) current() *fias.Link {
	f.linkMu.Lock()
	defer f.linkMu.Unlock()
	return f.link
}

// method is the hotel's own word for a room payment where it does not know the usual one (spec/fias.md 3.7).
func (f *FIAS) method(name string) string {
	f.linkMu.Lock()
	defer f.linkMu.Unlock()
	if name != defaultRoom || len(f.rooms) == 0 || slices.Contains(f.rooms, name) {
		return name
	}
	return f.rooms[0]
}

// Resync implements Resyncer.
func (f *FIAS) Resync(ctx context.Context) error {
	link := f.current()
	if link == nil || f.c.NoMirror {
		return ErrNotSent
	}
	return link.Resync(ctx)
}

// Search implements PMS: an inquiry, PR without a total (spec/fias.md 6.2).
func (f *FIAS) Search(ctx context.Context, q Query) ([]Guest, error) {
	link := f.current()
	if link == nil {
		return nil, ErrNotSent
	}
	list, err := link.Inquire(ctx, fias.Inquiry{
		At: q.At, Number: int(q.Number), Find: q.Term, Most: min(q.Max, 9), Workstation: cmp.Or(q.Workstation, "ABOYEUR"), Outlet: number(q.Outlet), User: q.Staff,
		PaymentMethod: f.method(q.Method),
	})
	var refused *fias.AnswerError
	if errors.As(err, &refused) {
		return nil, &RefusedError{Answer{Status: string(refused.Answer.Status), Text: refused.Answer.Text, At: refused.Answer.At}}
	}
	if err != nil {
		return nil, f.fault(err)
	}
	guests := make([]Guest, len(list.Guests))
	for i := range list.Guests {
		g := &list.Guests[i]
		guests[i] = Guest{
			Room: g.Room, Reservation: g.Reservation, Name: strings.TrimSpace(g.Name), First: g.FirstName, Title: g.Title, Profile: g.Profile, VIP: g.VIP, NoPost: g.NoPost,
			Limit: f.minor(g.CreditLimit), Balance: f.minor(g.Balance), Index: i + 1, via: link,
		}
	}
	return guests, nil
}

func (f *FIAS) minor(a *fias.Amount) *int64 {
	if a == nil {
		return nil
	}
	return new(fromHundredths(int64(*a), f.c.Currency))
}

// Post implements PMS: PR as a posting, to a guest or as a tender (spec/fias.md 6).
func (f *FIAS) Post(ctx context.Context, m Message) (Answer, error) {
	link := f.current()
	if link == nil {
		return Answer{}, ErrNotSent
	}
	if m.Guest.via != nil && m.Guest.via != link {
		return Answer{}, errOtherLine
	}
	parts := fias.Parts{Service: fias.Amount(hundredths(m.ServiceCharge, m.Currency)), Tip: fias.Amount(hundredths(m.Tip, m.Currency))}
	for _, p := range []struct {
		dst *[9]fias.Amount
		src []int64
	}{{&parts.Subtotals, m.Subtotals}, {&parts.Taxes, m.Taxes}, {&parts.Discounts, m.Discounts}} {
		for i, n := range scaled(p.src, m.Currency) {
			p.dst[min(i, len(p.dst)-1)] += fias.Amount(n)
		}
	}
	a, err := link.Post(ctx, fias.PostingRequest{Posting: fias.Posting{
		At: m.At, Number: int(m.Number), Room: m.Guest.Room, Reservation: m.Guest.Reservation, Guest: m.Guest.Name, Profile: m.Guest.Profile,
		Workstation: cmp.Or(m.Workstation, "ABOYEUR"), Outlet: number(m.Outlet), User: m.Staff, PaymentMethod: f.method(m.Method), Type: fias.TypeAmount,
		Total: fias.Amount(hundredths(m.Total, m.Currency)), Parts: parts, Credit: m.Override, Check: m.Check, Covers: m.Covers, ServingTime: m.Period, Table: m.Table,
		Text: m.Text, Supplement: m.Supplement,
	}})
	switch {
	case errors.Is(err, fias.ErrNight):
		return Answer{Status: "NA", Text: "night audit"}, nil // nothing was sent
	case err != nil:
		return Answer{}, f.fault(err)
	}
	return Answer{Status: string(a.Status), Text: a.Text, At: a.At}, nil
}

// fault gives an error of the link the meaning it has here. What the request says of itself counts, not what it wraps.
func (f *FIAS) fault(err error) error {
	var e *fias.RequestError
	switch {
	case errors.As(err, &e) && !e.Sent:
		return fmt.Errorf("%w: %v", ErrNotSent, err)
	case errors.Is(err, fias.ErrSilent):
		return fmt.Errorf("%w: %v", ErrNoAnswer, err)
	}
	return fmt.Errorf("hotel link: %v", err)
}
