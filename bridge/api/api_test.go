package api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A bench is a Server on a journal and a tokens file of its own, with a token for each role.
type bench struct {
	*Server
	t       *testing.T
	access  *access.Access
	journal *journal.Journal
	file    string
	token   map[access.Role]string
	log     *lockedBuffer
}

// lockedBuffer keeps what was logged.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newBench(t *testing.T, c Config) *bench {
	t.Helper()
	b := &bench{t: t, file: filepath.Join(t.TempDir(), "tokens"), token: map[access.Role]string{}, log: &lockedBuffer{}}
	b.journal = journaltest.Open(t, journal.Config{}, nil)
	for _, role := range access.Roles() {
		token, err := access.AddToken(b.file, "the-"+string(role), role, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		b.token[role] = token
	}
	log := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if b.access, err = access.New(t.Context(), access.Config{Journal: b.journal, TokensFile: b.file, PINRounds: 10, Log: log}); err != nil {
		t.Fatal(err)
	}
	c.Access, c.Log = b.access, log
	if b.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(b.log.String())
		}
	})
	return b
}

// do makes a request without a network. header is alternating names and values.
func (b *bench) do(method, target, body string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.RemoteAddr = "192.168.1.20:5000"
	for i := 0; i+1 < len(header); i += 2 {
		switch header[i] {
		case "Remote":
			r.RemoteAddr = header[i+1]
		case "Host":
			r.Host = header[i+1]
		default:
			r.Header.Add(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return w
}

func (b *bench) as(role access.Role) (name, value string) {
	return "Authorization", "Bearer " + b.token[role]
}

// serve runs the server on a loopback port until the test ends, or stop is called.
func (b *bench) serve() (address string, stop func()) {
	b.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("Serve = %v", err)
		}
	})
	b.t.Cleanup(stop)
	return l.Addr().String(), stop
}

// client makes an HTTP client that leaves no connection behind.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// problemOf reads a problem and checks that it is one.
func problemOf(t *testing.T, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" || m["status"] != float64(status) ||
		m["title"] != http.StatusText(status) || m["type"] == "" || w.Header().Get("X-Request-Id") == "" {
		t.Fatalf("answer = %d %v %s, want a %d problem", w.Code, w.Header(), w.Body, status)
	}
	return m
}

func say(text string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not in time", what)
		}
	}
}
