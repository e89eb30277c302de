package fias

import (
	"strconv"
	"strings"
	"time"
)

// LinkConfiguration is record LC: what the hotel tells of itself when LD asked (fias.md 3.7). A2 and A3 are the versions of
// IFC and its driver, which of them is which differs between tables of the text.
type LinkConfiguration struct {
	At             time.Time
	PaymentMethods []string // RP: the codes that mean "to the room"
	PMSVersion     string   // A1
	A2, A3, A9     string
	EFTTimeout     time.Duration // A0, first number
	DLSTimeout     time.Duration // A0, second number
	Hotel          string        // PH
	Cryptogram     string        // CG
}

// Record is LC.
func (LinkConfiguration) Record() Tag { return LC }

// Encode writes the fields that are set.
func (l LinkConfiguration) Encode(e *Encoder) {
	e.Moment(l.At)
	e.Option(RP, strings.Join(l.PaymentMethods, ","))
	if l.EFTTimeout > 0 || l.DLSTimeout > 0 {
		e.Text(A0, seconds(l.EFTTimeout)+";"+seconds(l.DLSTimeout))
	}
	e.Option(A1, l.PMSVersion)
	e.Option(A2, l.A2)
	e.Option(A3, l.A3)
	e.Option(A9, l.A9)
	e.Option(PH, l.Hotel)
	e.Option(CG, l.Cryptogram)
}

// Decode reads record LC, leniently: whatever of it is there (fias.md 3.7).
func (l *LinkConfiguration) Decode(r *Record, c Codec) {
	*l = LinkConfiguration{
		At: r.Moment(c), PMSVersion: r.Text(A1, c), A2: r.Text(A2, c), A3: r.Text(A3, c), A9: r.Text(A9, c),
		Hotel: r.Text(PH, c), Cryptogram: r.Text(CG, c),
	}
	for m := range strings.SplitSeq(r.Text(RP, c), ",") {
		if m = strings.TrimSpace(m); m != "" {
			l.PaymentMethods = append(l.PaymentMethods, m)
		}
	}
	eft, dls, _ := strings.Cut(r.Text(A0, c), ";")
	l.EFTTimeout, l.DLSTimeout = fromSeconds(eft), fromSeconds(dls)
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

func fromSeconds(s string) time.Duration {
	n, ok := parseNumber([]byte(s))
	if !ok || n < 0 || n > 86400 {
		return 0
	}
	return time.Duration(n) * time.Second
}
