package printer

import (
	"strconv"
	"strings"
	"time"

	"aboyeur/protocol/escpos"
)

// Words are the labels printed around a ticket, in the printer's language. Empty ones are left out.
type Words struct {
	Reprint        string            // "REPRINT"
	Ticket         string            // "ticket"
	FirstSent      string            // "first sent"
	Reason         string            // "reason"
	AlreadyPrinted string            // "MAY ALREADY BE PRINTED – CHECK"
	End            string            // "END"
	Test           string            // "TEST PAGE"
	Printer        string            // "printer"
	Columns        string            // "columns"
	Reasons        map[string]string // reason word -> text; missing ones are printed as they are
}

// TestBody is the body of a test ticket, to be queued like any other: name, address, columns with a ruler, the
// characters that tell a wrong code page, the time.
func (p *Printer) TestBody(w Words) []byte {
	st := p.Status()
	e := escpos.NewEncoder(p.c.Profile, p.c.Language)
	e.Align(escpos.AlignCentre)
	e.Set(escpos.Style{Bold: true, Width: 2, Height: 2})
	e.Line(w.Test)
	e.Plain()
	e.Align(escpos.AlignLeft)
	e.Columns(w.Printer, p.c.Name)
	e.Columns("", st.Address)
	e.Columns("", p.c.Profile.Name)
	if st.Identity != (Identity{}) {
		e.Columns("", strings.Join(strings.Fields(st.Identity.Maker+" "+st.Identity.Model+" "+st.Identity.Firmware), " "))
	}
	e.Columns(w.Columns, strconv.Itoa(p.c.Profile.Columns))
	var ruler strings.Builder
	for i := range p.c.Profile.Columns {
		ruler.WriteByte('0' + byte((i+1)%10))
	}
	e.Line(ruler.String())
	e.Line("àâçéèêëîïôœùûü ÀÉÈÊŒ äöß ñ €")
	e.Line(p.c.Now().In(p.c.Zone).Format(time.DateTime))
	return e.Finish()
}
