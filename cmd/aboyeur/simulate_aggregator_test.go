package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An aggregator as a program: a guest orders over HTTP, the box is told and answers, and the answer is in the ledger.
func TestSimulateAggregator(t *testing.T) {
	heard := make(chan string, 4)
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- string(body)
	}))
	defer box.Close()
	ledger := filepath.Join(t.TempDir(), "ledger")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		exited <- runSimulate(ctx, stdio{strings.NewReader(""), stdout, &stderr}, []string{"otter", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--ledger", ledger, "--hook", box.URL})
		stdout.Close()
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("first line of output: %v; %s", err, &stderr)
	}
	var at simulatedAt
	if err := json.Unmarshal(line, &at); err != nil || at.Peer != "otter" {
		t.Fatalf("first line %q: %v", line, err)
	}
	call := func(method, target, token, event, body string, want int) string {
		t.Helper()
		q, err := http.NewRequest(method, "http://"+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			q.Header.Set("Authorization", "Bearer "+token)
		}
		q.Header.Set("X-Store-Id", "store-1")
		q.Header.Set("X-Event-Id", event)
		if strings.Contains(target, "token") {
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		text, _ := io.ReadAll(w.Body)
		if w.StatusCode != want {
			t.Fatalf("%s %s answered %d: %s", method, target, w.StatusCode, text)
		}
		return string(text)
	}
	const order = `{"aggregator":"","partner":"","slug":"ubereats","id":"8F3A2","service":"pickup","currency":"EUR","decimals":2,"lines":[{"name":"Pizza","quantity":1,"price":1150}]}`
	call("POST", at.Control+"/orders", "", "", order, http.StatusNoContent)
	call("POST", at.Control+"/orders", "", "", `{"pizza":1}`, http.StatusBadRequest)
	var event struct{ EventID, EventType string }
	if err := json.Unmarshal([]byte(<-heard), &event); err != nil || event.EventType != "orders.new_order" {
		t.Fatalf("heard %+v, %v", event, err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"aboyeur"}, "client_secret": {"simulated-secret"}}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(call("POST", at.Listen+"/v1/auth/token", "", "", form.Encode(), http.StatusOK)), &token); err != nil {
		t.Fatal(err)
	}
	call("POST", at.Listen+"/manager/order/v1/orders/order-created", "nobody", event.EventID, "", http.StatusUnauthorized)
	call("POST", at.Listen+"/manager/order/v1/orders/order-created", token.AccessToken, event.EventID, "", http.StatusOK)
	if got := call("GET", at.Control+"/state", "", "", "", http.StatusOK); !strings.Contains(got, `"orders":1,"by_status":{"new":1},"taken":1`) {
		t.Errorf("state: %s", got)
	}
	stop()
	if code := <-exited; code != exitOK {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	http.DefaultClient.CloseIdleConnections()
	b, err := os.ReadFile(ledger)
	if err != nil || !strings.Contains(string(b), `"key":"ubereats/8F3A2","op":"created"`) || strings.Count(string(b), "\n") != 1 {
		t.Errorf("ledger %s, %v", b, err)
	}
}
