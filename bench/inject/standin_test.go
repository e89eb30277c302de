package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"aboyeur/simulate/dinner"
)

// standIn is a program that looks like a box from outside: the same commands, the same paths, nothing on disk.
func standIn(args []string) error {
	if args[0] == "token" {
		fmt.Println("token-of-" + args[len(args)-1])
		return nil
	}
	b, err := os.ReadFile(args[len(args)-1])
	if err != nil {
		return err
	}
	d := &double{fault: os.Getenv("STAND_IN_FAULT"), known: map[string]string{}, struck: map[string]bool{}, subs: map[string]map[chan string]bool{}}
	if err := yaml.Unmarshal(b, &d.conf); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return d.run(ctx)
}

// A double is the stand-in's state.
type double struct {
	fault string
	conf  struct {
		HTTP struct {
			Listen string `yaml:"listen"`
		} `yaml:"http"`
		Printers []struct {
			Name    string `yaml:"name"`
			Connect string `yaml:"connect"`
		} `yaml:"printers"`
		Stations []struct {
			Name       string   `yaml:"name"`
			Printers   []string `yaml:"printers"`
			Screens    []string `yaml:"screens"`
			Categories []string `yaml:"categories"`
		} `yaml:"stations"`
	}
	printers map[string]chan []byte

	mu     sync.Mutex
	n      int
	known  map[string]string
	list   []string
	subs   map[string]map[chan string]bool
	struck map[string]bool
	since  time.Time
	count  int
}

func (d *double) run(ctx context.Context) error {
	d.printers = map[string]chan []byte{}
	var wg sync.WaitGroup
	for _, p := range d.conf.Printers {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.Connect, "tcp:"))
		if err != nil {
			return err
		}
		defer conn.Close()
		q := make(chan []byte, 100_000)
		d.printers[p.Name] = q
		// A box asks before it prints; none of it is a ticket.
		if _, err := conn.Write([]byte("\x1b@\x1dV\x00\x1da\xff\x1dI\x42\x10\x04\x01")); err != nil {
			return err
		}
		wg.Go(func() {
			answer := make([]byte, 256)
			for b := range q {
				if _, err := conn.Write(b); err != nil {
					return
				}
				for got := 0; got < 7; { // some of it answers the questions above
					n, err := conn.Read(answer)
					if err != nil {
						return
					}
					got += n
				}
			}
		})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v1/orders", d.take)
	mux.HandleFunc("GET /v1/orders", d.page)
	mux.HandleFunc("GET /v1/screens/{screen}/events", d.follow)
	l, err := net.Listen("tcp", d.conf.HTTP.Listen)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: mux, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err = srv.Serve(l)
	for _, q := range d.printers {
		close(q)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// strike says whether the fault is due: once each, and not two at one order.
func (d *double) strike(fault string) bool {
	if i := slices.Index(strings.Split(d.fault, ","), fault); i < 0 || d.struck[fault] || d.n < 4+3*i {
		return false
	}
	d.struck[fault] = true
	return true
}

func (d *double) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var m dinner.Order
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil || r.Header.Get("Authorization") != "Bearer token-of-bench-aggregator" {
		http.Error(w, "bad order", http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	refuse := d.strike("refuse")
	if d.fault == "narrow" && d.n > 50 && d.n%2 == 1 {
		refuse = true
	}
	if d.fault == "quota" {
		if time.Since(d.since) > 100*time.Millisecond {
			d.since, d.count = time.Now(), 0
		}
		if d.count++; d.count > 40 {
			refuse = true
		}
	}
	if refuse {
		d.n++
		w.Header().Set("Retry-After", "1")
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	if d.strike("fail") {
		http.Error(w, "disk", http.StatusInternalServerError)
		return
	}
	d.n++
	id := fmt.Sprint("order-", d.n)
	d.known[m.SourceOrderID] = id
	if !d.strike("unlisted") {
		d.list = append(d.list, m.SourceOrderID)
	}
	for _, s := range d.conf.Stations {
		if !concerned(s.Categories, m.Lines) {
			continue
		}
		ticket := fmt.Sprintf("\x1b!\x30%s %s\x1b!\x00\n2 Margherita\n", m.Partner.Name, m.Partner.OrderID)
		end := "\x1bd\x03\x1d(H\x06\x0000!!!!\x1dVB\x00"
		for _, p := range s.Printers {
			if !d.strike("lose-paper") {
				d.printers[p] <- []byte(ticket + end)
			}
			if d.strike("twice") {
				d.printers[p] <- []byte(ticket + end)
			}
			if d.strike("banner") {
				d.printers[p] <- []byte("** REPRINT 1 **\n" + ticket + end)
			}
		}
		for _, screen := range s.Screens {
			if d.strike("lose-screen") {
				continue
			}
			for sub := range d.subs[screen] {
				sub <- fmt.Sprintf("id: %d\nevent: ticket\ndata: {\"id\":\"t%d\",\"station\":%q,\"partner\":{\"name\":%q,\"order_id\":%q}}\n\n", d.n, d.n, s.Name, m.Partner.Name, m.Partner.OrderID)
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%q,"number":%d}`, id, d.n)
}

func concerned(categories []string, lines []dinner.Line) bool {
	for _, l := range lines {
		for _, c := range categories {
			if l.Category == c {
				return true
			}
		}
	}
	return false
}

func (d *double) page(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := 0
	fmt.Sscan(r.URL.Query().Get("cursor"), &from)
	to := min(from+7, len(d.list))
	page := map[string]any{"orders": []any{}}
	orders := []any{}
	for _, id := range d.list[from:to] {
		orders = append(orders, map[string]any{"source_order_id": id, "tickets": []any{map[string]any{"jobs": []any{map[string]any{"state": "done"}}}}})
	}
	page["orders"] = orders
	if to < len(d.list) {
		page["next"] = fmt.Sprint(to)
	}
	_ = json.NewEncoder(w).Encode(page)
}

// follow sends the stream in pieces that end anywhere, as a network does.
func (d *double) follow(w http.ResponseWriter, r *http.Request) {
	sub := make(chan string, 100_000)
	screen := r.PathValue("screen")
	d.mu.Lock()
	if d.subs[screen] == nil {
		d.subs[screen] = map[chan string]bool{}
	}
	d.subs[screen][sub] = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.subs[screen], sub)
		d.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	f := w.(http.Flusher)
	fmt.Fprint(w, "event: snapshot\ndata: {\"tickets\":[]}\n\n")
	f.Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case e := <-sub:
			half := len(e) * 2 / 3
			fmt.Fprint(w, e[:half])
			f.Flush()
			fmt.Fprint(w, e[half:])
			f.Flush()
		}
	}
}
