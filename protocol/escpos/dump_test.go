package escpos

import (
	"bytes"
	"fmt"
)

// dump writes a stream a token a line: offset, bytes, name and text, so that a person can hold it against the tables of
// escpos.md.
func dump(stream []byte) []byte {
	var out bytes.Buffer
	var t Tokenizer
	t.Feed(stream, func(tok Token) {
		at := tok.End - int64(len(tok.Bytes))
		switch {
		case tok.Kind == TokenText:
			fmt.Fprintf(&out, "%05x  text      % x  |%s|\n", at, tok.Bytes, shown(tok.Bytes))
		case len(tok.Bytes) > 40:
			fmt.Fprintf(&out, "%05x  %-8s  % x … %d bytes\n", at, tok.Name, tok.Bytes[:12], len(tok.Bytes))
		default:
			fmt.Fprintf(&out, "%05x  %-8s  % x\n", at, tok.Name, tok.Bytes)
		}
	})
	return out.Bytes()
}

func shown(b []byte) string {
	c := bytes.Clone(b)
	for i := range c {
		if c[i] >= 0x7F {
			c[i] = '.'
		}
	}
	return string(c)
}
