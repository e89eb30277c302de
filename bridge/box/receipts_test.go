package box

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/receipt"
	"aboyeur/simulate/printer"
)

// picture gets a picture that must be one.
func (r *rig) picture(path string) {
	r.t.Helper()
	if b := r.fetch(path); !bytes.HasPrefix(b, []byte("\x89PNG")) {
		r.t.Errorf("GET %s: no picture in %d bytes", path, len(b))
	}
}

// printed waits until so many pieces of paper hang out of a printer and gives the latest.
func (r *rig) printed(name string, n int) printer.Ticket {
	r.t.Helper()
	r.wait("the paper is out", func() bool { return len(r.printers[name].Tickets()) >= n })
	all := r.printers[name].Tickets()
	if len(all) != n {
		r.t.Fatalf("%d pieces of paper, want %d; the last:\n%s", len(all), n, all[len(all)-1].Text)
	}
	return all[n-1]
}

// TestBillAndReceipt is a table that eats, asks for the bill, pays in cash and wants a receipt: each further print says
// that it is a copy, and the drawer opens once.
func TestBillAndReceipt(t *testing.T) {
	r := newRig(t)
	r.start()
	var c struct {
		ID      string
		Balance int64
	}
	r.must(http.StatusCreated, http.MethodPost, "/v1/checks", `{"tables":["12"],"covers":2,"staff":"Zoé"}`, &c)
	check := "/v1/checks/" + c.ID
	r.must(http.StatusOK, http.MethodPost, check+"/lines", `{"lines":[{"name":"Menu du marché","quantity":2,"price":3900,"modifiers":[{"name":"sans gluten"}]},{"name":"Morgon","category":"Drinks","quantity":1,"price":2450}]}`, nil)
	r.must(http.StatusOK, http.MethodPost, check+"/bill", nil, nil)
	has := func(what, text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q:\n%s", what, w, text)
			}
		}
	}
	bill := r.printed("bar", 1).Text
	has("bill", bill, "BILL", "Brasserie Bellevue", "12 rue de la Paix", "SIRET 123", "2 Menu du marché", "sans gluten", "78.00", "102.50", "of which VAT 10 %", "7.09", "of which VAT 20 %", "4.08", "Service compris")
	if strings.Contains(bill, "DUPLICATE") {
		t.Errorf("the first bill says it is a copy:\n%s", bill)
	}
	r.must(http.StatusOK, http.MethodPost, check+"/bill", nil, nil)
	has("second bill", r.printed("bar", 2).Text, "DUPLICATE 1", "102.50")
	r.must(http.StatusOK, http.MethodPost, check+"/lines", `{"lines":[{"name":"Café","quantity":1,"price":350}]}`, nil)
	r.must(http.StatusOK, http.MethodPost, check+"/bill", nil, nil)
	if text := r.printed("bar", 3).Text; strings.Contains(text, "DUPLICATE") || !strings.Contains(text, "106.00") {
		t.Errorf("a bill with another line is a bill of its own:\n%s", text)
	}
	r.picture(check + "/bill.png")

	r.must(http.StatusConflict, http.MethodPost, check+"/receipt", nil, nil)
	r.must(http.StatusOK, http.MethodPost, check+"/payments", `{"method":"cash","amount":10600}`, nil)
	r.must(http.StatusOK, http.MethodPost, check+"/close", nil, nil)
	var first, copied struct {
		Job  string
		Copy int
	}
	kicks := r.printers["bar"].State().DrawerKicks
	r.must(http.StatusAccepted, http.MethodPost, check+"/receipt", nil, &first)
	has("receipt", r.printed("bar", 4).Text, "Cash", "106.00", "Thank you")
	r.must(http.StatusAccepted, http.MethodPost, check+"/receipt", nil, &copied)
	has("second receipt", r.printed("bar", 5).Text, "DUPLICATE 1")
	if first.Copy != 0 || copied.Copy != 1 || first.Job == copied.Job {
		t.Errorf("first receipt %+v, second %+v", first, copied)
	}
	r.wait("the drawer opened", func() bool { return r.printers["bar"].State().DrawerKicks == kicks+1 })
	r.picture(check + "/receipt.png")
	r.picture("/v1/jobs/" + first.Job + "/preview.png")
	if jobs := r.jobs("printer=bar&limit=1"); jobs[0].Kind != "receipt" || jobs[0].Label != "1" {
		t.Errorf("job of the receipt is %+v", jobs[0])
	}
	r.must(http.StatusAccepted, http.MethodPost, "/v1/jobs/"+first.Job+"/reprint", nil, nil)
	has("receipt printed again from its job", r.printed("bar", 6).Text, "DUPLICATE 2")
	r.must(http.StatusAccepted, http.MethodPost, "/v1/printers/bar/test", `{"template":"receipt"}`, nil)
	has("example", r.printed("bar", 7).Text, "Crozes-Hermitage")
	r.must(http.StatusNotFound, http.MethodPost, "/v1/checks/01900000-0000-7000-8000-000000000000/receipt", nil, nil)
	for _, act := range []string{"receipt_printed", "job_reprinted"} {
		if r.audited(act) < 1 {
			t.Errorf("the audit log has no %s", act)
		}
	}
}

