package box

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fullConfig has everything that brings routes of its own.
const fullConfig = `
site: {id: rig-1, name: Brasserie Bellevue, timezone: Europe/Paris, currency: EUR, language: en}
data: {dir: %[1]q}
http: {listen: "127.0.0.1:0", tokens_file: %[2]q}
printers:
  - {name: grill, connect: "tcp:127.0.0.1:9", model: epson-tm-t88}
screens:
  - {name: kitchen, diagonal_inches: 21.5, distance_m: 1.2}
  - {name: expo, diagonal_inches: 21.5, distance_m: 1.2}
stations:
  - {name: grill, printers: [grill], screens: [kitchen], default: true}
pms: {kind: opera, dialect: fias, connect: "tcp:127.0.0.1:9", encoding: utf-8}
floor: {areas: [{name: Salle, tables: ["1", "2"]}]}
reservations:
  - {platform: opentable, venue: "1", base_url: "http://127.0.0.1:9", credentials_file: %[3]q, webhook_secret_file: %[4]q}
delivery:
  - {aggregator: otter, store: S1, base_url: "http://127.0.0.1:9", credentials_file: %[3]q, webhook_secret_file: %[4]q}
pos: {kind: lightspeed-k, location: "1", base_url: "http://127.0.0.1:9", credentials_file: %[3]q, webhook_secret_file: %[4]q}
`

const rolesFile = "testdata/roles.txt"

// TestRolesOfEveryOperation holds each route of the box to the table in testdata/roles.txt: a row for each, with the roles
// that may use it besides admin. A new route fails here until somebody has decided who may use it (go test -update writes
// what the code says; the diff is what a person reads). Then every role calls every route, and what the server does must
// be what the table says.
func TestRolesOfEveryOperation(t *testing.T) {
	dir := t.TempDir()
	tokens := filepath.Join(dir, "tokens")
	credentials, secret := filepath.Join(dir, "credentials"), filepath.Join(dir, "secret")
	for name, text := range map[string]string{credentials: "{client_id: id, client_secret: secret, token: token}\n", secret: "0123456789abcdef0123456789abcdef\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := firmwareconfig.Parse("full.yaml", fmt.Appendf(nil, fullConfig, filepath.Join(dir, "data"), tokens, credentials, secret))
	if err != nil {
		t.Fatal(err)
	}
	token := map[access.Role]string{}
	for _, role := range access.Roles() {
		if token[role], err = access.AddToken(tokens, "the-"+string(role), role, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	b, err := New(t.Context(), c, Options{Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.close() })

	routes := b.server.Routes()
	var rows []string
	for _, r := range routes {
		rows = append(rows, fmt.Sprintf("%-6s %-55s %s", r.Method, r.Path, rolesOf(&r)))
	}
	slices.Sort(rows)
	table := "# Who may use what, besides admin. public: nobody has to say who he is. See bridge/box.TestRolesOfEveryOperation.\n" + strings.Join(rows, "\n") + "\n"
	if *update {
		if err := os.WriteFile(rolesFile, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{} // "METHOD path" -> roles
	for line := range strings.Lines(string(golden)) {
		if f := strings.Fields(line); !strings.HasPrefix(line, "#") && len(f) >= 3 {
			want[f[0]+" "+f[1]] = strings.Join(f[2:], " ")
		}
	}
	seen := map[string]bool{}
	for _, r := range routes {
		name := r.Method + " " + r.Path
		seen[name] = true
		switch roles, ok := want[name]; {
		case !ok:
			t.Errorf("%s is not in %s: decide who may use it and add the row (it says %q)", name, rolesFile, rolesOf(&r))
		case roles != rolesOf(&r):
			t.Errorf("%s is for %q, in the table for %q", name, rolesOf(&r), roles)
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("%s is in %s and the box has no such route", name, rolesFile)
		}
	}

	// The server keeps to it. Nothing is carried out: the journal takes no writes, and nobody waits for the answers.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	hole := regexp.MustCompile(`\{[^}]*\}`)
	screens := pairedScreens(t, b, "kitchen", "expo")
	ask := func(method, path, authorization string) int {
		r := httptest.NewRequest(method, hole.ReplaceAllString(strings.ReplaceAll(path, "{screen}", "kitchen"), "x"), nil).WithContext(gone)
		switch {
		case authorization == token[access.Screen]:
			// A token is no screen in particular, and the pass has one of its own.
			screen := screens[0]
			if strings.Contains(path, "/expo") {
				screen = screens[1]
			}
			r.AddCookie(&http.Cookie{Name: api.CookieName, Value: screen})
		case authorization != "":
			r.Header.Set("Authorization", "Bearer "+authorization)
		}
		w := httptest.NewRecorder()
		b.server.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for _, r := range routes {
		name := r.Method + " " + r.Path
		roles := strings.Fields(want[name])
		path := strings.ReplaceAll(r.Path, "{$}", "")
		if slices.Contains(roles, "public") {
			continue // who they answer 401 to, as a wrong signature, is their own test's
		}
		if got := ask(r.Method, path, ""); got != http.StatusUnauthorized && !(r.Page && got == http.StatusSeeOther) {
			t.Errorf("%s answers nobody with %d, want 401", name, got)
		}
		if got := ask(r.Method, path, "aby_admin_wrong"); got != http.StatusUnauthorized && !(r.Page && got == http.StatusSeeOther) {
			t.Errorf("%s answers a wrong token with %d, want 401", name, got)
		}
		for _, role := range access.Roles() {
			may := role == access.Admin || slices.Contains(roles, string(role))
			got := ask(r.Method, path, token[role])
			if refused := got == http.StatusUnauthorized || got == http.StatusForbidden; refused == may {
				t.Errorf("%s answers %s with %d; may it: %v", name, role, got, may)
			}
		}
		// Somebody who gave a PIN at a kitchen screen must not lose what the screen may do.
		if slices.Contains(roles, "screen") && !slices.Contains(roles, "staff") {
			t.Errorf("%s is for screens and not for staff: a cook who gave a PIN there could not use it", name)
		}
	}
}

// pairedScreens runs the journal for as long as pairing takes and gives the screens' cookies.
func pairedScreens(t *testing.T, b *Box, names ...string) (cookies []string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.journal.Run(ctx) }()
	defer func() { stop(); <-ended }()
	from := netip.MustParseAddr("192.168.1.20")
	for _, name := range names {
		code, err := b.access.AskPairing("tablet", from)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.access.ApprovePairing(ctx, code.Code, name, access.Principal{Name: "camille", Role: access.Manager}, from); err != nil {
			t.Fatal(err)
		}
		cookie, _, err := b.access.ClaimPairing(ctx, code.Secret)
		if err != nil {
			t.Fatal(err)
		}
		cookies = append(cookies, cookie)
	}
	return cookies
}

// rolesOf names a route's roles as the table does.
func rolesOf(r *api.Route) string {
	if len(r.Roles) == 0 {
		return "public"
	}
	var names []string
	for _, role := range access.Roles() {
		if role != access.Admin && slices.Contains(r.Roles, role) {
			names = append(names, string(role))
		}
	}
	if len(names) == 0 {
		return "admin"
	}
	return strings.Join(names, " ")
}
