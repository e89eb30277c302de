package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/api"
)

// fakeHotel plays /v1/pms: a link, postings that can be taken back and resolved, guests, revenue, a trace and settings.
// Its box's lock guards it.
type fakeHotel struct {
	view     object // GET /v1/pms
	postings []object
	guests   []object
	stale    bool // the link is down: a search is answered 503 with what is remembered
	batches  []object
	waiting  []object
	trace    []object
	settings object // by name, each {value, revision}
	asked    []string
}

// newFakeHotel is a hotel in the middle of a Saturday evening: two postings of unknown outcome, one that waits.
func newFakeHotel() *fakeHotel {
	return &fakeHotel{view: cannedHotel(), postings: cannedPostings(14), guests: cannedGuests(), batches: cannedBatches(), waiting: cannedRevenue(), trace: cannedTrace(), settings: cannedSettings()}
}

// hotelRoutes adds what GET /v1/pms and its like answer; without a hotel they are not there.
func (b *fakeBox) hotelRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	with := func(pattern string, f func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error) {
		handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.hotel == nil {
				return &api.Problem{Status: 404, Detail: "there is nothing at " + r.URL.Path}
			}
			return f(b.hotel, w, r)
		})
	}
	with("GET /v1/pms", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		open := map[string]int{"queued": 0, "inquiring": 0, "sending": 0, "unknown": 0}
		for _, p := range hotel.postings {
			if _, counts := open[p["state"].(string)]; counts {
				open[p["state"].(string)]++
			}
		}
		hotel.view["open"] = open
		return api.Answer(w, 200, hotel.view)
	})
	with("GET /v1/pms/postings", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		among := func(list string, value any) bool {
			return list == "" || slices.Contains(strings.Split(list, ","), value.(string))
		}
		shown := []object{}
		for _, p := range hotel.postings {
			if among(q.Get("state"), p["state"]) && among(q.Get("kind"), p["kind"]) && (q.Get("check") == "" || p["check"] == q.Get("check")) {
				shown = append(shown, p)
			}
		}
		var from, limit int
		fmt.Sscan(q.Get("cursor"), &from)
		fmt.Sscan(q.Get("limit"), &limit)
		answer := object{}
		shown = shown[min(from, len(shown)):]
		if len(shown) > limit {
			shown, answer["next"] = shown[:limit], fmt.Sprint(from+limit)
		}
		answer["postings"] = shown
		return api.Answer(w, 200, answer)
	})
	with("GET /v1/pms/postings/{id}", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		p, err := hotel.posting(r.PathValue("id"))
		if err != nil {
			return err
		}
		return api.Answer(w, 200, p)
	})
	with("POST /v1/pms/postings/{id}/{act}", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		p, err := hotel.posting(r.PathValue("id"))
		if err != nil {
			return err
		}
		key := r.Header.Get("Idempotency-Key")
		if key == "" {
			return &api.Problem{Status: 400, Detail: "an act without Idempotency-Key"}
		}
		var body struct {
			State  string
			Amount int
			Note   string
			Queue  bool
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		act := r.PathValue("act")
		b.acts = append(b.acts, strings.TrimSpace(fmt.Sprintf("%s %s %s %d %s", act, p["id"], body.State, body.Amount, body.Note)))
		if act == "resolve" {
			p["state"], p["resolution"] = body.State, object{"by": "Camille", "at": time.Now().UTC(), "note": body.Note}
			p["timeline"] = append(p["timeline"].([]object), step(time.Now(), 0, body.State, object{"by": "Camille", "detail": body.Note}))
			b.publish("posting", object{"id": p["id"]})
			return api.Answer(w, 200, p)
		}
		amount := -p["amount"].(int)
		if act == "refund" {
			amount = -body.Amount
		}
		if b.keys[key] {
			return api.Answer(w, 200, object{"id": "again", "state": "posted"})
		}
		b.keys[key] = true
		back := object{}
		for k, v := range p {
			back[k] = v
		}
		now := time.Now().UTC()
		id := fmt.Sprintf("back%d", len(hotel.postings))
		back["id"], back["kind"], back["original"], back["amount"], back["received_at"], back["tip"] = id, act, p["id"], amount, now, 0
		back["subtotals"] = []object{{"group": "food", "amount": amount}}
		delete(back, "service_charge")
		hotel.postings = append([]object{back}, hotel.postings...)
		b.publish("posting", object{"id": id})
		return api.Answer(w, 200, object{"id": id, "state": "posted"})
	})
	with("GET /v1/pms/guests", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		q := strings.ToUpper(r.URL.Query().Get("q"))
		hotel.asked = append(hotel.asked, q)
		found := []object{}
		for _, g := range hotel.guests {
			if g["room"] == q || strings.HasPrefix(strings.ToUpper(g["name"].(string)), q) {
				found = append(found, g)
			}
		}
		if hotel.stale {
			for i, g := range found {
				old := object{"stale": true, "seen_at": time.Now().Add(-3 * time.Hour).UTC()}
				for k, v := range g {
					old[k] = v
				}
				found[i] = old
			}
			return &api.Problem{Status: 503, Code: "pms_link_down", Detail: "Hotel not reachable, take another payment", Extra: map[string]any{"reason": "link_down", "guests": found}}
		}
		return api.Answer(w, 200, object{"guests": found})
	})
	with("GET /v1/pms/rooms", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		return api.Answer(w, 200, object{"guests": notNil(hotel.guests)})
	})
	with("GET /v1/pms/revenue", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		return api.Answer(w, 200, object{"batches": notNil(hotel.batches), "waiting": notNil(hotel.waiting)})
	})
	with("POST /v1/pms/revenue/{id}/retry", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		b.acts = append(b.acts, "retry "+r.PathValue("id"))
		for _, batch := range hotel.batches {
			if batch["id"] == r.PathValue("id") {
				batch["state"], batch["reason"] = "posted", ""
			}
		}
		return api.Answer(w, 200, hotel.postings[0])
	})
	with("GET /v1/pms/trace", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		var after int
		fmt.Sscan(r.URL.Query().Get("after"), &after)
		lines := []object{}
		for _, l := range hotel.trace {
			if l["seq"].(int) > after {
				lines = append(lines, l)
			}
		}
		if strings.Contains(r.Header.Get("Accept"), "text/plain") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			for _, l := range lines {
				fmt.Fprintf(w, "%s %s %s\n", l["at"].(time.Time).Format("15:04:05.000"), l["direction"], l["text"])
			}
			return nil
		}
		return api.Answer(w, 200, object{"lines": lines})
	})
	with("GET /v1/pms/settings", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		return api.Answer(w, 200, hotel.settings)
	})
	with("PUT /v1/pms/settings/{name}", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		name := strings.ReplaceAll(r.PathValue("name"), "-", "_")
		var put struct {
			Value    any
			Revision int
		}
		if err := json.NewDecoder(r.Body).Decode(&put); err != nil {
			return err
		}
		had := hotel.settings[name].(object)
		if put.Revision != had["revision"] {
			return &api.Problem{Status: 409, Code: "revision", Detail: "it was changed meanwhile"}
		}
		if m, ok := put.Value.(object); ok && m["server_address"] == "till.invalid" {
			return &api.Problem{Status: 422, Code: "invalid", Detail: "one member is wrong", Errors: []api.Fault{{Pointer: "/value/server_address", Detail: "is an address the test refuses"}}}
		}
		hotel.settings[name] = object{"value": put.Value, "revision": put.Revision + 1}
		text, _ := json.Marshal(put.Value)
		b.acts = append(b.acts, "put "+name+" "+string(text))
		return api.Answer(w, 200, hotel.settings)
	})
	with("POST /v1/pms/checklist/{item}", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Done bool
			Note string
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		b.acts = append(b.acts, fmt.Sprintf("tick %s %v %s", r.PathValue("item"), body.Done, body.Note))
		for _, i := range hotel.view["checklist"].([]object) {
			if i["item"] == r.PathValue("item") {
				i["done"] = body.Done
				delete(i, "by")
				if body.Done {
					i["by"] = object{"by": "Camille", "at": time.Now().UTC(), "note": body.Note}
				}
			}
		}
		return api.Answer(w, 200, hotel.view)
	})
	with("POST /v1/pms/try-address", func(hotel *fakeHotel, w http.ResponseWriter, r *http.Request) error {
		var body struct{ Address string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return err
		}
		if strings.HasPrefix(body.Address, "192.168.1.20") {
			return api.Answer(w, 200, object{"address": "192.168.1.20:80", "reached": true, "took_ms": 4})
		}
		return api.Answer(w, 200, object{"address": body.Address, "reached": false, "reason": "no route to host", "took_ms": 3000})
	})
}

