package receipt

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"aboyeur/bridge/words"
	"aboyeur/protocol/escpos"
)

// Config says for which printer, in which language, and what stands on the paper.
type Config struct {
	Template Template
	Profile  escpos.Profile
	Words    *words.Catalogue // how amounts and dates are written
	Logo     escpos.Bitmap    // from escpos.Dither; without one the blocks with a logo are left out
	Zone     *time.Location   // nil means UTC
}

// A Layout makes papers by one template for one printer. Its methods may be called from anywhere.
type Layout struct {
	c        Config
	encoders sync.Pool // of *escpos.Encoder
}

// New checks c. The error lists every fault of the template.
func New(c Config) (*Layout, error) {
	if err := c.Template.Check(); err != nil {
		return nil, fmt.Errorf("receipt template: %w", err)
	}
	if c.Words == nil {
		c.Words = words.In("")
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Profile.Name == "" {
		c.Profile, _ = escpos.ProfileFor(escpos.DefaultModel)
	}
	l := &Layout{c: c}
	l.encoders.New = func() any { return escpos.NewEncoder(c.Profile, c.Words.Lang()) }
	return l, nil
}

// Body is the paper's stream without the envelope that the driver puts around it, as printer.Job wants it.
func (l *Layout) Body(p *Paper) []byte {
	e := l.encoders.Get().(*escpos.Encoder)
	defer l.encoders.Put(e)
	e.Reset(make([]byte, 0, 2048))
	for i := range l.c.Template {
		b := &l.c.Template[i]
		for n := range l.times(b, p) {
			l.print(e, b, p, n)
		}
	}
	return e.Finish()
}

// PNG draws the paper as it would come out.
func (l *Layout) PNG(w io.Writer, p *Paper) error {
	stream := append(escpos.AppendInit(nil, l.c.Profile, l.c.Words.Lang()), l.Body(p)...)
	return escpos.Render(escpos.AppendCut(stream, l.c.Profile), l.c.Profile).PNG(w)
}

// times is how often a block comes.
func (l *Layout) times(b *Block, p *Paper) int {
	switch b.Each {
	case "lines":
		return len(p.Lines)
	case "taxes":
		return len(p.Taxes)
	case "payments":
		return len(p.Payments)
	case "address":
		return len(p.Venue.Address)
	case "header":
		return len(p.Venue.Header)
	case "footer":
		return len(p.Venue.Footer)
	}
	return 1
}

// print prints block b for the n-th of its list.
func (l *Layout) print(e *escpos.Encoder, b *Block, p *Paper, n int) {
	if b.When != "" && l.field(b, p, n, b.When) == "" {
		return
	}
	e.Align(map[string]escpos.Align{"centre": escpos.AlignCentre, "center": escpos.AlignCentre, "right": escpos.AlignRight}[b.Align])
	e.Set(escpos.Style{Bold: b.Bold, Underline: b.Underline, Alert: b.Alert, Width: byte(b.Width), Height: byte(b.Height)})
	switch {
	case b.Text != "":
		e.Wrap("", "", l.fill(b, p, n, b.Text))
	case b.Left != "" || b.Right != "":
		e.Columns(l.fill(b, p, n, b.Left), l.fill(b, p, n, b.Right))
		if b.Each == "lines" {
			for _, note := range p.Lines[n].Notes {
				e.Plain()
				e.Wrap("    ", "    ", note)
			}
		}
	case b.Rule != "":
		e.Rule(b.Rule[0])
	case b.Logo:
		e.Raster(l.c.Logo)
	case b.QR != "":
		if text := l.fill(b, p, n, b.QR); e.QR(text) != nil {
			e.Wrap("", "", text)
		}
	case b.Barcode != "":
		if text := l.fill(b, p, n, b.Barcode); e.Barcode(escpos.Code128, text) != nil {
			e.Wrap("", "", text)
		}
	case b.Feed > 0:
		e.Feed(b.Feed)
	}
	e.Plain()
	e.Align(escpos.AlignLeft)
}

// fill writes text with its fields.
func (l *Layout) fill(b *Block, p *Paper, n int, text string) string {
	var out strings.Builder
	_ = split(text, func(before, field string) error { // New has checked it
		out.WriteString(before)
		if field != "" {
			out.WriteString(l.field(b, p, n, field))
		}
		return nil
	})
	return out.String()
}

// field is the text of a field; "" when there is nothing to say.
func (l *Layout) field(b *Block, p *Paper, n int, name string) string {
	money := func(v int64) string { return l.c.Words.Money(v, p.Currency) }
	some := func(v int64) string { // nothing for zero
		if v == 0 {
			return ""
		}
		return money(v)
	}
	count := func(v int) string {
		if v == 0 {
			return ""
		}
		return strconv.Itoa(v)
	}
	point := "."
	if l.c.Words.Lang() == "fr" {
		point = ","
	}
	switch b.Each {
	case "lines":
		x := &p.Lines[n]
		switch name {
		case "quantity":
			return strconv.Itoa(x.Quantity)
		case "name":
			return x.Name
		case "notes":
			return strings.Join(x.Notes, ", ")
		case "amount":
			return money(x.Amount)
		case "price":
			if x.Quantity == 0 || x.Amount%int64(x.Quantity) != 0 {
				return ""
			}
			return money(x.Amount / int64(x.Quantity))
		case "rate":
			return percent(x.Rate, point)
		}
	case "taxes":
		x := &p.Taxes[n]
		switch name {
		case "rate":
			return percent(x.Rate, point)
		case "net":
			return money(x.Net)
		case "amount":
			return money(x.Amount)
		case "gross":
			return money(x.Net + x.Amount)
		}
	case "payments":
		x := &p.Payments[n]
		switch name {
		case "name":
			return x.Name
		case "amount":
			return money(x.Amount)
		case "tip":
			return some(x.Tip)
		}
	case "address", "header", "footer":
		if name == "line" {
			return map[string][]string{"address": p.Venue.Address, "header": p.Venue.Header, "footer": p.Venue.Footer}[b.Each][n]
		}
	}
	at := p.At.In(l.c.Zone)
	switch name {
	case "venue":
		return p.Venue.Name
	case "phone":
		return p.Venue.Phone
	case "tax_id":
		return p.Venue.TaxID
	case "number":
		return p.Number
	case "table":
		return p.Table
	case "covers":
		return count(p.Covers)
	case "staff":
		return p.Staff
	case "date":
		return l.c.Words.Date(at)
	case "time":
		return l.c.Words.Time(at)
	case "total":
		return money(p.Total)
	case "tips":
		return some(p.Tips)
	case "balance":
		return some(p.Balance)
	case "change":
		return some(p.Change)
	case "copy":
		return count(p.Copy)
	case "link":
		return p.Link
	case "room":
		return p.Room
	case "guest":
		return p.Guest
	case "currency":
		return p.Currency
	}
	return ""
}
