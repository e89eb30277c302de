package opera

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"aboyeur/protocol/fias"
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
	f.l.becomeAlive(func() {
		f.mu.Lock()
		f.phase, f.was = running, true
		f.mu.Unlock()
		f.say(fias.LA) // who hears it finds the link alive
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
