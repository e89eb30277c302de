// Package box puts an appliance together from its configuration and keeps it running: the program, the tests and the
// demonstration all start this one thing. Everything is wired by hand here; no other package of the bridge knows more
// than its own part.
package box

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/delivery"
	"aboyeur/bridge/department"
	"aboyeur/bridge/expo"
	"aboyeur/bridge/floor"
	"aboyeur/bridge/folio"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/kitchen"
	"aboyeur/bridge/menu"
	"aboyeur/bridge/onboard"
	"aboyeur/bridge/order"
	"aboyeur/bridge/pos"
	"aboyeur/bridge/privilege"
	"aboyeur/bridge/receipt"
	"aboyeur/bridge/relay"
	"aboyeur/bridge/report"
	"aboyeur/bridge/reservation"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/supervise"
	"aboyeur/bridge/support"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/web"
	"aboyeur/bridge/words"
	"aboyeur/devices/board"
	"aboyeur/devices/port"
	"aboyeur/devices/printer"
	"aboyeur/protocol/booking"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/escpos"
)

// Grace is how long what is in hand may take when the box is told to stop (contract section 2).
const Grace = 5 * time.Second

// memoryLimit keeps the garbage collector ahead of a burst; the limit under overload is 96 MiB resident in all, of which the
// program itself maps 17. Much lower, and a day of tickets that nobody bumped would keep the collector at work for ever.
const memoryLimit = 72 << 20

// laterDelay is how long the steps of a print job may wait for company. Losing the last of them in a crash is safe: the job
// comes back as unknown.
const laterDelay = 300 * time.Millisecond

// HasLibusb tells whether this build opens USB printers through libusb; another uses the kernel's own driver.
const HasLibusb = port.HasLibusb

// Options are what a caller decides besides the configuration.
type Options struct {
	Demo     bool         // loopback requests without a token are admin's
	Listener net.Listener // nil: the box listens as configured
	Version  string
	Bundle   Bundle           // what configured the box
	Now      func() time.Time // nil means time.Now
	ClockSet func() bool      // somebody who knows the time holds Now; nil asks the board, and believes any Now but its own
	Log      *slog.Logger     // nil means slog.Default

	storage func(driver.Connector) driver.Connector // tests put faults around the journal's storage
	pause   time.Duration                           // and do not wait long for a service to start again

	segments   []netip.Prefix               // where they look for printers
	rawPort    uint16                       // and at which port
	neighbours func() map[netip.Addr]string // and whose hardware addresses they know
	follow     time.Duration                // and how soon a printer that is away is looked for

	backoff     []time.Duration               // pauses between attempts to tell a platform
	probe       time.Duration                 // and between looks at one that is down
	aggregators map[string]channel.Aggregator // instead of those that the configuration names
	resolver    delivery.Resolver             // instead of the menu's links

	till     reservation.Till // opens the checks of reservations instead of the floor
	patience time.Duration    // with it, and of orders for another POS
	answer   time.Duration    // and how long its word is waited for
	mirror   time.Duration    // how often one that keeps the checks is asked for them
	settle   time.Duration    // within which it has a payment that left, or never
}

// Box is an appliance.
type Box struct {
	c   *firmwareconfig.Config
	o   Options
	log *slog.Logger

	dayClose time.Duration // when the business day ends, after local midnight

	registry    *prometheus.Registry
	journal     *journal.Journal
	access      *access.Access
	orders      *order.Service
	kitchen     *kitchen.Kitchen
	expo        *expo.Expo
	checks      *floor.Service
	desk        *receipt.Desk        // of bills and receipts
	hotel       folio.PMS            // nil without one
	folio       *folio.Service       // nil without a hotel
	till        *pos.Queue           // nil without a till that tells the box
	pos         *otherPOS            // nil where orders stay here
	mirror      *pos.Mirror          // nil where no till keeps the checks
	entries     *pos.Payments        // the same
	lines       net.Listener         // of tills that speak lines; nil without them
	relay       *relay.Service       // nil without a reservation platform
	bookings    *reservation.Service // the same
	platforms   []booking.Platform
	meter       *relay.Meter      // of what clouds are told; nil without them
	deliveries  *delivery.Service // nil without a delivery aggregator
	aggregators []channel.Aggregator
	menus       *menu.Service
	departments *department.Service
	rights      *privilege.Service // nil unless the till is Bepoz'
	onboard     *onboard.Service
	printers    *printers
	warnings    *warning.Board
	health      *health
	feed        *feed
	reports     *report.Reporter
	recent      *support.Ring // the latest log lines
	support     *support.Bundler
	server      *api.Server
	listener    net.Listener
	addr        net.Addr // of the listener

	fromBundle map[string]json.RawMessage // settings, as the configuration has them

	ground  *supervise.Group // the journal: first to start, last to end
	floor   *supervise.Group // what works on it
	outside *supervise.Group // who brings work: ends first
}

