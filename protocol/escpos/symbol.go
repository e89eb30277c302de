package escpos

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/boombuler/barcode/qr"
)

// Symbology is a kind of bar code.
type Symbology byte

// The bar codes, by the number of GS k in its second form (escpos.md 4).
const (
	UPCA    Symbology = 65
	UPCE    Symbology = 66
	EAN13   Symbology = 67
	EAN8    Symbology = 68
	Code39  Symbology = 69
	ITF     Symbology = 70
	Codabar Symbology = 71
	Code93  Symbology = 72
	Code128 Symbology = 73
)

// Bounds of what a symbol holds.
const (
	MaxBarcode = 80   // characters; at two dots a module no paper is wider
	MaxQR      = 1264 // bytes: version 29 at level M, three dots a module on 58 mm paper
	MaxPDF417  = 900  // bytes
)

// ErrSymbol says that the model has no command for such a symbol.
var ErrSymbol = errors.New("this model prints no such symbol")

// Barcode prints a bar code with its text under it. It is made as wide as the paper allows, and is an error when its data
// are not what the symbology takes, when they do not fit, or when the model has none: a printer given wrong data prints
// them as text, and one given too much prints nothing (escpos.md 4). It ends the line in hand.
func (e *Encoder) Barcode(kind Symbology, data string) error {
	if !e.p.Barcodes {
		return ErrSymbol
	}
	modules, err := barcodeModules(kind, data)
	if err != nil {
		return err
	}
	module := min(3, e.p.Dots/(modules+20)) // a quiet zone of ten modules on each side
	if module < 2 {
		return fmt.Errorf("bar code of %d characters is wider than the paper", len(data))
	}
	if kind == Code128 { // its set B; a brace is doubled
		data = "{B" + strings.ReplaceAll(data, "{", "{{")
	}
	e.block(func() {
		e.b = append(e.b, gs, 'h', 80, gs, 'w', byte(module), gs, 'H', 2, gs, 'f', 0, gs, 'k', byte(kind), byte(len(data)))
		e.b = append(e.b, data...)
	})
	return nil
}

// barcodeModules checks data and gives the width of the bar code.
func barcodeModules(kind Symbology, data string) (int, error) {
	n := len(data)
	wrong := func(what string) (int, error) { return 0, fmt.Errorf("bar code %q: %s", data, what) }
	if n == 0 || n > MaxBarcode {
		return wrong(fmt.Sprintf("write 1 to %d characters", MaxBarcode))
	}
	digits := strings.Trim(data, "0123456789") == ""
	only := func(set string) bool { return strings.Trim(data, set) == "" }
	const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	switch kind {
	case UPCA, EAN13, EAN8:
		want := map[Symbology]int{UPCA: 12, EAN13: 13, EAN8: 8}[kind]
		if !digits || n != want && n != want-1 {
			return wrong(fmt.Sprintf("write %d digits, or %d with the check digit", want-1, want))
		}
		if n == want && data[n-1] != checkDigit(data[:n-1]) { // printers do not look
			return wrong("the check digit is wrong")
		}
		if kind == EAN8 {
			return 67, nil
		}
		return 95, nil
	case UPCE:
		if !digits || n != 11 && n != 12 || data[0] != '0' { // the short forms fail on some firmware
			return wrong("write 11 or 12 digits that begin with 0")
		}
		return 51, nil
	case Code39:
		if !only(alphanumeric + " $%+-./") {
			return wrong("write capital letters, digits and $%+-./")
		}
		return 16*(n+2) - 1, nil
	case ITF:
		if !digits || n%2 != 0 {
			return wrong("write an even number of digits")
		}
		return 9*n + 9, nil
	case Codabar:
		if n < 3 || strings.IndexByte("ABCD", data[0]) < 0 || strings.IndexByte("ABCD", data[n-1]) < 0 || strings.Trim(data[1:n-1], "0123456789-$:/.+") != "" {
			return wrong("write digits and -$:/.+ between two of A to D")
		}
		return 13 * n, nil
	case Code93, Code128:
		for i := range n {
			if data[i] < 0x20 || data[i] > 0x7E {
				return wrong("write printable ASCII")
			}
		}
		if kind == Code93 {
			return 18*n + 46, nil // letters outside its own set take two
		}
		return 11*n + 35, nil
	}
	return wrong("there is no such bar code")
}

// checkDigit is that of the EAN and UPC family: weights 3 and 1 from the right.
func checkDigit(data string) byte {
	sum := 0
	for i := range len(data) {
		d := int(data[len(data)-1-i] - '0')
		if i%2 == 0 {
			d *= 3
		}
		sum += d
	}
	return '0' + byte((10-sum%10)%10)
}

