package folio

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aboyeur/bridge/words"
	"aboyeur/simulate/opera"
)

func TestChargeARoom(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	r := charge(2350, "1234")
	r.Tip, r.Subtotals = 200, []Item{{"food", 1800}, {"drinks", 600}}
	r.Discounts, r.Taxes, r.ServiceCharge = []Item{{"food", -350}}, []Item{{"drinks", 50}}, 50
	p := h.place(waiter, "k1", r)
	if p.State != Posted || p.Reason != "" || p.Number == 0 || !strings.Contains(p.AnswerText, "4711") {
		t.Fatalf("posting = %+v", p)
	}
	book := h.ledger()
	if len(book) != 1 {
		t.Fatalf("the hotel booked %d postings", len(book))
	}
	b := book[0]
	if b.Room != "2781" || b.Reservation != "12345" || b.Total != 2350 || b.Tip != 200 || b.Subtotals[0] != 1800 || b.Subtotals[1] != 600 ||
		b.Discounts[0] != -350 || b.Taxes[1] != 50 || b.Check != "1234" || b.Covers != 2 || b.Outlet != "1" || b.Table != "12" || b.Waiter != "7" ||
		b.Workstation != "T1" || b.Number != p.Number || b.Method != "ROOM" {
		t.Errorf("booked %+v", b)
	}
	var events []string
	for _, s := range h.get(p).Timeline {
		events = append(events, s.Event)
	}
	if got := strings.Join(events, " "); got != "received sending posted" {
		t.Errorf("time line %q", got)
	}
	for _, remark := range h.sim.Remarks() {
		t.Errorf("the hotel remarks: %s %s", remark.Code, remark.Text)
	}
	if got := h.scrape("aboyeur_pms_postings_total"); got != "posted 1, refused 0, resolved 0, unknown 0" {
		t.Errorf("postings_total: %s", got)
	}
	if got := h.scrape("aboyeur_pms_link_up"); got != "1" {
		t.Errorf("link_up: %s", got)
	}
	if got := h.scrape("aboyeur_pms_answer_seconds"); got != "1" {
		t.Errorf("answer_seconds: %s", got)
	}
}

// One key, one posting; another key, another.
func TestTheSameKeyChargesOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	first := h.place(till, "k", charge(1000, "1"))
	again, known, err := h.s.Place(t.Context(), till, "k", Order{Request: charge(1000, "1"), Wait: time.Second})
	if err != nil || !known || again.ID != first.ID {
		t.Errorf("repeat = %v %v %v", again.ID, known, err)
	}
	if _, _, err := h.s.Place(t.Context(), till, "k", Order{Request: charge(1001, "1")}); !errors.Is(err, ErrOther) {
		t.Errorf("other content under the key: %v", err)
	}
	second := h.place(till, "k2", charge(1000, "1"))
	if second.ID == first.ID || len(h.ledger()) != 2 {
		t.Errorf("another key made %d postings", len(h.ledger()))
	}
	if first.Stamp != second.Stamp {
		t.Errorf("parts of one check carry %v and %v", first.Stamp, second.Stamp)
	}
	if b := h.ledger(); b[0].Date != b[1].Date || b[0].Time != b[1].Time {
		t.Errorf("the hotel got %s %s and %s %s", b[0].Date, b[0].Time, b[1].Date, b[1].Time)
	}
}

