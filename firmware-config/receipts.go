package firmwareconfig

import (
	"fmt"
	"slices"
	"strings"
)

// Receipts is what stands on bills and receipts, and who prints them.
type Receipts struct {
	Printer  string // prints both; "": nobody, and a bill is only noted
	OnClose  bool   // a receipt comes out when a check closes
	Name     string // of the venue, where it is not the site's
	Address  []string
	Phone    string
	TaxID    string
	Header   []string // lines above the figures
	Footer   []string // lines at the end
	LogoFile string
	QR       string // text of the QR code; {number} is the check's
	Taxes    []TaxRate
	Bill     []ReceiptBlock // instead of the box's own template
	Receipt  []ReceiptBlock
}

// TaxRate is a tax and what it is on.
type TaxRate struct {
	Rate   float64  // per cent, contained in prices
	Groups []string // statistic groups or categories; none: everything else
}

// ReceiptBlock is one thing on paper: exactly one of Text, Left and Right, Rule, Logo, QR, Barcode and Feed.
type ReceiptBlock struct {
	When, Each             string
	Text, Left, Right      string
	Rule                   string
	Logo                   bool
	QR, Barcode            string
	Feed                   int
	Align                  string
	Bold, Underline, Alert bool
	Width, Height          int
}

// Bounds of a template.
const (
	maxBlocks = 100
	maxFeed   = 10
	maxTimes  = 8
)

// ReceiptFields are the fields that a block's text may name in braces: those of the whole paper, and those of the list
// that each goes through.
func ReceiptFields(each string) []string {
	switch each {
	case "":
		return []string{"venue", "phone", "tax_id", "number", "table", "covers", "staff", "date", "time", "total", "tips", "balance", "change",
			"copy", "link", "room", "guest", "currency"}
	case "lines":
		return []string{"quantity", "name", "notes", "amount", "price", "rate"}
	case "taxes":
		return []string{"rate", "net", "amount", "gross"}
	case "payments":
		return []string{"name", "amount", "tip"}
	case "address", "header", "footer":
		return []string{"line"}
	}
	return nil
}

func receiptsTable(r *Receipts) table {
	blocks := func(dst *[]ReceiptBlock) value {
		return list[ReceiptBlock]{dst: dst, hi: maxBlocks, item: func(b *ReceiptBlock) value { return blockTable(b) }}
	}
	return table{
		{key: "printer", doc: "The printer of bills and receipts; without it a bill is only noted.", value: optional(name(&r.Printer))},
		{key: "on_close", doc: "A receipt comes out when a check closes.", value: boolean(&r.OnClose, false)},
		{key: "name", doc: "The venue's name on paper; without it the site's.", value: optional(text(&r.Name, "", "a name"))},
		{key: "address", doc: "Lines of the address.", value: texts(&r.Address, 6, "a line")},
		{key: "phone", doc: "Telephone number.", value: optional(text(&r.Phone, "", "a number in quotes"))},
		{key: "tax_id", doc: "What the law wants to see: SIRET, VAT number.", value: optional(text(&r.TaxID, "", "a number in quotes"))},
		{key: "header", doc: "Further lines above the figures.", value: texts(&r.Header, 10, "a line")},
		{key: "footer", doc: "Lines at the end.", value: texts(&r.Footer, 20, "a line")},
		{key: "logo_file", doc: "A PNG or JPEG picture, printed at the top in black and white.", value: secretFile{optional(file(&r.LogoFile, "", "the name of a picture")), holdsPicture}},
		{key: "qr", doc: "Text of a QR code at the end; {number} is the check's number.", value: optional(text(&r.QR, "", "an address, as in https://example.org/{number}"))},
		{key: "taxes", doc: "The taxes that prices contain. One without groups is on everything else.", value: list[TaxRate]{dst: &r.Taxes, hi: 10, item: func(t *TaxRate) value {
			return table{
				{key: "rate", doc: "Per cent.", required: true, example: "rate: 10", value: number(&t.Rate, 0, 0, 100, "per cent")},
				{key: "groups", doc: "Statistic groups or categories of lines; none: everything else.", value: texts(&t.Groups, maxClaims, "a group")},
			}
		}}},
		{key: "bill", doc: "What stands on a bill, instead of the box's own template.", value: blocks(&r.Bill)},
		{key: "receipt", doc: "What stands on a receipt, instead of the box's own template.", value: blocks(&r.Receipt)},
	}
}

