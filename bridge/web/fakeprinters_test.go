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

// printerRoutes plays the acts on printers and print jobs. Each is noted with what it carried.
func (b *fakeBox) printerRoutes(handle func(string, func(http.ResponseWriter, *http.Request) error)) {
	carried := func(r *http.Request) (object, string) {
		body := object{}
		_ = json.NewDecoder(r.Body).Decode(&body) // an act may have no body
		var parts []string
		for _, k := range []string{"to", "template", "reason", "address", "name"} {
			if v, ok := body[k].(string); ok && v != "" {
				parts = append(parts, v)
			}
		}
		return body, strings.Join(parts, " ")
	}
	handle("POST /v1/printers/{name}/{act}", func(w http.ResponseWriter, r *http.Request) error {
		name, act := r.PathValue("name"), r.PathValue("act")
		body, text := carried(r)
		b.note(strings.TrimSpace(act + " " + name + " " + text))
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.IndexFunc(b.printers, func(p object) bool { return p["name"] == name })
		if i < 0 {
			return api.NotFound("printer", name)
		}
		p := b.printers[i]
		switch act {
		case "pause":
			p["state"], p["paused"] = "paused", true
		case "resume":
			p["state"], p["paused"] = "ready", false
		case "move-queue":
			moved := p["queue"]
			p["queue"], p["queue_slow"], p["queue_moved_to"] = 0, false, body["to"]
			b.publish("job", object{})
			return api.Answer(w, 200, object{"moved": moved})
		case "test":
			return api.Answer(w, 202, object{"job": "test-" + name})
		}
		return api.Answer(w, 200, p)
	})
	handle("GET /v1/printers/{name}/test.png", func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(ticketPicture("test " + r.URL.Query().Get("template"))) // a picture that scrolled away is no longer wanted
		return nil
	})
	handle("GET /v1/printers/{name}/outages", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"outages": notNil(b.outages)})
	})
	handle("DELETE /v1/printers/{name}", func(w http.ResponseWriter, r *http.Request) error {
		b.note("remove " + r.PathValue("name"))
		b.mu.Lock()
		b.printers = slices.DeleteFunc(b.printers, func(p object) bool { return p["name"] == r.PathValue("name") })
		b.mu.Unlock()
		return api.Answer(w, 204, nil)
	})
	handle("POST /v1/printers/scan", func(w http.ResponseWriter, r *http.Request) error {
		b.note("scan")
		b.mu.Lock()
		defer b.mu.Unlock()
		return api.Answer(w, 200, object{"found": notNil(b.found), "asked": 254, "took_ms": 1240})
	})
	handle("POST /v1/printers/identify", func(w http.ResponseWriter, r *http.Request) error {
		_, text := carried(r)
		b.note("identify " + text)
		return api.Answer(w, 202, object{})
	})
	handle("POST /v1/printers", func(w http.ResponseWriter, r *http.Request) error {
		body, _ := carried(r)
		b.note(fmt.Sprint("add ", body["name"], " ", body["connect"], " ", body["model"], " ", body["fallback"]))
		if body["connect"] == "tcp:192.168.1.9:9100" {
			return api.Invalid([]api.Fault{{Pointer: "/connect", Detail: "printer bar is there already"}})
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		p := object{"name": body["name"], "connect": body["connect"], "model": body["model"], "kind": "wired", "up": true, "state": "ready", "paper": "ok", "proof": "unknown", "queue": 0, "sequence": 0, "stations": []string{}, "added": true}
		b.printers = append(b.printers, p)
		return api.Answer(w, 201, p)
	})
	handle("GET /v1/jobs", func(w http.ResponseWriter, r *http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		limit := 50
		fmt.Sscan(r.URL.Query().Get("limit"), &limit)
		shown := []object{}
		for _, j := range b.jobs {
			open := j["settled"] == false
			if j["printer"] == r.URL.Query().Get("printer") && (r.URL.Query().Get("state") != "open" || open) && len(shown) < limit {
				shown = append(shown, j)
			}
		}
		return api.Answer(w, 200, object{"jobs": shown})
	})
	handle("POST /v1/jobs/{id}/{act}", func(w http.ResponseWriter, r *http.Request) error {
		_, text := carried(r)
		b.note(strings.TrimSpace(r.PathValue("act") + " " + r.PathValue("id") + " " + text))
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, j := range b.jobs {
			if j["id"] == r.PathValue("id") {
				if r.PathValue("act") == "clear" {
					j["state"], j["reason"], j["settled"] = "cancelled", text, true
				}
				return api.Answer(w, 200, j)
			}
		}
		return api.NotFound("job", r.PathValue("id"))
	})
}

