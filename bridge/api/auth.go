package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"aboyeur/bridge/access"
)

// CookieName is the name of the session cookie (contract section 4).
const CookieName = "aboyeur_session"

// PersonCookie is the name of the cookie of somebody who gave a PIN on a shared browser. It counts only beside the
// browser's own session.
const PersonCookie = "aboyeur_person"

// admit tells who makes the request and whether the route is for them. Somebody unknown gets no fault on a page: its
// route sends them to sign in.
func (s *Server) admit(rec *recorder, r *http.Request, t *Route) (access.Principal, error) {
	p, refused := s.who(rec, r)
	if base := rec.call.base; base.Someone() && t.allows(base) {
		p = p.LastsAs(base)
	}
	if len(t.Roles) == 0 {
		return p, nil
	}
	if !p.Someone() {
		if t.Page && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			return p, nil
		}
		detail := "say who you are: Authorization: Bearer TOKEN, or sign in for a session cookie"
		if refused {
			s.c.Access.Refused(rec.call.client, access.ActTokenRefused)
			detail = "the token is not known; `aboyeur token add` makes one"
		}
		return p, &Problem{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: detail}
	}
	if !t.allows(p) {
		return p, &Problem{Status: http.StatusForbidden, Code: "forbidden",
			Detail: fmt.Sprintf("%s has role %s; this is for %s", p.Name, p.Role, roleList(t.Roles))}
	}
	if screen := r.PathValue("screen"); p.Screen != "" && screen != "" && screen != p.Screen {
		return p, &Problem{Status: http.StatusForbidden, Code: "forbidden",
			Detail: fmt.Sprintf("this browser is paired as screen %s; pair it again to be %s", p.Screen, screen)}
	}
	return p, nil
}

// who finds the principal of a request: the browser's own, or the person who gave a PIN on it.
func (s *Server) who(rec *recorder, r *http.Request) (p access.Principal, refused bool) {
	p, refused = s.client(rec, r)
	if !p.Someone() || p.Via == access.ViaToken || r.Header["Cookie"] == nil {
		return p, refused
	}
	acts := r.Method != http.MethodGet && r.Method != http.MethodHead
	for _, c := range r.CookiesNamed(PersonCookie) {
		if person, until, ok := s.c.Access.Visit(c.Value, p, acts); ok {
			rec.call.base, rec.call.until = p, until
			return person, false
		}
	}
	return p, refused
}

// client finds who runs the browser or program. What a bearer header says counts alone; refused tells that its token is
// unknown.
func (s *Server) client(rec *recorder, r *http.Request) (p access.Principal, refused bool) {
	if token, ok := bearer(r); ok {
		p, ok = s.c.Access.Bearer(token)
		return p, !ok
	}
	if r.Header["Cookie"] != nil {
		for _, c := range r.CookiesNamed(CookieName) {
			if p, ok := s.c.Access.Session(c.Value); ok {
				rec.call.cookie = c.Value
				return p, false
			}
		}
	}
	if s.c.DemoLoopback && rec.call.direct && ofThisMachine(r, rec.call.client) {
		return access.Principal{Name: "demo", Role: access.Admin, Via: access.ViaDemo}, false
	}
	return access.Principal{}, false
}

func bearer(r *http.Request) (string, bool) {
	const scheme = "bearer "
	v := r.Header.Get("Authorization")
	if len(v) < len(scheme) || !strings.EqualFold(v[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(v[len(scheme):]), true
}

// ofThisMachine tells whether somebody at this machine made the request, on a page of this server or with a tool. A
// foreign page in a browser here reaches loopback too: by a name of its own that resolves to 127.0.0.1 (its Host is not a
// loopback name then), or by a request across origins.
func ofThisMachine(r *http.Request, client netip.Addr) bool {
	if !client.IsLoopback() || !loopbackName(r.Host) {
		return false
	}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-Ip"} {
		if r.Header[name] != nil {
			return false // a proxy here speaks for somebody elsewhere
		}
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != r.Host {
			return false
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		// Following a link to the console is fine; it shows nothing to the page it stands on.
		return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" && r.Method == http.MethodGet
	}
	return true
}

func loopbackName(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// setCookie gives the browser its session. An empty value takes it away.
func (s *Server) setCookie(rec *recorder, value string, life time.Duration) {
	s.giveCookie(rec, CookieName, value, life)
}

func (s *Server) giveCookie(rec *recorder, name, value string, life time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: rec.call.secure, SameSite: http.SameSiteStrictMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(rec, c)
}

// roleList names the roles that may use a route; admin is always one.
func roleList(roles []access.Role) string {
	names := []string{string(access.Admin)}
	for _, r := range roles {
		if r != access.Admin {
			names = append(names, string(r))
		}
	}
	return strings.Join(names, ", ")
}
