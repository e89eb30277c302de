package xmlpos

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func at(y, mo, d, h, mi, s int) time.Time {
	return time.Date(y, time.Month(mo), d, h, mi, s, 0, time.UTC)
}

// samples are those of spec/fias.md 10.1, on one line as the frames carry them, in the attribute order of this package.
var samples = []struct {
	name, wire string
	want       Element
}{
	{"description", `<LinkDescription Date="070818" Time="190649" VerNum="1.0" />`,
		&LinkDescription{At: at(2007, 8, 18, 19, 6, 49), Version: "1.0"}},
	{"alive", `<LinkAlive Date="070818" Time="190650" />`, &LinkAlive{At: at(2007, 8, 18, 19, 6, 50)}},
	{"start", `<LinkStart Date="070818" Time="190650" />`, &LinkStart{At: at(2007, 8, 18, 19, 6, 50)}},
	{"end", `<LinkEnd Date="070818" Time="190650" />`, &LinkEnd{At: at(2007, 8, 18, 19, 6, 50)}},
	{"inquiry", `<PostInquiry InquiryInformation="217" MaximumReturnedMatches="16" SequenceNumber="1" RequestType="4" ` +
		`PaymentMethod="16" Date="070905" Time="194121" RevenueCenter="1" WaiterId="Waiter1" WorkstationId="POS1" />`,
		&PostInquiry{Information: "217", Matches: 16, Sequence: 1, Type: ByRoom, PaymentMethod: "16", At: at(2007, 9, 5, 19, 41, 21),
			RevenueCenter: "1", Waiter: "Waiter1", Workstation: "POS1"}},
	{"list", `<PostList SequenceNumber="1" HotelId="1" PaymentMethod="16" RevenueCenter="1" WaiterId="Waiter1" WorkstationId="POS1" ` +
		`Date="070905" Time="194122"><PostListItem RoomNumber="217" ReservationId="24331" LastName="Doe" FirstName="Jo" ` +
		`Title="Mrs" NoPost="0" CreditLimit="500.00" ProfileId="1001" HotelId="1" /></PostList>`,
		&PostList{Sequence: 1, Hotel: "1", PaymentMethod: "16", RevenueCenter: "1", Waiter: "Waiter1", Workstation: "POS1",
			At: at(2007, 9, 5, 19, 41, 22), Items: []PostListItem{{Room: "217", Reservation: "24331", LastName: "Doe", FirstName: "Jo",
				Title: "Mrs", CreditLimit: "500.00", Profile: "1001", Hotel: "1"}}}},
	{"request", `<PostRequest RoomNumber="217" ReservationId="24331" ProfileId="1001" LastName="Doe" HotelId="1" RequestType="4" ` +
		`InquiryInformation="217" MatchfromPostList="1" SequenceNumber="2" TotalAmount="1000" CreditLimitOverride="N" ` +
		`PaymentMethod="16" Covers="2" RevenueCenter="1" ServingTime="2" CheckNumber="55" Subtotal1="800" Discount1="-200" ` +
		`Tax1="400" Date="070905" Time="194200" WaiterId="Waiter1" WorkstationId="POS1" />`,
		&PostRequest{Room: "217", Reservation: "24331", Profile: "1001", LastName: "Doe", Hotel: "1", Type: ByRoom, Information: "217",
			Match: 1, Sequence: 2, Total: 1000, PaymentMethod: "16", Covers: 2, RevenueCenter: "1", ServingTime: 2, CheckNumber: "55",
			Subtotals: [Groups]int64{800}, Discounts: [Groups]int64{-200}, Taxes: [Groups]int64{400}, At: at(2007, 9, 5, 19, 42, 0),
			Waiter: "Waiter1", Workstation: "POS1"}},
	{"answer", `<PostAnswer AnswerStatus="OK" ResponseText="Posting successful. Interface transaction number/s - 4711" ` +
		`RoomNumber="217" ReservationId="24331" LastName="Doe" CheckNumber="55" SequenceNumber="2" HotelId="1" Date="070905" ` +
		`Time="194201" PaymentMethod="16" RevenueCenter="1" WaiterId="Waiter1" WorkstationId="POS1" />`,
		&PostAnswer{Status: OK, Text: "Posting successful. Interface transaction number/s - 4711", Room: "217", Reservation: "24331",
			LastName: "Doe", CheckNumber: "55", Sequence: 2, Hotel: "1", At: at(2007, 9, 5, 19, 42, 1), PaymentMethod: "16",
			RevenueCenter: "1", Waiter: "Waiter1", Workstation: "POS1"}},
}

