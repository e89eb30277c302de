package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/box"
	"aboyeur/simulate/dinner"
	"aboyeur/simulate/opera"
	"aboyeur/simulate/printer"
)

// demoPrinters are the simulated printers of the demonstration, each of another kind.
var demoPrinters = []struct{ name, model string }{
	{"grill", "epson-tm-t88"}, {"pass", "epson-tm-m30"}, {"bar", "epson-tm-t20"},
}

// demoSpeed is how fast they print: a thermal printer's usual pace.
var demoSpeed = printer.Speed{LinesPerSecond: 45, Cut: 150 * time.Millisecond}

// demoLatency is how long the simulated hotel thinks, and demoChecks how many of its guests dine a minute.
const (
	demoLatency = 120 * time.Millisecond
	demoChecks  = 20
)

// demoConfig is the box of the demonstration; the addresses are filled in.
const demoConfig = `
site: {id: demo-1, name: Brasserie Bellevue, timezone: Europe/Paris, currency: EUR, language: %s}
data: {dir: %q}
http: {listen: %q, tokens_file: %q}
printers:
  - {name: grill, connect: "tcp:%s", model: epson-tm-t88, language: fr, fallback: pass}
  - {name: pass,  connect: "tcp:%s", model: epson-tm-m30, language: fr, fallback: bar}
  - {name: bar,   connect: "tcp:%s", model: epson-tm-t20, language: en}
screens:
  - {name: kitchen, diagonal_inches: 21.5, distance_m: 1.2, theme: night, backup: bar}
  - {name: bar, diagonal_inches: 15.6, distance_m: 0.8, theme: day, backup: kitchen}
stations:
  - {name: grill, printers: [grill], screens: [kitchen], categories: [Grill, Mains], warn_after: 8m, late_after: 12m}
  - {name: pass, printers: [pass], screens: [kitchen], categories: [Pizza, Fry, Starters, Cold, Desserts], default: true}
  - {name: bar, printers: [bar], screens: [bar], categories: [Drinks], warn_after: 3m, late_after: 6m}
pms:
  kind: opera
  dialect: fias
  connect: "tcp:%s"
  encoding: windows-1252
  version: "5.0.05.01"
  outlets: [{name: restaurant, code: 1}, {name: bar, code: 2}]
  revenue: {account: "9001", mapping: [{group: beverage, subtotal: 2}, {subtotal: 1}]}
floor: {areas: [{name: Salle, tables: ["3", "5", "7", "12", "18", "21"]}, {name: Terrasse, tables: ["T01"]}]}
`

// summary is the last line of a demonstration, counted from the ledgers of its peers.
type summary struct {
	Orders         int `json:"orders"`
	TicketsPrinted int `json:"tickets_printed"`
	ScreenEvents   int `json:"screen_events"`
	Postings       int `json:"postings"`
	Relays         int `json:"relays"`
	Failed         int `json:"failed"`
	Unknown        int `json:"unknown"`
}

// runDemo runs the service among simulated peers: an evening to look at.
func runDemo(ctx context.Context, std stdio, args []string) int {
	flags := flag.NewFlagSet("aboyeur demo", flag.ContinueOnError)
	flags.SetOutput(std.err)
	listen := flags.String("listen", "127.0.0.1:8080", "`ADDR` of the console; a port in use gives way to a free one")
	data := flags.String("data", "", "`DIR` for the journal; a temporary folder when absent")
	seconds := flags.Int("seconds", 0, "stop by itself after so many `seconds`; 0: when interrupted")
	rate := flags.Float64("rate", 30, "orders a minute")
	language := flags.String("language", "en", "of console and screens where the browser has not chosen: en or fr")
	verbose := flags.Bool("verbose", false, "log what the box does")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitFailed
	}
	if *seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*seconds)*time.Second)
		defer cancel()
	}
	log := slog.New(slog.DiscardHandler)
	if *verbose {
		log = newLog(std.err, false)
	}
	s, err := demonstrate(ctx, std.out, log, *listen, *data, *language, *rate)
	if err != nil {
		fmt.Fprintln(std.err, "aboyeur demo:", err)
		return exitFailed
	}
	line, err := json.Marshal(s)
	if err != nil {
		fmt.Fprintln(std.err, "aboyeur demo:", err)
		return exitFailed
	}
	fmt.Fprintf(std.out, "%s\n", line)
	if s.Failed > 0 || s.Unknown > 0 {
		return exitFailed
	}
	return exitOK
}

