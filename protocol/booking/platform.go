package booking

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Errors by which a client tells what became of a call, beside those of protocol/rest.
var (
	// ErrUnsupported says that the platform has no such thing. Nothing was sent.
	ErrUnsupported = errors.New("the platform has no such call")

	// ErrLinkedElsewhere says that the venue is linked to another account, which has to let it go first.
	ErrLinkedElsewhere = errors.New("the venue is linked to another account; whoever holds that link, or the platform, has to release it")

	// ErrSignature refuses a message whose sender did not prove who it is.
	ErrSignature = errors.New("the message is not signed as this venue's platform signs")

	// ErrVenue refuses a message for another venue.
	ErrVenue = errors.New("the message is for another venue")
)

// Platform is the client of one reservation platform for one venue. Its methods may be called from any goroutine.
type Platform interface {
	Capabilities() Capabilities

	// Deliver sends one update, once: whoever calls it repeats it, as it is. nil means that the platform took it. Any error
	// that is not ErrUnsupported wraps the *rest.Error of the call.
	Deliver(ctx context.Context, u Update) error

	// Activate proves credentials and venue by a call that needs both, and announces the link where the platform wants that.
	Activate(ctx context.Context) error

	// Deactivate tells the platform that the link is off.
	Deactivate(ctx context.Context) error

	// Pull reads the reservations that changed after since (zero: all) and are scheduled in [from, to), at most MaxPull.
	Pull(ctx context.Context, since, from, to time.Time) ([]Reservation, error)

	// Receive reads a webhook. The error is ErrSignature, ErrVenue or a *Malformed.
	Receive(m Message) (Receipt, error)

	Close()
}

// MaxPull is how many reservations one Pull gives at most.
const MaxPull = 5000

// Capabilities is what a platform shares and takes (spec/reservations.md 7).
type Capabilities struct {
	Bookings      bool     `json:"bookings"`     // reservations before they are seated
	SeatedOpens   bool     `json:"seated_opens"` // tells of seated parties
	WalkIns       bool     `json:"walk_ins"`
	Deposits      bool     `json:"deposits"`
	Pull          bool     `json:"pull"`
	Webhooks      bool     `json:"webhooks"`
	Stages        []Stage  `json:"stages"` // table statuses it takes, lowest first
	CourseNumbers bool     `json:"course_numbers"`
	Spend         bool     `json:"spend"`    // items and totals of a live check
	Totals        bool     `json:"totals"`   // one total at the end
	Statuses      []Status `json:"statuses"` // it lets the POS set
	Moves         bool     `json:"moves"`
	Covers        bool     `json:"covers"`
	Create        bool     `json:"create"`
	Deactivates   bool     `json:"deactivates"`     // hears of a link that is switched off
	Documented    bool     `json:"documented"`      // its wire is public; else a partner has to confirm it
	Unsure        []string `json:"unsure,omitzero"` // members above that nobody has proved
}

// Takes tells whether the platform can be told u.
func (c *Capabilities) Takes(u *Update) bool {
	switch u.Kind {
	case KindStage:
		return slices.Contains(c.Stages, u.Stage)
	case KindCheck:
		return c.Spend
	case KindClosed:
		return c.Totals || c.Spend || slices.Contains(c.Stages, Paid)
	case KindStatus:
		return slices.Contains(c.Statuses, u.Status)
	case KindTables:
		return c.Moves
	case KindCovers:
		return c.Covers
	}
	return false
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
	Reservations []Reservation
	Linked       bool   // the platform says that the link was made
	Unlinked     bool   // or ended
	Note         string // a kind of message that is of no interest here
	Status       int    // of the answer; 0 means 204 without a body
	Body         any    // JSON of the answer
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

// Credentials are what a venue got from its platform; which of them count is the platform's matter.
type Credentials struct {
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	Scope        string `yaml:"scope"`
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	Token        string `yaml:"token"`
}