func TestSamples(t *testing.T) {
	for _, tt := range samples {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Dialect{}.Decode([]byte(tt.wire))
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("Decode: %v\n%s", err, diff)
			}
			wire, err := Dialect{}.Append([]byte("> "), tt.want)
			if diff := cmp.Diff("> "+tt.wire, string(wire)); diff != "" || err != nil {
				t.Errorf("Append: %v\n%s", err, diff)
			}
			if got.Name() != tt.want.Name() {
				t.Errorf("Name = %s", got.Name())
			}
		})
	}
}

func TestNonRoomTender(t *testing.T) {
	e := &PostRequest{Type: NonRoom, Sequence: 3, Total: 1250, PaymentMethod: "AMEX", CheckNumber: "56", Subtotals: [Groups]int64{1200}, Tip: 50,
		At: at(2007, 9, 5, 19, 42, 0), Workstation: "POS1"}
	const want = `<PostRequest RoomNumber="" ReservationId="" LastName="" HotelId="" RequestType="1" InquiryInformation="" MatchfromPostList="" ` +
		`SequenceNumber="3" TotalAmount="1250" CreditLimitOverride="N" PaymentMethod="AMEX" CheckNumber="56" Subtotal1="1200" Tip="50" ` +
		`Date="070905" Time="194200" WorkstationId="POS1" />`
	wire, err := Dialect{}.Append(nil, e)
	if diff := cmp.Diff(want, string(wire)); diff != "" || err != nil {
		t.Fatalf("Append: %v\n%s", err, diff)
	}
	got, err := Dialect{}.Decode(wire)
	if diff := cmp.Diff(Element(e), got); diff != "" || err != nil {
		t.Errorf("Decode: %v\n%s", err, diff)
	}
}

func TestDialects(t *testing.T) {
	request := &PostRequest{Override: true}
	list := &PostList{Items: []PostListItem{{NoPost: true}, {}}}
	answer := &PostAnswer{Text: "Zoë \u0141ukasz €", LastName: `O"Neil & <Söhne>` + "\x02\x03\t\u0085"}
	for _, tt := range []struct {
		name string
		d    Dialect
		e    Element
		want string
	}{
		{"override", Dialect{}, request, ` CreditLimitOverride="Y"`},
		{"small override", Dialect{SmallOverride: true}, request, ` CreditlimitOverride="Y"`},
		{"digits", Dialect{}, list, ` NoPost="1" CreditLimit="" ProfileId="" HotelId="" /><PostListItem RoomNumber="" ReservationId="" LastName="" NoPost="0"`},
		{"letters", Dialect{NoPostLetters: true}, list, ` NoPost="Y" CreditLimit="" ProfileId="" HotelId="" /><PostListItem RoomNumber="" ReservationId="" LastName="" NoPost="N"`},
		{"utf-8", Dialect{}, answer, `ResponseText="Zoë Łukasz €" LastName="O&quot;Neil &amp; &lt;Söhne&gt;    "`},
		{"windows", Dialect{Charset: Windows1252}, answer, "ResponseText=\"Zo\xEB &#321;ukasz \x80\" LastName=\"O&quot;Neil &amp; &lt;S\xF6hne&gt;    \""},
		{"declaration", Dialect{Declaration: true}, answer, `<?xml version="1.0" encoding="utf-8"?><PostAnswer `},
		{"windows declaration", Dialect{Declaration: true, Charset: Windows1252}, answer, `<?xml version="1.0" encoding="windows-1252"?><PostAnswer `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := tt.d.AppendAsIs(nil, tt.e)
			if !strings.Contains(string(wire), tt.want) {
				t.Errorf("AppendAsIs = %q, want it to hold %q", wire, tt.want)
			}
			got, err := tt.d.Decode(wire)
			if err != nil {
				t.Fatal(err)
			}
			if again := tt.d.AppendAsIs(nil, got); !bytes.Equal(again, wire) {
				t.Errorf("again: %q\nonce:  %q", again, wire)
			}
		})
	}
}

