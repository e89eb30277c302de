package opera

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A File describes a hotel, in YAML or JSON. Money is in minor units. What is left out takes a default.
type File struct {
	ID               string   `yaml:"id" json:"id"` // PH, HotelId; "1"
	Name             string   `yaml:"name" json:"name"`
	Version          string   `yaml:"version" json:"version"`                     // of the PMS, A1 of LC; DefaultPMSVersion
	BusinessDate     string   `yaml:"business_date" json:"business_date"`         // 2026-08-21; the day it is
	RoomMethods      []string `yaml:"room_methods" json:"room_methods"`           // ROOM, 16
	OtherMethods     []string `yaml:"other_methods" json:"other_methods"`         // none: every method is taken
	Outlets          []string `yaml:"outlets" json:"outlets"`                     // none: every outlet is taken
	Names            Names    `yaml:"names" json:"names"`                         // last_first
	FirstTransaction int64    `yaml:"first_transaction" json:"first_transaction"` // 4711
	NoOverride       bool     `yaml:"no_override" json:"no_override"`             // CO=Y is not honoured
	NoNegative       bool     `yaml:"no_negative" json:"no_negative"`             // a total below zero is refused: UR
	SkipZero         bool     `yaml:"skip_zero" json:"skip_zero"`                 // a total of zero is answered OK and not booked
	IntegerLimits    bool     `yaml:"integer_limits" json:"integer_limits"`       // CL and BA without a decimal point

	Rooms      []string  `yaml:"rooms" json:"rooms"`
	Paymasters []string  `yaml:"paymasters" json:"paymasters"` // rooms that nobody sleeps in
	Guests     []Guest   `yaml:"guests" json:"guests"`
	Accounts   []Account `yaml:"accounts" json:"accounts"` // city ledger
	Articles   []Article `yaml:"articles" json:"articles"` // what PT=M can name
	PulsePrice Amount    `yaml:"pulse_price" json:"pulse_price"`
	CallPrice  Amount    `yaml:"call_price" json:"call_price"` // a minute begun
}

// Names is how GN is made.
type Names string

const (
	NamesLast      Names = "last"       // Guest
	NamesLastTitle Names = "last_title" // Guest, Mr.
	NamesLastFirst Names = "last_first" // Guest, George
)

// A Guest is somebody with a reservation who is in the house.
type Guest struct {
	Reservation string   `yaml:"reservation" json:"reservation"` // G#, digits
	Room        string   `yaml:"room" json:"room"`
	Name        string   `yaml:"name" json:"name"` // last name
	First       string   `yaml:"first" json:"first,omitempty"`
	Title       string   `yaml:"title" json:"title,omitempty"`
	Profile     string   `yaml:"profile" json:"profile,omitempty"`     // G+, digits
	Language    string   `yaml:"language" json:"language,omitempty"`   // FR, EA, GE ...
	VIP         string   `yaml:"vip" json:"vip,omitempty"`             // code
	Group       string   `yaml:"group" json:"group,omitempty"`         // number
	Arrival     string   `yaml:"arrival" json:"arrival,omitempty"`     // 2026-08-20
	Departure   string   `yaml:"departure" json:"departure,omitempty"` // 2026-08-23
	NoPost      bool     `yaml:"no_post" json:"no_post,omitempty"`
	CreditLimit Amount   `yaml:"credit_limit" json:"credit_limit,omitempty"` // 0: none
	Balance     Amount   `yaml:"balance" json:"balance,omitempty"`           // what is owed
	Card        string   `yaml:"card" json:"card,omitempty"`                 // key card, $2
	References  []string `yaml:"references" json:"references,omitempty"`     // A0 to A9, Reference1 to Reference10
	Answer      string   `yaml:"answer" json:"answer,omitempty"`             // what every posting gets instead of OK: FX, DN ...
}

// An Account is a debtor without a room: A/R, city ledger.
type Account struct {
	Number      string `yaml:"number" json:"number"`
	Name        string `yaml:"name" json:"name"`
	NoPost      bool   `yaml:"no_post" json:"no_post,omitempty"`
	CreditLimit Amount `yaml:"credit_limit" json:"credit_limit,omitempty"`
	Balance     Amount `yaml:"balance" json:"balance,omitempty"`
	Answer      string `yaml:"answer" json:"answer,omitempty"`
}

// An Article is something with a number and a price, as minibars send it.
type Article struct {
	Number string `yaml:"number" json:"number"`
	Name   string `yaml:"name" json:"name"`
	Price  Amount `yaml:"price" json:"price"`
}

//go:embed hotel.yaml
var defaultHotel []byte

// DefaultHotel is the text of DefaultFile, to begin a file of one's own with.
func DefaultHotel() []byte { return bytes.Clone(defaultHotel) }

// DefaultFile is a hotel of some forty rooms in France.
func DefaultFile() File {
	f, err := ParseFile(defaultHotel)
	if err != nil {
		panic(err) // a test reads it
	}
	return f
}

// Bounds of a hotel's description.
const (
	maxFile  = 8 << 20
	maxRooms = 20000
)

// ReadFile reads a hotel's description.
func ReadFile(name string) (File, error) {
	r, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return File{}, err
	}
	if len(b) > maxFile {
		return File{}, fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	f, err := ParseFile(b)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// ParseFile reads a hotel's description. The error names every fault of it.
func ParseFile(b []byte) (File, error) {
	var f File
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return File{}, err
	}
	return f, f.check()
}