// New opens the journal, builds every part and listens; it runs nothing yet. Close what New returned if Run is not called.
func New(ctx context.Context, c *firmwareconfig.Config, o Options) (_ *Box, err error) {
	if o.Now == nil {
		o.Now = time.Now
		if o.ClockSet == nil {
			o.ClockSet = board.ClockSet
		}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	recent := support.NewRing()
	o.Log = slog.New(recent.Handler(o.Log.Handler()))
	b := &Box{c: c, o: o, log: o.Log, recent: recent, registry: prometheus.NewRegistry()}
	b.printers = &printers{b: b, each: map[string]*standing{}}
	b.fromBundle = map[string]json.RawMessage{folio.KeyClose: clockSetting(c.Site.BusinessDayClose)}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	b.warnings = warning.New(o.Now, o.Log)
	if b.journal, err = journal.Open(ctx, journal.Config{Dir: c.Data.Dir, Now: o.Now, Log: o.Log, Registerer: b.registry, LaterDelay: laterDelay, Wrap: o.storage}); err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", c.Data.Dir, err)
	}
	if b.dayClose, err = dayClose(ctx, b.journal, c.Site.BusinessDayClose); err != nil {
		return nil, err
	}
	if err := b.buildKitchen(ctx); err != nil {
		return nil, err
	}
	if err := b.buildPOS(); err != nil {
		return nil, err
	}
	orders := order.Config{
		Journal: b.journal, Kitchen: passage{b.kitchen}, Calendar: order.Calendar{Location: c.Site.Location, Close: b.dayClose},
		Currency: c.Site.Currency.Code, Courses: len(c.Courses), ReleaseBefore: releaseBefore(c), Now: o.Now, Set: o.ClockSet, Log: o.Log, Registerer: b.registry,
	}
	b.deliveryHooks(&orders)
	b.posHooks(&orders)
	b.checkHooks(&orders)
	if b.orders, err = order.New(ctx, orders); err != nil {
		return nil, err
	}
	b.access, err = access.New(ctx, access.Config{
		Journal: b.journal, TokensFile: c.HTTP.TokensFile, Now: o.Now, Log: o.Log,
		Screens: func(name string) bool { _, ok := c.Screen(name); return ok || name == expo.Name },
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.HTTP.TokensFile, err)
	}
	if err := b.buildDepartments(ctx); err != nil {
		return nil, err
	}
	if err := b.buildFloor(ctx); err != nil {
		return nil, err
	}
	if err := b.buildDesk(); err != nil {
		return nil, err
	}
	if len(c.Delivery)+len(c.Reservations) > 0 {
		if b.meter, err = relay.NewMeter(b.registry); err != nil {
			return nil, err
		}
	}
	if err := b.buildDelivery(ctx); err != nil {
		return nil, err
	}
	if err := b.buildRights(ctx); err != nil {
		return nil, err
	}
	if err := b.buildMenus(ctx); err != nil {
		return nil, err
	}
	if err := b.buildMirror(); err != nil {
		return nil, err
	}
	if err := b.buildEntries(); err != nil {
		return nil, err
	}
	if err := b.buildPlatforms(ctx); err != nil {
		return nil, err
	}
	if err := b.buildTill(); err != nil {
		return nil, err
	}
	b.feed = newFeed(b.journal)
	if b.health, err = newHealth(b); err != nil {
		return nil, err
	}
	if err := b.printers.restore(ctx); err != nil {
		return nil, fmt.Errorf("printers that were added: %w", err)
	}
	if b.reports, err = report.New(report.Config{Journal: b.journal, Location: c.Site.Location, Close: b.dayClose, Now: o.Now}); err != nil {
		return nil, err
	}
	if err := b.buildSupport(); err != nil {
		return nil, err
	}
	if err := b.buildServer(); err != nil {
		return nil, err
	}
	return b, b.supervise()
}

