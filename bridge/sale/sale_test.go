package sale_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aboyeur/bridge/api"
	"aboyeur/bridge/sale"
)

// full is an order that uses every member.
func full() *sale.Order {
	return &sale.Order{
		Source: "otter", SourceOrderID: "8F3A2-77", Version: 1, PlacedAt: time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC), Service: sale.Delivery,
		Scheduling: sale.ASAP, ReadyAt: time.Date(2026, 11, 21, 19, 45, 0, 0, time.UTC), Partner: sale.Partner{Name: "Uber Eats", OrderID: "8F3A2"},
		Table: "12", Covers: 2, Staff: "Léa", Customer: sale.Customer{Name: "Zoé L.", Phone: "+33100000000"}, Notes: "Sonner au 2e",
		AllergyNote: "noix", Currency: "EUR",
		Lines: []sale.Line{{
			SKU: "PIZ-01", Name: "Margherita", Category: "Mains", Course: 2, Quantity: 2, Price: new(int64(1250)), Notes: "sans basilic", Allergens: []string{"lait"},
			Modifiers: []sale.Modifier{{SKU: "X-CHZ", Name: "Extra mozzarella", Quantity: new(1), Price: 150, Modifiers: []sale.Modifier{{Name: "râpée", Quantity: new(2), Price: 5}}}},
		}},
		Payments: []sale.Payment{{Method: "prepaid", Amount: 2800}},
	}
}

func modifiers(levels int) []sale.Modifier {
	if levels == 0 {
		return nil
	}
	return []sale.Modifier{{Name: "m", Quantity: new(1), Modifiers: modifiers(levels - 1)}}
}

