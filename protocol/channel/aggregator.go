package channel

import (
	"context"
	"time"
)

// Aggregator is the client of one aggregator for one store. Its methods may be called from any goroutine. Each call is one
// attempt: whoever calls repeats it, as it is; nil means that the aggregator took it. An error that is not ErrUnsupported
// wraps the *rest.Error of the call. A call that would break the aggregator's limit is not made: it fails with a *Limited
// at once, and costs nothing.
type Aggregator interface {
	Capabilities() Capabilities

	// Receive reads a webhook: the signature over the raw bytes first, in constant time, then a lenient reading. The error is
	// ErrSignature, ErrStore or a *Malformed. The events share no memory with m.
	Receive(m Message) (Receipt, error)

	// Fetch reads one order.
	Fetch(ctx context.Context, r Ref) (Order, error)

	// Feed reads the orders placed in [from, to), at most MaxFeed; it turns the pages by itself.
	Feed(ctx context.Context, from, to time.Time) ([]Order, error)

	// Created answers a new order or an update: it is taken, and in the POS or on its way there. Failed says that it is not.
	Created(ctx context.Context, r Ref) error
	Failed(ctx context.Context, r Ref, f Failure) error

	// Accept and Deny decide about an order that waits for a decision. ready is when it can be fetched, zero when unknown.
	Accept(ctx context.Context, r Ref, ready time.Time) error
	Deny(ctx context.Context, r Ref, d Denial) error

	// Progress.
	Ready(ctx context.Context, r Ref) error
	HandedOff(ctx context.Context, r Ref) error
	Fulfilled(ctx context.Context, r Ref) error
	PrepTime(ctx context.Context, r Ref, ready time.Time) error

	// Cancelled tells that we cancel the order. reason is one of CancelReasons.
	Cancelled(ctx context.Context, r Ref, reason string) error

	// Injected tells what became of the order in the POS, where the wire has a word for it.
	Injected(ctx context.Context, r Ref, i Injection) error

	// Paused answers a pause or a resume; failure is "" when we did as we were told. Pause and Resume ask the aggregator.
	Paused(ctx context.Context, event string, paused bool, failure string) error
	Pause(ctx context.Context, until time.Time, reason string) error
	Resume(ctx context.Context) error

	// Available says which items are sold and which are not.
	Available(ctx context.Context, a []Availability) error

	// CurrentMenu answers a request for our menu. Publish brings m to the aggregator as its options say, and gives the number
	// of the job, "" when it is done already. Job tells how that job stands.
	CurrentMenu(ctx context.Context, event string, m Menu) error
	Publish(ctx context.Context, m Menu, o SyncOptions) (job string, err error)
	Job(ctx context.Context, id string) (Job, error)

	// Answer answers any other event that wants it: nil for "done", else why not.
	Answer(ctx context.Context, e Event, f *Failure) error

	// Check proves the credentials by a call that needs them.
	Check(ctx context.Context) error

	Close()
}

// MaxFeed is how many orders one Feed gives at most.
const MaxFeed = 5000

// Capabilities is what an aggregator shares and takes (spec/delivery.md 10). Inner parts of the house hide what is false.
type Capabilities struct {
	Accept       bool          `json:"accept"`               // wants an accept or a deny for each order; else a taken order is accepted
	AcceptIn     time.Duration `json:"accept_in,format:sec"` // how long it waits for that; 0: as long as the venue likes
	Feed         bool          `json:"feed"`                 // orders can be read back
	FeedBack     time.Duration `json:"feed_back,format:sec"` // how far
	Fetch        bool          `json:"fetch"`                // one order can be read
	Answers      bool          `json:"answers"`              // wants an answer to each event about an order, a repetition too
	Failures     bool          `json:"failures"`             // hears that an order failed
	Injection    bool          `json:"injection"`            // hears how an order stands in the POS
	Progress     []Status      `json:"progress"`             // of Prepared, HandedOff, Fulfilled: what it hears
	Cancel       bool          `json:"cancel"`               // we may cancel
	PrepTime     bool          `json:"prep_time"`            //
	Pause        bool          `json:"pause"`                // we may pause the store
	Availability bool          `json:"availability"`
	Hours        bool          `json:"hours"`           // tells the opening hours of its menus, and asks for those of the store
	Menu         bool          `json:"menu"`            // takes a whole menu
	MenuOptions  bool          `json:"menu_options"`    // can update field by field; else a menu replaces the one before
	Documented   bool          `json:"documented"`      // its wire is public
	Unsure       []string      `json:"unsure,omitzero"` // members above that nobody has proved
}

