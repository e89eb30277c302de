package opera

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The transcript at the end of fias.md 8, word for word but for the guests' layout.
func TestTranscript(t *testing.T) {
	s := newSim(t, Config{})
	v := dial(t, listen(t, s, Port{}))
	v.script(`
		< LS|DA250301|TI120000|
		> LD|DA250301|TI120000|V#1.0|IFPO|RT1|
		> LR|RIPR|FLDATIP#WSSOIDPIMX$2RNG#GNG+PMTAS1S2S3S4S5S6S7S8S9D1D2D3D4D5D6D7D8D9T1T2T3T4T5T6T7T8T9TPSC+0C#CVSTT#COCTX1PT|
		> LR|RIPL|FLP#WSSOIDRNG#GNGFGTGVG+CLBANPPMGAGD|
		> LR|RIPA|FLASCTP#WSSOIDRNG#GNC#DATI|
		> LR|RINS|FLDATI|
		> LR|RINE|FLDATI|
		> LA|DA250301|TI120000|
		< LC|RPROOM,16|PH1|
		< LA|DA250301|TI120000|
		> PR|PI2781|P#1001|WSPOS1|SO1|ID7|PMROOM|DA250301|TI121500|MX9|
		< PL|WSPOS1|SO1|ID7|PMROOM|RN2781|G#12345|GNGuest, Mr.|GFGeorge|GTMr.|GV3|G+1001|CL500.00|BA0.00|NPN|GA250228|GD250303|RN2781|G#12381|GNSharer, Mr.|BA0.00|NPY|GA250228|GD250303|P#1001|
		> PR|RN2781|G#12345|GNGuest|P#1002|WSPOS1|SO1|ID7|PMROOM|TA1000|S1800|D1-200|T1400|C#55|CV2|ST2|DA250301|TI121530|
		< PA|ASOK|CTPosting successful. Interface transaction number/s - 4711|P#1002|WSPOS1|SO1|ID7|RN2781|G#12345|GNGuest|C#55|DA250301|TI120000|
		=
	`)
	want := []Posting{{
		N: 1, Transaction: 4711, At: noon(), BusinessDate: "2025-03-01", Kind: OnRoom, Link: "link1", Guest: "Guest, Mr.",
		Charge: Charge{
			Record: "PR", Number: 1002, Type: "C", Room: "2781", Reservation: "12345", Name: "Guest", Method: "ROOM", Total: 1000, HasTotal: true,
			Subtotals: []Amount{800}, Discounts: []Amount{-200}, Taxes: []Amount{400}, Check: "55", Covers: 2, Period: "2", Outlet: "1", Waiter: "7",
			Workstation: "POS1", Date: "250301", Time: "121530",
		},
	}}
	if d := cmp.Diff(want, s.Hotel().Ledger(0)); d != "" {
		t.Errorf("ledger: %s", d)
	}
	x := s.Exchanges(0)
	if len(x) != 2 || x[0].On != OnInquiry || x[0].Matches != 2 || x[1].Booked != 1 || x[1].Fate != Answered || x[1].Status != StatusOK {
		t.Errorf("exchanges: %+v", x)
	}
	if g, _ := s.Hotel().Guest("12345"); g.Owing != 1000 {
		t.Errorf("balance = %d, want 1000", g.Owing)
	}
	if r := s.Remarks(); len(r) > 1 || len(r) == 1 && r[0].Code != "ls_too_often" {
		t.Errorf("a vendor that follows the text is remarked on: %+v", r)
	}
}

