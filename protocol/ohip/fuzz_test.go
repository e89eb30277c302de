package ohip

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func newTestClient(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{Gateway: "https://gateway.example", Hotel: "HOTEL1", AppKey: "key-1234", ClientID: "id", ClientSecret: "secret-1234", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var reservations = []string{
	``, ` `, `{}`, `[]`, `null`, `{"reservations":null}`, `{"reservations":{}}`, `{"reservations":{"reservationInfo":[]}}`, `{"reservations":{"reservationInfo":[null,1,"x",[],{}]}}`,
	`{"reservations":{"reservationInfo":[{"reservationIdList":[{"id":"C1","type":"Confirmation"},{"id":"24331","type":"Reservation"}],"roomStay":{"roomId":"217","roomType":"STD"},` +
		`"reservationGuest":{"surname":"Doe","givenName":"Jo"},"reservationStatus":"InHouse","hotelId":"HOTEL1","cashiering":{"billingPrivileges":{"postingRestriction":true},"revenuesAndBalances":{"balance":{"amount":12.5,"currencyCode":"EUR"}}}}],"hasMore":true}}`,
	`{"reservations":{"reservation":[{"reservationIdList":[{"id":7,"type":"Reservation"}],"roomStay":{"currentRoomInfo":{"roomId":"0306"}},"reservationGuests":[{"profileInfo":{"profile":{"customer":{"personName":[{"surname":"Müller"}]}}}}]}]}}`,
	`{"reservations":{"reservationInfo":[{"reservationIdList":{"id":"1"},"creditLimit":"1e3","reservationStatus":"CheckedOut"},{"reservationId":5,"creditLimit":"1e3"}]}}`,
	`{"reservations":{"reservationInfo":[{"reservationIdList":[{"id":"1","type":"Reservation"}],"hotelId":"OTHER"}]}}`,
	`{"reservations":{"reservationInfo":[{"reservationIdList":[{"id":"1","type":"Reservation"}],"reservationGuest":{"surname":"a\u0000\n\tb"},"roomStay":{"roomId":217}}]}}`,
}

// FuzzReservations: whoever is read can be charged: has a number, is of this hotel, in house, and has one-line texts.
func FuzzReservations(f *testing.F) {
	for _, s := range reservations {
		f.Add([]byte(s))
	}
	c := newTestClient(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := c.guests(body)
		if err != nil {
			if len(found.Guests) > 0 {
				t.Errorf("guests %+v with %v", found.Guests, err)
			}
			return
		}
		if len(found.Guests) > maxGuests {
			t.Errorf("%d guests", len(found.Guests))
		}
		for _, g := range found.Guests {
			if g.Reservation == "" {
				t.Errorf("a guest without a reservation in %q", body)
			}
			switch strings.ToLower(g.Status) {
			case "", "inhouse", "dueout", "checkedin":
			default:
				t.Errorf("a guest who is %q in %q", g.Status, body)
			}
			for _, s := range []string{g.Reservation, g.Room, g.Surname, g.Given, g.Title, g.Name()} {
				if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r\n\t\x7f") || len(s) > 2*maxWord+2 {
					t.Errorf("text %q", s)
				}
			}
		}
	})
}

// FuzzFolio: each transaction once, texts in one line.
func FuzzFolio(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `[]`, `{"reservationFolioInformation":{"folioWindows":[{"folioWindowNo":2,"hasMore":true,"folios":[{"postings":[{"transactionNo":1,"transactionCode":"2000","postedAmount":{"amount":-0.5,"currencyCode":"EUR"},"reference":"p-1 "}]}]}]}}`,
		`{"a":{"transactionNo":"1","transactionCode":"x","transactionAmount":3},"b":[{"transactionNo":"1","transactionCode":"y"}]}`,
		`{"transactionNo":1,"transactionCode":null}`, strings.Repeat(`{"a":[`, 40) + strings.Repeat(`]}`, 40),
	} {
		f.Add([]byte(s))
	}
	c := newTestClient(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := folioReader{c: c, seen: map[string]bool{}}
		if err := r.read(body); err != nil {
			return
		}
		numbers := map[string]bool{}
		for _, l := range r.lines {
			if l.Number == "" || numbers[l.Number] || l.Reference != strings.TrimSpace(l.Reference) || strings.ContainsAny(l.Reference+l.Remark, "\r\n") {
				t.Errorf("line %+v of %q", l, body)
			}
			numbers[l.Number] = true
		}
		again := folioReader{c: c, seen: map[string]bool{}}
		again.read(body)
		if len(again.lines) != len(r.lines) {
			t.Errorf("%q is read as %d lines, then %d", body, len(r.lines), len(again.lines))
		}
	})
}

