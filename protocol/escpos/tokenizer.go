package escpos

import (
	"fmt"
	"sync"
)

// TokenKind is what a stretch of a printer's input is.
type TokenKind byte

const (
	TokenText    TokenKind = iota // Bytes: 20..FF, to be read by the code page in force
	TokenCommand                  // Name, Bytes, Args; the payload of a long one follows as TokenData
	TokenData                     // Bytes: the next slice of the last command's payload
)

// A Token is a run of text, a command, or a slice of a long command's payload. Its memory is valid during the
// call that gives it.
type Token struct {
	Kind TokenKind
	// Name is the manual's name of a command without its arguments: "LF", "ESC @", "GS V", "GS ( H"; "ESC ?" with the
	// byte in hexadecimal, as in "ESC 9F", where nobody knows it.
	Name  string
	Bytes []byte
	Args  []byte // what follows the name; without the count of a ( command
	// More is the number of payload bytes of this command still to come as TokenData.
	More int64
	// Known is false for a command that was skipped by rule.
	Known bool
	// End is the offset in the stream just after the token.
	End int64
}

// RealTime reports a command that a printer acts on when it arrives, not in its turn.
func (t Token) RealTime() bool { return t.Kind == TokenCommand && t.Bytes[0] == dle }

// DefaultLimit is the longest command a Tokenizer holds together: a GS v 0 of 255 rows by 80 bytes fits.
const DefaultLimit = 32 << 10

// minLimit holds every command without a payload.
const minLimit = 512

// A Tokenizer cuts the input of a printer into tokens, in the order in which its interpreter meets them: escpos.md 17.
// A command that is not complete waits for its rest, as the printer does. Its memory is bounded by Limit. Real-time
// commands come in their place here; a printer also takes them on arrival, see RealTime.
type Tokenizer struct {
	Limit int // longest command given in one token; 0 means DefaultLimit, at least 512

	buf  []byte // the incomplete command
	skip int64  // payload bytes still to stream
	off  int64  // bytes taken
}

// Pending is the number of bytes of an incomplete command held, or of payload still awaited. Above zero the interpreter
// is stuck until more comes: it will eat the next ticket's first bytes.
func (t *Tokenizer) Pending() int64 { return int64(len(t.buf)) + t.skip }

// Feed gives the tokens that b completes to fn, in order.
func (t *Tokenizer) Feed(b []byte, fn func(Token)) {
	for len(b) > 0 {
		if t.skip > 0 {
			n := min(t.skip, int64(len(b)))
			t.skip -= n
			t.off += n
			fn(Token{Kind: TokenData, Bytes: b[:n], More: t.skip, End: t.off, Known: true})
			b = b[n:]
			continue
		}
		if len(t.buf) == 0 {
			if b[0] >= 0x20 {
				n := 1
				for n < len(b) && b[n] >= 0x20 {
					n++
				}
				t.off += int64(n)
				fn(Token{Kind: TokenText, Bytes: b[:n], End: t.off, Known: true})
				b = b[n:]
				continue
			}
			// The usual case: the whole command lies in b and needs no copy.
			if s := scan(b); s.total > 0 && s.total <= int64(len(b)) && s.total <= int64(t.limit()) {
				t.off += s.total
				fn(t.token(b[:s.total], s))
				b = b[s.total:]
				continue
			}
		}
		b = t.gather(b, fn)
	}
}

func (t *Tokenizer) limit() int {
	if t.Limit > 0 {
		return max(t.Limit, minLimit)
	}
	return DefaultLimit
}

// gather moves bytes of in to the incomplete command until it is complete, or its length is known to be too long to hold,
// and gives what is left of in.
func (t *Tokenizer) gather(in []byte, fn func(Token)) []byte {
	limit, taken := int64(t.limit()), 0
	for {
		s := scan(t.buf)
		held := int64(len(t.buf))
		want := s.need // where the length is not known yet
		switch {
		case s.total > limit:
			want = s.head
		case s.total > 0:
			want = s.total
		case held >= limit: // it does not end: give what there is and begin anew
			s.total, want = held, held
		}
		if held >= want {
			n := min(held, s.total) // a lone DLE is known by the byte behind it, which was taken last and goes back
			t.off += n
			t.skip = s.total - n
			tok := t.token(t.buf[:n], s)
			tok.More = t.skip
			t.buf = t.buf[:0]
			fn(tok)
			return in[taken-int(held-n):]
		}
		if taken == len(in) {
			return nil
		}
		n := int(min(max(min(want, limit)-held, 1), int64(len(in)-taken)))
		t.buf = append(t.buf, in[taken:taken+n]...)
		taken += n
	}
}

func (t *Tokenizer) token(b []byte, s span) Token {
	return Token{Kind: TokenCommand, Name: s.name, Bytes: b, Args: b[min(s.args, int64(len(b))):], Known: !s.unknown, End: t.off}
}

// A span is the extent of a command at the start of some bytes.
type span struct {
	name    string
	args    int64 // offset of the arguments
	head    int64 // bytes up to the payload, those that a command too long to hold still needs
	total   int64 // whole length; 0: more bytes are needed to know it
	need    int64 // bytes needed to know more, when total is 0
	unknown bool
}

