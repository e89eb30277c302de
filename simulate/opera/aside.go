package opera

import (
	"maps"
	"strconv"

	"aboyeur/protocol/fias"
)

// aside is what a vendor may ask besides postings: bills, check-out by the guest, locators, room equipment, wake-ups,
// messages (fias.md 4.1). What is only told is noted or dropped without an answer.
func (f *fiasLink) aside() {
	x := f.exchange()
	echo := f.echo()
	h := f.l.s.hotel
	// plain answers with one record of id.
	plain := func(id fias.Tag, what func(x *Exchange, v map[fias.Tag]string) Status) {
		answer := func(s Status, text string, v map[fias.Tag]string) reply {
			now := f.l.s.c.Now()
			v[fias.AS] = string(s)
			if text != "" {
				v[fias.CT] = text
			}
			if v[fias.DA] == "" {
				v[fias.DA], v[fias.TI] = now.Format("060102"), now.Format("150405")
			}
			return f.fill(id, v)
		}
		f.l.ask(request{
			Exchange: x,
			refuse:   func(s Status, text string) reply { return answer(s, text, maps.Clone(echo)) },
			process: func(x *Exchange) reply {
				v := maps.Clone(echo)
				s := what(x, v)
				f.l.s.decided(x, Decision{Status: s, Text: v[fias.CT]}, 0)
				return answer(s, "", v)
			},
		})
	}
	switch f.r.ID() {
	case fias.XR:
		f.bill(x, echo)
	case fias.XC:
		balance, _ := f.r.Amount(fias.BA)
		plain(fias.XC, func(x *Exchange, v map[fias.Tag]string) Status {
			f.l.s.moving.Lock()
			defer f.l.s.moving.Unlock()
			s, c := h.CheckOutPaid(x.Room, x.Reservation, Amount(balance))
			v[fias.CT] = map[Status]string{StatusOK: "THANK YOU", StatusNG: "GUEST NOT FOUND", "CD": "NOT LEAVING TODAY", "BM": "BALANCE CHANGED"}[s]
			if s == StatusOK {
				f.l.s.tell(c)
			}
			return s
		})
	case fias.RE:
		what := map[string]string{}
		for t, v := range f.r.Fields() {
			if t != fias.RN {
				what[t.String()] = f.text.Decode(v)
			}
		}
		if !h.Equip(x.Room, what) {
			f.remark("unknown_room", "RE for room %q", x.Room)
		}
	case fias.LO:
		h.locate(x.Reservation, f.get(fias.CT), f.get(fias.LT))
	case fias.LF:
		h.locate(x.Reservation, "", "")
	case fias.LP:
		plain(fias.LP, func(x *Exchange, v map[fias.Tag]string) Status {
			place, until := h.located(x.Reservation)
			if place == "" {
				return "NM"
			}
			v[fias.CT], v[fias.LT] = place, until
			return StatusOK
		})
	case fias.XM: // nobody writes messages here: XT without MI and MT
		f.l.ask(request{
			Exchange: x,
			refuse:   func(Status, string) reply { return nil },
			process: func(x *Exchange) reply {
				f.l.s.decided(x, Decision{Status: "NM"}, 0)
				return f.fill(fias.XT, echo)
			},
		})
	case fias.WR, fias.WC:
		at, on := f.get(fias.TI), f.get(fias.DA)
		plain(fias.WA, func(x *Exchange, v map[fias.Tag]string) Status {
			v[fias.DA], v[fias.TI] = on, at // the wake-up's own time
			if !h.hasRoomLocked(x.Room) {
				return StatusNG
			}
			return StatusOK
		})
	case fias.CK:
		plain(fias.PA, func(x *Exchange, v map[fias.Tag]string) Status {
			v[fias.CT] = statusTexts[StatusUR]
			return StatusUR
		})
	}
}

// bill answers XR with an XI for each posting and the balance in XB.
func (f *fiasLink) bill(x Exchange, echo map[fias.Tag]string) {
	refuse := func(s Status, text string) reply {
		v := maps.Clone(echo)
		v[fias.AS], v[fias.BA] = string(s), "0"
		return f.fill(fias.XB, v)
	}
	f.l.ask(request{Exchange: x, refuse: refuse, process: func(x *Exchange) reply {
		balance, lines, ok := f.l.s.hotel.Bill(x.Room, x.Reservation)
		if !ok {
			f.l.s.decided(x, Decision{Status: StatusUR}, 0)
			return refuse(StatusUR, "")
		}
		f.l.s.decided(x, Decision{Status: StatusOK}, len(lines))
		var parts []reply
		for _, p := range lines {
			v := maps.Clone(echo)
			v[fias.FNum], v[fias.FD], v[fias.DC] = "1", "Y", p.Outlet
			v[fias.BI], v[fias.BD] = strconv.FormatInt(int64(p.Total), 10), p.Text
			if p.Text == "" {
				v[fias.BD] = "Check " + p.Check
			}
			v[fias.DA], v[fias.TI] = p.At.Format("060102"), p.At.Format("150405")
			parts = append(parts, f.fill(fias.XI, v))
		}
		now := f.l.s.c.Now()
		v := maps.Clone(echo)
		v[fias.BA] = strconv.FormatInt(int64(balance), 10)
		v[fias.DA], v[fias.TI] = now.Format("060102"), now.Format("150405")
		parts = append(parts, f.fill(fias.XB, v))
		return func(number int64, how form) (all [][]byte) {
			for _, p := range parts {
				if p != nil {
					all = append(all, p(number, how)...)
				}
			}
			return all
		}
	}})
}

// A place is where a guest said to be found.
type place struct{ text, until string }

// locate notes where a guest is; "" is nowhere.
func (h *Hotel) locate(reservation, text, until string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.guests[reservation] == nil {
		return
	}
	if text == "" {
		delete(h.places, reservation)
		return
	}
	h.places[reservation] = place{text, until}
}

// located tells where a guest is and until when, HHMM.
func (h *Hotel) located(reservation string) (text, until string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.places[reservation]
	return p.text, p.until
}

func (h *Hotel) hasRoomLocked(number string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hasRoom(number)
}
