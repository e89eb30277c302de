package opera

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"aboyeur/protocol/xmlpos"
)

// xmlLink is XML_POS on one connection (fias.md 10.1).
type xmlLink struct {
	l       *link
	dialect xmlpos.Dialect

	mu      sync.Mutex // guards what follows
	up      bool       // the vendor has said LinkDescription or LinkStart
	version string
	silence *alarm // until the next LinkAlive
}

func newXML(l *link) speaker {
	set, _ := xmlCharset(l.s.c.Encoding) // checked
	return &xmlLink{l: l, dialect: xmlpos.Dialect{Charset: set, NoPostLetters: l.s.c.NoPostLetters}}
}

// xmlCharset is the charset of that name.
func xmlCharset(name string) (xmlpos.Charset, error) {
	switch c := xmlpos.Charset(strings.ToLower(name)); c {
	case xmlpos.UTF8, xmlpos.Windows1252:
		return c, nil
	}
	return "", fmt.Errorf("encoding %q: XML_POS is written in utf-8 or windows-1252", name)
}

func (x *xmlLink) connected() { x.wait() }

// wait has LinkAlive sent after some silence (fias.md 10.1).
func (x *xmlLink) wait() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.silence.stop()
	x.silence = x.l.s.alarms.after(x.l.s.c.KeepAlive, func() {
		if x.alive() {
			x.say(&xmlpos.LinkAlive{At: x.l.s.c.Now()})
		}
		x.wait()
	})
}

func (x *xmlLink) gone() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.silence.stop()
}

func (x *xmlLink) encode(e xmlpos.Element) []byte { return x.dialect.AppendAsIs(nil, e) }

func (x *xmlLink) say(e xmlpos.Element) { x.l.out.push(item{record: x.encode(e)}, false) }

func (x *xmlLink) alive() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.up
}

func (x *xmlLink) state() string {
	if x.alive() {
		return string(running)
	}
	return string(started)
}

func (x *xmlLink) vendor() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.version
}

func (x *xmlLink) records() []string { return nil }
func (x *xmlLink) change(Change)     {} // no counterpart (fias.md 10.1)
func (x *xmlLink) night(bool)        {}
func (x *xmlLink) farewell() bool    { return false }
func (x *xmlLink) broken()           {}

// restart asks the vendor to describe itself again.
func (x *xmlLink) restart() {
	x.mu.Lock()
	x.up = false
	x.mu.Unlock()
	x.say(&xmlpos.LinkStart{At: x.l.s.c.Now()})
}

func (x *xmlLink) remark(code, format string, args ...any) {
	x.l.s.remark(x.l.p.Name, code, fmt.Sprintf(format, args...))
}

func (x *xmlLink) take(record []byte) {
	x.wait()
	e, err := x.dialect.Decode(record)
	if e == nil {
		x.remark("bad_record", "%.60q: %v", record, err)
		return
	}
	var wrong *xmlpos.FieldError
	if errors.As(err, &wrong) {
		x.remark("bad_field", "%v", err)
	}
	switch e := e.(type) {
	case *xmlpos.LinkDescription:
		x.mu.Lock()
		x.version = e.Version
		x.mu.Unlock()
		x.linkAlive()
	case *xmlpos.LinkStart:
		x.linkAlive()
	case *xmlpos.LinkAlive:
	case *xmlpos.LinkEnd:
		x.l.wire.Close()
	case *xmlpos.PostInquiry:
		x.inquire(e, wrong)
	case *xmlpos.PostRequest:
		x.post(e, wrong)
	default:
		x.remark("undescribed", "%s is for the vendor", e.Name())
	}
}

func (x *xmlLink) linkAlive() {
	if _, ok := x.l.s.faults.use(NoLinkAlive, x.l.p.Name); ok {
		return
	}
	x.say(&xmlpos.LinkAlive{At: x.l.s.c.Now()})
	if !x.alive() {
		x.l.becomeAlive(func() {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.up = true
		})
	}
}

// ready says whether requests are taken; otherwise it notes the one that was not.
func (x *xmlLink) ready(e Exchange) bool {
	if x.alive() {
		return true
	}
	x.remark("before_alive", "%s before LinkDescription", e.Record)
	e.At, e.Link, e.Connection, e.Fate = x.l.s.c.Now(), x.l.p.Name, x.l.n, Open
	x.l.s.keepExchange(&e)
	x.l.s.fate(&e, Ignored)
	return false
}

