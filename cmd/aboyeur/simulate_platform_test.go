package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A platform as a program: its host is moved over HTTP, what it is told goes into its ledger, and it ends cleanly.
func TestSimulatePlatform(t *testing.T) {
	ledger := filepath.Join(t.TempDir(), "ledger")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		exited <- runSimulate(ctx, stdio{strings.NewReader(""), stdout, &stderr}, []string{"aleno", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ledger", ledger})
		stdout.Close()
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("first line of output: %v; %s", err, &stderr)
	}
	var at simulatedAt
	if err := json.Unmarshal(line, &at); err != nil || at.Peer != "aleno" {
		t.Fatalf("first line %q: %v", line, err)
	}
	call := func(method, url, body string, want int) string {
		t.Helper()
		q, err := http.NewRequest(method, "http://"+url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer simulated-secret")
		q.Header.Set("Idempotency-Key", "k1")
		w, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		text, _ := io.ReadAll(w.Body)
		if w.StatusCode != want {
			t.Fatalf("%s %s answered %d: %s", method, url, w.StatusCode, text)
		}
		return string(text)
	}
	call("POST", at.Control+"/reservations", `{"id":"R1","status":"seated","tables":["12"],"party_size":2}`, http.StatusNoContent)
	call("POST", at.Control+"/reservations", `{"id":"R1","status":"seated","covers":2}`, http.StatusBadRequest)
	call("POST", at.Control+"/faults", `{"next":["broken"]}`, http.StatusNoContent)
	const paid = `{"venue_id":"12345","reservation_id":"R1","status":"Paid","updated":"2026-11-21T20:15:30Z"}`
	call("PUT", at.Listen+"/pos/v1/restaurants/12345/reservations/R1/status", paid, http.StatusServiceUnavailable)
	call("PUT", at.Listen+"/pos/v1/restaurants/12345/reservations/R1/status", paid, http.StatusNoContent)
	call("PUT", at.Listen+"/pos/v1/restaurants/12345/reservations/R1/status", strings.Replace(paid, "Paid", "Gone", 1), http.StatusBadRequest)
	if got := call("GET", at.Control+"/calls", "", http.StatusOK); strings.Count(got, "\n") != 3 || !strings.Contains(got, `"fault":"broken"`) {
		t.Errorf("calls: %s", got)
	}
	if got := call("GET", at.Control+"/state", "", http.StatusOK); !strings.Contains(got, `"tables":{"12":"paid"}`) {
		t.Errorf("state: %s", got)
	}
	stop()
	if code := <-exited; code != exitOK {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	http.DefaultClient.CloseIdleConnections()
	b, err := os.ReadFile(ledger)
	if err != nil || !strings.Contains(string(b), `"request":"k1","reservation":"R1","venue":"12345","kind":"stage","stage":"paid"`) || strings.Count(string(b), "\n") != 1 {
		t.Errorf("ledger %s, %v", b, err)
	}
}
