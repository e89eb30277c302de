package escpos

import (
	"bytes"
	"fmt"
	"slices"
)

// bodyCommands are those a ticket may hold between its envelope's parts.
var bodyCommands = []string{"LF", "ESC t", "ESC E", "ESC -", "ESC !", "ESC r", "ESC d", "GS !", "GS B", "GS v 0", "GS ( D", "ESC *", "ESC 3", "ESC 2", "ESC a", "GS ( k", "GS h", "GS w", "GS H", "GS f", "GS k", "FS &", "FS .", "FS C", "FS ( C"}

// lint holds a stream of the encoder against the rules of escpos.md 17 and gives what breaks them. A job also has an
// envelope; a body starts in the state that AppendInit leaves.
func lint(p Profile, stream []byte, job bool) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	allowed := bodyCommands
	if job {
		head := AppendInit(nil, p, "fr")
		if !bytes.HasPrefix(stream, head[:len(head)-1]) {
			fault("does not begin with init, kanji off, character set, ASB, page")
		}
		allowed = append([]string{"ESC @", "FS .", "ESC R", "GS a", "GS ( H", "GS r", "GS V"}, bodyCommands...)
	}
	var rt RealTime
	rt.Feed(stream, func(tok Token) { fault("real-time command % x at %d", tok.Bytes, tok.End) })

	var t Tokenizer
	last, width, size, sized, utf8 := "", 0, 1, 1, false
	t.Feed(stream, func(tok Token) {
		at := tok.End - int64(len(tok.Bytes))
		if tok.Kind == TokenText {
			n := len(tok.Bytes)
			if utf8 {
				n = Columns(string(tok.Bytes))
			}
			width += n * size
			if width > p.Columns {
				fault("line of %d columns at %d, paper has %d", width, at, p.Columns)
			}
			last = "text"
			return
		}
		if tok.Kind != TokenCommand || !tok.Known || tok.More > 0 || !slices.Contains(allowed, tok.Name) {
			fault("%q % x at %d", tok.Name, tok.Bytes[:min(len(tok.Bytes), 8)], at)
			return
		}
		switch tok.Name {
		case "LF":
			width = 0
		case "FS ( C":
			utf8 = tok.Args[0] == 0x30 && tok.Args[1] == 2 || utf8 && tok.Args[0] != 0x30
		case "ESC t":
			if p.Page(tok.Args[0]) == nil {
				fault("page %d is not the model's", tok.Args[0])
			}
		case "GS !":
			size, sized = 1+int(tok.Args[0]>>4), 1+int(tok.Args[0]&7)
			if p.Sizes != SizeGS || size > p.MaxSize || sized > p.MaxSize {
				fault("GS ! %02x", tok.Args[0])
			}
		case "ESC !":
			size = 1 + int(tok.Args[0]>>5&1)
			if p.Sizes != SizeESC {
				fault("ESC ! on this model")
			}
		case "GS B":
			if !p.Inverse {
				fault("GS B on this model")
			}
		case "ESC r":
			if !p.Red {
				fault("ESC r on this model")
			}
		case "GS v 0":
			if !p.Raster || int(tok.Args[1]) > (p.Dots+7)/8 || tok.Args[4] != 0 || tok.Args[3] > sliceRows {
				fault("GS v 0 % x", tok.Args[:5])
			}
		case "GS V":
			if tok.Args[0] != 'A' && tok.Args[0] != 'B' {
				fault("cut without feed")
			}
		}
		if (tok.Name == "GS ( H" || tok.Name == "GS r" || tok.Name == "GS V") && last == "text" {
			fault("%s at %d behind text without a line feed", tok.Name, at)
		}
		if tok.Name != "ESC t" && tok.Name != "GS !" && tok.Name != "ESC !" {
			last = tok.Name
		}
	})
	if t.Pending() > 0 {
		fault("ends in the middle of a command")
	}
	return faults
}
