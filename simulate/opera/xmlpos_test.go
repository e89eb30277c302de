package opera

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aboyeur/protocol/ifc"
)

const xmlShake = `
	> <LinkDescription Date="250301" Time="120000" VerNum="1.0" />
	< <LinkAlive Date="250301" Time="120000" />
`

func xmlUp(t *testing.T, c Config) (*Simulator, *vendor) {
	t.Helper()
	c.Dialect = XMLPOS
	s := newSim(t, c)
	v := dial(t, listen(t, s, Port{}))
	v.script(xmlShake)
	return s, v
}

func xmlInquiry(number int, by By, text string) string {
	return fmt.Sprintf(`<PostInquiry InquiryInformation="%s" MaximumReturnedMatches="16" SequenceNumber="%d" RequestType="%d" PaymentMethod="16" Date="250301" Time="120000" RevenueCenter="1" WaiterId="W1" WorkstationId="POS1" />`,
		text, number, by)
}

func xmlPosting(number int, more string) string {
	return fmt.Sprintf(`<PostRequest RoomNumber="2781" ReservationId="12345" ProfileId="1001" LastName="Guest, Mr." HotelId="1" RequestType="4" InquiryInformation="2781" MatchfromPostList="1" SequenceNumber="%d" TotalAmount="1000" PaymentMethod="16" Covers="2" RevenueCenter="1" ServingTime="2" CheckNumber="55" Subtotal1="800" Discount1="-200" Tax16="400" Date="250301" Time="120000" WaiterId="W1" WorkstationId="POS1" %s/>`,
		number, more)
}

// The samples of fias.md 10.1.
func TestXMLTranscript(t *testing.T) {
	s, v := xmlUp(t, Config{})
	v.say(xmlInquiry(1, ByRoom, "2781"))
	v.expect(`<PostList SequenceNumber="1" HotelId="1" PaymentMethod="16" RevenueCenter="1" WaiterId="W1" WorkstationId="POS1" Date="250301" Time="120000">` +
		`<PostListItem RoomNumber="2781" ReservationId="12345" LastName="Guest, Mr." FirstName="George" Title="Mr." Vip="3" PaymentMethod="16" NoPost="0" CreditLimit="500.00" ProfileId="1001" HotelId="1" Reference1="one" Reference2="two" />` +
		`<PostListItem RoomNumber="2781" ReservationId="12381" LastName="Sharer, Mr." PaymentMethod="16" NoPost="1" CreditLimit="" ProfileId="0" HotelId="1" /></PostList>`)
	v.say(xmlPosting(2, ""))
	v.expect(`<PostAnswer AnswerStatus="OK" ResponseText="Posting successful. Interface transaction number/s - 4711" RoomNumber="2781" ReservationId="12345" LastName="Guest, Mr." CheckNumber="55" SequenceNumber="2" HotelId="1" Date="250301" Time="120000" PaymentMethod="16" RevenueCenter="1" WaiterId="W1" WorkstationId="POS1" />`)
	l := s.Hotel().Ledger(0)
	if len(l) != 1 || l[0].Total != 1000 || l[0].Record != "PostRequest" || l[0].Number != 2 || l[0].Check != "55" || l[0].Covers != 2 ||
		l[0].Period != "2" || fmt.Sprint(l[0].Subtotals, l[0].Discounts, l[0].Taxes) != "[800] [-200] [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 400]" {
		t.Errorf("ledger %+v", l)
	}
	if r := s.Remarks(); len(r) != 0 {
		t.Errorf("a vendor that follows the schema is remarked on: %+v", r)
	}
}

