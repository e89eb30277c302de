package fias

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// TestBalance is the checks of fias.md 6.5 and the misprint of 9.4.
func TestBalance(t *testing.T) {
	for _, c := range []struct {
		record string
		ok     bool
	}{
		{"PR|TA1000|S1800|D1-200|T1400|", true},
		{"PR|TA22850|S18000|S26000|S34000|T12575|T21525|T31050|D1-1000|TP500|SC200|", true},
		{"PR|TA11075|S14000|S23000|S32000|T11287|T2763|T3525|D1-500|", true},
		{"PR|TA4380|S1100|S2200|S3300|S4400|S5500|S6600|S7700|S8800|S9900|D1-123|+03|", true},
		{"PR|TA890|S1520|S2500|D1132|S32|", false},
		{"PR|TA1000|", true}, // a plain total
		{"PR|TA-1050|S1-1050|", true},
		{"PR|TA1000|S1999|", false},
	} {
		var p PostingRequest
		p.Decode(parsed(t, c.record), Codec{})
		err := p.Parts.Balance(p.Total)
		var off *BalanceError
		if (err == nil) != c.ok || err != nil && (!errors.As(err, &off) || off.Sum != p.Parts.Sum()) {
			t.Errorf("%s: Balance = %v", c.record, err)
		}
	}
}

