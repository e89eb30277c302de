package fias

// A Tag is the two-character name of a record or of a field. Any two printable characters may be one, and case counts
// (fias.md 2). The zero Tag names nothing.
type Tag uint16

// TagOf makes a Tag of two characters; of anything else it makes the zero Tag.
func TagOf(s string) Tag {
	if len(s) != 2 {
		return 0
	}
	return tag(s[0], s[1])
}

func tag(a, b byte) Tag { return Tag(a)<<8 | Tag(b) }

func (t Tag) String() string { return string([]byte{byte(t >> 8), byte(t)}) }

// AppendTo appends the two characters.
func (t Tag) AppendTo(b []byte) []byte { return append(b, byte(t>>8), byte(t)) }

// Valid reports whether the tag is two printable characters and no separator.
func (t Tag) Valid() bool { return printable(byte(t>>8)) && printable(byte(t)) }

func printable(c byte) bool { return c-'!' < 0x7F-'!' && c != '|' }

// Records (fias.md 4.1).
const (
	LS Tag = 'L'<<8 | 'S' // link start
	LA Tag = 'L'<<8 | 'A' // link alive
	LE Tag = 'L'<<8 | 'E' // link end
	LD Tag = 'L'<<8 | 'D' // link description
	LR Tag = 'L'<<8 | 'R' // link record
	LC Tag = 'L'<<8 | 'C' // link configuration
	DR Tag = 'D'<<8 | 'R' // resync request
	DS Tag = 'D'<<8 | 'S' // resync start
	DE Tag = 'D'<<8 | 'E' // resync end
	NS Tag = 'N'<<8 | 'S' // night audit start
	NE Tag = 'N'<<8 | 'E' // night audit end
	GI Tag = 'G'<<8 | 'I' // check-in
	GC Tag = 'G'<<8 | 'C' // change, room move
	GO Tag = 'G'<<8 | 'O' // check-out
	PS Tag = 'P'<<8 | 'S' // posting simple
	PR Tag = 'P'<<8 | 'R' // inquiry and posting
	PL Tag = 'P'<<8 | 'L' // posting list
	PA Tag = 'P'<<8 | 'A' // posting answer
	XL Tag = 'X'<<8 | 'L' // message text
	XM Tag = 'X'<<8 | 'M' // message request
	XT Tag = 'X'<<8 | 'T' // message answer
	XD Tag = 'X'<<8 | 'D' // message read or deleted
	XR Tag = 'X'<<8 | 'R' // bill request
	XI Tag = 'X'<<8 | 'I' // bill item
	XB Tag = 'X'<<8 | 'B' // bill balance
	XC Tag = 'X'<<8 | 'C' // remote check-out
	LO Tag = 'L'<<8 | 'O' // locator on
	LF Tag = 'L'<<8 | 'F' // locator off
	LP Tag = 'L'<<8 | 'P' // locator retrieve
	RE Tag = 'R'<<8 | 'E' // room equipment
	WR Tag = 'W'<<8 | 'R' // wake-up request
	WC Tag = 'W'<<8 | 'C' // wake-up clear
	WA Tag = 'W'<<8 | 'A' // wake-up answer
	KR Tag = 'K'<<8 | 'R' // key request
	KD Tag = 'K'<<8 | 'D' // key delete
	KM Tag = 'K'<<8 | 'M' // key change
	KA Tag = 'K'<<8 | 'A' // key answer
	KZ Tag = 'K'<<8 | 'Z' // key read
	VA Tag = 'V'<<8 | 'A' // virtual number answer
	CK Tag = 'C'<<8 | 'K' // guest check detail request
)