func cannedPrinters() []object {
	return []object{
		{"name": "grill", "connect": "tcp:127.0.0.1:9100", "kind": "wired", "model": "epson-tm-t88", "up": true, "state": "ready", "paper": "low", "reason": "", "proof": "process_id", "queue": 0, "queue_warn": 12, "oldest_held_seconds": 0, "sequence": 142, "fallback": "bar", "stations": []string{"grill", "fry"}, "maker": "EPSON", "device": "TM-T88VI", "firmware": "30.42", "serial": "X3WP001234", "hardware": "00:26:ab:8f:12:04"},
		{"name": "bar", "connect": "usb:04b8:0202", "kind": "usb", "model": "epson-tm-t20", "up": true, "state": "printing", "paper": "ok", "proof": "fence", "queue": 1, "queue_warn": 12, "oldest_held_seconds": 0, "sequence": 88, "stations": []string{"bar"}, "maker": "EPSON", "device": "TM-T20III"},
		{"name": "pass", "connect": "tcp:127.0.0.1:9102", "kind": "wired", "model": "generic-80mm", "up": false, "state": "paper_out", "paper": "out", "reason": "paper_out", "proof": "none", "queue": 14, "queue_warn": 12, "queue_slow": true, "oldest_held_seconds": 74, "sequence": 51, "fallback": "grill", "stations": []string{"pass"},
			"diagnosis": []string{"Put in a new roll: open the cover, drop it in with the paper coming from below, close the cover.", "If it still says paper out, wipe the paper sensor under the roll with a dry cloth."}},
		{"name": "pastry", "connect": "serial:/dev/rfcomm0?baud=9600", "kind": "bluetooth", "model": "xprinter-58mm", "up": true, "state": "paused", "paused": true, "paper": "ok", "proof": "unknown", "queue": 0, "queue_warn": 12, "oldest_held_seconds": 0, "sequence": 0, "stations": []string{"pastry"}},
	}
}

// cannedJobs is what a printer has done this evening and what waits at it.
func cannedJobs(printer string, waiting, printed int) []object {
	var list []object
	job := func(i int, state, kind string) object {
		j := object{"id": fmt.Sprintf("%s-%d", printer, i), "printer": printer, "order": fmt.Sprintf("o%d", i), "number": 60 - i, "label": fmt.Sprintf("#%d %s", 60-i, []string{"Table 12", "Uber Eats 8F3A2", "Table 4", "Deliveroo 4471"}[i%4]), "state": state, "settled": state == "done",
			"evidence": "process_id", "attempt": 1, "at": time.Now().Add(-time.Duration(i) * 90 * time.Second).UTC(), "kind": kind}
		if state != "done" {
			j["evidence"], j["reason"] = "", "paper_out"
		}
		return j
	}
	for i := range waiting {
		state := "held"
		if i == waiting-1 {
			state = "waiting"
		}
		list = append(list, job(i, state, "ticket"))
	}
	for i := range printed {
		kind := "ticket"
		if i == 2 {
			kind = "receipt"
		}
		list = append(list, job(waiting+i, "done", kind))
	}
	return list
}

func cannedOutages(n int) []object {
	var list []object
	for i := range n {
		from := time.Now().Add(-time.Duration(i*1213+74) * time.Second).UTC()
		o := object{"from": from, "until": from.Add(time.Duration(40+i*17) * time.Second), "reason": []string{"paper_out", "cover_open", "unreachable"}[i%3], "held": i % 5}
		if i == 0 {
			delete(o, "until")
		}
		list = append(list, o)
	}
	return list
}

func cannedFound() []object {
	return []object{
		{"address": "tcp:192.168.1.40:9100", "hardware": "00:26:ab:8f:12:04", "maker": "EPSON", "device": "TM-T88VI", "serial": "X3WP001234", "number": 1, "known_as": "grill"},
		{"address": "tcp:192.168.1.57:9100", "hardware": "00:26:ab:91:00:7c", "maker": "EPSON", "device": "TM-T20III", "serial": "X5TR009911", "number": 2, "known_as": ""},
		{"address": "tcp:192.168.1.9:9100", "hardware": "", "maker": "", "device": "", "serial": "", "number": 3, "known_as": ""},
	}
}
