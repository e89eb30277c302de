package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// disk counts what was written and synced, and fails on request.
type disk struct {
	mu            sync.Mutex
	bytes, synced int
	fail          error
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bytes += len(p)
	return len(p), nil
}

func (d *disk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.synced = d.bytes
	return d.fail
}

func TestFloorSyncsBeforeItAnswers(t *testing.T) {
	for _, c := range []struct {
		path         string
		fail         error
		status, disk int
	}{
		{"/floor", nil, http.StatusCreated, record},
		{"/floor", errors.New("disk full"), http.StatusInternalServerError, record},
		{"/echo", nil, http.StatusCreated, 0},
	} {
		d := &disk{fail: c.fail}
		w := httptest.NewRecorder()
		handler(d).ServeHTTP(w, httptest.NewRequest("POST", c.path, strings.NewReader("{}")))
		if w.Code != c.status || d.synced != c.disk {
			t.Errorf("POST %s (sync: %v) = %d with %d bytes synced, want %d with %d", c.path, c.fail, w.Code, d.synced, c.status, c.disk)
		}
	}
}

func TestFloorServesUntilItIsStopped(t *testing.T) {
	dir := t.TempDir()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, "127.0.0.1:0", dir, w) }()
	addr, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post("http://"+strings.TrimSpace(addr)+"/floor", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if info, err := os.Stat(filepath.Join(dir, "floor.log")); err != nil || info.Size() != record {
		t.Errorf("floor.log = %v, %v, want %d bytes", info, err, record)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run = %v, want nil", err)
	}
}

func TestFloorNeedsAFolder(t *testing.T) {
	if err := run(t.Context(), "127.0.0.1:0", "", io.Discard); err == nil || !strings.Contains(err.Error(), "-dir") {
		t.Errorf("run without a folder = %v, want an error that names -dir", err)
	}
}
