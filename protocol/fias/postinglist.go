package fias

import "time"

// PostingList is record PL: the guests, and accounts, that an inquiry found (fias.md 6.4).
type PostingList struct {
	At            time.Time
	Number        int // P# of the inquiry
	Workstation   string
	Outlet        string
	User          string
	PaymentMethod string
	Check         int64
	Guests        []Guest
}

// A Guest is somebody in house who can be charged, or an account.
type Guest struct {
	Room        string // RN; of an account its number
	Reservation string // G#; "0" of an account
	Name        string // GN; its layout is a setting of the hotel
	FirstName   string // GF
	Title       string // GT
	VIP         string // GV
	Language    string // GL
	Group       string // GG
	Profile     string // G+
	Arrival     time.Time
	Departure   time.Time
	NoPost      bool       // NP: a posting will be refused
	CreditLimit *Amount    // CL; nil if the hotel does not tell
	Balance     *Amount    // BA; nil if the hotel does not tell
	Extra       [10]string // A0 to A9
}

// Account reports whether this is an A/R or city ledger account and no guest (fias.md 6.4).
func (g *Guest) Account() bool { return g.Reservation == "0" }

// Record is PL.
func (PostingList) Record() Tag { return PL }

// Encode writes the fields: those of the record first, then a block a guest that begins with RN and G#.
func (l PostingList) Encode(e *Encoder) {
	e.Count(PNum, int64(l.Number))
	e.Option(WS, l.Workstation)
	e.Option(SO, l.Outlet)
	e.Option(ID, l.User)
	e.Option(PM, l.PaymentMethod)
	e.Count(CNum, l.Check)
	e.Moment(l.At)
	for _, g := range l.Guests {
		g.encode(e)
	}
}

func (g *Guest) encode(e *Encoder) {
	e.Text(RN, g.Room)
	e.Text(GNum, g.Reservation)
	e.Option(GN, g.Name)
	e.Option(GF, g.FirstName)
	e.Option(GT, g.Title)
	e.Option(GV, g.VIP)
	e.Option(GL, g.Language)
	e.Option(GG, g.Group)
	e.Option(GPlus, g.Profile)
	e.Date(GA, g.Arrival)
	e.Date(GD, g.Departure)
	if g.CreditLimit != nil {
		e.Amount(CL, *g.CreditLimit)
	}
	if g.Balance != nil {
		e.Amount(BA, *g.Balance)
	}
	e.Flag(NP, g.NoPost)
	for i, s := range g.Extra {
		e.Option(Nth(A0, i), s)
	}
}

// Decode reads record PL, whatever the order of its fields: a new guest begins where a guest's field comes a second time,
// and the fields of the record count as such wherever they stand (fias.md 6.4). A block without RN and G# is left out.
func (l *PostingList) Decode(r *Record, c Codec) {
	*l = PostingList{
		At: r.Moment(c), Number: number(r, PNum), Workstation: r.Text(WS, c), Outlet: r.Text(SO, c), User: r.Text(ID, c),
		PaymentMethod: r.Text(PM, c),
	}
	l.Check, _ = r.Number(CNum)
	var g Guest
	var seen tagSet
	enc := c.encoding()
	flush := func() {
		if seen.has(RN) && seen.has(GNum) {
			l.Guests = append(l.Guests, g)
		}
		g = Guest{}
		seen = seen[:0]
	}
	for t, v := range r.Fields() {
		switch t {
		case CNum, DA, ID, PNum, PM, SO, TI, WS:
			continue
		}
		if seen.has(t) {
			flush()
		}
		seen = append(seen, t)
		switch t {
		case RN:
			g.Room = enc.Decode(v)
		case GNum:
			g.Reservation = enc.Decode(v)
		case GN:
			g.Name = enc.Decode(v)
		case GF:
			g.FirstName = enc.Decode(v)
		case GT:
			g.Title = enc.Decode(v)
		case GV:
			g.VIP = enc.Decode(v)
		case GL:
			g.Language = enc.Decode(v)
		case GG:
			g.Group = enc.Decode(v)
		case GPlus:
			g.Profile = enc.Decode(v)
		case GA, GD:
			var at time.Time
			if d, ok := parseDate(v); ok {
				at = time.Date(d.year, d.month, d.day, 0, 0, 0, 0, c.location())
			}
			if t == GA {
				g.Arrival = at
			} else {
				g.Departure = at
			}
		case NP:
			g.NoPost = string(v) == "Y" || string(v) == "y"
		case CL:
			g.CreditLimit = amountOrNil(v)
		case BA:
			g.Balance = amountOrNil(v)
		default:
			if n := byte(t) - '0'; byte(t>>8) == 'A' && n <= 9 {
				g.Extra[n] = enc.Decode(v)
			}
		}
	}
	flush()
}

func amountOrNil(v []byte) *Amount {
	if a, ok := parseAmount(v); ok {
		return &a
	}
	return nil
}

// A tagSet is the fields of one guest; there are a dozen or two.
type tagSet []Tag

func (s tagSet) has(t Tag) bool {
	for _, x := range s {
		if x == t {
			return true
		}
	}
	return false
}