func TestWhoCannotBeCharged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	for _, c := range []struct {
		name          string
		by            string
		change        func(*Request)
		state, reason string
	}{
		{"no-post", "staff", func(r *Request) { r.Reservation = "12381" }, Refused, "np"},
		{"no-post, by a manager", "manager", func(r *Request) { r.Reservation, r.Manager = "12381", true }, Refused, "np"},
		{"another room's reservation", "staff", func(r *Request) { r.Room = "101" }, Refused, "ng"},
		{"nobody's reservation", "staff", func(r *Request) { r.Reservation = "99999" }, Refused, "ng"},
		{"an empty room", "staff", func(r *Request) { r.Room = "102x" }, Refused, "ng"},
		{"over the limit", "staff", func(r *Request) { r.Amount = new(int64(50001)); r.Subtotals[0].Amount = 50001 }, Refused, "limit"},
		// Not refused here: the hotel, which counts the tip, decides.
		{"the tip does not count", "staff", func(r *Request) { r.Amount, r.Tip = new(int64(50100)), 100; r.Subtotals[0].Amount = 50000 }, Refused, "co"},
		{"balance counts", "staff", func(r *Request) {
			r.Room, r.Reservation, r.Amount, r.Subtotals = "205", "24316", new(int64(1001)), []Item{{"food", 1001}}
		}, Refused, "limit"},
		{"over the limit, by a manager", "manager", func(r *Request) { r.Manager = true; r.Amount = new(int64(90001)); r.Subtotals[0].Amount = 90001 }, Posted, ""},
		{"not allowed for the guest", "staff", func(r *Request) { r.Room, r.Reservation = "305", "24324" }, Refused, "fx"},
		{"denied", "staff", func(r *Request) { r.Room, r.Reservation = "306", "24325" }, Refused, "dn"},
		{"a paymaster", "staff", func(r *Request) { r.Room, r.Reservation = "9001", "90001" }, Posted, ""},
		{"an account", "staff", func(r *Request) { r.Room, r.Reservation = "AR1001", "account:AR1001" }, Posted, ""},
	} {
		r := charge(1500, "7")
		c.change(&r)
		by := waiter
		if c.by == "manager" {
			by = manager
		}
		before := len(h.ledger())
		p := h.place(by, c.name, r)
		if p.State != c.state || p.Reason != c.reason {
			t.Errorf("%s: %s %q, want %s %q", c.name, p.State, p.Reason, c.state, c.reason)
		}
		if booked := len(h.ledger()) - before; booked != 0 != (c.state == Posted) {
			t.Errorf("%s: the hotel booked %d", c.name, booked)
		}
	}
	r := charge(1500, "7")
	r.Manager = true
	if _, _, err := h.s.Place(t.Context(), waiter, "m", Order{Request: r}); err == nil || !strings.Contains(err.Error(), "manager") {
		t.Errorf("a waiter who says manager: %v", err)
	}
	audit, err := h.journal.AuditLog(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	noted := 0
	for _, e := range audit {
		if e.Act == "pms_override" && e.By == "Nadia" && e.Role == "manager" && strings.Contains(e.Detail, "900.01 EUR") {
			noted++
		}
	}
	if noted != 1 {
		t.Errorf("the override stands %d times in the audit log: %+v", noted, audit)
	}
}

// Every answer status has a state, a sentence of at most 50 characters in both languages, and one rule for the queue.
func TestAnswerStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, state, reason string
		again                 bool
	}{
		{"OK", Posted, "", false}, {"NG", Refused, "ng", false}, {"NP", Refused, "np", false}, {"CO", Refused, "co", false}, {"DM", Refused, "dm", false},
		{"IA", Refused, "ia", false}, {"FX", Refused, "fx", false}, {"NA", Refused, "na", true}, {"RY", Refused, "ry", true}, {"UR", Refused, "ur", false},
		{"DN", Refused, "dn", false}, {"BM", Refused, "bm", false},
	} {
		t.Run(c.status, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, opera.Config{})
			if c.status != "OK" {
				h.inject(opera.Fault{Kind: opera.Refused, On: opera.OnPosting, Status: opera.Status(c.status), Text: "NO", Count: 1})
			}
			p := h.place(waiter, "k", charge(1000, "5"))
			if p.State != c.state || p.Reason != c.reason {
				t.Errorf("%s: %s %q, want %s %q", c.status, p.State, p.Reason, c.state, c.reason)
			}
			if c.status != "OK" && p.Message == "" {
				t.Errorf("%s has no message", c.status)
			}
			// In the queue: tried again only where nothing was booked and the hotel wants it.
			h.inject(opera.Fault{Kind: opera.Refused, On: opera.OnPosting, Status: opera.Status(c.status), Count: 1})
			if c.status == "OK" {
				if err := h.sim.Lift(opera.Refused); err != nil {
					t.Fatal(err)
				}
			}
			r := charge(1000, "6")
			r.Queue = true
			q, _, err := h.s.Place(t.Context(), waiter, "q", Order{Request: r})
			if err != nil {
				t.Fatal(err)
			}
			want := c.state
			if c.again {
				want = Posted
				h.wait("the first answer", func() bool { return h.get(q).Attempts == 1 && h.get(q).State == Queued })
				h.set(h.now().Add(time.Minute))
				h.s.stir()
			}
			done := h.becomes(q, want)
			if attempts := map[bool]int{true: 2, false: 1}[c.again]; done.Attempts != attempts {
				t.Errorf("%s: %d attempts, want %d", c.status, done.Attempts, attempts)
			}
		})
	}
	for _, lang := range words.Languages() {
		c := words.In(lang)
		for _, key := range c.Keys() {
			if strings.HasPrefix(key, "refusal.") && utf8.RuneCountInString(c.T(key)) > 50 {
				t.Errorf("%s %s is longer than 50 characters: %q", lang, key, c.T(key))
			}
		}
		for _, status := range []string{"ng", "np", "co", "dm", "ia", "fx", "na", "ry", "ur", "dn", LinkDown, OverCap, "unknown", "general"} {
			if !c.Has("refusal." + status) {
				t.Errorf("%s has no words for %s", lang, status)
			}
		}
	}
}