// The hand-shake by fias.md 3.2 to 3.4 and 3.9.
func TestHandshake(t *testing.T) {
	const ls, la = "LS|DA250301|TI120000|", "LA|DA250301|TI120000|"
	const ld, lr = "LD|DA250301|TI120000|V#1.0|IFPO|", "LR|RIPA|FLASP#|"
	for name, script := range map[string]string{
		"the vendor's own LS is answered LS": "< " + ls + "\n> " + ls + "\n< " + ls + "\n> " + ld + "\n> " + lr + "\n> " + la + "\n< " + la,
		"LD before the LS was read":          "> " + ld + "\n> " + lr + "\n> " + la + "\n< " + ls + "\n< " + la,
		"LS while alive is answered LA":      handshake + "=\n=",
		"LA while alive is not answered":     handshake + "> " + la + "\n=",
		"LA without LR brings LS":            "< " + ls + "\n> " + ld + "\n> " + la + "\n< " + ls,
		"LA without LD brings LS":            "< " + ls + "\n> " + la + "\n< " + ls,
		"LR without LD brings LS":            "< " + ls + "\n> " + lr + "\n< " + ls,
		"data without LD brings LS":          "< " + ls + "\n> PR|PI101|P#1|WS1|\n< " + ls,
		"data between LD and LA is ignored": "< " + ls + "\n> " + ld + "\n> LR|RIPR|FLPIP#WSPM|\n> LR|RIPL|FLP#RNG#GNWS|\n> PR|PI101|P#1|WS1|\n> " + la +
			"\n< " + la + "\n=",
		"a malformed LR is ignored": "< " + ls + "\n> " + ld + "\n> LR|RIPA|FLASP|\n> LRPA|FLAS|\n> LR|FLAS|\n> " + lr + "\n> " + la + "\n< " + la,
		"LD while alive begins anew": handshake + "> " + ld + "\n> PR|PI101|P#1|WS1|\n> " + lr + "\n> " + la + "\n< " + la +
			"\n> PR|PI101|P#1|WS1|PMROOM|\n=", // PR has no LR any more
		"LE is answered and ends the link": handshake + "> LE|DA250301|TI120000|\n< LE|DA250301|TI120000|\n!",
		"records without LR are ignored":   "< " + ls + "\n> " + ld + "\n> " + lr + "\n> " + la + "\n< " + la + "\n> PR|PI101|P#1|WS1|PMROOM|\n> DR|\n< DS|DA250301|TI120000|\n< DE|DA250301|TI120000|\n=",
		"unknown records are ignored":      handshake + "> ZZ|A1|\n> zz|\n> |\n> x\n=",
		"everything LC can tell": "< " + ls + "\n> LD|DA250301|TI120000|V#1.01|IFPB|RT183|\n> " + lr + "\n> " + la +
			"\n< LC|RPROOM,16|A060;10|A15.0.05.01|A28.14.7.0|A32.2.20|PH1|\n< " + la,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, Config{})
			script = strings.Replace(script, "A32.2.20", "A3"+driverVersion, 1)
			dial(t, listen(t, s, Port{})).script(script)
		})
	}
}

