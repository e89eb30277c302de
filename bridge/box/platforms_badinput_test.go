package box

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/aleno"
	"aboyeur/protocol/bepoz"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/generic"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/opentable"
	"aboyeur/protocol/resy"
	"aboyeur/protocol/sevenrooms"
	"aboyeur/protocol/thefork"
	simbepoz "aboyeur/simulate/bepoz"
	"aboyeur/simulate/bookings"
	simlightspeed "aboyeur/simulate/lightspeed"
)

// stranger is somebody who writes to the box in a platform's name, with that platform's own body and proof.
type stranger struct {
	name   string
	spec   wire.Spec
	encode func(w *wire.Wire, r *booking.Reservation) ([]byte, error)
	stamp  bool // the proof has a time in it
	words  bool // a word that nobody knows is kept without an effect; false: it is refused
	open   bool // each message asks for a check, whatever its status says
}

func strangers() []stranger {
	return []stranger{
		{name: "opentable", spec: opentable.Spec(), encode: opentable.Encode, stamp: true, words: true},
		{name: "sevenrooms", spec: sevenrooms.Spec(), encode: sevenrooms.Encode, stamp: true, words: true},
		{name: "resy", spec: resy.Spec(), encode: generic.EncodeEvent, stamp: true, words: true},
		{name: "thefork", spec: thefork.Spec(), encode: thefork.Encode, words: true, open: true},
		{name: "aleno", spec: aleno.Spec(), encode: generic.EncodeEvent, words: true},
		{name: "generic"},
	}
}

// refusedOne is a message that the console shows as refused.
type refusedOne struct {
	Status                           int
	Reason, Reservation, About, Hash string
}

// letter is one message on its way to the box.
type letter struct {
	method, path string
	body         []byte
	header       http.Header
}

