package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"aboyeur/simulate/dinner"
)

// program is a real process of this project's binary.
type program struct {
	cmd   *exec.Cmd
	first string // its first line on stdout
	log   *lockedBuffer
	done  chan struct{}
}

// lockedBuffer collects what a process writes while a test may read it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// buildBinary builds the program as it is shipped, without the race detector, and as lint builds it: its packages are compiled then.
func buildBinary(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "aboyeur")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// launch starts a process; wantLine waits for its first line on stdout.
func launch(t *testing.T, wantLine bool, bin string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(bin, args...), log: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if wantLine {
		if p.first, err = lines.ReadString('\n'); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, p.log)
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

// freeAddress is where nobody listens until the box does, again after each restart: on a loopback address of its own, so that no
// other listener or connection of this machine is given that port meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// kill ends the process as a power cut would.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// paperPrinter is a simulated printer in a process of its own.
type paperPrinter struct {
	name, address, control, ledger string
}

func launchPrinter(t *testing.T, bin, dir, name string, more ...string) paperPrinter {
	t.Helper()
	p := paperPrinter{name: name, ledger: filepath.Join(dir, name+".jsonl")}
	process := launch(t, true, bin, append([]string{"simulate", "printer", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ledger", p.ledger}, more...)...)
	var first struct{ Listen, Control string }
	if err := json.Unmarshal([]byte(process.first), &first); err != nil {
		t.Fatalf("first line of the printer %q: %v", process.first, err)
	}
	p.address, p.control = first.Listen, strings.TrimPrefix(first.Control, "http://")
	return p
}

// tell sends a command to the printer's lid, buttons and plug.
func (p paperPrinter) tell(t *testing.T, path, body string) {
	t.Helper()
	answer, err := http.Post("http://"+p.control+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatalf("printer %s: %v", p.name, err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatalf("printer %s: %s %s: %s", p.name, path, body, answer.Status)
	}
}

// piece is one piece of paper.
type piece struct {
	Text   string
	Banner bool
}

func (p paperPrinter) pieces(t *testing.T) []piece {
	t.Helper()
	text, err := os.ReadFile(p.ledger)
	if err != nil {
		t.Fatal(err)
	}
	var all []piece
	for line := range bytes.Lines(text) {
		var one piece
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("ledger of %s: %v in %q", p.name, err, line)
		}
		all = append(all, one)
	}
	return all
}

const killConfig = `
site: {id: kill-1, name: Kill, timezone: Europe/Paris, currency: EUR, language: en}
data: {dir: %q}
http: {listen: %q, tokens_file: %q}
printers:
  - {name: grill, connect: "tcp:%s", model: epson-tm-t88, fallback: bar, fallback_after: 1s}
  - {name: pass, connect: "tcp:%s", model: epson-tm-t20}
  - {name: bar, connect: "tcp:%s", model: epson-tm-m30}
screens:
  - {name: kitchen}
stations:
  - {name: grill, printers: [grill], screens: [kitchen], categories: [Grill, Mains]}
  - {name: pass, printers: [pass], screens: [kitchen], categories: [Pizza, Fry, Starters, Cold, Desserts], default: true}
  - {name: bar, printers: [bar], screens: [kitchen], categories: [Drinks]}
`

// sent is an order that was sent, with what came back: "" when nothing did before the power went.
type sent struct {
	dinner.Order
	id string
}

// TestKill pulls the plug of a box in the middle of a stream of orders, twenty times, with printers that are slow, out of
// paper or gone, and holds it to the promises: what was answered is there (P1), nothing is half, nothing is twice (P2),
// every ticket is on paper, and every further copy says so.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts thirty processes; not in -short")
	}
	bin, dir := buildBinary(t), t.TempDir()
	grill := launchPrinter(t, bin, dir, "grill", "--model", "epson-tm-t88", "--speed", "400")
	pass := launchPrinter(t, bin, dir, "pass", "--model", "epson-tm-t20", "--no-process-id", "--speed", "250")
	bar := launchPrinter(t, bin, dir, "bar", "--model", "epson-tm-m30", "--speed", "800", "--cut-time", "100ms")
	printers := []paperPrinter{grill, pass, bar}

	address := freeAddress(t)
	config, data, tokens := filepath.Join(dir, "box.yaml"), filepath.Join(dir, "data"), filepath.Join(dir, "tokens")
	text := fmt.Sprintf(killConfig, data, address, tokens, grill.address, pass.address, bar.address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := dispatch(t.Context(), stdio{strings.NewReader(""), &out, os.Stderr}, []string{"token", "add", "--file", tokens, "--role", "admin", "--name", "test"}); code != 0 {
		t.Fatalf("token add: exit %d", code)
	}
	k := &killer{t: t, bin: bin, config: config, data: data, base: "http://" + address, token: strings.TrimSpace(out.String()), landed: map[string]int{}}

	// What is wrong in a round, besides the kill.
	faults := []func(){
		func() {},
		func() { grill.tell(t, "/fault", `{"kind":"paper_out"}`) },
		func() { grill.tell(t, "/fault", `{"kind":"paper_out","at":700}`) },
		func() { pass.tell(t, "/fault", `{"kind":"drop_link","at":900,"for":"500ms"}`) },
		func() { pass.tell(t, "/fault", `{"kind":"cover","at":300}`) },
		func() { bar.tell(t, "/fault", `{"kind":"power_cycle","at":800,"for":"400ms"}`) },
		func() { bar.tell(t, "/fault", `{"kind":"slow","lines_per_second":15,"bytes_per_second":600}`) },
	}
	states := []string{"queued", "sending", "sent", "printed", "done", "held", "waiting", "unknown", "superseded", "cancelled"}
	// How the kills fall is chance. Where none met a state in twenty rounds, some more follow, each longer than the one before.
	missed := func() bool {
		return slices.ContainsFunc(states, func(state string) bool { return k.landed[state] == 0 })
	}
	for round := 0; round < 20 || round < 60 && missed(); round++ {
		for _, p := range printers {
			p.tell(t, "/lift", `{}`)
		}
		faults[round%len(faults)]()
		// A held grill hands over to the bar after a second: some rounds live long enough for that.
		k.round(round, 150*time.Millisecond+rand.N(350*time.Millisecond)+time.Duration(round%7/6+b2i(round%7 == 1))*900*time.Millisecond+time.Duration(max(0, round-20))*100*time.Millisecond)
		if t.Failed() {
			return
		}
	}
	for _, p := range printers {
		p.tell(t, "/lift", `{}`)
	}
	k.settle()
	k.judge(printers)
	for _, state := range states {
		if k.landed[state] == 0 {
			t.Errorf("no kill landed while a job was %s; landed: %v", state, k.landed)
		}
	}
	t.Logf("%d orders, job states at the kills: %v", len(k.orders), k.landed)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// killer runs the rounds.
type killer struct {
	t                              *testing.T
	bin, config, data, base, token string
	orders                         []*sent
	landed                         map[string]int // jobs by state at the moment of a kill
	count                          int
}

func (k *killer) call(ctx context.Context, method, path string, body []byte, into any) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, k.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+k.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if into != nil {
		err = json.Unmarshal(text, into)
	}
	return answer.StatusCode, err
}

// start starts the box and waits until it takes orders.
func (k *killer) start() *program {
	k.t.Helper()
	box := launch(k.t, false, k.bin, "run", "--config", k.config)
	for end := time.Now().Add(time.Minute); ; {
		select {
		case <-box.done:
			k.t.Fatalf("the box ended by itself:\n%s", box.log)
		default:
		}
		if status, err := k.call(k.t.Context(), http.MethodGet, "/readyz", nil, nil); err == nil && status == http.StatusOK {
			return box
		}
		if time.Now().After(end) {
			k.t.Fatalf("the box is not ready:\n%s", box.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// round starts a box, checks what it remembers, sends orders and kills it.
func (k *killer) round(n int, life time.Duration) {
	box := k.start()
	k.recheck()
	ctx, cancel := context.WithTimeout(k.t.Context(), life)
	defer cancel()
	menus := dinner.Menus()
	var senders sync.WaitGroup
	var mu sync.Mutex // guards orders and count
	for range 4 {
		senders.Go(func() {
			for sentNow := 0; ctx.Err() == nil && sentNow < 6; sentNow++ {
				mu.Lock()
				k.count++
				o := &sent{Order: menus[k.count%len(menus)]}
				o.Source, o.SourceOrderID = "kill", fmt.Sprint("K", k.count)
				o.Partner.OrderID = fmt.Sprintf("X%05dX", k.count)
				cancel := k.count%11 == 0
				k.orders = append(k.orders, o)
				mu.Unlock()
				body, err := json.Marshal(o.Order)
				if err != nil {
					panic(err)
				}
				var answer struct{ ID string }
				// The request outlives the round: what the kill does not answer stays unanswered.
				status, err := k.call(context.WithoutCancel(ctx), http.MethodPost, "/v1/orders", body, &answer)
				if err != nil {
					return
				}
				if status != http.StatusCreated {
					k.t.Errorf("round %d: order %s answered %d", n, o.SourceOrderID, status)
					return
				}
				mu.Lock()
				o.id = answer.ID
				mu.Unlock()
				if cancel {
					_, _ = k.call(context.WithoutCancel(ctx), http.MethodPost, "/v1/orders/"+answer.ID+"/cancel", nil, nil)
				}
				time.Sleep(rand.N(60 * time.Millisecond)) // the pace of the senders, not a wait for anything
			}
		})
	}
	<-ctx.Done()
	box.kill()
	senders.Wait()
	k.look()
}

// look reads the journal as the kill left it: in what states the jobs were, and that no order is half there.
func (k *killer) look() {
	k.t.Helper()
	copied := filepath.Join(k.t.TempDir(), "journal.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(filepath.Join(k.data, "journal.db"+suffix))
		if err != nil && suffix == "" {
			k.t.Fatal(err)
		}
		if err == nil {
			if err := os.WriteFile(copied+suffix, b, 0o600); err != nil {
				k.t.Fatal(err)
			}
		}
	}
	db, err := sql.Open("sqlite", copied)
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT state, count(*) FROM jobs GROUP BY state`)
	if err != nil {
		k.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			k.t.Fatal(err)
		}
		k.landed[state] += n
	}
	var half int
	err = db.QueryRow(`SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT 1 FROM tickets t JOIN jobs j ON j.ticket_key = t.key WHERE t.order_key = o.key)
		OR lower(substr(hex(o.id),1,8)||'-'||substr(hex(o.id),9,4)||'-'||substr(hex(o.id),13,4)||'-'||substr(hex(o.id),17,4)||'-'||substr(hex(o.id),21)) NOT IN (SELECT e.value ->> 'subject' FROM changes, json_each(entries) AS e WHERE e.value ->> 'kind' = 'order')`).Scan(&half)
	if err != nil {
		k.t.Fatal(err)
	}
	if half != 0 {
		k.t.Errorf("%d orders are half in the journal", half)
	}
}

// recheck asks the restarted box for every order that was answered, and sends every one of the last round again.
func (k *killer) recheck() {
	k.t.Helper()
	known := k.list()
	for _, o := range k.orders {
		if o.id != "" && known[o.SourceOrderID] != o.id {
			k.t.Errorf("order %s was answered 201 as %s; the journal has %q", o.SourceOrderID, o.id, known[o.SourceOrderID])
		}
	}
	for _, o := range k.orders[max(0, len(k.orders)-24):] {
		body, err := json.Marshal(o.Order)
		if err != nil {
			panic(err)
		}
		var answer struct{ ID string }
		status, err := k.call(k.t.Context(), http.MethodPost, "/v1/orders", body, &answer)
		want := http.StatusOK
		if known[o.SourceOrderID] == "" {
			want = http.StatusCreated
		}
		if err != nil || status != want || (o.id != "" && answer.ID != o.id) {
			k.t.Errorf("order %s again: %d %v as %s, want %d as %q", o.SourceOrderID, status, err, answer.ID, want, o.id)
		}
		o.id = answer.ID
	}
	again := k.list()
	for _, o := range k.orders {
		if o.id != "" && again[o.SourceOrderID] != o.id {
			k.t.Errorf("order %s is %q after sending it again, want %s", o.SourceOrderID, again[o.SourceOrderID], o.id)
		}
	}
}

// list gives the id of every order by its source's id, each of which stands there once.
func (k *killer) list() map[string]string {
	k.t.Helper()
	ids, cursor := map[string]string{}, ""
	for {
		var page struct {
			Orders []struct {
				ID            string
				SourceOrderID string `json:"source_order_id"`
			}
			Next string
		}
		if status, err := k.call(k.t.Context(), http.MethodGet, "/v1/orders?limit=200&cursor="+cursor, nil, &page); err != nil || status != http.StatusOK {
			k.t.Fatalf("list orders: %d %v", status, err)
		}
		for _, o := range page.Orders {
			if ids[o.SourceOrderID] != "" {
				k.t.Errorf("order %s is there twice", o.SourceOrderID)
			}
			ids[o.SourceOrderID] = o.ID
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}

// settle runs the box once more, with all well, until every job has come to its end.
func (k *killer) settle() {
	k.t.Helper()
	box := k.start()
	k.recheck()
	for end := time.Now().Add(90 * time.Second); ; {
		open := k.open()
		if len(open) == 0 {
			break
		}
		if time.Now().After(end) {
			var printers json.RawMessage
			_, _ = k.call(k.t.Context(), http.MethodGet, "/v1/printers", nil, &printers)
			k.t.Fatalf("jobs that do not end: %v\n%s\n%s", open, printers, box.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
	box.kill()
}

// open counts the jobs that are not at their end, by printer and state.
func (k *killer) open() map[string]int {
	k.t.Helper()
	open, cursor := map[string]int{}, ""
	for {
		var page struct {
			Orders []struct {
				Tickets []struct {
					Jobs []struct{ Printer, State string }
				}
			}
			Next string
		}
		if status, err := k.call(k.t.Context(), http.MethodGet, "/v1/orders?limit=200&cursor="+cursor, nil, &page); err != nil || status != http.StatusOK {
			k.t.Fatalf("list orders: %d %v", status, err)
		}
		for _, o := range page.Orders {
			for _, ticket := range o.Tickets {
				for _, j := range ticket.Jobs {
					if !slices.Contains([]string{"done", "superseded", "cancelled", "unknown"}, j.State) {
						open[j.Printer+" "+j.State]++
					}
				}
			}
		}
		if cursor = page.Next; cursor == "" {
			return open
		}
	}
}

// judge reads the paper: every ticket that was not cancelled is there, and of its copies at most one has no banner.
func (k *killer) judge(printers []paperPrinter) {
	k.t.Helper()
	type copies struct{ plain, banner int }
	paper := map[string]*copies{} // by order and station
	for _, p := range printers {
		for _, one := range p.pieces(k.t) {
			for _, line := range strings.Split(one.Text, "\n") {
				station, _, _ := strings.Cut(strings.TrimSpace(line), " ")
				station = strings.ToLower(station)
				if !slices.Contains([]string{"grill", "pass", "bar"}, station) {
					continue
				}
				id := mark(one.Text)
				if id == "" || strings.Contains(one.Text, "CANCEL") {
					break
				}
				c := paper[id+" "+station]
				if c == nil {
					c = &copies{}
					paper[id+" "+station] = c
				}
				if one.Banner {
					c.banner++
				} else {
					c.plain++
				}
				break
			}
		}
	}
	var wanted []string
	cursor := ""
	for {
		var page struct {
			Orders []struct {
				State   string
				Partner struct {
					OrderID string `json:"order_id"`
				}
				Tickets []struct{ Station, Kind string }
			}
			Next string
		}
		box := cursor == "" // the first page needs a running box
		if box {
			k.start()
		}
		if status, err := k.call(k.t.Context(), http.MethodGet, "/v1/orders?limit=200&cursor="+cursor, nil, &page); err != nil || status != http.StatusOK {
			k.t.Fatalf("list orders: %d %v", status, err)
		}
		for _, o := range page.Orders {
			if o.State == "cancelled" {
				continue
			}
			for _, ticket := range o.Tickets {
				wanted = append(wanted, o.Partner.OrderID+" "+ticket.Station)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	for _, w := range wanted {
		if paper[w] == nil {
			id, _, _ := strings.Cut(w, " ")
			k.t.Errorf("ticket %s is on no paper; with that mark there are:\n%s", w, k.marked(printers, id))
		}
	}
	for _, w := range slices.Sorted(maps.Keys(paper)) {
		if c := paper[w]; c.plain > 1 {
			id, _, _ := strings.Cut(w, " ")
			k.t.Errorf("ticket %s is on paper %d times without a banner (and %d with)\n%s\n%s", w, c.plain, c.banner, k.marked(printers, id), k.story(id))
		}
	}
}

// mark finds the partner's id on a piece of paper.
func mark(text string) string {
	at := strings.Index(text, "X0")
	if at < 0 || len(text) < at+7 || text[at+6] != 'X' {
		return ""
	}
	return text[at : at+7]
}

// story gives what the box tells of the order with that mark, for a person who looks for the fault.
func (k *killer) story(id string) json.RawMessage {
	for _, o := range k.orders {
		if o.Partner.OrderID == id {
			var story json.RawMessage
			_, _ = k.call(k.t.Context(), http.MethodGet, "/v1/orders/"+o.id, nil, &story)
			return story
		}
	}
	return nil
}

// marked gives every piece of paper that bears the mark, for a person who looks for the fault.
func (k *killer) marked(printers []paperPrinter, id string) string {
	var found strings.Builder
	for _, p := range printers {
		for _, one := range p.pieces(k.t) {
			if strings.Contains(one.Text, id) {
				fmt.Fprintf(&found, "on %s:\n%s\n", p.name, one.Text)
			}
		}
	}
	return found.String()
}