// demonstrate runs until ctx ends, lets everything finish, and counts.
func demonstrate(ctx context.Context, out io.Writer, log *slog.Logger, listen, data, language string, rate float64) (s summary, err error) {
	if data == "" {
		if data, err = os.MkdirTemp("", "aboyeur-demo-"); err != nil {
			return s, err
		}
		defer os.RemoveAll(data)
	}
	listener, err := net.Listen("tcp", listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(listen)
		listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return s, err
	}

	// Peers and box each have a context of their own: at the end the guests go first, then cooks, box and printers.
	all, stopAll := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAll()
	peers, peersDone := errgroup.WithContext(all)
	var paper []*printer.Printer
	var addresses []any
	for _, p := range demoPrinters {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return s, err
		}
		sim, err := printer.New(printer.Config{Model: p.model, Speed: demoSpeed, Serial: "DEMO-" + strings.ToUpper(p.name), Log: log})
		if err != nil {
			return s, err
		}
		paper, addresses = append(paper, sim), append(addresses, l.Addr().String())
		peers.Go(func() error { return sim.Serve(peersDone, l) })
	}
	hotel, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	addresses = append(addresses, hotel.Addr().String())
	values := append([]any{language, data, listener.Addr().String(), filepath.Join(data, "tokens")}, addresses...)
	c, err := firmwareconfig.Parse("demo.yaml", fmt.Appendf(nil, demoConfig, values...))
	if err != nil {
		return s, err
	}
	// The hotel's clock is the venue's.
	now := func() time.Time { return time.Now().In(c.Site.Location) }
	ifc8, err := opera.New(opera.Config{Encoding: "windows-1252", Latency: demoLatency, Now: now, Log: log})
	if err != nil {
		return s, err
	}
	peers.Go(func() error { return ifc8.Serve(peersDone, hotel) })
	b, err := box.New(ctx, c, box.Options{Demo: true, Listener: listener, Version: version, Log: log})
	if err != nil {
		return s, err
	}
	base := "http://" + listener.Addr().String()
	running, stopBox := context.WithCancel(all)
	defer stopBox()
	var service errgroup.Group
	service.Go(func() error { return b.Run(running) })

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	guests := &dinner.Guests{Box: base, Client: client, Rate: rate, Source: "demo"}
	cooks := []*dinner.Cook{
		{Box: base, Client: client, Screen: "kitchen", Pace: 75 * time.Second},
		{Box: base, Client: client, Screen: "bar", Pace: 40 * time.Second},
	}
	residents := &dinner.Residents{
		Box: base, Client: client, Rate: demoChecks, Tables: []string{"3", "5", "7", "T01"},
		Rooms: []string{"2781", "101", "Smith", "105", "202", "Garibaldi", "108", "401", "9002"},
	}
	kitchen, stopKitchen := context.WithCancel(all)
	defer stopKitchen()
	var shift errgroup.Group
	for _, cook := range cooks {
		shift.Go(func() error { return cook.Run(kitchen) })
	}
	fmt.Fprintf(out, "Aboyeur serves a simulated evening. Console: %s/\n", base)
	fmt.Fprintf(out, "Kitchen screens: %s/screens/kitchen and %s/screens/bar\n", base, base)
	fmt.Fprintf(out, "The hotel, with its rooms and charges: %s/hotel\n", base)
	var dining errgroup.Group
	dining.Go(func() error {
		waitFor(5*time.Second, func() bool { return ctx.Err() != nil || hotelUp(all, client, base) })
		return residents.Run(ctx)
	})
	if err := errors.Join(guests.Run(ctx, 6), dining.Wait()); err != nil {
		return s, err
	}

	ledger := guests.Ledger()
	fmt.Fprintln(out, "The last guest has ordered; waiting for the last ticket.")
	waitFor(10*time.Second, func() bool {
		left, err := unfinished(all, client, base, ledger.IDs)
		return err == nil && left.open == 0
	})
	left, err := unfinished(all, client, base, ledger.IDs)
	if err != nil {
		return s, fmt.Errorf("count what is on paper: %w", err)
	}
	waitFor(5*time.Second, func() bool { return shown(cooks, left.tickets) })
	posted, doubtful, err := posted(all, client, base)
	if err != nil {
		return s, fmt.Errorf("count what the hotel was told: %w", err)
	}
	stopKitchen()
	stopBox()
	if err := errors.Join(shift.Wait(), service.Wait()); err != nil {
		return s, err
	}
	s.Orders = ledger.Orders
	for _, p := range paper {
		s.TicketsPrinted += int(p.State().Tickets)
	}
	for _, cook := range cooks {
		s.ScreenEvents += cook.Ledger().Events
	}
	dined := residents.Ledger()
	s.Postings = int(ifc8.State().Totals.Postings)
	s.Unknown = left.unknown + doubtful
	s.Failed = ledger.Refused + left.missing + left.failed + left.open + dined.Failed
	if s.Postings != posted {
		// So is a charge that only one of box and hotel knows.
		s.Failed += max(s.Postings-posted, posted-s.Postings)
	}
	if s.TicketsPrinted != left.jobs {
		// The box and the paper disagree: the worst there is, so it must not look like success.
		s.Failed += max(s.TicketsPrinted-left.jobs, left.jobs-s.TicketsPrinted)
	}
	if !shown(cooks, left.tickets) {
		s.Failed++
	}
	for _, fault := range append(ledger.Faults, dined.Faults...) {
		fmt.Fprintln(out, fault)
	}
	stopAll()
	return s, peers.Wait()
}