// write makes a message of a reservation for a venue, signed with a secret at a time.
func (s *stranger) write(t *testing.T, venue, secret string, at time.Time, r booking.Reservation) letter {
	t.Helper()
	if s.spec.Name == "" {
		word := strings.ToUpper(string(r.Status))
		if r.Word != "" {
			word = r.Word
		}
		body, err := json.Marshal(generic.FromBooking(&r, word))
		if err != nil {
			t.Fatal(err)
		}
		return letter{http.MethodPut, "/v1/platforms/generic/restaurants/" + venue + "/reservations/" + url.PathEscape(r.ID), body, http.Header{"Authorization": {"Bearer " + secret}}}
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	w, err := wire.New(s.spec, wire.Config{Base: "http://127.0.0.1", Venue: venue, WebhookSecret: []byte(secret), Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	body, err := s.encode(w, &r)
	if err != nil {
		t.Fatal(err)
	}
	l := letter{http.MethodPost, "/webhooks/" + s.name, body, http.Header{}}
	if l.prove(s, w, at); s.name == "thefork" {
		l.header.Set(w.Name("header.customer"), venue)
	}
	return l
}

func (l *letter) prove(s *stranger, w *wire.Wire, at time.Time) {
	if s.stamp {
		w.Seal().Sign(l.header, l.body, at)
		return
	}
	l.header.Set("Authorization", "Bearer "+string(w.WebhookSecret))
}

// post sends a message and gives the answer's status.
func (e *evening) post(l letter) int {
	e.t.Helper()
	q, err := http.NewRequestWithContext(e.t.Context(), l.method, e.base+l.path, strings.NewReader(string(l.body)))
	if err != nil {
		e.t.Fatal(err)
	}
	q.Header = l.header.Clone()
	if q.Header == nil {
		q.Header = http.Header{}
	}
	q.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		e.t.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}

// shown waits until the console shows a message as refused with a status and a reason that has part in it.
func (e *evening) shown(path string, status int, part string) {
	e.t.Helper()
	e.wait(fmt.Sprintf("%s shows %d %q", path, status, part), func() bool {
		var list struct{ Rejected []refusedOne }
		e.do(http.MethodGet, path, nil, &list)
		return slices.ContainsFunc(list.Rejected, func(m refusedOne) bool {
			return m.Status == status && strings.Contains(m.Reason, part) && (status != 401 || m.Hash == "" && m.Reservation+m.About == "")
		})
	})
}

// What a platform must not get away with, for each of the six over HTTP: it is refused or kept with its cause, the console shows
// it, and nothing is guessed.
func TestBadMessagesOfEveryPlatform(t *testing.T) {
	t.Parallel()
	all := strangers()
	var names []string
	for _, s := range all {
		names = append(names, s.name)
	}
	e := newEvening(t, names...)
	e.open()
	if status := e.post(letter{method: http.MethodPost, path: "/webhooks/nobody", body: []byte(`{}`)}); status != http.StatusNotFound {
		t.Errorf("a platform that nobody knows: %d", status)
	}
	if status := e.post(letter{method: http.MethodPut, path: "/v1/platforms/nobody/restaurants/1/reservations/R", body: []byte(`{}`), header: http.Header{"Authorization": {"Bearer " + e.token}}}); status != http.StatusNotFound {
		t.Errorf("a platform that nobody knows, with a token: %d", status)
	}
	if status := e.post(letter{method: http.MethodPost, path: "/webhooks/opentable/99999", body: []byte(`{}`)}); status != http.StatusNotFound {
		t.Errorf("another restaurant's address: %d", status)
	}
	for i := range all {
		s := &all[i]
		t.Run(s.name, func(t *testing.T) {
			was := e.t
			e.t = t
			defer func() { e.t = was }()
			e.strange(t, s)
		})
	}
	if list := e.openChecks(); len(list) != len(all) {
		t.Errorf("%d checks are open, want the one of each platform's good party", len(list))
	}
}

func (e *evening) strange(t *testing.T, s *stranger) {
	secret, console := bookings.DefaultHook, "/v1/integrations/"+s.name+"/rejected"
	if s.spec.Name == "" {
		secret = e.token
	}
	shown := []refusedOne{} // what the console has to show in the end: it is written a moment after the answer
	shows := func(status int, reason string) { shown = append(shown, refusedOne{Status: status, Reason: reason}) }
	table := houseTables[slices.IndexFunc(strangers(), func(o stranger) bool { return o.name == s.name })]
	day, now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC), time.Now()
	updated := now.UTC().Truncate(time.Second)
	party := func(id string) booking.Reservation {
		return booking.Reservation{ID: s.name + "-" + id, Sequence: 5, UpdatedAt: updated, ScheduledAt: day, PartySize: 2, Status: booking.Seated, Stage: booking.AtTable, Tables: []string{table},
			Guest: booking.Guest{ID: "G1", FirstName: "Zoé", LastName: "Lambert"}}
	}
	write := func(r booking.Reservation) letter { return s.write(t, bookings.DefaultVenue, secret, now, r) }
	want := func(what string, l letter, status int) {
		t.Helper()
		if got := e.post(l); got != status && (status != 0 || got/100 != 2) { // 0: taken
			t.Errorf("%s: %d, want %d", what, got, status)
		}
	}

	// Not signed, signed with another secret, over another body, too long ago.
	r := party("unsigned")
	l := write(r)
	l.header.Del("Authorization")
	for name := range l.header {
		if strings.Contains(name, "Signature") {
			l.header.Del(name)
		}
	}
	want("not signed", l, http.StatusUnauthorized)
	want("another's secret", s.write(t, bookings.DefaultVenue, "not-the-secret-of-this-venue", now, r), http.StatusUnauthorized)
	if s.stamp {
		l = write(r)
		l.body = append(slices.Clone(l.body), ' ')
		want("another body", l, http.StatusUnauthorized)
		want("played back after an hour", s.write(t, bookings.DefaultVenue, secret, now.Add(-time.Hour), r), http.StatusUnauthorized)
	}
	if s.spec.Name != "" {
		shows(http.StatusUnauthorized, "")
	}
	want("another restaurant", s.write(t, "99999", secret, now, r), http.StatusNotFound)
	shows(http.StatusNotFound, "venue")
	l = write(r)
	l.body = []byte(strings.Repeat(" ", 2<<20))
	want("two megabytes", l, http.StatusRequestEntityTooLarge)
	shows(http.StatusRequestEntityTooLarge, "1 MiB")
	if got := e.entry(r.ID); got.ID != "" {
		t.Errorf("a message that nobody took left %+v", got)
	}

	// Nonsense within a good frame.
	for _, c := range []struct {
		what   string
		change func(r *booking.Reservation)
		text   [2]string // replaced in the body
		part   string    // of the cause
	}{
		{"a party below zero", func(r *booking.Reservation) { r.PartySize = -3 }, [2]string{}, "-3"},
		{"a party of 100,000", func(r *booking.Reservation) { r.PartySize = 100_000 }, [2]string{}, "100000"},
		{"a day that is none", nil, [2]string{"2026-11-21", "2026-13-41"}, "2026-13-41"},
		{"a day of 1899", func(r *booking.Reservation) { r.ScheduledAt = day.AddDate(-127, 0, 0) }, [2]string{}, "1899"},
		{"a day of 9999", func(r *booking.Reservation) { r.ScheduledAt = day.AddDate(7973, 0, 0) }, [2]string{}, "century"},
		{"a table whose name turns around", func(r *booking.Reservation) { r.Tables = []string{"1\u202e2"} }, [2]string{}, "control characters"},
		{"a table with an escape", func(r *booking.Reservation) { r.Tables = []string{"1\x1b[2J"} }, [2]string{}, "control characters"},
		{"two hundred tables", func(r *booking.Reservation) {
			for n := range 200 {
				r.Tables = append(r.Tables, fmt.Sprint("T", n))
			}
		}, [2]string{}, "tables"},
		{"an id with a line end", func(r *booking.Reservation) { r.ID = "a\nb" }, [2]string{}, ""},
		{"a body that ends too early", nil, [2]string{"}", ""}, ""},
	} {
		r := party("nonsense")
		if c.change != nil {
			c.change(&r)
		}
		l := write(r)
		if c.text[0] != "" {
			body := strings.Replace(string(l.body), c.text[0], c.text[1], 1)
			if body == string(l.body) {
				t.Fatalf("%q is not in %s", c.text[0], body)
			}
			l.body = []byte(body)
			if s.stamp {
				w, err := wire.New(s.spec, wire.Config{Base: "http://127.0.0.1", Venue: bookings.DefaultVenue, WebhookSecret: []byte(secret)})
				if err != nil {
					t.Fatal(err)
				}
				l.prove(s, w, now)
			}
		}
		want(c.what, l, http.StatusUnprocessableEntity)
		shows(http.StatusUnprocessableEntity, c.part)
	}
	if got := e.entry(s.name + "-nonsense"); got.ID != "" {
		t.Errorf("nonsense left %+v", got)
	}

	// A word that nobody knows changes nothing and is warned of, or is refused by name.
	r = party("word")
	r.Word, r.Tables = "Teleported", nil
	if !s.words {
		want("an unknown status", write(r), http.StatusUnprocessableEntity)
		shows(http.StatusUnprocessableEntity, "Teleported")
	} else {
		want("an unknown status", write(r), 0)
		e.wait("the word is warned of", func() bool { return e.warnedOf("platform_word", s.name, "Teleported") })
		state := "none"
		if s.open {
			state = "failed" // TheFork calls for no other reason than that somebody sits, and this party has no table
		}
		if got := e.entry(r.ID); got.State != "scheduled" || got.OrderState != state || len(got.Checks) != 0 {
			t.Errorf("a word that nobody knows makes it %+v", got)
		}
	}
	// A table that the floor has not.
	r = party("table")
	r.Tables = []string{"99"}
	want("an unknown table", write(r), 0)
	if got := e.entry(r.ID); got.OrderState != "failed" || got.Problem != "invalid_table" || !strings.Contains(got.Detail, "99") || got.Remedy == "" || len(got.Checks) != 0 {
		t.Errorf("at a table that nobody knows: %+v", got)
	}
	// Names are shown as they read.
	r = party("name")
	r.Status, r.Stage, r.Tables = booking.Scheduled, "", nil
	if s.open {
		r.Status = booking.Cancelled // any status that opens nothing
	}
	r.Guest.FirstName, r.Notes = "Zo\x1b[2Jé\u202e\u2066", "a\x07b"
	want("a name that steers", write(r), 0)
	if got := e.entry(r.ID); got.Guest != "Zo [2Jé Lambert" {
		t.Errorf("the guest is %q", got.Guest)
	}
	// The same again, and an older word after a newer one.
	r = party("good")
	good := write(r)
	want("a good message", good, 0)
	first := e.entry(r.ID)
	want("the same again", good, 0)
	old := r
	old.Sequence, old.UpdatedAt, old.PartySize, old.Tables = 4, updated.Add(-time.Minute), 7, []string{"8"}
	want("an older word", write(old), 0)
	got := e.entry(r.ID)
	if got.OrderState != "open" || got.Covers != 2 || !slices.Equal(got.Tables, []string{table}) || len(got.Checks) != 1 || !slices.Equal(got.Checks, first.Checks) {
		t.Errorf("after a replay and an old word it is %+v", got)
	}
	stale := 0
	for _, step := range got.Timeline {
		if step.Event == "stale" {
			stale++
		}
	}
	if len(got.Timeline) != len(first.Timeline)+1 || stale != 1 {
		t.Errorf("the history is %+v, before that %+v", got.Timeline, first.Timeline)
	}
	for _, m := range shown {
		e.shown(console, m.Status, m.Reason)
	}
}

// warnedOf tells whether a warning about a subject stands that has part in its text.
func (e *evening) warnedOf(code, subject, part string) bool {
	e.t.Helper()
	var list struct {
		Warnings []struct{ Code, Subject, Text, Remedy string }
	}
	e.do(http.MethodGet, "/v1/warnings", nil, &list)
	for _, w := range list.Warnings {
		if w.Code == code && w.Subject == subject && strings.Contains(w.Text, part) && w.Remedy != "" {
			return true
		}
	}
	return false
}

// What a Lightspeed K till, or somebody in its name, must not get away with.
func TestBadNotificationsOfLightspeedK(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	sim := lightspeedK(t, e.config)
	e.config.POS.Checks = "pos"
	e.open()
	const console = "/v1/pos/rejected"
	shown := []refusedOne{} // what the console has to show in the end: it is written a moment after the answer
	shows := func(status int, reason string) { shown = append(shown, refusedOne{Status: status, Reason: reason}) }
	send := func(user, password, body string) int {
		t.Helper()
		l := letter{http.MethodPost, "/webhooks/lightspeed", []byte(body), http.Header{}}
		if user != "" {
			q := http.Request{Header: l.header}
			q.SetBasicAuth(user, password)
		}
		return e.post(l)
	}
	signed := func(body string) int { return send(simlightspeed.DefaultUser, simlightspeed.DefaultPassword, body) }
	check := func(id, part string) string {
		return fmt.Sprintf(`{"type":"ORDER","status":"CHECK_WAS_UPDATED","businessLocationId":%q,"ikentooAccountIdentifier":%q,"account":{"accountIdentifier":%[2]q,"tableNumber":7,"clientCount":2,"currentAmount":"10.00","salesEntries":[{"sku":"ST-1","itemName":"Soupe","quantity":1,"amountWithTax":"10.00"}]%s}}`,
			simlightspeed.DefaultLocation, id, part)
	}
	for _, c := range []struct{ what, user, password string }{{"not signed", "", ""}, {"another password", simlightspeed.DefaultUser, "x"}, {"another user", "x", simlightspeed.DefaultPassword}} {
		if status := send(c.user, c.password, check("A1.77", "")); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", c.what, status)
		}
	}
	shows(http.StatusUnauthorized, "")
	e.wait("it is warned of", func() bool { return e.warnedOf("pos_signature", "lightspeed-k", "Lightspeed K") })
	for _, c := range []struct {
		what, body, part string
		status           int
	}{
		{"another location", strings.Replace(check("A1.77", ""), `"77"`, `"78"`, 1), "78", http.StatusNotFound},
		{"two megabytes", strings.Repeat(" ", 2<<20), "1 MiB", http.StatusRequestEntityTooLarge},
		{"no JSON", `{"status":`, "makes no sense", http.StatusUnprocessableEntity},
		{"no status", strings.Replace(check("A1.77", ""), "CHECK_WAS_UPDATED", "", 1), "/status", http.StatusUnprocessableEntity},
		{"of nothing", `{"type":"ORDER","status":"SUCCESS"}`, "what this is about", http.StatusUnprocessableEntity},
		{"an amount that is none", strings.Replace(check("A1.77", ""), `"10.00"`, `"ten"`, 1), "ten", http.StatusUnprocessableEntity},
		{"an amount beyond reason", strings.Replace(check("A1.77", ""), `"10.00"`, `"99999999999999999999"`, 1), "9999", http.StatusUnprocessableEntity},
		{"a time that is none", check("A1.77", `,"openDate":"noon"`), "openDate", http.StatusUnprocessableEntity},
		{"guests below zero", strings.Replace(check("A1.77", ""), `"clientCount":2`, `"clientCount":-2`, 1), "clientCount", http.StatusUnprocessableEntity},
		{"100,000 guests", strings.Replace(check("A1.77", ""), `"clientCount":2`, `"clientCount":100000`, 1), "clientCount", http.StatusUnprocessableEntity},
		{"a quantity beyond reason", strings.Replace(check("A1.77", ""), `"quantity":1`, `"quantity":1e12`, 1), "quantity", http.StatusUnprocessableEntity},
	} {
		if status := signed(c.body); status != c.status {
			t.Errorf("%s: %d, want %d", c.what, status, c.status)
		}
		shows(c.status, c.part)
	}
	if list := e.openChecks(); len(list) != 0 {
		t.Errorf("what was refused left %+v", list)
	}
	// A status that nobody knows, a table that the floor has not and a type of tomorrow change nothing.
	for _, body := range []string{
		strings.Replace(strings.Replace(check("", ""), "CHECK_WAS_UPDATED", "TELEPORTED", 1), `"tableNumber":7`, `"tableNumber":99`, 1),
		strings.Replace(check("A2.77", ""), `"tableNumber":7`, `"tableNumber":99`, 1),
		`{"type":"WEATHER","status":"SUNNY","thirdPartyReference":"nobody's"}`,
	} {
		if status := signed(body); status != http.StatusNoContent {
			t.Errorf("%s: %d", body, status)
		}
	}
	// A check of the house, told twice, with a name that steers; then an older word of it.
	account, err := sim.Seat(7, 2)
	if err != nil {
		t.Fatal(err)
	}
	e.wait("the check is here", func() bool { return len(e.openChecks()) == 1 })
	name := strings.Replace(check(account, ""), "Soupe", `So\u001b[2Jupe\u202e`, 1)
	for range 3 {
		if status := signed(name); status != http.StatusNoContent {
			t.Errorf("the check: %d", status)
		}
	}
	var list struct {
		Checks []struct {
			Total int64
			Lines []struct {
				Name   string
				Voided bool
			}
		}
	}
	e.do(http.MethodGet, "/v1/checks", nil, &list)
	if len(list.Checks) != 1 || list.Checks[0].Total != 1000 || len(list.Checks[0].Lines) != 1 || list.Checks[0].Lines[0].Name != "So [2Jupe" {
		t.Errorf("told three times, the checks are %+v", list.Checks)
	}
	if e.warned("pos_signature") {
		t.Error("the till has proved itself since, and the warning stands")
	}
	for _, m := range shown {
		e.shown(console, m.Status, m.Reason)
	}
}

// What a Bepoz till must not get away with, over HTTP and over its line.
func TestBadMessagesOfBepoz(t *testing.T) {
	t.Parallel()
	e := newEvening(t, "opentable")
	bepozTills(t, e.config)
	e.open()
	const console = "/v1/pos/rejected"
	shown := []refusedOne{} // what the console has to show in the end: it is written a moment after the answer
	shows := func(status int, reason string) { shown = append(shown, refusedOne{Status: status, Reason: reason}) }
	good := `{"till":"T1","seq":1,"table":"7","check":"41","event":"opened","at":"2026-11-21T19:00:00Z","payload":{"covers":2}}`
	send := func(body string) letter {
		return letter{http.MethodPost, "/v1/events/bepoz", []byte(body), http.Header{"Authorization": {"Bearer " + e.token}}}
	}
	for _, token := range []string{"", "Bearer not-a-token"} {
		l := send(good)
		if l.header.Set("Authorization", token); e.post(l) != http.StatusUnauthorized {
			t.Errorf("with the token %q it is taken", token)
		}
	}
	for _, c := range []struct {
		what, old, with, part string
		status                int
	}{
		{"no JSON", good, `{"till":`, "", http.StatusBadRequest},
		{"two megabytes", good, strings.Repeat(" ", 2<<20), "", http.StatusRequestEntityTooLarge},
		{"an event that nobody knows", `"opened"`, `"teleported"`, "teleported", http.StatusUnprocessableEntity},
		{"a number below one", `"seq":1`, `"seq":-1`, "/seq", http.StatusUnprocessableEntity},
		{"guests below zero", `"covers":2`, `"covers":-2`, "/payload/covers", http.StatusUnprocessableEntity},
		{"100,000 guests", `"covers":2`, `"covers":100000`, "/payload/covers", http.StatusUnprocessableEntity},
		{"a time that is none", `2026-11-21T`, `2026-13-41T`, "", http.StatusUnprocessableEntity},
		{"a time of long ago", `2026-11-21T`, `1899-11-21T`, "/at", http.StatusUnprocessableEntity},
		{"a table that steers", `"7"`, `"7\u001b"`, "/table", http.StatusUnprocessableEntity},
		{"a table that turns around", `"7"`, `"7\u202e"`, "/table", http.StatusUnprocessableEntity},
		{"a price beyond reason", `"opened","at":"2026-11-21T19:00:00Z","payload":{"covers":2}`, `"ordered","at":"2026-11-21T19:00:00Z","payload":{"lines":[{"name":"a","quantity":1000,"price":9000000000000000000}]}`, "/payload/lines/0", http.StatusUnprocessableEntity},
	} {
		body := strings.Replace(good, c.old, c.with, 1)
		if body == good {
			t.Fatalf("%q is not in the message", c.old)
		}
		if status := e.post(send(body)); status != c.status {
			t.Errorf("%s: %d, want %d", c.what, status, c.status)
		}
		shows(c.status, c.part)
	}
	if list := e.openChecks(); len(list) != 0 {
		t.Errorf("what was refused left %+v", list)
	}
	// Again, too early, and a table that the floor has not.
	for range 2 {
		if status := e.post(send(good)); status != http.StatusOK {
			t.Errorf("a good message: %d", status)
		}
	}
	if status := e.post(send(strings.Replace(good, `"seq":1`, `"seq":9`, 1))); status != http.StatusOK {
		t.Errorf("one that comes too early: %d", status)
	}
	lost := strings.NewReplacer(`"seq":1`, `"seq":2`, `"7"`, `"99"`, `"41"`, `"42"`).Replace(good)
	if status := e.post(send(lost)); status != http.StatusOK {
		t.Errorf("at a table that nobody knows: %d", status)
	}
	shows(http.StatusUnprocessableEntity, `"99"`)
	e.wait("the good one's check", func() bool { return len(e.openChecks()) == 1 })
	// Over the line, without the secret.
	till := simbepoz.New("T2")
	till.Secret = "not-the-secret"
	if _, err := tillLine(t, e.config, till); err == nil || !strings.Contains(err.Error(), bepoz.CodeSecret) {
		t.Errorf("HELLO with another secret: %v", err)
	}
	shows(http.StatusUnauthorized, "HELLO")
	for _, m := range shown {
		e.shown(console, m.Status, m.Reason)
	}
}
