package receipt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Template is the order of things on paper.
type Template []Block

// Bounds of a template.
const (
	MaxBlocks = 100
	MaxText   = 500 // bytes of a block's text
)

// A Block is one thing on paper. Exactly one of Text, Left and Right, Rule, Logo, QR, Barcode and Feed says which.
type Block struct {
	When string `json:"when,omitempty" yaml:"when,omitempty"` // a field: without a value the block is left out
	Each string `json:"each,omitempty" yaml:"each,omitempty"` // lines, taxes, payments, address, header, footer

	Text    string `json:"text,omitempty" yaml:"text,omitempty"` // broken at words
	Left    string `json:"left,omitempty" yaml:"left,omitempty"`
	Right   string `json:"right,omitempty" yaml:"right,omitempty"`
	Rule    string `json:"rule,omitempty" yaml:"rule,omitempty"` // an ASCII character
	Logo    bool   `json:"logo,omitempty" yaml:"logo,omitempty"`
	QR      string `json:"qr,omitempty" yaml:"qr,omitempty"`           // drawn where the model has no command for it, printed as text where it does not fit
	Barcode string `json:"barcode,omitempty" yaml:"barcode,omitempty"` // Code 128; printed as text where it cannot be
	Feed    int    `json:"feed,omitempty" yaml:"feed,omitempty"`       // empty lines, 1 to 10

	Align     string `json:"align,omitempty" yaml:"align,omitempty"` // left, centre, right
	Bold      bool   `json:"bold,omitempty" yaml:"bold,omitempty"`
	Underline bool   `json:"underline,omitempty" yaml:"underline,omitempty"`
	Alert     bool   `json:"alert,omitempty" yaml:"alert,omitempty"`   // white on black, or red
	Width     int    `json:"width,omitempty" yaml:"width,omitempty"`   // 1 to 8 times
	Height    int    `json:"height,omitempty" yaml:"height,omitempty"` // 1 to 8 times
}

// fields are those of the whole paper, and of the things that Each goes through.
var fields = map[string][]string{
	"": {"venue", "phone", "tax_id", "number", "table", "covers", "staff", "date", "time", "total", "tips", "balance", "change",
		"copy", "link", "room", "guest", "currency"},
	"lines":    {"quantity", "name", "notes", "amount", "price", "rate"},
	"taxes":    {"rate", "net", "amount", "gross"},
	"payments": {"name", "amount", "tip"},
	"address":  {"line"},
	"header":   {"line"},
	"footer":   {"line"},
}

// Check says everything that is wrong with t, each fault with the block it is in, as in blocks[3].text.
func (t Template) Check() error {
	var errs []error
	if len(t) == 0 || len(t) > MaxBlocks {
		errs = append(errs, fmt.Errorf("blocks: there are %d; write 1 to %d", len(t), MaxBlocks))
	}
	copied := false
	for i, b := range t[:min(len(t), MaxBlocks)] {
		for _, f := range b.check() {
			errs = append(errs, fmt.Errorf("blocks[%d].%s", i, f))
		}
		copied = copied || b.When == "copy" && b.Each == "" && (b.Text != "" || b.Left != "" || b.Right != "")
	}
	if !copied {
		errs = append(errs, errors.New(`blocks: none says that a paper is a copy; add one, as in {when: copy, text: "DUPLICATA {copy}", alert: true}`))
	}
	return errors.Join(errs...)
}

func (b *Block) check() (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	things, texts := 0, []struct{ name, text string }{{"text", b.Text}, {"left", b.Left}, {"right", b.Right}, {"qr", b.QR}, {"barcode", b.Barcode}}
	for _, has := range []bool{b.Text != "", b.Left != "" || b.Right != "", b.Rule != "", b.Logo, b.QR != "", b.Barcode != "", b.Feed != 0} {
		if has {
			things++
		}
	}
	if things != 1 {
		fault("text: a block is one of text, left and right, rule, logo, qr, barcode and feed; this is %d of them", things)
	}
	if _, ok := fields[b.Each]; !ok {
		fault("each: there is no list %q; write lines, taxes, payments, address, header or footer", b.Each)
	}
	if b.When != "" && !b.knows(b.When) {
		fault("when: there is no field %q; write one of %s", b.When, b.fieldList())
	}
	for _, x := range texts {
		if len(x.text) > MaxText || !utf8.ValidString(x.text) {
			fault("%s: longer than %d bytes, or not UTF-8", x.name, MaxText)
			continue
		}
		if err := split(x.text, func(_, field string) error {
			if field != "" && !b.knows(field) {
				return fmt.Errorf("there is no field {%s}; write one of %s", field, b.fieldList())
			}
			return nil
		}); err != nil {
			fault("%s: %v", x.name, err)
		}
	}
	if b.Rule != "" && (len(b.Rule) != 1 || b.Rule[0] <= 0x20 || b.Rule[0] >= 0x7F) {
		fault("rule: %q is not one character; write - or =", b.Rule)
	}
	if !slices.Contains([]string{"", "left", "centre", "center", "right"}, b.Align) {
		fault("align: %q; write left, centre or right", b.Align)
	}
	for _, n := range []struct {
		name       string
		value, max int
	}{{"feed", b.Feed, 10}, {"width", b.Width, 8}, {"height", b.Height, 8}} {
		if n.value < 0 || n.value > n.max {
			fault("%s: %d; write 1 to %d", n.name, n.value, n.max)
		}
	}
	return faults
}