func (x *xmlLink) inquire(e *xmlpos.PostInquiry, wrong *xmlpos.FieldError) {
	ex := Exchange{On: OnInquiry, Record: e.Name(), Number: int64(e.Sequence), Room: e.Information}
	if !x.ready(ex) {
		return
	}
	if err := e.Check(); err != nil {
		x.remark("schema", "%v", err)
	}
	h := x.l.s.hotel
	answer := func(d Decision) reply {
		return x.answer(xmlpos.PostAnswer{
			PaymentMethod: e.PaymentMethod, RevenueCenter: e.RevenueCenter, Waiter: e.Waiter, Workstation: e.Workstation,
		}, d)
	}
	x.l.ask(request{
		Exchange: ex,
		refuse:   func(s Status, text string) reply { return answer(refusal(s, text)) },
		process: func(ex *Exchange) reply {
			decide := func(d Decision) reply {
				x.l.s.decided(ex, d, 0)
				return answer(d)
			}
			switch {
			case wrong != nil:
				return decide(refusal(StatusUR, wrong.Error()))
			case e.PaymentMethod != "" && !slices.Contains(h.RoomMethods(), e.PaymentMethod) && !strings.EqualFold(e.PaymentMethod, "room"):
				return decide(refusal(StatusUR, "NO INQUIRY FOR "+e.PaymentMethod))
			}
			q := Inquiry{Text: e.Information, By: By(e.Type) & (ByCard | ByRoom | ByName), Max: min(e.Matches, xmlpos.MaxItems)}
			matches := h.Find(q)
			if len(matches) == 0 {
				return decide(refusal(StatusNG, ""))
			}
			x.l.found(matches)
			x.l.s.decided(ex, Decision{Status: StatusOK}, len(matches))
			return x.list(e, matches)
		},
	})
}

// list is a PostList.
func (x *xmlLink) list(e *xmlpos.PostInquiry, matches []Match) reply {
	h := x.l.s.hotel
	out := xmlpos.PostList{
		Hotel: h.ID(), PaymentMethod: e.PaymentMethod, RevenueCenter: e.RevenueCenter, Waiter: e.Waiter, Workstation: e.Workstation, At: x.l.s.c.Now(),
	}
	for _, m := range matches {
		item := xmlpos.PostListItem{
			Room: m.Room, Reservation: m.Reservation, LastName: m.Name, FirstName: m.First, Title: m.Title, VIP: m.VIP, PaymentMethod: e.PaymentMethod,
			NoPost: m.NoPost, Profile: m.Profile, Hotel: h.ID(),
		}
		if item.Profile == "" {
			item.Profile = AccountReservation
		}
		if m.Limit > 0 {
			item.CreditLimit = xmlpos.Limit(m.Limit.Decimal())
			if h.f.IntegerLimits {
				item.CreditLimit = xmlpos.Limit(strconv.FormatInt(int64(m.Limit), 10))
			}
		}
		copy(item.References[:], m.References)
		out.Items = append(out.Items, item)
	}
	return func(number int64, how form) [][]byte {
		l := out
		l.Sequence = uint32(number)
		if how.bare {
			l.RevenueCenter, l.Waiter, l.Items = "", "", slices.Clone(out.Items)
			for i, m := range l.Items {
				l.Items[i] = xmlpos.PostListItem{Room: m.Room, Reservation: m.Reservation, LastName: m.LastName, NoPost: m.NoPost, Profile: m.Profile, Hotel: m.Hotel}
			}
		}
		if how.unknownFields {
			l.Extra = []xmlpos.Attr{{Name: "Unheard", Value: "of <&>"}}
			l.Items = slices.Clone(out.Items)
			for i := range l.Items {
				l.Items[i].Extra = []xmlpos.Attr{{Name: "Unheard", Value: "1"}}
			}
		}
		return [][]byte{x.written(&l, how)}
	}
}

func (x *xmlLink) post(e *xmlpos.PostRequest, wrong *xmlpos.FieldError) {
	ex := Exchange{On: OnPosting, Record: e.Name(), Number: int64(e.Sequence), Room: e.Room, Reservation: e.Reservation, Total: Amount(e.Total)}
	if !x.ready(ex) {
		return
	}
	if err := e.Check(); err != nil {
		x.remark("schema", "%v", err)
	}
	answer := func(d Decision) reply {
		return x.answer(xmlpos.PostAnswer{
			Room: e.Room, Reservation: e.Reservation, LastName: e.LastName, CheckNumber: e.CheckNumber,
			PaymentMethod: e.PaymentMethod, RevenueCenter: e.RevenueCenter, Waiter: e.Waiter, Workstation: e.Workstation,
		}, d)
	}
	x.l.ask(request{
		Exchange: ex,
		refuse:   func(s Status, text string) reply { return answer(refusal(s, text)) },
		process: func(ex *Exchange) reply {
			d, answered := Decision{}, true
			if wrong != nil {
				d = refusal(StatusUR, wrong.Error())
			} else {
				d, answered = x.l.charge(x.charge(e))
			}
			x.l.s.decided(ex, d, 0)
			if !answered {
				x.remark("no_inquiry", "PostRequest for reservation %s in room %s without an inquiry", e.Reservation, e.Room)
				return nil
			}
			return answer(d)
		},
	})
}

