package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"aboyeur/bridge/access"
)

func TestRolesAndRoutes(t *testing.T) {
	all := access.Roles()
	sets := [][]access.Role{nil, {access.Admin}, {access.Manager}, {access.Manager, access.Staff}, {access.Till, access.Aggregator}, {access.Screen}, {access.Metrics}, all}
	var routes []Route
	for i, roles := range sets {
		routes = append(routes,
			Route{Method: "GET", Path: fmt.Sprintf("/v1/r%d", i), Roles: roles, Handle: say("x")},
			Route{Method: "POST", Path: fmt.Sprintf("/v1/r%d", i), Roles: roles, Handle: say("x")},
			Route{Method: "GET", Path: fmt.Sprintf("/r%d", i), Roles: roles, Page: true, Handle: say("<p>")})
	}
	b := newBench(t, Config{Routes: routes})
	for i, roles := range sets {
		for _, role := range append([]access.Role{""}, all...) {
			var header []string
			if role != "" {
				name, value := b.as(role)
				header = []string{name, value}
			}
			want := 200
			switch {
			case len(roles) == 0 || role == access.Admin || slices.Contains(roles, role):
			case role == "":
				want = 401
			default:
				want = 403
			}
			for _, method := range []string{"GET", "POST"} {
				w := b.do(method, fmt.Sprintf("/v1/r%d", i), "", header...)
				if w.Code != want {
					t.Errorf("%s of a route for %v as %q = %d, want %d", method, roles, role, w.Code, want)
				}
				if want >= 400 {
					problemOf(t, w, want)
				}
				if got := w.Header().Get("WWW-Authenticate"); (got != "") != (want == 401) {
					t.Errorf("%d with WWW-Authenticate %q", want, got)
				}
			}
			w := b.do("GET", fmt.Sprintf("/r%d?a=b&c=d", i), "", header...)
			if want == 401 {
				want = 303
				if got := w.Header().Get("Location"); got != fmt.Sprintf("/sign-in?next=%%2Fr%d%%3Fa%%3Db%%26c%%3Dd", i) {
					t.Errorf("Location = %q", got)
				}
			}
			if w.Code != want {
				t.Errorf("page for %v as %q = %d, want %d", roles, role, w.Code, want)
			}
		}
	}
	for _, header := range []string{"Bearer", "Bearer ", "Bearer x", "Basic YTpi", "bearer  ", b.token[access.Admin]} {
		if w := b.do("GET", "/v1/r1", "", "Authorization", header); w.Code != 401 {
			t.Errorf("Authorization %q = %d, want 401", header, w.Code)
		}
	}
	if w := b.do("GET", "/v1/r1", "", "Authorization", "bearer "+b.token[access.Admin]); w.Code != 200 {
		t.Errorf("the scheme in lower case = %d, want 200", w.Code)
	}
	if w := b.do("GET", "/v1/r0", "", "Authorization", "Basic YTpi"); w.Code != 200 {
		t.Errorf("a public route with foreign credentials = %d, want 200", w.Code)
	}
}

func who(w http.ResponseWriter, r *http.Request) error {
	p := access.From(r.Context())
	return Answer(w, 200, map[string]string{"name": p.Name, "role": string(p.Role), "via": p.Via, "screen": p.Screen})
}

func cookieOf(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == CookieName {
			return c
		}
	}
	t.Fatalf("no cookie in %d %v %s", w.Code, w.Header(), w.Body)
	return nil
}