// knows reports a field of the block's list or of the whole paper.
func (b *Block) knows(field string) bool {
	return slices.Contains(fields[b.Each], field) || slices.Contains(fields[""], field)
}

func (b *Block) fieldList() string {
	list := fields[""]
	if b.Each != "" {
		list = append(slices.Clone(fields[b.Each]), list...)
	}
	return strings.Join(list, ", ")
}

// split gives the pieces of a text with fields: what stands before a field and its name, "" at the end. {{ is a brace.
func split(text string, each func(before, field string) error) error {
	before := ""
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return each(before+text, "")
		}
		before += text[:i]
		if strings.HasPrefix(text[i:], "{{") {
			before += "{"
			text = text[i+2:]
			continue
		}
		j := strings.IndexByte(text[i:], '}')
		if j < 0 {
			return fmt.Errorf("%q has no closing brace", text[i:])
		}
		name := text[i+1 : i+j]
		if name == "" {
			return errors.New("{} names no field")
		}
		if err := each(before, name); err != nil {
			return err
		}
		before, text = "", text[i+j+1:]
	}
}

// Bill is what a table gets before it pays.
func Bill(language string) Template {
	w := wordsOf(language)
	t := head(w)
	t = append(t, Block{Text: w["bill"], Align: "centre", Bold: true, Height: 2})
	t = append(t, body(w)...)
	return append(t,
		Block{Text: w["not_a_receipt"], Align: "centre"},
		Block{Each: "footer", Text: "{line}", Align: "centre"},
		Block{When: "link", Feed: 1}, Block{When: "link", QR: "{link}", Align: "centre"})
}

// Receipt is what a table gets when it has paid.
func Receipt(language string) Template {
	w := wordsOf(language)
	t := append(head(w), body(w)...)
	return append(t,
		Block{Each: "payments", Left: "{name}", Right: "{amount}"},
		Block{When: "tips", Left: w["tip"], Right: "{tips}"},
		Block{When: "room", Left: w["room"] + " {room}", Right: "{guest}"},
		Block{When: "change", Left: w["change"], Right: "{change}"},
		Block{When: "balance", Left: w["balance"], Right: "{balance}", Bold: true},
		Block{Feed: 1},
		Block{When: "link", QR: "{link}", Align: "centre"},
		Block{Each: "footer", Text: "{line}", Align: "centre"},
		Block{Text: w["thanks"], Align: "centre"})
}

func head(w map[string]string) Template {
	return Template{
		{Logo: true, Align: "centre"},
		{When: "copy", Text: w["copy"] + " {copy}", Align: "centre", Alert: true, Width: 2, Height: 2},
		{Text: "{venue}", Align: "centre", Bold: true, Width: 2, Height: 2},
		{Each: "address", Text: "{line}", Align: "centre"},
		{When: "phone", Text: "{phone}", Align: "centre"},
		{When: "tax_id", Text: "{tax_id}", Align: "centre"},
		{Each: "header", Text: "{line}", Align: "centre"},
		{Rule: "="},
		{Left: w["number"] + " {number}", Right: "{time}"},
		{Text: "{date}"},
		{When: "table", Text: w["table"] + " {table}"},
		{When: "covers", Text: "{covers} " + w["covers"]},
		{When: "staff", Text: w["staff"] + " {staff}"},
		{Rule: "-"},
	}
}

func body(w map[string]string) Template {
	return Template{
		{Each: "lines", Left: "{quantity} {name}", Right: "{amount}"},
		{Rule: "-"},
		{Left: w["total"], Right: "{total}", Bold: true, Width: 2, Height: 2},
		{Each: "taxes", Left: w["of_which"] + " {rate} %", Right: "{amount}"},
		{Rule: "-"},
	}
}

func wordsOf(language string) map[string]string {
	if strings.HasPrefix(strings.ToLower(language), "fr") {
		return map[string]string{
			"bill": "NOTE", "not_a_receipt": "Ce document n’est pas un reçu", "copy": "DUPLICATA", "number": "N°", "table": "Table", "covers": "couverts",
			"staff": "Servi par", "total": "TOTAL", "of_which": "dont TVA", "tip": "Pourboire", "room": "Chambre", "change": "Rendu",
			"balance": "Reste à payer", "thanks": "Merci de votre visite",
		}
	}
	return map[string]string{
		"bill": "BILL", "not_a_receipt": "This is not a receipt", "copy": "DUPLICATE", "number": "No", "table": "Table", "covers": "covers",
		"staff": "Served by", "total": "TOTAL", "of_which": "of which VAT", "tip": "Tip", "room": "Room", "change": "Change",
		"balance": "Still to pay", "thanks": "Thank you for your visit",
	}
}
