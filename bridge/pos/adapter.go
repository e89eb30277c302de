package pos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aboyeur/protocol/booking"
)

// ErrUnsupported says that the till has no such thing; pages leave it out.
var ErrUnsupported = errors.New("the till has no such thing")

// ErrUnknown says that an order went out and that nobody knows yet whether the till has it. FindByReference tells.
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
	Overpaid         = "overpaid"
	CheckClosed      = "closed"
	UnknownMethod    = "unknown_method"
)

// A Refusal is certain: the till did not do it.
type Refusal struct {
	Code   string
	Detail string
	Err    error // what came of the call, if there was one
}

func (r *Refusal) Error() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: %s: %v", r.Code, r.Detail, r.Err)
	}
	return r.Code + ": " + r.Detail
}
func (r *Refusal) Unwrap() error { return r.Err }

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
	// FindByReference looks for what was opened or handed over. While an order may be on its way, "none" is not certain.
	FindByReference(ctx context.Context, reference string) (Opened, bool, error)
	Check(ctx context.Context, id string) (booking.Check, error)
	AddPayment(ctx context.Context, p Payment) error
	SetAvailability(ctx context.Context, sku string, available bool) error
	Close()
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
}

// Order is one to hand over. Amounts are minor units.
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
	Method    string // of a payment made at the partner; "": open
	Paid      int64
	Tip       int64
	Total     int64
}

// Line is something ordered.
type Line struct {
	SKU       string // of the till; "" for an open item
	Name      string
	Quantity  int
	Price     int64
	Course    int
	Notes     string
	Modifiers []string // of the till
}

// Payment is one to put on a check.
type Payment struct {
	Reference string
	Check     string
	Method    string
	Amount    int64
	Tip       int64
}

// note is what is printed: the partner and its number first, so that it survives whatever is cut.
func (o *Order) note() string {
	n := o.Notes
	if o.Partner != "" || o.Short != "" {
		n = o.Partner + " " + o.Short + " " + n
	}
	return n
}
