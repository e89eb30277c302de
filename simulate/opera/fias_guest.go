package opera

import (
	"slices"

	"aboyeur/protocol/fias"
)

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