// What a declaration says of the charset counts more than what was configured.
func TestDeclaredCharset(t *testing.T) {
	e := &PostAnswer{Text: "Zoë €"}
	wire := Dialect{Declaration: true, Charset: Windows1252}.AppendAsIs(nil, e)
	got, err := Dialect{}.Decode(wire)
	if err != nil || got.(*PostAnswer).Text != e.Text {
		t.Errorf("Decode = %+v, %v", got, err)
	}
}

func TestLenient(t *testing.T) {
	guest := func(attrs string) string {
		return `<PostList SequenceNumber="7" HotelId="H"><PostListItem ` + attrs + `/></PostList>`
	}
	for _, tt := range []struct {
		name, wire string
		want       Element
	}{
		{"nothing but the number", `<PostAnswer SequenceNumber="7"/>`, &PostAnswer{Sequence: 7}},
		{"numbers padded, empty, with space", `<PostAnswer SequenceNumber=" 007 " RevenueCenter=""/>`, &PostAnswer{Sequence: 7}},
		{"empty integers of a request", `<PostRequest RequestType="1" ReservationId="" MatchfromPostList="" SequenceNumber="7" TotalAmount="" Covers="" Subtotal1="" Tip="" CreditLimitOverride=""/>`,
			&PostRequest{Type: NonRoom, Sequence: 7}},
		{"either override", `<PostRequest CreditlimitOverride="Y"/>`, &PostRequest{Override: true}},
		{"both overrides alike", `<PostRequest CreditlimitOverride="Y" CreditLimitOverride="Y"/>`, &PostRequest{Override: true}},
		{"override of an unknown word", `<PostRequest CreditLimitOverride="perhaps"/>`, &PostRequest{}},
		{"names in another case", `<postanswer answerstatus="ok" SEQUENCENUMBER="7"/>`, &PostAnswer{Status: OK, Sequence: 7}},
		{"status with space", `<PostAnswer AnswerStatus=" ng "/>`, &PostAnswer{Status: NotFound}},
		{"status nobody knows", `<PostAnswer AnswerStatus="ZZ9"/>`, &PostAnswer{Status: "ZZ9"}},
		{"apostrophes, no space, line ends", "<PostAnswer\r\n\tAnswerStatus='OK'SequenceNumber='7'\n>\r\n</PostAnswer >\r\n", &PostAnswer{Status: OK, Sequence: 7}},
		{"a prefix and a namespace", `<p:PostAnswer xmlns:p="urn:x" SequenceNumber="7"></p:PostAnswer>`, &PostAnswer{Sequence: 7}},
		{"declaration, BOM, comments", "\xEF\xBB\xBF<?xml version=\"1.0\"?><!-- a --><PostAnswer SequenceNumber=\"7\"><!-- <b> --></PostAnswer><!-- c --><?x?>", &PostAnswer{Sequence: 7}},
		{"unknown attributes are kept", `<PostAnswer Foo="1 &amp; 2" SequenceNumber="7" Bar.x=""/>`,
			&PostAnswer{Sequence: 7, Extra: []Attr{{"Foo", "1 & 2"}, {"Bar.x", ""}}}},
		{"unknown elements are skipped", `<PostAnswer SequenceNumber="7"><Print><Line a="1">text &foo; <![CDATA[<x>]]></Line></Print></PostAnswer>`, &PostAnswer{Sequence: 7}},
		{"bare ampersands and brackets", `<PostAnswer LastName="Smith & Sons <Ltd> &co; &" SequenceNumber="7"/>`,
			&PostAnswer{Sequence: 7, LastName: "Smith & Sons <Ltd> &co; &"}},
		{"references", `<PostAnswer LastName="&#77;&#x6d; &lt;&gt;&quot;&apos;&amp; &#128; &#0;|&#xFFFFFFFF;|&#xD800;|&#x110000;"/>`,
			&PostAnswer{LastName: `Mm <>"'& €  |` + "\uFFFD|\uFFFD|\uFFFD"}},
		{"bytes of another charset", "<PostAnswer LastName=\"M\xFCller Müller\" SequenceNumber=\"7\"/>", &PostAnswer{Sequence: 7, LastName: "Müller Müller"}},
		{"control characters", "<PostAnswer LastName=\"a\x00b\x1Fc\" />", &PostAnswer{LastName: "a b c"}},
		{"NoPost 0", guest(`NoPost="0"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{Hotel: "H"}}}},
		{"NoPost N", guest(`NoPost="n"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{Hotel: "H"}}}},
		{"NoPost empty", guest(`NoPost=""`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{Hotel: "H"}}}},
		{"NoPost 1", guest(`NoPost="1"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{NoPost: true, Hotel: "H"}}}},
		{"NoPost Y", guest(`NoPost="Y"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{NoPost: true, Hotel: "H"}}}},
		{"NoPost true", guest(`NoPost="TRUE"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{NoPost: true, Hotel: "H"}}}},
		{"NoPost of an unknown word", guest(`NoPost="?"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{NoPost: true, Hotel: "H"}}}},
		{"a guest's own hotel", guest(`HotelId="2"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{Hotel: "2"}}}},
		{"GuestTitle", guest(`GuestTitle="Mr"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{Title: "Mr", Hotel: "H"}}}},
		{"Title before GuestTitle", guest(`GuestTitle="Mr" Title="Dr"`), &PostList{Sequence: 7, Hotel: "H", Items: []PostListItem{{Title: "Dr", Hotel: "H"}}}},
		{"references of a guest", guest(`Reference1="a" Reference10="j" Reference11="k"`), &PostList{Sequence: 7, Hotel: "H",
			Items: []PostListItem{{References: [10]string{0: "a", 9: "j"}, Hotel: "H", Extra: []Attr{{"Reference11", "k"}}}}}},
		{"guests inside another element are none", `<PostList SequenceNumber="7"><Group><PostListItem RoomNumber="1"/></Group></PostList>`, &PostList{Sequence: 7}},
		{"an empty list", `<PostList SequenceNumber="7" />`, &PostList{Sequence: 7}},
		{"date of eight digits, time of five", `<LinkAlive Date="20260821" Time="90405"/>`, &LinkAlive{At: at(2026, 8, 21, 9, 4, 5)}},
		{"time of four digits", `<LinkAlive Date="260821" Time="1904"/>`, &LinkAlive{At: at(2026, 8, 21, 19, 4, 0)}},
		{"time of seven digits", `<LinkAlive Date="260821" Time="1252001"/>`, &LinkAlive{At: at(2026, 8, 21, 12, 52, 0)}},
		{"a date that is none", `<LinkAlive Date="26-08-21" Time="190405"/>`, &LinkAlive{}},
		{"month 13", `<LinkAlive Date="261321" Time="190405"/>`, &LinkAlive{}},
		{"no date", `<LinkAlive/>`, &LinkAlive{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Dialect{}.Decode([]byte(tt.wire))
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("Decode(%q): %v\n%s", tt.wire, err, diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth)
	many := strings.Builder{}
	for i := range maxAttrs + 1 {
		fmt.Fprintf(&many, ` a%d=""`, i)
	}
	for _, tt := range []struct {
		name, wire string
		want       error
		text       string
	}{
		{"nothing", ``, ErrSyntax, "no tag"},
		{"space", "  \r\n", ErrSyntax, "no tag"},
		{"FIAS", `LA|DA260821|TI190405|`, ErrSyntax, "no tag"},
		{"doctype", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><PostAnswer LastName="&x;"/>`, ErrSyntax, "declarations"},
		{"doctype inside", `<PostAnswer><!ENTITY x "y"></PostAnswer>`, ErrSyntax, "name"},
		{"doctype after", `<PostAnswer/><!DOCTYPE a>`, ErrSyntax, "declarations"},
		{"broken off in a name", `<PostAnsw`, ErrSyntax, "breaks off"},
		{"broken off in a value", `<PostAnswer AnswerStatus="O`, ErrSyntax, "no end"},
		{"broken off before the end tag", `<PostList SequenceNumber="1"><PostListItem/>`, ErrSyntax, "breaks off"},
		{"broken off in the end tag", `<PostList></PostList`, ErrSyntax, "breaks off"},
		{"broken off in a comment", `<PostAnswer><!-- `, ErrSyntax, "breaks off"},
		{"broken off in CDATA", `<PostAnswer><![CDATA[ `, ErrSyntax, "breaks off"},
		{"broken off in a declaration", `<?xml `, ErrSyntax, "breaks off"},
		{"wrong end tag", `<PostList></PostAnswer>`, ErrSyntax, "does not fit"},
		{"crossed end tags", `<PostList><a><b></a></b></PostList>`, ErrSyntax, "does not fit"},
		{"no value", `<PostAnswer AnswerStatus/>`, ErrSyntax, "no value"},
		{"no quotes", `<PostAnswer AnswerStatus=OK/>`, ErrSyntax, "no quotes"},
		{"no name", `< PostAnswer/>`, ErrSyntax, "name"},
		{"long name", "<" + strings.Repeat("x", maxName+1) + "/>", ErrSyntax, "name"},
		{"two elements", `<LinkAlive/><LinkAlive/>`, ErrSyntax, "something follows"},
		{"text behind", `<LinkAlive/>x`, ErrSyntax, "something follows"},
		{"unknown", `<PostReversal SequenceNumber="1"/>`, ErrUnknown, `"PostReversal"`},
		{"an item alone", `<PostListItem/>`, ErrUnknown, "PostListItem"},
		{"too deep", `<PostAnswer>` + deep + `</PostAnswer>`, ErrTooLarge, "inside each other"},
		{"too many attributes", `<PostAnswer` + many.String() + `/>`, ErrTooLarge, "attributes"},
		{"too long", "<LinkAlive/>" + strings.Repeat(" ", MaxElement), ErrTooLarge, "bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Dialect{}.Decode([]byte(tt.wire))
			if e != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Decode = %v, %v, want %v with %q", e, err, tt.want, tt.text)
			}
		})
	}
}

