package lightspeed

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"aboyeur/protocol/rest"
)

// TokenPath is where tokens are fetched, below Host.
const TokenPath = "/oauth/token"

// Refresh is a merchant's consent: a refresh token, which Lightspeed may exchange for a new one at each use.
type Refresh struct {
	ID, Secret string // of the client
	Token      string // the refresh token of the authorization-code grant
	// Save keeps a new refresh token before the access token that came with it is used; the old one may have ended.
	Save func(token string) error
	HTTP rest.Config // with Base
}

// Tokens are the access tokens of a Refresh.
type Tokens struct {
	r        Refresh
	client   *rest.Client
	now      func() time.Time
	fetching chan struct{} // 1: held by whoever fetches; it guards r.Token too

	mu    sync.Mutex // guards what follows
	value string
	renew time.Time
}

// NewTokens checks r. It starts nothing.
func NewTokens(r Refresh) (*Tokens, error) {
	if r.ID == "" || r.Secret == "" || r.Token == "" {
		return nil, errors.New("client id, client secret or refresh token is missing")
	}
	t := r.HTTP
	t.Tokens = rest.Basic(r.ID, r.Secret)
	t.Secrets = append([]string{r.Secret, r.Token}, t.Secrets...)
	client, err := rest.New(t)
	if err != nil {
		return nil, err
	}
	o := &Tokens{r: r, client: client, now: t.Now, fetching: make(chan struct{}, 1)}
	if o.now == nil {
		o.now = time.Now
	}
	return o, nil
}

// Close ends idle connections.
func (t *Tokens) Close() { t.client.Close() }

// Authorization gives the present token, or fetches one; callers that come together share it.
func (t *Tokens) Authorization(ctx context.Context) (string, error) {
	if v := t.present(); v != "" {
		return v, nil
	}
	select {
	case t.fetching <- struct{}{}:
		defer func() { <-t.fetching }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if v := t.present(); v != "" { // somebody else fetched it meanwhile
		return v, nil
	}
	var a struct {
		Access  string  `json:"access_token"`
		Refresh string  `json:"refresh_token"`
		Expires float64 `json:"expires_in"`
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.r.Token}}
	if _, err := t.client.Do(ctx, rest.Call{Op: "fetch token", Method: http.MethodPost, Path: TokenPath, Form: form, Out: &a, Once: true}); err != nil {
		return "", err
	}
	if a.Access == "" {
		return "", errors.New("the answer has no token")
	}
	if a.Refresh != "" && a.Refresh != t.r.Token {
		t.r.Token = a.Refresh
		if t.r.Save != nil {
			if err := t.r.Save(a.Refresh); err != nil {
				return "", err
			}
		}
	}
	life := time.Duration(min(max(a.Expires, 60), 365*24*3600)) * time.Second
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.renew = "Bearer "+a.Access, t.now().Add(life-min(time.Minute, life/2))
	return t.value, nil
}

func (t *Tokens) present() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now().Before(t.renew) {
		return t.value
	}
	return ""
}

// Refused forgets value if it is still the present one.
func (t *Tokens) Refused(value string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
	return true
}