// qrCapacity is how many bytes a QR code of each version holds at level M, from version 1 on.
var qrCapacity = [...]int{14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666, 711, 779, 857, 911, 997, 1059, 1125, 1190, 1264}

// QR prints a QR code, level M, its modules as large as the paper allows up to six dots; models that know no such symbol
// get it as a picture. It is an error when the text is empty, longer than MaxQR, no UTF-8 or has control characters, when it
// does not fit, or when the model prints no pictures either. It ends the line in hand.
func (e *Encoder) QR(text string) error {
	if !e.p.QR && !e.p.Raster && !e.p.Strips {
		return ErrSymbol
	}
	if err := symbolText(text, MaxQR); err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	version := 0
	for qrCapacity[version] < len(text) {
		version++
	}
	modules := 21 + 4*version
	module := min(6, e.p.Dots/(modules+8)) // the quiet zone is four modules
	if module < 3 {                        // telephones give up below
		return fmt.Errorf("QR code of %d bytes is wider than the paper", len(text))
	}
	if !e.p.QR {
		return e.drawQR(text, module)
	}
	e.block(func() {
		e.b = append(e.b, gs, '(', 'k', 4, 0, 0x31, 0x41, 0x32, 0)
		e.b = append(e.b, gs, '(', 'k', 3, 0, 0x31, 0x43, byte(module))
		e.b = append(e.b, gs, '(', 'k', 3, 0, 0x31, 0x45, 0x31)
		e.symbol2D(0x31, text)
	})
	return nil
}

// drawQR prints a QR code as a picture, with its quiet zone.
func (e *Encoder) drawQR(text string, module int) error {
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	if e.p.Strips {
		module -= module % 3 // the rows of an impact head are three dots high
	}
	side := code.Bounds().Dx()
	m := NewBitmap((side+8)*module, (side+8)*module)
	for y := range side * module {
		for x := range side * module {
			if r, _, _, _ := code.At(x/module, y/module).RGBA(); r == 0 {
				m.Set(x+4*module, y+4*module)
			}
		}
	}
	e.Raster(m)
	return nil
}

// PDF417 prints a PDF417 symbol. Its errors are those of QR, with MaxPDF417 as bound. It ends the line in hand.
func (e *Encoder) PDF417(text string) error {
	if !e.p.PDF417 {
		return ErrSymbol
	}
	if err := symbolText(text, MaxPDF417); err != nil {
		return fmt.Errorf("PDF417: %w", err)
	}
	e.block(func() {
		e.b = append(e.b, gs, '(', 'k', 3, 0, 0x30, 0x41, 0)       // as many columns as fit
		e.b = append(e.b, gs, '(', 'k', 3, 0, 0x30, 0x42, 0)       // rows as needed
		e.b = append(e.b, gs, '(', 'k', 3, 0, 0x30, 0x43, 2)       // dots a module
		e.b = append(e.b, gs, '(', 'k', 3, 0, 0x30, 0x44, 3)       // row height in modules
		e.b = append(e.b, gs, '(', 'k', 4, 0, 0x30, 0x45, 0x31, 1) // a tenth of the data for correction
		e.symbol2D(0x30, text)
	})
	return nil
}

// symbol2D stores text for a symbol and prints it.
func (e *Encoder) symbol2D(cn byte, text string) {
	n := len(text) + 3
	e.b = append(e.b, gs, '(', 'k', byte(n), byte(n>>8), cn, 0x50, 0x30)
	e.b = append(e.b, text...)
	e.b = append(e.b, gs, '(', 'k', 3, 0, cn, 0x51, 0x30)
}

// symbolText refuses what a symbol cannot hold, or what a printer would take for a command in the midst of it.
func symbolText(text string, limit int) error {
	switch {
	case text == "" || len(text) > limit:
		return fmt.Errorf("%d bytes: write 1 to %d", len(text), limit)
	case !utf8.ValidString(text):
		return errors.New("not UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7F }):
		return errors.New("control characters")
	}
	return nil
}

// block prints what is not a line of text where Align says, at the start of a line.
func (e *Encoder) block(print func()) {
	e.endLine()
	e.ink(Style{})
	if e.align != AlignLeft {
		e.b = append(e.b, esc, 'a', byte(e.align))
	}
	print()
	if e.align != AlignLeft {
		e.b = append(e.b, esc, 'a', 0)
	}
	e.lf = -1
}