// dayClose is when the business day ends: as an admin set it in the console, else as configured.
func dayClose(ctx context.Context, j *journal.Journal, configured time.Duration) (time.Duration, error) {
	set, err := j.Setting(ctx, folio.KeyClose)
	if errors.Is(err, journal.ErrNoSetting) {
		return configured, nil
	}
	var clock string
	if err == nil {
		err = json.Unmarshal(set.Value, &clock)
	}
	var at time.Time
	if err == nil {
		at, err = time.Parse("15:04", clock)
	}
	if err != nil {
		return 0, fmt.Errorf("read when the business day ends: %w", err)
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, nil
}

// clockSetting writes a time of day as settings have it.
func clockSetting(d time.Duration) json.RawMessage {
	return json.RawMessage(fmt.Sprintf("%q", fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)))
}

func releaseBefore(c *firmwareconfig.Config) time.Duration {
	for _, d := range c.Delivery {
		return d.ReleaseBefore
	}
	return order.DefaultReleaseBefore
}

// buildKitchen makes stations, queues and the drivers of the printers.
func (b *Box) buildKitchen(ctx context.Context) (err error) {
	c := kitchen.Config{
		Journal: b.journal, Courses: b.c.Courses, Location: b.c.Site.Location, Now: b.o.Now, Log: b.log, Registerer: b.registry,
		AllReady: func(tx *journal.Tx, id journal.ID, ready bool, by string) error {
			return b.orders.Ready(tx, id, ready, by)
		},
		Scheduled: func(ctx context.Context) ([]sale.Placed, error) { return b.orders.Scheduled(ctx) },
		Day:       order.Calendar{Location: b.c.Site.Location, Close: b.dayClose}.Day,
		Words:     words.In(b.c.Site.Language), Device: b.printers.device, Replaced: b.printers.replaced, Papers: papers{b},
		QueueLong: func(name string, long bool, jobs int) {
			b.health.raise(long, "printer_queue_long", warning.Warn, name, name, jobs)
		},
		OnUnseen: func(station string, unseen bool) {
			b.health.raise(unseen, "tickets_unseen", warning.Critical, station, station)
		},
		OnScreen: func(screen, backup string, away bool) {
			b.health.raise(away, "screen_silent", warning.Warn, screen, screen, backup)
		},
	}
	for _, s := range b.c.Screens {
		c.Screens = append(c.Screens, kitchen.Screen{Name: s.Name, Backup: s.Backup})
	}
	for _, s := range b.c.Stations {
		c.Stations = append(c.Stations, kitchen.Station{
			Name: s.Name, Printers: s.Printers, Screens: s.Screens, Categories: s.Categories, SKUs: s.SKUs, Courses: s.Courses,
			Copies: s.Copies, Buzz: s.Buzzer, WarnAfter: s.WarnAfter, LateAfter: s.LateAfter, Default: s.Default,
			Limits: kitchen.Limits{DineIn: kitchen.Limit(s.Limits.DineIn), Delivery: kitchen.Limit(s.Limits.Delivery), Pickup: kitchen.Limit(s.Limits.Pickup)},
			ByPOS:  s.Output == firmwareconfig.OutputPOS, Fire: s.Fire, FireAfter: s.FireAfter, Prep: time.Duration(s.PrepMinutes) * time.Minute,
		})
	}
	all := make([]*standing, len(b.c.Printers))
	for i, p := range b.c.Printers {
		var config kitchen.PrinterConfig
		if all[i], config, err = b.printers.prepare(ctx, p); err != nil {
			return err
		}
		c.Printers = append(c.Printers, config)
	}
	if b.kitchen, err = kitchen.New(ctx, c); err != nil {
		return err
	}
	pass := expo.Config{Journal: b.journal, Now: b.o.Now}
	for _, s := range b.c.Stations {
		pass.Stations = append(pass.Stations, expo.Station{Name: s.Name, Screen: len(s.Screens) > 0})
	}
	b.expo = expo.New(pass)
	for i, s := range all {
		q := b.kitchen.Queue(s.c.Name)
		driver, err := b.printers.drive(s, c.Printers[i], q)
		if err != nil {
			return err
		}
		q.Attach(driver)
	}
	return nil
}

