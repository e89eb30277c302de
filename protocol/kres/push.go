package kres

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/booking/generic"
	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Hosts of Lightspeed K.
const (
	Host     = "https://api.lsk.lightspeed.app"
	DemoHost = "https://api.trial.lsk.lightspeed.app"
)

const lightspeed = "Lightspeed K" // in errors

// prefix of every path.
const prefix = "/reservation/api/1"

// PusherConfig is a platform at Lightspeed K. Tokens needs scope reservation-CODE.
type PusherConfig struct {
	Base     string // "" means Host
	Platform string
	Tokens   rest.TokenSource
	HTTP     rest.Config
}

// A Pusher pushes reservations to Lightspeed K. Its methods may be called from any goroutine.
type Pusher struct {
	platform string
	client   *rest.Client
}

// NewPusher checks c. It starts nothing.
func NewPusher(c PusherConfig) (*Pusher, error) {
	if !generic.Identifier(c.Platform, generic.MaxPlatform) {
		return nil, fmt.Errorf("platform code %q is not made of at most %d letters, digits, _ and -", c.Platform, generic.MaxPlatform)
	}
	if c.Tokens == nil {
		return nil, fmt.Errorf("%s: tokens are missing", lightspeed)
	}
	t := c.HTTP
	t.Base, t.Tokens = c.Base, c.Tokens
	if t.Base == "" {
		t.Base = Host
	}
	if t.Timeout <= 0 {
		t.Timeout = wire.DefaultTimeout
	}
	client, err := rest.New(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", lightspeed, err)
	}
	return &Pusher{c.Platform, client}, nil
}

// Close ends idle connections.
func (p *Pusher) Close() { p.client.Close() }

// A PushError is a refusal with the contract's own code.
type PushError struct {
	Code string // REQUESTED_TABLE_IS_UNAVAILABLE, RESERVATION_SEQUENCE_ID_ERROR …; "" when none came
	Text string
	Err  error // the *rest.Error
}

func (e *PushError) Error() string { return fmt.Sprintf("%s %s: %v", e.Code, e.Text, e.Err) }
func (e *PushError) Unwrap() error { return e.Err }

// Push makes or changes a reservation at a restaurant. It may be repeated: the contract orders by sequence and time.
func (p *Pusher) Push(ctx context.Context, restaurant string, r *booking.Reservation) (generic.Accepted, error) {
	if !generic.Identifier(r.ID, generic.MaxReservation) {
		return generic.Accepted{}, fmt.Errorf("reservation %q is not made of at most %d letters, digits, _ and -", r.ID, generic.MaxReservation)
	}
	var answer generic.Accepted
	path := prefix + rest.Path("platform", p.platform, "restaurant", restaurant, "reservation", r.ID, "push")
	body := generic.FromBooking(r, strings.ToUpper(string(r.Status)))
	return answer, p.do(ctx, rest.Call{Op: "push reservation", Method: http.MethodPut, Path: path, In: body, Out: &answer, Repeatable: true})
}

// Profile is how the platform wants to be told, POST platform/{code}/profile.
type Profile struct {
	DisplayName            string         `json:"displayName"`
	WebhookAuthType        string         `json:"webhookAuthType"` // BASIC_AUTH, BEARER_TOKEN, API_KEYS, OAUTH2, NONE
	WebhookAuthDetails     map[string]any `json:"webhookAuthDetails"`
	BaseURL                string         `json:"baseUrl,omitzero"`
	DepositSupported       bool           `json:"depositSupported,omitzero"`
	OwnNotificationsOnly   bool           `json:"ownNotificationsOnly,omitzero"`
	NotificationTypes      []string       `json:"notificationTypes,omitzero"`
	InServiceTableStatuses []TableStatus  `json:"inServiceTableStatuses,omitzero"`
	AllowedPosStatuses     []string       `json:"allowedPosStatuses,omitzero"`
}

// TableStatus is a word of the platform's for a course. Of two at once the higher sequence wins.
type TableStatus struct {
	StatusLabel string `json:"statusLabel"`
	StatusValue string `json:"statusValue"`
	Sequence    int    `json:"sequence"`
}

// SetProfile writes the platform's profile.
func (p *Pusher) SetProfile(ctx context.Context, profile Profile) error {
	return p.do(ctx, rest.Call{Op: "set profile", Method: http.MethodPost, Path: prefix + rest.Path("platform", p.platform, "profile"), In: profile, Repeatable: true})
}

// SetCourses writes which course is which word.
func (p *Pusher) SetCourses(ctx context.Context, numbers bool, statuses []TableStatus) error {
	body := map[string]any{"allowCourseNumberUpdates": numbers, "inServiceTableStatuses": statuses}
	return p.do(ctx, rest.Call{Op: "set courses", Method: http.MethodPatch, Path: prefix + rest.Path("platform", p.platform, "course-settings"), In: body, Repeatable: true})
}

// Onboarded finishes an onboarding that Lightspeed began. Code is ACCEPTED, DONE or one of the contract's errors.
func (p *Pusher) Onboarded(ctx context.Context, onboarding, restaurant, code string) error {
	body := map[string]string{"onboardingId": onboarding, "platformRestaurantId": restaurant, "code": code}
	return p.do(ctx, rest.Call{Op: "finish onboarding", Method: http.MethodPost, Path: prefix + rest.Path("platform", p.platform, "integration", "onboarding"), In: body, Repeatable: true})
}

// A Location is a business location of the user whose token it is.
type Location struct {
	ID   wire.Text `json:"businessLocationId"`
	Name string    `json:"name"`
}

// Locations lists them; the token is a user's, not the platform's.
func (p *Pusher) Locations(ctx context.Context) ([]Location, error) {
	var page struct {
		Content []Location `json:"content"`
	}
	err := p.do(ctx, rest.Call{Op: "list locations", Path: prefix + rest.Path("user", "platform", p.platform, "business-locations"), Query: url.Values{"page": {"0"}, "size": {"1000"}}, Out: &page})
	return page.Content, err
}

// Activate links a restaurant with a business location, by a user's token; Deactivate ends that.
func (p *Pusher) Activate(ctx context.Context, location, restaurant string) error {
	return p.integration(ctx, "activate", location, restaurant)
}

// Deactivate ends a link.
func (p *Pusher) Deactivate(ctx context.Context, location, restaurant string) error {
	return p.integration(ctx, "deactivate", location, restaurant)
}

func (p *Pusher) integration(ctx context.Context, act, location, restaurant string) error {
	body := map[string]string{"businessLocationId": location, "platformRestaurantId": restaurant}
	err := p.do(ctx, rest.Call{Op: act, Method: http.MethodPost, Path: prefix + rest.Path("user", "platform", p.platform, "integration", act), In: body, Repeatable: true})
	var refused *PushError
	if errors.As(err, &refused) && refused.Code == "PLATFORM_ALREADY_ACTIVATED" && act == "activate" {
		return fmt.Errorf("%w: %w", booking.ErrLinkedElsewhere, err)
	}
	return err
}

func (p *Pusher) do(ctx context.Context, call rest.Call) error {
	_, err := p.client.Do(ctx, call)
	var e *rest.Error
	if !errors.As(err, &e) || e.Fate != rest.Refused {
		return err
	}
	var said struct {
		Code string `json:"errorCode"`
		Text string `json:"errorMessage"`
	}
	if json.Unmarshal(e.Body, &said) != nil || said.Code == "" {
		return err
	}
	if len(said.Text) > 200 {
		said.Text = said.Text[:200]
	}
	return &PushError{Code: said.Code, Text: said.Text, Err: err}
}