// A request whose values are wrong comes with its number, so that a server can say UR.
func TestUnreadableValues(t *testing.T) {
	e, err := Dialect{}.Decode([]byte(`<PostRequest SequenceNumber="7" TotalAmount="10.00" Covers="two" Subtotal1="1" Tip="9999999999999999" Subtotal1="2" RoomNumber="1" RoomNumber="1"/>`))
	if r, ok := e.(*PostRequest); !ok || r.Sequence != 7 || r.Total != 0 || r.Subtotals[0] != 1 {
		t.Errorf("Decode = %+v", e)
	}
	const want = `PostRequest TotalAmount is not a number from -999999999999999 to 999999999999999
PostRequest Covers is not a number from 0 to 99999
PostRequest Tip is not a number from -999999999999999 to 999999999999999
PostRequest Subtotal1 is said twice with different values`
	var field *FieldError
	if !errors.As(err, &field) || err.Error() != want {
		t.Errorf("Decode: %v", err)
	}
	if _, err := (Dialect{}).Decode([]byte(`<PostAnswer SequenceNumber="-1"/>`)); !errors.As(err, &field) {
		t.Errorf("a negative number: %v", err)
	}
}

func TestBounds(t *testing.T) {
	b := []byte(`<PostList SequenceNumber="1">`)
	for range MaxItems + 1 {
		b = append(b, `<PostListItem RoomNumber="1" />`...)
	}
	b = append(b, `</PostList>`...)
	e, err := Dialect{}.Decode(b)
	if l := e.(*PostList); err != nil || len(l.Items) != MaxItems || !l.Truncated {
		t.Errorf("Decode: %d items, truncated %v, %v", len(l.Items), l.Truncated, err)
	}
	b = []byte(`<PostAnswer`)
	for i := range 2 * MaxExtra {
		b = fmt.Appendf(b, ` x%d="1"`, i)
	}
	e, err = Dialect{}.Decode(append(b, "/>"...))
	if a := e.(*PostAnswer); err != nil || len(a.Extra) != MaxExtra {
		t.Errorf("Decode: %d unknown attributes kept, %v", len(a.Extra), err)
	}
}

