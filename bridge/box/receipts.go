package box

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // logos come as either
	_ "image/png"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/floor"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/kitchen"
	"aboyeur/bridge/receipt"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/words"
	"aboyeur/protocol/escpos"
)

// maxLogo bounds the logo's file.
const maxLogo = 4 << 20

// buildDesk makes what prints bills and receipts.
func (b *Box) buildDesk() (err error) {
	r := &b.c.Receipts
	c := receipt.DeskConfig{
		Journal: b.journal, Printer: r.Printer, Zone: b.c.Site.Location, Currency: b.c.Site.Currency.Code, Venue: b.venue(),
		Check: func(ctx context.Context, id journal.ID) (receipt.Check, error) {
			c, err := b.checks.Get(ctx, id)
			if errors.Is(err, floor.ErrNone) {
				return receipt.Check{}, receipt.ErrNoCheck
			}
			return b.paperOf(&c), err
		},
		Target: func(printer string) (receipt.Target, bool) {
			k, ok := b.kitchen.Printer(printer)
			return receipt.Target{Profile: k.Profile, Words: k.Words}, ok
		},
		Print: func(tx *journal.Tx, j receipt.Job) error {
			return b.kitchen.Print(tx, kitchen.Page{ID: j.ID, Printer: j.Printer, Kind: j.Kind, Label: j.Label, Paper: j.Paper, Body: j.Body, Drawer: j.Drawer})
		},
	}
	for _, t := range []struct {
		blocks []firmwareconfig.ReceiptBlock
		into   *func(string) receipt.Template
	}{{r.Bill, &c.Bill}, {r.Receipt, &c.Receipt}} {
		if len(t.blocks) > 0 {
			own := templateOf(t.blocks)
			*t.into = func(string) receipt.Template { return own }
		}
	}
	if r.LogoFile != "" {
		c.Logo = b.logo
	}
	b.desk, err = receipt.NewDesk(c)
	return err
}

// templateOf makes a template of what the configuration says.
func templateOf(blocks []firmwareconfig.ReceiptBlock) receipt.Template {
	t := make(receipt.Template, len(blocks))
	for i, b := range blocks {
		t[i] = receipt.Block{
			When: b.When, Each: b.Each, Text: b.Text, Left: b.Left, Right: b.Right, Rule: b.Rule, Logo: b.Logo, QR: b.QR, Barcode: b.Barcode, Feed: b.Feed,
			Align: b.Align, Bold: b.Bold, Underline: b.Underline, Alert: b.Alert, Width: b.Width, Height: b.Height,
		}
	}
	return t
}

// logo draws the logo for a printer of so many dots. A picture that cannot be read is told and left out: nobody waits for
// his receipt because of it.
func (b *Box) logo(dots int) escpos.Bitmap {
	m, err := readLogo(b.c.Receipts.LogoFile, dots)
	b.health.raise(err != nil, "receipt_logo", "warning", b.c.Receipts.LogoFile, b.c.Receipts.LogoFile)
	if err != nil {
		b.log.Error("the logo cannot be printed", "err", err)
	}
	return m
}

