package opera

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"aboyeur/protocol/fias"
	"aboyeur/protocol/ifc"
)

// phase is where a FIAS link stands (fias.md 3.9).
type phase string

const (
	started    phase = "started"    // LS is out
	describing phase = "describing" // LD came
	running    phase = "alive"      // LA both ways
	ended      phase = "ended"      // serial: LE was exchanged
)

// fiasLink is FIAS on one connection.
type fiasLink struct {
	l     *link
	codec fias.Codec
	text  *fias.Encoding
	r     fias.Record // of take

	mu      sync.Mutex // guards what follows
	phase   phase
	was     bool // alive once on this connection
	fields  map[fias.Tag][]fias.Tag
	iface   string
	version string
	request int64     // RT of LD
	ls      string    // DA and TI of the last LS sent, which IfcAuthKey seals
	heard   time.Time // last LS of the vendor
	again   *alarm    // serial: the next LS
}

func newFIAS(l *link) speaker {
	enc, _ := fias.NewEncoding(l.s.c.Encoding) // checked
	return &fiasLink{l: l, text: enc, codec: fias.Codec{Encoding: enc, Location: l.s.c.Now().Location()}, phase: started, fields: map[fias.Tag][]fias.Tag{}}
}

func (f *fiasLink) connected() {
	if _, ok := f.l.s.faults.use(NoLinkStart, f.l.p.Name); !ok {
		f.start()
	}
}

// start sends LS: the vendor has to describe the link now.
func (f *fiasLink) start() {
	f.mu.Lock()
	f.phase = started
	now := f.l.s.c.Now()
	f.ls = now.Format("060102150405")
	f.mu.Unlock()
	f.push(append(f.stamped(fias.LS, now), '|'))
}

// stamped is a record of DA and TI, without its last bar.
func (f *fiasLink) stamped(id fias.Tag, at time.Time) []byte {
	b := id.AppendTo(nil)
	b = at.AppendFormat(append(b, "|DA"...), "060102")
	return at.AppendFormat(append(b, "|TI"...), "150405")
}

func (f *fiasLink) say(id fias.Tag) { f.push(append(f.stamped(id, f.l.s.c.Now()), '|')) }

func (f *fiasLink) push(record []byte) {
	if record != nil {
		f.l.out.push(item{record: record}, false)
	}
}

func (f *fiasLink) restart() { f.start() }

func (f *fiasLink) farewell() bool { f.say(fias.LE); return true }

// broken is a serial line whose other end does not answer: LS again, for ever (fias.md 1.4).
func (f *fiasLink) broken() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.phase = started
	f.again.stop()
	f.again = f.l.s.alarms.after(serialPause, f.start)
}

// serialPause is between the last ENQ and the next LS.
const serialPause = 3 * time.Second

func (f *fiasLink) gone() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.again.stop()
}

func (f *fiasLink) alive() bool { return f.state() == string(running) }

func (f *fiasLink) state() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.phase)
}

func (f *fiasLink) vendor() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.TrimSpace(f.iface + " " + f.version)
}

func (f *fiasLink) records() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, id := range slices.Sorted(maps.Keys(f.fields)) {
		s := id.String() + " "
		for _, t := range f.fields[id] {
			s += t.String()
		}
		all = append(all, s)
	}
	return all
}

// described is the field list of a record, nil if it has no LR.
func (f *fiasLink) described(id fias.Tag) []fias.Tag {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fields[id]
}

func (f *fiasLink) remark(code, format string, args ...any) {
	f.l.s.remark(f.l.p.Name, code, fmt.Sprintf(format, args...))
}