// Deviations and refusals.
func TestXMLAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		ask, want string // part of the answer
		booked    int
		c         Config
	}{
		"by name":              {ask: xmlInquiry(1, ByName|ByRoom, "gar"), want: `LastName="Garibaldi, Mr."`},
		"by name only":         {ask: xmlInquiry(1, ByName, "2781"), want: `AnswerStatus="NG"`},
		"by room only":         {ask: xmlInquiry(1, ByRoom, "gar"), want: `AnswerStatus="NG"`},
		"by card":              {ask: xmlInquiry(1, ByCard, "4200278100012345"), want: `RoomNumber="2781"`},
		"account":              {ask: xmlInquiry(1, ByRoom, "AR1001"), want: `RoomNumber="AR1001" ReservationId="0" LastName="Société Anonyme"`},
		"nobody":               {ask: xmlInquiry(7, 12, "zzz"), want: `AnswerStatus="NG" ResponseText="GUEST NOT FOUND" SequenceNumber="7"`},
		"letters":              {ask: xmlInquiry(1, ByRoom, "2781"), want: `NoPost="Y"`, c: Config{NoPostLetters: true}},
		"override":             {ask: xmlPosting(2, `CreditLimitOverride="Y"`), want: `AnswerStatus="OK"`, booked: 1},
		"small override":       {ask: xmlPosting(2, `CreditlimitOverride="Y"`), want: `AnswerStatus="OK"`, booked: 1},
		"empty integers":       {ask: xmlPosting(2, `Tip="" Subtotal2="" Tax1=""`), want: `AnswerStatus="OK"`, booked: 1},
		"parts do not match":   {ask: xmlPosting(2, `Tip="1"`), want: `AnswerStatus="DM" ResponseText="PARTS 1001 TOTAL 1000"`},
		"letters in an amount": {ask: xmlPosting(2, `Tip="x"`), want: `AnswerStatus="UR"`},
		"non-room tender": {
			ask:    `<PostRequest RoomNumber="" ReservationId="" ProfileId="" LastName="" HotelId="" RequestType="1" InquiryInformation="" MatchfromPostList="" SequenceNumber="3" TotalAmount="500" PaymentMethod="VISA" RevenueCenter="1" CheckNumber="9" Subtotal1="500" Discount1="0" ServiceCharge1="0" Tax1="0" Date="250301" Time="120000" WorkstationId="POS1" />`,
			want:   `AnswerStatus="OK"`,
			booked: 1,
		},
		"named method":  {ask: strings.Replace(xmlPosting(2, ""), `PaymentMethod="16"`, `PaymentMethod="Room"`, 1), want: `AnswerStatus="OK"`, booked: 1},
		"no inquiry":    {ask: strings.Replace(xmlPosting(2, ""), "2781", "101", 1), want: `AnswerStatus="UR" ResponseText="NO INQUIRY"`, c: Config{AnswerUninquired: true}},
		"declaration":   {ask: `<?xml version="1.0"?>` + xmlInquiry(1, ByRoom, "2781"), want: `<PostList`},
		"LinkStart":     {ask: `<LinkStart Date="250301" Time="120000" />`, want: `<LinkAlive`},
		"another name":  {ask: strings.Replace(xmlInquiry(1, ByRoom, "2781"), `PaymentMethod="16"`, `PaymentMethod="VISA"`, 1), want: `AnswerStatus="UR"`},
		"unknown first": {ask: "<Hello />\x03\x02" + xmlInquiry(1, ByRoom, "2781"), want: `<PostList`},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := xmlUp(t, test.c)
			v.say(xmlInquiry(90, ByRoom, "2781"))
			if _, err := v.hear(); err != nil {
				t.Fatal(err)
			}
			if _, err := v.raw.Write([]byte("\x02" + test.ask + "\x03\r\n")); err != nil {
				t.Fatal(err)
			}
			a, err := v.hear()
			if err != nil || !strings.Contains(a, test.want) {
				t.Errorf("answered by %s, %v\nwant %s", a, err, test.want)
			}
			if n := len(s.Hotel().Ledger(0)); n != test.booked {
				t.Errorf("%d postings, want %d", n, test.booked)
			}
		})
	}
}

