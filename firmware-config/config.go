package firmwareconfig

import (
	"net/netip"
	"time"

	"aboyeur/devices/port"
)

// Defaults for keys that a file leaves out.
const (
	DefaultLanguage         = "en"
	DefaultBusinessDayClose = 5*time.Hour + 30*time.Minute // after midnight, venue time
	DefaultDataDir          = "/var/lib/aboyeur"
	DefaultListen           = ":8080"
	DefaultTokensFile       = "/etc/aboyeur/tokens"

	DefaultModel         = "generic-80mm"
	DefaultFallbackAfter = 5 * time.Second
	DefaultQueueWarn     = 12 // jobs

	DefaultDiagonalInches = 15.6
	DefaultDistanceMetres = 1.2
	DefaultTheme          = ThemeNight

	DefaultCopies    = 1
	DefaultWarnAfter = 10 * time.Minute
	DefaultLateAfter = 15 * time.Minute
	DefaultFireAfter = 15 * time.Minute

	DefaultEncoding      = "windows-1252"
	DefaultAnswerTimeout = time.Minute
	DefaultNightLimit    = 4 * time.Hour
	DefaultPaymentName   = "Opera"
	RoomPaymentCode      = "IKPMS" // the one code a room payment may have
	DefaultRevenueEvery  = 30 * time.Minute

	DefaultReleaseBefore = 30 * time.Minute
	DefaultShowBefore    = time.Hour
	DefaultMenuEvery     = 6 * time.Hour
)

// DefaultCourses are the names of courses 0, 1, 2, 3 where the file names none.
var DefaultCourses = []string{"drinks", "starters", "mains", "desserts"}

// Values of the keys that take one of a few words.
const (
	ThemeNight = "night"
	ThemeDay   = "day"

	TypeWired     = "wired"     // a network socket
	TypeUSB       = "usb"       //
	TypeSerial    = "serial"    // RS-232
	TypeBluetooth = "bluetooth" // through a serial port
	TypeFile      = "file"      // a spool
	TypeCloud     = "cloud"     // refused: its tickets come from somebody else's cloud

	OutputBox = "box" // the box prints the kitchen's tickets
	OutputPOS = "pos" // the POS prints; the box only when injection failed

	InjectStrict   = "strict"
	InjectOpenItem = "open_item"

	KindNone    = "none"
	KindOpera   = "opera"
	KindBuiltin = "builtin"
	KindBepoz   = "bepoz" // tells the box what happens, rather than being asked

	DialectFIAS   = "fias"
	DialectXMLPOS = "xmlpos"
	DialectOHIP   = "ohip"

	Any = "any" // in a revenue mapping: whatever it is
)

// Config is one configuration file, checked, with every default filled in: what Load and Parse return is ready for
// use, and references between its parts hold. File names are as the program can open them: a relative one was
// joined to the folder of the configuration file.
type Config struct {
	Site         Site
	Data         Data
	HTTP         HTTP
	Printers     []Printer
	Screens      []Screen
	Stations     []Station // exactly one has Default set
	Courses      []string  // name of course 0, 1, 2, …
	PMS          PMS
	Reservations []Reservations
	Delivery     []Delivery
	POS          POS
	Floor        Floor
	Receipts     Receipts
	Fleet        Fleet

	secrets  []secret
	warnings Faults
	source   []byte // the file
}

// Site is the venue.
type Site struct {
	ID               string // [a-z0-9-]{1,64}
	Name             string
	Timezone         string         // as written: Europe/Paris
	Location         *time.Location // what Timezone names; never nil
	Currency         Currency
	Language         string        // en or fr
	BusinessDayClose time.Duration // after midnight, venue time; the new business day begins then
}

// Data is where the journal lives.
type Data struct {
	Dir string
}

// HTTP is the listener of pages and API.
type HTTP struct {
	Listen         string // for net.Listen
	PublicURL      string // "" if clouds cannot reach the box; no slash at its end
	TrustedProxies []netip.Prefix
	TLS            TLS
	TokensFile     string
}

// TLS names the listener's certificate. Both empty: plain HTTP.
type TLS struct {
	CertFile, KeyFile string
}

// On reports whether the listener speaks TLS.
func (t TLS) On() bool { return t.CertFile != "" }

