package pos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/rest"
)

// ErrUnsupported says that the till has no such thing; pages leave it out.
var ErrUnsupported = errors.New("the till has no such thing")

// ErrUnknown says that an order went out and that nobody knows yet whether the till has it. Find tells.
var ErrUnknown = errors.New("the till may have the order; look for its reference")

// Codes of a Refusal.
const (
	TableUnavailable = "table_unavailable"
	InvalidTable     = "invalid_table"
	StaffUnknown     = "staff_unknown"
	ProfileUnknown   = "profile_unknown"
	Offline          = "pos_offline"
	Unlinked         = "unlinked"   // a line that the till does not know
	Validation       = "validation" // whatever else the till does not take
	OfflineTill      = "pos_closed" // its till takes no orders now
	Busy             = "busy"       // too many calls
	Credentials      = "credentials"
	Overpaid         = "overpaid"
	CheckClosed      = "closed"
	UnknownMethod    = "unknown_method"
)

// A Refusal is certain: the till did not do it.
type Refusal struct {
	Code   string
	Detail string
	Err    error         // what came of the call, if there was one
	After  time.Duration // how long the till wants to be left alone; 0: it did not say
	Spent  bool          // the reference was used up by it: another attempt needs another one
}

// Passes tells whether the same may be taken later.
func (r *Refusal) Passes() bool {
	switch r.Code {
	case Offline, OfflineTill, Busy, Credentials:
		return true
	}
	return false
}

func (r *Refusal) Error() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: %s: %v", r.Code, r.Detail, r.Err)
	}
	return r.Code + ": " + r.Detail
}
func (r *Refusal) Unwrap() error { return r.Err }

// certain is what a call came to that certainly did nothing at the till; nil when that is not certain. who is the till's cloud.
func certain(who string, err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		return nil
	}
	r := &Refusal{Err: err, After: e.RetryAfter}
	switch {
	case e.Fate == rest.NotSent:
		r.Code, r.Detail = Offline, who+" cannot be reached"
	case e.Fate != rest.Refused:
		return nil
	case e.Status == http.StatusTooManyRequests:
		r.Code, r.Detail = Busy, who+" takes no more calls for a while"
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		r.Code, r.Detail = Credentials, who+"-Series does not know these credentials for this location; those of another series of Lightspeed, or of another location, do not work here"
	default:
		r.Code, r.Detail = Validation, who+" does not take it"
	}
	return r
}

// Adapter is a till that the box calls. Its methods may be called from any goroutine; calls for one check come one after the
// other.
type Adapter interface {
	Info(ctx context.Context) (Info, error)
	Tables(ctx context.Context) ([]Table, error)
	// Groups are the statistic groups of what is sold, which courses are mapped by.
	Groups(ctx context.Context) ([]Group, error)
	Profiles(ctx context.Context) ([]Choice, error)

	// OpenCheck opens a check at a table. The error is a *Refusal, or wraps ErrUnknown.
	OpenCheck(ctx context.Context, o Opening) (Opened, error)
	// Inject hands an order over, with the same errors.
	Inject(ctx context.Context, o Order) (Opened, error)
	// Find looks for what was opened or handed over. While an order may be on its way, "none" is not certain.
	Find(ctx context.Context, l Look) (Opened, bool, error)
	// Resend says what another attempt of an order risks.
	Resend() Resend
	Check(ctx context.Context, id string) (booking.Check, error)
	AddPayment(ctx context.Context, p Payment) error
	SetAvailability(ctx context.Context, sku string, available bool) error
	// Catalogue reads all that the till sells.
	Catalogue(ctx context.Context) (Catalogue, error)
	Close()
}

// Look is what an order is found by.
type Look struct {
	Reference string
	At        time.Time // about when it was handed over; zero: now
}

// Resend is what another attempt risks after one whose outcome nobody knows.
type Resend struct {
	Safe   bool          // the till itself takes a reference once
	Settle time.Duration // how long after an attempt "none" is not believed
}

// Info is how a till stands.
type Info struct {
	Kind     string // lightspeed-k, lightspeed-o, bepoz
	Location string
	Online   bool
	Open     bool // takes orders now
	Devices  []string
}

// Table is one of the till's floor plan. Name is what everybody calls it.
type Table struct {
	ID     string
	Name   string
	Area   string
	Seats  int
	Active bool
}

// Group is a statistic group: a category and one of its values.
type Group struct{ Category, Value string }

// Choice is something a setting can name.
type Choice struct{ Code, Name string }

// Opening asks for a check.
type Opening struct {
	Reference string // ours, chosen before the first attempt
	Table     string
	Covers    int
	Guest     string
	Notes     string
	Profile   string
	Staff     string
}

// Opened is a check at the till.
type Opened struct {
	ID      string
	Table   string
	Existed bool // it was there under this reference before
	Total   int64
	Priced  bool // Total is what the till makes of it
}

// Order is one to hand over. Amounts are minor units. Taxes and a courier's tip are not in it: the till computes the ones, and
// the other is none of the restaurant's (spec/delivery.md 7).
type Order struct {
	Opening
	Delivery  bool // otherwise pickup, or at Table
	Partner   string
	Short     string // the partner's short number, which the kitchen calls out
	Phone     string
	Address   string
	CollectAt time.Time
	PlacedAt  time.Time
	Lines     []Line
	Discount  Discount
	Method    string // of a payment made at the partner; "": open
	Paid      int64  // without the tip
	Tip       int64
	Total     int64 // of the lines less the discount
}

// Discount is what the restaurant itself gave away.
type Discount struct {
	Code   string // of the till; "": it is not told
	Amount int64
}

// Line is something ordered. Its modifiers are for one of it.
type Line struct {
	SKU       string // of the till
	Name      string
	Quantity  int
	Price     int64 // of one, without its modifiers
	Course    int
	Notes     string
	Modifiers []Modifier
}

// Modifier is something that changes a line, or another modifier.
type Modifier struct {
	SKU       string // of the till; "": words alone
	Name      string
	Quantity  int
	Price     int64 // of one
	Modifiers []Modifier
}

// each is what one of a line costs with its modifiers.
func (l *Line) each() int64 { return l.Price + sum(l.Modifiers) }

func sum(all []Modifier) (n int64) {
	for i := range all {
		m := &all[i]
		n += int64(max(m.Quantity, 1)) * (m.Price + sum(m.Modifiers))
	}
	return n
}

// Payment is one to put on a check.
type Payment struct {
	Reference string
	Check     string
	Method    string
	Amount    int64
	Tip       int64
}

// note is what is printed: the partner and its number first, so that they survive whatever is cut, then what the guest wrote.
func (o *Order) note() string {
	var parts []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			parts = append(parts, text)
		}
	}
	add(strings.TrimSpace(o.Partner + " " + o.Short))
	add(o.Notes)
	for i := range o.Lines {
		if l := &o.Lines[i]; l.Notes != "" {
			add(fmt.Sprintf("%d %s: %s", l.Quantity, l.Name, l.Notes))
		}
	}
	return strings.Join(parts, " | ")
}