func TestSession(t *testing.T) {
	b := newBench(t, Config{})
	problemOf(t, b.do("GET", "/v1/session", ""), 401)
	problemOf(t, b.do("POST", "/v1/session", `{"token":"aby_admin_wrong"}`), 401)
	problemOf(t, b.do("POST", "/v1/session", `{"tokn":"x"}`), 422)
	problemOf(t, b.do("POST", "/v1/session", `{"token":"`+strings.Repeat("x", smallBody)+`"}`), 413)
	signIn := fmt.Sprintf(`{"token":%q}`, b.token[access.Manager])

	// A planted cookie does not become the session.
	w := b.do("POST", "/v1/session", signIn, "Cookie", CookieName+"=planted")
	c := cookieOf(t, w)
	if w.Code != 204 || c.Value == "planted" || len(c.Value) < 40 {
		t.Fatalf("sign in = %d, cookie %q", w.Code, c.Value)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != "/" || c.Domain != "" || c.MaxAge != int(access.SessionLife/time.Second) {
		t.Errorf("cookie = %v", c)
	}
	mine := CookieName + "=" + c.Value
	if w := b.do("GET", "/v1/session", "", "Cookie", mine); w.Code != 200 || w.Body.String() != `{"name":"the-manager","role":"manager","screen":"","via":"session"}`+"\n" {
		t.Errorf("session = %d %s", w.Code, w.Body)
	}
	if w := b.do("GET", "/v1/session", "", "Cookie", CookieName+"=stale; "+mine); w.Code != 200 {
		t.Errorf("a stale cookie before the good one = %d", w.Code)
	}
	problemOf(t, b.do("GET", "/v1/session", "", "Cookie", CookieName+"=planted"), 401)
	if w := b.do("GET", "/v1/session", "", "Cookie", mine, "Authorization", "Bearer wrong"); w.Code != 401 {
		t.Errorf("a wrong bearer token beside a good cookie = %d, want 401", w.Code)
	}

	// Signing in again is a new session, and ends the old one.
	again := cookieOf(t, b.do("POST", "/v1/session", signIn, "Cookie", mine))
	if again.Value == c.Value {
		t.Error("the second sign-in gave the same session")
	}
	problemOf(t, b.do("GET", "/v1/session", "", "Cookie", mine), 401)

	mine = CookieName + "=" + again.Value
	w = b.do("DELETE", "/v1/session", "", "Cookie", mine)
	if c := cookieOf(t, w); w.Code != 204 || c.MaxAge >= 0 || c.Value != "" || !c.HttpOnly {
		t.Errorf("sign out = %d %v", w.Code, c)
	}
	problemOf(t, b.do("GET", "/v1/session", "", "Cookie", mine), 401)
}

func TestCookieIsSecureBehindTLS(t *testing.T) {
	b := newBench(t, Config{})
	s := httptest.NewTLSServer(b.Handler())
	defer s.Close()
	answer, err := s.Client().Post(s.URL+"/v1/session", "application/json", strings.NewReader(fmt.Sprintf(`{"token":%q}`, b.token[access.Staff])))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if c := answer.Cookies(); len(c) != 1 || !c[0].Secure || !c[0].HttpOnly {
		t.Errorf("cookies = %v", c)
	}
}

func TestSignInIsLimited(t *testing.T) {
	b := newBench(t, Config{})
	for range 100 {
		if w := b.do("POST", "/v1/session", `{"token":"guess"}`); w.Code == 429 {
			problemOf(t, w, 429)
			if w.Header().Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			return
		}
	}
	t.Error("100 wrong tokens were looked at")
}

func TestPairingByHTTP(t *testing.T) {
	b := newBench(t, Config{Routes: []Route{
		{Method: "GET", Path: "/v1/screens/{screen}/events", Roles: []access.Role{access.Screen, access.Staff}, Handle: who},
		{Method: "GET", Path: "/screens/{screen}", Roles: []access.Role{access.Screen}, Page: true, Handle: say("<p>")},
	}})
	w := b.do("POST", "/v1/pairings", `{"label":"tablet"}`)
	var code access.Code
	if err := json.Unmarshal(w.Body.Bytes(), &code); err != nil || w.Code != 201 {
		t.Fatalf("pairing = %d %s", w.Code, w.Body)
	}
	claim := fmt.Sprintf(`{"secret":%q}`, code.Secret)
	if w := b.do("POST", "/v1/pairings/claim", claim); w.Code != 202 || w.Body.String() != `{"state":"pending"}`+"\n" {
		t.Errorf("claim before approval = %d %s", w.Code, w.Body)
	}
	problemOf(t, b.do("POST", "/v1/pairings/claim", `{"secret":"guess"}`), 404)
	approve := "/v1/pairings/" + code.Code + "/approve"
	problemOf(t, b.do("POST", approve, `{"screen":"grill"}`), 401)
	for _, role := range []access.Role{access.Staff, access.Screen, access.Till, access.Aggregator, access.Metrics} {
		name, value := b.as(role)
		problemOf(t, b.do("POST", approve, `{"screen":"grill"}`, name, value), 403)
	}
	name, value := b.as(access.Manager)
	problemOf(t, b.do("POST", "/v1/pairings/0000/approve", `{"screen":"grill"}`, name, value), 404)
	problemOf(t, b.do("POST", approve, `{"screen":""}`, name, value), 422)
	if w := b.do("POST", approve, `{"screen":"grill"}`, name, value); w.Code != 204 {
		t.Fatalf("approve = %d %s", w.Code, w.Body)
	}
	w = b.do("POST", "/v1/pairings/claim", claim)
	c := cookieOf(t, w)
	if w.Code != 200 || w.Body.String() != `{"state":"paired","screen":"grill"}`+"\n" || !c.HttpOnly || c.MaxAge != int(access.ScreenLife/time.Second) {
		t.Fatalf("claim = %d %s %v", w.Code, w.Body, c)
	}
	problemOf(t, b.do("POST", "/v1/pairings/claim", claim), 404)

	screen := CookieName + "=" + c.Value
	if w := b.do("GET", "/v1/screens/grill/events", "", "Cookie", screen); w.Code != 200 || !strings.Contains(w.Body.String(), `"screen":"grill"`) {
		t.Errorf("own events = %d %s", w.Code, w.Body)
	}
	problemOf(t, b.do("GET", "/v1/screens/bar/events", "", "Cookie", screen), 403)
	if w := b.do("GET", "/screens/grill", "", "Cookie", screen); w.Code != 200 || cookieOf(t, w).Value != c.Value {
		t.Errorf("own page = %d, its cookie is not renewed", w.Code)
	}

	w = b.do("GET", "/v1/pairings", "", name, value)
	var list pairingList
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Pairings) != 1 || list.Pairings[0].Label != "tablet" {
		t.Fatalf("pairings = %d %s", w.Code, w.Body)
	}
	problemOf(t, b.do("DELETE", "/v1/pairings/x", "", name, value), 404)
	revoke := "/v1/pairings/" + list.Pairings[0].ID.String()
	problemOf(t, b.do("DELETE", revoke, "", "Cookie", screen), 403)
	if w := b.do("DELETE", revoke, "", name, value); w.Code != 204 {
		t.Errorf("revoke = %d %s", w.Code, w.Body)
	}
	problemOf(t, b.do("DELETE", revoke, "", name, value), 404)
	problemOf(t, b.do("GET", "/v1/screens/grill/events", "", "Cookie", screen), 401)

	w = b.do("GET", "/v1/audit?limit=2", "", name, value)
	var log auditList
	if err := json.Unmarshal(w.Body.Bytes(), &log); err != nil || len(log.Entries) != 2 || log.Entries[0].Act != access.ActPairingRevoked || log.Entries[0].By != "the-manager" {
		t.Errorf("audit = %d %s", w.Code, w.Body)
	}
	for _, limit := range []string{"0", "x", "1001"} {
		problemOf(t, b.do("GET", "/v1/audit?limit="+limit, "", name, value), 400)
	}
	name, value = b.as(access.Staff)
	problemOf(t, b.do("GET", "/v1/audit", "", name, value), 403)
}

