// Package kiosk_test tries the kiosk's scripts against a made-up box: its connectors, its folders and a browser that writes
// down how it was called.
package kiosk_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func run(t *testing.T, script string, env ...string) string {
	t.Helper()
	c := exec.Command("sh", script)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMonitorOffAtBoot: without any monitor the HDMI connector is forced on; with one nothing is touched.
func TestMonitorOffAtBoot(t *testing.T) {
	for _, tc := range []struct {
		name, hdmi, dp   string
		wantHDMI, wantDP string
	}{
		{"all off", "disconnected\n", "disconnected\n", "on", "disconnected\n"},
		{"one is there", "disconnected\n", "connected\n", "disconnected\n", "connected\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			drm := t.TempDir()
			hdmi, dp := filepath.Join(drm, "card1-HDMI-A-1", "status"), filepath.Join(drm, "card1-DP-1", "status")
			write(t, hdmi, tc.hdmi)
			write(t, dp, tc.dp)
			run(t, "monitor", "KIOSK_DRM="+drm)
			if got := read(t, hdmi); got != tc.wantHDMI {
				t.Errorf("HDMI is %q, want %q", got, tc.wantHDMI)
			}
			if got := read(t, dp); got != tc.wantDP {
				t.Errorf("DP is %q, want %q", got, tc.wantDP)
			}
		})
	}
	run(t, "monitor", "KIOSK_DRM="+t.TempDir()) // a box without a connector starts all the same
}

// TestKioskBrowser: the profile is new each time, the pairing outlives it, sound needs no touch, and a cookie store that
// broke is set aside.
func TestKioskBrowser(t *testing.T) {
	if _, err := exec.LookPath("wget"); err != nil {
		t.Skip("wget is not installed here")
	}
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("asked the box for %s", r.URL.Path)
		}
	}))
	defer box.Close()
	dir := t.TempDir()
	said, state, profile := filepath.Join(dir, "said"), filepath.Join(dir, "state"), filepath.Join(dir, "run", "profile")
	browser := filepath.Join(dir, "browser")
	write(t, browser, "#!/bin/sh\nprintf '%s\\n' \"$@\" >"+said+"\nprintf 'SQLite format 3 cookies' >"+profile+"/Default/Cookies\n")
	write(t, filepath.Join(profile, "Default", "old"), "crumbs of a crash")
	if err := os.MkdirAll(state, 0o755); err != nil {
		t.Fatal(err)
	}
	env := []string{"RUNTIME_DIRECTORY=" + filepath.Join(dir, "run"), "STATE_DIRECTORY=" + state, "KIOSK_BROWSER=" + browser, "KIOSK_URL=" + box.URL + "/screens/grill", "KIOSK_PATIENCE=5"}
	run(t, "kiosk", env...)
	words := strings.Split(strings.TrimSpace(read(t, said)), "\n")
	for _, want := range []string{"--kiosk", box.URL + "/screens/grill", "--user-data-dir=" + profile, "--autoplay-policy=no-user-gesture-required", "--password-store=basic"} {
		if !slices.Contains(words, want) {
			t.Errorf("the browser is called with %q, lacks %q", words, want)
		}
	}
	if _, err := os.Stat(filepath.Join(profile, "Default", "old")); err == nil {
		t.Error("the old profile is still there")
	}
	if got := read(t, filepath.Join(state, "Cookies")); got != "SQLite format 3 cookies" {
		t.Errorf("the pairing is kept as %q", got)
	}
	write(t, filepath.Join(state, "Cookies"), "torn by a power cut")
	run(t, "kiosk", env...)
	if got := read(t, filepath.Join(state, "Cookies.broken")); got != "torn by a power cut" {
		t.Errorf("a broken cookie store is set aside as %q", got)
	}
}
