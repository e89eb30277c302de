package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aboyeur/simulate/opera"
)

const killHotelConfig = `
site: {id: kill-2, name: Kill, timezone: Europe/Paris, currency: EUR, language: en}
data: {dir: %q}
http: {listen: %q, tokens_file: %q}
printers: [{name: spool, connect: "file:%s", model: generic-80mm}]
stations: [{name: kitchen, printers: [spool], default: true}]
pms: {kind: opera, dialect: fias, connect: "tcp:%s", encoding: utf-8, answer_timeout: 1s, outlets: [{name: restaurant, code: 1}]}
`

var long = flag.Bool("long", false, "ten thousand postings instead of two thousand")

// TestKillHotel charges ten thousand times from many tills through a box that is killed again and again, while the hotel
// loses, delays and doubles answers and the line is cut at any byte. The hotel's own books judge what the box shows.
func TestKillHotel(t *testing.T) {
	if testing.Short() {
		t.Skip("starts twenty processes; not in -short")
	}
	const tills = 24
	amount, kills, cuts := int64(2000), int64(6), int64(8)
	if *long {
		amount, kills, cuts = 10_000, 20, 30
	}
	stormy := amount * 8 / 10 // after these the line holds, so that late answers find somebody
	h := newKilledHotel(t)
	box := h.start()
	var next, done atomic.Int64
	var chaos, counters sync.WaitGroup
	stop := make(chan struct{})
	reach := func(n int64) bool { // false when the tills are through
		for done.Load() < n {
			select {
			case <-stop:
				return false
			case <-time.After(time.Millisecond):
			}
		}
		return true
	}
	chaos.Go(func() {
		for i := int64(1); i <= kills && reach(i*stormy/(kills+1)); i++ {
			box.kill()
			box = h.start()
		}
	})
	chaos.Go(func() {
		for i := int64(1); i <= cuts && reach(i*stormy/(cuts+1)); i++ {
			f := opera.Fault{Kind: opera.Cut, On: opera.OnPosting, Count: 1, At: h.draw(260), Reset: i%2 == 0, Dir: opera.In}
			if i%3 > 0 {
				f.Dir = opera.Out
			}
			if err := h.sim.Inject(f); err != nil {
				t.Error(err)
				return
			}
		}
	})
	// Tills look at the link first, as a person would who is told that it is down.
	var charging atomic.Bool
	chaos.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			var hotel struct{ Charging bool }
			_, err := h.call(t.Context(), http.MethodGet, "/v1/pms", nil, &hotel)
			charging.Store(err == nil && hotel.Charging)
		}
	})
	told := make([]string, amount+1) // by check: the outcome its till was told
	for range tills {
		counters.Go(func() {
			for n := next.Add(1); n <= amount; n = next.Add(1) {
				for !charging.Load() && !t.Failed() {
					time.Sleep(time.Millisecond)
				}
				told[n] = h.charge(t, n)
				h.calm.Store(done.Add(1) > stormy)
			}
		})
	}
	counters.Wait()
	close(stop)
	chaos.Wait()
	if t.Failed() {
		t.Fatalf("the box said:\n%.4000s", box.log)
	}
	if err := h.sim.Lift(opera.Cut); err != nil {
		t.Fatal(err)
	}
	h.settle(t)
	h.judge(t, told[1:])
}

// killedHotel is a hotel, and a box that has it.
type killedHotel struct {
	*killer
	sim    *opera.Simulator
	guests []opera.Guest
	calm   atomic.Bool // neither kills nor cuts come any more

	mu     sync.Mutex // guards random
	random *rand.Rand
}

