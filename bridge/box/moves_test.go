package box

import (
	"net/http"
	"testing"

	"aboyeur/simulate/dinner"
)

// Guests who move, or whose table becomes one with another, take their tickets along; a bill that is split makes no ticket
// (docs/screens.md F13).
func TestF13TicketsFollowTheTable(t *testing.T) {
	r := newRig(t)
	r.start()
	type check struct{ ID string }
	post := func(path string, body any) (c check) {
		t.Helper()
		if status, err := r.call(http.MethodPost, path, body, &c); err != nil || status/100 != 2 {
			t.Fatalf("POST %s: %d %v", path, status, err)
		}
		return c
	}
	line := `{"lines":[{"name":"Magret","quantity":1,"price":100},{"name":"Frites","quantity":1,"price":100}]}`
	first := post("/v1/checks", `{"tables":["12"],"covers":2}`)
	post("/v1/checks/"+first.ID+"/lines", line)
	id := r.place(dinner.Order{Source: "rig", SourceOrderID: "F13", Service: "dine_in", Table: "12", Currency: "EUR",
		Lines: []dinner.Line{{SKU: "M", Name: "Magret", Category: "Mains", Quantity: 1, Price: 100}}}).ID
	other := r.place(dinner.Order{Source: "rig", SourceOrderID: "F13b", Service: "dine_in", Table: "3", Currency: "EUR",
		Lines: []dinner.Line{{SKU: "M", Name: "Magret", Category: "Mains", Quantity: 1, Price: 100}}}).ID
	table := func(id string) (at string, tickets int) {
		t.Helper()
		var v struct {
			Table   string
			Tickets []struct{ Kind string }
		}
		if status, err := r.call(http.MethodGet, "/v1/orders/"+id, nil, &v); err != nil || status != http.StatusOK {
			t.Fatalf("GET order: %d %v", status, err)
		}
		for _, k := range v.Tickets {
			if k.Kind == "order" {
				tickets++
			}
		}
		return v.Table, tickets
	}
	post("/v1/checks/"+first.ID+"/split", `{"lines":[1]}`)
	if at, tickets := table(id); at != "12" || tickets != 1 {
		t.Errorf("after the bill was split the order is at %s with %d tickets, want 12 and 1", at, tickets)
	}
	post("/v1/checks/"+first.ID+"/move", `{"tables":["14"]}`)
	if at, _ := table(id); at != "12" {
		t.Errorf("the food went to %s with one of two checks of its table", at)
	}

	alone := post("/v1/checks", `{"tables":["3"]}`)
	post("/v1/checks/"+alone.ID+"/move", `{"tables":["5"]}`)
	if at, tickets := table(other); at != "5" || tickets != 1 {
		t.Errorf("after the move the order is at %s with %d tickets, want 5 and 1", at, tickets)
	}
	post("/v1/checks/"+alone.ID+"/merge", `{"into":"`+first.ID+`"}`)
	if at, _ := table(other); at != "14" {
		t.Errorf("after the merge the order is at %s, want 14", at)
	}
}

// What a guest at a table ordered and paid online opens a check that nobody has to close; with a drink on it, somebody has to.
func TestPrepaidOrderAtATableClosesItsCheck(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	e.open()
	place := func(id, table string) string {
		return e.place(dinner.Order{Source: "rig", SourceOrderID: id, Service: "dine_in", Table: table, Currency: "EUR", Payments: []dinner.Payment{{Method: "prepaid", Amount: 1800}},
			Lines: []dinner.Line{{SKU: "M", Name: "Magret", Category: "Mains", Quantity: 1, Price: 1800}}}).ID
	}
	alone, thirsty := place("P1", "1"), place("P2", "2")
	at := map[string]billView{}
	for _, c := range e.openChecks() {
		at[c.Tables[0]] = c
	}
	if len(at) != 2 || at["1"].Balance != 0 || at["2"].Paid != 1800 {
		t.Fatalf("the checks are %+v", at)
	}
	e.order(at["2"].ID, "Drinks")
	for _, id := range []string{alone, thirsty} {
		e.do(http.MethodPost, "/v1/orders/"+id+"/handed-over", nil, nil)
	}
	if open := e.openChecks(); len(open) != 1 || open[0].ID != at["2"].ID || open[0].Balance != 2000 {
		t.Errorf("open are %+v", open)
	}
	if c := e.check(at["1"].ID); c.State != "closed" || c.Paid != 1800 {
		t.Errorf("the check of the prepaid order is %+v", c)
	}
	e.do(http.MethodPost, "/v1/orders/"+alone+"/take-back", nil, nil)
	if c := e.check(at["1"].ID); c.State != "open" {
		t.Errorf("taken back, it is %s", c.State)
	}
	e.do(http.MethodPost, "/v1/orders/"+alone+"/handed-over", nil, nil)
	if c := e.check(at["1"].ID); c.State != "closed" {
		t.Errorf("handed over again, it is %s", c.State)
	}
}
