package opera

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/protocol/fias"
)

// posting is a PR or PS that charges.
func (f *fiasLink) posting() {
	x := f.exchange()
	f.numbered(x.Number)
	echo := f.echo()
	c, wrong := f.charge()
	refuse := func(s Status, text string) reply { return f.answer(refusal(s, text), echo) }
	r := request{Exchange: x, refuse: refuse}
	if x.Record == "PS" {
		f.l.mu.Lock()
		overlap := f.l.unordered > 0
		f.l.unordered++
		f.l.mu.Unlock()
		if overlap {
			f.remark("ps_overlap", "PS before the PA of the one before")
		}
		r.done = func() {
			f.l.mu.Lock()
			defer f.l.mu.Unlock()
			f.l.unordered--
		}
	}
	r.process = func(x *Exchange) reply {
		if wrong != "" {
			d := refusal(StatusUR, wrong)
			f.l.s.decided(x, d, 0)
			return f.answer(d, echo)
		}
		d, answered := f.l.charge(c)
		if !answered {
			f.remark("no_inquiry", "PR for reservation %s in room %s without an inquiry", c.Reservation, c.Room)
			f.l.s.decided(x, Decision{}, 0)
			return nil
		}
		f.l.s.decided(x, d, 0)
		return f.answer(d, echo)
	}
	f.l.ask(r)
}

// numbered remarks a P# that is none.
func (f *fiasLink) numbered(n int64) {
	v := f.r.Get(fias.PNum)
	switch {
	case f.r.ID() == fias.PS && len(v) == 0:
	case n < 1 || n > 99_999_999:
		f.remark("bad_number", "P#%s: a number from 1 to 99999999", v)
	case v[0] == '0':
		f.remark("padded_number", "P#%s has leading zeros", v)
	}
}

// charge is the record at hand as a Charge; wrong says which field cannot be read.
func (f *fiasLink) charge() (c Charge, wrong string) {
	c = Charge{
		Record: f.r.ID().String(), Type: f.get(fias.PT), Room: f.get(fias.RN), Reservation: strings.TrimSpace(f.get(fias.GNum)), Name: f.get(fias.GN),
		Method: f.get(fias.PM), Override: f.r.Flag(fias.CO), HasTotal: f.r.Has(fias.TA), Dialled: f.get(fias.DD), Check: f.get(fias.CNum),
		Table: f.get(fias.TNum), Period: f.get(fias.ST), Outlet: f.get(fias.SO), Waiter: f.get(fias.ID), Workstation: f.get(fias.WS),
		Text: f.get(fias.CT), Supplement: f.get(fias.X1), Date: f.get(fias.DA), Time: f.get(fias.TI),
	}
	amount := func(t fias.Tag) Amount {
		v := f.r.Get(t)
		if len(v) == 0 {
			return 0
		}
		a, ok := f.r.Amount(t)
		if !ok || bytes.ContainsAny(v, ".,") || a > maxAmount || a < -maxAmount {
			wrong = "FIELD " + t.String()
		}
		return Amount(a)
	}
	family := func(first fias.Tag) (all []Amount) {
		for i := 1; i <= 9; i++ {
			t := fias.Nth(first, i)
			if a := amount(t); a != 0 {
				for len(all) < i-1 {
					all = append(all, 0)
				}
				all = append(all, a)
			}
		}
		return all
	}
	number := func(t fias.Tag) int64 {
		n, ok := f.r.Number(t)
		if f.r.Has(t) && !ok || n > maxPulses || n < 0 {
			wrong = "FIELD " + t.String()
		}
		return n
	}
	c.Total, c.Tip, c.Rounding = amount(fias.TA), amount(fias.TP), amount(fias.Plus0)
	c.Subtotals, c.Discounts, c.Taxes = family(fias.S1), family(fias.D1), family(fias.T1)
	if a := amount(fias.SC); a != 0 {
		c.Services = []Amount{a}
	}
	c.Number, c.Covers, c.Pulses = number(fias.PNum), number(fias.CV), number(fias.MP)
	if v := f.r.Get(fias.DU); len(v) == 6 {
		n := number(fias.DU)
		c.Duration = time.Duration(n/10000)*time.Hour + time.Duration(n/100%100)*time.Minute + time.Duration(n%100)*time.Second
	}
	if bytes.ContainsFunc(f.r.Get(fias.DD), func(r rune) bool { return r < '0' || r > '9' }) {
		wrong = "FIELD DD"
	}
	for t, v := range f.r.Fields() {
		switch t {
		case fias.MA:
			c.Articles = append(c.Articles, ArticleCount{Number: string(v), Count: 1})
		case fias.MNum:
			if n := len(c.Articles); n > 0 {
				count, err := strconv.ParseInt(string(v), 10, 64)
				if err != nil || count > maxArticles {
					count = 0
				}
				c.Articles[n-1].Count = count
			}
		}
	}
	return c, wrong
}

