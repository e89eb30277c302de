package firmwareconfig

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"aboyeur/devices/port"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s (%v)", pattern, err)
	}
	return names
}

// TestWrongFiles compares what is said of each wrong file, word for word.
func TestWrongFiles(t *testing.T) {
	names := files(t, "testdata/wrong/*.yaml")
	said := map[string]bool{}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse("box.yaml", b)
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("Parse = %v, want faults", err)
			}
			checkFaults(t, b, faults)
			got := faults.Error() + "\n"
			golden := strings.TrimSuffix(name, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			said[got] = true
		})
	}
	if !t.Failed() && len(said) < 60 {
		t.Errorf("%d different answers, want 60 at least", len(said))
	}
}

// checkFaults holds for every fault of every input: its place is in the file, in order, and it has all its words.
func checkFaults(t *testing.T, b []byte, faults Faults) {
	t.Helper()
	b = []byte(strings.TrimPrefix(string(b), "\ufeff"))
	lines := strings.Split(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
	before := Fault{Line: 1, Column: 1}
	for _, f := range faults {
		if f.Line < 1 || f.Line > len(lines) {
			t.Errorf("%v: the file has %d lines", f, len(lines))
		} else if n := len([]rune(lines[f.Line-1])); f.Column < 1 || f.Column > n+1 {
			t.Errorf("%v: line %d has %d characters", f, f.Line, n)
		}
		if f.Line < before.Line || f.Line == before.Line && f.Column < before.Column {
			t.Errorf("%v\nstands after\n%v", f, before)
		}
		if f.File != "box.yaml" || f.Key == "" || f.Problem == "" || f.Remedy == "" {
			t.Errorf("incomplete: %+v", f)
		}
		if strings.ContainsAny(f.Error(), "\n\r\x00") || len(f.Error()) > 2000 {
			t.Errorf("not one line of reasonable length: %q", f.Error())
		}
		before = f
	}
	if len(faults) > maxFaults+1 {
		t.Errorf("%d faults, at most %d wanted", len(faults), maxFaults+1)
	}
}

// Ages come from the service's own limits, else the station's, else its pace.
func TestAges(t *testing.T) {
	limit := func(warn, late int) Limit {
		return Limit{time.Duration(warn) * time.Minute, time.Duration(late) * time.Minute}
	}
	for station, want := range map[string]Limits{
		"":                                {limit(10, 15), limit(10, 15), limit(5, 8)},
		"pace: bar":                       {limit(3, 6), limit(3, 6), limit(3, 6)},
		"pace: quick":                     {limit(5, 8), limit(5, 8), limit(5, 8)},
		"warn_after: 8m, late_after: 12m": {limit(8, 12), limit(8, 12), limit(8, 12)},
		"late_after: 9m":                  {limit(6, 9), limit(6, 9), limit(6, 9)},
		"pace: bar, limits: {delivery: {late_after: 12m}, pickup: {warn_after: 4m}, dine_in: {warn_after: 1m, late_after: 3m}}": {limit(1, 3), limit(3, 12), limit(4, 6)},
	} {
		text := "site: {id: b-1, name: B, timezone: UTC, currency: EUR}\nscreens: [{name: k}]\nstations: [{name: k, screens: [k], default: true, " + station + "}]\n"
		c, err := Parse("box.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", station, err)
			continue
		}
		if got := c.Stations[0].Limits; got != want {
			t.Errorf("%q gives %v, want %v", station, got, want)
		}
	}
}