func (f *fakeHotel) posting(id string) (object, error) {
	for _, p := range f.postings {
		if p["id"] == id {
			return p, nil
		}
	}
	return nil, &api.Problem{Status: 404, Detail: "there is no such posting"}
}

// ---- canned data

func cannedHotel() object {
	item := func(name string, done bool, detail string) object {
		return object{"item": name, "done": done, "manual": false, "text": name, "detail": detail}
	}
	manual := item("vendor_gateway", true, "")
	manual["manual"], manual["by"] = true, object{"by": "Camille", "at": time.Now().Add(-50 * time.Hour).UTC(), "note": "case 48213"}
	licence := item("hotel_licence", false, "")
	licence["manual"] = true
	return object{"dialect": "fias", "profile": "on_site", "needs": "", "support": "", "charging": true, "ready": true, "guests": 212,
		"link": object{"state": "up", "since": time.Now().Add(-5*time.Hour - 12*time.Minute).UTC(), "peer": "tcp:10.0.0.9:5010", "version": "5.0.05.01"},
		"checklist": []object{
			item("payment_method", true, "IKPMS Opera"), item("server_address", true, "192.168.1.20"), item("gateway_device", false, ""), manual, licence,
			item("version", true, ""), item("outlets", true, "2"), item("mapping", true, "3"), item("link", true, ""),
		}}
}