// Every answer that the rules give, and what it leaves in the ledger.
func TestAnswers(t *testing.T) {
	const guest = "RN2781|G#12345|GNGuest|"
	for _, test := range []struct {
		name, inquiry, posting string
		status                 Status
		text                   string // of CT, part of it
		booked                 Kind
		total                  Amount
		c                      Config
	}{
		{name: "charge", inquiry: "2781", posting: guest + "PMROOM|TA1000|S11000|", status: "OK", booked: OnRoom, total: 1000},
		{name: "total alone", inquiry: "2781", posting: guest + "PMROOM|TA1000|", status: "OK", booked: OnRoom, total: 1000},
		{name: "no method means the room", inquiry: "2781", posting: guest + "TA100|", status: "OK", booked: OnRoom, total: 100},
		{name: "paymaster", inquiry: "9001", posting: "RN9001|G#90001|GNStaff|PMROOM|TA500|S1500|", status: "OK", booked: OnPaymaster, total: 500},
		{name: "account", inquiry: "AR1001", posting: "RNAR1001|G#0|GNSoc|PMROOM|TA500|S1500|", status: "OK", booked: OnAccount, total: 500},
		{name: "card without inquiry", posting: "PMAMEX|TA10575|S18000|T12575|", status: "OK", booked: OnMethod, total: 10575},
		{name: "negative", inquiry: "2781", posting: guest + "PMROOM|TA-1000|S1-1200|D1200|", status: "OK", booked: OnRoom, total: -1000},
		{name: "zero-padded amounts", inquiry: "2781", posting: guest + "PMROOM|TA1665|S11500|T1090|T2075|SC000|", status: "OK", booked: OnRoom, total: 1665},
		{name: "articles", posting: "PMCASH|PTM|MA1450|M#2|MA4000|", status: "OK", booked: OnMethod, total: 1200},
		{name: "override", inquiry: "104", posting: "RN104|G#83|GNLimit|PMROOM|TA5000|COY|", status: "OK", booked: OnRoom, total: 5000},

		{name: "guest left", inquiry: "2781", posting: guest + "PMROOM|TA1|", status: "NG", text: "GUEST NOT FOUND"}, // checked out below
		{name: "wrong room", inquiry: "2781", posting: "RN101|G#12345|GNGuest|PMROOM|TA1|", status: "IA", c: Config{AnswerUninquired: true, InquiryLife: 0}, text: "NO INQUIRY"},
		{name: "unknown account", posting: "RNAR7|G#0|GNSoc|PMROOM|TA500|", status: "UR", text: "NO INQUIRY", c: Config{AnswerUninquired: true}},
		{name: "no inquiry", posting: guest + "PMROOM|TA1000|", status: "UR", text: "NO INQUIRY", c: Config{AnswerUninquired: true}},
		{name: "no-post guest", inquiry: "2781", posting: "RN2781|G#12381|GNSharer|PMROOM|TA1000|", status: "NP"},
		{name: "no-post account", inquiry: "AR1002", posting: "RNAR1002|G#0|GNClosed|PMROOM|TA1000|", status: "NP"},
		{name: "over the limit", inquiry: "104", posting: "RN104|G#83|GNLimit|PMROOM|TA101|", status: "CO"},
		{name: "at the limit", inquiry: "104", posting: "RN104|G#83|GNLimit|PMROOM|TA100|", status: "OK", booked: OnRoom, total: 100},
		{name: "override says no", inquiry: "104", posting: "RN104|G#83|GNLimit|PMROOM|TA101|CON|", status: "CO"},
		{name: "parts too small", inquiry: "2781", posting: guest + "PMROOM|TA1000|S1999|", status: "DM", text: "PARTS 999 TOTAL 1000"},
		{name: "discount without its sign", inquiry: "2781", posting: guest + "PMROOM|TA890|S1520|S2500|D1132|S32|", status: "DM"},
		{name: "feature not allowed", inquiry: "102", posting: "RN102|G#80|GNFox|PMROOM|TA1|", status: "FX"},
		{name: "denied", inquiry: "102", posting: "RN102|G#81|GNDeny|PMROOM|TA1|", status: "DN"},
		{name: "retry", inquiry: "103", posting: "RN103|G#82|GNAgain|PMROOM|TA1|", status: "RY"},
		{name: "no reservation", posting: "RN2781|PMROOM|TA1000|", status: "UR", text: "NO RESERVATION NUMBER"},
		{name: "room with a card", inquiry: "2781", posting: guest + "PMAMEX|TA1000|", status: "UR", text: "HAS NO ROOM"},
		{name: "amount with a point", inquiry: "2781", posting: guest + "PMROOM|TA10.00|", status: "UR", text: "FIELD TA"},
		{name: "amount of letters", inquiry: "2781", posting: guest + "PMROOM|TA1000|S1x|", status: "UR", text: "FIELD S1"},
		{name: "unknown article", posting: "PMCASH|PTM|MA1|M#1|", status: "UR", text: "UNKNOWN ARTICLE"},
		{name: "articles below zero", posting: "PMCASH|PTM|MA1450|M#-1|", status: "UR", text: "ARTICLE COUNT"},
		{name: "telephone in PR", posting: "PMCASH|PTT|TA1|", status: "UR", text: "PTT IS FOR PS"},
		{name: "neither inquiry nor posting", posting: guest + "PMROOM|", status: "UR", text: "NEITHER"},
		{name: "PI and TA is a posting", posting: "PI2781|PMAMEX|TA100|", status: "OK", booked: OnMethod, total: 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, v := up(t, test.c)
			if test.inquiry != "" {
				if a := v.inquire(1, test.inquiry); !strings.HasPrefix(a, "PL|") {
					t.Fatalf("inquiry answered by %s", a)
				}
			}
			switch test.name {
			case "guest left":
				if err := s.CheckOut("12345"); err != nil {
					t.Fatal(err)
				}
			case "wrong room": // the guest has moved since the inquiry
				if err := s.Move("12345", "105"); err != nil {
					t.Fatal(err)
				}
				test.posting, test.text = guest+"PMROOM|TA1|", "GUEST IS NOT IN ROOM 2781"
			}
			v.say("PR|P#2|WS1|C#9|DA250301|TI120000|" + test.posting)
			a, err := v.hear()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(a, "PA|AS"+string(test.status)+"|CT") || !strings.Contains(a, test.text) || !strings.Contains(a, "|P#2|WS1|") {
				t.Errorf("answered by %s\nwant AS%s with %q", a, test.status, test.text)
			}
			ledger := s.Hotel().Ledger(0)
			switch {
			case test.booked == "" && len(ledger) > 0:
				t.Errorf("booked: %+v", ledger)
			case test.booked != "" && (len(ledger) != 1 || ledger[0].Kind != test.booked || ledger[0].Total != test.total):
				t.Errorf("ledger = %+v, want one %s of %d", ledger, test.booked, test.total)
			}
		})
	}
}