func (f *fiasLink) take(record []byte) {
	if err := fias.Parse(record, &f.r); err != nil {
		f.remark("bad_record", "%.40q: %v", record, err)
		return
	}
	if f.r.Odd() > 0 {
		f.remark("odd_field", "%s has %d pieces without a field name", f.r.ID(), f.r.Odd())
	}
	f.mu.Lock()
	at := f.phase
	f.mu.Unlock()
	switch id := f.r.ID(); id {
	case fias.LE:
		f.end()
	case fias.LS:
		f.linkStart()
	case fias.LD:
		f.linkDescription()
	case fias.LR:
		if at == started || at == ended {
			f.remark("before_alive", "LR before LD")
			f.start()
			return
		}
		f.linkRecord()
	case fias.LA:
		switch at {
		case started, ended:
			f.remark("before_alive", "LA before LD")
			f.start()
		case describing:
			f.linkAlive()
		}
	default:
		if at != running {
			f.remark("before_alive", "%s before the link was alive", id)
			f.ignored()
			if at != describing {
				f.start()
			}
			return
		}
		f.data()
	}
}

// end answers LE with LE and ends the connection; on a serial line it waits for the vendor to begin again (fias.md 3.4).
func (f *fiasLink) end() {
	if f.l.saidGoodbye() {
		f.l.wire.Close()
		return
	}
	f.mu.Lock()
	f.phase = ended
	f.mu.Unlock()
	it := item{record: append(f.stamped(fias.LE, f.l.s.c.Now()), '|')}
	if !f.l.p.serial {
		it.done = func(bool) { f.l.wire.Close() }
	}
	f.l.out.push(it, false)
}

func (f *fiasLink) linkStart() {
	now := f.l.s.c.Now()
	f.mu.Lock()
	often := f.was && !f.heard.IsZero() && now.Sub(f.heard) < aliveCheck
	f.heard = now
	alive := f.phase == running
	f.mu.Unlock()
	if often {
		f.remark("ls_too_often", "LS more than once in five minutes")
	}
	if alive {
		f.say(fias.LA)
		return
	}
	f.start()
}

// aliveCheck is how often a vendor may ask whether the link is alive (fias.md 1.5).
const aliveCheck = 5 * time.Minute

func (f *fiasLink) linkDescription() {
	f.mu.Lock()
	f.phase = describing
	f.fields = map[fias.Tag][]fias.Tag{}
	f.iface, f.version = string(f.r.Get(fias.IF)), string(f.r.Get(fias.VNum))
	f.request, _ = f.r.Number(fias.RT)
	ls := f.ls
	f.mu.Unlock()
	if !f.r.Has(fias.IF) || !f.r.Has(fias.VNum) {
		f.remark("ld_incomplete", "LD without IF or V#")
	}
	f.dated()
	if err := f.authentic(ls); err != nil {
		f.remark("auth_failed", "%v", err)
		s := f.l.s
		s.mu.Lock()
		s.authFailed = true
		s.mu.Unlock()
		s.log.Warn("vendor is not authentic; nobody is let in until somebody reauthenticates", "link", f.l.p.Name, "err", err)
		f.l.wire.Close()
	}
}

// authentic checks CG where a key is set (fias.md 3.8).
func (f *fiasLink) authentic(ls string) error {
	key := f.l.s.key
	if key == nil || !f.r.Has(fias.CG) {
		return nil // no CG: IFC does not check
	}
	if n, ok := f.r.Number(fias.RT); !ok || n < 1 {
		return errors.New("CG without RT")
	}
	return checkCryptogram(key, string(f.r.Get(fias.CG)), ls)
}

func (f *fiasLink) linkRecord() {
	ri, fl := f.r.Get(fias.RI), f.r.Get(fias.FL)
	if len(ri) != 2 || len(fl)%2 != 0 || len(fl) == 0 {
		f.remark("lr_malformed", "%.60q: write LR|RIxx|FL.. with two characters a field", f.r.Raw())
		return
	}
	id := fias.TagOf(string(ri))
	var fields []fias.Tag
	for ; len(fl) > 0; fl = fl[2:] {
		fields = append(fields, fias.TagOf(string(fl[:2])))
	}
	f.mu.Lock()
	_, twice := f.fields[id]
	if len(f.fields) < maxDescribed {
		f.fields[id] = fields
	}
	f.mu.Unlock()
	if twice {
		f.remark("lr_twice", "two LR for %s", id)
	}
	for _, m := range mandatory[id] {
		if !slices.Contains(fields, m) {
			f.remark("lr_incomplete", "LR of %s does not list %s", id, m)
		}
	}
}