// Printer is one ticket printer.
type Printer struct {
	Name          string // [a-z0-9-]{1,32}, unique
	Connect       port.Address
	Model         string        // a profile of protocol/escpos
	Columns       int           // 0: as the model has
	Language      string        // of the words on its paper
	Fallback      string        // name of another printer, or ""
	FallbackAfter time.Duration // a job held this long goes to Fallback
	Type          string        // wired, usb, serial, bluetooth, file
	QueueWarn     int           // a longer queue is told as a warning
	Drawer        int           // pin of the cash drawer on it, 2 or 5; 0: none
	Buzzer        int           // times it buzzes at each kitchen ticket
}

// Screen is one kitchen screen.
type Screen struct {
	Name           string // [a-z0-9-]{1,32}, unique
	DiagonalInches float64
	DistanceMetres float64      // from the cook's eye
	Theme          string       // night or day
	Backup         string       // name of the screen that takes over, or ""
	Direction      string       // how tickets follow one another: right, left or down
	Columns        int          // 1 to 5; 0: as many as fit
	BumpBar        port.Address // of a serial bump bar under it; the zero Address: none
}

// Station is a place that cooks: what comes to it, and where that is shown and printed. A line goes to the station
// that claims its SKU, else its category, else its course, else to the default station.
type Station struct {
	Name        string // [a-z0-9-]{1,32}, unique
	Printers    []string
	Screens     []string
	Categories  []string
	SKUs        []string
	Courses     []int // indices into Config.Courses
	Copies      int   // of each ticket on each printer
	Buzzer      int   // times its printers buzz at each of its tickets; 0: as the printers say
	Output      string
	Pace        string        // table, quick or bar: the ages that hold where none are written
	WarnAfter   time.Duration // age of a ticket that turns it amber; as Limits has it for guests at a table
	LateAfter   time.Duration // and red
	Limits      Limits        // of each service, filled in
	Fire        string        // when courses after the first are cooked: at_once, waiter, previous, after
	FireAfter   time.Duration // between two courses, with fire: after
	PrepMinutes int           // what its dishes take; 0: not paced
	Default     bool
}

// Limits are the ages of a station's tickets by service.
type Limits struct{ DineIn, Delivery, Pickup Limit }

// Limit is when a ticket is soon late, and late.
type Limit struct{ WarnAfter, LateAfter time.Duration }

// What a station's Pace and Fire, and a screen's Direction, can be.
const (
	PaceTable = "table"
	PaceQuick = "quick"
	PaceBar   = "bar"

	FireAtOnce   = "at_once"
	FireWaiter   = "waiter"
	FirePrevious = "previous"
	FireAfter    = "after"

	DirectionRight = "right"
	DirectionLeft  = "left"
	DirectionDown  = "down"
)

// PMS is the hotel system that rooms are charged in. Kind none: there is none.
type PMS struct {
	Kind               string
	Dialect            string       // fias, xmlpos, ohip
	Connect            port.Address // of fias and xmlpos
	URL                string       // of ohip
	TLS                bool
	AuthKeyFile        string
	Encoding           string
	Version            string
	Branch             string // "", E10, E17, E24, E43
	AnswerTimeout      time.Duration
	NightAuditLimit    time.Duration // of fias: a night audit that nobody ended is over then
	PaymentMethod      PaymentMethod
	TransmitAllTickets bool
	Outlets            []Outlet
	Revenue            Revenue
	Cloud              Cloud // of ohip
}

// Cloud is what OPERA Cloud asks for besides its address.
type Cloud struct {
	Hotel           string // code of the property
	CredentialsFile string // app_key, client_id, client_secret
	Enterprise      string
	Cashier         string // number of the integration's user
	Charges         []CloudCharges
}

// CloudCharges are the transaction codes that an outlet's postings are booked on.
type CloudCharges struct {
	Outlet                      string // Any fits those without an entry
	Total, ServiceCharge, Tip   string
	Subtotals, Taxes, Discounts []string // the first is of subtotal 1
}

// PaymentMethod is the room payment as tills know it.
type PaymentMethod struct {
	Type, Code, Name string
}

// Outlet is a sales outlet and its number in the hotel system.
type Outlet struct {
	Name string
	Code int
}

// Revenue is the batch of what was not charged to rooms. Account "": none is sent.
type Revenue struct {
	Every   time.Duration
	Account string
	Mapping []RevenueRule
}

// RevenueRule assigns revenue to a subtotal; the first rule that fits holds.
type RevenueRule struct {
	Outlet, POSConfig, FloorPlan, Group, Period string // Any fits all
	Subtotal                                    int    // 1-9 in FIAS, 1-16 in XML_POS
}

