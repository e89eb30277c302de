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
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/box"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/channel"
	klightspeed "aboyeur/protocol/lightspeed"
	"aboyeur/simulate/bookings"
	"aboyeur/simulate/deliveries"
	"aboyeur/simulate/dinner"
	"aboyeur/simulate/lightspeed"
	"aboyeur/simulate/opentable"
	"aboyeur/simulate/opera"
	"aboyeur/simulate/otter"
	"aboyeur/simulate/printer"
	"aboyeur/simulate/thefork"
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

// demoParties is how many parties with a reservation come a minute on each platform, and demoPace the time between their
// courses: guests in a hurry, so that a short look shows a whole meal.
const (
	demoParties = 10
	demoPace    = 1500 * time.Millisecond
	demoStay    = 90 * time.Second // of guests who order by a code at their table
)

// demoDeliveries is how many orders a minute come from marketplaces.
const demoDeliveries = 12

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
pos: {kind: lightspeed-k, location: "77", base_url: "http://%s", credentials_file: %q, webhook_secret_file: %q, payments: {default: CARD}}
floor: {areas: [{name: Salle, tables: ["3", "5", "7", "12", "18", "21", "31", "32", "33", "34"]}, {name: Hotel, tables: ["41", "42", "43", "44"]}, {name: Terrasse, tables: ["T01", "T02", "T03"]}]}
reservations:
  - {platform: opentable, venue: "12345", base_url: "http://%s", credentials_file: %q, webhook_secret_file: %q, walk_ins: true, staff: Manager,
     courses: [{status: appetizer, groups: [Starters]}, {status: entree, groups: [Mains]}, {status: dessert, groups: [Desserts]}]}
  - {platform: thefork, venue: "12345", base_url: "http://%s", credentials_file: %q, webhook_secret_file: %q, walk_ins: true}
delivery:
  - {aggregator: otter, store: "store-1", base_url: "http://%s", credentials_file: %q, webhook_secret_file: %q}
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
	till, account, err := demoTill(peersDone, peers, data)
	if err != nil {
		return s, err
	}
	addresses = append(addresses, account...)
	hosts, platforms, err := demoPlatforms(peersDone, peers, data, log)
	if err != nil {
		return s, err
	}
	addresses = append(addresses, platforms...)
	market, aggregator, err := demoMarket(peersDone, peers, data)
	if err != nil {
		return s, err
	}
	addresses = append(addresses, aggregator...)
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
	till.Hook(base + "/webhooks/lightspeed")
	for _, h := range hosts {
		h.Hook(base + "/webhooks/" + h.name)
	}
	market.Hook(base + "/webhooks/otter")
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
		Box: base, Client: client, Rate: demoChecks, Tables: []string{"41", "42", "43", "44"},
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
	parties := []*dinner.Parties{
		{Box: base, Client: client, Host: hosts[0], Name: "OT", Rate: demoParties, Pace: demoPace, Tables: []string{"31", "32", "33", "34"}},
		{Box: base, Client: client, Host: hosts[1], Name: "TF", Rate: demoParties, Pace: demoPace, Tables: []string{"T02", "T03"}, Open: true,
			ID: func(n int) string { return fmt.Sprintf("5e1f0a3c-0000-4000-8000-%012d", n+1) }},
	}
	fmt.Fprintf(out, "The hotel, with its rooms and charges: %s/hotel\n", base)
	var dining errgroup.Group
	dining.Go(func() error {
		waitFor(5*time.Second, func() bool { return ctx.Err() != nil || hotelUp(all, client, base) })
		return residents.Run(ctx)
	})
	for _, p := range parties {
		dining.Go(func() error { return p.Run(ctx) })
	}
	waiter := &dinner.Waiter{Box: base, Client: client, Tables: []string{"3", "5", "7", "12", "18", "21", "T01"}, Stay: demoStay}
	dining.Go(func() error { return waiter.Run(ctx) })
	homes := &dinner.Deliveries{Market: market.Simulator, Rate: demoDeliveries}
	dining.Go(func() error { return homes.Run(ctx) })
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
	waitFor(10*time.Second, func() bool {
		left, err = unfinished(all, client, base, ledger.IDs)
		return err == nil && left.injecting == 0
	})
	if err != nil {
		return s, fmt.Errorf("count what the till has: %w", err)
	}
	waitFor(5*time.Second, func() bool { return shown(cooks, left.tickets) })
	posted, doubtful, err := posted(all, client, base)
	if err != nil {
		return s, fmt.Errorf("count what the hotel was told: %w", err)
	}
	waitFor(10*time.Second, func() bool { waiting, err := waitingUpdates(all, client, base); return err == nil && waiting == 0 })
	waiting, err := waitingUpdates(all, client, base)
	if err != nil {
		return s, fmt.Errorf("count what the platforms were told: %w", err)
	}
	stopKitchen()
	stopBox()
	if err := errors.Join(shift.Wait(), service.Wait()); err != nil {
		return s, err
	}
	ordered := homes.Ledger()
	s.Orders = ledger.Orders + ordered.Orders
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
	// What the box says is at the till, and what the till has: each order once.
	s.Failed += left.injecting + max(left.injected-taken(till), taken(till)-left.injected)
	s.Failed += waiting + ordered.Refused
	for _, e := range market.Orders() {
		if e.Created == 0 && len(e.Failures) == 0 && e.Status != channel.Cancelled {
			s.Failed++ // the aggregator never heard what became of it
		}
	}
	faults := slices.Concat(ledger.Faults, dined.Faults, ordered.Faults)
	for i, p := range parties {
		sat := p.Ledger()
		told := hosts[i].Ledger()
		s.Relays += len(told)
		s.Failed += sat.Failed + untold(sat.Closed, told)
		faults = append(faults, sat.Faults...)
	}
	for _, fault := range faults {
		fmt.Fprintln(out, fault)
	}
	stopAll()
	return s, peers.Wait()
}