// Argument counts of escpos.md 17: the second byte, then how many follow.
var (
	escArgs = argTable("\x0c2<@LSimqv", " !%-34=?CEFGJKMRTUVadertu{", "$\\cfB", "p7", "W", 8)
	fsArgs  = argTable("&.bc", "!-CW", "?Sp", "", "", 0)
	gsArgs  = argTable(":c", "!/BEHITabfhjrw", "$LPW\\", "^z", "g", 4)
)

// argTable holds count+1 by second byte; 0: not in the table.
func argTable(none, one, two, three, many string, n int8) (t [256]int8) {
	for i, s := range []string{none, one, two, three} {
		for _, c := range []byte(s) {
			t[c] = int8(i) + 1
		}
	}
	for _, c := range []byte(many) {
		t[c] = n + 1
	}
	return t
}

var controlNames = map[byte]string{nul: "NUL", bel: "BEL", ht: "HT", lf: "LF", ff: "FF", cr: "CR", can: "CAN"}

// names are what people call commands, by the row of the lead byte (DLE ESC FS GS) and the byte after it.
type names struct {
	commands [4][256]string
	paren    [4][256]string // "xx ( y", by y
	lone     [32]string
}

// named is built when the first stream is read: a box that only prints reads none.
var named = sync.OnceValue(func() *names {
	n := new(names)
	each := func(row *[256]string, lead string) {
		for c := range row {
			if c > 0x20 && c < 0x7F {
				row[c] = lead + " " + string(rune(c))
			} else {
				row[c] = fmt.Sprintf("%s %02X", lead, c)
			}
		}
	}
	for i, lead := range []string{"DLE", "ESC", "FS", "GS"} {
		each(&n.commands[i], lead)
		if i > 0 {
			each(&n.paren[i], n.commands[i]['('])
		}
	}
	n.commands[0][eot], n.commands[0][enq], n.commands[0][dc4] = "DLE EOT", "DLE ENQ", "DLE DC4"
	n.commands[1][' '], n.commands[1][ff] = "ESC SP", "ESC FF"
	for c := range n.lone {
		n.lone[c] = fmt.Sprintf("%02X", c)
	}
	return n
})

