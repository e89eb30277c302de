package rest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a client whose pauses take no time and are written down.
type rig struct {
	*Client
	mu        sync.Mutex
	pauses    []time.Duration
	exchanges []Exchange
}

func newRig(t *testing.T, c Config) *rig {
	t.Helper()
	r := &rig{}
	c.Wait = func(ctx context.Context, d time.Duration) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pauses = append(r.pauses, d)
		return ctx.Err()
	}
	if c.Random == nil {
		c.Random = func() float64 { return 1 }
	}
	c.Trace = func(x Exchange) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.exchanges = append(r.exchanges, x)
	}
	var err error
	if r.Client, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// raw is a server that reads whole requests and does with the connection what script says. n counts requests from 1.
func raw(t *testing.T, script func(n int, c net.Conn)) (base string, requests *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = &atomic.Int64{}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Add(1)
	go func() {
		defer all.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Add(1)
			go func() {
				defer all.Done()
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					q, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					io.Copy(io.Discard, q.Body)
					script(int(requests.Add(1)), c)
				}
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return "http://" + l.Addr().String(), requests
}

func reply(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

type thing struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("err = %v, want an *Error", err)
	}
	return e
}

func TestDo(t *testing.T) {
	var got *http.Request
	var body []byte
	r := newRig(t, Config{
		Tokens: Bearer("tok-12345"),
		Header: http.Header{"x-app-key": {"app"}},
		Base: serve(t, func(w http.ResponseWriter, q *http.Request) {
			got = q
			body, _ = io.ReadAll(q.Body)
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, `{"name":"a","n":7,"more":[1,{"x":null}],"name":"b"}`)
		}) + "/base/",
	})
	var out thing
	a, err := r.Do(t.Context(), Call{Op: "make", Method: "POST", Path: Path("things", "a/b", ".."), Query: url.Values{"q": {"é &"}},
		Header: http.Header{"X-Request-Id": {"r1"}}, In: map[string]any{"b": 1, "a": "<é>"}, Out: &out, Key: "k-1"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != 201 || a.Attempts != 1 || out != (thing{"b", 7}) {
		t.Errorf("Do = %+v, %+v", a, out)
	}
	if w := "/base/things/a%2Fb/%2E%2E?q=%C3%A9+%26"; got.RequestURI != w {
		t.Errorf("request for %s, want %s", got.RequestURI, w)
	}
	if string(body) != `{"a":"<é>","b":1}` {
		t.Errorf("body %s", body)
	}
	for name, want := range map[string]string{"Authorization": "Bearer tok-12345", "X-App-Key": "app", "X-Request-Id": "r1",
		"Idempotency-Key": "k-1", "Content-Type": "application/json", "Accept": "application/json", "User-Agent": "aboyeur"} {
		if v := got.Header.Values(name); len(v) != 1 || v[0] != want {
			t.Errorf("header %s = %q, want %q", name, v, want)
		}
	}
	if len(r.exchanges) != 1 {
		t.Fatalf("exchanges %v", r.exchanges)
	}
	x := r.exchanges[0]
	if x.Op != "make" || x.Method != "POST" || x.Status != 201 || x.Attempt != 1 || x.Err != "" || x.Sent != len(body) || x.Received == 0 {
		t.Errorf("exchange %+v", x)
	}
}

func TestRawAndEmptyAnswers(t *testing.T) {
	r := newRig(t, Config{Base: serve(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/none" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		io.WriteString(w, "not json")
	})})
	var text []byte
	if _, err := r.Do(t.Context(), Call{Path: "/text", Out: &text}); err != nil || string(text) != "not json" {
		t.Errorf("Do = %q, %v", text, err)
	}
	out := thing{N: 3}
	if a, err := r.Do(t.Context(), Call{Path: "/none", Out: &out}); err != nil || a.Status != 204 || out.N != 3 {
		t.Errorf("Do = %+v, %v, out %v", a, err, out)
	}
	if _, err := r.Do(t.Context(), Call{Path: "/text"}); err != nil {
		t.Errorf("Do without Out = %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for base, want := range map[string]string{
		"":                       `write https://HOST`,
		"ftp://h":                `write https://HOST`,
		"https://":               `write https://HOST`,
		"https://u:secret@h":     "name or password",
		"https://h/?apiKey=x":    "has a query",
		"http://10.0.0.9/x":      "has no TLS",
		"http://example.com":     "has no TLS",
		"http://localhost.evil/": "has no TLS",
		"http://%zz":             "cannot be read",
	} {
		_, err := New(Config{Base: base})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%q) = %v, want %q", base, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q) = %v shows a secret", base, err)
		}
	}
	for _, c := range []Config{{Base: "http://127.0.0.1:1"}, {Base: "http://[::1]:1"}, {Base: "http://localhost"}, {Base: "http://10.0.0.9", Plain: true}, {Base: "https://h/x/"}} {
		if _, err := New(c); err != nil {
			t.Errorf("New(%q) = %v", c.Base, err)
		}
	}
}