func TestFaultsOfARequest(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	for _, c := range []struct {
		name, pointer string
		change        func(*Request)
	}{
		{"no room", "/room", func(r *Request) { r.Room = "" }},
		{"no reservation", "/reservation", func(r *Request) { r.Reservation = " " }},
		{"no guest", "/guest", func(r *Request) { r.Guest = "" }},
		{"no amount", "/amount", func(r *Request) { r.Amount = nil }},
		{"amount below zero", "/amount", func(r *Request) { r.Amount = new(int64(-5)) }},
		{"too large", "/amount", func(r *Request) { r.Amount = new(int64(1e15)) }},
		{"does not add up", "/amount", func(r *Request) { r.Subtotals[0].Amount = 999 }},
		{"other currency", "/currency", func(r *Request) { r.Currency = "USD" }},
		{"no currency", "/currency", func(r *Request) { r.Currency = "" }},
		{"no check", "/check", func(r *Request) { r.Check = "" }},
		{"check of letters", "/check", func(r *Request) { r.Check = "A1" }},
		{"check too long", "/check", func(r *Request) { r.Check = "123456789" }},
		{"check zero", "/check", func(r *Request) { r.Check = "00" }},
		{"unknown outlet", "/outlet", func(r *Request) { r.Outlet = "spa" }},
		{"bar in a text", "/guest", func(r *Request) { r.Guest = "a|b" }},
		{"control character", "/room", func(r *Request) { r.Room = "1\x02" }},
		{"tip above the amount", "/tip", func(r *Request) { r.Tip = 2000 }},
		{"discount above zero", "/discounts/0/amount", func(r *Request) { r.Discounts = []Item{{"food", 5}} }},
		{"tax below zero", "/taxes/0/amount", func(r *Request) { r.Taxes = []Item{{"food", -5}} }},
		{"a guest pays by card", "/method", func(r *Request) { r.Method = "card" }},
		{"covers", "/covers", func(r *Request) { r.Covers = -1 }},
	} {
		r := charge(1000, "5")
		c.change(&r)
		status, v, _ := h.call(waiter, "POST", "/v1/pms/postings", r, "Idempotency-Key", c.name)
		if status != 422 {
			t.Errorf("%s: %d %v", c.name, status, v)
			continue
		}
		found := false
		for _, e := range v["errors"].([]any) {
			found = found || e.(map[string]any)["pointer"] == c.pointer
		}
		if !found {
			t.Errorf("%s: %v, want %s", c.name, v["errors"], c.pointer)
		}
	}
	if len(h.ledger()) != 0 {
		t.Errorf("bad requests made %d postings", len(h.ledger()))
	}
	if status, v, _ := h.call(waiter, "POST", "/v1/pms/postings", charge(1000, "5")); status != 400 || v["code"] != "idempotency_key_missing" {
		t.Errorf("without a key: %d %v", status, v)
	}
	if status, _, _ := h.call(waiter, "POST", "/v1/pms/postings?wait=5h", charge(1000, "5"), "Idempotency-Key", "k"); status != 422 {
		t.Errorf("wait of five hours: %d", status)
	}
}