func TestMinimal(t *testing.T) {
	c, err := Load("testdata/ok/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	address, err := port.Parse("tcp:192.168.1.50:9100")
	if err != nil {
		t.Fatal(err)
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Site: Site{ID: "bistro-1", Name: "Bistro", Timezone: "Europe/Paris", Location: paris, Currency: Currency{"EUR", 2},
			Language: "en", BusinessDayClose: 5*time.Hour + 30*time.Minute},
		Data: Data{Dir: DefaultDataDir},
		HTTP: HTTP{Listen: ":8080", TokensFile: DefaultTokensFile},
		Printers: []Printer{{Name: "kitchen", Connect: address, Model: "generic-80mm", Language: "en", FallbackAfter: 5 * time.Second,
			Type: TypeWired, QueueWarn: 12}},
		Stations: []Station{{Name: "kitchen", Printers: []string{"kitchen"}, Copies: 1, Output: OutputBox, WarnAfter: 10 * time.Minute,
			LateAfter: 15 * time.Minute, Default: true, Fire: FireAtOnce, FireAfter: 15 * time.Minute,
			Limits: Limits{Limit{10 * time.Minute, 15 * time.Minute}, Limit{10 * time.Minute, 15 * time.Minute}, Limit{5 * time.Minute, 8 * time.Minute}}}},
		Courses: []string{"drinks", "starters", "mains", "desserts"},
		PMS: PMS{Kind: KindNone, Dialect: DialectFIAS, Encoding: "windows-1252", AnswerTimeout: time.Minute, NightAuditLimit: 4 * time.Hour,
			PaymentMethod: PaymentMethod{"room", "IKPMS", "Opera"}, Revenue: Revenue{Every: 30 * time.Minute}},
		POS: POS{Kind: KindBuiltin, Inject: InjectStrict, Endpoint: "aboyeur", User: "aboyeur", Status: "accepted", Checks: ChecksBox},
	}
	got := *c
	got.secrets, got.warnings, got.source = nil, nil, nil
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("Load = %+v\nwant %+v", &got, want)
	}
	if c.DefaultStation().Name != "kitchen" {
		t.Errorf("DefaultStation = %+v", c.DefaultStation())
	}
}

func TestFull(t *testing.T) {
	c, err := Load("testdata/ok/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("Warnings = %v", w)
	}
	grill := c.Stations[0]
	if !slices.Equal(grill.Courses, []int{2}) || grill.Copies != 2 || grill.LateAfter != 12*time.Minute {
		t.Errorf("station = %+v", grill)
	}
	if p, ok := c.Printer("bar"); !ok || p.Language != "fr" {
		t.Errorf("printer = %+v, %v; want the language of the site", p, ok)
	}
	if s, ok := c.Screen("grill"); !ok || s.Backup != "pass" {
		t.Errorf("screen = %+v, %v", s, ok)
	}
	if got := fmt.Sprint(c.HTTP.TrustedProxies); got != "[10.8.0.1/32 10.9.0.0/24]" || !c.HTTP.TLS.On() {
		t.Errorf("http = %+v", c.HTTP)
	}
}

// TestWholeLanguage reads every section as it will be once this version serves it: apart from that nothing is wrong.
func TestWholeLanguage(t *testing.T) {
	b, err := os.ReadFile("testdata/later.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse("box.yaml", b)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("Parse = %v", err)
	}
	checkFaults(t, b, faults)
	var unserved int
	for _, f := range features {
		if !f.served {
			unserved++
		}
	}
	if len(faults) != unserved {
		t.Errorf("%d faults, want one for each of %d features not served\n%v", len(faults), unserved, faults)
	}
	for _, f := range faults {
		if !strings.Contains(f.Problem, "cannot") || !strings.Contains(f.Problem, "yet") {
			t.Error(f)
		}
	}
}

