package sevenrooms

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"aboyeur/protocol/booking/wire"
	"aboyeur/protocol/rest"
)

// Life of a token whose answer does not say when it ends, and how long before its end it is renewed.
const (
	DefaultLife = 10 * time.Minute
	early       = time.Minute
)

// TokenAnswer is what the token call answers.
type TokenAnswer struct {
	Status int   `json:"status"`
	Data   Token `json:"data"`
}

// A Token is what the calls are made with.
type Token struct {
	Token   string `json:"token"`
	Expires string `json:"token_expiration_datetime,omitzero"` // UTC
}

// tokens are the venue's tokens. They are the Authorization header as they are, without a scheme.
type tokens struct {
	w        *wire.Wire
	client   *rest.Client
	now      func() time.Time
	fetching chan struct{} // 1: held by whoever asks for a token

	mu    sync.Mutex // guards what follows
	value string
	renew time.Time
}

func newTokens(w *wire.Wire) (*tokens, error) {
	if w.Credentials.ClientID == "" || w.Credentials.ClientSecret == "" {
		return nil, errors.New("client id or client secret is missing")
	}
	client, err := rest.New(w.Transport())
	if err != nil {
		return nil, err
	}
	t := &tokens{w: w, client: client, now: w.HTTP.Now, fetching: make(chan struct{}, 1)}
	if t.now == nil {
		t.now = time.Now
	}
	return t, nil
}

// Authorization gives the present token, or fetches one; callers that come together share it.
func (t *tokens) Authorization(ctx context.Context) (string, error) {
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
	var a TokenAnswer
	form := url.Values{"client_id": {t.w.Credentials.ClientID}, "client_secret": {t.w.Credentials.ClientSecret}}
	call := rest.Call{Op: "fetch token", Method: http.MethodPost, Path: t.w.Path("token", "", ""), Form: form, Out: &a, Repeatable: true, Once: true}
	if _, err := t.client.Do(ctx, call); err != nil {
		return "", err
	}
	if a.Data.Token == "" {
		return "", errors.New("the answer has no token")
	}
	now := t.now()
	end, err := wire.ParseTime(a.Data.Expires, time.UTC)
	if err != nil || !end.After(now) {
		end = now.Add(DefaultLife)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.renew = a.Data.Token, end.Add(-min(early, end.Sub(now)/2))
	return t.value, nil
}

func (t *tokens) present() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now().Before(t.renew) {
		return t.value
	}
	return ""
}

// Refused forgets value if it is still the present one.
func (t *tokens) Refused(value string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
	return true
}