// What the hotel does not answer is unknown, is never sent again, and a late answer ends it.
func TestUnknownAndLate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(func(c *Config) { c.AnswerTimeout = brief }))
	h.inject(opera.Fault{Kind: opera.AnswerLost, On: opera.OnPosting, Count: 1})
	lost := h.place(waiter, "lost", charge(1000, "1"))
	if lost.State != Unknown || lost.Message == "" || !h.warned("pms_postings_unknown") {
		t.Fatalf("after a lost answer: %+v", lost)
	}
	if got := h.scrape("aboyeur_pms_postings_unknown"); got != "1" {
		t.Errorf("unknown: %s", got)
	}
	h.inject(opera.Fault{Kind: opera.AnswerDelayed, On: opera.OnPosting, Count: 1, Delay: opera.Duration(3 * brief)})
	late := h.place(waiter, "late", charge(1100, "2"))
	if late.State != Unknown {
		t.Fatalf("before a late answer: %+v", late)
	}
	late = h.becomes(late, Posted)
	if late.Resolution == nil || late.Resolution.By != "late_answer" {
		t.Errorf("late answer: %+v", late.Resolution)
	}
	// The manager looks it up.
	if _, err := h.s.Resolve(t.Context(), manager, "", late.ID, Verdict{State: Posted}); !errors.Is(err, ErrState) {
		t.Errorf("resolving what is posted: %v", err)
	}
	status, v, _ := h.call(manager, "POST", "/v1/pms/postings/"+lost.ID.String()+"/resolve", Verdict{State: Posted, Note: "on the folio"})
	if status != 200 || v["state"] != Posted {
		t.Errorf("resolve: %d %v", status, v)
	}
	if status, _, _ := h.call(waiter, "POST", "/v1/pms/postings/"+lost.ID.String()+"/resolve", Verdict{State: Posted}); status != 403 {
		t.Errorf("a waiter resolves: %d", status)
	}
	h.wait("the warning to go", func() bool { return !h.warned("pms_postings_unknown") })
	// Kept until after a new connection.
	h.inject(opera.Fault{Kind: opera.AnswerNextLink, On: opera.OnPosting, Count: 1})
	next := h.place(waiter, "next", charge(1300, "4"))
	if next.State != Unknown {
		t.Fatalf("an answer kept: %+v", next)
	}
	h.inject(opera.Fault{Kind: opera.DropLink})
	h.becomes(next, Posted)
	// In time, and once more.
	h.config.AnswerTimeout = unhurried / 2
	h.restart()
	h.inject(opera.Fault{Kind: opera.AnswerDuplicated, On: opera.OnPosting, Count: 1})
	if p := h.place(waiter, "twice", charge(1200, "3")); p.State != Posted {
		t.Errorf("an answer that came twice: %s", p.State)
	}
	if n := len(h.ledger()); n != 4 {
		t.Errorf("the hotel booked %d postings, want 4", n)
	}
}

// A manager said refused, and the hotel says later that it booked: somebody must know.
func TestContradiction(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(func(c *Config) { c.AnswerTimeout = brief }))
	h.inject(opera.Fault{Kind: opera.AnswerDelayed, On: opera.OnPosting, Count: 1, Delay: opera.Duration(3 * brief)})
	p := h.place(waiter, "k", charge(1000, "1"))
	if p.State != Unknown {
		t.Fatalf("posting %+v", p)
	}
	if _, err := h.s.Resolve(t.Context(), manager, "r", p.ID, Verdict{State: Refused, Note: "not on the folio"}); err != nil {
		t.Fatal(err)
	}
	h.wait("the warning", func() bool { return h.warned("pms_contradiction") })
	if got := h.get(p); got.State != Refused || got.Resolution.By != "Nadia" {
		t.Errorf("posting %+v", got)
	}
}

