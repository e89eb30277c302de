package rest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A TokenSource gives the value of the Authorization header. It may be called from any goroutine.
type TokenSource interface {
	// Authorization is the whole value, "Bearer eyJ…".
	Authorization(ctx context.Context) (string, error)
	// Refused says that value was answered with 401, and tells whether there may be another one.
	Refused(value string) bool
}

// Bearer is a token that does not change.
func Bearer(token string) TokenSource { return static("Bearer " + token) }

// Basic is a name and password.
func Basic(user, password string) TokenSource {
	return static("Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

// Authorization is a value sent as it is, for servers with a scheme of their own.
func Authorization(value string) TokenSource { return static(value) }

type static string

func (s static) Authorization(context.Context) (string, error) { return string(s), nil }
func (s static) Refused(string) bool                           { return false }

// A tokenError is why there was no token. The call was not sent, and trying again is the token source's own affair.
type tokenError struct{ err error }

func (t *tokenError) Error() string { return "token: " + t.err.Error() }
func (t *tokenError) Unwrap() error { return t.err }

// OAuth is a token endpoint (RFC 6749 4.3, 4.4). Endpoint and what the grant needs are required.
type OAuth struct {
	Endpoint string // the whole address
	Grant    string // client_credentials (default) or password
	ID       string
	Secret   string
	InForm   bool // id and secret go into the form; otherwise into a Basic header
	Username string
	Password string
	Scope    string
	Params   url.Values  // further form fields, as audience
	Header   http.Header // further headers
	Scheme   string      // put before the token; "" means Bearer, "-" nothing
	AsJSON   bool        // the request is a JSON object instead of a form

	// Early is how long before its end a token is renewed; 0 means a tenth of its life, at most DefaultEarly.
	Early time.Duration
	// Life is that of a token whose answer has no expires_in; 0 means DefaultLife.
	Life time.Duration

	// HTTP is how the endpoint is called: limits, retries, TLS, clock and trace. Base, Tokens and Header are ignored.
	HTTP Config
}

// Defaults for an OAuth left at zero.
const (
	DefaultEarly = time.Minute
	DefaultLife  = 10 * time.Minute
)

const (
	maxToken    = 16 << 10 // bytes
	minLife     = time.Second
	maxLife     = 365 * 24 * time.Hour
	refusedRest = 5 * time.Second // after refused credentials: asking at every call would lock the account
)

// A Tokens is an OAuth endpoint's tokens: one at a time, renewed before it ends and after it was refused.
type Tokens struct {
	o        OAuth
	client   *Client
	path     string
	fetching chan struct{} // 1: held by whoever asks for a token

	mu      sync.Mutex // guards what follows
	value   string
	renew   time.Time // from when value is too old
	failed  error     // why credentials were refused
	failEnd time.Time
}

// NewTokens checks o. It starts nothing.
func NewTokens(o OAuth) (*Tokens, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" {
		return nil, errors.New("token address cannot be read; write https://HOST/PATH")
	}
	switch o.Grant {
	case "":
		o.Grant = "client_credentials"
	case "client_credentials":
	case "password":
		if o.Username == "" || o.Password == "" {
			return nil, errors.New("grant password needs a username and a password")
		}
	default:
		return nil, fmt.Errorf("grant %q is not known; write client_credentials or password", o.Grant)
	}
	if o.ID == "" {
		return nil, errors.New("client id is missing")
	}
	if o.Life <= 0 {
		o.Life = DefaultLife
	}
	switch o.Scheme {
	case "":
		o.Scheme = "Bearer "
	case "-":
		o.Scheme = ""
	default:
		o.Scheme += " "
	}
	t := &Tokens{o: o, path: u.EscapedPath(), fetching: make(chan struct{}, 1)}
	if t.path == "" {
		t.path = "/"
	}
	if u.RawQuery != "" {
		t.path += "?" + u.RawQuery
	}
	c := o.HTTP
	c.Base = u.Scheme + "://" + u.Host
	if u.User != nil {
		c.Base = u.Scheme + "://" + u.User.String() + "@" + u.Host // New refuses it with words
	}
	c.Header, c.Tokens = o.Header, nil
	c.Secrets = append([]string{o.Secret, o.Password}, c.Secrets...)
	if !o.InForm && !o.AsJSON {
		c.Tokens = Basic(o.ID, o.Secret)
	}
	if t.client, err = New(c); err != nil {
		return nil, fmt.Errorf("token endpoint: %w", err)
	}
	return t, nil
}

// Close ends idle connections.
func (t *Tokens) Close() { t.client.Close() }

// Authorization gives the present token, or fetches one; callers that come together share it.
func (t *Tokens) Authorization(ctx context.Context) (string, error) {
	if v, err := t.present(); v != "" || err != nil {
		return v, err
	}
	select {
	case t.fetching <- struct{}{}:
		defer func() { <-t.fetching }()
	case <-ctx.Done():
		return "", cause(ctx.Err())
	}
	if v, err := t.present(); v != "" || err != nil { // somebody else fetched it meanwhile
		return v, err
	}
	value, life, err := t.fetch(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.client.c.Now()
	if err != nil {
		var e *Error
		if errors.As(err, &e) && e.Fate == Refused && e.Status != http.StatusTooManyRequests {
			t.failed, t.failEnd = err, now.Add(refusedRest)
		}
		return "", err
	}
	early := t.o.Early
	if early <= 0 {
		early = min(life/10, DefaultEarly)
	}
	t.value, t.renew, t.failed = value, now.Add(life-min(early, life/2)), nil
	return value, nil
}

func (t *Tokens) present() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.client.c.Now()
	if t.value != "" && now.Before(t.renew) {
		return t.value, nil
	}
	if t.failed != nil && now.Before(t.failEnd) {
		return "", t.failed
	}
	return "", nil
}

// Refused forgets value if it is still the present one. There may always be another.
func (t *Tokens) Refused(value string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
	return true
}

func (t *Tokens) fetch(ctx context.Context) (string, time.Duration, error) {
	form := url.Values{"grant_type": {t.o.Grant}}
	for name, values := range t.o.Params {
		form[name] = values
	}
	if t.o.Grant == "password" {
		form.Set("username", t.o.Username)
		form.Set("password", t.o.Password)
	}
	if t.o.Scope != "" {
		form.Set("scope", t.o.Scope)
	}
	if t.o.InForm || t.o.AsJSON {
		form.Set("client_id", t.o.ID)
		form.Set("client_secret", t.o.Secret)
	}
	var a tokenAnswer
	call := Call{Op: "fetch token", Method: http.MethodPost, Path: t.path, Form: form, Out: &a, Repeatable: true}
	if t.o.AsJSON {
		flat := make(map[string]string, len(form))
		for name := range form {
			flat[name] = form.Get(name)
		}
		call.In, call.Form = flat, nil
	}
	if _, err := t.client.Do(ctx, call); err != nil {
		var e *Error
		if errors.As(err, &e) && e.Fate == Refused && e.Status < 500 && e.Status != http.StatusTooManyRequests {
			e.Err = refusal(e)
		}
		return "", 0, err
	}
	if a.AccessToken == "" || len(a.AccessToken) > maxToken || !printable(a.AccessToken) {
		return "", 0, &Error{Op: call.Op, Method: call.Method, Path: t.path, Fate: Accepted, Err: errors.New("the answer has no usable access_token")}
	}
	life := a.life()
	if life <= 0 {
		life = t.o.Life
	}
	return t.o.Scheme + a.AccessToken, min(max(life, minLife), maxLife), nil
}

// tokenAnswer is the part of RFC 6749 5.1 and 5.2 that counts.
type tokenAnswer struct {
	AccessToken string         `json:"access_token"`
	ExpiresIn   jsontext.Value `json:"expires_in"` // a number; some send a string
	Error       string         `json:"error"`
}

func (a *tokenAnswer) life() time.Duration {
	s, err := strconv.ParseFloat(strings.Trim(string(a.ExpiresIn), `"`), 64)
	if err != nil || !(s > 0) {
		return 0
	}
	return time.Duration(min(s, maxLife.Seconds()) * float64(time.Second))
}

// refusal is what the endpoint says is wrong, as far as it is a code of the standard: the free text beside it may repeat
// what was sent.
func refusal(e *Error) error {
	var a tokenAnswer
	if err := json.Unmarshal(e.Body, &a, lenient); err == nil {
		switch a.Error {
		case "invalid_client", "unauthorized_client":
			return fmt.Errorf("%s; check the client id and secret", a.Error)
		case "invalid_grant", "access_denied":
			return fmt.Errorf("%s; check the username and password", a.Error)
		case "invalid_scope", "invalid_request", "unsupported_grant_type":
			return errors.New(a.Error)
		}
	}
	return errors.New("check the credentials")
}