// TestReceiptOfUnknownOutcome: the line broke in the middle of a receipt. It is not printed again by itself; a person
// asks for it, and what comes says that it is a copy.
func TestReceiptOfUnknownOutcome(t *testing.T) {
	r := newRig(t)
	r.start()
	var c struct{ ID string }
	r.must(http.StatusCreated, http.MethodPost, "/v1/checks", `{"tables":["7"]}`, &c)
	check := "/v1/checks/" + c.ID
	r.must(http.StatusOK, http.MethodPost, check+"/lines", `{"lines":[{"name":"Huîtres","quantity":1,"price":2400}]}`, nil)
	r.must(http.StatusOK, http.MethodPost, check+"/payments", `{"method":"card","amount":2400}`, nil)
	r.inject("bar", printer.Fault{Kind: printer.PowerCycle, At: 150, For: printer.Duration(1)})
	var made struct{ Job string }
	r.must(http.StatusAccepted, http.MethodPost, check+"/receipt", nil, &made)
	r.wait("nobody knows", func() bool {
		jobs := r.jobs("printer=bar&state=unknown")
		return len(jobs) == 1 && jobs[0].ID == made.Job
	})
	r.wait("the printer is back", func() bool { return r.printer("bar").State == "ready" })
	r.drink("U0U") // what comes after it goes on
	r.wait("the drink is on paper", func() bool { plain, _ := r.papers("bar", "U0U"); return plain == 1 })
	if plain, banner := r.papers("bar", "Huîtres"); plain > 1 || banner != 0 {
		t.Errorf("the receipt was printed again by itself: %d and %d under a banner", plain, banner)
	}
	r.must(http.StatusAccepted, http.MethodPost, "/v1/jobs/"+made.Job+"/reprint", nil, nil)
	defer func() {
		if t.Failed() {
			t.Logf("jobs %+v", r.jobs(""))
			for _, p := range r.printers["bar"].Tickets() {
				t.Logf("%+v", p)
			}
		}
	}()
	r.wait("the copy is on paper", func() bool { _, copies := r.papers("bar", "DUPLICATE 1"); return copies == 1 })
	if jobs := r.jobs("printer=bar&state=superseded"); len(jobs) != 1 || jobs[0].ID != made.Job {
		t.Errorf("superseded jobs %+v, want the receipt of which nobody knew", jobs)
	}
}

// What the configuration takes for a template is one: both sides know the same fields and the same rules.
func TestTemplatesOfTheConfiguration(t *testing.T) {
	var all []firmwareconfig.ReceiptBlock
	all = append(all, firmwareconfig.ReceiptBlock{When: "copy", Text: "DUPLICATA {copy}"})
	for _, each := range []string{"", "lines", "taxes", "payments", "address", "header", "footer"} {
		for _, field := range append(firmwareconfig.ReceiptFields(each), firmwareconfig.ReceiptFields("")...) {
			all = append(all, firmwareconfig.ReceiptBlock{Each: each, When: field, Text: "{" + field + "} {{"})
		}
	}
	for ; len(all) > 1; all = append(all[:1:1], all[min(len(all), receipt.MaxBlocks):]...) {
		if err := templateOf(all[:min(len(all), receipt.MaxBlocks)]).Check(); err != nil {
			t.Fatal(err)
		}
	}
}