// charge is e as a Charge.
func (x *xmlLink) charge(e *xmlpos.PostRequest) Charge {
	trim := func(all [xmlpos.Groups]int64) (out []Amount) {
		for i, a := range all {
			if a != 0 {
				for len(out) < i {
					out = append(out, 0)
				}
				out = append(out, Amount(a))
			}
		}
		return out
	}
	c := Charge{
		Record: e.Name(), Number: int64(e.Sequence), Type: "C", Room: e.Room, Reservation: e.Reservation, Name: e.LastName, Method: e.PaymentMethod,
		Override: e.Override, Total: Amount(e.Total), HasTotal: true, Subtotals: trim(e.Subtotals), Discounts: trim(e.Discounts), Taxes: trim(e.Taxes),
		Services: trim(e.ServiceCharges), Tip: Amount(e.Tip), Check: e.CheckNumber, Covers: int64(e.Covers), Outlet: e.RevenueCenter, Waiter: e.Waiter,
		Workstation: e.Workstation, Text: e.Description, Date: e.At.Format("060102"), Time: e.At.Format("150405"),
	}
	if e.ServingTime != 0 {
		c.Period = strconv.Itoa(e.ServingTime)
	}
	if h := x.l.s.hotel; strings.EqualFold(c.Method, "room") && len(h.RoomMethods()) > 0 {
		c.Method = h.RoomMethods()[0] // names such as Room are sent too
	}
	return c
}

// answer is a PostAnswer.
func (x *xmlLink) answer(a xmlpos.PostAnswer, d Decision) reply {
	a.Status, a.Text, a.Hotel, a.At = xmlpos.AnswerStatus(d.Status), d.Text, x.l.s.hotel.ID(), x.l.s.c.Now()
	return func(number int64, how form) [][]byte {
		b := a
		b.Sequence = uint32(number)
		if how.bare {
			b.Room, b.Reservation, b.LastName, b.CheckNumber, b.Waiter = "", "", "", "", ""
		}
		if how.unknownFields {
			b.Extra = []xmlpos.Attr{{Name: "Unheard", Value: "of <&>"}}
		}
		return [][]byte{x.written(&b, how)}
	}
}

// written is e as bytes, in a form that a lenient reader has to take.
func (x *xmlLink) written(e xmlpos.Element, how form) []byte {
	b := x.encode(e)
	if how.emptyFields { // the optional attributes of an answer, empty
		b = bytes.Replace(b, []byte(" SequenceNumber="), []byte(` Reference9="" GuestTitle="" SequenceNumber=`), 1)
	}
	if how.reordered { // the number comes first
		if i := bytes.Index(b, []byte(" SequenceNumber=")); i >= 0 {
			if n := bytes.IndexByte(b[i+len(" SequenceNumber=")+1:], '"'); n >= 0 {
				end := i + len(" SequenceNumber=") + 1 + n + 1
				attr := bytes.Clone(b[i:end])
				at := bytes.IndexByte(b, ' ')
				b = slices.Concat(b[:at], attr, b[at:i], b[end:])
			}
		}
	}
	return b
}

// noise is an element that means nothing here, or too much.
func (x *xmlLink) noise(f Fault) []byte {
	switch f.Kind {
	case LongRecord:
		return []byte(`<LinkAlive Date="000101" Time="000000" Long="` + strings.Repeat("x", f.Bytes) + `" />`)
	case ManyFields:
		b := []byte("<LinkAlive")
		for i := 0; len(b) < f.Bytes; i++ {
			b = append(b, ` A`+strconv.Itoa(i)+`="1"`...)
		}
		return append(b, " />"...)
	}
	return []byte(`<GuestNews Date="000101" Text="unknown &amp; new" />`)
}

// peekXML is peek for XML_POS.
func peekXML(b []byte) (peeked, bool) {
	if len(b) == 0 || b[0] != '<' {
		return peeked{}, false
	}
	e, _ := xmlpos.Dialect{}.Decode(b)
	switch e := e.(type) {
	case *xmlpos.PostInquiry:
		return peeked{OnInquiry, e.Information, int64(e.Sequence)}, true
	case *xmlpos.PostRequest:
		return peeked{OnPosting, e.Room, int64(e.Sequence)}, true
	}
	return peeked{}, true
}