func TestBadCallsAreNotSent(t *testing.T) {
	r := newRig(t, Config{Base: "http://127.0.0.1:1", MaxRequest: 10})
	for _, call := range []Call{
		{Path: "x"}, {Path: "/%zz"}, {Path: "/x", In: func() {}}, {Path: "/x", Method: "POST", In: "longer than ten"}, {Path: "/x#f"},
	} {
		_, err := r.Do(t.Context(), call)
		if FateOf(err) != NotSent || !errors.Is(err, ErrNotSent) || len(r.exchanges) != 0 {
			t.Errorf("Do(%q) = %v", call.Path, err)
		}
	}
}

// TestFates is the table of what is certain after each way to fail, and how often the call is made.
func TestFates(t *testing.T) {
	status := func(s int) func(int, net.Conn) {
		return func(_ int, c net.Conn) { io.WriteString(c, reply(s, `{"error":"x"}`)) }
	}
	cut := func(s string) func(int, net.Conn) {
		return func(_ int, c net.Conn) { io.WriteString(c, s); c.Close() }
	}
	silent := func(int, net.Conn) {}
	for _, c := range []struct {
		name     string
		script   func(int, net.Conn)
		fate     Fate
		get      int // attempts of a GET
		post     int // attempts of a POST
		is       error
		untouch  []int
		maxBytes int64
	}{
		{"closed unanswered", cut(""), Uncertain, 3, 1, nil, nil, 0},
		{"cut in the status line", cut("HTTP/1.1 2"), Uncertain, 3, 1, nil, nil, 0},
		{"cut in the header", cut("HTTP/1.1 200 OK\r\nContent-Le"), Uncertain, 3, 1, nil, nil, 0},
		{"not HTTP", cut("STX|whatever|ETX\r\n\r\n"), Uncertain, 3, 1, nil, nil, 0},
		{"silent", silent, Uncertain, 3, 1, ErrSilent, nil, 0},
		{"cut in the body", cut("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"name\":"), Accepted, 3, 1, ErrCut, nil, 0},
		{"cut body without length", cut("HTTP/1.1 200 OK\r\n\r\n{\"name\":\"abc"), Accepted, 3, 1, ErrCut, nil, 0},
		{"body stalls", func(_ int, c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{") }, Accepted, 3, 1, ErrSilent, nil, 0},
		{"garbage", func(_ int, c net.Conn) { io.WriteString(c, reply(200, "<html>")) }, Accepted, 1, 1, ErrNotJSON, nil, 0},
		{"another type", func(_ int, c net.Conn) { io.WriteString(c, reply(200, `{"n":"x"}`)) }, Accepted, 1, 1, ErrNotJSON, nil, 0},
		{"too large", func(_ int, c net.Conn) { io.WriteString(c, reply(200, strings.Repeat(" ", 200))) }, Accepted, 1, 1, ErrTooLarge, nil, 100},
		{"header too large", cut("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHeader) + "\r\n\r\n"), Uncertain, 3, 1, nil, nil, 0},
		{"400", status(400), Refused, 1, 1, ErrRefused, nil, 0},
		{"401", status(401), Refused, 1, 1, ErrRefused, nil, 0},
		{"404", status(404), Refused, 1, 1, ErrRefused, nil, 0},
		{"408", status(408), Uncertain, 3, 1, ErrUncertain, nil, 0},
		{"409", status(409), Refused, 1, 1, nil, nil, 0},
		{"425", status(425), Refused, 3, 3, nil, nil, 0},
		{"429", status(429), Refused, 3, 3, nil, nil, 0},
		{"499", status(499), Uncertain, 1, 1, nil, nil, 0},
		{"500", status(500), Uncertain, 3, 1, nil, nil, 0},
		{"501", status(501), Refused, 1, 1, nil, nil, 0},
		{"502", status(502), Uncertain, 3, 1, nil, nil, 0},
		{"503", status(503), Uncertain, 3, 1, nil, nil, 0},
		{"503 by agreement", status(503), Refused, 3, 3, nil, []int{503}, 0},
		{"504", status(504), Uncertain, 3, 1, nil, nil, 0},
		{"507", status(507), Uncertain, 1, 1, nil, nil, 0},
		{"redirect elsewhere", func(_ int, c net.Conn) {
			io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/x\r\nContent-Length: 0\r\n\r\n")
		}, Refused, 1, 1, ErrRedirect, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{"GET", "POST"} {
				base, requests := raw(t, c.script)
				timeout := time.Minute
				if c.is == ErrSilent {
					timeout = 400 * time.Millisecond
				}
				r := newRig(t, Config{Base: base, Timeout: timeout, Retry: Retry{Attempts: 3}, MaxAnswer: c.maxBytes, Untouched: c.untouch})
				call := Call{Op: "try", Method: method, Path: "/x", Out: &thing{}}
				want := c.get
				if method == "POST" {
					call.In, call.Key, want = thing{}, "key", c.post
				}
				_, err := r.Do(t.Context(), call)
				e := asError(t, err)
				if e.Fate != c.fate || FateOf(err) != c.fate {
					t.Errorf("%s: fate %v, want %v (%v)", method, e.Fate, c.fate, err)
				}
				if int(requests.Load()) != want || e.Attempts != want || len(r.exchanges) != want {
					t.Errorf("%s: %d requests, %d attempts, %d exchanges, want %d (%v)", method, requests.Load(), e.Attempts, len(r.exchanges), want, err)
				}
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("%s: %v is not %v", method, err, c.is)
				}
			}
		})
	}
}

// TestCutAtEveryByte cuts the answer to a charge behind each of its bytes: until its status has come nobody may say more
// than uncertain, and nothing is ever sent twice.
func TestCutAtEveryByte(t *testing.T) {
	whole := reply(201, `{"name":"x","n":1}`)
	head := strings.Index(whole, "\r\n\r\n") + 4
	for n := 0; n <= len(whole); n++ {
		base, requests := raw(t, func(_ int, c net.Conn) { io.WriteString(c, whole[:n]); c.Close() })
		r := newRig(t, Config{Base: base})
		var out thing
		_, err := r.Do(t.Context(), Call{Method: "POST", Path: "/charge", In: thing{}, Out: &out})
		var want Fate
		switch {
		case n == len(whole):
			if err != nil || out.N != 1 {
				t.Errorf("whole answer: %v", err)
			}
			continue
		case n >= head:
			want = Accepted
		}
		if FateOf(err) != want {
			t.Errorf("cut behind %d bytes: %v (%v), want %v", n, FateOf(err), err, want)
		}
		if requests.Load() != 1 {
			t.Errorf("cut behind %d bytes: %d requests", n, requests.Load())
		}
	}
}

func TestNothingSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, never shakes hands
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	defer stranger.Close()
	for name, c := range map[string]struct {
		config   Config
		attempts int
	}{
		"refused connection":  {Config{Base: "http://" + address}, 3},
		"mute handshake":      {Config{Base: "https://" + mute.Addr().String(), Connect: 50 * time.Millisecond}, 3},
		"unknown certificate": {Config{Base: stranger.URL}, 1},
		"no token":            {Config{Base: stranger.URL, Tokens: failing{}}, 1},
		"broken token":        {Config{Base: stranger.URL, Tokens: Bearer("a\nb")}, 1},
	} {
		c.config.Retry = Retry{Attempts: 3}
		r := newRig(t, c.config)
		_, err := r.Do(t.Context(), Call{Op: "charge", Method: "POST", Path: "/x", In: thing{}})
		e := asError(t, err)
		if e.Fate != NotSent || !errors.Is(err, ErrNotSent) || e.Attempts != c.attempts {
			t.Errorf("%s: %v, fate %v, %d attempts, want %d", name, err, e.Fate, e.Attempts, c.attempts)
		}
		if !strings.Contains(err.Error(), "charge: POST /x: ") || !strings.Contains(err.Error(), "nothing was sent") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{}

func (failing) Authorization(context.Context) (string, error) { return "", errors.New("no luck") }
func (failing) Refused(string) bool                           { return false }

// TestSealed shows that a request counted as not sent cannot go out afterwards.
func TestSealed(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	c := &conn{Conn: near}
	go io.Copy(io.Discard, far)
	if n, err := c.Write([]byte("abc")); n != 3 || err != nil || c.count() != 3 {
		t.Fatalf("Write = %d, %v, count %d", n, err, c.count())
	}
	if !c.untouched(3) {
		t.Error("untouched(3) = false")
	}
	if n, err := c.Write([]byte("d")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after = %d, %v", n, err)
	}
	if c.untouched(2) {
		t.Error("untouched(2) = true")
	}
}

// TestWritingCounts: a write that is under way may have gone out.
func TestWritingCounts(t *testing.T) {
	near, far := net.Pipe() // nobody reads
	defer far.Close()
	c := &conn{Conn: near}
	done := make(chan struct{})
	go func() { c.Write([]byte("abc")); close(done) }()
	for begun := false; !begun; {
		c.mu.Lock()
		begun = c.writing == 1
		c.mu.Unlock()
	}
	if c.untouched(0) {
		t.Error("untouched while writing = true")
	}
	<-done
}

func TestSlotsAreNotSent(t *testing.T) {
	hold := make(chan struct{})
	base, requests := raw(t, func(_ int, c net.Conn) { <-hold })
	defer close(hold)
	r := newRig(t, Config{Base: base, Conns: 1})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := r.Do(ctx, Call{Method: "POST", Path: "/1", In: thing{}})
		first <- err
	}()
	for requests.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	_, err := r.Do(t.Context(), Call{Method: "POST", Path: "/2", In: thing{}, Timeout: 30 * time.Millisecond, Once: true})
	if FateOf(err) != NotSent {
		t.Errorf("call without a slot: %v, want not sent", err)
	}
	cancel()
	if err := <-first; FateOf(err) != Uncertain || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled call: %v", err)
	}
}

func TestStaleConnection(t *testing.T) {
	// The server ends the connection after each answer without saying so beforehand.
	base, requests := raw(t, func(_ int, c net.Conn) { io.WriteString(c, reply(200, "{}")); c.Close() })
	r := newRig(t, Config{Base: base})
	for i := range 100 {
		a, err := r.Do(t.Context(), Call{Method: "POST", Path: "/x", In: thing{}})
		if err != nil || a.Attempts != 1 {
			t.Fatalf("call %d: %+v, %v", i, a, err)
		}
	}
	if n := requests.Load(); n != 100 {
		t.Errorf("%d requests for 100 calls", n)
	}
	for i := range 100 {
		if _, err := r.Do(t.Context(), Call{Method: "GET", Path: "/x"}); err != nil {
			t.Fatalf("repeatable call %d: %v", i, err)
		}
	}
}

func TestBackOff(t *testing.T) {
	base, _ := raw(t, func(_ int, c net.Conn) { io.WriteString(c, reply(503, "")) })
	r := newRig(t, Config{Base: base, Retry: Retry{Attempts: 6, First: time.Second, Max: 5 * time.Second}})
	r.Do(t.Context(), Call{Path: "/x"})
	if d := cmp.Diff([]time.Duration{1e9, 2e9, 4e9, 5e9, 5e9}, r.pauses); d != "" {
		t.Errorf("pauses (-want +got):\n%s", d)
	}
	retry := Retry{First: time.Second}.withDefaults()
	if low, high := retry.wait(2, 0), retry.wait(2, 0.999999); low != time.Second || high <= 1900*time.Millisecond || high > 2*time.Second {
		t.Errorf("jitter from %v to %v", low, high)
	}
	if d := retry.wait(1<<30, 1); d != DefaultMax {
		t.Errorf("wait after very many = %v", d)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-1": 0, "x": 0, "1.5": 0, "99999999999999999999": 0,
		"Sat, 21 Nov 2026 19:00:09 GMT": 9 * time.Second, "Sat, 21 Nov 2026 18:00:00 GMT": 0, "Mon, 01 Jan 9999 00:00:00 GMT": maxRetryAfter,
		"4294967295": maxRetryAfter,
	} {
		h := http.Header{}
		h.Set("Retry-After", value)
		if got := retryAfter(h, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", value, got, want)
		}
	}

	answers := []string{
		"HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 429 X\r\nRetry-After: Sat, 21 Nov 2026 19:00:20 GMT\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 429 X\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n",
	}
	base, requests := raw(t, func(n int, c net.Conn) { io.WriteString(c, answers[n-1]) })
	r := newRig(t, Config{Base: base, Now: func() time.Time { return now }, Retry: Retry{Attempts: 9}})
	_, err := r.Do(t.Context(), Call{Op: "charge", Method: "POST", Path: "/x", In: thing{}})
	e := asError(t, err)
	if requests.Load() != 3 || e.RetryAfter != time.Hour || e.Fate != Refused {
		t.Errorf("%d requests, %v", requests.Load(), err)
	}
	if d := cmp.Diff([]time.Duration{7 * time.Second, 20 * time.Second}, r.pauses); d != "" {
		t.Errorf("pauses (-want +got):\n%s", d)
	}
	if want := "charge: POST /x: answered 429 Too Many Requests; try again in 1h0m0s; tried 3 times"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestNoWaitBeyondTheDeadline(t *testing.T) {
	base, requests := raw(t, func(n int, c net.Conn) {
		io.WriteString(c, "HTTP/1.1 429 X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n")
	})
	r := newRig(t, Config{Base: base})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := r.Do(ctx, Call{Path: "/x"})
	if requests.Load() != 1 || len(r.pauses) != 0 || asError(t, err).RetryAfter != 2*time.Minute {
		t.Errorf("%d requests, pauses %v, %v", requests.Load(), r.pauses, err)
	}
}

func TestWaitEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v", err)
	}
	if err := Wait(t.Context(), time.Microsecond); err != nil {
		t.Errorf("Wait = %v", err)
	}
}

func TestRepeatedDecodingStartsAnew(t *testing.T) {
	base, _ := raw(t, func(n int, c net.Conn) {
		if n == 1 {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n{\"name\":\"old\",\"n\":1")
			c.Close()
			return
		}
		io.WriteString(c, reply(200, `{"n":2}`))
	})
	r := newRig(t, Config{Base: base})
	out := thing{Name: "before"}
	if _, err := r.Do(t.Context(), Call{Path: "/x", Out: &out}); err != nil || out != (thing{"", 2}) {
		t.Errorf("Do = %v, out %+v", err, out)
	}
}

func TestRedirects(t *testing.T) {
	elsewhere := serve(t, func(w http.ResponseWriter, q *http.Request) { t.Errorf("%s %s came", q.Method, q.URL) })
	r := newRig(t, Config{Tokens: Bearer("tok-12345"), Base: serve(t, func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/near":
			http.Redirect(w, q, "/there", http.StatusTemporaryRedirect)
		case "/there":
			if q.Header.Get("Authorization") == "" {
				t.Error("no Authorization after a redirect on the same host")
			}
			io.WriteString(w, `{"n":1}`)
		case "/far":
			http.Redirect(w, q, elsewhere+"/there", http.StatusFound)
		case "/loop":
			http.Redirect(w, q, "/loop", http.StatusFound)
		}
	})})
	var out thing
	if _, err := r.Do(t.Context(), Call{Path: "/near", Out: &out}); err != nil || out.N != 1 {
		t.Errorf("near: %v, %+v", err, out)
	}
	for _, call := range []Call{{Path: "/far"}, {Path: "/loop"}, {Method: "POST", Path: "/near", In: out}, {Method: "DELETE", Path: "/near"}} {
		if _, err := r.Do(t.Context(), call); !errors.Is(err, ErrRedirect) || FateOf(err) != Refused {
			t.Errorf("%s %s: %v, want %v", call.Method, call.Path, err, ErrRedirect)
		}
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		fmt.Fprintf(w, `{"name":%q}`, q.Proto)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	r := newRig(t, Config{Base: s.URL, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10}})
	for range 2 {
		var out thing
		if _, err := r.Do(t.Context(), Call{Method: "POST", Path: "/x", In: out, Out: &out}); err != nil || out.Name != "HTTP/1.1" {
			t.Errorf("Do = %v, %+v", err, out)
		}
	}
}

