package opera

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/protocol/fias"
)

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
				if s, ok := own[t]; ok && (!form.bare || t == fias.PNum) {
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
				if s, ok := f.l.s.guestField(m, t); (ok || form.emptyFields) && (!form.bare || t == fias.GN) {
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