func TestCrossOrigin(t *testing.T) {
	b := newBench(t, Config{PublicURL: "https://box.example", Routes: []Route{
		{Method: "POST", Path: "/v1/x", Roles: access.Roles(), Handle: say("x")},
		{Method: "GET", Path: "/v1/x", Roles: access.Roles(), Handle: say("x")},
	}})
	w := b.do("POST", "/v1/session", fmt.Sprintf(`{"token":%q}`, b.token[access.Manager]))
	cookie := CookieName + "=" + cookieOf(t, w).Value
	for _, c := range []struct {
		name, method string
		header       []string
		want         int
	}{
		{"no browser", "POST", nil, 200},
		{"same origin by header", "POST", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"cross site", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"sibling site", "POST", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"own origin on plain HTTP", "POST", []string{"Origin", "http://192.168.1.5:8080"}, 200},
		{"foreign origin on plain HTTP", "POST", []string{"Origin", "http://evil.example"}, 403},
		{"no origin", "POST", []string{"Origin", "null"}, 403},
		{"public URL through a proxy", "POST", []string{"Origin", "https://box.example"}, 200},
		{"reading", "GET", []string{"Origin", "http://evil.example"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := b.do(c.method, "/v1/x", "", append(c.header, "Cookie", cookie, "Host", "192.168.1.5:8080")...)
			if w.Code != c.want {
				t.Errorf("%s = %d %s, want %d", c.method, w.Code, w.Body, c.want)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("the answer invites other origins")
			}
		})
	}
}