func TestLinkDownAndNightAudit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	h.sim.StartAudit()
	h.wait("night audit", func() bool { return h.s.gate() == Audit })
	if p := h.place(waiter, "n", charge(1000, "1")); p.State != Refused || p.Reason != "na" {
		t.Errorf("at night: %+v", p)
	}
	r := charge(1100, "2")
	r.Queue = true
	queued, _, err := h.s.Place(t.Context(), waiter, "q", Order{Request: r})
	if err != nil || queued.State != Queued {
		t.Fatalf("queued at night: %+v %v", queued, err)
	}
	h.sim.EndAudit()
	h.becomes(queued, Posted)

	h.stopSim()
	h.wait("the link to fall", func() bool { return h.s.gate() == LinkDown })
	if p := h.place(waiter, "d", charge(1000, "3")); p.State != Refused || p.Reason != LinkDown || p.Message == "" {
		t.Errorf("link down: %+v", p)
	}
	if !h.warned("pms_link_down") || h.scrape("aboyeur_pms_link_up") != "0" {
		t.Error("nobody is told that the link is down")
	}
	status, v, _ := h.call(waiter, "GET", "/v1/pms/guests?q=2781", nil)
	extra, _ := v["extra"].(map[string]any)
	if status != 503 || v["code"] != "pms_link_down" || len(extra["guests"].([]any)) == 0 {
		t.Errorf("guests while the link is down: %d %v", status, v)
	}
	h.stopSim = func() {}
}

// A posting that waited when the box went down is refused, one that was on the wire is unknown, one in the queue goes on.
func TestRestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(func(c *Config) { c.AnswerTimeout = time.Minute }))
	h.inject(opera.Fault{Kind: opera.AnswerLost, On: opera.OnPosting, Count: 1})
	onWire, _, err := h.s.Place(t.Context(), waiter, "a", Order{Request: charge(1000, "1")})
	if err != nil {
		t.Fatal(err)
	}
	h.becomes(onWire, Sending)
	h.wait("the hotel's booking", func() bool { return len(h.ledger()) == 1 })
	h.inject(opera.Fault{Kind: opera.AnswerLost, On: opera.OnInquiry, Count: 1})
	waits, _, err := h.s.Place(t.Context(), waiter, "b", Order{Request: charge(1100, "2")})
	if err != nil {
		t.Fatal(err)
	}
	h.sim.StartAudit()
	h.wait("night audit", func() bool { return h.s.gate() == Audit })
	r := charge(1200, "3")
	r.Queue = true
	queued, _, err := h.s.Place(t.Context(), waiter, "c", Order{Request: r})
	if err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.sim.EndAudit()
	h.open()
	if got := h.becomes(onWire, Unknown); got.Number == 0 {
		t.Errorf("on the wire: %+v", got)
	}
	if got := h.get(waits); got.State != Refused || got.Reason != LinkDown {
		t.Errorf("waiting: %+v", got)
	}
	h.becomes(queued, Posted)
	if n := len(h.ledger()); n != 2 {
		t.Errorf("the hotel booked %d", n)
	}
}

func TestVoidAndRefund(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	r := charge(1000, "1")
	r.Tip, r.Subtotals = 100, []Item{{"food", 601}, {"drinks", 299}}
	p := h.place(waiter, "k", r)
	wait := unhurried
	refund := func(amount int64, key string) (Posting, error) {
		q, _, err := h.s.RefundPosting(t.Context(), manager, key, p.ID, Reversal{Amount: &amount}, wait)
		return q, err
	}
	if q, err := refund(333, "r1"); err != nil || q.State != Posted || *q.Amount != -333 || *q.Original != p.ID {
		t.Fatalf("refund: %+v %v", q, err)
	}
	if q, err := refund(333, "r1"); err != nil || len(h.ledger()) != 2 {
		t.Errorf("repeated refund: %+v %v", q, err)
	}
	if _, err := refund(668, "r2"); !errors.Is(err, ErrExceeds) {
		t.Errorf("refund of more than is left: %v", err)
	}
	if _, _, err := h.s.VoidPosting(t.Context(), manager, "", p.ID, Reversal{}, wait); !errors.Is(err, ErrState) {
		t.Errorf("void of a part: %v", err)
	}
	if q, _, err := h.s.RefundPosting(t.Context(), manager, "r3", p.ID, Reversal{}, wait); err != nil || *q.Amount != -667 {
		t.Errorf("refund of the rest: %+v %v", q, err)
	}
	var sum, food, drinks, tip opera.Amount
	for _, b := range h.ledger() {
		sum, tip = sum+b.Total, tip+b.Tip
		food += b.Subtotals[0]
		if len(b.Subtotals) > 1 {
			drinks += b.Subtotals[1]
		}
	}
	if sum != 0 || tip != 0 || food != 0 || drinks != 0 {
		t.Errorf("after all is refunded: total %d food %d drinks %d tip %d", sum, food, drinks, tip)
	}
	other := h.place(waiter, "o", charge(500, "2"))
	status, v, _ := h.call(manager, "POST", "/v1/pms/postings/"+other.ID.String()+"/void?wait=20s", nil)
	if status != 200 || v["state"] != Posted {
		t.Errorf("void: %d %v", status, v)
	}
	if status, v, _ := h.call(manager, "POST", "/v1/pms/postings/"+other.ID.String()+"/void", nil); status != 409 {
		t.Errorf("second void: %d %v", status, v)
	}
	if status, v, _ := h.call(manager, "POST", "/v1/pms/postings/"+other.ID.String()+"/refund", Reversal{Amount: new(int64(1))}); status != 409 {
		t.Errorf("refund of what is void: %d %v", status, v)
	}
	if status, _, _ := h.call(waiter, "POST", "/v1/pms/postings/"+other.ID.String()+"/void", nil); status != 403 {
		t.Errorf("a waiter voids: %d", status)
	}
	status, v, _ = h.call(manager, "GET", "/v1/pms/postings?kind=void", nil)
	if list := v["postings"].([]any); status != 200 || len(list) != 1 || list[0].(map[string]any)["original"] != other.ID.String() {
		t.Errorf("list of voids: %d %v", status, v)
	}
}