// FuzzProblem: whatever a refusal says, it has a status of FIAS and one line of text.
func FuzzProblem(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `<html>`, `{"title":"No Post is set","status":400,"o:errorCode":"OPERAWS-FOF00005"}`, `{"detail":"credit limit"}`, `{"message":"API rate limit exceeded"}`, `{"error":"x","o:errorCode":"OPERAWS-GEN01242"}`,
		`{"type":"t","title":"Several","o:errorDetails":[{"o:errorCode":"A","detail":"night audit"},{"title":"Several","o:errorDetails":[{"detail":"deep"}]}]}`, `{"title":["x"]}`, `{"title":"a\u0000\u0085b\nc"}`,
		strings.Repeat(`{"o:errorDetails":[`, 50) + strings.Repeat(`]}`, 50),
	} {
		f.Add([]byte(s), 400)
	}
	c := newTestClient(f)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		fault := readFault(body)
		if len(fault.text) > maxWord || strings.ContainsAny(fault.text, "\x00\r\n\x7f") || !utf8.ValidString(fault.text) || len(fault.codes) > maxFaults {
			t.Errorf("readFault(%q) = %+v", body, fault)
		}
		for _, r := range c.rules {
			if r.fits(status, fault) && !known(r.AS) {
				t.Errorf("rule %+v has no status of FIAS", r)
			}
		}
	})
}

// known are the answer statuses of docs/spec/fias.md 6.7 that a posting can have.
func known(as string) bool {
	switch as {
	case "OK", "NG", "NP", "CO", "DM", "IA", "FX", "NA", "RY", "UR", "DN":
		return true
	}
	return false
}

// FuzzDecimal: what is a number of minor units is written and read back as the same, and agrees with big arithmetic where
// that is easy.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0", "1", "12.5", "-0.50", "1e2", "1E-2", "125e-1", "0.005", "9223372036854775807", "92233720368547758.07", "92233720368547758.08", "1e30", "", ".", "-", "1.2.3", "0x1", "١", "+3", "1e", "1e+2", "00012"} {
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, s string, decimals int) {
		if decimals < 0 || decimals > 4 {
			return
		}
		minor, err := Decimal(s).Minor(decimals)
		if err != nil {
			return
		}
		text := FormatMinor(minor, decimals)
		if !jsontext.Value(text).IsValid() {
			t.Errorf("FormatMinor(%d, %d) = %s is no JSON", minor, decimals, text)
		}
		if again, err := text.Minor(decimals); err != nil || again != minor {
			t.Errorf("Minor(%q, %d) = %d, written %s, read %d, %v", s, decimals, minor, text, again, err)
		}
		if decimals == 0 {
			if n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64); err == nil && n != minor {
				t.Errorf("Minor(%q) = %d", s, minor)
			}
		}
	})
}