func TestDemoLoopback(t *testing.T) {
	routes := []Route{
		{Method: "GET", Path: "/v1/who", Roles: []access.Role{access.Admin}, Handle: who},
		{Method: "POST", Path: "/v1/who", Roles: []access.Role{access.Admin}, Handle: who},
	}
	b := newBench(t, Config{Routes: routes, DemoLoopback: true})
	for _, c := range []struct {
		name   string
		header []string
		want   int
	}{
		{"curl", nil, 200},
		{"IPv6", []string{"Remote", "[::1]:4", "Host", "[::1]:8080"}, 200},
		{"IPv6 without port", []string{"Remote", "[::1]:4", "Host", "[::1]"}, 200},
		{"mapped", []string{"Remote", "[::ffff:127.0.0.1]:4"}, 200},
		{"localhost", []string{"Host", "localhost:8080"}, 200},
		{"localhost with dot", []string{"Host", "LOCALHOST."}, 200},
		{"name under localhost", []string{"Host", "box.localhost:8080"}, 200},
		{"own page", []string{"Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin"}, 200},
		{"somebody else", []string{"Remote", "192.168.1.20:4"}, 401},
		{"rebound name", []string{"Host", "evil.example:8080"}, 401},
		{"name that begins like loopback", []string{"Host", "127.0.0.1.evil.example"}, 401},
		{"no host", []string{"Host", ""}, 401},
		{"a proxy here", []string{"X-Forwarded-For", "192.168.1.20"}, 401},
		{"another proxy here", []string{"Forwarded", "for=192.168.1.20"}, 401},
		{"a wrong token", []string{"Authorization", "Bearer wrong"}, 401},
		{"a stale cookie", []string{"Cookie", CookieName + "=stale"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := append([]string{"Remote", "127.0.0.1:4", "Host", "127.0.0.1:8080"}, c.header...)
			for _, method := range []string{"GET", "POST"} {
				if w := b.do(method, "/v1/who", "", header...); w.Code != c.want {
					t.Errorf("%s = %d %s, want %d", method, w.Code, w.Body, c.want)
				}
			}
		})
	}
	local := []string{"Remote", "127.0.0.1:4", "Host", "127.0.0.1:8080"}
	for _, c := range []struct {
		name, method string
		header       []string
		want         int
	}{
		{"foreign page reads", "GET", []string{"Origin", "http://evil.example"}, 401},
		{"page of another port reads", "GET", []string{"Origin", "http://127.0.0.1:9999"}, 401},
		{"sandboxed page", "GET", []string{"Origin", "null"}, 401},
		{"embedded picture", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 401},
		{"embedded frame", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 401},
		{"followed link", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"foreign form", "POST", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		{"foreign origin posts", "POST", []string{"Origin", "http://evil.example"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			if w := b.do(c.method, "/v1/who", "", append(c.header, local...)...); w.Code != c.want {
				t.Errorf("%s = %d %s, want %d", c.method, w.Code, w.Body, c.want)
			}
		})
	}
	if w := b.do("GET", "/v1/who", "", local...); w.Body.String() != `{"name":"demo","role":"admin","screen":"","via":"demo"}`+"\n" {
		t.Errorf("demo is %s", w.Body)
	}
	run := newBench(t, Config{Routes: routes})
	problemOf(t, run.do("GET", "/v1/who", "", local...), 401)
}
