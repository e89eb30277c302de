package fias

// A Type is what a field holds (fias.md 2).
type Type byte

// The types of fields.
const (
	Printable Type = iota // ANS: any printable character of the site's set
	ASCII                 // AN: 20 to 7E
	Numeric               // N: digits with an optional minus; integers only
	Money                 // M: the same with two implied decimals; from the hotel it may hold a point
	Date                  // D: YYMMDD
	Clock                 // T: HHMMSS
	Minutes               // LT: HHMM
	YesNo                 // Y or N
	Empty                 // SF: the tag is all there is
	Lines                 // message text: printable, and CR, LF, FF
	TagList               // FL: tags without anything between
)

func (t Type) String() string {
	return [...]string{"ANS", "AN", "N", "M", "D", "T", "LT", "flag", "-", "ANS lines", "tags"}[t]
}

// A Field is an entry of the dictionary (fias.md 5).
type Field struct {
	Tag  Tag
	Name string
	Type Type
	Max  int // characters, digits of a number without its minus; 0: no limit but the record's
	// Cut says that a text that is too long is sent shortened: it only describes. One that identifies, such as a room, is
	// refused, since the shortened one may be somebody else's.
	Cut bool
}

// FieldOf is what the dictionary says of a field of a record; ok is false if it has no such field. Limits are those of
// the record where they differ: CT has 20 characters in a posting and 50 in an answer (fias.md 5).
func FieldOf(record, field Tag) (f Field, ok bool) {
	switch byte(field >> 8) { // the numbered families
	case 'S', 'T', 'D':
		if n := byte(field); n >= '1' && n <= '9' {
			f, _ = dictionary(field - Tag(n-'1'))
			f.Tag = field
			return f, true
		}
	case 'A':
		if n := byte(field); n >= '0' && n <= '9' {
			f = Field{Tag: field, Name: "user-definable", Type: Printable}
			if record == LC {
				f.Name = "link setting"
			}
			return f, true
		}
	}
	f, ok = dictionary(field)
	if !ok {
		return Field{Tag: field}, false
	}
	switch field {
	case CT:
		f.Max = 20
		switch record {
		case PA: // OPERA sends longer ones
			f.Max = 50
		case RE, KA, KZ, XC, VA:
			f.Max = 40
		case LO:
			f.Max = 80
		case LP:
			f.Max = 96
		}
	case GN:
		if record == KZ {
			f.Max = 40
		}
	case Track2:
		switch record {
		case PR:
			f.Max = 19
		case KR, KM:
			f.Max = 16
		case KA:
			f.Type, f.Max = Printable, 19
		}
	case BD:
		f.Max = 300 // 25 in one list, 300 in another: the wider one
	case RN, RO: // 8 in the text, longer in the field (fias.md 5)
		f.Max = 20
	case BA:
		if record == PL {
			f.Type = Money
		}
	case VM:
		f.Max = 4
	}
	return f, true
}