// Defaults of a File.
const (
	DefaultPMSVersion       = "5.0.05.01"
	DefaultFirstTransaction = 4711
)

func (f File) filled() File {
	if f.ID == "" {
		f.ID = "1"
	}
	if f.Version == "" {
		f.Version = DefaultPMSVersion
	}
	if len(f.RoomMethods) == 0 {
		f.RoomMethods = []string{"ROOM", "16"}
	}
	if f.Names == "" {
		f.Names = NamesLastFirst
	}
	if f.FirstTransaction == 0 {
		f.FirstTransaction = DefaultFirstTransaction
	}
	return f
}

func (f File) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if f.BusinessDate != "" {
		if _, err := time.Parse(time.DateOnly, f.BusinessDate); err != nil {
			fault("business_date %q: write a date as 2026-08-21", f.BusinessDate)
		}
	}
	switch f.Names {
	case "", NamesLast, NamesLastTitle, NamesLastFirst:
	default:
		fault("names %q: write last, last_title or last_first", f.Names)
	}
	if f.FirstTransaction < 0 || f.PulsePrice < 0 || f.CallPrice < 0 {
		fault("first_transaction, pulse_price and call_price are not below zero")
	}
	if len(f.Rooms)+len(f.Paymasters) > maxRooms {
		fault("%d rooms: at most %d", len(f.Rooms)+len(f.Paymasters), maxRooms)
	}
	known := map[string]bool{}
	for i, n := range slices.Concat(f.Rooms, f.Paymasters) {
		where := fmt.Sprintf("rooms[%d]", i)
		if i >= len(f.Rooms) {
			where = fmt.Sprintf("paymasters[%d]", i-len(f.Rooms))
		}
		if !printable(n, 20) {
			fault("%s %q: a room number has 1 to 20 printable characters and no bar", where, n)
		} else if known[n] {
			fault("%s %q is there twice", where, n)
		}
		known[n] = true
	}
	reservations := map[string]bool{}
	for i, g := range f.Guests {
		if err := g.check(func(n string) bool { return known[n] }); err != nil {
			fault("guests[%d]: %w", i, err)
		}
		if reservations[g.Reservation] {
			fault("guests[%d]: reservation %s is there twice", i, g.Reservation)
		}
		reservations[g.Reservation] = true
	}
	for i, a := range f.Accounts {
		switch {
		case !printable(a.Number, 20):
			fault("accounts[%d]: number %q: 1 to 20 printable characters and no bar", i, a.Number)
		case known[a.Number]:
			fault("accounts[%d]: %q is the number of a room or of another account", i, a.Number)
		case !printable(a.Name, 200):
			fault("accounts[%d]: name %q: 1 to 200 printable characters and no bar", i, a.Name)
		case a.Answer != "" && !slices.Contains(statuses, Status(a.Answer)):
			fault("accounts[%d]: answer %q: write one of %s", i, a.Answer, statusList())
		}
		known[a.Number] = true
	}
	for i, a := range f.Articles {
		if n, err := strconv.Atoi(a.Number); err != nil || n < 0 {
			fault("articles[%d]: number %q: write digits", i, a.Number)
		}
	}
	return errors.Join(faults...)
}

func (g Guest) check(room func(string) bool) error {
	digits := func(s string) bool {
		_, err := strconv.ParseUint(s, 10, 64)
		return err == nil && len(s) <= 10
	}
	date := func(s string) bool {
		_, err := time.Parse(time.DateOnly, s)
		return s == "" || err == nil
	}
	switch {
	case !digits(g.Reservation) || g.Reservation == AccountReservation:
		return fmt.Errorf("reservation %q: write up to 10 digits, not 0", g.Reservation)
	case !room(g.Room):
		return fmt.Errorf("reservation %s: there is no room %q", g.Reservation, g.Room)
	case !printable(g.Name, 200):
		return fmt.Errorf("reservation %s: name %q: 1 to 200 printable characters and no bar", g.Reservation, g.Name)
	case !plain(g.First, 80) || !plain(g.Title, 20) || !plain(g.Language, 10) || !plain(g.VIP, 20) || !plain(g.Group, 10) || !plain(g.Card, 40):
		return fmt.Errorf("reservation %s: a text is too long or has a bar or control character", g.Reservation)
	case g.Profile != "" && !digits(g.Profile):
		return fmt.Errorf("reservation %s: profile %q: write up to 10 digits", g.Reservation, g.Profile)
	case !date(g.Arrival) || !date(g.Departure):
		return fmt.Errorf("reservation %s: write arrival and departure as 2026-08-21", g.Reservation)
	case len(g.References) > 10:
		return fmt.Errorf("reservation %s: %d references, at most 10", g.Reservation, len(g.References))
	case slices.ContainsFunc(g.References, func(s string) bool { return !plain(s, 80) }):
		return fmt.Errorf("reservation %s: a reference is too long or has a bar or control character", g.Reservation)
	case g.Answer != "" && !slices.Contains(statuses, Status(g.Answer)):
		return fmt.Errorf("reservation %s: answer %q: write one of %s", g.Reservation, g.Answer, statusList())
	}
	return nil
}

func printable(s string, most int) bool { return s != "" && plain(s, most) }

// plain says whether s can be a field: it has at most so many characters, no separator and no control character.
func plain(s string, most int) bool {
	return len([]rune(s)) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F || r == '|' })
}