// Without an inquiry on this very connection a guest posting gets no answer at all.
func TestUninquired(t *testing.T) {
	s, v := up(t, Config{})
	v.say(posting(1, 100))
	v.quiet()
	v.inquire(2, "2781")
	v.say(posting(3, 100))
	v.expect(posted(3, 4711))
	w := alive(t, v.raw.(net.Conn).RemoteAddr().String())
	w.say(posting(4, 100))
	w.quiet()
	// An answer is heard a moment before its fate is noted.
	eventually(t, "the fates are ignored, answered, answered, ignored", func() bool {
		var fates []Fate
		for _, x := range s.Exchanges(0) {
			fates = append(fates, x.Fate)
		}
		return slices.Equal(fates, []Fate{Ignored, Answered, Answered, Ignored})
	})
	if n := len(s.Hotel().Ledger(0)); n != 1 {
		t.Errorf("%d postings, want 1", n)
	}
}

// Inquiries by room, name, card and number of matches.
func TestInquiries(t *testing.T) {
	_, v := up(t, Config{})
	for _, test := range []struct{ ask, want string }{
		{"PI101|", "RN101|G#12875|GNGaribaldi, Mr."},
		{"PI0101|", "RN0101|G#77|GNGarnier"}, // the zero counts
		{"PIG|", "RN101|G#12875|GNGaribaldi, Mr.;RN0101|G#77|GNGarnier;RN2781|G#12345|GNGuest, Mr."},
		{"PIgarn|", "RN0101|G#77|GNGarnier"},
		{"PIG|MX2|", "RN101|G#12875|GNGaribaldi, Mr.;RN0101|G#77|GNGarnier"},
		{"PI2781|MX1|", "RN2781|G#12345|GNGuest, Mr."},
		{"PI2781|MX10|", "RN2781|G#12345|GNGuest, Mr.;RN2781|G#12381|GNSharer, Mr."},
		{"$24200278100012345|", "RN2781|G#12345|GNGuest, Mr."},
		{"PIAR1001|", "RNAR1001|G#0|GNSociété Anonyme"},
		{"PIsociete|", "RNAR1001|G#0|GNSociété Anonyme"},
		{"PI9001|", "RN9001|G#90001|GNStaff meals"},
		{"PI106|", "AS NG"}, // empty
		{"PI999|", "AS NG"},
		{"PIxyz|", "AS NG"},
		{"$2999|", "AS NG"},
		{"PI2781|PMCASH|", "AS UR"},
	} {
		pm := "PMROOM|"
		if strings.Contains(test.ask, "PM") {
			pm = ""
		}
		v.say("PR|P#7|WS1|" + test.ask + pm)
		a, err := v.hear()
		if err != nil {
			t.Fatal(err)
		}
		got := guestsOf(a)
		if strings.HasPrefix(a, "PA|") {
			got = "AS " + a[5:7]
		}
		if got != test.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", test.ask, a, got, test.want)
		}
		if !strings.Contains(a, "|P#7|") {
			t.Errorf("%s: no number in %s", test.ask, a)
		}
	}
}

// guestsOf is the first fields of each block of a PL.
func guestsOf(pl string) string {
	var all []string
	fields := strings.Split(pl, "|")
	for i, f := range fields {
		if strings.HasPrefix(f, "RN") && i+2 < len(fields) {
			all = append(all, strings.Join(fields[i:i+3], "|"))
		}
	}
	return strings.Join(all, ";")
}