// scan finds the extent of the command at the start of b. It reads nothing beyond b; where b is too short to tell, total
// is 0 and need says how many bytes would tell more.
func scan(b []byte) span {
	if len(b) == 0 {
		return span{need: 1}
	}
	lead := b[0]
	switch lead {
	case dle, esc, fs, gs:
	case 0x12: // DC2 # n, density of clones
		if len(b) < 2 {
			return span{need: 2}
		}
		if b[1] == '#' {
			return span{name: "DC2 #", args: 2, head: 3, total: 3}
		}
		return span{name: "DC2", args: 1, head: 1, total: 1, unknown: true}
	default:
		name, ok := controlNames[lead]
		if !ok {
			name = named().lone[lead&0x1F]
		}
		return span{name: name, args: 1, head: 1, total: 1, unknown: !ok}
	}
	if len(b) < 2 {
		return span{need: 2}
	}
	c := b[1]
	fixed := func(row int, n int64) span {
		return span{name: named().commands[row][c], args: 2, head: 2 + n, total: 2 + n}
	}
	more := func(row int, n int64) span { // the length is not known before n bytes are there
		return span{name: named().commands[row][c], args: 2, head: n, need: n}
	}
	long := func(row int, head, payload int64) span {
		return span{name: named().commands[row][c], args: 2, head: head, total: head + payload}
	}
	var row int
	var table *[256]int8
	switch lead {
	case dle:
		switch c {
		case eot:
			if len(b) < 3 {
				return more(0, 3)
			}
			if b[2] == 7 || b[2] == 8 {
				return fixed(0, 2)
			}
			return fixed(0, 1)
		case enq:
			return fixed(0, 1)
		case dc4:
			if len(b) < 3 {
				return more(0, 3)
			}
			n := int64(1)
			switch b[2] {
			case 1, 2:
				n += 2
			case 3:
				n += 5
			case 7:
				n++
			case 8:
				n += 7
			}
			return fixed(0, n)
		}
		return span{name: "DLE", args: 1, head: 1, total: 1, unknown: true}
	case esc:
		row, table = 1, &escArgs
		switch c {
		case '*': // m nL nH, then n columns of 1 or 3 bytes
			if len(b) < 5 {
				return more(row, 5)
			}
			n := int64(b[3]) | int64(b[4])<<8
			if b[2] >= 32 {
				n *= 3
			}
			return long(row, 5, n)
		case '&':
			return glyphs(b)
		case 'D': // tab stops end with NUL, or with one that does not ascend
			for i := 2; i < len(b) && i < 2+33; i++ {
				if b[i] == nul || i > 2 && b[i] <= b[i-1] {
					return span{name: "ESC D", args: 2, head: int64(i) + 1, total: int64(i) + 1}
				}
			}
			if len(b) >= 2+33 {
				return fixed(row, 33)
			}
			return more(row, int64(len(b))+1)
		case '(':
			return paren(b, row)
		}
	case fs:
		row, table = 2, &fsArgs
		switch c {
		case '(':
			return paren(b, row)
		case 'a':
			if len(b) < 3 {
				return more(row, 3)
			}
			if b[2] == '0' {
				return fixed(row, 2)
			}
			return fixed(row, 1)
		case '2': // c1 c2 and a glyph of 24 by 24
			return long(row, 4, 72)
		case 'q': // n images, each xL xH yL yH and its dots
			return images(b)
		case 'g': // 1 m a1..a4 nL nH data; 2 m a1..a4 nL nH
			if len(b) < 3 {
				return more(row, 3)
			}
			if len(b) < 10 {
				return more(row, 10)
			}
			n := int64(0)
			if b[2] == '1' {
				n = int64(b[8]) | int64(b[9])<<8
			}
			return long(row, 10, n)
		}
	case gs:
		row, table = 3, &gsArgs
		switch c {
		case '(':
			return paren(b, row)
		case '8': // L p1..p4
			if len(b) < 7 {
				return more(row, 7)
			}
			n := int64(b[3]) | int64(b[4])<<8 | int64(b[5])<<16 | int64(b[6])<<24
			return span{name: "GS 8 L", args: 7, head: 7, total: 7 + n}
		case '*':
			if len(b) < 4 {
				return more(row, 4)
			}
			return long(row, 4, int64(b[2])*int64(b[3])*8)
		case 'v': // 0 m xL xH yL yH
			if len(b) < 8 {
				return more(row, 8)
			}
			s := long(row, 8, (int64(b[4])|int64(b[5])<<8)*(int64(b[6])|int64(b[7])<<8))
			s.name = "GS v 0"
			s.args = 3
			return s
		case 'Q': // 0 m xL xH yL yH
			if len(b) < 8 {
				return more(row, 8)
			}
			return long(row, 8, (int64(b[4])|int64(b[5])<<8)*(int64(b[6])|int64(b[7])<<8))
		case 'D': // 30 43|53 30 kc1 kc2 a 31 and a BMP file, whose length stands in it
			if len(b) < 15 {
				return more(row, 15)
			}
			n := int64(b[11]) | int64(b[12])<<8 | int64(b[13])<<16 | int64(b[14])<<24
			return long(row, 15, max(n-6, 0))
		case 'V':
			if len(b) < 3 {
				return more(row, 3)
			}
			switch b[2] {
			case 0, 1, '0', '1':
				return fixed(row, 1)
			}
			return fixed(row, 2)
		case 'C':
			if len(b) < 3 {
				return more(row, 3)
			}
			switch b[2] {
			case '0', '2':
				return fixed(row, 3)
			case '1':
				return fixed(row, 7)
			case ';':
				n := 0
				for i := 2; i < len(b) && i < 64; i++ {
					if b[i] == ';' {
						if n++; n == 6 { // the one after C and five more
							return fixed(row, int64(i)-1)
						}
					}
				}
				if len(b) >= 64 {
					return fixed(row, 62)
				}
				return more(row, int64(len(b))+1)
			}
			return fixed(row, 1)
		case 'k':
			if len(b) < 4 {
				return more(row, 4)
			}
			if b[2] > 6 {
				return long(row, 4, int64(b[3]))
			}
			for i := 3; i < len(b) && i < 256+3; i++ {
				if b[i] == nul {
					return long(row, 3, int64(i)-2)
				}
			}
			if len(b) >= 256+3 {
				return fixed(row, 256+1)
			}
			return more(row, int64(len(b))+1)
		}
	}
	if n := table[c]; n > 0 {
		return fixed(row, int64(n)-1)
	}
	return span{name: named().commands[row][c], args: 2, head: 2, total: 2, unknown: true}
}

// paren is "xx ( y pL pH" and as many bytes as it says, known or not.
func paren(b []byte, row int) span {
	if len(b) < 5 {
		return span{name: named().commands[row]['('], args: 5, head: 5, need: 5}
	}
	return span{name: named().paren[row][b[2]], args: 5, head: 5, total: 5 + int64(b[3]) + int64(b[4])<<8}
}

// glyphs is ESC & y c1 c2, then for each code x and x*y bytes.
func glyphs(b []byte) span {
	s := span{name: "ESC &", args: 2, head: 5}
	if len(b) < 5 {
		s.need = 5
		return s
	}
	at := int64(5)
	for c := int(b[3]); c <= int(b[4]); c++ {
		if at >= int64(len(b)) {
			s.need = at + 1
			return s
		}
		at += 1 + int64(b[at])*int64(b[2])
	}
	s.total = at
	return s
}

// images is FS q n, then n times xL xH yL yH and x*y*8 bytes.
func images(b []byte) span {
	s := span{name: "FS q", args: 2, head: 3}
	if len(b) < 3 {
		s.need = 3
		return s
	}
	at := int64(3)
	for range b[2] {
		if at+4 > int64(len(b)) {
			s.need = at + 4
			return s
		}
		at += 4 + (int64(b[at])|int64(b[at+1])<<8)*(int64(b[at+2])|int64(b[at+3])<<8)*8
	}
	s.total = at
	return s
}