func newKilledHotel(t *testing.T) *killedHotel {
	h := &killedHotel{random: rand.New(rand.NewPCG(3, 4))}
	file := opera.DefaultFile()
	file.Guests = nil
	for i := range 40 {
		file.Guests = append(file.Guests, opera.Guest{Reservation: strconv.Itoa(5000 + i), Room: file.Rooms[i], Name: "Guest " + strconv.Itoa(i), Profile: strconv.Itoa(7000 + i)})
	}
	h.guests = file.Guests
	hotel, err := opera.NewHotel(file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if h.sim, err = opera.New(opera.Config{Hotel: hotel, Choose: h.choose, Keep: 1_000_000}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.sim.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		h.sim.Close()
		<-ended
	})

	address := freeAddress(t)
	dir := t.TempDir()
	config, tokens := filepath.Join(dir, "box.yaml"), filepath.Join(dir, "tokens")
	text := fmt.Sprintf(killHotelConfig, filepath.Join(dir, "data"), address, tokens, filepath.Join(dir, "spool"), l.Addr())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := dispatch(t.Context(), stdio{strings.NewReader(""), &out, os.Stderr}, []string{"token", "add", "--file", tokens, "--role", "admin", "--name", "test"}); code != 0 {
		t.Fatalf("token add: exit %d", code)
	}
	h.killer = &killer{t: t, bin: buildBinary(t), config: config, base: "http://" + address, token: strings.TrimSpace(out.String())}
	return h
}

func (h *killedHotel) draw(n int64) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.random.Int64N(n)
}

// choose makes some requests go wrong.
func (h *killedHotel) choose(x opera.Exchange) []opera.Fault {
	if x.On == opera.OnInquiry {
		if h.draw(400) == 0 {
			return []opera.Fault{{Kind: opera.AnswerLost, On: opera.OnAny}}
		}
		return nil
	}
	if h.calm.Load() && h.draw(40) == 0 {
		return []opera.Fault{{Kind: opera.AnswerDelayed, On: opera.OnAny, Delay: opera.Duration(1200 * time.Millisecond)}}
	}
	switch h.draw(150) {
	case 0:
		return []opera.Fault{{Kind: opera.AnswerLost, On: opera.OnAny}}
	case 1:
		return []opera.Fault{{Kind: opera.RequestLost, On: opera.OnAny}}
	case 2:
		return []opera.Fault{{Kind: opera.AnswerDelayed, On: opera.OnAny, Delay: opera.Duration(1200 * time.Millisecond)}}
	case 3, 4:
		return []opera.Fault{{Kind: opera.AnswerDuplicated, On: opera.OnAny}}
	case 5:
		return []opera.Fault{{Kind: opera.Refused, On: opera.OnAny, Status: []opera.Status{"RY", "NA", "UR", "DN", "FX"}[h.draw(5)]}}
	}
	return nil
}

type receipt struct{ ID, State, Reason string }

// charge is one till's charge: sent again under its key until the box tells how it ended.
func (h *killedHotel) charge(t *testing.T, n int64) string {
	g := h.guests[int(n)%len(h.guests)]
	body := fmt.Appendf(nil, `{"room":%q,"reservation":%q,"guest":%q,"amount":%d,"currency":"EUR","check":"%d"}`, g.Room, g.Reservation, g.Name, 100+n%900, n)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		status, answer := h.post(t, n, body)
		switch {
		case status == http.StatusOK && (answer.State == "posted" || answer.State == "refused" || answer.State == "unknown"):
			return answer.State
		case status == 0, status == http.StatusOK, status == http.StatusAccepted, status == http.StatusServiceUnavailable:
			// The box fell, or it is still at it.
			time.Sleep(5 * time.Millisecond)
		default:
			t.Errorf("charge %d is answered %d %+v", n, status, answer)
			return ""
		}
	}
	t.Errorf("charge %d has no end", n)
	return ""
}

func (h *killedHotel) post(t *testing.T, n int64, body []byte) (int, receipt) {
	var got receipt
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+"/v1/pms/postings?wait=8s", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprint("charge ", n))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, got
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || json.Unmarshal(text, &got) != nil {
		return 0, got
	}
	return answer.StatusCode, got
}