// dictionary is fias.md 5, a line a field.
func dictionary(t Tag) (Field, bool) {
	switch t {
	case Track1:
		return Field{t, "track 1", ASCII, 40, false}, true
	case Track2:
		return Field{t, "track 2, key card", ASCII, 40, false}, true
	case Track3:
		return Field{t, "track 3, lock data", ASCII, 200, false}, true
	case MsgExt:
		return Field{t, "external message number", Printable, 16, false}, true
	case Plus0:
		return Field{t, "cash rounding", Money, 15, false}, true
	case AS:
		return Field{t, "answer status", ASCII, 2, false}, true
	case BA:
		return Field{t, "balance", Numeric, 20, false}, true
	case BD:
		return Field{t, "bill item text", Printable, 25, true}, true
	case BI:
		return Field{t, "bill item amount", Numeric, 20, false}, true
	case CNum:
		return Field{t, "check number", Numeric, 8, false}, true
	case CG:
		return Field{t, "cryptogram", ASCII, 150, false}, true
	case CL:
		return Field{t, "credit limit", Money, 15, false}, true
	case CO:
		return Field{t, "credit limit override", ASCII, 1, false}, true
	case CS:
		return Field{t, "class of service", ASCII, 1, false}, true
	case CT:
		return Field{t, "clear text", Printable, 20, true}, true
	case CV:
		return Field{t, "covers", Numeric, 5, false}, true
	case D1:
		return Field{t, "discount", Money, 15, false}, true
	case DA:
		return Field{t, "date", Date, 6, false}, true
	case DC:
		return Field{t, "department code", Numeric, 20, false}, true
	case DD:
		return Field{t, "dialled digits", Numeric, 20, false}, true
	case DN:
		return Field{t, "do not disturb", YesNo, 1, false}, true
	case DT:
		return Field{t, "departure time", ASCII, 5, false}, true
	case DU:
		return Field{t, "duration", Clock, 6, false}, true
	case EI:
		return Field{t, "virtual number pool of the source room", ASCII, 0, false}, true
	case EN:
		return Field{t, "virtual number", ASCII, 0, false}, true
	case EO:
		return Field{t, "virtual number of the source room", ASCII, 0, false}, true
	case EP:
		return Field{t, "virtual number pool", ASCII, 0, false}, true
	case ES:
		return Field{t, "virtual number status", ASCII, 0, false}, true
	case ET:
		return Field{t, "virtual number status of the source room", ASCII, 0, false}, true
	case FNum:
		return Field{t, "bill window", Numeric, 2, false}, true
	case FD:
		return Field{t, "item display", YesNo, 1, false}, true
	case FL:
		return Field{t, "field list", TagList, 0, false}, true
	case GNum:
		return Field{t, "reservation number", Numeric, 10, false}, true
	case GPlus:
		return Field{t, "profile number", ASCII, 10, false}, true
	case GA:
		return Field{t, "arrival date", Date, 6, false}, true
	case GD:
		return Field{t, "departure date", Date, 6, false}, true
	case GF:
		return Field{t, "first name", Printable, 80, true}, true
	case GG:
		return Field{t, "group number", ASCII, 10, false}, true
	case GL:
		return Field{t, "language", Printable, 10, false}, true
	case GN:
		return Field{t, "guest name", Printable, 200, true}, true
	case GP:
		return Field{t, "virtual number PIN", Printable, 6, false}, true
	case GS:
		return Field{t, "share flag", YesNo, 1, false}, true
	case GT:
		return Field{t, "title", Printable, 20, true}, true
	case GV:
		return Field{t, "VIP status", ASCII, 20, true}, true
	case ID:
		return Field{t, "user", Printable, 16, true}, true
	case IF:
		return Field{t, "interface family", ASCII, 2, false}, true
	case KNum:
		return Field{t, "key count", Numeric, 2, false}, true
	case KC:
		return Field{t, "key coder", ASCII, 8, false}, true
	case KO:
		return Field{t, "key options", ASCII, 0, false}, true
	case KT:
		return Field{t, "key type", ASCII, 2, false}, true
	case LT:
		return Field{t, "locator expiry", Minutes, 4, false}, true
	case MNum:
		return Field{t, "number of articles", Numeric, 2, false}, true
	case MA:
		return Field{t, "article", Numeric, 4, false}, true
	case MI:
		return Field{t, "message number", Numeric, 8, false}, true
	case ML:
		return Field{t, "message lamp", YesNo, 1, false}, true
	case MP:
		return Field{t, "meter pulses", Numeric, 10, false}, true
	case MR:
		return Field{t, "minibar right", ASCII, 2, false}, true
	case MT:
		return Field{t, "message text", Lines, 2000, true}, true
	case MX:
		return Field{t, "most matches", Numeric, 1, false}, true
	case NP:
		return Field{t, "no post", YesNo, 1, false}, true
	case PNum:
		return Field{t, "posting sequence number", Numeric, 8, false}, true
	case PC:
		return Field{t, "call type", ASCII, 1, false}, true
	case PH:
		return Field{t, "hotel", Printable, 20, false}, true
	case PI:
		return Field{t, "inquiry", Printable, 10, false}, true
	case PM:
		return Field{t, "payment method", Printable, 5, false}, true
	case PP:
		return Field{t, "printer port", Numeric, 1, false}, true
	case PT:
		return Field{t, "posting type", ASCII, 1, false}, true
	case PU:
		return Field{t, "persons in room", Numeric, 2, false}, true
	case PX:
		return Field{t, "route, trunk", Numeric, 6, false}, true
	case RI:
		return Field{t, "record described", ASCII, 2, false}, true
	case RL:
		return Field{t, "longest message record", Numeric, 4, false}, true
	case RN:
		return Field{t, "room or account", Printable, 20, false}, true
	case RO:
		return Field{t, "old room", Printable, 20, false}, true
	case RP:
		return Field{t, "room payment methods", Printable, 0, false}, true
	case RS:
		return Field{t, "room status", Numeric, 2, false}, true
	case RT:
		return Field{t, "request type", Numeric, 4, false}, true
	case S1:
		return Field{t, "subtotal", Money, 15, false}, true
	case SC:
		return Field{t, "service charge", Money, 15, false}, true
	case SF:
		return Field{t, "swap flag", Empty, 0, false}, true
	case SI:
		return Field{t, "additional rooms", Printable, 30, false}, true
	case SO:
		return Field{t, "sales outlet", ASCII, 5, false}, true
	case ST:
		return Field{t, "serving time", Numeric, 4, false}, true
	case TNum:
		return Field{t, "table", Numeric, 4, false}, true
	case T1:
		return Field{t, "tax", Money, 15, false}, true
	case TA:
		return Field{t, "total amount", Money, 15, false}, true
	case TI:
		return Field{t, "time", Clock, 6, false}, true
	case TP:
		return Field{t, "tip", Money, 15, false}, true
	case TV:
		return Field{t, "TV right", ASCII, 2, false}, true
	case UO:
		return Field{t, "suite of the old room", Printable, 30, false}, true
	case VNum:
		return Field{t, "vendor's version", Printable, 10, true}, true
	case VM:
		return Field{t, "voice mail", ASCII, 4, false}, true
	case VR:
		return Field{t, "video right", ASCII, 2, false}, true
	case WS:
		return Field{t, "workstation", Printable, 16, true}, true
	case X1:
		return Field{t, "supplement", Printable, 25, true}, true
	}
	return Field{}, false
}