// maxDescribed bounds the record types of a link.
const maxDescribed = 200

// mandatory are the fields that must be in a field list (fias.md 4.2).
var mandatory = map[fias.Tag][]fias.Tag{
	fias.GI: {fias.RN, fias.GNum, fias.GS},
	fias.GC: {fias.RN, fias.GNum, fias.GS},
	fias.GO: {fias.RN, fias.GNum, fias.GS},
	fias.PS: {fias.DA, fias.TI, fias.RN, fias.PT},
	fias.PR: {fias.PM, fias.PNum, fias.WS},
	fias.PL: {fias.RN, fias.GNum, fias.GN, fias.PNum, fias.WS},
	fias.PA: {fias.AS, fias.DA, fias.TI, fias.RN},
}

// linkAlive ends the description; without any LR, LS comes again instead of LA (fias.md 3.3).
func (f *fiasLink) linkAlive() {
	f.mu.Lock()
	none, rt := len(f.fields) == 0, f.request
	f.mu.Unlock()
	_, never := f.l.s.faults.use(NoLinkAlive, f.l.p.Name)
	if none {
		f.remark("no_lr", "LA without a single LR")
	}
	if none || never {
		f.start()
		return
	}
	if rt > 0 {
		f.push(f.configuration(rt))
	}
	f.say(fias.LA)
	f.l.becomeAlive(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.phase, f.was = running, true
	})
}

// configuration is LC, as RT asks for it (fias.md 3.7).
func (f *fiasLink) configuration(rt int64) []byte {
	h := f.l.s.hotel
	b := []byte("LC|")
	for _, part := range []struct {
		bit   int64
		field string
	}{
		{1, "RP" + strings.Join(h.RoomMethods(), ",")}, {128, "A060;10"}, {4, "A1" + h.f.Version}, {16, "A2" + ifcVersion}, {32, "A3" + driverVersion},
	} {
		if rt&part.bit != 0 {
			b = append(append(b, part.field...), '|')
		}
	}
	return append(b, "PH"+h.ID()+"|"...)
}

// Versions of the interface program, as LC tells them.
const (
	ifcVersion    = "8.14.7.0"
	driverVersion = "2.20.24"
)

// dated remarks a date or time that is none.
func (f *fiasLink) dated() {
	if (f.r.Has(fias.DA) || f.r.Has(fias.TI)) && f.r.Moment(f.codec).IsZero() {
		f.remark("bad_date", "%s: DA%s TI%s is no YYMMDD and HHMMSS", f.r.ID(), f.r.Get(fias.DA), f.r.Get(fias.TI))
	}
}

// exchange is what the record at hand asks.
func (f *fiasLink) exchange() Exchange {
	x := Exchange{On: OnOther, Record: f.r.ID().String(), Room: f.get(fias.RN), Reservation: f.get(fias.GNum)}
	x.Number, _ = f.r.Number(fias.PNum)
	total, _ := f.r.Amount(fias.TA)
	x.Total = Amount(total)
	switch f.r.ID() {
	case fias.PS:
		x.On = OnPosting
	case fias.PR:
		x.On = OnPosting
		if fias.RequestOf(&f.r) == fias.InquiryRequest {
			x.On, x.Room = OnInquiry, f.get(fias.PI)
		}
	}
	return x
}

// ignored notes a request that got nothing since the link does not carry it.
func (f *fiasLink) ignored() {
	switch f.r.ID() {
	case fias.PR, fias.PS, fias.DR:
		x := f.exchange()
		x.At, x.Link, x.Connection, x.Fate = f.l.s.c.Now(), f.l.p.Name, f.l.n, Open
		f.l.s.keepExchange(&x)
		f.l.s.fate(&x, Ignored)
	}
}

func (f *fiasLink) get(t fias.Tag) string { return f.r.Text(t, f.codec) }