func TestBomb(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(make([]byte, 1<<20))
	z.Close()
	r := newRig(t, Config{MaxAnswer: 1 << 16, Base: serve(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	})})
	if _, err := r.Do(t.Context(), Call{Path: "/x", Out: &thing{}}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Do = %v, want %v", err, ErrTooLarge)
	}
}

func TestErrorBody(t *testing.T) {
	r := newRig(t, Config{Base: serve(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Set-Cookie", "session=1")
		w.WriteHeader(400)
		if q.URL.Path == "/long" {
			io.WriteString(w, strings.Repeat("x", 2*MaxErrorBody))
			return
		}
		io.WriteString(w, `{"title":"no"}`)
	})})
	_, err := r.Do(t.Context(), Call{Path: "/x"})
	if e := asError(t, err); string(e.Body) != `{"title":"no"}` || e.Header.Get("Set-Cookie") != "" {
		t.Errorf("body %q, header %v", e.Body, e.Header)
	}
	_, err = r.Do(t.Context(), Call{Path: "/long"})
	if e := asError(t, err); len(e.Body) != MaxErrorBody {
		t.Errorf("body of %d bytes", len(e.Body))
	}
}

// TestSecrets looks for what must not be seen in every error and trace of every way to fail.
func TestSecrets(t *testing.T) {
	const token, app, key, room = "tok/en+very=secret", "app-key-1234", "k3y-in-the-query", "surname-of-a-guest"
	base, _ := raw(t, func(n int, c net.Conn) {
		switch n % 4 {
		case 0:
			c.Close()
		case 1:
			io.WriteString(c, reply(400, token))
		case 2:
			io.WriteString(c, "garbage "+token+" "+app+"\r\n\r\n")
			c.Close()
		case 3:
			io.WriteString(c, "HTTP/1.1 302 X\r\nLocation: http://"+app+".example/?a="+token+"\r\nContent-Length: 0\r\n\r\n")
		}
	})
	down := "http://127.0.0.1:1"
	for _, b := range []string{base, down, "https://" + strings.TrimPrefix(base, "http://")} {
		r := newRig(t, Config{Base: b, Tokens: Bearer(token), Secrets: []string{app, "abc"}, Hidden: []string{"Surname"},
			Header: http.Header{"X-App-Key": {app}}, Retry: Retry{Attempts: 2}})
		for range 4 {
			_, err := r.Do(t.Context(), Call{Op: "search", Path: "/a/" + app, Query: url.Values{"apiKey": {key}, "surname": {room}, "limit": {"3"}, "x": {token}}})
			for _, secret := range []string{token, url.QueryEscape(token), app, key, room} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v\nshows %q", err, secret)
				}
				for _, x := range r.exchanges {
					if s := fmt.Sprintf("%+v", x); strings.Contains(s, secret) {
						t.Errorf("%s\nshows %q", s, secret)
					}
				}
			}
			if !strings.Contains(err.Error(), "limit=3") {
				t.Errorf("%v lacks what may be seen", err)
			}
		}
		if r.Redact("x "+app+" y "+token) != "x *** y ***" || r.Redact("abc") != "abc" {
			t.Errorf("Redact = %q", r.Redact("x "+app+" y "+token))
		}
	}
}