func TestCheck(t *testing.T) {
	sample := func(name string) Element {
		for _, s := range samples {
			if s.name == name {
				e, err := Dialect{}.Decode([]byte(s.wire))
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
		}
		t.Fatal("no sample ", name)
		return nil
	}
	long := strings.Repeat("é", 300)
	for _, tt := range []struct {
		name   string
		e      Element
		change func(Element)
		want   string
	}{
		{"nothing of a request", &PostRequest{}, nil, "PostRequest RoomNumber is missing\nPostRequest ReservationId is missing\nPostRequest LastName is missing\n" +
			"PostRequest HotelId is missing\nPostRequest RequestType is missing\nPostRequest InquiryInformation is missing\nPostRequest MatchfromPostList is missing\n" +
			"PostRequest SequenceNumber is missing\nPostRequest PaymentMethod is missing\nPostRequest CheckNumber is missing\nPostRequest Date is missing\nPostRequest WorkstationId is missing"},
		{"nothing of a tender", &PostRequest{Type: NonRoom}, nil, "PostRequest SequenceNumber is missing\nPostRequest PaymentMethod is missing\n" +
			"PostRequest CheckNumber is missing\nPostRequest Date is missing\nPostRequest WorkstationId is missing"},
		{"nothing of an inquiry", &PostInquiry{}, nil, "PostInquiry InquiryInformation is missing\nPostInquiry SequenceNumber is missing\nPostInquiry RequestType is missing\n" +
			"PostInquiry PaymentMethod is missing\nPostInquiry Date is missing\nPostInquiry WorkstationId is missing"},
		{"an inquiry for nothing", sample("inquiry"), func(e Element) { e.(*PostInquiry).Type = NonRoom }, "PostInquiry RequestType asks for neither track, room nor name"},
		{"a sequence of nine digits", sample("inquiry"), func(e Element) { e.(*PostInquiry).Sequence = 100_000_000 }, "PostInquiry SequenceNumber is not from 0 to 99999999"},
		{"words for a revenue centre", sample("inquiry"), func(e Element) { e.(*PostInquiry).RevenueCenter = "BAR" }, "PostInquiry RevenueCenter is not a number"},
		{"a long inquiry", sample("inquiry"), func(e Element) { e.(*PostInquiry).Information = long }, "PostInquiry InquiryInformation has more than 80 characters"},
		{"parts that do not add up", sample("request"), func(e Element) { e.(*PostRequest).Tip = 1 }, "PostRequest TotalAmount is not the sum of its parts"},
		{"a charge too large", sample("request"), func(e Element) { e.(*PostRequest).Total = MaxAmount + 1 }, "PostRequest TotalAmount is not from"},
		{"covers below nothing", sample("request"), func(e Element) { e.(*PostRequest).Covers = -1 }, "PostRequest Covers is not from 0"},
		{"a check number with letters", sample("request"), func(e Element) { e.(*PostRequest).CheckNumber = "A1" }, "PostRequest CheckNumber is not a number"},
		{"nothing of a list", &PostList{}, nil, "PostList PostListItem is missing"},
		{"nothing of a guest", &PostList{Items: make([]PostListItem, 2)}, nil, "PostListItem 2 ReservationId is missing"},
		{"too many guests", &PostList{Items: make([]PostListItem, MaxItems+1)}, nil, "more than 256 times"},
		{"a limit that is none", sample("list"), func(e Element) { e.(*PostList).Items[0].CreditLimit = "lots" }, "PostListItem 1 CreditLimit is not a decimal"},
		{"nothing of an answer", &PostAnswer{}, nil, "PostAnswer AnswerStatus is missing"},
		{"no version", &LinkDescription{}, nil, "LinkDescription Date is missing\nLinkDescription VerNum is missing"},
		{"alive without a date", &LinkAlive{}, nil, "LinkAlive Date is missing"},
		{"start without a date", &LinkStart{}, nil, "LinkStart Date is missing"},
		{"end without a date", &LinkEnd{}, nil, "LinkEnd Date is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.change != nil {
				tt.change(tt.e)
			}
			b, err := Dialect{}.Append([]byte("x"), tt.e)
			if err == nil || !strings.Contains(err.Error(), tt.want) || string(b) != "x" {
				t.Errorf("Append = %q, %v, want %q", b, err, tt.want)
			}
		})
	}
}