func cannedPostings(n int) []object {
	guests := []object{{"room": "412", "reservation": "90817", "guest": "Delacroix, Mme Hélène"}, {"room": "208", "reservation": "90544", "guest": "Okafor, Mr. Chidi"},
		{"room": "1105", "reservation": "91002", "guest": "Lindqvist, Fru Astrid"}, {"room": "9003", "reservation": "0", "guest": "Direction, repas du personnel"}}
	var list []object
	for i := range n {
		at := time.Now().Add(-time.Duration(3+i*7) * time.Minute)
		food, drinks, tip := 2600+175*i, 900+40*i, (i%3)*200
		p := object{"id": fmt.Sprintf("p%d", i), "kind": "charge", "state": "posted", "number": 4210 - i, "attempts": 1, "business_day": "2026-11-21", "period": "18-04", "check": fmt.Sprint(1834 - i),
			"outlet": "restaurant", "table": fmt.Sprint(3 + i%20), "covers": 2 + i%3, "staff": "Léa", "workstation": "T1", "currency": "EUR", "amount": food + drinks + tip, "tip": tip,
			"subtotals": []object{{"group": "food", "amount": food}, {"group": "drinks", "amount": drinks}}, "received_at": at.UTC(), "sent_at": at.Add(40 * time.Millisecond).UTC(), "stamp": at.UTC().Truncate(time.Second),
			"settled_at": at.Add(210 * time.Millisecond).UTC(), "answer": "OK", "answer_text": fmt.Sprintf("TRX %d", 880123+i)}
		for k, v := range guests[i%len(guests)] {
			p[k] = v
		}
		line := []object{step(at, 0, "received", object{"by": "T1", "detail": "charge"}), step(at, 41_000, "sending", object{"detail": fmt.Sprint("P#", 4210-i)}), step(at, 208_400, "posted", object{"detail": "OK " + p["answer_text"].(string)})}
		switch i {
		case 1, 5:
			p["state"], p["answer"], p["answer_text"] = "unknown", "", ""
			line[2] = step(at, 60_041_000, "unknown", object{"detail": "no answer from the hotel system in time"})
		case 2:
			p["state"], p["reason"], p["answer"], p["answer_text"] = "refused", "np", "NP", "No post"
			line[2] = step(at, 190_000, "refused", object{"detail": "NP No post"})
		case 3:
			p["state"], p["answer"], p["answer_text"], p["next_at"] = "queued", "", "", time.Now().Add(20*time.Second).UTC()
			delete(p, "number")
			line = []object{line[0], step(at, 60_000, "queued", object{"detail": "link down"})}
		case 4:
			p["kind"], p["method"] = "tender", "card"
			for _, k := range []string{"room", "reservation", "guest"} {
				delete(p, k)
			}
		case 6:
			p["kind"], p["room"], p["guest"] = "revenue", "9001", ""
		}
		p["timeline"] = line
		list = append(list, p)
	}
	return list
}

func cannedGuests() []object {
	return []object{
		{"room": "208", "reservation": "90544", "name": "Okafor, Mr. Chidi", "no_post": false, "credit_limit": 80000, "balance": 21450, "kind": "room", "vip": "2"},
		{"room": "412", "reservation": "90817", "name": "Delacroix, Mme Hélène", "no_post": false, "credit_limit": 50000, "balance": 9900, "kind": "room"},
		{"room": "412", "reservation": "90818", "name": "Delacroix, M. Paul", "no_post": true, "kind": "room"},
		{"room": "1105", "reservation": "91002", "name": "Lindqvist, Fru Astrid", "no_post": false, "kind": "room"},
		{"room": "9003", "reservation": "90001", "name": "Direction, repas du personnel", "no_post": false, "kind": "paymaster"},
		{"room": "77120", "reservation": "account:77120", "name": "Wagons-Lits SA", "no_post": false, "kind": "account"},
	}
}