// buildServer gathers every route and opens the listener.
func (b *Box) buildServer() (err error) {
	routes := append(b.orders.Routes(), b.kitchen.Routes()...)
	routes = append(routes, b.expo.Routes()...)
	routes = append(routes, b.checks.Routes()...)
	routes = append(routes, b.desk.Routes()...)
	routes = append(routes, b.departments.Routes()...)
	routes = append(routes, b.printers.routes()...)
	if b.folio != nil {
		routes = append(routes, b.folio.Routes()...)
	}
	routes = append(routes, b.cloudRoutes()...)
	routes = append(routes, b.menus.Routes()...)
	if b.till != nil {
		routes = append(routes, b.guarded(b.till.Routes())...)
		routes = append(routes, b.rights.Routes()...)
	}
	routes = append(routes, b.onboard.Routes()...)
	routes = append(routes, b.refusedOfTill().Route())
	if b.pos != nil {
		routes = append(routes, b.pos.routes()...)
	}
	routes = append(routes, b.feed.routes()...)
	routes = append(routes, b.health.routes()...)
	routes = append(routes, b.reports.Routes()...)
	routes = append(routes, b.support.Routes()...)
	routes = append(routes, web.Routes(b.pages())...)
	c := api.Config{
		Routes: routes, Access: b.access, Version: b.o.Version, PublicURL: b.c.HTTP.PublicURL, TrustedProxies: b.c.HTTP.TrustedProxies,
		DemoLoopback: b.o.Demo, Log: b.log, OnPanic: func(route string) { b.health.panicked(route) },
	}
	if b.c.HTTP.TLS.On() {
		certificate, err := tls.LoadX509KeyPair(b.c.HTTP.TLS.CertFile, b.c.HTTP.TLS.KeyFile)
		if err != nil {
			return fmt.Errorf("read the certificate: %w", err)
		}
		c.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	if b.server, err = api.New(c); err != nil {
		return err
	}
	if b.listener = b.o.Listener; b.listener == nil {
		if b.listener, err = net.Listen("tcp", b.c.HTTP.Listen); err != nil {
			return fmt.Errorf("listen on %s: %w", b.c.HTTP.Listen, err)
		}
	}
	b.addr = b.listener.Addr()
	return nil
}

func (b *Box) pages() web.Config {
	c := web.Config{
		Site: b.c.Site.Name, Language: b.c.Site.Language, Timezone: b.c.Site.Timezone, Currency: b.c.Site.Currency.Code,
		DayClose: fmt.Sprintf("%02d:%02d", int(b.dayClose.Hours()), int(b.dayClose.Minutes())%60),
		Version:  b.o.Version, Demo: b.o.Demo, Log: b.log, Models: escpos.Models(),
	}
	for _, s := range b.c.Screens {
		screen := web.Screen{Name: s.Name, DiagonalInches: s.DiagonalInches, DistanceM: s.DistanceMetres, Theme: s.Theme, Direction: s.Direction, Columns: s.Columns}
		for _, st := range b.c.Stations {
			for _, name := range st.Screens {
				if name == s.Name {
					screen.Stations = append(screen.Stations, st.Name)
				}
			}
		}
		c.Screens = append(c.Screens, screen)
	}
	return c
}

// group is an empty set of services, whose falls are shown.
func (b *Box) group() *supervise.Group {
	g, err := supervise.New(supervise.Config{Log: b.log, Registerer: b.registry, OnFailure: b.health.fell, OnSteady: b.health.steady, Longest: b.o.pause})
	if err != nil {
		panic(err) // a counter that registers once registers again
	}
	return g
}

// supervise makes a service of every part that runs.
func (b *Box) supervise() error {
	b.ground, b.floor, b.outside = b.group(), b.group(), b.group()
	b.ground.Add("journal", b.journal.Run)
	b.floor.Add("kitchen", b.kitchen.Run)
	b.floor.Add("expo", b.expo.Run)
	b.floor.Add("access", b.access.Run)
	b.floor.Add("health", b.health.run)
	b.floor.Add("printer addresses", b.printers.watch)
	var onUSB []*printer.Printer
	for _, p := range b.c.Printers {
		driver := b.printers.get(p.Name).driver
		b.floor.Add("printer "+p.Name, driver.Run)
		if p.Connect.Scheme == port.USB {
			onUSB = append(onUSB, driver)
		}
	}
	if len(onUSB) > 0 {
		// A printer that is plugged in again prints at once, not after its pause between two tries.
		b.floor.Add("usb", func(ctx context.Context) error {
			return port.WatchUSB(ctx, func() {
				for _, p := range onUSB {
					p.Wake()
				}
			})
		})
	}
	if err := b.addBumpBars(); err != nil {
		return err
	}
	if b.folio != nil {
		b.floor.Add("hotel link", b.hotel.Run)
		b.floor.Add("hotel", b.folio.Run)
	}
	if b.bookings != nil {
		b.floor.Add("platforms", b.relay.Run)
		b.floor.Add("reservations", b.bookings.Run)
	}
	if !b.menus.Idle() {
		b.floor.Add("menus", b.menus.Run)
	}
	if b.deliveries != nil {
		b.floor.Add("deliveries", b.deliveries.Run)
	}
	if b.till != nil {
		b.floor.Add("till queue", b.till.Run)
	}
	if b.lines != nil {
		b.floor.Add("till lines", b.serveTills)
	}
	if b.pos != nil {
		b.floor.Add("pos", b.pos.orders.Run)
		if b.mirror != nil {
			b.floor.Add("pos checks", b.mirror.Run)
			b.floor.Add("pos payments", b.entries.Run)
		}
		if b.pos.k != nil && b.c.HTTP.PublicURL != "" {
			b.floor.Add("pos notifications", b.pos.subscribe)
		}
	}
	b.outside.Add("releases", b.orders.Run)
	b.outside.Add("http", b.serve)
	return nil
}

// serve answers HTTP. After a fall it listens anew at the same address.
func (b *Box) serve(ctx context.Context) error {
	l := b.listener
	if b.listener = nil; l == nil {
		var err error
		if l, err = net.Listen("tcp", b.c.HTTP.Listen); err != nil {
			return err
		}
	}
	return b.server.Serve(ctx, l)
}

// Addr is where the box listens.
func (b *Box) Addr() net.Addr { return b.addr }

// Registry is the box's own metrics.
func (b *Box) Registry() *prometheus.Registry { return b.registry }

// Run works until ctx ends; then it takes no more orders, finishes what is in hand within Grace, and closes the journal.
func (b *Box) Run(ctx context.Context) error {
	ground, stopGround := context.WithCancel(context.WithoutCancel(ctx))
	floor, stopFloor := context.WithCancel(ground)
	groundDone, floorDone := make(chan struct{}), make(chan struct{})
	go func() { defer close(groundDone); b.ground.Run(ground) }()
	go func() { defer close(floorDone); b.floor.Run(floor) }()
	b.printers.begin(floor)
	b.outside.Run(ctx)
	stopFloor()
	<-floorDone
	b.printers.end()
	stopGround()
	<-groundDone
	return b.close()
}

// close gives everything back.
func (b *Box) close() error {
	var faults []error
	if b.lines != nil {
		b.lines.Close()
	}
	if b.listener != nil {
		if err := b.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			faults = append(faults, err)
		}
	}
	b.closePlatforms()
	b.closeAggregators()
	b.pos.close()
	if b.journal != nil {
		faults = append(faults, b.journal.Close())
	}
	return errors.Join(faults...)
}