// data is a record of a link that is alive.
func (f *fiasLink) data() {
	id := f.r.ID()
	if id == fias.DR {
		f.resync()
		return
	}
	fields := f.described(id)
	if fields == nil {
		f.remark("undescribed", "%s without LR is ignored", id)
		f.ignored()
		return
	}
	f.dated()
	for t, v := range f.r.Fields() {
		if !slices.Contains(fields, t) {
			f.remark("field_undescribed", "%s carries %s, which its LR does not list", id, t)
		}
		if bytes.ContainsFunc(v, func(r rune) bool { return r < ' ' }) {
			f.remark("control_byte", "%s %s holds a control byte", id, t)
		}
	}
	f.tooLong()
	switch id {
	case fias.PR:
		f.postingRequest()
	case fias.PS:
		f.posting()
	default:
		f.aside()
	}
}

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

// decided notes what the hotel decided on x.
func (s *Simulator) decided(x *Exchange, d Decision, matches int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.Status, x.Text, x.Matches = d.Status, d.Text, matches
	if d.Posting != nil {
		x.Booked = d.Posting.N
	}
}

// charge books c or says why not. answered is false where nothing is answered: a guest who was not inquired.
func (l *link) charge(c Charge) (d Decision, answered bool) {
	s := l.s
	room := c.Method == "" || slices.Contains(s.hotel.RoomMethods(), c.Method)
	if room && c.Record != "PS" && c.Reservation != "" && !l.inquired(c.Room, c.Reservation) {
		if !s.c.AnswerUninquired {
			return Decision{}, false
		}
		return refusal(StatusUR, "NO INQUIRY"), true
	}
	repeat := c.Number != 0 && l.p.repeated(c.Number)
	if repeat {
		s.remark(l.p.Name, "number_reused", fmt.Sprintf("a second posting has the number %d", c.Number))
		if s.c.RefuseRepeats {
			return refusal(StatusUR, "NUMBER REUSED"), true
		}
	}
	d = s.hotel.Post(c, l.p.Name, repeat, s.c.Now())
	s.write(d.Posting)
	return d, true
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

// maxMatches bounds MX.
const maxMatches = 99

// onceOnly are the fields of PL that belong to the record and not to a guest (fias.md 6.4).
var onceOnly = []fias.Tag{fias.CNum, fias.DA, fias.ID, fias.PNum, fias.PM, fias.SO, fias.TI, fias.WS}

// list is PL: the record's own fields, a block a guest that begins with RN and G#, and P#.
func (f *fiasLink) list(matches []Match, echo map[fias.Tag]string) reply {
	fields := f.described(fias.PL)
	if fields == nil {
		f.remark("undescribed", "PL without LR is not sent")
		return nil
	}
	now := f.l.s.c.Now()
	once := maps.Clone(echo)
	for _, t := range []fias.Tag{fias.RN, fias.GNum, fias.GN} {
		delete(once, t)
	}
	once[fias.DA], once[fias.TI] = now.Format("060102"), now.Format("150405")
	asked, _ := strconv.ParseInt(once[fias.PNum], 10, 64)
	return func(number int64, form form) [][]byte {
		own := map[fias.Tag]string{}
		maps.Copy(own, once)
		if number != asked {
			own[fias.PNum] = strconv.FormatInt(number, 10)
		}
		var head, perGuest []fias.Tag
		for _, t := range fields {
			switch {
			case slices.Contains(onceOnly, t):
				head = append(head, t)
			case t != fias.RN && t != fias.GNum:
				perGuest = append(perGuest, t)
			}
		}
		if form.reordered {
			rand.Shuffle(len(head), func(i, j int) { head[i], head[j] = head[j], head[i] })
			rand.Shuffle(len(perGuest), func(i, j int) { perGuest[i], perGuest[j] = perGuest[j], perGuest[i] })
		}
		b := []byte("PL|")
		put := func(tags []fias.Tag) {
			for _, t := range tags {
				if s, ok := own[t]; ok {
					b = f.field(b, t, s)
				}
			}
		}
		last := []fias.Tag{fias.PNum}
		if form.guestFirst {
			last = slices.SortedFunc(slices.Values(head), func(a, b fias.Tag) int { return strings.Compare(a.String(), b.String()) })
		} else {
			put(slices.DeleteFunc(slices.Clone(head), func(t fias.Tag) bool { return t == fias.PNum }))
		}
		if form.unknownFields {
			b = append(b, "ZZ?|%1x|"...)
		}
		for _, m := range matches {
			from := len(b)
			if form.guestFirst {
				b = f.field(b, fias.GNum, m.Reservation)
				b = f.field(b, fias.RN, m.Room)
			} else {
				b = f.field(b, fias.RN, m.Room)
				b = f.field(b, fias.GNum, m.Reservation)
			}
			for _, t := range perGuest {
				if s, ok := f.l.s.guestField(m, t); ok || form.emptyFields {
					b = f.field(b, t, s)
				}
			}
			if form.unknownFields {
				b = append(b, "Z9guest|"...)
			}
			if len(b) > fias.MaxRecord-100 { // room for what comes last
				b = b[:from]
				break
			}
		}
		put(last)
		return [][]byte{b}
	}
}

// guestField is what a guest has for a field of PL, GI or GC.
func (s *Simulator) guestField(m Match, t fias.Tag) (string, bool) {
	date := func(v string) string {
		d, err := time.Parse(time.DateOnly, v)
		if err != nil {
			return ""
		}
		return d.Format("060102")
	}
	money := func(a Amount) string {
		if s.hotel.f.IntegerLimits {
			return strconv.FormatInt(int64(a), 10)
		}
		return a.Decimal()
	}
	flag := func(v bool) string {
		if v {
			return "Y"
		}
		return "N"
	}
	var v string
	switch t {
	case fias.GN:
		v = m.FullName
	case fias.GF:
		v = m.First
	case fias.GT:
		v = m.Title
	case fias.GV:
		v = m.VIP
	case fias.GL:
		v = m.Language
	case fias.GG:
		v = m.Group
	case fias.GPlus:
		v = m.Profile
	case fias.GA:
		v = date(m.Arrival)
	case fias.GD:
		v = date(m.Departure)
	case fias.NP:
		v = flag(m.NoPost)
	case fias.CL:
		if m.Limit > 0 {
			v = money(m.Limit)
		}
	case fias.BA:
		v = money(m.Owing)
	default:
		if n := int(t) - int(fias.A0); n >= 0 && n < len(m.References) {
			v = m.References[n]
		}
	}
	return v, v != ""
}

// resync is DR: everything in the house between DS and DE (fias.md 7). Real-time records may stand among them; none is lost
// or overtaken.
func (f *fiasLink) resync() {
	x := f.exchange()
	f.l.ask(request{
		Exchange: x,
		refuse:   func(Status, string) reply { return nil },
		process: func(x *Exchange) reply {
			s, name := f.l.s, f.l.p.Name
			if _, ok := s.faults.use(SwapIgnored, name); ok {
				return nil
			}
			_, mixed := s.faults.use(SwapMixed, name)
			_, endless := s.faults.use(SwapEndless, name)
			s.moving.Lock()
			defer s.moving.Unlock()
			f.say(fias.DS)
			swap := s.hotel.Swap()
			for i, c := range swap {
				f.change(c)
				if mixed && i%3 == 1 && !c.Empty {
					c.Kind, c.Swap = Changed, false
					f.change(c)
				}
			}
			s.decided(x, Decision{Status: StatusOK}, len(swap))
			if endless {
				return nil
			}
			return func(int64, form) [][]byte {
				return [][]byte{append(f.stamped(fias.DE, s.c.Now()), '|')}
			}
		},
	})
}

// change tells of a guest. With Simulator.moving held.
func (f *fiasLink) change(c Change) {
	if c.Kind == Changed && c.From != "" && f.l.s.c.RoomBased {
		out, in := c, c
		out.Kind, out.Guest.Room, out.Share = CheckedOut, c.From, c.Left
		in.Kind, in.From = CheckedIn, ""
		f.push(f.guest(out))
		f.push(f.guest(in))
		return
	}
	f.push(f.guest(c))
}

// guest is GI, GC or GO; nil if it has no LR.
func (f *fiasLink) guest(c Change) []byte {
	id := map[ChangeKind]fias.Tag{CheckedIn: fias.GI, Changed: fias.GC, CheckedOut: fias.GO}[c.Kind]
	fields := f.described(id)
	if fields == nil {
		return nil
	}
	share := func(v bool) string {
		if v {
			return "Y"
		}
		return "N"
	}
	now := f.l.s.c.Now()
	listed := func(t fias.Tag) bool { return slices.Contains(fields, t) }
	b := append(id.AppendTo(nil), '|')
	m := Match{Guest: c.Guest, FullName: c.Name}
	for _, t := range fields {
		switch t {
		case fias.RN:
			b = f.field(b, t, c.Guest.Room)
			if id == fias.GC && listed(fias.GS) { // GS belongs to the room before it (fias.md 2)
				b = f.field(b, fias.GS, share(c.Share))
			}
		case fias.GS:
			if id != fias.GC {
				b = f.field(b, t, share(c.Share))
			}
		case fias.GNum:
			if !c.Empty {
				b = f.field(b, t, c.Guest.Reservation)
			}
		case fias.SF:
			if c.Swap {
				b = f.field(b, t, "")
			}
		case fias.RO:
			if c.From != "" {
				b = f.field(b, t, c.From)
				if listed(fias.GS) {
					b = f.field(b, fias.GS, share(c.Left))
				}
			}
		case fias.DA:
			b = f.field(b, t, now.Format("060102"))
		case fias.TI:
			b = f.field(b, t, now.Format("150405"))
		case fias.GN, fias.GPlus:
			if id == fias.GO {
				continue // never (fias.md 4.2)
			}
			fallthrough
		default:
			if c.Empty || id == fias.GO && t != fias.WS || t == fias.CL || t == fias.BA {
				continue
			}
			if s, ok := f.l.s.guestField(m, t); ok {
				b = f.field(b, t, s)
			}
		}
	}
	return b
}

func (f *fiasLink) night(begins bool) {
	id := fias.NE
	if begins {
		id = fias.NS
	}
	if f.described(id) != nil {
		f.say(id)
	}
}

// noise is a record that means nothing here, or too much.
func (f *fiasLink) noise(what Fault) []byte {
	switch what.Kind {
	case LongRecord:
		b := []byte("GC|RN0000|G#1|GN")
		return append(append(b, strings.Repeat("x", what.Bytes)...), '|')
	case ManyFields:
		b := []byte("PL|")
		for len(b) < what.Bytes {
			b = append(b, "RN1|G#1|"...)
		}
		return b
	}
	return []byte("ZZ|Z1unknown|RN101|")
}

// tooLong remarks fields beyond their limits.
func (f *fiasLink) tooLong() {
	if n := len(f.r.Raw()); n > fias.MaxRecord {
		f.remark("record_too_long", "%s of %d bytes: at most %d", f.r.ID(), n, fias.MaxRecord)
	}
	for t, v := range f.r.Fields() {
		field, ok := fias.FieldOf(f.r.ID(), t)
		if n := utf8.RuneCountInString(strings.TrimPrefix(f.text.Decode(v), "-")); ok && field.Max > 0 && n > field.Max {
			f.remark("field_too_long", "%s %s has %d characters: at most %d", f.r.ID(), t, n, field.Max)
		}
	}
}

// checkEncoding says whether a dialect can be in an encoding.
func checkEncoding(d Dialect, name string) error {
	if d == XMLPOS {
		_, err := xmlCharset(name)
		return err
	}
	_, err := fias.NewEncoding(name)
	return err
}

// peeked is what a cut that waits for a request wants to know of a record.
type peeked struct {
	on     On
	room   string
	number int64
}

// peek looks into a record of either dialect, without its STX and with what follows its ETX.
func peek(b []byte) peeked {
	if i := bytes.IndexByte(b, ifc.ETX); i >= 0 {
		b = b[:i]
	}
	if x, ok := peekXML(b); ok {
		return x
	}
	var f fiasLink
	if fias.Parse(b, &f.r) != nil {
		return peeked{}
	}
	switch f.r.ID() {
	case fias.LS, fias.LA, fias.LD, fias.LR, fias.LE:
		return peeked{}
	}
	x := f.exchange()
	return peeked{x.On, x.Room, x.Number}
}