// authority is a token endpoint and the API behind it.
type authority struct {
	mu      sync.Mutex
	issued  int
	valid   string
	fetches int
	life    string
	refuse  bool
	answer  func(w http.ResponseWriter, q *http.Request) bool
	last    *http.Request
	form    url.Values
}

func (a *authority) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q.URL.Path != "/token" {
		if q.Header.Get("Authorization") != "Bearer "+a.valid {
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, "{}")
		return
	}
	a.fetches++
	q.ParseForm()
	a.last, a.form = q, q.PostForm
	if a.answer != nil && a.answer(w, q) {
		return
	}
	if a.refuse {
		w.WriteHeader(401)
		io.WriteString(w, `{"error":"invalid_client","error_description":"bad secret `+q.Header.Get("Authorization")+`"}`)
		return
	}
	a.issued++
	a.valid = fmt.Sprintf("token-%d", a.issued)
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":%s}`, a.valid, a.life)
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newTokens(t *testing.T, o OAuth) *Tokens {
	t.Helper()
	if o.HTTP.Wait == nil {
		o.HTTP.Wait = func(ctx context.Context, d time.Duration) error { return ctx.Err() }
	}
	tokens, err := NewTokens(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokens.Close)
	return tokens
}

func TestTokens(t *testing.T) {
	a := &authority{life: "3600"}
	base := serve(t, a.ServeHTTP)
	k := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	tokens := newTokens(t, OAuth{Endpoint: base + "/token", ID: "me", Secret: "s3cret:&", Scope: "a b", Header: http.Header{"x-app-key": {"app"}},
		Params: url.Values{"audience": {"there"}}, HTTP: Config{Now: k.Now}})
	r := newRig(t, Config{Base: base, Tokens: tokens, Now: k.Now})
	post := func() error {
		_, err := r.Do(t.Context(), Call{Op: "charge", Method: "POST", Path: "/charge", In: thing{}})
		return err
	}

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := post(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a.fetches != 1 {
		t.Errorf("%d tokens fetched by callers that came together", a.fetches)
	}
	if user, password, _ := a.last.BasicAuth(); user != "me" || password != "s3cret:&" || a.last.Header.Get("X-App-Key") != "app" {
		t.Errorf("token request header %v", a.last.Header)
	}
	if d := cmp.Diff(url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}, "audience": {"there"}}, a.form); d != "" {
		t.Errorf("token request (-want +got):\n%s", d)
	}

	k.Add(59*time.Minute - time.Second)
	if err := post(); err != nil || a.fetches != 1 {
		t.Errorf("before renewal: %v, %d fetches", err, a.fetches)
	}
	k.Add(time.Second) // a minute before its end
	if err := post(); err != nil || a.fetches != 2 {
		t.Errorf("renewal: %v, %d fetches", err, a.fetches)
	}

	a.mu.Lock()
	a.valid = "revoked"
	a.mu.Unlock()
	if err := post(); err != nil || a.fetches != 3 {
		t.Errorf("after 401: %v, %d fetches", err, a.fetches)
	}
	tokens.Refused("Bearer token-1") // an old one changes nothing
	if err := post(); err != nil || a.fetches != 3 {
		t.Errorf("after an old 401: %v, %d fetches", err, a.fetches)
	}

	a.mu.Lock()
	a.valid, a.refuse = "revoked", true
	a.mu.Unlock()
	err := post()
	if FateOf(err) != NotSent || !strings.Contains(err.Error(), "invalid_client; check the client id and secret") {
		t.Errorf("refused credentials: %v", err)
	}
	basic := base64.StdEncoding.EncodeToString([]byte("me:s3cret:&"))
	if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), basic) {
		t.Errorf("%v shows a secret", err)
	}
	n := a.fetches
	if err := post(); FateOf(err) != NotSent || a.fetches != n {
		t.Errorf("right after refused credentials: %v, %d fetches, want %d", err, a.fetches, n)
	}
	a.mu.Lock()
	a.refuse = false
	a.mu.Unlock()
	k.Add(refusedRest)
	if err := post(); err != nil {
		t.Errorf("after a rest: %v", err)
	}
}

