package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aboyeur/simulate/dinner"
)

// A box is the one under test: one that the generator started, or one that runs already.
type box struct {
	base   string // http://host:port
	addr   string // host:port
	orders string // token that may send orders
	reads  string // token that may list orders
	screen string // token that may read screens

	process *process // nil for a box that runs already
	ready   time.Duration
}

// screenName and the like are the names the generator gives; the station's number is read back from the name.
func screenName(i int) string  { return fmt.Sprintf("screen%d", i) }
func stationName(i int) string { return fmt.Sprintf("station%d", i) }
func printerName(i int) string { return fmt.Sprintf("printer%d", i) }

// configuration is the box's YAML (contract section 3): a station for each printer, the categories dealt out among them,
// the screens dealt out among the stations.
func configuration(l layout, listen, dir, tokens string, printers []string) []byte {
	var b bytes.Buffer
	f := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	f("site: {id: bench-1, name: Bench, timezone: Europe/Paris, currency: EUR, language: fr}")
	f("data: {dir: %s}", quoted(dir))
	f("http:")
	f("  listen: %s", quoted(listen))
	f("  tokens_file: %s", quoted(tokens))
	f("printers:")
	for i, connect := range printers {
		f("  - {name: %s, connect: %s, model: epson-tm-t88, columns: 42, language: fr}", printerName(i), quoted(connect))
	}
	if l.screens > 0 {
		f("screens:")
		for i := range l.screens {
			f("  - {name: %s, diagonal_inches: 21.5, distance_m: 1.2, theme: night}", screenName(i))
		}
	}
	f("stations:")
	for i := range l.stations {
		var cats, screens []string
		for _, c := range dinner.Categories {
			if stationOf(c, l.stations) == i {
				cats = append(cats, c)
			}
		}
		for _, s := range l.screensOf(i) {
			screens = append(screens, screenName(s))
		}
		last := ""
		if i == 0 {
			last = ", default: true"
		}
		f("  - {name: %s, printers: [%s], screens: [%s], categories: [%s]%s}", stationName(i), printerName(i), strings.Join(screens, ", "), strings.Join(cats, ", "), last)
	}
	f("courses: [drinks, starters, mains, desserts]")
	return b.Bytes()
}

// quoted is a YAML scalar: JSON's strings are YAML's.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

// addToken makes a bearer token with the program's own command.
func addToken(program, file, role, name string) (string, error) {
	cmd := exec.Command(program, "token", "add", "--file", file, "--role", role, "--name", name)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("token add: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	token := strings.TrimSpace(out.String())
	if i := strings.LastIndexByte(token, '\n'); i >= 0 {
		token = token[i+1:]
	}
	if token == "" || strings.ContainsAny(token, " \t") {
		return "", fmt.Errorf("token add printed %q, not a token", out.String())
	}
	return token, nil
}

// startBox lays out a fresh box in dir, starts it and waits until it takes orders.
func startBox(ctx context.Context, program, dir string, l layout, printers []string, in *cage, sync time.Duration) (*box, error) {
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	b := &box{base: "http://" + addr, addr: addr}
	tokens := filepath.Join(dir, "tokens")
	for _, t := range []struct {
		role string
		to   *string
	}{{"aggregator", &b.orders}, {"admin", &b.reads}, {"staff", &b.screen}} {
		if *t.to, err = addToken(program, tokens, t.role, "bench-"+t.role); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(dir, "box.yaml")
	if err := os.WriteFile(config, configuration(l, addr, data, tokens, printers), 0o600); err != nil {
		return nil, err
	}
	b.process, err = start(launch{name: "box", argv: []string{program, "run", "--config", config}, log: filepath.Join(dir, "box.log"), cage: in, sync: sync})
	if err != nil {
		return nil, err
	}
	if err := b.waitReady(ctx); err != nil {
		return nil, errors.Join(err, b.process.stop(time.Second))
	}
	return b, nil
}

// freeAddress is an address of this machine that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// patienceReady is how long a box may take to start before the generator gives up.
const patienceReady = 30 * time.Second

// waitReady asks /readyz until it answers 200, and notes how long after its start that was.
func (b *box) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patienceReady)
	defer cancel()
	hc := &http.Client{Transport: &http.Transport{}}
	defer hc.CloseIdleConnections()
	var last error
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := hc.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				if b.process != nil {
					b.ready = monotonic() - b.process.started
				}
				return nil
			}
			err = fmt.Errorf("/readyz: %s", resp.Status)
		}
		last = err
		var died <-chan struct{}
		if b.process != nil {
			died = b.process.done
		}
		select {
		case <-died:
			return fmt.Errorf("the box ended: %v: %s", b.process.err, b.process.tail)
		case <-ctx.Done():
			return fmt.Errorf("the box is not ready after %s: %w", patienceReady, last)
		case <-time.After(time.Millisecond):
		}
	}
}

// A listed is what the generator reads of an order in the box's own list.
type listed struct {
	SourceOrderID string `json:"source_order_id"`
	State         string `json:"state"`
	Tickets       []struct {
		Station string `json:"station"`
		Jobs    []struct {
			State    string `json:"state"`
			Evidence string `json:"evidence"`
		} `json:"jobs"`
	} `json:"tickets"`
}

// list pages through all orders of the box.
func (b *box) list(ctx context.Context, each func(listed)) (pages int, err error) {
	hc := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	defer hc.CloseIdleConnections()
	cursor := ""
	for {
		q := url.Values{"limit": {"200"}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/v1/orders?"+q.Encode(), nil)
		if err != nil {
			return pages, err
		}
		req.Header.Set("Authorization", "Bearer "+b.reads)
		resp, err := hc.Do(req)
		if err != nil {
			return pages, fmt.Errorf("list orders: %w", err)
		}
		var page struct {
			Orders []listed `json:"orders"`
			Next   string   `json:"next"`
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || err != nil {
			return pages, fmt.Errorf("list orders, page %d: %s: %w", pages+1, resp.Status, err)
		}
		pages++
		for _, o := range page.Orders {
			each(o)
		}
		if page.Next == "" || page.Next == cursor {
			return pages, nil
		}
		cursor = page.Next
	}
}

// scrape reads the box's own metrics, those without labels, for the report; nil when they cannot be had.
func (b *box) scrape(ctx context.Context) map[string]float64 {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/metrics", nil)
	if err != nil {
		return nil
	}
	req.Header.Set("Authorization", "Bearer "+b.reads)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	return parseMetrics(resp.Body)
}
