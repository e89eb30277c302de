package journal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestSettings(t *testing.T) {
	at := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	j := journaltest.Open(t, journal.Config{Now: func() time.Time { return at }}, nil)
	put := func(key, value string, expected int64) (s journal.Setting, err error) {
		err = j.Write(t.Context(), func(tx *journal.Tx) (err error) {
			var raw json.RawMessage
			if value != "" {
				raw = json.RawMessage(value)
			}
			s, err = tx.PutSetting(key, raw, expected, "léa")
			return err
		})
		return s, err
	}
	if _, err := j.Setting(t.Context(), "routing/bar"); !errors.Is(err, journal.ErrNoSetting) {
		t.Errorf("Setting before Put = %v, want ErrNoSetting", err)
	}
	want := journal.Setting{Key: "routing/bar", Value: json.RawMessage(`{"a":"<é>","b":12345678901234567890}`), Revision: 1, Author: "léa", Origin: journal.FromConsole, At: at}
	if got, err := put("routing/bar", `{ "b": 12345678901234567890, "a":"<é>" }`, 0); err != nil || !cmp.Equal(got, want) {
		t.Errorf("PutSetting = %+v, %v, want %+v", got, err, want)
	}
	if got, err := j.Setting(t.Context(), "routing/bar"); err != nil || !cmp.Equal(got, want) {
		t.Errorf("Setting = %+v, %v, want %+v", got, err, want)
	}
	var conflict *journal.ConflictError
	if _, err := put("routing/bar", `1`, 0); !errors.As(err, &conflict) || conflict.Current.Revision != 1 {
		t.Errorf("PutSetting from an older revision = %v, want a conflict with revision 1", err)
	}
	for value, says := range map[string]string{`{`: "not JSON", `1 2`: "more than one", `"a" x`: "more than one"} {
		if _, err := put("routing/bar", value, 1); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("PutSetting(%s) = %v, want %q", value, err, says)
		}
	}
	if _, err := put("routing/bar", `2`, 1); err != nil {
		t.Error(err)
	}
	if _, err := put("routing/bar", ``, 2); err != nil {
		t.Error(err)
	}
	if _, err := j.Setting(t.Context(), "routing/bar"); !errors.Is(err, journal.ErrNoSetting) {
		t.Errorf("Setting after removal = %v, want ErrNoSetting", err)
	}
	if _, err := put("routing/bar", `4`, 3); err != nil {
		t.Errorf("PutSetting after removal = %v", err)
	}
	put("routing/grill", `5`, 0)
	put("menu", `6`, 0)
	list, err := j.Settings(t.Context(), "routing/")
	if err != nil || len(list) != 2 || list[0].Key != "routing/bar" || string(list[1].Value) != "5" {
		t.Errorf("Settings(routing/) = %v, %v", list, err)
	}
	history, err := j.SettingHistory(t.Context(), "routing/bar", 10)
	var values []string
	for _, s := range history {
		values = append(values, fmt.Sprintf("%d %s", s.Revision, s.Value))
	}
	if want := []string{"4 4", "3 ", "2 2", `1 {"a":"<é>","b":12345678901234567890}`}; err != nil || !slices.Equal(values, want) {
		t.Errorf("SettingHistory = %q, %v, want %q", values, err, want)
	}
	changes, err := j.Since(t.Context(), 0, 1)
	if err != nil || changes[0].Kind != "setting" || changes[0].Subject != "routing/bar" || !json.Valid(changes[0].Payload) {
		t.Errorf("change = %v, %v, want one of kind setting", changes, err)
	}
	for n := range int64(journal.SettingsKept + 5) {
		if _, err := put("menu", fmt.Sprint(n), n+1); err != nil {
			t.Fatal(err)
		}
	}
	if history, err := j.SettingHistory(t.Context(), "menu", 1000); err != nil || len(history) != journal.SettingsKept {
		t.Errorf("%d revisions kept, %v, want %d", len(history), err, journal.SettingsKept)
	}
}

func TestBundleReplacesOnlyWhatItChanged(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	bundle := func(values map[string]string) (changed string) {
		t.Helper()
		raw := map[string]json.RawMessage{}
		for k, v := range values {
			raw[k] = json.RawMessage(v)
		}
		err := j.Write(t.Context(), func(tx *journal.Tx) error {
			list, err := tx.ApplyBundle("bundle 7", raw)
			for _, s := range list {
				changed += s.Key + "=" + string(s.Value) + " "
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(changed)
	}
	value := func(key string) string {
		t.Helper()
		s, err := j.Setting(t.Context(), key)
		if errors.Is(err, journal.ErrNoSetting) {
			return ""
		}
		if err != nil {
			t.Fatal(err)
		}
		return string(s.Value) + " " + s.Origin
	}
	console := func(key, v string) {
		t.Helper()
		s, err := j.Setting(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		err = j.Write(t.Context(), func(tx *journal.Tx) error {
			_, err := tx.PutSetting(key, json.RawMessage(v), s.Revision, "léa")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(step string, want map[string]string) {
		t.Helper()
		for key, v := range want {
			if got := value(key); got != v {
				t.Errorf("%s: %s is %q, want %q", step, key, got, v)
			}
		}
	}
	if got, want := bundle(map[string]string{"a": "1", "b": `{"x":1,"y":2}`, "c": "1"}), `a=1 b={"x":1,"y":2} c=1`; got != want {
		t.Errorf("first bundle changed %q, want %q", got, want)
	}
	console("a", "10")
	console("b", "20")
	if got := bundle(map[string]string{"a": " 1", "b": `{"y":2, "x":1}`, "c": "1"}); got != "" {
		t.Errorf("the same bundle again changed %q", got)
	}
	check("same bundle", map[string]string{"a": "10 console", "b": "20 console", "c": "1 bundle"})
	if got, want := bundle(map[string]string{"a": "1", "b": "21", "d": "4"}), "b=21 c= d=4"; got != want {
		t.Errorf("next bundle changed %q, want %q", got, want)
	}
	check("next bundle", map[string]string{"a": "10 console", "b": "21 bundle", "c": "", "d": "4 bundle"})
	if got, want := bundle(map[string]string{"a": "10", "b": "21", "d": "4"}), ""; got != want {
		t.Errorf("a bundle that says what people had set changed %q", got)
	}
}

func TestAuditLogReadsBackwards(t *testing.T) {
	j := journaltest.Open(t, journal.Config{}, nil)
	for n := range 5 {
		if err := j.Write(t.Context(), note(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	}
	first, err := j.AuditLog(t.Context(), 0, 2)
	if err != nil || len(first) != 2 || first[0].Subject != "4" || first[0].By != "léa" {
		t.Fatalf("AuditLog = %v, %v", first, err)
	}
	next, err := j.AuditLog(t.Context(), first[1].Number, 10)
	if err != nil || len(next) != 3 || next[0].Subject != "2" {
		t.Errorf("AuditLog before %d = %v, %v", first[1].Number, next, err)
	}
}
