package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
)

// Config says what the pages show that does not come from the API.
type Config struct {
	Site     string // name in the console's head
	Language string // of who has not chosen one: "en" or "fr"; "" means "en"
	Timezone string // IANA name; "" means UTC
	DayClose string // when the business day rolls, venue time; "" means "05:30"
	Currency string // ISO code; "" means EUR
	Screens  []Screen
	Models   []string // of printers the program knows, for who adds one
	Version  string   // of the program, on the Help page
	Demo     bool     // says so in the console's head
	Log      *slog.Logger
}

// A Screen is a kitchen screen as configured. Diagonal and distance give its type sizes.
type Screen struct {
	Name           string
	DiagonalInches float64 // 0 means 21.5
	DistanceM      float64 // 0 means 1.2
	Theme          string  // "night" or "day"; "" means night
	Direction      string  // how tickets follow one another: "right", "left" or "down"; "" means right
	Columns        int     // 0: as many as can be read
	Stations       []string
}

// Geometry of a screen that says nothing of it.
const (
	defaultDiagonal = 21.5 // inches
	defaultDistance = 1.2  // metres
)

// expoScreen is the name that a device at the pass is paired as.
const expoScreen = "expo"

// Routes gives every page and the files they need. It panics when the embedded pages do not parse, which the
// package's tests rule out.
func Routes(c Config) []api.Route { return routes(c, newAssets()) }

func routes(c Config, a *assets) []api.Route {
	fill(&c.Language, "en")
	fill(&c.Timezone, "UTC")
	fill(&c.DayClose, "05:30")
	fill(&c.Currency, "EUR")
	if c.Log == nil {
		c.Log = slog.Default()
	}
	for i := range c.Screens {
		s := &c.Screens[i]
		if s.DiagonalInches <= 0 {
			s.DiagonalInches = defaultDiagonal
		}
		if s.DistanceM <= 0 {
			s.DistanceM = defaultDistance
		}
		fill(&s.Theme, "night")
	}
	p := newPages(c, a)
	manager := []access.Role{access.Manager}
	office := []access.Role{access.Manager, access.Staff}
	tills := []access.Role{access.Manager, access.Staff, access.Till}
	kitchen := []access.Role{access.Manager, access.Staff, access.Screen}
	page := func(path, summary string, roles []access.Role, handle func(http.ResponseWriter, *http.Request) error) api.Route {
		return api.Route{Method: http.MethodGet, Path: path, Roles: roles, Summary: summary, Tags: []string{"pages"}, Page: true, Hidden: true, Handle: handle}
	}
	file := func(path string, handle func(http.ResponseWriter, *http.Request) error) api.Route {
		return api.Route{Method: http.MethodGet, Path: path, Summary: "A file of the pages", Type: "application/octet-stream", Hidden: true, Handle: handle}
	}
	return []api.Route{
		page("/{$}", "The console", office, p.console("orders")),
		page("/orders", "Orders, newest first", office, p.console("orders")),
		page("/orders/{id}", "One order: time line, tickets, paper", office, p.console("orders")),
		page("/tables", "The floor: tables and checks", office, p.console("tables")),
		page("/tables/{id}", "One check: lines, payments, what happened", office, p.console("tables")),
		page("/integration/{$}", "The reservation platforms", office, p.console("reservations")),
		page("/integration/reservations", "The reservation platforms, a tile each", office, p.console("reservations")),
		page("/integration/reservations/{platform}", "One platform: state, activation, settings, information", office, p.console("reservations")),
		page("/integration/reservations/{platform}/{part}", "A part of one platform", office, p.console("reservations")),
		page("/integration/activity", "The synced reservations, and what came of them", office, p.console("activity")),
		page("/integration/activity/rejected", "Messages of the platforms that were refused", office, p.console("activity")),
		page("/integration/activity/{id}", "One synced reservation: problem, history, deposits", office, p.console("activity")),
		page("/integration/delivery", "The delivery partners, a tile each", office, p.console("delivery")),
		page("/integration/delivery/{part}", "One delivery partner, what a day left open, or refused messages", office, p.console("delivery")),
		page("/menus", "The menus at the delivery partners", office, p.console("menus")),
		page("/menus/{part}", "Items, links to the POS, sync history, checks", office, p.console("menus")),
		page("/menus/history/{id}", "One sync with all it changed", office, p.console("menus")),
		page("/integration/bookings", "The booking list of a till", tills, p.console("bookings")),
		page("/integration/bookings/{id}", "One booking, and what can be done with it", tills, p.console("bookings")),
		page("/integration/tills", "Tills, their queues and rights, and what their set-up needs", office, p.console("tills")),
		page("/integration/departments", "Departments and their statistic categories", office, p.console("departments")),
		page("/integration/floorplans", "The floor's tables beside those that a platform names", office, p.console("floorplans")),
		page("/hotel", "The hotel: postings", office, p.console("hotel")),
		page("/hotel/postings/{id}", "One posting: what to look up, time line, void, refund, resolve", office, p.console("hotel")),
		page("/hotel/guests", "Guests and accounts that can be charged", office, p.console("hotel")),
		page("/hotel/revenue", "Revenue batches, and what waits for the next", office, p.console("hotel")),
		page("/hotel/trace", "The records on the hotel link as they come", office, p.console("hotel")),
		page("/hotel/setup", "How the hotel link is set up", office, p.console("hotel")),
		page("/printers", "Printers and their state", office, p.console("printers")),
		page("/printers/{name}", "One printer: queue, last tickets, outages", office, p.console("printers")),
		page("/printers/{name}/replace", "Puts another device behind a printer's name", office, p.console("printers")),
		page("/add-printer", "Looks for printers and takes one into service", office, p.console("printers")),
		page("/devices", "Screens, and the browsers paired with them", office, p.console("devices")),
		page("/health", "The box's own figures and warnings", office, p.console("health")),
		page("/reports", "Stations, sources and days added up", office, p.console("reports")),
		page("/people", "Who gives a PIN on a shared screen", office, p.console("people")),
		page("/audit", "Who did what", manager, p.console("audit")),
		page("/help/{topic}", "A guide, step by step", office, p.guide),
		page("/help", "How to use screens and console", office, p.console("help")),
		page("/screens/{screen}", "A kitchen screen", kitchen, p.kitchen),
		page("/screens/{screen}/keys", "What the keys of a screen do, and what a bump bar sends", kitchen, p.keys),
		page("/expo", "The pass: every order, its stations, and its hand-over", kitchen, p.expo),
		page("/pair", "Shows a code by which a browser becomes a screen", nil, p.bare("pair")),
		page("/sign-in", "Sign in with a token", nil, p.bare("sign-in")),
		file("/assets/{version}/{file}", p.assets.serve),
		file("/favicon.ico", p.assets.icon),
	}
}

func fill(s *string, value string) {
	if strings.TrimSpace(*s) == "" {
		*s = value
	}
}

// screen finds a configured screen by name.
func (c *Config) screen(name string) (Screen, error) {
	for _, s := range c.Screens {
		if s.Name == name {
			return s, nil
		}
	}
	return Screen{}, fmt.Errorf("no screen %q in the configuration", name)
}
