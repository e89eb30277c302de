package channel

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Errors by which a client tells what became of a message or a call, beside those of protocol/rest.
var (
	// ErrUnsupported says that the aggregator has no such call. Nothing was sent.
	ErrUnsupported = errors.New("the aggregator has no such call")

	// ErrSignature refuses a message whose sender did not prove who it is.
	ErrSignature = errors.New("the message is not signed as this store's aggregator signs")

	// ErrStore refuses a message for another store.
	ErrStore = errors.New("the message is for another store")
)

// Kind says what an event is about (spec/delivery.md 5.3).
type Kind string

// The kinds of event. What an aggregator says beyond them is KindUnknown: kept, answered 200, and shown.
const (
	KindOrder        Kind = "order"        // a new order; Order, or only Ref where it has to be fetched
	KindUpdate       Kind = "update"       // the order as it is now; Order or Ref
	KindCancel       Kind = "cancel"       // an intent; Ref, Reason
	KindRelease      Kind = "release"      // a scheduled order is due now; Ref
	KindStatus       Kind = "status"       // Ref, Status
	KindInjection    Kind = "injection"    // what the aggregator believes of the POS; Ref, Injection
	KindPause        Kind = "pause"        // Reason, Until
	KindResume       Kind = "resume"       //
	KindAvailability Kind = "availability" // an item is (not) sold; Availability
	KindHours        Kind = "hours"        // of menus; Hours, or Faults where they cannot be read
	KindMenu         Kind = "menu"         // asks for our menu
	KindPublish      Kind = "publish"      // a menu made elsewhere; Menu
	KindStore        Kind = "store"        // asks whether the store is open
	KindAskHours     Kind = "ask_hours"    // asks for the hours of the store; its answer wants StoreHours
	KindPairing      Kind = "pairing"      // Pairing
	KindDelivery     Kind = "delivery"     // wants a courier of us; is answered that we have none
	KindPing         Kind = "ping"
	KindReport       Kind = "report" // of no interest
	KindUnknown      Kind = "unknown"
)

// An Event is one thing an aggregator says.
type Event struct {
	ID           string             `json:"id"` // unique, as on the wire; made of the content where the wire has none
	At           time.Time          `json:"at,omitzero"`
	Kind         Kind               `json:"kind"`
	Type         string             `json:"type"` // as on the wire
	Store        string             `json:"store,omitzero"`
	Order        *Order             `json:"order,omitzero"`
	Ref          Ref                `json:"ref,omitzero"`
	Status       Status             `json:"status,omitzero"`
	Reason       string             `json:"reason,omitzero"`
	Until        time.Time          `json:"until,omitzero"`
	Injection    InjectionState     `json:"injection,omitzero"`
	Issue        string             `json:"issue,omitzero"`
	Availability []Availability     `json:"availability,omitzero"`
	Menu         *Menu              `json:"menu,omitzero"`
	Hours        map[string]Opening `json:"hours,omitzero"` // by the menu's id
	StoreHours   *StoreHours        `json:"store_hours,omitzero"`
	Faults       []Fault            `json:"-"` // of an event that names itself and makes no sense otherwise: its answer says so
	Pairing      *Pairing           `json:"pairing,omitzero"`
	Raw          []byte             `json:"-"` // the message or its part, as it came
}

// A Ref names an order on the wire. Event is the id of the event that is being answered, where a call answers one.
type Ref struct {
	Slug       string `json:"slug"`
	ID         string `json:"id"`
	FriendlyID string `json:"friendly_id,omitzero"`
	Event      string `json:"event,omitzero"`
	Resource   string `json:"resource,omitzero"` // the aggregator's own id of the order, by which some want to be called
}

// Pairing is a request to link or unlink a store.
type Pairing struct {
	Act         string            `json:"act"` // link unlink credentials
	Store       string            `json:"store,omitzero"`
	Name        string            `json:"name,omitzero"`
	Credentials map[string]string `json:"-"`
}

// Message is a webhook as it came. Body is at most a mebibyte.
type Message struct {
	Header http.Header
	Path   string
	Query  url.Values
	Body   []byte
	Remote string // address of the sender
	At     time.Time
}

// Receipt is what a webhook says, and how it is answered when it could be kept.
type Receipt struct {
	Events []Event
	Status int    // of the answer; 0 means 200 without a body
	Body   any    // JSON of the answer
	Note   string // something odd in it that hinders nothing
}

// A Fault is one thing wrong with a message.
type Fault struct {
	Pointer string // JSON pointer
	Detail  string
}

// Malformed is a message that is signed well and makes no sense.
type Malformed struct{ Faults []Fault }

func (m *Malformed) Error() string {
	var b strings.Builder
	b.WriteString("the message makes no sense")
	for _, f := range m.Faults {
		fmt.Fprintf(&b, "; %s %s", f.Pointer, f.Detail)
	}
	return b.String()
}