func TestWarnings(t *testing.T) {
	c, err := Parse("box.yaml", []byte(head+`printers:
  - {name: kitchen, connect: "tcp:10.0.0.1:9100", fallback_after: 5s}
  - {name: bar, connect: "tcp:10.0.0.2:9100"}
screens: [{name: pass}]
stations: [{name: kitchen, printers: [kitchen], default: true}]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := `box.yaml:3:67: printers[0].fallback_after: has no effect without fallback; write fallback: with the name of another printer
box.yaml:4:12: printers[1].name: no station prints here and it is no fallback; name it in printers: of a station, or remove it
box.yaml:5:18: screens[0].name: no station is shown here; name it in screens: of a station, or remove it`
	if got := c.Warnings().Error(); got != want {
		t.Errorf("Warnings =\n%s\nwant\n%s", got, want)
	}
}

const head = "site: {id: bistro-1, name: Bistro, timezone: Europe/Paris, currency: EUR}\n"

// TestEditors takes what editors of other systems do to a file.
func TestEditors(t *testing.T) {
	b, err := os.ReadFile("testdata/ok/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse("box.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"byte order mark": "\ufeff" + string(b),
		"crlf":            strings.ReplaceAll(string(b), "\n", "\r\n"),
		"no last newline": strings.TrimRight(string(b), "\n"),
		"document marks":  "---\n" + string(b) + "...\n",
	} {
		got, err := Parse("box.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !same(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// same compares what two files say, not where they say it.
func same(a, b *Config) bool {
	x, y := *a, *b
	x.secrets, x.warnings, x.source, y.secrets, y.warnings, y.source = nil, nil, nil, nil, nil, nil
	return reflect.DeepEqual(x, y)
}

// TestHostile reads what no person writes. Each stays well below a second at the full size of MaxFile; an eighth of it
// shows the same and leaves time for the race detector.
func TestHostile(t *testing.T) {
	const size = MaxFile / 8
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for _, text := range []string{
		fill("["), fill("{a: "), fill("- "), fill("? "), fill("a: 1\n"), fill("a\n"), fill("[a,"), fill("- a\n"), fill("!a "), fill("---\n"), fill("a: |\n"),
		"site: &a [x]\nb: [" + fill("*a,") + "]",
		"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]",
		"stations: [" + fill("{name: a},") + "]",
		"courses: [" + fill("x,") + "]",
		"site: {" + fill("x: 1,") + "}",
		"site: " + strings.Repeat("x", MaxFile-10),
		strings.Repeat("x", MaxFile-10) + ": 1",
		"stations:\n- name: a\n  skus: [" + fill("é,") + "]",
		strings.Repeat(" ", MaxFile+1),
	} {
		_, err := Parse("box.yaml", []byte(text))
		var faults Faults
		if !errors.As(err, &faults) {
			t.Errorf("%.40q: Parse = %v, want faults", text, err)
			continue
		}
		checkFaults(t, []byte(text), faults)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load of no file = %v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("Load of a folder = nil")
	}
	path := filepath.Join(dir, "box.yaml")
	write(t, path, head+"data: {dir: data}\nhttp: {tokens_file: secret/tokens}\nscreens: [{name: s}]\nstations: [{name: k, screens: [s], default: true}]\n", 0o600)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data.Dir != filepath.Join(dir, "data") || c.HTTP.TokensFile != filepath.Join(dir, "secret", "tokens") {
		t.Errorf("relative names gave %s and %s, want them beside the file", c.Data.Dir, c.HTTP.TokensFile)
	}
	write(t, path, "site: 1\n", 0o600)
	_, err = Load(path)
	if faults := (Faults{}); !errors.As(err, &faults) || faults[0].File != path {
		t.Errorf("Load of a wrong file = %v", err)
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestCheckSecrets(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cert.pem"), "x", 0o644)
	write(t, filepath.Join(dir, "open.pem"), "x", 0o644)
	write(t, filepath.Join(dir, "good.yaml"), "client_id: x\nclient_secret: y\n", 0o600)
	write(t, filepath.Join(dir, "typo.yaml"), "client_id: x\nclient_secrets: hunter2\n", 0o600)
	write(t, filepath.Join(dir, "empty"), "", 0o600)
	platform := func(name, creds, secret string) string {
		return fmt.Sprintf("  - {platform: %s, venue: x, enabled: false, credentials_file: %s, webhook_secret_file: %s, base_url: \"https://api.example.com\"}\n", name, creds, secret)
	}
	text := head + "http:\n  tls:\n    cert_file: cert.pem\n    key_file: open.pem\nreservations:\n" +
		platform("opentable", "good.yaml", "empty") + platform("resy", "typo.yaml", "none") +
		"screens: [{name: s}]\nstations: [{name: k, screens: [s], default: true}]\n"
	path := filepath.Join(dir, "box.yaml")
	c, err := Parse(path, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c.secrets = slices.DeleteFunc(c.secrets, func(s secret) bool { return s.path == DefaultTokensFile })
	got := strings.ReplaceAll(c.CheckSecrets("box.yaml").Error(), dir, "DIR")
	want := `box.yaml:5:15: http.tls.key_file: "DIR/open.pem" can be opened by everybody on this machine; chmod 640 DIR/open.pem
box.yaml:7:103: reservations[0].webhook_secret_file: "DIR/empty" is empty; put the content into it
box.yaml:8:66: reservations[1].credentials_file: "DIR/typo.yaml" line 2 has an unknown key; known here: client_id, client_secret, scope, application, username, password, token
box.yaml:8:98: reservations[1].webhook_secret_file: "DIR/none" is not there; put the file there, or correct the name`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if strings.Contains(got, "hunter2") {
		t.Error("a secret is shown")
	}
}

func TestExamples(t *testing.T) {
	for _, name := range files(t, "testdata/ok/*.yaml") {
		if _, err := Load(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaOfExamples holds the examples against the printed schema, and everything the tables reject by type, word,
// bound or key against it too.
func TestSchemaOfExamples(t *testing.T) {
	schema := decodeSchema(t)
	for _, name := range append(files(t, "testdata/ok/*.yaml"), "testdata/later.yaml") {
		if faults := conform(schema, load(t, name), ""); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
	rejected := 0
	for _, name := range files(t, "testdata/wrong/*.yaml") {
		var v any
		b, err := os.ReadFile(name)
		if err == nil && yaml.Unmarshal(b, &v) == nil && len(conform(schema, v, "")) > 0 {
			rejected++
		}
	}
	if rejected < 30 {
		t.Errorf("the schema rejects %d of the wrong files, want 30 at least", rejected)
	}
}

func load(t *testing.T, name string) (v any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func decodeSchema(t *testing.T) map[string]any {
	t.Helper()
	b, err := JSONSchema().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	if schema["$schema"] != "https://json-schema.org/draft/2020-12/schema" || schema["additionalProperties"] != false {
		t.Errorf("the schema begins with %.300s", b)
	}
	return schema
}

// conform checks v against the words of JSON Schema that this package writes; an unknown word is a fault as well.
func conform(s map[string]any, v any, at string) (faults []string) {
	bad := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	number := func(v any) (float64, bool) {
		switch v := v.(type) {
		case int:
			return float64(v), true
		case float64:
			return v, true
		}
		return 0, false
	}
	is := func(typ any) bool {
		switch typ {
		case "object":
			_, ok := v.(map[string]any)
			return ok
		case "array":
			_, ok := v.([]any)
			return ok
		case "string":
			_, ok := v.(string)
			return ok
		case "boolean":
			_, ok := v.(bool)
			return ok
		case "integer":
			_, ok := v.(int)
			return ok
		case "number":
			_, ok := number(v)
			return ok
		}
		return false
	}
	for word, x := range s {
		switch word {
		case "$schema", "title", "description", "default", "examples":
		case "type":
			types, ok := x.([]any)
			if !ok {
				types = []any{x}
			}
			if !slices.ContainsFunc(types, is) {
				bad("%v is not %v", v, x)
			}
		case "enum":
			if !slices.Contains(x.([]any), v) {
				bad("%v is none of %v", v, x)
			}
		case "pattern":
			if text, ok := v.(string); ok && !regexp.MustCompile(x.(string)).MatchString(text) {
				bad("%q does not match %s", text, x)
			}
		case "minLength":
			if text, ok := v.(string); ok && len([]rune(text)) < int(x.(float64)) {
				bad("%q is too short", text)
			}
		case "maxLength":
			if text, ok := v.(string); ok && len([]rune(text)) > int(x.(float64)) {
				bad("%q is too long", text)
			}
		case "minimum":
			if n, ok := number(v); ok && n < x.(float64) {
				bad("%v < %v", n, x)
			}
		case "maximum":
			if n, ok := number(v); ok && n > x.(float64) {
				bad("%v > %v", n, x)
			}
		case "items":
			list, _ := v.([]any)
			for i, item := range list {
				faults = append(faults, conform(x.(map[string]any), item, index(at, i))...)
			}
		case "minItems":
			if list, ok := v.([]any); ok && len(list) < int(x.(float64)) {
				bad("too few items")
			}
		case "maxItems":
			if list, ok := v.([]any); ok && len(list) > int(x.(float64)) {
				bad("too many items")
			}
		case "uniqueItems":
			list, _ := v.([]any)
			seen := map[string]bool{}
			for _, item := range list {
				if key := fmt.Sprintf("%T %v", item, item); seen[key] {
					bad("%v twice", item)
				} else {
					seen[key] = true
				}
			}
		case "required":
			m, _ := v.(map[string]any)
			for _, key := range x.([]any) {
				if _, ok := m[key.(string)]; !ok {
					bad("%v is missing", key)
				}
			}
		case "properties":
			m, _ := v.(map[string]any)
			for key, sub := range x.(map[string]any) {
				if item, ok := m[key]; ok {
					faults = append(faults, conform(sub.(map[string]any), item, join(at, key))...)
				}
			}
		case "propertyNames":
			m, _ := v.(map[string]any)
			for key := range m {
				faults = append(faults, conform(x.(map[string]any), key, join(at, key))...)
			}
		case "additionalProperties":
			m, _ := v.(map[string]any)
			known, _ := s["properties"].(map[string]any)
			for key, item := range m {
				if _, ok := known[key]; ok {
					continue
				}
				if sub, ok := x.(map[string]any); ok {
					faults = append(faults, conform(sub, item, join(at, key))...)
				} else {
					bad("unknown key %s", key)
				}
			}
		case "maxProperties":
			if m, ok := v.(map[string]any); ok && len(m) > int(x.(float64)) {
				bad("too many keys")
			}
		default:
			bad("the test does not know the word %s", word)
		}
	}
	return faults
}

// TestSchemaCoversConfig sees that no field of Config is without a key: what cannot be written is not configuration.
func TestSchemaCoversConfig(t *testing.T) {
	derived := map[string]bool{"Site.Location": true, "PMS.URL": true} // follow from another key
	for _, typ := range []struct{ table, fields any }{
		{configTable(new(Config)), Config{}}, {siteTable(new(Site)), Site{}}, {httpTable(new(HTTP)), HTTP{}},
		{printerTable(new(Printer)), Printer{}}, {screenTable(new(Screen)), Screen{}}, {stationTable(new(Station)), Station{}},
		{pmsTable(new(PMS)), PMS{}}, {reservationsTable(new(Reservations)), Reservations{}}, {deliveryTable(new(Delivery)), Delivery{}},
		{posTable(new(POS)), POS{}}, {areaTable(new(Area)), Area{}},
	} {
		keys := len(typ.table.(table))
		rt := reflect.TypeOf(typ.fields)
		fields := 0
		for i := range rt.NumField() {
			if f := rt.Field(i); f.IsExported() && !derived[rt.Name()+"."+f.Name] {
				fields++
			}
		}
		if keys != fields {
			t.Errorf("%s has %d fields and its table %d keys", rt.Name(), fields, keys)
		}
	}
	// Every description ends as a sentence, and every required key has an example.
	var walk func(at string, s *Schema)
	walk = func(at string, s *Schema) {
		for _, p := range s.Properties {
			if !strings.HasSuffix(p.Schema.Description, ".") && !strings.HasSuffix(p.Schema.Description, "…") {
				t.Errorf("%s: description %q", join(at, p.Key), p.Schema.Description)
			}
			walk(join(at, p.Key), p.Schema)
		}
		if s.Items != nil {
			walk(at+"[]", s.Items)
		}
		if sub, ok := s.Additional.(*Schema); ok {
			walk(at+".*", sub)
		}
	}
	walk("", JSONSchema())
}

func TestCurrencies(t *testing.T) {
	for code, want := range map[string]int{"EUR": 2, "JPY": 0, "KWD": 3, "CHF": 2, "XPF": 0} {
		if c, ok := LookupCurrency(code); !ok || c.Exponent != want || c.Code != code {
			t.Errorf("LookupCurrency(%s) = %+v, %v, want exponent %d", code, c, ok, want)
		}
	}
	for _, code := range []string{"", "E", "EU", "eur", "XXX", "R E", "DEM", "EURO"} {
		if c, ok := LookupCurrency(code); ok {
			t.Errorf("LookupCurrency(%q) = %+v", code, c)
		}
	}
}

func TestNear(t *testing.T) {
	words := []string{"printers", "screens", "stations", "late_after", "warn_after"}
	for s, want := range map[string]string{"prnters": "printers", "Printers": "printers", "lateAfter": "late_after", "late-after": "late_after",
		"sceens": "screens", "satations": "stations", "xyz": "", "": "", "warn": ""} {
		if got := near(s, words); got != want {
			t.Errorf("near(%q) = %q, want %q", s, got, want)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load("testdata/ok/full.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}