// FuzzReceipt: one line of text whatever comes back after booking.
func FuzzReceipt(f *testing.F) {
	for _, s := range []string{``, `{"links":[]}`, `{"warnings":[{"shortText":"Routing not\napplied","code":"X"}]}`, `{"postings":[{"transactionNo":17}]}`, `{"postings":[1]}`, `x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		text, number := receipt(body)
		if strings.ContainsAny(text+number, "\x00\r\n") || len(text) > maxWord || len(number) > maxWord {
			t.Errorf("receipt(%q) = %q, %q", body, text, number)
		}
	})
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		in       string
		decimals int
		want     int64
		ok       bool
	}{
		{"12.5", 2, 1250, true}, {"-0.5", 2, -50, true}, {"1250", 0, 1250, true}, {"1.005", 3, 1005, true}, {"1.005", 2, 0, false}, {"1.0050", 3, 1005, true}, {"1e2", 2, 10000, true},
		{"1.5e1", 0, 15, true}, {"15e-1", 0, 0, false}, {"150e-1", 0, 15, true}, {"92233720368547758.07", 2, 1<<63 - 1, true}, {"92233720368547758.08", 2, 0, false}, {"", 2, 0, false}, {"1,5", 2, 0, false},
		{"1e31", 2, 0, false}, {"1e-31", 2, 0, false}, {"0e-30", 2, 0, true}, {"0.000000000000000000000000000001", 2, 0, false}, {"-", 2, 0, false}, {".5", 2, 50, true},
	} {
		got, err := Decimal(c.in).Minor(c.decimals)
		if (err == nil) != c.ok || got != c.want {
			t.Errorf("Minor(%q, %d) = %d, %v, want %d, %t", c.in, c.decimals, got, err, c.want, c.ok)
		}
	}
	for _, c := range []struct {
		minor    int64
		decimals int
		want     Decimal
	}{{0, 2, "0.00"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {2350, 2, "23.50"}, {7, 0, "7"}, {-1 << 63, 2, "-92233720368547758.08"}, {1, 3, "0.001"}} {
		if got := FormatMinor(c.minor, c.decimals); got != c.want {
			t.Errorf("FormatMinor(%d, %d) = %s, want %s", c.minor, c.decimals, got, c.want)
		}
	}
	for currency, want := range map[string]int{"EUR": 2, "JPY": 0, "KWD": 3, "XYZ": 2} {
		if got := Decimals(currency); got != want {
			t.Errorf("Decimals(%s) = %d, want %d", currency, got, want)
		}
	}
	var m Money
	for in, want := range map[string]Decimal{`{"amount":1.50}`: "1.50", `{"amount":"2.5"}`: "2.5", `{"amount":null}`: "", `{"amount":-3e2}`: "-3e2"} {
		if err := json.Unmarshal([]byte(in), &m); err != nil || m.Amount != want {
			t.Errorf("%s: %q, %v", in, m.Amount, err)
		}
	}
	for _, in := range []string{`{"amount":true}`, `{"amount":"x"}`, `{"amount":{}}`} {
		if err := json.Unmarshal([]byte(in), &m); err == nil {
			t.Errorf("%s was taken", in)
		}
	}
	if b, err := json.Marshal(Money{FormatMinor(2350, 2), "EUR"}); err != nil || string(b) != `{"amount":23.50,"currencyCode":"EUR"}` {
		t.Errorf("Marshal = %s, %v", b, err)
	}
}

// TestGuests reads the forms that an answer can have.
func TestGuests(t *testing.T) {
	c := newTestClient(t)
	found, err := c.guests([]byte(reservations[9]))
	if err != nil || len(found.Guests) != 1 || !found.More {
		t.Fatalf("guests = %+v, %v", found, err)
	}
	if g := found.Guests[0]; g.Reservation != "24331" || !g.NoPost || g.Balance == nil || *g.Balance != 1250 || g.CreditLimit != nil {
		t.Errorf("guest %+v", g)
	}
	if found, err := c.guests([]byte(reservations[10])); err != nil || found.Guests[0].Reservation != "7" || found.Guests[0].Room != "0306" || found.Guests[0].Name() != "Müller" {
		t.Errorf("guests = %+v, %v", found, err)
	}
	if found, err := c.guests([]byte(reservations[11])); err != nil || len(found.Guests) != 1 || found.Guests[0].Reservation != "5" || *found.Guests[0].CreditLimit != 100000 {
		t.Errorf("guests = %+v, %v", found, err)
	}
}