// Other payments are told without an inquiry, with their tip.
func TestTender(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{})
	p := h.place(till, "k", Request{Amount: new(int64(1100)), Tip: 100, Currency: "EUR", Check: "9", Method: "amex card"})
	if p.State != Posted || p.Kind != Tender {
		t.Fatalf("tender: %+v", p)
	}
	if b := h.ledger()[0]; b.Method != "AMEXC" || b.Tip != 100 || b.Kind != opera.OnMethod || b.Room != "" {
		t.Errorf("booked %+v", b)
	}
}

// P# goes on after the last number, and leaves out those of postings nobody knows the outcome of.
func TestNumbersWrap(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{}, with(func(c *Config) { c.AnswerTimeout = brief }))
	h.inject(opera.Fault{Kind: opera.AnswerLost, On: opera.OnPosting, Count: 1})
	lost := h.place(waiter, "lost", charge(100, "1"))
	h.stop()
	db := h.openFile()
	if _, err := db.Exec(`UPDATE posting_numbers SET reserved = 99999998`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	h.open()
	seen := map[int64]bool{}
	for range 5 {
		n, err := h.s.numbers.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == lost.Number || n < 1 || n > lastNumber || seen[n] {
			t.Errorf("number %d, the lost one is %d", n, lost.Number)
		}
		seen[n] = true
	}
	if !seen[lastNumber] || !seen[1] && lost.Number != 1 {
		t.Errorf("numbers around the end: %v", seen)
	}
}

// The XML dialect charges the same hotel.
func TestXMLPOS(t *testing.T) {
	t.Parallel()
	h := newHouse(t, opera.Config{Dialect: opera.XMLPOS}, speaking(xmlLink))
	r := charge(2350, "1234")
	r.Tip, r.Subtotals = 200, []Item{{"food", 1800}, {"drinks", 350}}
	if p := h.place(waiter, "k", r); p.State != Posted {
		t.Fatalf("posting %+v", p)
	}
	if b := h.ledger()[0]; b.Total != 2350 || b.Subtotals[1] != 350 || b.Tip != 200 || b.Reservation != "12345" {
		t.Errorf("booked %+v", b)
	}
	r = charge(100, "2")
	r.Reservation = "12381"
	if p := h.place(waiter, "np", r); p.Reason != "np" {
		t.Errorf("no-post: %+v", p)
	}
	if p := h.place(till, "t", Request{Amount: new(int64(100)), Currency: "EUR", Check: "9", Method: "cash"}); p.State != Posted {
		t.Errorf("tender: %+v", p)
	}
	p := h.place(waiter, "v", charge(500, "3"))
	if v, _, err := h.s.VoidPosting(t.Context(), manager, "", p.ID, Reversal{}, unhurried); err != nil || v.State != Posted {
		t.Errorf("void: %+v %v", v, err)
	}
	h.inject(opera.Fault{Kind: opera.Cut, On: opera.OnPosting, When: opera.WhenAnswer, Count: 1})
	if p := h.place(waiter, "u", charge(700, "4")); p.State != Unknown {
		t.Errorf("after a cut: %+v", p)
	}
}