func cannedBatches() []object {
	var list []object
	for i := range 5 {
		slot := time.Now().Add(-time.Duration(i) * 30 * time.Minute).Truncate(30 * time.Minute)
		list = append(list, object{"id": fmt.Sprintf("b%d", i), "number": 318 - i, "slot_end": slot.UTC(), "business_day": "2026-11-21", "outlet": []string{"restaurant", "bar"}[i%2], "period": "18-04",
			"total": 48210 - 3170*i, "posting": "p6", "state": "posted"})
	}
	list[1]["state"], list[1]["reason"] = "refused", "na"
	delete(list[4], "posting")
	delete(list[4], "state")
	list[4]["total"] = 0
	return list
}

func cannedRevenue() []object {
	return []object{
		{"outlet": "restaurant", "pos_config": "any", "floor_plan": "Salle", "group": "food", "period": "18-04", "amount": 18650, "mapped": true},
		{"outlet": "bar", "pos_config": "any", "floor_plan": "Terrasse", "group": "drinks", "period": "18-04", "amount": 7400, "mapped": true},
		{"outlet": "bar", "pos_config": "any", "floor_plan": "Terrasse", "group": "cigars", "period": "18-04", "amount": 3800, "mapped": false},
	}
}

func traceLine(seq int, direction, text string) object {
	return object{"seq": seq, "at": time.Now().Add(time.Duration(seq-40) * 700 * time.Millisecond).UTC(), "direction": direction, "text": text}
}

func cannedTrace() []object {
	texts := []string{
		"! connected to tcp:10.0.0.9:5010", "< LS|DA261121|TI184001|", "> LD|DA261121|TI184001|V#0.1.0|IFPO|RT4|", "> LR|RIPR|FLDATIP#PIRNG#GNTAPMSOC#T#CVIDWSSTTPSCS1S2S3S4|", "> LR|RIPA|FLASDATIP#RNCT|", "> LA|DA261121|TI184001|",
		"< LC|RPROOM,AR|A15.0.05.01|PHBELLEVUE|", "< LA|DA261121|TI184002|", "> DR|DA261121|TI184002|", "< DS|DA261121|TI184002|", "< GI|RN208|G#90544|GNOkafor|GFChidi|GTMr.|GV2|GSN|SF|", "< DE|DA261121|TI184003|",
		"> PR|P#4208|PI412|PMROOM|WST1|IDLéa|SO1|DA261121|TI203911|", "< PL|P#4208|RN412|G#90817|GNDelacroix|GFHélène|CL500.00|BA99.00|NPN|RN412|G#90818|GNDelacroix|GFPaul|NPY|",
		"> PR|P#4209|PI412|RN412|G#90817|GNDelacroix|PMROOM|PTC|TA3700|S12600|S2900|TP200|C#1834|T#12|CV2|ST4|SO1|IDLéa|WST1|DA261121|TI203914|", "< PA|P#4209|RN412|ASOK|CTTRX 880123|DA261121|TI203914|",
		"< LA|DA261121|TI204014|", "> LA|DA261121|TI204014|", "< NS|DA261121|TI204100|", "< NE|DA261121|TI204101|", "> <ENQ>", "< GO|RN208|G#90544|GSN|",
	}
	var list []object
	for i, text := range texts {
		list = append(list, traceLine(i+1, text[:1], text[2:]))
	}
	return list
}

func cannedSettings() object {
	return object{
		"payment_method": object{"value": object{"type": "room", "code": "IKPMS", "name": "Opera", "transmit_all_tickets": false, "server_address": "192.168.1.20"}, "revision": 2},
		"gateway":        object{"value": object{"name": "", "product": "Oracle OPERA"}, "revision": 0},
		"mapping": object{"value": object{"outlets": []object{{"name": "restaurant", "code": 1}, {"name": "bar", "code": 2}}, "rules": []object{
			{"outlet": "any", "pos_config": "any", "floor_plan": "any", "group": "food", "period": "any", "subtotal": 1},
			{"outlet": "bar", "pos_config": "any", "floor_plan": "any", "group": "drinks", "period": "18-04", "subtotal": 3},
			{"outlet": "any", "pos_config": "any", "floor_plan": "any", "group": "drinks", "period": "any", "subtotal": 2},
		}, "paymasters": []string{"9*"}}, "revision": 1},
		"tenders": object{"value": object{"card": "VISA", "cash": "CASH"}, "revision": 1},
		"closing": object{"value": object{"business_day_close": "05:30"}, "revision": 0},
	}
}