// Bounds of numbers (fias.md 5: M 15, N 10), which keep their sums within 64 bits.
const (
	maxAmount = 999_999_999_999_999
	maxPulses = 9_999_999_999
)

// maxArticles is how many of one article a posting may have.
const maxArticles = 1_000_000

// echo is what an answer gives back of the record at hand.
func (f *fiasLink) echo() map[fias.Tag]string {
	e := map[fias.Tag]string{}
	for _, t := range []fias.Tag{fias.PNum, fias.WS, fias.SO, fias.ID, fias.RN, fias.GNum, fias.GN, fias.CNum, fias.PM} {
		if f.r.Has(t) {
			e[t] = f.get(t)
		}
	}
	return e
}

// answer is PA. Its fields are those that the LR lists; without LR there is none.
func (f *fiasLink) answer(d Decision, echo map[fias.Tag]string) reply {
	now := f.l.s.c.Now()
	v := maps.Clone(echo)
	v[fias.AS], v[fias.CT] = string(d.Status), d.Text
	v[fias.DA], v[fias.TI] = now.Format("060102"), now.Format("150405")
	if d.Posting != nil && v[fias.RN] == "" && d.Posting.Room != "" {
		v[fias.RN] = d.Posting.Room
	}
	return f.fill(fias.PA, v)
}

// fill makes a record of the described fields that v has.
func (f *fiasLink) fill(id fias.Tag, v map[fias.Tag]string) reply {
	fields := f.described(id)
	if fields == nil {
		f.remark("undescribed", "%s without LR is not sent", id)
		return nil
	}
	asked, _ := strconv.ParseInt(v[fias.PNum], 10, 64)
	return func(number int64, form form) [][]byte {
		b := id.AppendTo(nil)
		b = append(b, '|')
		order := slices.Clone(fields)
		if form.reordered {
			rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for _, t := range order {
			s, ok := v[t]
			if form.bare && t != fias.AS && t != fias.PNum {
				continue
			}
			if t == fias.PNum && ok && number != asked {
				s = strconv.FormatInt(number, 10)
			}
			if ok || form.emptyFields {
				b = f.field(b, t, s)
			}
			if form.unknownFields {
				b = append(b, "ZZ?|%1"+t.String()+"|"...)
			}
		}
		return [][]byte{b}
	}
}

// field appends a field as the line has its characters.
func (f *fiasLink) field(b []byte, t fias.Tag, s string) []byte {
	b, _ = f.text.AppendText(t.AppendTo(b), s, 0, false)
	return append(b, '|')
}

// postingRequest is PR: an inquiry or a posting (fias.md 6.2).
func (f *fiasLink) postingRequest() {
	x := f.exchange()
	if x.On == OnPosting {
		if fias.RequestOf(&f.r) == fias.NoRequest {
			echo := f.echo()
			refuse := func(s Status, text string) reply { return f.answer(refusal(s, text), echo) }
			f.l.ask(request{Exchange: x, refuse: refuse, process: func(x *Exchange) reply {
				d := refusal(StatusUR, "NEITHER INQUIRY NOR POSTING")
				f.l.s.decided(x, d, 0)
				return f.answer(d, echo)
			}})
			return
		}
		f.posting()
		return
	}
	f.numbered(x.Number)
	echo := f.echo()
	q := Inquiry{Text: f.get(fias.PI), Card: f.get(fias.Track2)}
	if n, ok := f.r.Number(fias.MX); ok && n > 0 {
		q.Max = int(min(n, maxMatches))
		if n > 9 {
			f.remark("mx_too_long", "MX%d: one digit", n)
		}
	}
	refuse := func(s Status, text string) reply { return f.answer(refusal(s, text), echo) }
	f.l.ask(request{Exchange: x, refuse: refuse, process: func(x *Exchange) reply {
		if m := echo[fias.PM]; m != "" && !slices.Contains(f.l.s.hotel.RoomMethods(), m) {
			d := refusal(StatusUR, "NO INQUIRY FOR "+m)
			f.l.s.decided(x, d, 0)
			return f.answer(d, echo)
		}
		matches := f.l.s.hotel.Find(q)
		if len(matches) == 0 {
			d := refusal(StatusNG, "INVALID ROOM")
			f.l.s.decided(x, d, 0)
			return f.answer(d, echo)
		}
		f.l.found(matches)
		f.l.s.decided(x, Decision{Status: StatusOK}, len(matches))
		return f.list(matches, echo)
	}})
}