// PS: amounts, articles, telephone, and the first in the room pays.
func TestPostingSimple(t *testing.T) {
	s, v := up(t, Config{})
	for i, test := range []struct {
		ps     string
		status Status
		total  Amount
		who    string
	}{
		{"PS|RN2781|TA1050|DA000915|TI123545|P#1729|DD004989920920|CTInternational|PTC|", "OK", 1050, "12345"},
		{"PS|RN2781|PTT|MP8|DA000915|TI124041|P#1730|DD2123830|CTLocal|", "OK", 160, "12345"},
		{"PS|RN2781|PTT|DU000130|DD2123830|P#1731|DA000915|TI124254|", "OK", 70, "12345"},
		{"PS|RN2781|PTM|MA1450|M#2|DA000915|TI124254|P#1733|", "OK", 900, "12345"},
		{"PS|RN2781|MA1450|M#1|DA000915|TI124254|P#1734|", "OK", 450, "12345"}, // PT told from the rest
		{"PS|RN101|G#12875|TA1000|PTD|SOWIFI|CTWIFI|P#7|WSX|", "OK", 1000, "12875"},
		{"PS|RN|TA700|PTC|PMCASH|P#8|DA000915|TI124254|", "OK", 700, ""},
		{"PS|RN106|TA700|PTC|P#9|DA000915|TI124254|", "NG", 0, ""},
		{"PS|RN2781|G#12381|TA700|PTC|P#10|DA000915|TI124254|", "NP", 0, ""},
		{"PS|RN2781|PTT|P#11|DA000915|TI124254|", "UR", 0, ""},
		{"PS|RN2781|P#12|DA000915|TI124254|", "UR", 0, ""},
		{"PS|RN2781|PTT|MP1|DDx12|P#13|DA000915|TI124254|", "UR", 0, ""},
	} {
		before := len(s.Hotel().Ledger(0))
		v.say(test.ps)
		a, err := v.hear()
		if err != nil || !strings.HasPrefix(a, "PA|AS"+string(test.status)+"|") {
			t.Errorf("%d: %s\nanswered by %s, %v; want %s", i, test.ps, a, err, test.status)
			continue
		}
		l := s.Hotel().Ledger(int64(before))
		switch {
		case test.total == 0 && len(l) != 0:
			t.Errorf("%d: booked %+v", i, l)
		case test.total != 0 && (len(l) != 1 || l[0].Total != test.total || l[0].Reservation != test.who):
			t.Errorf("%d: ledger %+v, want %d on %s", i, l, test.total, test.who)
		}
	}
	if remarked(s, "ps_overlap") {
		t.Error("overlap remarked where each PS waited")
	}
}

// A second PS before the answer to the first is counted.
func TestPostingSimpleOverlap(t *testing.T) {
	s, v := up(t, Config{})
	if err := s.Inject(Fault{Kind: AnswerDelayed, Delay: Duration(1e6 * 50), Count: 1}); err != nil {
		t.Fatal(err)
	}
	v.say("PS|RN2781|TA100|PTC|P#1|DA250301|TI120000|")
	v.say("PS|RN2781|TA200|PTC|P#2|DA250301|TI120000|")
	for range 2 {
		if _, err := v.hear(); err != nil {
			t.Fatal(err)
		}
	}
	if !remarked(s, "ps_overlap") {
		t.Error("nobody noticed")
	}
	if n := s.Hotel().Totals().Amount; n != 300 {
		t.Errorf("booked %d, want 300", n)
	}
}

// What vendors in the field do is borne and remarked on (fias.md 9.2).
func TestDeviations(t *testing.T) {
	for _, test := range []struct{ code, record, answer string }{
		{"bad_date", "PR|PI101|P#1|WS1|PMROOM|DA25031|TI120000|", "PL|"},
		{"bad_date", "PR|PI101|P#1|WS1|PMROOM|DA03012025|TI120000|", "PL|"},
		{"bad_date", "PR|PI101|P#1|WS1|PMROOM|DA250301|TI1252001|", "PL|"},
		{"padded_number", "PR|PI101|P#0113|WS1|PMROOM|", "PL|"},
		{"bad_number", "PR|PI101|P#123456789|WS1|PMROOM|", "PL|"},
		{"bad_number", "PR|PI101|WS1|PMROOM|", "PL|"},
		{"mx_too_long", "PR|PI101|P#1|WS1|PMROOM|MX10|", "PL|"},
		{"field_too_long", "PR|P#1|WS1|PMAMEX|TA100|C#202508211904050001|", "PA|ASOK"},
		{"field_undescribed", "PR|PI101|P#1|WS1|PMROOM|Q9x|", "PL|"},
		{"odd_field", "PR|PI101|P#1|WS1|PMROOM|x|", "PL|"},
		{"record_too_long", "PR|PI101|P#1|WS1|PMROOM|X1" + strings.Repeat("x", 2000) + "|", "PL|"},
		{"", "PR|PI101|P#1|WS1|PMROOM", "PL|"}, // the last bar is missing
	} {
		t.Run(test.code, func(t *testing.T) {
			s, v := up(t, Config{})
			v.say(test.record)
			if a, err := v.hear(); err != nil || !strings.HasPrefix(a, test.answer) {
				t.Errorf("%s\nanswered by %s, %v", test.record, a, err)
			}
			if test.code != "" && !remarked(s, test.code) {
				t.Errorf("not remarked on: %+v", s.Remarks())
			}
		})
	}
	t.Run("bytes around frames", func(t *testing.T) {
		_, v := up(t, Config{})
		fmt.Fprint(v.raw, "\r\nhello\x03\x02PR|PI9\x02PR|PI101|P#1|WS1|PMROOM|\x03\r\n\x02ZZ|")
		if a, err := v.hear(); err != nil || guestsOf(a) != "RN101|G#12875|GNGaribaldi, Mr." {
			t.Errorf("answered by %s, %v", a, err)
		}
		v.quiet()
	})
	t.Run("byte by byte", func(t *testing.T) {
		_, v := up(t, Config{})
		for _, b := range []byte("\x02PR|PI101|P#1|WS1|PMROOM|\x03") {
			v.raw.Write([]byte{b})
		}
		if a, err := v.hear(); err != nil || !strings.HasPrefix(a, "PL|") {
			t.Errorf("answered by %s, %v", a, err)
		}
	})
	t.Run("a number used again", func(t *testing.T) {
		s, v := up(t, Config{})
		v.inquire(5, "2781")
		v.say(posting(5, 100)) // as the inquiry: borne
		v.expect(posted(5, 4711))
		if remarked(s, "number_reused") {
			t.Error("remarked on for an inquiry's number")
		}
		v.say(posting(5, 100))
		v.expect(posted(5, 4712)) // booked twice: nothing defines otherwise
		l := s.Hotel().Ledger(0)
		if len(l) != 2 || l[0].Repeat || !l[1].Repeat || !remarked(s, "number_reused") {
			t.Errorf("ledger %+v, remarks %+v", l, s.Remarks())
		}
	})
	t.Run("a number used again, refused", func(t *testing.T) {
		s, v := up(t, Config{RefuseRepeats: true})
		v.inquire(5, "2781")
		v.say(posting(6, 100))
		v.expect(posted(6, 4711))
		v.say(posting(6, 100))
		if a, _ := v.hear(); !strings.HasPrefix(a, "PA|ASUR|CTNUMBER REUSED|") {
			t.Errorf("answered by %s", a)
		}
		if n := len(s.Hotel().Ledger(0)); n != 1 {
			t.Errorf("%d postings", n)
		}
	})
}