// Fields (fias.md 5). A tag with a sign is named by a word: G# is GNum, G+ is GPlus, +0 is Plus0, $2 is Track2.
const (
	Track1 Tag = '$'<<8 | '1'
	Track2 Tag = '$'<<8 | '2'
	Track3 Tag = '$'<<8 | '3'
	MsgExt Tag = '$'<<8 | 'J'
	Plus0  Tag = '+'<<8 | '0'
	A0     Tag = 'A'<<8 | '0'
	A1     Tag = 'A'<<8 | '1'
	A2     Tag = 'A'<<8 | '2'
	A3     Tag = 'A'<<8 | '3'
	A9     Tag = 'A'<<8 | '9'
	AS     Tag = 'A'<<8 | 'S'
	BA     Tag = 'B'<<8 | 'A'
	BD     Tag = 'B'<<8 | 'D'
	BI     Tag = 'B'<<8 | 'I'
	CNum   Tag = 'C'<<8 | '#'
	CG     Tag = 'C'<<8 | 'G'
	CL     Tag = 'C'<<8 | 'L'
	CO     Tag = 'C'<<8 | 'O'
	CS     Tag = 'C'<<8 | 'S'
	CT     Tag = 'C'<<8 | 'T'
	CV     Tag = 'C'<<8 | 'V'
	D1     Tag = 'D'<<8 | '1'
	DA     Tag = 'D'<<8 | 'A'
	DC     Tag = 'D'<<8 | 'C'
	DD     Tag = 'D'<<8 | 'D'
	DN     Tag = 'D'<<8 | 'N'
	DT     Tag = 'D'<<8 | 'T'
	DU     Tag = 'D'<<8 | 'U'
	EI     Tag = 'E'<<8 | 'I'
	EN     Tag = 'E'<<8 | 'N'
	EO     Tag = 'E'<<8 | 'O'
	EP     Tag = 'E'<<8 | 'P'
	ES     Tag = 'E'<<8 | 'S'
	ET     Tag = 'E'<<8 | 'T'
	FNum   Tag = 'F'<<8 | '#'
	FD     Tag = 'F'<<8 | 'D'
	FL     Tag = 'F'<<8 | 'L'
	GNum   Tag = 'G'<<8 | '#'
	GPlus  Tag = 'G'<<8 | '+'
	GA     Tag = 'G'<<8 | 'A'
	GD     Tag = 'G'<<8 | 'D'
	GF     Tag = 'G'<<8 | 'F'
	GG     Tag = 'G'<<8 | 'G'
	GL     Tag = 'G'<<8 | 'L'
	GN     Tag = 'G'<<8 | 'N'
	GP     Tag = 'G'<<8 | 'P'
	GS     Tag = 'G'<<8 | 'S'
	GT     Tag = 'G'<<8 | 'T'
	GV     Tag = 'G'<<8 | 'V'
	ID     Tag = 'I'<<8 | 'D'
	IF     Tag = 'I'<<8 | 'F'
	KNum   Tag = 'K'<<8 | '#'
	KC     Tag = 'K'<<8 | 'C'
	KO     Tag = 'K'<<8 | 'O'
	KT     Tag = 'K'<<8 | 'T'
	LT     Tag = 'L'<<8 | 'T'
	MNum   Tag = 'M'<<8 | '#'
	MA     Tag = 'M'<<8 | 'A'
	MI     Tag = 'M'<<8 | 'I'
	ML     Tag = 'M'<<8 | 'L'
	MP     Tag = 'M'<<8 | 'P'
	MR     Tag = 'M'<<8 | 'R'
	MT     Tag = 'M'<<8 | 'T'
	MX     Tag = 'M'<<8 | 'X'
	NP     Tag = 'N'<<8 | 'P'
	PNum   Tag = 'P'<<8 | '#'
	PC     Tag = 'P'<<8 | 'C'
	PH     Tag = 'P'<<8 | 'H'
	PI     Tag = 'P'<<8 | 'I'
	PM     Tag = 'P'<<8 | 'M'
	PP     Tag = 'P'<<8 | 'P'
	PT     Tag = 'P'<<8 | 'T'
	PU     Tag = 'P'<<8 | 'U'
	PX     Tag = 'P'<<8 | 'X'
	RI     Tag = 'R'<<8 | 'I'
	RL     Tag = 'R'<<8 | 'L'
	RN     Tag = 'R'<<8 | 'N'
	RO     Tag = 'R'<<8 | 'O'
	RP     Tag = 'R'<<8 | 'P'
	RS     Tag = 'R'<<8 | 'S'
	RT     Tag = 'R'<<8 | 'T'
	S1     Tag = 'S'<<8 | '1'
	SC     Tag = 'S'<<8 | 'C'
	SF     Tag = 'S'<<8 | 'F'
	SI     Tag = 'S'<<8 | 'I'
	SO     Tag = 'S'<<8 | 'O'
	ST     Tag = 'S'<<8 | 'T'
	TNum   Tag = 'T'<<8 | '#'
	T1     Tag = 'T'<<8 | '1'
	TA     Tag = 'T'<<8 | 'A'
	TI     Tag = 'T'<<8 | 'I'
	TP     Tag = 'T'<<8 | 'P'
	TV     Tag = 'T'<<8 | 'V'
	UO     Tag = 'U'<<8 | 'O'
	VNum   Tag = 'V'<<8 | '#'
	VM     Tag = 'V'<<8 | 'M'
	VR     Tag = 'V'<<8 | 'R'
	WS     Tag = 'W'<<8 | 'S'
	X1     Tag = 'X'<<8 | '1'
)

// Nth is one of a numbered family: Nth(S1, 3) is S3. n counts from the family's own digit, so Nth(A0, 2) is A2.
func Nth(first Tag, n int) Tag {
	if byte(first) == '0' {
		return first + Tag(n)
	}
	return first + Tag(n-1)
}