func TestTokenVariants(t *testing.T) {
	a := &authority{life: "3600"}
	base := serve(t, a.ServeHTTP)
	for name, c := range map[string]struct {
		o    OAuth
		form url.Values
		want string
	}{
		"in form": {OAuth{ID: "me", Secret: "pw", InForm: true}, url.Values{"grant_type": {"client_credentials"}, "client_id": {"me"}, "client_secret": {"pw"}}, "Bearer "},
		"password": {OAuth{ID: "me", Grant: "password", Username: "u", Password: "p w"},
			url.Values{"grant_type": {"password"}, "username": {"u"}, "password": {"p w"}}, "Bearer "},
		"raw": {OAuth{ID: "me", Scheme: "-"}, url.Values{"grant_type": {"client_credentials"}}, ""},
		"own": {OAuth{ID: "me", Scheme: "Token"}, url.Values{"grant_type": {"client_credentials"}}, "Token "},
	} {
		c.o.Endpoint = base + "/token"
		tokens := newTokens(t, c.o)
		v, err := tokens.Authorization(t.Context())
		if err != nil || v != c.want+a.valid {
			t.Errorf("%s: Authorization = %q, %v", name, v, err)
		}
		if d := cmp.Diff(c.form, a.form); d != "" {
			t.Errorf("%s: form (-want +got):\n%s", name, d)
		}
	}
	a.answer = func(w http.ResponseWriter, q *http.Request) bool {
		b, _ := io.ReadAll(q.Body)
		if string(b) != `{"client_id":"me","client_secret":"pw","grant_type":"client_credentials"}` {
			t.Errorf("JSON request %s", b)
		}
		return false
	}
	if _, err := newTokens(t, OAuth{ID: "me", Secret: "pw", AsJSON: true, Endpoint: base + "/token"}).Authorization(t.Context()); err != nil {
		t.Error(err)
	}
	for _, o := range []OAuth{{}, {Endpoint: "https://h"}, {Endpoint: "https://h", ID: "x", Grant: "implicit"}, {Endpoint: "https://h", ID: "x", Grant: "password"},
		{Endpoint: "http://h.example", ID: "x"}, {Endpoint: "https://u:p@h", ID: "x"}} {
		if _, err := NewTokens(o); err == nil {
			t.Errorf("NewTokens(%+v) was taken", o)
		}
	}
}