// The characters of the line are a setting of both ends.
func TestEncodings(t *testing.T) {
	for encoding, name := range map[string]string{"utf-8": "Soci\xc3\xa9t\xc3\xa9 Anonyme", "windows-1252": "Soci\xe9t\xe9 Anonyme", "cp850": "Soci\x82t\x82 Anonyme"} {
		t.Run(encoding, func(t *testing.T) {
			_, v := up(t, Config{Encoding: encoding})
			v.say("PR|PIAR1001|P#1|WS1|PMROOM|")
			if a, err := v.hear(); err != nil || !strings.Contains(a, "|GN"+name+"|") {
				t.Errorf("answered by %q, %v", a, err)
			}
		})
	}
	if _, err := New(Config{Encoding: "ebcdic"}); err == nil {
		t.Error("ebcdic was taken")
	}
	if _, err := New(Config{Encoding: "cp850", Dialect: XMLPOS}); err == nil {
		t.Error("XML in cp850 was taken")
	}
}

// Guests come, change, move and go; whoever is away hears of it at the next connection, in order.
func TestGuestRecords(t *testing.T) {
	s := newSim(t, Config{})
	address := listen(t, s, Port{})
	const shake = `
		< LS|DA250301|TI120000|
		> LD|DA250301|TI120000|V#1.0|IFPO|
		> LR|RIGI|FLRNG#GNGLGVGGGSSF|
		> LR|RIGC|FLRNG#GNGLGVGGGSRO|
		> LR|RIGO|FLRNG#GSGNSF|
		> LA|DA250301|TI120000|
		< LA|DA250301|TI120000|
	`
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.CheckIn(Guest{Reservation: "500", Room: "106", Name: "Early", Language: "FR"})) // nobody is connected
	v := dial(t, address)
	v.script(shake + "< GI|RN106|G#500|GNEarly|GLFR|GSN|")
	must(s.CheckIn(Guest{Reservation: "501", Room: "106", Name: "Late"}))
	must(s.Change(Guest{Reservation: "501", Name: "Later", VIP: "1"}))
	must(s.Move("501", "105"))
	must(s.Move("12381", "105")) // George stays alone
	must(s.CheckOut("500"))
	must(s.CheckOut("501"))
	v.script(`
		< GI|RN106|G#501|GNLate|GSY|
		< GC|RN106|GSY|G#501|GNLater|GV1|
		< GC|RN105|GSN|G#501|GNLater|GV1|RO106|GSY|
		< GC|RN105|GSY|G#12381|GNSharer, Mr.|RO2781|GSY|
		< GO|RN106|G#500|GSN|
		< GO|RN105|G#501|GSY|
	`)
	v.conn.Close()
	eventually(t, "the link ends", func() bool { return len(s.State().Links) == 0 })
	must(s.CheckOut("12381"))
	must(s.CheckIn(Guest{Reservation: "600", Room: "106", Name: "New"}))
	dial(t, address).script(shake + "< GO|RN105|G#12381|GSN|\n< GI|RN106|G#600|GNNew|GSN|\n=")
	for name, err := range map[string]error{
		"twice": s.CheckIn(Guest{Reservation: "600", Room: "106", Name: "New"}), "no room": s.CheckIn(Guest{Reservation: "601", Room: "1", Name: "New"}),
		"nobody": s.CheckOut("601"), "nowhere": s.Move("600", "1"), "who": s.Change(Guest{Reservation: "601", Name: "x"}),
		"no name": s.Change(Guest{Reservation: "600"}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A room-based interface tells of a move as a departure and an arrival.
func TestRoomBasedMove(t *testing.T) {
	s := newSim(t, Config{RoomBased: true})
	v := dial(t, listen(t, s, Port{}))
	v.script(`
		< LS|DA250301|TI120000|
		> LD|DA250301|TI120000|V#1.0|IFPO|
		> LR|RIGI|FLRNG#GNGSDATI|
		> LR|RIGO|FLRNG#GS|
		> LA|DA250301|TI120000|
		< LA|DA250301|TI120000|`)
	if err := s.Move("12875", "106"); err != nil {
		t.Fatal(err)
	}
	v.script("< GO|RN101|G#12875|GSN|\n< GI|RN106|G#12875|GNGaribaldi, Mr.|GSN|DA250301|TI120000|\n=")
}

// DR brings the whole house between DS and DE (fias.md 7).
func TestResync(t *testing.T) {
	connect := func(t *testing.T) (*Simulator, *vendor) {
		s := newSim(t, Config{})
		v := dial(t, listen(t, s, Port{}))
		v.script(`
			< LS|DA250301|TI120000|
			> LD|DA250301|TI120000|V#1.0|IFPO|
			> LR|RIGI|FLRNG#GSGNSF|
			> LR|RIGC|FLRNG#GSGN|
			> LR|RIGO|FLRNG#GSSF|
			> LA|DA250301|TI120000|
			< LA|DA250301|TI120000|`)
		return s, v
	}
	const whole = `
		< DS|DA250301|TI120000|
		< GI|RN101|G#12875|GSN|GNGaribaldi, Mr.|SF|
		< GI|RN0101|G#77|GSN|GNGarnier|SF|
		< GI|RN102|G#80|GSN|GNFox|SF|
		< GI|RN102|G#81|GSY|GNDeny|SF|
		< GI|RN103|G#82|GSN|GNAgain|SF|
		< GI|RN104|G#83|GSN|GNLimit|SF|
		< GO|RN105|GSN|SF|
		< GO|RN106|GSN|SF|
		< GI|RN2781|G#12345|GSN|GNGuest, Mr.|SF|
		< GI|RN2781|G#12381|GSY|GNSharer, Mr.|SF|
		< GI|RN9001|G#90001|GSN|GNStaff meals|SF|
	`
	const done = "< DE|DA250301|TI120000|\n=\n"
	t.Run("whole", func(t *testing.T) {
		_, v := connect(t)
		v.script("> DR|DA250301|TI120000|" + whole + done)
	})
	t.Run("ignored", func(t *testing.T) {
		s, v := connect(t)
		s.Inject(Fault{Kind: SwapIgnored, Count: 1})
		v.script("> DR|DA250301|TI120000|\n=\n> DR|DA250301|TI120000|" + whole + done)
	})
	t.Run("without end", func(t *testing.T) {
		s, v := connect(t)
		s.Inject(Fault{Kind: SwapEndless, Count: 1})
		v.script("> DR|DA250301|TI120000|" + whole + "=\n")
	})
	t.Run("mixed", func(t *testing.T) {
		s, v := connect(t)
		s.Inject(Fault{Kind: SwapMixed, Count: 1})
		mixed := whole
		for _, g := range []string{"RN0101|G#77|GSN|GNGarnier|", "RN103|G#82|GSN|GNAgain|", "RN9001|G#90001|GSN|GNStaff meals|"} {
			now := strings.Replace(g, "|GSN|", "|", 1)
			now = strings.Replace(now, "|G#", "|GSN|G#", 1)
			mixed = strings.Replace(mixed, g+"SF|", g+"SF|\n< GC|"+now, 1)
		}
		v.script("> DR|DA250301|TI120000|" + mixed + done)
	})
}

// NS, NA for postings, NE, and the next business date; names of the night reach only whoever described them.
func TestNightAudit(t *testing.T) {
	s, v := up(t, Config{})
	v.inquire(1, "2781")
	s.StartAudit()
	s.StartAudit() // once
	v.expect("NS|DA250301|TI120000|")
	v.say(posting(2, 100))
	if a, _ := v.hear(); !strings.HasPrefix(a, "PA|ASNA|CTNIGHT AUDIT RUNNING|P#2|") {
		t.Errorf("answered by %s", a)
	}
	if a := v.inquire(3, "2781"); !strings.HasPrefix(a, "PL|") {
		t.Errorf("inquiry answered by %s", a)
	}
	s.EndAudit()
	s.EndAudit()
	v.expect("NE|DA250301|TI120000|")
	v.say(posting(4, 100))
	v.expect(posted(4, 4711))
	if l := s.Hotel().Ledger(0); len(l) != 1 || l[0].BusinessDate != "2025-03-02" {
		t.Errorf("ledger: %+v", l)
	}
}

// What else a vendor may ask.
func TestAside(t *testing.T) {
	s := newSim(t, Config{})
	v := dial(t, listen(t, s, Port{}))
	v.script(`
		< LS|DA250301|TI120000|
		> LD|DA250301|TI120000|V#1.0|IFVI|
		> LR|RIPS|FLRNTADATIPTP#CT|
		> LR|RIPA|FLASCTP#RN|
		> LR|RIXR|FLRNG#|
		> LR|RIXI|FLRNG#BIBDDCF#FD|
		> LR|RIXB|FLRNG#BAAS|
		> LR|RIXC|FLRNG#BAASCT|
		> LR|RIGO|FLRNG#GS|
		> LR|RIRE|FLRNRSIDML|
		> LR|RILO|FLG#CTLTTI|
		> LR|RILF|FLG#|
		> LR|RILP|FLG#ASCTLT|
		> LR|RIXM|FLG#RN|
		> LR|RIXT|FLG#RNMIMT|
		> LR|RIWR|FLRNDATI|
		> LR|RIWA|FLRNDATIAS|
		> LR|RICK|FLP#WS|
		> LA|DA250301|TI120000|
		< LA|DA250301|TI120000|
		> PS|RN2781|TA350|PTC|CTTelephone|P#1|DA250301|TI120000|
		< PA|ASOK|CTPosting successful. Interface transaction number/s - 4711|P#1|RN2781|
		> XR|RN2781|G#12345|
		< XI|RN2781|G#12345|BI350|BDTelephone|DC|F#1|FDY|
		< XB|RN2781|G#12345|BA350|
		> XR|RN387|G#23116|
		< XB|RN387|G#23116|BA0|ASUR|
		> XC|RN2781|G#12345|BA350|
		< XC|RN2781|G#12345|ASCD|CTNOT LEAVING TODAY|
		> RE|RN2781|RS3|IDMaid5|
		> RE|RN999|RS3|
		> LO|G#12345|CTLobby Bar|TI123000|LT1430|
		> LP|G#12345|
		< LP|G#12345|ASOK|CTLobby Bar|LT1430|
		> LF|G#12345|
		> LP|G#12345|
		< LP|G#12345|ASNM|
		> XM|G#12345|RN2781|
		< XT|G#12345|RN2781|
		> WR|RN2781|DA250302|TI070000|
		< WA|RN2781|DA250302|TI070000|ASOK|
		> CK|P#2|WS1|
		< PA|ASUR|CTCANNOT BE PROCESSED|P#2|
		> LP|G#12345|
		< LP|G#12345|ASNM|
	`)
	for _, r := range s.Hotel().Rooms() {
		if r.Number == "2781" && (r.Equipment["RS"] != "3" || r.Equipment["ID"] != "Maid5") {
			t.Errorf("room: %+v", r)
		}
	}
	if !remarked(s, "unknown_room") {
		t.Error("the wrong room was not remarked on")
	}
	g, _ := s.Hotel().Guest("12345")
	leaving := g.Guest
	leaving.Departure = "2025-03-01"
	if err := s.Change(leaving); err != nil {
		t.Fatal(err)
	}
	v.script(`
		> XC|RN2781|G#12345|BA349|
		< XC|RN2781|G#12345|ASBM|CTBALANCE CHANGED|
		> XC|RN2781|G#12345|BA350|
		< GO|RN2781|G#12345|GSY|
		< XC|RN2781|G#12345|ASOK|CTTHANK YOU|
		> XC|RN2781|G#12345|BA350|
		< XC|RN2781|G#12345|ASNG|CTGUEST NOT FOUND|
	`)
}
