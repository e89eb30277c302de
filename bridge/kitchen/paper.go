package kitchen

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/protocol/escpos"
)

// paper renders tickets for one printer: its columns, its code pages, its language.
type paper struct {
	words     words.Paper
	catalogue *words.Catalogue
	courses   []string
	location  *time.Location
	encoders  *sync.Pool // of *escpos.Encoder: a plan renders on whatever goroutine took the order
}

func newPaper(c PrinterConfig, courses []string, location *time.Location) paper {
	return paper{
		words: c.Words.Paper(), catalogue: c.Words, courses: courses, location: location,
		encoders: &sync.Pool{New: func() any { return escpos.NewEncoder(c.Profile, c.Words.Lang()) }},
	}
}

// name is what people call the ticket: the partner's words first, since the courier says those.
func (p *paper) name(t *Ticket) string {
	if t.ID.IsZero() {
		return "" // a test page
	}
	name := "#" + strconv.Itoa(t.Number)
	if t.Table != "" {
		name += " " + p.words.Table + " " + t.Table
	}
	if t.Partner.OrderID != "" {
		name += " " + strings.TrimSpace(t.Partner.Name+" "+t.Partner.OrderID)
	}
	return name
}

// render gives the ticket's body, without the envelope that the driver puts around it. instead names the station's own
// printer when another prints in its place.
func (p *paper) render(t *Ticket, instead string) []byte {
	e := p.encoders.Get().(*escpos.Encoder)
	defer p.encoders.Put(e)
	e.Reset(make([]byte, 0, 1024))
	w := &p.words

	if instead != "" {
		e.Align(escpos.AlignCentre)
		e.Set(escpos.Style{Alert: true, Height: 2, Width: 2})
		e.Line(words.Fill(w.For, strings.ToUpper(t.Station)))
		e.Plain()
		e.Align(escpos.AlignLeft)
	}
	e.Bold(true)
	e.Columns(strings.ToUpper(t.Station), t.At.In(p.location).Format("15:04"))
	e.Plain()
	p.head(e, t)
	p.alerts(e, t)
	e.Rule('-')
	course, several := -1, severalCourses(t.Lines)
	items := 0
	for i := range t.Lines {
		l := &t.Lines[i]
		if several && l.Course != course && l.Course < len(p.courses) {
			course = l.Course
			e.Align(escpos.AlignCentre)
			e.Line("- " + p.courses[course] + " -")
			e.Align(escpos.AlignLeft)
		}
		if l.Change != Removed {
			items += l.Quantity
		}
		p.line(e, t, l)
	}
	if t.Kind == KindNotInPOS {
		return e.Finish()
	}
	e.Rule('-')
	if len(t.Also) > 0 {
		e.Wrap("", "", words.Fill(w.AlsoAt, strings.Join(t.Also, ", ")))
	}
	e.Line(p.catalogue.N("paper.end", items))
	return e.Finish()
}

// head says whose order it is, largest what people look for first: the partner and its id, else the table or number.
func (p *paper) head(e *escpos.Encoder, t *Ticket) {
	w := &p.words
	switch t.Kind {
	case KindChange:
		p.alert(e, w.Changed)
	case KindCancel:
		p.alert(e, w.Cancelled)
	case KindFire:
		p.alert(e, w.Fire)
	}
	if t.NotInPOS {
		p.alert(e, w.NotInPOS)
	}
	e.Set(escpos.Style{Bold: true, Width: 2, Height: 2})
	number := "#" + strconv.Itoa(t.Number)
	switch {
	case t.Partner.OrderID != "" || t.Partner.Name != "":
		e.Wrap("", "", strings.TrimSpace(t.Partner.Name+" "+t.Partner.OrderID))
		e.Line(number)
	case t.Table != "":
		table := t.Table
		if t.WasTable != "" {
			table = t.WasTable + " -> " + table
		}
		e.Columns(w.Table+" "+table, number)
	default:
		e.Line(number)
	}
	e.Plain()
	service := ""
	switch t.Service {
	case sale.DineIn:
		service = w.DineIn
	case sale.Delivery:
		service = w.Delivery
	case sale.Pickup:
		service = w.Pickup
	}
	if !t.Due.IsZero() {
		e.Set(escpos.Style{Bold: true, Height: 2})
		e.Columns(service, w.Due+" "+t.Due.In(p.location).Format("15:04"))
		e.Plain()
	} else {
		e.Line(service)
	}
	var who []string
	if t.Covers > 0 {
		who = append(who, strconv.Itoa(t.Covers)+" "+w.Covers)
	}
	if t.Staff != "" {
		who = append(who, w.Staff+" "+t.Staff)
	}
	if t.Customer != "" {
		who = append(who, w.Customer+" "+t.Customer)
	}
	if len(who) > 0 {
		e.Wrap("", "", strings.Join(who, "  "))
	}
}

func (p *paper) alert(e *escpos.Encoder, text string) {
	e.Align(escpos.AlignCentre)
	e.Set(escpos.Style{Alert: true, Width: 2, Height: 2})
	e.Line(" " + text + " ")
	e.Plain()
	e.Align(escpos.AlignLeft)
}

// alerts are what must be read before the first line.
func (p *paper) alerts(e *escpos.Encoder, t *Ticket) {
	if t.State == StateHeld {
		p.alert(e, p.words.Held)
	}
	if t.AllergyNote != "" {
		e.Set(escpos.Style{Alert: true, Height: 2})
		e.Wrap("!! ", "   ", p.words.Allergy+": "+t.AllergyNote)
		e.Plain()
	}
	if t.Notes != "" {
		e.Set(escpos.Style{Bold: true, Underline: true})
		e.Wrap("", "", p.words.Notes+": "+t.Notes)
		e.Plain()
	}
}

// line is one dish: quantity and name large, under it what makes it different.
func (p *paper) line(e *escpos.Encoder, t *Ticket, l *Line) {
	quantity := strconv.Itoa(l.Quantity)
	mark := ""
	switch l.Change {
	case Added:
		mark = p.words.Added + " "
	case Removed:
		mark = p.words.Removed + " "
	case Changed:
		quantity = strconv.Itoa(l.Was) + " -> " + quantity
	}
	e.Set(escpos.Style{Bold: true, Height: 2})
	label := quantity + " "
	e.Wrap(label, strings.Repeat(" ", min(len(label), 4)), mark+l.Name)
	e.Plain()
	for i := range l.Modifiers {
		m := &l.Modifiers[i]
		indent := strings.Repeat("  ", m.Level+1)
		first := indent + "+ "
		if m.Quantity != 1 {
			first += strconv.Itoa(m.Quantity) + " x "
		}
		e.Wrap(first, indent+"  ", m.Name)
	}
	if l.Notes != "" {
		e.Set(escpos.Style{Bold: true, Underline: true})
		e.Wrap("    ", "    ", l.Notes)
		e.Plain()
	}
	if len(l.Allergens) > 0 {
		e.Set(escpos.Style{Alert: true})
		e.Wrap("    !! ", "       ", p.words.Allergy+": "+strings.ToUpper(strings.Join(l.Allergens, ", ")))
		e.Plain()
	}
}

func severalCourses(lines []Line) bool {
	for i := range lines {
		if lines[i].Course != lines[0].Course {
			return true
		}
	}
	return false
}