// A Failure says why an order or another event could not be done. Code is one of the aggregators' own (spec/delivery.md 5.3).
type Failure struct {
	Code    FailureCode `json:"code"`
	Message string      `json:"message"` // is shown to the user of the aggregator
}

// FailureCode is a code of Otter's callback error; the others map it to what they have.
type FailureCode string

// The codes the box uses.
const (
	CodeUnlinked      FailureCode = "FAILED_PRECONDITION" // an unlinked line under the strict policy
	CodeOffline       FailureCode = "UNAVAILABLE"         // the POS cannot be reached
	CodeTimeout       FailureCode = "DEADLINE_EXCEEDED"   // the POS was asked and nobody knows; only after the lookup
	CodeInvalid       FailureCode = "INVALID_ARGUMENT"    // the order itself makes no sense
	CodeNotFound      FailureCode = "NOT_FOUND"
	CodeUnimplemented FailureCode = "UNIMPLEMENTED"
	CodeCancelled     FailureCode = "CANCELLED"
	CodeInternal      FailureCode = "INTERNAL"
	CodeDenied        FailureCode = "PERMISSION_DENIED"
)

// Denial is why an order is refused. Reason is one of CancelReasons.
type Denial struct {
	Reason  string   `json:"reason"`
	Text    string   `json:"text,omitzero"`
	Items   []string `json:"items,omitzero"`   // ids of what is sold out
	Invalid []string `json:"invalid,omitzero"` // ids of what we do not know
}

// CancelReasons lists why an order is refused or cancelled (spec/delivery.md 5.5), in Otter's spelling; other aggregators map.
func CancelReasons() []string {
	return []string{"REASON_UNKNOWN", "DUPLICATE_ORDER", "UNAVAILABLE_ITEM", "FRAUDULENT_EATER", "RESTAURANT_INTERNAL_ISSUE", "KITCHEN_CLOSED",
		"CUSTOMER_CALLED_TO_CANCEL", "RESTAURANT_TOO_BUSY", "CANNOT_COMPLETE_CUSTOMER_REQUEST", "UNACCEPTED_ORDER", "RESTAURANT_CANCELED",
		"AUTOMATICALLY_CANCELED", "LATE_DELIVERY", "COURIER_NOT_FOUND", "CUSTOMER_NOT_FOUND", "UNABLE_TO_DELIVER", "ALL_ITEMS_OUT_OF_STOCK",
		"ALL_ITEMS_EXPIRED", "ALL_ITEMS_DAMAGED", "LABOR_UNAVAILABLE", "REASON_OTHER"}
}

// InjectionState is how an order stands in the POS, in the words of spec/delivery.md 5.6.
type InjectionState string

// The states, as events spell them.
const (
	InjectionPending   InjectionState = "PENDING"
	InjectionSucceeded InjectionState = "SUCCEEDED"
	InjectionUnlinked  InjectionState = "SUCCEEDED_WITH_UNLINKED_ITEMS"
	InjectionFailing   InjectionState = "INJECTION_FAILING" // will be tried again
	InjectionFailed    InjectionState = "INJECTION_FAILED"
	InjectionWanted    InjectionState = "MANUAL_INJECTION_REQUIRED"
	InjectionManual    InjectionState = "MANUAL_INJECTION_SUCCEEDED"
)

// An Injection is what became of an order in the POS.
type Injection struct {
	State   InjectionState `json:"state"`
	Issue   string         `json:"issue,omitzero"` // of the vocabulary of spec/delivery.md 5.6: ITEM_MAPPING_FAILED …
	Message string         `json:"message,omitzero"`
	POS     string         `json:"pos,omitzero"` // the POS's id of the order
}

// Limited says that a call was not made because its family has none left: nothing was sent. It may go again After that long.
type Limited struct {
	Family string // of calls that share the limit
	After  time.Duration
}

func (l *Limited) Error() string {
	return "the aggregator's limit for " + l.Family + " is used up; free again in " + l.After.Round(time.Millisecond).String()
}

// Credentials are what a store got from its aggregator; which of them count is the aggregator's matter.
type Credentials struct {
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	Scope        string `yaml:"scope"`
	Application  string `yaml:"application"`
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	Token        string `yaml:"token"`
}
