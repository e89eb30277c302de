package opera

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The demonstration's hotel reads, and has what a demonstration needs.
func TestDefaultFile(t *testing.T) {
	h, err := NewHotel(DefaultFile(), noon())
	if err != nil {
		t.Fatal(err)
	}
	var shared, noPost, limited, french, english int
	for _, g := range h.Guests() {
		switch g.Language {
		case "FR":
			french++
		case "EA":
			english++
		}
		if g.NoPost {
			noPost++
		}
		if g.CreditLimit > 0 {
			limited++
		}
	}
	rooms := h.Rooms()
	for _, r := range rooms {
		if len(r.Guests) > 1 {
			shared++
		}
	}
	if len(rooms) < 40 || french < 10 || english < 10 || shared < 3 || noPost < 3 || limited < 5 || len(h.Accounts()) != 3 {
		t.Errorf("%d rooms, %d French, %d English, %d shared, %d no-post, %d limited", len(rooms), french, english, shared, noPost, limited)
	}
}

func TestParseFile(t *testing.T) {
	if _, err := ParseFile([]byte(`{"rooms": ["1"], "guests": [{"reservation": "7", "room": "1", "name": "Json"}]}`)); err != nil {
		t.Errorf("JSON: %v", err)
	}
	for in, want := range map[string]string{
		"colour: red":                     "line 1: field colour not found",
		"rooms: {":                        "yaml:",
		"business_date: tomorrow":         `business_date "tomorrow": write a date as 2026-08-21`,
		"names: full":                     `names "full": write last, last_title or last_first`,
		"pulse_price: -1":                 "not below zero",
		"rooms: ['1', '1']":               `rooms[1] "1" is there twice`,
		"rooms: ['a|b']":                  `rooms[0] "a|b": a room number has`,
		"rooms: ['1']\npaymasters: ['1']": `paymasters[0] "1" is there twice`,
		"guests: [{reservation: '1', room: '1', name: x}]":                                                                    `guests[0]: reservation 1: there is no room "1"`,
		"rooms: ['1']\nguests: [{reservation: '0', room: '1'}]":                                                               `reservation "0": write up to 10 digits, not 0`,
		"rooms: ['1']\nguests: [{reservation: '1', room: '1'}]":                                                               `name "": 1 to 200 printable`,
		"accounts: [{number: A, name: ''}]":                                                                                   `accounts[0]: name ""`,
		"accounts: [{number: '', name: x}]":                                                                                   `accounts[0]: number ""`,
		"accounts: [{number: A, name: x}, {number: A, name: x}]":                                                              `"A" is the number of a room or of another account`,
		"accounts: [{number: A, name: x, answer: ZZ}]":                                                                        `answer "ZZ": write one of OK`,
		"articles: [{number: x}]":                                                                                             `articles[0]: number "x": write digits`,
		"rooms: ['1']\nguests: [{reservation: '1', room: '1', name: x, profile: y}]":                                          `profile "y"`,
		"rooms: ['1']\nguests: [{reservation: '1', room: '1', name: x, arrival: y}]":                                          "write arrival and departure",
		"rooms: ['1']\nguests: [{reservation: '1', room: '1', name: x, title: 'a|b'}]":                                        "has a bar",
		"rooms: ['1']\nguests: [{reservation: '1', room: '1', name: x, answer: ZZ}]":                                          `answer "ZZ"`,
		"rooms: ['1']\nguests: [{reservation: '1', room: '1', name: x, references: [a,b,c,d,e,f,g,h,i,j,k]}]":                 "11 references",
		"rooms: ['1']\nguests: [{reservation: '1', room: '1', name: x}, {reservation: '1', room: '1', name: y}]\nnames: full": "guests[1]: reservation 1 is there twice",
	} {
		if _, err := ParseFile([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseFile(%q) = %v, want %q", in, err, want)
		}
	}
	name := filepath.Join(t.TempDir(), "hotel.yaml")
	if _, err := ReadFile(name); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := os.WriteFile(name, []byte("names: full"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(name); err == nil || !strings.Contains(err.Error(), name+": names") {
		t.Errorf("ReadFile = %v", err)
	}
	if err := os.WriteFile(name, DefaultHotel(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(name); err != nil {
		t.Error(err)
	}
}

// The sums that the text prints (fias.md 6.5).
func TestAmountRule(t *testing.T) {
	for _, test := range []struct {
		c  Charge
		ok bool
	}{
		{Charge{Total: 1000, Subtotals: []Amount{800}, Discounts: []Amount{-200}, Taxes: []Amount{400}}, true},
		{Charge{Total: 22850, Subtotals: []Amount{8000, 6000, 4000}, Taxes: []Amount{2575, 1525, 1050}, Discounts: []Amount{-1000}, Tip: 500, Services: []Amount{200}}, true},
		{Charge{Total: 11075, Subtotals: []Amount{4000, 3000, 2000}, Taxes: []Amount{1287, 763, 525}, Discounts: []Amount{-500}}, true},
		{Charge{Total: 4380, Subtotals: []Amount{100, 200, 300, 400, 500, 600, 700, 800, 900}, Discounts: []Amount{-123}, Rounding: 3}, true},
		{Charge{Total: 890, Subtotals: []Amount{520, 500, 2}, Discounts: []Amount{-132}}, true},
		{Charge{Total: 890, Subtotals: []Amount{520, 500, 2}, Discounts: []Amount{132}}, false},
		{Charge{Total: 1000, Subtotals: []Amount{999}}, false},
		{Charge{Total: 1000, Tip: 1}, false},
		{Charge{Total: 1000}, true},
		{Charge{Total: 0}, true},
		{Charge{Total: 1152, Subtotals: []Amount{520, 500}, Discounts: []Amount{132}}, false}, // a discount is negative
		{Charge{Total: -1000, Subtotals: []Amount{-1200}, Discounts: []Amount{200}}, true},
	} {
		h := newTestHotel(t)
		c := test.c
		c.Record, c.HasTotal, c.Method = "PR", true, "CASH"
		d := h.Post(c, "x", false, noon())
		if want := map[bool]Status{true: StatusOK, false: StatusDM}[test.ok]; d.Status != want {
			t.Errorf("%+v = %s %s, want %s", test.c, d.Status, d.Text, want)
		}
	}
}

// Settings of a hotel that change its answers.
func TestHotelSettings(t *testing.T) {
	for _, test := range []struct {
		set    func(*File)
		c      Charge
		status Status
		booked int
	}{
		{func(f *File) { f.NoOverride = true }, Charge{Room: "104", Reservation: "83", Total: 101, Override: true}, StatusCO, 0},
		{func(f *File) { f.NoNegative = true }, Charge{Room: "2781", Reservation: "12345", Total: -1}, StatusUR, 0},
		{func(f *File) { f.SkipZero = true }, Charge{Room: "2781", Reservation: "12345"}, StatusOK, 0},
		{func(f *File) {}, Charge{Room: "2781", Reservation: "12345"}, StatusOK, 1},
		{func(f *File) { f.OtherMethods = []string{"VISA"} }, Charge{Method: "AMEX", Total: 1}, StatusUR, 0},
		{func(f *File) { f.OtherMethods = []string{"VISA"} }, Charge{Method: "VISA", Total: 1}, StatusOK, 1},
		{func(f *File) { f.Outlets = []string{"1"} }, Charge{Method: "VISA", Total: 1, Outlet: "2"}, StatusUR, 0},
		{func(f *File) { f.Outlets = []string{"1"} }, Charge{Method: "VISA", Total: 1, Outlet: "1"}, StatusOK, 1},
		{func(f *File) {}, Charge{Room: "AR7", Reservation: "0", Total: 1}, StatusIA, 0},
	} {
		f, err := ParseFile([]byte(testFile))
		if err != nil {
			t.Fatal(err)
		}
		test.set(&f)
		h, err := NewHotel(f, noon())
		if err != nil {
			t.Fatal(err)
		}
		test.c.Record, test.c.HasTotal = "PR", true
		if d := h.Post(test.c, "x", false, noon()); d.Status != test.status || len(h.Ledger(0)) != test.booked {
			t.Errorf("%+v = %s %s, %d booked", test.c, d.Status, d.Text, len(h.Ledger(0)))
		}
	}
}

func TestAmountDecimal(t *testing.T) {
	for a, want := range map[Amount]string{0: "0.00", 5: "0.05", 50000: "500.00", -123: "-1.23"} {
		if got := a.Decimal(); got != want {
			t.Errorf("%d = %s, want %s", a, got, want)
		}
	}
}

// Names as GN has them.
func TestNames(t *testing.T) {
	for names, want := range map[Names]string{"": "Garnier, Élodie", NamesLast: "Garnier", NamesLastFirst: "Garnier, Élodie", NamesLastTitle: "Garnier"} {
		f, err := ParseFile([]byte(testFile))
		if err != nil {
			t.Fatal(err)
		}
		f.Names = names
		h, err := NewHotel(f, noon())
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := h.Guest("77"); !ok || m.FullName != want || m.Kind != OnRoom {
			t.Errorf("names %q: %q, want %q", names, m.FullName, want)
		}
		if m, ok := h.Guest("90001"); !ok || m.Kind != OnPaymaster {
			t.Errorf("%+v is no paymaster", m)
		}
	}
}