func readLogo(name string, dots int) (escpos.Bitmap, error) {
	info, err := os.Stat(name)
	if err != nil {
		return escpos.Bitmap{}, err
	}
	if info.Size() > maxLogo {
		return escpos.Bitmap{}, fmt.Errorf("%s has %d bytes; make it smaller than %d", name, info.Size(), maxLogo)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return escpos.Bitmap{}, err
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return escpos.Bitmap{}, fmt.Errorf("%s is no PNG or JPEG picture: %w", name, err)
	}
	if size.Width <= 0 || size.Height <= 0 || size.Width > escpos.MaxImage/size.Height {
		return escpos.Bitmap{}, fmt.Errorf("%s is %d by %d dots; make it smaller", name, size.Width, size.Height)
	}
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return escpos.Bitmap{}, fmt.Errorf("%s: %w", name, err)
	}
	m, err := escpos.Dither(picture, min(size.Width, dots))
	if err != nil {
		return escpos.Bitmap{}, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func (b *Box) venue() receipt.Venue {
	r := &b.c.Receipts
	return receipt.Venue{
		Name: cmp.Or(r.Name, b.c.Site.Name), Address: r.Address, Phone: r.Phone, TaxID: r.TaxID, Header: r.Header, Footer: r.Footer,
	}
}

// paperOf is a check as its bill or receipt tells it.
func (b *Box) paperOf(c *floor.Check) receipt.Check {
	w := words.In(b.c.Site.Language)
	p := receipt.Paper{
		Venue: b.venue(), Number: strconv.FormatInt(c.Number, 10), Table: strings.Join(c.Tables, ", "), Covers: c.Covers, Staff: c.Staff,
		At: b.o.Now(), Currency: b.c.Site.Currency.Code, Total: c.Total, Tips: c.Tips, Balance: c.Balance,
	}
	if !c.ClosedAt.IsZero() {
		p.At = c.ClosedAt
	}
	if b.c.Receipts.QR != "" {
		p.Link = strings.ReplaceAll(b.c.Receipts.QR, "{number}", p.Number)
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Voided {
			continue
		}
		p.Lines = append(p.Lines, receipt.Line{Quantity: l.Quantity, Name: l.Name, Notes: notesOf(l.Modifiers, nil), Amount: l.Total(), Rate: b.rate(l.Group, l.Category)})
	}
	if len(b.c.Receipts.Taxes) > 0 {
		p.Taxes = receipt.TaxesOf(p.Lines)
	}
	v := receipt.Check{ID: c.ID}
	for _, x := range c.Payments {
		if x.State != floor.Paid {
			continue
		}
		v.Paid, v.Cash = true, v.Cash || x.Method == "cash"
		name := x.Method
		if key := "pay." + x.Method; w.Has(key) {
			name = w.T(key)
		}
		if x.Room != "" {
			p.Room, p.Guest = x.Room, c.Guest
		}
		p.Payments = append(p.Payments, receipt.Payment{Name: name, Amount: x.Amount, Tip: x.Tip})
	}
	v.Paper = p
	return v
}

func notesOf(ms []sale.Modifier, notes []string) []string {
	for i := range ms {
		note := ms[i].Name
		if n := ms[i].Count(); n != 1 {
			note = strconv.Itoa(n) + " x " + note
		}
		notes = notesOf(ms[i].Modifiers, append(notes, note))
	}
	return notes
}

// rate is the tax on what belongs to a group, in hundredths of a per cent.
func (b *Box) rate(group, category string) int {
	rate := 0.0
	for _, t := range b.c.Receipts.Taxes {
		switch {
		case len(t.Groups) == 0:
			rate = t.Rate
		case group != "" && slices.Contains(t.Groups, group) || group == "" && slices.Contains(t.Groups, category):
			return int(math.Round(t.Rate * 100))
		}
	}
	return int(math.Round(rate * 100))
}

// printCheck prints what a step of a check brings to paper: the bill that was asked for, the receipt of a check that
// closed. Where no printer prints them, a bill is only noted.
func (b *Box) printCheck(tx *journal.Tx, step floor.Step) error {
	if b.c.Receipts.Printer == "" {
		return nil
	}
	switch c := b.paperOf(step.Check); {
	case step.Kind == floor.BillPrinted:
		_, err := b.desk.Print(tx, receipt.KindBill, c)
		return err
	case step.Kind == floor.CheckClosed && b.c.Receipts.OnClose && c.Paid:
		_, err := b.desk.Print(tx, receipt.KindReceipt, c)
		return err
	}
	return nil
}

// papers gives the kitchen the bills and receipts that its printers print; the desk is made after the kitchen.
type papers struct{ b *Box }

func (p papers) Render(tx *journal.Tx, paper int64, printer string, again bool) ([]byte, error) {
	return p.b.desk.Render(tx, paper, printer, again)
}

func (p papers) Sample(printer string) ([]byte, error) { return p.b.desk.Sample(printer) }