func TestValidate(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, c := range []struct {
		name   string
		change func(o *sale.Order)
		want   string // pointer: detail; "" none
	}{
		{"as it is", func(*sale.Order) {}, ""},
		{"nothing but what is required", func(o *sale.Order) {
			*o = sale.Order{Source: "a", SourceOrderID: "b", Currency: "EUR", Lines: []sale.Line{{Name: "x", Quantity: 1, Price: new(int64(0))}}}
		}, ""},
		{"no source", func(o *sale.Order) { o.Source = "" }, "/source: is missing"},
		{"source at its limit", func(o *sale.Order) { o.Source = long(120) }, ""},
		{"source too long", func(o *sale.Order) { o.Source = long(121) }, "/source: has 121 characters; the limit is 120"},
		{"source with a line feed", func(o *sale.Order) { o.Source = "a\nb" }, "/source: has a control character; write it without"},
		{"no id", func(o *sale.Order) { o.SourceOrderID = "" }, "/source_order_id: is missing"},
		{"id with DEL", func(o *sale.Order) { o.SourceOrderID = "a\x7f" }, "/source_order_id: has a control character; write it without"},
		{"negative version", func(o *sale.Order) { o.Version = -1 }, "/version: is -1; write 1 or more"},
		{"placed in the year 10000", func(o *sale.Order) { o.PlacedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)) },
			"/placed_at: is in the year 10000; write a time from 2000 to 2199, as in 2026-11-21T19:04:05Z"},
		{"ready before Christ", func(o *sale.Order) { o.ReadyAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)) },
			"/ready_at: is in the year -1; write a time from 2000 to 2199, as in 2026-11-21T19:04:05Z"},
		{"unknown service", func(o *sale.Order) { o.Service = "drone" }, `/service: is "drone"; write one of delivery, pickup, dine_in`},
		{"service of nothing printable", func(o *sale.Order) { o.Service = strings.Repeat("\ufffd", 30) },
			`/service: is "` + strings.Repeat("\ufffd", 13) + `…"; write one of delivery, pickup, dine_in`},
		{"service of long words", func(o *sale.Order) { o.Service = "a" + long(40) }, `/service: is "a` + long(19) + `…"; write one of delivery, pickup, dine_in`},
		{"unknown scheduling", func(o *sale.Order) { o.Scheduling = "later" }, `/scheduling: is "later"; write one of asap, fixed_time`},
		{"fixed time without time", func(o *sale.Order) { o.Scheduling, o.ReadyAt = sale.FixedTime, time.Time{} },
			"/ready_at: is missing; an order with scheduling fixed_time needs the time it is to be ready"},
		{"partner's name", func(o *sale.Order) { o.Partner.Name = long(201) }, "/partner/name: has 201 characters; the limit is 200"},
		{"partner's id", func(o *sale.Order) { o.Partner.OrderID = long(121) }, "/partner/order_id: has 121 characters; the limit is 120"},
		{"table", func(o *sale.Order) { o.Table = "1\x00" }, "/table: has a control character; write it without"},
		{"covers below", func(o *sale.Order) { o.Covers = -1 }, "/covers: is -1; write a whole number from 0 to 1000"},
		{"covers above", func(o *sale.Order) { o.Covers = 1001 }, "/covers: is 1001; write a whole number from 0 to 1000"},
		{"staff", func(o *sale.Order) { o.Staff = long(201) }, "/staff: has 201 characters; the limit is 200"},
		{"customer's name", func(o *sale.Order) { o.Customer.Name = long(201) }, "/customer/name: has 201 characters; the limit is 200"},
		{"customer's phone", func(o *sale.Order) { o.Customer.Phone = long(121) }, "/customer/phone: has 121 characters; the limit is 120"},
		{"notes at the limit", func(o *sale.Order) { o.Notes = long(2000) }, ""},
		{"notes", func(o *sale.Order) { o.Notes = long(2001) }, "/notes: has 2001 characters; the limit is 2000"},
		{"allergy note", func(o *sale.Order) { o.AllergyNote = long(2001) }, "/allergy_note: has 2001 characters; the limit is 2000"},
		{"no currency", func(o *sale.Order) { o.Currency = "" }, `/currency: is ""; write an ISO 4217 code such as EUR`},
		{"small currency", func(o *sale.Order) { o.Currency = "eur" }, `/currency: is "eur"; write an ISO 4217 code such as EUR`},
		{"currency of three others", func(o *sale.Order) { o.Currency = "€" }, `/currency: is "€"; write an ISO 4217 code such as EUR`},
		{"other currency", func(o *sale.Order) { o.Currency = "USD" }, "/currency: is USD, but this restaurant sells in EUR"},
		{"no lines", func(o *sale.Order) { o.Lines = nil }, "/lines: is empty; an order has at least one line"},
		{"500 lines", func(o *sale.Order) { o.Lines = repeat(o.Lines[0], 500) }, ""},
		{"501 lines", func(o *sale.Order) { o.Lines = repeat(o.Lines[0], 501) }, "/lines: has 501 lines; the limit is 500"},
		{"sku", func(o *sale.Order) { o.Lines[0].SKU = long(121) }, "/lines/0/sku: has 121 characters; the limit is 120"},
		{"blank name", func(o *sale.Order) { o.Lines[0].Name = " \t" }, "/lines/0/name: is empty; write the name as it should be read"},
		{"long name", func(o *sale.Order) { o.Lines[0].Name = long(201) }, "/lines/0/name: has 201 characters; the limit is 200"},
		{"category", func(o *sale.Order) { o.Lines[0].Category = long(201) }, "/lines/0/category: has 201 characters; the limit is 200"},
		{"last course", func(o *sale.Order) { o.Lines[0].Course = 3 }, ""},
		{"course beyond", func(o *sale.Order) { o.Lines[0].Course = 4 }, "/lines/0/course: is 4; the courses here are 0 to 3"},
		{"course before", func(o *sale.Order) { o.Lines[0].Course = -1 }, "/lines/0/course: is -1; the courses here are 0 to 3"},
		{"quantity 0", func(o *sale.Order) { o.Lines[0].Quantity = 0 }, "/lines/0/quantity: is 0; write a whole number from 1 to 1000"},
		{"quantity 1001", func(o *sale.Order) { o.Lines[0].Quantity = 1001 }, "/lines/0/quantity: is 1001; write a whole number from 1 to 1000"},
		{"no price", func(o *sale.Order) { o.Lines[0].Price = nil }, "/lines/0/price: is missing; write the price of one in minor units, 0 when it is free"},
		{"negative price", func(o *sale.Order) { o.Lines[0].Price = new(int64(-1)) }, "/lines/0/price: is -1; write minor units from 0 to 1099511627776"},
		{"price beyond", func(o *sale.Order) { o.Lines[0].Price = new(int64(sale.MaxAmount + 1)) }, "/lines/0/price: is 1099511627777; write minor units from 0 to 1099511627776"},
		{"line's notes", func(o *sale.Order) { o.Lines[0].Notes = long(2001) }, "/lines/0/notes: has 2001 characters; the limit is 2000"},
		{"31 allergens", func(o *sale.Order) { o.Lines[0].Allergens = repeat("x", 31) }, "/lines/0/allergens: has 31 entries; the limit is 30"},
		{"empty allergen", func(o *sale.Order) { o.Lines[0].Allergens = []string{"lait", ""} }, "/lines/0/allergens/1: is empty; write the name as it should be read"},
		{"five levels", func(o *sale.Order) { o.Lines[0].Modifiers = modifiers(5) }, ""},
		{"six levels", func(o *sale.Order) { o.Lines[0].Modifiers = modifiers(6) },
			"/lines/0/modifiers/0/modifiers/0/modifiers/0/modifiers/0/modifiers/0/modifiers: is level 6; modifiers nest at most 5 levels"},
		{"201 modifiers", func(o *sale.Order) { o.Lines[0].Modifiers = repeat(modifiers(1)[0], 201) }, "/lines/0/modifiers: has 201 entries; the limit is 200"},
		{"modifier's sku", func(o *sale.Order) { o.Lines[0].Modifiers[0].SKU = "\n" }, "/lines/0/modifiers/0/sku: has a control character; write it without"},
		{"modifier's name", func(o *sale.Order) { o.Lines[0].Modifiers[0].Modifiers[0].Name = "" }, "/lines/0/modifiers/0/modifiers/0/name: is empty; write the name as it should be read"},
		{"modifier's quantity 0", func(o *sale.Order) { o.Lines[0].Modifiers[0].Quantity = new(0) }, "/lines/0/modifiers/0/quantity: is 0; write a whole number from 1 to 1000"},
		{"modifier's quantity 1001", func(o *sale.Order) { o.Lines[0].Modifiers[0].Quantity = new(1001) }, "/lines/0/modifiers/0/quantity: is 1001; write a whole number from 1 to 1000"},
		{"modifier's price", func(o *sale.Order) { o.Lines[0].Modifiers[0].Price = -5 }, "/lines/0/modifiers/0/price: is -5; write minor units from 0 to 1099511627776"},
		{"line beyond any sum", func(o *sale.Order) {
			m := &o.Lines[0].Modifiers[0]
			o.Lines[0].Quantity, *m.Quantity, m.Price = 1000, 1000, sale.MaxAmount
		}, "/lines/0: costs more than 1125899906842624 minor units with its modifiers; look for a price or quantity that is too large"},
		{"order beyond any sum", func(o *sale.Order) {
			o.Lines[0].Quantity, o.Lines[0].Price, o.Lines[0].Modifiers = 1000, new(int64(sale.MaxAmount)), nil
			o.Lines = repeat(o.Lines[0], 2)
		}, "/lines: cost more than 1125899906842624 minor units together; look for a price or quantity that is too large"},
		{"51 payments", func(o *sale.Order) { o.Payments = repeat(o.Payments[0], 51) }, "/payments: has 51 payments; the limit is 50"},
		{"payment's method", func(o *sale.Order) { o.Payments[0].Method = "" }, "/payments/0/method: is missing"},
		{"payment's amount", func(o *sale.Order) { o.Payments[0].Amount = -1 }, "/payments/0/amount: is -1; write minor units from 0 to 1099511627776"},
		{"several at once", func(o *sale.Order) { o.Source, o.Covers, o.Lines[0].Quantity = "", 2000, 0 },
			"/source: is missing\n/covers: is 2000; write a whole number from 0 to 1000\n/lines/0/quantity: is 0; write a whole number from 1 to 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := full()
			c.change(o)
			o.Complete()
			var lines []string
			for _, f := range o.Validate(4, "EUR") {
				lines = append(lines, f.Pointer+": "+f.Detail)
			}
			if got := strings.Join(lines, "\n"); got != c.want {
				t.Errorf("Validate gives\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func repeat[T any](v T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func TestValidateWithoutCoursesOrCurrency(t *testing.T) {
	o := full()
	o.Lines[0].Course, o.Currency = 0, "XPF"
	if f := o.Validate(0, ""); len(f) > 0 {
		t.Errorf("Validate = %v, want no fault", f)
	}
	o.Lines[0].Course = 1
	if f := o.Validate(0, ""); len(f) != 1 || f[0].Detail != "is 1; the courses here are 0 to 0" {
		t.Errorf("Validate = %v, want one fault", f)
	}
}

func TestComplete(t *testing.T) {
	for _, c := range []struct{ name, sent, want string }{
		{"defaults", `{"source":"a","source_order_id":"1","currency":"EUR","lines":[{"name":"x","quantity":1,"price":0,"modifiers":[{"name":"y"}]}]}`,
			`{"source":"a","source_order_id":"1","version":1,"service":"pickup","scheduling":"asap","currency":"EUR","lines":[{"name":"x","quantity":1,"price":0,"modifiers":[{"name":"y","quantity":1}]}]}`},
		{"a table means dine in", `{"source":"a","source_order_id":"1","table":"4","currency":"EUR","lines":[]}`,
			`{"source":"a","source_order_id":"1","version":1,"service":"dine_in","scheduling":"asap","table":"4","currency":"EUR","lines":[]}`},
		{"empty lists are none, times are UTC", `{"source":"a","source_order_id":"1","placed_at":"2026-11-21T20:04:05+01:00","partner":{},"customer":{},"notes":"","currency":"EUR","payments":[],` +
			`"lines":[{"name":"x","quantity":1,"price":0,"hold":false,"allergens":[],"modifiers":[{"name":"y","quantity":1,"price":0,"modifiers":[]}]}]}`,
			`{"source":"a","source_order_id":"1","version":1,"placed_at":"2026-11-21T19:04:05Z","service":"pickup","scheduling":"asap","currency":"EUR","lines":[{"name":"x","quantity":1,"price":0,"modifiers":[{"name":"y","quantity":1}]}]}`},
		{"a quantity of 0 stays what it is", `{"source":"a","source_order_id":"1","currency":"EUR","lines":[{"name":"x","quantity":1,"price":0,"modifiers":[{"name":"y","quantity":0}]}]}`,
			`{"source":"a","source_order_id":"1","version":1,"service":"pickup","scheduling":"asap","currency":"EUR","lines":[{"name":"x","quantity":1,"price":0,"modifiers":[{"name":"y","quantity":0}]}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o sale.Order
			if err := api.DecodeBytes([]byte(c.sent), &o); err != nil {
				t.Fatal(err)
			}
			o.Complete()
			if diff := cmp.Diff(c.want, string(o.Encode())); diff != "" {
				t.Errorf("canonical form (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	if got, want := full().Total(), int64(2*(1250+(150+2*5))); got != want {
		t.Errorf("Total = %d, want %d", got, want)
	}
	// As 2 portions of what costs 1250, with an extra of 150 that carries 2 of 5 each.
	rapid.Check(t, func(t *rapid.T) {
		o := &sale.Order{Lines: rapid.SliceOfN(rapid.Custom(drawLine), 1, 5).Draw(t, "lines")}
		want := new(big.Int)
		for i := range o.Lines {
			l := &o.Lines[i]
			one := exact(l.Modifiers)
			one.Add(one, big.NewInt(*l.Price))
			want.Add(want, one.Mul(one, big.NewInt(int64(l.Quantity))))
		}
		if limit := big.NewInt(math.MaxInt64); want.Cmp(limit) > 0 {
			want = limit
		}
		if got := big.NewInt(o.Total()); got.Cmp(want) != 0 {
			t.Fatalf("Total = %d, want %d", got, want)
		}
	})
}

func drawLine(t *rapid.T) sale.Line {
	return sale.Line{Quantity: rapid.IntRange(1, sale.MaxQuantity).Draw(t, "quantity"), Price: new(rapid.Int64Range(0, sale.MaxAmount).Draw(t, "price")), Modifiers: drawModifiers(t, 1)}
}

func drawModifiers(t *rapid.T, level int) []sale.Modifier {
	if level > sale.MaxModifierLevels {
		return nil
	}
	ms := make([]sale.Modifier, rapid.IntRange(0, 2).Draw(t, "modifiers"))
	for i := range ms {
		ms[i] = sale.Modifier{Quantity: new(rapid.IntRange(1, sale.MaxQuantity).Draw(t, "count")), Price: rapid.Int64Range(0, sale.MaxAmount).Draw(t, "extra"), Modifiers: drawModifiers(t, level+1)}
	}
	return ms
}

func exact(ms []sale.Modifier) *big.Int {
	sum := new(big.Int)
	for i := range ms {
		one := exact(ms[i].Modifiers)
		one.Add(one, big.NewInt(ms[i].Price))
		sum.Add(sum, one.Mul(one, big.NewInt(int64(ms[i].Count()))))
	}
	return sum
}

// FuzzOrder feeds what a sender may put into a body: nothing panics, a refusal is a problem with a status, and what is
// taken encodes to the same value again, by which a repeated order is known.
func FuzzOrder(f *testing.F) {
	f.Add(full().Encode())
	f.Add([]byte(`{"source":"a","source_order_id":"1","currency":"EUR","lines":[{"name":"x","quantity":1,"price":0,"modifiers":[{"name":"y","quantity":0}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var o sale.Order
		if err := api.DecodeBytes(body, &o); err != nil {
			var p *api.Problem
			if !errors.As(err, &p) || p.Status < 400 || p.Status > 422 {
				t.Fatalf("decode: %v, want a problem of the sender's", err)
			}
			return
		}
		o.Complete()
		if faults := o.Validate(4, ""); len(faults) > 0 {
			for _, f := range faults {
				if f.Pointer == "" || f.Pointer[0] != '/' || f.Detail == "" {
					t.Fatalf("fault %+v names nothing", f)
				}
			}
			return
		}
		if total := o.Total(); total < 0 || total > sale.MaxTotal {
			t.Fatalf("total of a valid order is %d", total)
		}
		encoded := o.Encode()
		var again sale.Order
		if err := api.DecodeBytes(encoded, &again); err != nil {
			t.Fatalf("decode %s: %v", encoded, err)
		}
		again.Complete()
		if diff := cmp.Diff(&o, &again); diff != "" {
			t.Fatalf("encoded and decoded (-first +second):\n%s", diff)
		}
		if second := again.Encode(); !bytes.Equal(encoded, second) || sale.Hash(encoded) != sale.Hash(second) {
			t.Fatalf("the same order has two forms:\n%s\n%s", encoded, second)
		}
	})
}