// Reservations is the link to one reservation platform.
type Reservations struct {
	Platform          string
	Venue             string
	Enabled           bool
	BaseURL           string // "": the platform's own
	CredentialsFile   string
	WebhookSecretFile string
	Vocabulary        map[string]string // our word -> the word on the wire
	Paths             map[string]string // operation -> path below BaseURL
	OpenChecks        bool
	WalkIns           bool
	MultiTable        bool
	OrderProfile      string
	DefaultProfile    bool
	Staff             string
	Tills             []string
	Courses           []CourseMap
}

// CourseMap says which statistic groups bring a table to a status.
type CourseMap struct {
	Status string // drinks, appetizer, entree, dessert
	Groups []string
}

// Delivery is the link to one delivery aggregator.
type Delivery struct {
	Aggregator        string
	Store             string
	BaseURL           string // "": the aggregator's own
	WebhookSecretFile string
	CredentialsFile   string
	AutoAccept        bool
	Inject            string
	ReleaseBefore     time.Duration
	ShowBefore        time.Duration
	Channels          map[string]Channel
	MenuSync          MenuSync
}

// Channel is what one marketplace behind an aggregator has different.
type Channel struct {
	AutoAccept bool
	Inject     string
	Number     string // by which Deliverect calls it
}

// MenuSync is the regular menu update of an aggregator.
type MenuSync struct {
	Every       time.Duration
	AutoUpdate  bool
	AutoPublish bool
	Fields      []string
}

// MenuFields are what a menu update can take over from the POS (spec/delivery.md 6.2).
func MenuFields() []string {
	return []string{"name", "price", "description", "photo", "availability", "hours", "taxes", "modifiers", "new_items", "removed_items", "organisation"}
}

// DefaultMenuFields is all of them that the POS knows better than anybody: it has won after an update.
func DefaultMenuFields() []string {
	return []string{"name", "price", "description", "photo", "availability", "modifiers", "new_items", "removed_items", "organisation"}
}

// POS is the till system orders are handed to.
type POS struct {
	Kind              string // builtin, lightspeed-k, lightspeed-o, bepoz
	Location          string
	BaseURL           string
	CredentialsFile   string
	WebhookSecretFile string
	Listen            string // where tills that speak lines connect; "" is nowhere
	MenuFile          string // what is sold, where the till is the box itself; "" is unknown
	Inject            string
	Endpoint          string            // of lightspeed-k: the name of its notifications
	User              string            // of lightspeed-k: who its notifications say they are
	Status            string            // of lightspeed-o: of an order that is handed over
	OpenItem          string            // the POS's item of what it does not know
	Profile           string            // order profile of what is handed over
	Staff             string            // who hands it over
	Checks            string            // who keeps the checks of reservations: ChecksBox, ChecksPOS
	Payments          map[string]string // a partner's or order's word for a payment -> the POS's method
}

// Who keeps the checks of reservations.
const (
	ChecksBox = "box"
	ChecksPOS = "pos"
)

// Tills that are not the box itself.
const (
	KindLightspeedK = "lightspeed-k"
	KindLightspeedO = "lightspeed-o"
)

// Other tells whether orders are handed to another system.
func (p *POS) Other() bool { return p.Kind == KindLightspeedK || p.Kind == KindLightspeedO }

// Floor is the tables of the house.
type Floor struct {
	Areas []Area
}

// Area is a room or terrace with its tables.
type Area struct {
	Name   string
	Tables []string
}

// Fleet is the hub this box reports to. No servers: the box is alone.
type Fleet struct {
	Servers         []string
	CredentialsFile string
}

// Printer returns the printer of that name.
func (c *Config) Printer(name string) (Printer, bool) {
	for _, p := range c.Printers {
		if p.Name == name {
			return p, true
		}
	}
	return Printer{}, false
}

// Screen returns the screen of that name.
func (c *Config) Screen(name string) (Screen, bool) {
	for _, s := range c.Screens {
		if s.Name == name {
			return s, true
		}
	}
	return Screen{}, false
}

// DefaultStation returns the station that takes what no other claims.
func (c *Config) DefaultStation() Station {
	for _, s := range c.Stations {
		if s.Default {
			return s
		}
	}
	return Station{}
}

// Warnings are what the file says that is valid and yet looks like a slip, in the order of the file.
func (c *Config) Warnings() Faults { return c.warnings }
