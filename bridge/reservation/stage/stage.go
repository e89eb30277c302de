// Package stage tells how far a party's meal has come: a pure function of what happened at its checks, of what the venue's
// groups mean, and of the stages that a platform knows (spec/reservations.md 3).
package stage

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"

	"aboyeur/protocol/booking"
)

// Kind is what happened at a check of the party.
type Kind uint8

// Kinds of happenings. Whatever else happens at a check says nothing of the meal: a payment, a voided line, a check that was
// opened again.
const (
	Seated   Kind = iota + 1 // a check was opened for the party, or found to be its
	Ordered                  // Lines came
	Cleared                  // staff cleared the table
	Billed                   // a bill was printed
	Closed                   // a check was closed
	Bussing                  // the table is being cleaned
	Finished                 // and is free
)

// A Line is as much of a line as says what kind of dish it is.
type Line struct {
	Group    string // value of its statistic category
	Category string // accounting group, where the first says nothing
	Course   int    // as the POS counts courses
	Voided   bool
}

// A Happening is one thing that happened at a party's checks.
type Happening struct {
	Kind  Kind
	Lines []Line // of Ordered
	Open  bool   // of Closed: another check of the party is open
	Due   int64  // of Closed: what is left to pay on all of them
}

// Rules are what a venue and a platform make of happenings.
type Rules struct {
	Courses []Course        // what the groups mean
	Numbers bool            // a line without a known group counts by its course number
	Regress bool            // a course ordered after the bill takes the stage back to it
	Have    []booking.Stage // the stages that the platform knows; nil: all
}

// A Course is the groups that stand for a stage. A group is in one of them only.
type Course struct {
	Stage  booking.Stage `json:"status" enum:"drinks,appetizer,entree,dessert"`
	Groups []Group       `json:"groups"`
}

// A Group is a statistic category of the POS and the value that the line carries; the value alone is compared.
type Group struct {
	Category string `json:"category,omitzero"`
	Value    string `json:"value"`
}

// MarshalJSONTo writes a group without a category as its value alone, as the configuration does.
func (g Group) MarshalJSONTo(e *jsontext.Encoder) error {
	if g.Category == "" {
		return e.WriteToken(jsontext.String(g.Value))
	}
	type plain Group
	return json.MarshalEncode(e, plain(g))
}

// UnmarshalJSONFrom reads either form.
func (g *Group) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*g = Group{}
	if d.PeekKind() == '"' {
		return json.UnmarshalDecode(d, &g.Value)
	}
	type plain Group
	return json.UnmarshalDecode(d, (*plain)(g))
}

// Of is the stage that a line stands for, "" for none: by its group, else by its accounting group, else by its course number
// where the rules say so (spec/pos.md 5).
func (r *Rules) Of(l Line) booking.Stage {
	for _, text := range [...]string{l.Group, l.Category} {
		if text = Normal(text); text == "" {
			continue
		}
		for i := range r.Courses {
			for _, g := range r.Courses[i].Groups {
				if Normal(g.Value) == text {
					return r.Courses[i].Stage
				}
			}
		}
	}
	if r.Numbers {
		switch l.Course {
		case 0:
			return booking.Drinks
		case 1:
			return booking.Appetizer
		case 2:
			return booking.Entree
		case 3:
			return booking.Dessert
		}
	}
	return ""
}

// Normal is the form in which groups are compared: composed, without blanks around it, case as it is.
func Normal(group string) string { return strings.TrimSpace(norm.NFC.String(group)) }

// Progress is how far a party has come, and what its platform was told of that. The zero Progress is before the first.
type Progress struct {
	Now  booking.Stage   `json:"now,omitzero"`  // the stage reached
	Told []booking.Stage `json:"told,omitzero"` // stages of the platform that it was told, in that order
}

// Next takes a happening and gives the progress after it and the stage that the platform is to be told, "" for none.
//
// A stage is told once and never after a higher one; of several at once only the highest is. One that the platform does not
// know is told as the nearest lower one it knows. Paid is told of nothing but payment: it needs every check closed and nothing left to pay.
func (r *Rules) Next(p Progress, h Happening) (Progress, booking.Stage) {
	reached := r.reached(h)
	if reached == "" {
		return p, ""
	}
	if reached.Rank() <= p.Now.Rank() {
		if !r.Regress || p.Now != booking.CheckDropped || !reached.Course() {
			return p, ""
		}
		// The party goes on eating: what lies above may come again.
		var told []booking.Stage
		for _, s := range p.Told {
			if s.Rank() < reached.Rank() {
				told = append(told, s)
			}
		}
		p.Told = told
	}
	p.Now = reached
	tell := r.spoken(reached)
	for _, s := range p.Told {
		if s == tell {
			return p, ""
		}
	}
	if tell != "" {
		p.Told = append(append([]booking.Stage(nil), p.Told...), tell)
	}
	return p, tell
}

// spoken is the stage of the platform's that stands for s, "" for none. A table that is cleaned or free says nothing of
// money: paid does not stand for it.
func (r *Rules) spoken(s booking.Stage) booking.Stage {
	if r.Have == nil {
		return s
	}
	tell := s.Nearest(r.Have)
	if s.Rank() > booking.Paid.Rank() && tell.Rank() <= booking.Paid.Rank() {
		return ""
	}
	return tell
}

// reached is the stage that a happening alone stands for.
func (r *Rules) reached(h Happening) booking.Stage {
	switch h.Kind {
	case Seated:
		return booking.AtTable
	case Ordered:
		var highest booking.Stage
		for _, l := range h.Lines {
			if s := r.Of(l); !l.Voided && s.Rank() > highest.Rank() {
				highest = s
			}
		}
		return highest
	case Cleared:
		return booking.Cleared
	case Billed:
		return booking.CheckDropped
	case Closed:
		if !h.Open && h.Due == 0 {
			return booking.Paid
		}
	case Bussing:
		return booking.Bussing
	case Finished:
		return booking.Finished
	}
	return ""
}

// CatchUp gives what the platform is to be told of a stage that was reached while it was not listening; "" when it knows.
func (r *Rules) CatchUp(p Progress) (Progress, booking.Stage) {
	tell := r.spoken(p.Now)
	if p.Now == "" || tell == "" {
		return p, ""
	}
	for _, s := range p.Told {
		if s.Rank() >= tell.Rank() {
			return p, ""
		}
	}
	p.Told = append(append([]booking.Stage(nil), p.Told...), tell)
	return p, tell
}