// host is a simulated platform with the name that its webhooks have.
type host struct {
	*bookings.Simulator
	name string
}

// demoPlatforms starts the reservation platforms, and gives what the configuration says of each: address and the files of its
// secrets.
func demoPlatforms(ctx context.Context, peers *errgroup.Group, data string, log *slog.Logger) (hosts []host, values []any, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, nil, err
	}
	credentials, secret := filepath.Join(data, "platform.yaml"), filepath.Join(data, "platform.secret")
	for name, text := range map[string]string{
		credentials: fmt.Sprintf("client_id: %s\nclient_secret: %s\ntoken: %s\n", bookings.DefaultID, bookings.DefaultSecret, bookings.DefaultSecret),
		secret:      bookings.DefaultHook,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range []struct {
		name string
		make func(bookings.Config) (*bookings.Simulator, error)
	}{{"opentable", opentable.New}, {"thefork", thefork.New}} {
		sim, err := p.make(bookings.Config{Echo: true, Log: log})
		if err != nil {
			return nil, nil, err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		peers.Go(func() error {
			defer sim.Close()
			return sim.Serve(ctx, l)
		})
		hosts, values = append(hosts, host{sim, p.name}), append(values, l.Addr().String(), credentials, secret)
	}
	return hosts, values, nil
}

// demoTill starts the till that orders are handed to, and gives what the configuration says of it: address and the files of
// its secrets.
func demoTill(ctx context.Context, peers *errgroup.Group, data string) (*lightspeed.Simulator, []any, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, nil, err
	}
	credentials, secret := filepath.Join(data, "till.yaml"), filepath.Join(data, "till.secret")
	for name, text := range map[string]string{credentials: "token: " + lightspeed.DefaultToken + "\n", secret: lightspeed.DefaultPassword} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
	}
	sim, err := lightspeed.New(lightspeed.Config{AnyItem: true, Tables: demoTables()})
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	peers.Go(func() error {
		defer sim.Simulator.Close()
		return sim.Serve(ctx, l)
	})
	return sim, []any{l.Addr().String(), credentials, secret}, nil
}

// demoTables is the till's floor plan: the tables that guests order from.
func demoTables() (all []klightspeed.Table) {
	for i, name := range []string{"3", "5", "7", "12", "18", "21", "T01"} {
		all = append(all, klightspeed.Table{ID: name, Number: i + 1, Name: name, Seats: 4, Active: true})
	}
	return all
}

// taken counts the orders that the till has.
func taken(till *lightspeed.Simulator) (n int) {
	for _, o := range till.Orders() {
		if o.Account != "" {
			n++
		}
	}
	return n
}

// demoMarket starts the delivery aggregator, and gives what the configuration says of it: address and the files of its secrets.
func demoMarket(ctx context.Context, peers *errgroup.Group, data string) (*otter.Simulator, []any, error) {
	credentials, secret := filepath.Join(data, "otter.yaml"), filepath.Join(data, "otter.secret")
	for name, text := range map[string]string{
		credentials: fmt.Sprintf("client_id: %s\nclient_secret: %s\n", deliveries.DefaultID, deliveries.DefaultSecret),
		secret:      deliveries.DefaultHook,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
	}
	sim, err := otter.New(otter.Config{})
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	peers.Go(func() error {
		defer sim.Close()
		return sim.Serve(ctx, l)
	})
	return sim, []any{l.Addr().String(), credentials, secret}, nil
}

// waitingUpdates counts what the platforms have yet to be told.
func waitingUpdates(ctx context.Context, client *http.Client, base string) (n int, err error) {
	var list struct {
		Integrations []struct{ Queue struct{ Waiting int } }
	}
	err = get(ctx, client, base+"/v1/integrations", &list)
	for _, i := range list.Integrations {
		n += i.Queue.Waiting
	}
	return n, err
}

// untold counts the parties that paid and whose platform does not know.
func untold(closed []string, told []booking.Delivered) (n int) {
	for _, id := range closed {
		if !slices.ContainsFunc(told, func(d booking.Delivered) bool { return d.Reservation == id && d.Kind == booking.KindClosed }) {
			n++
		}
	}
	return n
}

// account is what the box itself says of the guests' orders.
type account struct {
	missing, open, jobs, failed, unknown int
	injecting, injected                  int      // into the till
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
				InPOS   string `json:"in_pos"`
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
			switch o.InPOS {
			case "pending":
				a.injecting++
			case "yes":
				a.injected++
			}
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
