package warning_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aboyeur/bridge/warning"
)

func TestBoard(t *testing.T) {
	start := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	at := start
	var log strings.Builder
	b := warning.New(func() time.Time { return at }, slog.New(slog.NewTextHandler(&log, nil)))
	var told []string
	b.Watch(func(w warning.Warning, up bool) {
		told = append(told, fmt.Sprint(w.Code, " ", w.Subject, " ", w.Severity, " ", up))
	})
	raise := func(code, subject, severity string) {
		b.Raise(warning.Warning{Code: code, Severity: severity, Subject: subject, Text: "text", Remedy: "remedy"})
	}
	raise("paper", "grill", warning.Warn)
	at = start.Add(time.Minute)
	raise("paper", "grill", warning.Warn) // the same once more
	raise("paper", "bar", warning.Warn)
	raise("clock", "box", warning.Info)
	raise("disk", "box", warning.Critical)
	at = start.Add(2 * time.Minute)
	raise("paper", "bar", warning.Critical) // graver, since the same time
	b.Lower("paper", "nowhere")
	b.Lower("clock", "box")
	var list []string
	for _, w := range b.List() {
		list = append(list, fmt.Sprint(w.Code, " ", w.Subject, " ", w.Severity, " ", w.Since.Sub(start)))
	}
	if diff := cmp.Diff([]string{"disk box critical 1m0s", "paper bar critical 1m0s", "paper grill warning 0s"}, list); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	want := []string{"paper grill warning true", "paper bar warning true", "clock box info true", "disk box critical true", "paper bar critical true", "clock box info false"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if n := strings.Count(log.String(), "warning raised"); n != 4 {
		t.Errorf("%d raised in the log, want 4:\n%s", n, &log)
	}
	b.Lower("paper", "grill")
	raise("paper", "grill", warning.Warn)
	if w := b.List()[2]; !w.Since.Equal(at) {
		t.Errorf("raised anew since %v, want %v", w.Since, at)
	}
}

func TestManyAtOnce(t *testing.T) {
	b := warning.New(nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 200 {
				b.Raise(warning.Warning{Code: "x", Subject: fmt.Sprint(n), Severity: warning.Warn})
				b.List()
				b.Lower("x", fmt.Sprint(n))
			}
		})
	}
	all.Wait()
	if list := b.List(); len(list) != 0 {
		t.Errorf("left %v", list)
	}
}