// Faults and the hand-shake are the same in both dialects.
func TestXMLLink(t *testing.T) {
	t.Run("nothing before the description", func(t *testing.T) {
		s := newSim(t, Config{Dialect: XMLPOS})
		v := dial(t, listen(t, s, Port{}))
		v.say(xmlInquiry(1, ByRoom, "2781"))
		v.script(xmlShake)
		if x := s.Exchanges(0); len(x) != 1 || x[0].Fate != Ignored || !remarked(s, "before_alive") {
			t.Errorf("exchanges %+v", x)
		}
	})
	t.Run("no answer to a posting without inquiry", func(t *testing.T) {
		s, v := xmlUp(t, Config{})
		v.say(xmlPosting(1, ""))
		v.script(xmlShake)
		if n := len(s.Hotel().Ledger(0)); n != 0 {
			t.Errorf("%d postings", n)
		}
	})
	for _, test := range []struct {
		f      Fault
		script string
		booked int
	}{
		{Fault{Kind: AnswerLost}, xmlShake, 1},
		{Fault{Kind: RequestLost}, xmlShake, 0},
		{Fault{Kind: Refused, Status: "NA"}, `< <PostAnswer AnswerStatus="NA" ResponseText="NIGHT AUDIT RUNNING" RoomNumber="2781" ReservationId="12345" LastName="Guest, Mr." CheckNumber="55" SequenceNumber="2" HotelId="1" Date="250301" Time="120000" PaymentMethod="16" RevenueCenter="1" WaiterId="W1" WorkstationId="POS1" />`, 0},
		{Fault{Kind: AnswersMixed}, `< <GuestNews Date="000101" Text="unknown &amp; new" />`, 1},
		{Fault{Kind: UnknownFields}, `< <PostAnswer AnswerStatus="OK" ResponseText="Posting successful. Interface transaction number/s - 4711" RoomNumber="2781" ReservationId="12345" LastName="Guest, Mr." CheckNumber="55" SequenceNumber="2" HotelId="1" Date="250301" Time="120000" PaymentMethod="16" RevenueCenter="1" WaiterId="W1" WorkstationId="POS1" Unheard="of &lt;&amp;&gt;" />`, 1},
		{Fault{Kind: Reordered}, `< <PostAnswer SequenceNumber="2" AnswerStatus="OK" ResponseText="Posting successful. Interface transaction number/s - 4711" RoomNumber="2781" ReservationId="12345" LastName="Guest, Mr." CheckNumber="55" HotelId="1" Date="250301" Time="120000" PaymentMethod="16" RevenueCenter="1" WaiterId="W1" WorkstationId="POS1" />`, 1},
		{Fault{Kind: Bare}, `< <PostAnswer AnswerStatus="OK" ResponseText="Posting successful. Interface transaction number/s - 4711" SequenceNumber="2" HotelId="1" Date="250301" Time="120000" PaymentMethod="16" RevenueCenter="1" WorkstationId="POS1" />`, 1},
		{Fault{Kind: AnswerNumber}, `< <PostAnswer AnswerStatus="OK" ResponseText="Posting successful. Interface transaction number/s - 4711" RoomNumber="2781" ReservationId="12345" LastName="Guest, Mr." CheckNumber="55" SequenceNumber="3" HotelId="1" Date="250301" Time="120000" PaymentMethod="16" RevenueCenter="1" WaiterId="W1" WorkstationId="POS1" />`, 1},
		{Fault{Kind: LinkStarts, On: OnPosting, When: WhenRequest}, `< <LinkStart Date="250301" Time="120000" />`, 1},
		{Fault{Kind: DropLink, On: OnPosting}, "!", 1},
		{Fault{Kind: Cut, On: OnPosting, At: 30}, "!", 0},
		{Fault{Kind: Cut, On: OnPosting, At: 30, Dir: Out}, "!", 1},
		{Fault{Kind: HalfFrame}, xmlShake, 1},
		{Fault{Kind: LinkEnds, On: OnPosting}, "!", 1},
	} {
		t.Run(string(test.f.Kind), func(t *testing.T) {
			s, v := xmlUp(t, Config{})
			v.say(xmlInquiry(1, ByRoom, "2781"))
			if _, err := v.hear(); err != nil {
				t.Fatal(err)
			}
			test.f.Count = 1
			inject(t, s, test.f)
			v.say(xmlPosting(2, ""))
			v.script(test.script)
			eventually(t, "it is as booked as it should be", func() bool { return len(s.Hotel().Ledger(0)) == test.booked })
		})
	}
	t.Run("audit", func(t *testing.T) {
		s, v := xmlUp(t, Config{})
		v.say(xmlInquiry(1, ByRoom, "2781"))
		v.hear()
		s.StartAudit()
		v.say(xmlPosting(2, ""))
		if a, err := v.hear(); err != nil || !strings.Contains(a, `AnswerStatus="NA"`) {
			t.Errorf("answered by %s, %v", a, err)
		}
	})
	t.Run("noise", func(t *testing.T) {
		s, v := xmlUp(t, Config{})
		for _, k := range []FaultKind{LongRecord, ManyFields, UnknownRecord} {
			inject(t, s, Fault{Kind: k, Bytes: 5000})
			if a, err := v.hear(); err != nil || !strings.HasPrefix(a, "<") {
				t.Errorf("%s: %.40s, %v", k, a, err)
			}
		}
		v.say(`<LinkEnd Date="250301" Time="120000" />`)
		v.end()
	})
}

// LinkAlive comes by itself after five silent minutes.
func TestXMLKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, Config{Dialect: XMLPOS, Log: nil})
		a, b := net.Pipe()
		serve(t, func(ctx context.Context) error { return s.ServeConn(ctx, b) })
		v := &vendor{t: t, raw: a, conn: ifc.NewTCP(a, ifc.Options{})}
		defer v.conn.Close()
		v.script(xmlShake)
		start := time.Now()
		for range 2 {
			if r, err := v.conn.Receive(t.Context()); err != nil || string(r) != `<LinkAlive Date="250301" Time="120000" />` {
				t.Errorf("heard %s, %v", r, err)
			}
		}
		if d := time.Since(start); d != 2*DefaultKeepAlive {
			t.Errorf("the second after %v", d)
		}
	})
}

// XML_POS on a serial line.
func TestXMLSerial(t *testing.T) {
	s := newSim(t, Config{Dialect: XMLPOS, Encoding: "windows-1252"})
	v := line(t, s, ifc.Options{})
	v.script(xmlShake)
	v.say(xmlInquiry(1, ByRoom, "AR1001"))
	if a, err := v.hear(); err != nil || !strings.Contains(a, "LastName=\"Soci\xe9t\xe9 Anonyme\"") {
		t.Errorf("answered by %q, %v", a, err)
	}
}
