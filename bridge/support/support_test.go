package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMask(t *testing.T) {
	m := NewMask([]string{"Zoé Lacombe-Durand", "O'Brien, Mr.", "+33 6 12 34 56 78", "0612345678", "Grill", "李雷明"}, "stations: [{name: grill}]")
	for text, want := range map[string]string{
		"guest Zoé Lacombe-Durand of 2781":     "guest Z*** L***-D*** of 2781",
		"LACOMBE, ZOÉ":                         "L***, Z***",
		"lacombes are not lacombe":             "lacombes are not l***",
		"station grill is closed":              "station grill is closed",
		"O'Brien":                              "O'B***",
		"李雷明 came":                             "李*** came",
		"call 0612345678 or 33612345678 now":   "call *** or *** now",
		"call +33 6 12 34 56 78":               "call ***",
		"+44 20 7946 0958 rings":               "*** rings",
		"mail me@example.com.":                 "mail ***.",
		"key aby_admin_Zk3 was refused":        "key *** was refused",
		"Authorization: Bearer abcdefghijkl":   "Authorization: Bearer ***",
		`{"client_secret":"s3cret","a":1}`:     `{"client_secret":"***","a":1}`,
		"password=hunter2&x=1":                 "password=***&x=1",
		"pin: 4729":                            "pin: ***",
		"tcp://me:pw@10.0.0.9:5010/":           "tcp://***@10.0.0.9:5010/",
		"Cookie: aboyeur_session=abc; x":       "Cookie: ***; x",
		"tokens_file: /etc/aboyeur/tokens":     "tokens_file: /etc/aboyeur/tokens",
		"2026-11-21T19:04:05.123456+02:00 1.5": "2026-11-21T19:04:05.123456+02:00 1.5",
		"shipping: 12":                         "shipping: 12",
		"pbkdf2-sha256$1000$00ff$abcd ok":      "*** ok",
		"a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb": "a\n***private key***\nb",
	} {
		if got := m.Text(text); got != want {
			t.Errorf("Text(%q)\n = %q, want %q", text, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("guest Zoé Lacombe of 2781, +33 6 12 34 56 78, aby_admin_x\xff")
	m := NewMask([]string{"Zoé Lacombe", "0612345678"}, "")
	f.Fuzz(func(t *testing.T, text string) {
		got := m.Text(text)
		for w := range wordsOf(got) {
			if m.words[w] {
				t.Errorf("Text(%q) = %q, which has %q", text, got, w)
			}
		}
		if strings.Contains(got, "aby_admin_x") {
			t.Errorf("Text(%q) = %q", text, got)
		}
	})
}

func TestRing(t *testing.T) {
	var next bytes.Buffer
	r := NewRing()
	log := slog.New(r.Handler(slog.NewTextHandler(&next, &slog.HandlerOptions{Level: slog.LevelWarn}))).With("printer", "grill").WithGroup("g")
	log.Debug("not kept")
	log.Info("kept", "n", 1)
	log.Warn("told too", "n", 2)
	text, lost := r.Lines()
	if s := string(text); strings.Count(s, "\n") != 2 || !strings.Contains(s, `"msg":"kept","printer":"grill","g":{"n":1}`) || lost != 0 {
		t.Errorf("kept %q, lost %d", s, lost)
	}
	if s := next.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "told too") {
		t.Errorf("the box's own log has %q", s)
	}
	for i := range 2000 {
		log.Info("line", "i", i, "text", strings.Repeat("x", 200))
	}
	log.Info(strings.Repeat("y", RingBytes))
	text, lost = r.Lines()
	if len(text) > RingBytes || len(text) < RingBytes/2 || lost == 0 || strings.Contains(string(text), `"i":0,`) || !strings.Contains(string(text), `"i":1999`) {
		t.Errorf("%d bytes kept, %d lines lost", len(text), lost)
	}
	if len(r.lines) > 2000 {
		t.Errorf("%d places for lines", len(r.lines))
	}
}

// unpack reads a bundle: file name without its folder -> content.
func unpack(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	files, r := map[string]string{}, tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		if path.Clean(h.Name) != h.Name || files[name] != "" {
			t.Errorf("file %q", h.Name)
		}
		files[name] = string(content)
	}
}

func TestBundle(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	err := j.Write(t.Context(), func(tx *journal.Tx) error {
		tx.Change("order", "019a2f6e-5c1d-7001-8c3a-5d0b7a9e4f12", []byte(`{"customer":"Zoé Lacombe"}`))
		return errors.Join(tx.Audit("camille", "manager", "order_cancelled", "41", "Zoé Lacombe does not come"),
			tx.Audit("camille", "manager", "pin_set", "Léonie", ""),
			func() error {
				_, err := tx.Exec(`INSERT INTO guests (room, reservation, name, content, seen_at) VALUES ('2781', '1', 'Lacombe, Zoé', '{}', 1)`)
				return err
			}(),
			func() error {
				_, err := tx.Exec(`INSERT INTO reservations VALUES (1, x'01', 'opentable', 'OT-7', 'seated', 'failed', 'no_table', '', '', '2026-11-21', 0, 0, 0, x'00', 0, 0, 0, 0, 9, 0, '', '{}',
					'{"guest":{"first_name":"Aurélien","last_name":"Vasseur","phone":"0698765432"}}', '')`)
				return err
			}(),
			func() error {
				_, err := tx.Exec(`INSERT INTO relays VALUES (1, x'02', 'opentable', 1, 'status', 'failed', 3, 1795287845000000, 0, 0, 0, '404: no party of Vasseur, 0698765432', '{}')`)
				return err
			}(),
			func() error {
				_, err := tx.Exec(`INSERT INTO people (key, id, name, role, pin, pin_set_at, made_by, made_at, last_seen, tries, locked_until) VALUES (1, x'00', 'Léonie', 'staff', 'pbkdf2-sha256$1$00$00', 0, '', 0, 0, 0, 0)`)
				return err
			}())
	})
	if err != nil {
		t.Fatal(err)
	}
	ring := NewRing()
	slog.New(ring.Handler(slog.DiscardHandler)).Warn("posting refused", "guest", "Zoé Lacombe", "token", "aby_till_abc")
	b, err := New(Config{Journal: j, Site: "rig-1", Version: "1.2.3", Configuration: "site: {id: rig-1}\n", Log: ring,
		Now: func() time.Time { return time.Date(2026, 11, 21, 19, 4, 5, 0, time.UTC) },
		Parts: []Part{
			JSON("printers.json", func(context.Context) (any, error) { return []string{"grill"}, nil }),
			JSON("health.json", func(context.Context) (any, error) { return nil, errors.New("the sensor fell off") }),
			{"trace/hotel.txt", func(_ context.Context, w io.Writer) error {
				_, err := io.WriteString(w, strings.Repeat("x", 32<<10)+"\nlast line of Lacombe\n\xff")
				return err
			}},
		}})
	if err != nil {
		t.Fatal(err)
	}
	b.most = 32 << 10
	if got, want := b.Name(), "aboyeur-rig-1-20261121T190405Z"; got != want {
		t.Errorf("Name = %q, want %q", got, want)
	}
	routes := b.Routes()
	route, w := routes[len(routes)-1], httptest.NewRecorder()
	r := httptest.NewRequest("GET", route.Path, nil)
	if err := route.Handle(w, r.WithContext(access.With(r.Context(), access.Principal{Name: "camille", Role: access.Manager}))); err != nil {
		t.Fatal(err)
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="aboyeur-rig-1-20261121T190405Z.tar.gz"` {
		t.Errorf("it is sent as %s", got)
	}
	files := unpack(t, w.Body.Bytes())
	for name, want := range map[string]string{
		"README.txt": "5 words", "about.json": `"version": "1.2.3"`, "configuration.yaml": "rig-1", "log.jsonl": "posting refused", "changes.txt": "order 019a2f6e",
		"audit.txt": "order_cancelled", "printers.json": "grill", "health.json": "could not be made: the sensor fell off", "trace/hotel.txt": "last line of L***", "states.json": `"orders_by_state"`, "trace/platforms.txt": "2026-11-21T19:04:05.000Z opentable status: failed 3 404: no party of V***",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s has no %q:\n%.500s", name, want, files[name])
		}
	}
	for name, content := range files {
		for _, private := range []string{"Lacombe", "Zoé", "Léonie", "Aurélien", "Vasseur", "765432", "aby_till", "pbkdf2"} {
			if strings.Contains(content, private) {
				t.Errorf("%s holds %q", name, private)
			}
		}
		if len(content) > b.most+100 {
			t.Errorf("%s has %d bytes", name, len(content))
		}
	}
	if err := j.Write(t.Context(), func(*journal.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	log, err := j.AuditLog(t.Context(), 0, 1)
	if err != nil || len(log) != 1 || log[0].Act != "support_bundle_made" || log[0].By != "camille" {
		t.Errorf("audit log %v, %v", log, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	b.busy <- struct{}{}
	if err := b.Write(gone, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("with another bundle under way and nobody waiting: %v", err)
	}
	<-b.busy
	if err := b.Write(t.Context(), failing{}); err == nil {
		t.Error("a bundle that nobody took is no error")
	}
}

func TestContacts(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	b, err := New(Config{Journal: j, Partners: []string{"Aboyeur", "Oracle OPERA"}})
	if err != nil {
		t.Fatal(err)
	}
	do := func(i int, body string) (string, error) {
		route, w := b.Routes()[i], httptest.NewRecorder()
		r := httptest.NewRequest(route.Method, route.Path, strings.NewReader(body))
		err := route.Handle(w, r.WithContext(access.With(r.Context(), access.Principal{Name: "camille", Role: access.Manager})))
		return strings.TrimSpace(w.Body.String()), err
	}
	if got, err := do(0, ""); err != nil || got != `{"value":[{"partner":"Aboyeur"},{"partner":"Oracle OPERA"}],"revision":0}` {
		t.Errorf("at first %s, %v", got, err)
	}
	const one = `{"value":[{"partner":"Oracle OPERA","phone":"+33 1 23 45 67 89","mail":"ops@example.com","note":"day and night"}],"revision":`
	if got, err := do(1, one+"0}"); err != nil || got != one+"1}" {
		t.Errorf("written: %s, %v", got, err)
	}
	if _, err := do(1, one+"0}"); err == nil || !strings.Contains(err.Error(), "revision 1") {
		t.Errorf("from an old revision: %v", err)
	}
	if got, err := do(0, ""); err != nil || got != one+"1}" {
		t.Errorf("read back: %s, %v", got, err)
	}
	for body, pointer := range map[string]string{
		`{"value":[{"partner":" "}],"revision":1}`:                                                         "/value/0/partner",
		`{"value":[{"partner":"a","mail":"nobody"}],"revision":1}`:                                         "/value/0/mail",
		`{"value":[{"partner":"a","phone":"call"}],"revision":1}`:                                          "/value/0/phone",
		`{"value":[{"partner":"a","note":"b\nc"}],"revision":1}`:                                           "/value/0/note",
		`{"value":[{"partner":"` + strings.Repeat("é", maxWord+1) + `"}],"revision":1}`:                    "/value/0/partner",
		`{"value":[` + strings.TrimSuffix(strings.Repeat(`{"partner":"a"},`, 41), ",") + `],"revision":1}`: "/value",
	} {
		if _, err := do(1, body); err == nil || !strings.Contains(err.Error(), pointer+" ") {
			t.Errorf("%.60s: %v, want a fault at %s", body, err, pointer)
		}
	}
}

// Every count must be one that the journal's tables can answer.
func TestCounts(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	b, err := New(Config{Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	states, err := b.states(t.Context())
	if all, ok := states.(map[string]map[string]int64); err != nil || !ok || len(all) != len(counts) {
		t.Errorf("states %v, %v", states, err)
	}
	if _, err := b.people(t.Context()); err != nil {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fmt.Errorf("no room") }