func TestTokenLife(t *testing.T) {
	k := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for life, want := range map[string]time.Duration{
		"3600": 59 * time.Minute, `"3600"`: 59 * time.Minute, "60": 54 * time.Second, "null": 9 * time.Minute, "0": 9 * time.Minute, "-4": 9 * time.Minute,
		`"soon"`: 9 * time.Minute, "1e300": maxLife - time.Minute, "0.001": 900 * time.Millisecond,
	} {
		a := &authority{life: life}
		tokens := newTokens(t, OAuth{Endpoint: serve(t, a.ServeHTTP) + "/token", ID: "me", HTTP: Config{Now: k.Now}})
		if _, err := tokens.Authorization(t.Context()); err != nil {
			t.Errorf("expires_in %s: %v", life, err)
			continue
		}
		if got := tokens.renew.Sub(k.Now()); got != want {
			t.Errorf("expires_in %s: renewed after %v, want %v", life, got, want)
		}
	}
}

func TestTokenTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		answer  string
		fetches int
		fate    Fate
	}{
		"no token":   {reply(200, "{}"), 1, Accepted},
		"control":    {reply(200, `{"access_token":"a\nb"}`), 1, Accepted},
		"huge":       {reply(200, `{"access_token":"`+strings.Repeat("x", maxToken+1)+`"}`), 1, Accepted},
		"garbage":    {reply(200, "<html>"), 1, Accepted},
		"down":       {reply(503, ""), 4, Uncertain},
		"overloaded": {"HTTP/1.1 429 X\r\nRetry-After: 900\r\nContent-Length: 0\r\n\r\n", 1, Refused},
	} {
		base, requests := raw(t, func(_ int, conn net.Conn) { io.WriteString(conn, c.answer) })
		tokens := newTokens(t, OAuth{Endpoint: base + "/token", ID: "me"})
		api := newRig(t, Config{Base: base, Tokens: tokens})
		_, err := api.Do(t.Context(), Call{Method: "POST", Path: "/charge", In: thing{}})
		e := asError(t, err)
		if e.Fate != NotSent || int(requests.Load()) != c.fetches {
			t.Errorf("%s: %v, %d requests, want %d", name, err, requests.Load(), c.fetches)
		}
		var token *tokenError
		if !errors.As(err, &token) || FateOf(token.err) != c.fate {
			t.Errorf("%s: %v, fate of the token %v, want %v", name, err, FateOf(token), c.fate)
		}
		if name == "overloaded" && e.RetryAfter != 15*time.Minute {
			t.Errorf("%s: RetryAfter = %v", name, e.RetryAfter)
		}
	}
}

// TestTokenWaiters: who waits for somebody else's token goes when its own time is over, and the next in line asks again.
func TestTokenWaiters(t *testing.T) {
	hold := make(chan struct{})
	base, requests := raw(t, func(n int, c net.Conn) {
		if n == 1 {
			<-hold
			return
		}
		io.WriteString(c, reply(200, `{"access_token":"abcd"}`))
	})
	tokens := newTokens(t, OAuth{Endpoint: base + "/token", ID: "me"})
	first, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { _, err := tokens.Authorization(first); gone <- err }()
	for requests.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	short, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer end()
	if _, err := tokens.Authorization(short); !errors.Is(err, ErrSilent) {
		t.Errorf("impatient waiter: %v", err)
	}
	second := make(chan string, 1)
	go func() { v, _ := tokens.Authorization(t.Context()); second <- v }()
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("first: %v", err)
	}
	close(hold)
	if v := <-second; v != "Bearer abcd" {
		t.Errorf("second: %q", v)
	}
}
