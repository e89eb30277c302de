package cloud

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"
)

// TokenLife is how long a token lives.
const TokenLife = time.Hour

// Tokens are those a platform has given out.
type Tokens struct {
	mu   sync.Mutex // guards ends
	ends map[string]time.Time
}

// Give makes one.
func (t *Tokens) Give(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ends == nil {
		t.ends = map[string]time.Time{}
	}
	for value, end := range t.ends {
		if !now.Before(end) {
			delete(t.ends, value)
		}
	}
	value := rand.Text()
	t.ends[value] = now.Add(TokenLife)
	return value
}

// Good tells whether a token is one of them and lives.
func (t *Tokens) Good(value string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	end, ok := t.ends[value]
	return ok && now.Before(end)
}

// Expire ends all of them.
func (t *Tokens) Expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.ends)
}

// Bearer is the token of a request's Authorization header.
func Bearer(r *http.Request) string {
	value, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return value
}

// OAuth answers a token request with grant client_credentials, the credentials in Basic or in the form (RFC 6749 4.4).
func (t *Tokens) OAuth(v *Visit, id, secret string) Answer {
	deny := func(status int, code string) Answer {
		return Answer{Status: status, Body: map[string]string{"error": code}}
	}
	name, password, basic := v.BasicAuth()
	if !basic {
		name, password = v.PostFormValue("client_id"), v.PostFormValue("client_secret")
	}
	if name != id || password != secret {
		return deny(http.StatusUnauthorized, "invalid_client")
	}
	if v.FormValue("grant_type") != "client_credentials" {
		return deny(http.StatusBadRequest, "unsupported_grant_type")
	}
	return Answer{Status: http.StatusOK, Body: map[string]any{"access_token": t.Give(v.Now()), "token_type": "bearer", "expires_in": int(TokenLife / time.Second)}}
}