// settle waits until the hotel has nothing more to say and the box nothing under way.
func (h *killedHotel) settle(t *testing.T) {
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		unknown := map[int64]bool{}
		for _, p := range h.list(t, "&state=unknown") {
			unknown[p.Number] = true
		}
		open, late := 0, 0
		for _, x := range h.sim.Exchanges(0) {
			switch {
			case x.Fate == opera.Open:
				open++
			case x.Fate == opera.Answered && len(x.Faults) > 0 && unknown[x.Number]:
				late++
			}
		}
		var hotel struct{ Open map[string]int }
		if _, err := h.call(t.Context(), http.MethodGet, "/v1/pms", nil, &hotel); err != nil {
			t.Fatal(err)
		}
		under := hotel.Open["queued"] + hotel.Open["inquiring"] + hotel.Open["sending"]
		if open+under+late == 0 {
			return
		}
		if time.Now().After(end) {
			if open+under == 0 {
				return // what is left came to a box that was killed before it could read it
			}
			t.Fatalf("%d answers and %d postings are still open", open, under)
		}
	}
}

type shownPosting struct {
	ID, State, Reason, Check string
	Number                   int64
	Attempts                 int
	Timeline                 []struct{ Event, Detail string }
}

// list reads all postings of the box that query selects.
func (h *killedHotel) list(t *testing.T, query string) (all []shownPosting) {
	cursor := ""
	for {
		var page struct {
			Postings []shownPosting
			Next     string
		}
		if _, err := h.call(t.Context(), http.MethodGet, "/v1/pms/postings?limit=200"+query+"&cursor="+cursor, nil, &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Postings...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

// judge holds what the box shows, and what it told the tills, against the hotel's books and against what went over the line.
func (h *killedHotel) judge(t *testing.T, told []string) {
	booked := map[string]int{}
	for _, b := range h.sim.Hotel().Ledger(0) {
		booked[b.Check]++
	}
	exchanges := map[int64]opera.Exchange{}
	for _, x := range h.sim.Exchanges(0) {
		if x.On != opera.OnPosting {
			continue
		}
		if _, twice := exchanges[x.Number]; twice {
			t.Errorf("P# %d went over the line twice", x.Number)
		}
		exchanges[x.Number] = x
	}
	seen := map[string]bool{}
	count := map[string]int{}
	late := 0
	for _, p := range h.list(t, "") {
		if seen[p.Check] {
			t.Errorf("charge %s stands twice in the journal", p.Check)
		}
		seen[p.Check] = true
		count[p.State]++
		n, err := strconv.Atoi(p.Check)
		if err != nil {
			t.Fatal(err)
		}
		was := told[n-1]
		if was == "unknown" && p.State != was {
			late++
		}
		if was != p.State && was != "unknown" {
			t.Errorf("charge %s was told %s and is %s", p.Check, was, p.State)
		}
		x, reached := exchanges[p.Number]
		switch {
		case p.State == "posted" && booked[p.Check] != 1:
			t.Errorf("charge %s is posted and booked %d times", p.Check, booked[p.Check])
		case p.State == "refused" && booked[p.Check] != 0:
			t.Errorf("charge %s is refused for %s and booked: %+v", p.Check, p.Reason, x)
		case booked[p.Check] > 1:
			t.Errorf("charge %s is booked %d times", p.Check, booked[p.Check])
		case p.State == "unknown" && reached && x.Fate == opera.Answered && len(x.Faults) == 0 && !h.broken(t, p.ID):
			t.Errorf("charge %s is unknown though it was answered on a link that lived: %+v", p.Check, x)
		case p.State != "posted" && p.State != "refused" && p.State != "unknown":
			t.Errorf("charge %s ends %s", p.Check, p.State)
		}
	}
	if len(seen) != len(told) {
		t.Errorf("%d charges in the journal, %d were made", len(seen), len(told))
	}
	t.Logf("%v, %d booked, %d ended by a late answer", count, len(booked), late)
	if count["posted"] < len(told)*7/10 || count["unknown"] == 0 || count["refused"] == 0 || late == 0 {
		t.Errorf("the faults did not all strike, or too much did: %v, %d late", count, late)
	}
}

// broken tells whether link or box fell under a posting, as its time line has it.
func (h *killedHotel) broken(t *testing.T, id string) bool {
	var p shownPosting
	if _, err := h.call(t.Context(), http.MethodGet, "/v1/pms/postings/"+id, nil, &p); err != nil {
		t.Fatal(err)
	}
	for _, step := range p.Timeline {
		if step.Event == "unknown" && !strings.Contains(step.Detail, "in time") {
			return true
		}
	}
	return false
}