// Words for people are cut; what identifies a guest never is.
func TestCuts(t *testing.T) {
	long := strings.Repeat("é", 300)
	wire := Dialect{}.AppendAsIs(nil, &PostInquiry{Waiter: long, Workstation: long, Information: long})
	for _, want := range []string{
		` WaiterId="` + long[:2*maxWaiter] + `"`, ` WorkstationId="` + long[:2*maxWorkstation] + `"`, ` InquiryInformation="` + long + `"`,
	} {
		if !strings.Contains(string(wire), want) {
			t.Errorf("AppendAsIs = %s, want it to hold %s", wire, want)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, tt := range []struct {
		in       Limit
		decimals int
		want     int64
		ok       bool
	}{
		{"500.00", 2, 50000, true}, {"500", 2, 50000, true}, {"500,5", 2, 50050, true}, {"500.567", 2, 50056, true}, {"-1.5", 2, -150, true},
		{"0", 2, 0, true}, {".5", 2, 50, true}, {"5.", 2, 500, true}, {" 7 ", 0, 7, true}, {"1.234", 3, 1234, true},
		{"", 2, 0, false}, {"-", 2, 0, false}, {".", 2, 0, false}, {"1.2.3", 2, 0, false}, {"1e3", 2, 0, false}, {"none", 2, 0, false},
		{"99999999999999999999", 2, 0, false}, {"9223372036854775807", 4, 0, false}, {"1", -1, 0, false}, {"1", 5, 0, false},
	} {
		if got, ok := tt.in.Minor(tt.decimals); got != tt.want || ok != tt.ok {
			t.Errorf("Limit(%q).Minor(%d) = %d, %v, want %d, %v", tt.in, tt.decimals, got, ok, tt.want, tt.ok)
		}
	}
}

// Extra attributes never make an element that is no XML.
func TestExtraNeverDoubles(t *testing.T) {
	wire := Dialect{}.AppendAsIs(nil, &LinkAlive{Extra: []Attr{{"Date", "x"}, {"a b", "x"}, {"xmlns", "x"}, {"Ok", "1"}, {"Ok", "2"}}})
	if got, want := string(wire), `<LinkAlive Date="" Time="" Ok="1" />`; got != want {
		t.Errorf("AppendAsIs = %s, want %s", got, want)
	}
}

// anyElement draws an element with any values at all.
func anyElement(t *rapid.T) Element {
	text := rapid.StringN(0, 30, -1)
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(946684800, 3124224000).Draw(t, "at"), 0).UTC()
	})
	e := newElement(rapid.SampledFrom([]string{"PostAnswer", "PostList", "PostRequest", "PostInquiry", "LinkAlive", "LinkStart", "LinkDescription", "LinkEnd"}).Draw(t, "name"))
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		switch v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(moment.Draw(t, "moment")))
			return
		case AnswerStatus:
			v.SetString(rapid.SampledFrom([]string{"", "OK", "NG", "XY"}).Draw(t, "status"))
			return
		case []Attr:
			if rapid.Bool().Draw(t, "extra") {
				v.Set(reflect.ValueOf([]Attr{{"Zeta", text.Draw(t, "zeta")}, {"Eta.1", ""}}))
			}
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(text.Draw(t, "text"))
		case reflect.Int:
			v.SetInt(rapid.Int64Range(0, 255).Draw(t, "int"))
		case reflect.Int64:
			v.SetInt(rapid.Int64Range(-MaxAmount, MaxAmount).Draw(t, "amount"))
		case reflect.Uint32:
			v.SetUint(rapid.Uint64Range(0, MaxSequence).Draw(t, "sequence"))
		case reflect.Bool:
			v.SetBool(rapid.Bool().Draw(t, "bool"))
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).Name != "Truncated" {
					fill(v.Field(i))
				}
			}
		case reflect.Array:
			for i := range v.Len() {
				fill(v.Index(i))
			}
		case reflect.Slice:
			n := rapid.IntRange(0, 4).Draw(t, "n")
			if n > 0 {
				v.Set(reflect.MakeSlice(v.Type(), n, n))
			}
			for i := range n {
				fill(v.Index(i))
			}
		}
	}
	fill(reflect.ValueOf(e).Elem())
	return e
}