func TestRequestOf(t *testing.T) {
	for record, want := range map[string]Request{
		"PR|PI2781|":                  InquiryRequest,
		"PR|PI2781|G#12345|GNGuest|":  InquiryRequest, // CIF's canned one
		"PR|$24200|":                  InquiryRequest,
		"PR|PI2781|TA100|":            PostRequest,
		"PR|RN1|G#1|TA100|":           PostRequest,
		"PR|PMCASH|TA0|":              PostRequest,
		"PR|RN1|G#1|PTM|MA4000|M#1|":  PostRequest,
		"PR|RN1|G#1|":                 NoRequest,
		"PR|PI|TA|":                   NoRequest,
		"PS|RN1|TA100|":               NoRequest,
		"PR|RN1|G#1|PI1|PTM|MA1|M#1|": InquiryRequest,
	} {
		if got := RequestOf(parsed(t, record)); got != want {
			t.Errorf("RequestOf(%s) = %d, want %d", record, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	post := func(p Posting) error { r := PostingRequest{p}; return r.Validate() }
	simple := func(p Posting) error { r := PostingSimple{p}; return r.Validate() }
	inquire := func(q Inquiry) error { return q.Validate() }
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"posting", post(Posting{Number: 1, Room: "1", Reservation: "2", Total: 5}), nil},
		{"tender", post(Posting{Number: MaxNumber, PaymentMethod: "CASH", Total: 5}), nil},
		{"no number", post(Posting{}), ErrNumber},
		{"number too high", post(Posting{Number: MaxNumber + 1}), ErrNumber},
		{"negative number", post(Posting{Number: -1}), ErrNumber},
		{"room without reservation", post(Posting{Number: 1, Room: "1"}), ErrGuest},
		{"reservation without room", post(Posting{Number: 1, Reservation: "1"}), ErrGuest},
		{"negative articles", post(Posting{Number: 1, Articles: []Article{{4000, -1}}}), ErrArticle},
		{"simple", simple(Posting{Room: "1", Total: 5}), nil},
		{"simple, bad number", simple(Posting{Number: -4, Room: "1"}), ErrNumber},
		{"inquiry", inquire(Inquiry{Number: 1, Find: "G"}), nil},
		{"card", inquire(Inquiry{Number: 1, Card: "4200"}), nil},
		{"nothing to find", inquire(Inquiry{Number: 1}), ErrInquiry},
		{"inquiry without number", inquire(Inquiry{Find: "G"}), ErrNumber},
	} {
		if !errors.Is(c.err, c.want) || (c.err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
	var off *BalanceError
	if err := simple(Posting{Total: 5, Parts: Parts{Tip: 4}}); !errors.As(err, &off) || err.Error() != "the parts make 0.04, the total is 0.05" {
		t.Errorf("unbalanced PS without number: %v", err)
	}
}

// TestPostingList reads the shapes of fias.md 6.4: blocks that begin with RN, blocks that begin with G#, fields of the
// record before, between and after them, accounts, and limits with a point.
func TestPostingList(t *testing.T) {
	limit := Amount(50000)
	for _, c := range []struct {
		record string
		number int
		guests []Guest
	}{
		{"PL|SO123|WS456|IDELI|RN2781|G#12345|GNGuest, Mr.|RN2781|G#12381|GNSharer, Mr.|P#1734|", 1734,
			[]Guest{{Room: "2781", Reservation: "12345", Name: "Guest, Mr."}, {Room: "2781", Reservation: "12381", Name: "Sharer, Mr."}}},
		{"PL|G#1|GNA|RN10|NPY|G#2|GNB|RN11|C#5|DA260101|ID7|P#0009|PMROOM|SO1|TI120000|WSPOS|", 9,
			[]Guest{{Room: "10", Reservation: "1", Name: "A", NoPost: true}, {Room: "11", Reservation: "2", Name: "B"}}},
		{"PL|RN10|P#3|G#1|WSX|GNA|RN11|G#2|CL500.00|A9x|A0y|", 3,
			[]Guest{{Room: "10", Reservation: "1", Name: "A"}, {Room: "11", Reservation: "2", CreditLimit: &limit, Extra: [10]string{0: "y", 9: "x"}}}},
		{"PL|P#4|RN9001|G#0|GNCity Ledger|", 4, []Guest{{Room: "9001", Reservation: "0", Name: "City Ledger"}}},
		{"PL|P#5|RN1|G#1|ZZ1|ZZ2|RN2|G#2|", 5, []Guest{{Room: "1", Reservation: "1"}, {Room: "2", Reservation: "2"}}}, // ZZ repeats: the block ends
		{"PL|P#6|RN1|GNno reservation|RN2|G#2|", 6, []Guest{{Room: "2", Reservation: "2"}}},
		{"PL|P#7|", 7, nil},
	} {
		var l PostingList
		l.Decode(parsed(t, c.record), Codec{})
		same := slices.EqualFunc(l.Guests, c.guests, func(a, b Guest) bool {
			x, y := a.CreditLimit, b.CreditLimit
			a.CreditLimit, b.CreditLimit = nil, nil
			return a == b && (x == nil) == (y == nil) && (x == nil || *x == *y)
		})
		if l.Number != c.number || !same {
			t.Errorf("%s: %d %+v, want %d %+v", c.record, l.Number, l.Guests, c.number, c.guests)
		}
		if n := len(l.Guests); n > 0 && l.Guests[0].Account() != (c.number == 4) {
			t.Errorf("%s: Account = %v", c.record, l.Guests[0].Account())
		}
	}
}

func TestGuestRecord(t *testing.T) {
	var g GuestRecord
	g.Decode(parsed(t, "GC|RN9327|GSN|G#12345|GNGuest, Mr.|RO2781|GSY|"), Codec{})
	if g.Room != "9327" || g.OldRoom != "2781" || g.Shared || !g.OldShared || !g.Present.Has(GN) || g.Present.Has(GL) {
		t.Errorf("%+v", g)
	}
	g.Decode(parsed(t, "GO|RN1002|GSN|SF|"), Codec{})
	if !g.Swap || g.Reservation != "" || g.Record() != GO {
		t.Errorf("%+v", g)
	}
}

func TestLinkConfiguration(t *testing.T) {
	var lc LinkConfiguration
	lc.Decode(parsed(t, "LC|RP16,ROOM|A060;10|A16.2031|A27.43.23|A37.02|PH1|"), Codec{})
	if !slices.Equal(lc.PaymentMethods, []string{"16", "ROOM"}) || lc.EFTTimeout != time.Minute || lc.DLSTimeout != 10*time.Second ||
		lc.PMSVersion != "6.2031" || lc.A2 != "7.43.23" || lc.A3 != "7.02" || lc.Hotel != "1" {
		t.Errorf("%+v", lc)
	}
	if b, err := Marshal(nil, lc, Codec{}); string(b) != "LC|RP16,ROOM|A060;10|A16.2031|A27.43.23|A37.02|PH1|" || err != nil {
		t.Errorf("%s, %v", b, err)
	}
	for _, a0 := range []string{"", ";", "x;y", "60", "-1;-1", "99999999999999999999;1"} {
		lc.Decode(parsed(t, "LC|A0"+a0+"|RP, ,,|"), Codec{})
		if len(lc.PaymentMethods) != 0 || lc.EFTTimeout < 0 || lc.DLSTimeout < 0 {
			t.Errorf("A0%s: %+v", a0, lc)
		}
	}
}

func TestLinkRecord(t *testing.T) {
	for record, ok := range map[string]bool{
		"LR|RIPR|FLDATI|": true, "LR|RIPR|FL|": true, "LR|RIPR|FLDAT|": false, "LR|FLDATI|": false, "LR|RIP|FLDA|": false,
		"LR|RIPRX|FLDA|": false, "LR|RIPR|": false, "LR|RIPR|FLD |": false, "LR|FL$2P#+0G+|RIPR|": true,
	} {
		var l LinkRecord
		if err := l.Decode(parsed(t, record)); (err == nil) != ok || err != nil && !errors.Is(err, ErrDescription) {
			t.Errorf("%s: %v", record, err)
		}
	}
	if l := Describe(PR, "DAP#$2"); !l.Lists(PNum) || !l.Lists(Track2) || l.Lists(TI) {
		t.Errorf("%+v", l)
	}
	seen := map[Tag]bool{}
	for _, l := range POSRecords() {
		b, err := Marshal(nil, l, Codec{})
		if err != nil || seen[l.Described] {
			t.Errorf("%s: %v, described twice %v", b, err, seen[l.Described])
		}
		seen[l.Described] = true
		for _, f := range l.Fields {
			if _, ok := FieldOf(l.Described, f); !ok {
				t.Errorf("LR of %s lists %s, which the dictionary lacks", l.Described, f)
			}
		}
	}
}

// TestDescribedFields: the till's own description lists every field its requests can carry.
func TestDescribedFields(t *testing.T) {
	var parts Parts
	for i := range 9 {
		parts.Subtotals[i], parts.Taxes[i], parts.Discounts[i] = 1, 1, -1
	}
	parts.Service, parts.Tip, parts.Rounding = 1, 1, 1
	p := Posting{At: time.Unix(1e9, 0), Number: 1, Room: "1", Reservation: "2", Guest: "3", Profile: "4", Workstation: "5", Outlet: "6",
		User: "7", PaymentMethod: "8", Type: "C", Total: 9, Parts: parts, Credit: true, Check: 1, Covers: 2, ServingTime: 3, Table: 4,
		Text: "5", Supplement: "6"}
	simple := p
	simple.Reservation, simple.Guest, simple.Profile = "", "", ""
	simple.Articles = []Article{{1, 1}}
	q := Inquiry{At: p.At, Number: 1, Find: "1", Card: "2", Most: 9, Workstation: "1", Outlet: "1", User: "1", PaymentMethod: "1", Check: 1}
	for _, m := range []Message{PostingRequest{p}, PostingSimple{simple}, q} {
		b, err := Marshal(nil, m, Codec{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(POSRecords(), func(l LinkRecord) bool { return l.Described == m.Record() })
		for f := range parsed(t, string(b)).Fields() {
			if !POSRecords()[i].Lists(f) {
				t.Errorf("LR of %s does not list %s", m.Record(), f)
			}
		}
	}
}

// TestStatuses is the table of fias.md 6.7.
func TestStatuses(t *testing.T) {
	var posting, others []string
	for _, s := range Statuses() {
		if s.Posting {
			posting = append(posting, string(s.Status))
		} else {
			others = append(others, string(s.Status))
		}
		if s.Booked != (s.Status == OK) || s.Again != (s.Status == Retry || s.Status == NightAudit) || s.Posting != (s.Action != NoAction) {
			t.Errorf("%+v", s)
		}
		if s.Status.Info() != s {
			t.Errorf("Info of %s = %+v", s.Status, s.Status.Info())
		}
	}
	slices.Sort(posting)
	slices.Sort(others)
	if want := []string{"CO", "DM", "DN", "FX", "IA", "NA", "NG", "NP", "OK", "RY", "UR"}; !slices.Equal(posting, want) {
		t.Errorf("statuses of postings %v, want %v", posting, want)
	}
	if want := []string{"AA", "AN", "BM", "BY", "CD", "DE", "NF", "NM", "NR", "RF", "SV"}; !slices.Equal(others, want) {
		t.Errorf("other statuses %v, want %v", others, want)
	}
	if i := Status("ZZ").Info(); i.Booked || i.Again || i.Action != Stop {
		t.Errorf("a status that nobody knows: %+v", i)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"PL|P#1|RN2781|G#1|GNGuest, Mr.|GFAda|GTMs|NPN|": "PL|P#1|RN2781|G#1|GNG***|GFA***|GTM***|NPN|",
		"PR|PIGuest|P#1|":      "PR|PIG***|P#1|",
		"PR|PI2781|P#1|TA100|": "PR|PI2781|P#1|TA100|",
		"PR|$24200278100|P#1|": "PR|$2***|P#1|",
		"GI|GNÉmile|GN|":       "GI|GN***|GN|",
		"LD|CGFidCryptAB;xyz|": "LD|CG***|",
		"LS":                   "LS",
		"Guest, Mr. in 2781":   "***",
	} {
		if got := string(AppendMasked(nil, []byte(in))); got != want {
			t.Errorf("AppendMasked(%q) = %q, want %q", in, got, want)
		}
	}
}