// account is what the box itself says of the guests' orders.
type account struct {
	missing, open, jobs, failed, unknown int
	tickets                              []string // that screens must have shown
}

// unfinished asks the box for each order the guests were told it had taken.
func unfinished(ctx context.Context, client *http.Client, base string, ids []string) (a account, err error) {
	found := map[string]bool{}
	cursor := ""
	for {
		var page struct {
			Orders []struct {
				ID      string
				Tickets []struct {
					ID, Kind, State string
					Jobs            []struct{ State string }
				}
			}
			Next string
		}
		if err := get(ctx, client, base+"/v1/orders?limit=200&cursor="+cursor, &page); err != nil {
			return a, err
		}
		for _, o := range page.Orders {
			found[o.ID] = true
			for _, t := range o.Tickets {
				if t.Kind == "order" {
					a.tickets = append(a.tickets, t.ID)
				}
				for _, j := range t.Jobs {
					switch j.State {
					case "done":
						a.jobs++
					case "unknown":
						a.unknown++
					case "failed", "cleared":
						a.failed++
					case "cancelled", "superseded":
					default:
						a.open++
					}
				}
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	for _, id := range ids {
		if !found[id] {
			a.missing++
		}
	}
	return a, nil
}

// get reads JSON that the box answers.
func get(ctx context.Context, client *http.Client, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(into)
}

// hotelUp tells whether rooms can be charged.
func hotelUp(ctx context.Context, client *http.Client, base string) bool {
	var hotel struct{ Charging bool }
	return get(ctx, client, base+"/v1/pms", &hotel) == nil && hotel.Charging
}

// posted counts what the box says of the hotel's postings; the doubtful have no certain end.
func posted(ctx context.Context, client *http.Client, base string) (posted, doubtful int, err error) {
	cursor := ""
	for {
		var page struct {
			Postings []struct{ State string }
			Next     string
		}
		if err := get(ctx, client, base+"/v1/pms/postings?limit=200&cursor="+cursor, &page); err != nil {
			return posted, doubtful, err
		}
		for _, p := range page.Postings {
			switch p.State {
			case "posted":
				posted++
			case "refused":
			default:
				doubtful++
			}
		}
		if cursor = page.Next; cursor == "" {
			return posted, doubtful, nil
		}
	}
}

// shown tells whether every ticket appeared on a cook's screen.
func shown(cooks []*dinner.Cook, tickets []string) bool {
	seen := map[string]bool{}
	for _, cook := range cooks {
		for id := range cook.Ledger().Tickets {
			seen[id] = true
		}
	}
	for _, id := range tickets {
		if !seen[id] {
			return false
		}
	}
	return true
}

// waitFor looks at done until it holds or the time is over.
func waitFor(limit time.Duration, done func() bool) {
	for end := time.Now().Add(limit); !done() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
}
