package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
)

// paired makes a browser a screen and gives its cookie header.
func (b *bench) paired(screen string) string {
	b.t.Helper()
	var code access.Code
	if err := json.Unmarshal(b.do("POST", "/v1/pairings", `{}`).Body.Bytes(), &code); err != nil {
		b.t.Fatal(err)
	}
	name, value := b.as(access.Manager)
	if w := b.do("POST", "/v1/pairings/"+code.Code+"/approve", fmt.Sprintf(`{"screen":%q}`, screen), name, value); w.Code != 204 {
		b.t.Fatalf("approve = %d %s", w.Code, w.Body)
	}
	return CookieName + "=" + cookieOf(b.t, b.do("POST", "/v1/pairings/claim", fmt.Sprintf(`{"secret":%q}`, code.Secret))).Value
}

func personCookie(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == PersonCookie {
			return c
		}
	}
	t.Fatalf("no cookie of a person in %d %v %s", w.Code, w.Header(), w.Body)
	return nil
}

func TestPINByHTTP(t *testing.T) {
	b := newBench(t, Config{Routes: []Route{
		{Method: "POST", Path: "/v1/tickets/{id}/bump", Roles: []access.Role{access.Staff, access.Screen}, Handle: who},
		{Method: "POST", Path: "/v1/orders/{id}/cancel", Roles: []access.Role{access.Staff}, Handle: who},
		{Method: "GET", Path: "/v1/screens/{screen}/events", Roles: []access.Role{access.Staff, access.Screen}, Handle: who},
	}})
	manager, token := b.as(access.Manager)
	add := func(body string) access.Person {
		t.Helper()
		var p access.Person
		w := b.do("POST", "/v1/people", body, manager, token)
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 201 || strings.Contains(w.Body.String(), "pbkdf2") {
			t.Fatalf("add = %d %s", w.Code, w.Body)
		}
		return p
	}
	lea := add(`{"name":"Léa","role":"staff","pin":"4729"}`)
	if m := problemOf(t, b.do("POST", "/v1/people", `{"name":"Max","role":"staff","pin":"1234"}`, manager, token), 422); !strings.Contains(fmt.Sprint(m["errors"]), "/pin") {
		t.Errorf("a PIN that anybody would try: %v", m)
	}
	problemOf(t, b.do("POST", "/v1/people", `{"name":"Léa","role":"staff","pin":"4729"}`, manager, token), 409)
	screen := b.paired("grill")

	here := b.do("GET", "/v1/session/people", "", "Cookie", screen)
	if want := fmt.Sprintf(`{"people":[{"id":%q,"name":"Léa"}]}`+"\n", lea.ID); here.Body.String() != want {
		t.Errorf("people here = %s, want %s", here.Body, want)
	}
	problemOf(t, b.do("GET", "/v1/people", "", "Cookie", screen), 403)
	problemOf(t, b.do("POST", "/v1/orders/1/cancel", "", "Cookie", screen), 403)
	enter := func(pin string) string { return fmt.Sprintf(`{"person":%q,"pin":%q}`, lea.ID, pin) }
	problemOf(t, b.do("POST", "/v1/session/person", enter("4728"), "Cookie", screen), 401)
	problemOf(t, b.do("POST", "/v1/session/person", enter("4729")), 401) // no shared browser
	staff, bearer := b.as(access.Staff)
	problemOf(t, b.do("POST", "/v1/session/person", enter("4729"), staff, bearer), 403)

	w := b.do("POST", "/v1/session/person", enter("4729"), "Cookie", screen)
	c := personCookie(t, w)
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"name":"Léa","role":"staff","screen":"grill","via":"pin","until":"`) {
		t.Fatalf("enter = %d %s", w.Code, w.Body)
	}
	if c.Name != PersonCookie || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || len(c.Value) < 40 {
		t.Errorf("cookie = %v", c)
	}
	both := screen + "; " + PersonCookie + "=" + c.Value
	if w := b.do("POST", "/v1/tickets/1/bump", "", "Cookie", both); !strings.Contains(w.Body.String(), `"name":"Léa"`) {
		t.Errorf("the bump is done by %s, want Léa", w.Body)
	}
	if w := b.do("POST", "/v1/orders/1/cancel", "", "Cookie", both); w.Code != 200 {
		t.Errorf("staff may cancel, got %d %s", w.Code, w.Body)
	}
	problemOf(t, b.do("GET", "/v1/people", "", "Cookie", both), 403)
	problemOf(t, b.do("GET", "/v1/screens/bar/events", "", "Cookie", both), 403) // the browser stays what it is
	problemOf(t, b.do("GET", "/v1/session", "", "Cookie", PersonCookie+"="+c.Value), 401)

	w = b.do("DELETE", "/v1/session/person", "", "Cookie", both)
	if c := personCookie(t, w); w.Code != 204 || c.Name != PersonCookie || c.MaxAge >= 0 {
		t.Errorf("leave = %d %v", w.Code, c)
	}
	if w := b.do("POST", "/v1/tickets/1/bump", "", "Cookie", both); !strings.Contains(w.Body.String(), `"name":"grill"`) {
		t.Errorf("after leaving the bump is done by %s, want the screen", w.Body)
	}

	// Five wrong PINs lock; a manager opens the lock.
	for range 4 {
		b.do("POST", "/v1/session/person", enter("4728"), "Cookie", screen)
	}
	w = b.do("POST", "/v1/session/person", enter("4728"), "Cookie", screen)
	if problemOf(t, w, 429); w.Header().Get("Retry-After") == "" {
		t.Error("a locked person without Retry-After")
	}
	if w := b.do("GET", "/v1/people", "", manager, token); !strings.Contains(w.Body.String(), `"locked_until"`) || strings.Contains(w.Body.String(), "pbkdf2") {
		t.Errorf("people = %s", w.Body)
	}
	one := "/v1/people/" + lea.ID.String()
	if w := b.do("PUT", one, `{"pin":"9263"}`, manager, token); w.Code != 200 || strings.Contains(w.Body.String(), "locked_until") {
		t.Errorf("a new PIN = %d %s", w.Code, w.Body)
	}
	if w := b.do("POST", "/v1/session/person", enter("9263"), "Cookie", screen); w.Code != 200 {
		t.Errorf("with the new PIN = %d %s", w.Code, w.Body)
	}
	problemOf(t, b.do("PUT", one, `{"role":"manager"}`, manager, token), 422)
	if w := b.do("DELETE", one, "", manager, token); w.Code != 204 {
		t.Errorf("remove = %d %s", w.Code, w.Body)
	}
	problemOf(t, b.do("DELETE", one, "", manager, token), 404)
	problemOf(t, b.do("PUT", "/v1/people/x", `{}`, manager, token), 404)
	if strings.Contains(b.log.String(), "4729") || strings.Contains(b.log.String(), c.Value) {
		t.Error("the log holds a PIN or a cookie")
	}
}