func blockTable(b *ReceiptBlock) table {
	words := func(dst *string) value { return optional(text(dst, "", "a text; {total} is a field")) }
	return table{
		{key: "when", doc: "A field: without a value the block is left out.", value: words(&b.When)},
		{key: "each", doc: "Once for each of a list.", value: optional(choice(&b.Each, "", "lines", "taxes", "payments", "address", "header", "footer"))},
		{key: "text", doc: "Broken at words.", value: words(&b.Text)},
		{key: "left", doc: "Stands left in a line.", value: words(&b.Left)},
		{key: "right", doc: "Stands right in it.", value: words(&b.Right)},
		{key: "rule", doc: "A line of this character.", value: optional(choice(&b.Rule, "", "-", "=", "*", ".", "_"))},
		{key: "logo", doc: "The picture of logo_file.", value: boolean(&b.Logo, false)},
		{key: "qr", doc: "A QR code of this text.", value: words(&b.QR)},
		{key: "barcode", doc: "A bar code of this text.", value: words(&b.Barcode)},
		{key: "feed", doc: "Empty lines.", value: integer(&b.Feed, 0, 0, maxFeed)},
		{key: "align", doc: "Where it stands.", value: optional(choice(&b.Align, "", "left", "centre", "right"))},
		{key: "bold", doc: "Bold.", value: boolean(&b.Bold, false)},
		{key: "underline", doc: "Underlined.", value: boolean(&b.Underline, false)},
		{key: "alert", doc: "White on black, or red.", value: boolean(&b.Alert, false)},
		{key: "width", doc: "Times as wide.", value: integer(&b.Width, 0, 0, maxTimes)},
		{key: "height", doc: "Times as high.", value: integer(&b.Height, 0, 0, maxTimes)},
	}
}

func (d *decoder) resolveReceipts(c *Config) {
	r := &c.Receipts
	if known := printerNames(c); r.Printer != "" && !contains(known, r.Printer) && !d.blamed("printers") && !d.blamed("receipts.printer") {
		d.missing("receipts.printer", r.Printer, "printer", known)
	}
	if r.OnClose && r.Printer == "" {
		d.wrong("receipts.on_close", "no printer prints receipts", "write printer: with the name of one")
	}
	groups, rest := map[string]string{}, ""
	for i, t := range r.Taxes {
		key := index("receipts.taxes", i)
		if len(t.Groups) == 0 && !d.blamed(key+".groups") {
			if rest != "" {
				d.wrong(key, rest+" is on everything else already", "write its groups")
			}
			rest = key
		}
		for j, g := range t.Groups {
			if before, ok := groups[g]; ok && g != "" && before != key {
				d.wrong(index(key+".groups", j), "group "+quote(g)+" is in "+before+" already", "keep it at one rate")
			} else {
				groups[g] = key
			}
		}
	}
	d.resolveBlocks("receipts.bill", r.Bill)
	d.resolveBlocks("receipts.receipt", r.Receipt)
}

// resolveBlocks checks what bridge/receipt wants of a template, so that a file that passes here is one the box starts on.
func (d *decoder) resolveBlocks(key string, blocks []ReceiptBlock) {
	copied := len(blocks) == 0 || d.blamed(key)
	for i := range blocks {
		b, at := &blocks[i], index(key, i)
		things := 0
		for _, has := range []bool{b.Text != "", b.Left != "" || b.Right != "", b.Rule != "", b.Logo, b.QR != "", b.Barcode != "", b.Feed != 0} {
			if has {
				things++
			}
		}
		if things != 1 {
			d.wrong(at, fmt.Sprintf("a block is one of text, left and right, rule, logo, qr, barcode and feed; this is %d of them", things), "write one of them")
		}
		known := ReceiptFields(b.Each)
		if b.Each != "" {
			known = append(known, ReceiptFields("")...)
		}
		if b.When != "" && !slices.Contains(known, b.When) {
			d.wrong(at+".when", "there is no field "+quote(b.When), "write one of "+strings.Join(known, ", "))
		}
		for _, x := range []struct{ key, text string }{{"text", b.Text}, {"left", b.Left}, {"right", b.Right}, {"qr", b.QR}, {"barcode", b.Barcode}} {
			if problem := fieldsOf(x.text, known); problem != "" {
				d.wrong(at+"."+x.key, problem, "write one of "+strings.Join(known, ", ")+"; {{ is a brace")
			}
		}
		copied = copied || b.When == "copy" && b.Each == "" && (b.Text != "" || b.Left != "" || b.Right != "")
	}
	if !copied {
		d.wrong(key, "no block says that a paper is a copy", `add one, as in {when: copy, text: "DUPLICATA {copy}", alert: true}`)
	}
}

// fieldsOf finds what is wrong with the fields of a text; "" when all are known.
func fieldsOf(text string, known []string) string {
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return ""
		}
		if strings.HasPrefix(text[i:], "{{") {
			text = text[i+2:]
			continue
		}
		j := strings.IndexByte(text[i:], '}')
		if j < 0 {
			return quote(text[i:]) + " has no closing brace"
		}
		if field := text[i+1 : i+j]; !slices.Contains(known, field) {
			return "there is no field " + quote(field)
		}
		text = text[i+j+1:]
	}
}