func anyDialect(t *rapid.T) Dialect {
	return Dialect{Charset: rapid.SampledFrom([]Charset{"", UTF8, Windows1252}).Draw(t, "charset"), NoPostLetters: rapid.Bool().Draw(t, "letters"),
		SmallOverride: rapid.Bool().Draw(t, "small"), Declaration: rapid.Bool().Draw(t, "declaration")}
}

// Whatever the values, what is sent holds no byte of the line, is XML in the eyes of encoding/xml with the same attributes,
// and decodes to what encodes to the same bytes.
func TestEncodingAgreesWithXML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, e := anyDialect(t), anyElement(t)
		wire := d.AppendAsIs(nil, e)
		if i := bytes.IndexFunc(wire, func(r rune) bool { return r < ' ' || r == 0x7F }); i >= 0 {
			t.Fatalf("byte %#x in %q", wire[i], wire)
		}
		got, err := d.Decode(wire)
		if err != nil {
			t.Fatalf("Decode(%q): %v", wire, err)
		}
		twice, err := d.Decode(d.AppendAsIs(nil, got))
		if diff := cmp.Diff(got, twice); diff != "" || err != nil {
			t.Fatalf("Decode of what %q decodes to: %v\n%s", wire, err, diff)
		}
		theirs := xml.NewDecoder(bytes.NewReader(wire))
		theirs.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
			if label != string(Windows1252) {
				t.Fatalf("charset %q", label)
			}
			return latin(r), nil
		}
		if d.Charset == Windows1252 && !d.Declaration {
			return // encoding/xml takes UTF-8 unless told
		}
		for {
			token, err := theirs.Token()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatalf("encoding/xml: %v in %q", err, wire)
			}
			start, ok := token.(xml.StartElement)
			if !ok || start.Name.Local != e.Name() {
				continue
			}
			ours := parser{s: string(wire), charset: d.charset()}
			if err := ours.aside(true); err != nil {
				t.Fatal(err)
			}
			if _, err := ours.tag(); err != nil {
				t.Fatal(err)
			}
			if len(ours.attrs) != len(start.Attr) {
				t.Fatalf("%d attributes, encoding/xml has %d", len(ours.attrs), len(start.Attr))
			}
			for i, a := range start.Attr {
				if o := ours.attrs[i]; o.name != a.Name.Local || ours.text(o.value) != a.Value {
					t.Fatalf("%s = %q, encoding/xml has %s = %q", o.name, ours.text(o.value), a.Name.Local, a.Value)
				}
			}
		}
	})
}

// latin reads Windows-1252.
func latin(r io.Reader) io.Reader {
	b, err := io.ReadAll(r)
	if err != nil {
		return iotestErr{err}
	}
	p := parser{charset: Windows1252}
	var out strings.Builder
	for _, c := range b {
		if c < 0x80 {
			out.WriteByte(c)
			continue
		}
		out.WriteString(p.text(string([]byte{c})))
	}
	return strings.NewReader(out.String())
}

type iotestErr struct{ error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.error }
