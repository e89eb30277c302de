package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/journal/journaltest"
)

func TestRoutesAreChecked(t *testing.T) {
	b := newBench(t, Config{})
	ok := Route{Method: "GET", Path: "/v1/x", Handle: say("x")}
	for _, c := range []struct {
		name   string
		routes []Route
		want   string
	}{
		{"no handler", []Route{{Method: "GET", Path: "/v1/x"}}, "has no handler"},
		{"no path", []Route{{Method: "GET", Handle: say("")}}, "needs a method and a path"},
		{"role", []Route{{Method: "GET", Path: "/v1/x", Roles: []access.Role{"chef"}, Handle: say("")}}, `unknown role "chef"`},
		{"twice", []Route{ok, ok}, "its id getV1X is that of"},
		{"clash", []Route{{Method: "GET", Path: "/v1/{a}/x", Handle: say("")}, {Method: "GET", Path: "/v1/x/{b}", Handle: say("")}}, "conflicts"},
		{"bad pattern", []Route{{Method: "GET", Path: "/v1/{", Handle: say("")}}, "bad wildcard"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(Config{Access: b.access, Routes: c.routes}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New = %v, want %q", err, c.want)
			}
		})
	}
	if _, err := New(Config{}); err == nil {
		t.Error("New without access")
	}
	if _, err := New(Config{Access: b.access, PublicURL: "box.example"}); err == nil {
		t.Error("New took a public URL without a scheme")
	}
}

func TestWhatIsNotThere(t *testing.T) {
	b := newBench(t, Config{Routes: []Route{
		{Method: "GET", Path: "/v1/menu", Handle: say("menu")},
		{Method: "POST", Path: "/v1/menu", Handle: say("menu")},
		{Method: "GET", Path: "/expo", Page: true, Handle: say("<p>expo")},
		{Method: "GET", Path: "/v1/feed", Type: "text/event-stream", Handle: func(http.ResponseWriter, *http.Request) error {
			t.Error("HEAD began a stream")
			return nil
		}},
	}})
	problemOf(t, b.do("GET", "/v1/nothing", ""), 404)
	problemOf(t, b.do("GET", "/v1/nothing", "", "Accept", "text/html"), 404)
	w := b.do("DELETE", "/v1/menu", "")
	if m := problemOf(t, w, 405); w.Header().Get("Allow") != "GET, HEAD, POST" || m["detail"] != "DELETE is not possible here; use GET, HEAD, POST" {
		t.Errorf("405 = %v %v", w.Header(), m)
	}
	if w := b.do("OPTIONS", "/v1/menu", ""); w.Code != 204 || w.Header().Get("Allow") != "GET, HEAD, POST, OPTIONS" || w.Body.Len() != 0 {
		t.Errorf("OPTIONS = %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := b.do("HEAD", "/v1/menu", ""); w.Code != 200 {
		t.Errorf("HEAD = %d", w.Code)
	}
	if w := b.do("HEAD", "/v1/feed", ""); w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD of a stream = %d %v", w.Code, w.Header())
	}
	w = b.do("GET", "/nothing", "", "Accept", "text/html,*/*")
	if w.Code != 404 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(w.Body.String(), "there is nothing at this address") {
		t.Errorf("page = %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := b.do("DELETE", "/expo", "", "Accept", "text/html"); w.Code != 405 || !strings.Contains(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("405 of a page = %d %v", w.Code, w.Header())
	}
	if w := b.do("GET", "/v1/menu", ""); w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("headers = %v", w.Header())
	}
}

func TestErrorsOfHandlers(t *testing.T) {
	var err error
	b := newBench(t, Config{Routes: []Route{
		{Method: "GET", Path: "/v1/x", Handle: func(http.ResponseWriter, *http.Request) error { return err }},
		{Method: "GET", Path: "/x", Page: true, Handle: func(http.ResponseWriter, *http.Request) error { return err }},
	}})
	for _, c := range []struct {
		name   string
		err    error
		status int
		retry  string
	}{
		{"problem", fmt.Errorf("order: %w", Conflict("version", "lower")), 409, ""},
		{"busy journal", fmt.Errorf("take order: %w", journal.ErrBusy), 503, "1"},
		{"journal down", journal.ErrDown, 503, "1"},
		{"uncertain", journal.ErrUncertain, 503, "1"},
		{"too often", &access.LimitError{Wait: 5 * time.Second, What: "too much"}, 429, "5"},
		{"deadline", context.DeadlineExceeded, 503, "1"},
		{"anything", errors.New("secret path /var/lib/x is broken"), 500, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err = c.err
			w := b.do("GET", "/v1/x", "")
			problemOf(t, w, c.status)
			if got := w.Header().Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After = %q, want %q", got, c.retry)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("the caller is told %s", w.Body)
			}
			if w := b.do("GET", "/x", ""); w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("page = %d %v", w.Code, w.Header())
			}
		})
	}
	if !strings.Contains(b.log.String(), "secret path") {
		t.Error("the log does not have the cause")
	}
}

func TestPanics(t *testing.T) {
	routes := make(chan string, 4)
	b := newBench(t, Config{OnPanic: func(route string) { routes <- route }, Routes: []Route{
		{Method: "GET", Path: "/v1/early", Handle: func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Content-Type", "text/csv")
			panic("the oven burns")
		}},
		{Method: "GET", Path: "/v1/late", Handle: func(w http.ResponseWriter, r *http.Request) error {
			io.WriteString(w, `{"half":`)
			http.NewResponseController(w).Flush()
			panic("the oven burns")
		}},
		{Method: "GET", Path: "/v1/unfinished", Handle: func(w http.ResponseWriter, r *http.Request) error {
			io.WriteString(w, `{"half":`)
			http.NewResponseController(w).Flush()
			return errors.New("no more")
		}},
	}})
	m := problemOf(t, b.do("GET", "/v1/early", ""), 500)
	if strings.Contains(fmt.Sprint(m), "oven") {
		t.Errorf("the caller is told %v", m)
	}
	if log := b.log.String(); !strings.Contains(log, "the oven burns") || !strings.Contains(log, "server_test.go") {
		t.Error("the log does not have the panic and its place")
	}
	address, _ := b.serve()
	for _, path := range []string{"/v1/late", "/v1/unfinished"} {
		answer, err := client(t).Get("http://" + address + path)
		if err == nil {
			_, err = io.ReadAll(answer.Body)
			answer.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: half an answer looks whole", path)
		}
	}
	for _, want := range []string{"GET /v1/early", "GET /v1/late"} {
		if got := <-routes; got != want {
			t.Errorf("OnPanic was told %q, want %q", got, want)
		}
	}
	if len(routes) != 0 {
		t.Errorf("OnPanic was told %q as well", <-routes)
	}
}

func TestClientBehindProxies(t *testing.T) {
	var got string
	b := newBench(t, Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		Routes: []Route{{Method: "GET", Path: "/v1/x", Handle: func(w http.ResponseWriter, r *http.Request) error {
			got = fmt.Sprint(Client(r.Context()), Secure(r.Context()))
			return Answer(w, 204, nil)
		}}}})
	for _, c := range []struct {
		name, remote, forwarded, proto, want string
	}{
		{"direct", "203.0.113.7:1", "", "", "203.0.113.7 false"},
		{"a stranger's word", "203.0.113.7:1", "198.51.100.1", "https", "203.0.113.7 false"},
		{"one proxy", "10.0.0.1:1", "198.51.100.1", "https", "198.51.100.1 true"},
		{"two proxies", "10.0.0.1:1", "198.51.100.1, 10.0.0.2", "http", "198.51.100.1 false"},
		{"a forged beginning", "10.0.0.1:1", "127.0.0.1, 198.51.100.1", "https", "198.51.100.1 true"},
		{"garbage", "10.0.0.1:1", "unknown", "https", "10.0.0.1 true"},
		{"no header", "10.0.0.1:1", "", "", "10.0.0.1 false"},
		{"IPv6 with port", "[fd00::1]:1", "[2001:db8::1]:443", "https", "2001:db8::1 true"},
		{"mapped", "[::ffff:10.0.0.1]:1", "::ffff:198.51.100.1", "https", "198.51.100.1 true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := []string{"Remote", c.remote}
			if c.forwarded != "" {
				header = append(header, "X-Forwarded-For", c.forwarded)
			}
			if c.proto != "" {
				header = append(header, "X-Forwarded-Proto", c.proto)
			}
			if w := b.do("GET", "/v1/x", "", header...); w.Code != 204 || got != c.want {
				t.Errorf("client = %s, want %s", got, c.want)
			}
		})
	}
}

// While the gate is full every further order is refused without its body having been read, and those admitted go on.
func TestAdmissionFlood(t *testing.T) {
	const limit, flood = 4, 200
	open, admitted := make(chan struct{}), make(chan struct{}, limit)
	refused := 0
	b := newBench(t, Config{InFlight: limit, OnRefused: func() { refused++ }, Routes: []Route{
		{Method: "POST", Path: "/v1/orders", Admit: true, Roles: []access.Role{access.Till}, Handle: func(w http.ResponseWriter, r *http.Request) error {
			admitted <- struct{}{}
			<-open
			return Answer(w, 201, nil)
		}},
		{Method: "GET", Path: "/v1/orders", Handle: func(w http.ResponseWriter, r *http.Request) error { return Answer(w, 200, 1) }},
	}})
	name, value := b.as(access.Till)
	var wg sync.WaitGroup
	for range limit {
		wg.Go(func() {
			if w := b.do("POST", "/v1/orders", "{}", name, value); w.Code != 201 {
				t.Errorf("admitted order = %d", w.Code)
			}
		})
	}
	for range limit {
		<-admitted
	}
	for range flood {
		r := httptest.NewRequest("POST", "/v1/orders", readerFunc(func([]byte) (int, error) {
			t.Error("a refused order's body was read")
			return 0, io.EOF
		}))
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, r)
		if m := problemOf(t, w, 503); w.Header().Get("Retry-After") != "1" || m["code"] != "busy" {
			t.Fatalf("refusal = %v %v", w.Header(), m)
		}
	}
	if w := b.do("POST", "/v1/orders", "{}"); w.Code != 401 {
		t.Errorf("a stranger's order = %d, want 401", w.Code)
	}
	if w := b.do("GET", "/v1/orders", ""); w.Code != 200 {
		t.Errorf("a call that is not an order = %d", w.Code)
	}
	close(open)
	wg.Wait()
	if refused != flood {
		t.Errorf("OnRefused was told %d, want %d", refused, flood)
	}
	go func() { <-admitted }()
	if w := b.do("POST", "/v1/orders", "{}", name, value); w.Code != 201 {
		t.Errorf("order after the flood = %d", w.Code)
	}
}

// A stall fills the gate for once; a rush that goes on makes it narrow until answers are quick again.
func TestGate(t *testing.T) {
	var at time.Time
	g := gate{limit: 100} // 14 when narrow
	// serve is as many orders a second as there are places, each of which stays for as long, and returns how many were taken.
	serve := func(places int, stay, during time.Duration) (taken int) {
		for end := at.Add(during); at.Before(end); at = at.Add(stay) {
			in := 0
			for range places {
				if g.enter(at) {
					in++
				}
			}
			for range in {
				g.leave(at, at.Add(stay))
			}
			taken = in
		}
		return taken
	}
	at = time.Unix(1_800_000_000, 0)
	if n := serve(120, 60*time.Millisecond, 60*time.Millisecond); n != 100 {
		t.Errorf("a stall: %d taken, want all the places", n)
	}
	serve(10, 4*time.Millisecond, time.Second)
	if n := serve(100, 4*time.Millisecond, 4*time.Millisecond); n != 100 {
		t.Errorf("after a stall: %d taken, want 100", n)
	}
	at = at.Add(time.Second)
	for range 100 {
		g.enter(at)
	}
	g.leave(at, at.Add(5*time.Millisecond))
	at = at.Add(5 * time.Millisecond)
	if !g.enter(at) || g.enter(at) || g.narrow.Load() < at.UnixNano() {
		t.Error("full while others leave: it is wide still")
	}
	for range 100 {
		g.leave(at, at.Add(time.Millisecond))
	}
	at = at.Add(time.Second)
	if n := serve(120, 40*time.Millisecond, time.Second); n != 14 {
		t.Errorf("a second of too much: %d taken, want 14", n)
	}
	if n := serve(120, 12*time.Millisecond, 3*time.Second); n != 14 {
		t.Errorf("still too much: %d taken, want 14", n)
	}
	if n := serve(60, 5*time.Millisecond, time.Second); n != 60 {
		t.Errorf("a rush that is over: %d taken, want 60", n)
	}
	serve(120, 40*time.Millisecond, time.Second)
	at = at.Add(time.Second)
	if n := serve(100, 4*time.Millisecond, 4*time.Millisecond); n != 100 {
		t.Errorf("after a pause: %d taken, want 100", n)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A refused client can use its connection for the next try.
func TestRefusalKeepsConnection(t *testing.T) {
	full := true
	b := newBench(t, Config{InFlight: 1, Routes: []Route{
		{Method: "POST", Path: "/v1/orders", Admit: true, Handle: func(w http.ResponseWriter, r *http.Request) error {
			var d dish
			if err := Decode(w, r, &d); err != nil {
				return err
			}
			return Answer(w, 201, d)
		}},
	}})
	address, _ := b.serve()
	b.gate.enter(time.Now())
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for _, want := range []int{503, 201} {
		body := `{"name":"x"}`
		fmt.Fprintf(conn, "POST /v1/orders HTTP/1.1\r\nHost: box\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != want || answer.Close {
			t.Errorf("answer = %d, close %v, want %d on the same connection", answer.StatusCode, answer.Close, want)
		}
		if full {
			b.gate.leave(time.Now(), time.Now())
			full = false
		}
	}
}

func order(w http.ResponseWriter, r *http.Request) error {
	var d dish
	if err := Decode(w, r, &d); err != nil {
		return err
	}
	return Answer(w, 201, d)
}

func TestLargeBodyGetsItsAnswer(t *testing.T) {
	b := newBench(t, Config{Routes: []Route{{Method: "POST", Path: "/v1/orders", Handle: order}}})
	address, _ := b.serve()
	body := `{"name":"` + strings.Repeat("x", 2<<20) + `"}`
	for _, chunked := range []bool{false, true} {
		var in io.Reader = strings.NewReader(body)
		if chunked {
			in = struct{ io.Reader }{in}
		}
		answer, err := client(t).Post("http://"+address+"/v1/orders", "application/json", in)
		if err != nil {
			t.Fatalf("chunked %v: %v", chunked, err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 413 || !bytes.Contains(text, []byte("larger than 1048576 bytes")) {
			t.Errorf("chunked %v: answer = %d %s", chunked, answer.StatusCode, text)
		}
	}
}

// One byte at a time, too slowly: the server lets go of the connection, and serves others meanwhile.
func TestSlowloris(t *testing.T) {
	// Each timeout has a server of its own: a machine that has other work must not meet the one where the other is meant.
	routes := []Route{{Method: "POST", Path: "/v1/orders", Handle: order}}
	headers, _ := newBench(t, Config{HeaderTimeout: 100 * time.Millisecond, IdleTimeout: 100 * time.Millisecond, Routes: routes}).serve()
	bodies, _ := newBench(t, Config{BodyTimeout: 100 * time.Millisecond, Routes: routes}).serve()
	for _, c := range []struct{ name, first, drip, want string }{
		{"headers", "POST /v1/orders HTTP/1.1\r\nHost: box\r\nX-Slow: ", "a", ""},
		{"nothing", "", "", ""},
		{"body", "POST /v1/orders HTTP/1.1\r\nHost: box\r\nContent-Length: 100000\r\n\r\n{", " ", "HTTP/1.1 408 Request Timeout\r\n"},
		{"chunks", "POST /v1/orders HTTP/1.1\r\nHost: box\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", "HTTP/1.1 408 Request Timeout\r\n"},
		{"body nobody reads", "POST /v1/nothing HTTP/1.1\r\nHost: box\r\nContent-Length: 100000\r\n\r\n", " ", "HTTP/1.1 404 Not Found\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := bodies
			if c.want == "" {
				address = headers
			}
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, c.first)
			dripping := make(chan struct{})
			go func() {
				defer close(dripping)
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for c.drip != "" {
					if _, err := io.WriteString(conn, c.drip); err != nil {
						return
					}
					<-tick.C
				}
			}()
			conn.SetReadDeadline(time.Now().Add(time.Minute))
			answer, err := io.ReadAll(conn)
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the server holds the connection")
			}
			if !strings.HasPrefix(string(answer), c.want) {
				t.Errorf("answer = %q, want %q", answer, c.want)
			}
			conn.Close()
			<-dripping
		})
	}
	t.Run("a good order meanwhile", func(t *testing.T) {
		t.Parallel()
		answer, err := client(t).Post("http://"+bodies+"/v1/orders", "", strings.NewReader(`{"name":"x"}`))
		if err != nil || answer.StatusCode != 201 {
			t.Fatalf("it is answered %v, %v", answer, err)
		}
		answer.Body.Close()
	})
}

// The body has a deadline until it is read; the handler that works on after that has none.
func TestBodyDeadlineEndsWithBody(t *testing.T) {
	b := newBench(t, Config{})
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"name":"x"}`))
	b.limitBody(w, r)
	if len(w.set) != 1 || w.set[0].IsZero() {
		t.Fatalf("deadlines before the body = %v", w.set)
	}
	if err := Decode(w, r, &dish{}); err != nil {
		t.Fatal(err)
	}
	if len(w.set) != 2 || !w.set[1].IsZero() {
		t.Errorf("deadlines after the body = %v, want the last to be none", w.set)
	}
	w.set = nil
	b.limitBody(w, httptest.NewRequest("GET", "/", http.NoBody))
	if len(w.set) != 0 {
		t.Errorf("deadlines without a body = %v", w.set)
	}
}

type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (w *deadlines) SetReadDeadline(at time.Time) error {
	w.set = append(w.set, at)
	return nil
}

func TestConnectionsAreBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var exempt atomic.Bool
	limited := newLimitListener(l, 4, 2, func(netip.Addr) bool { return exempt.Load() })
	accepted := make(chan net.Conn, 10)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := limited.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	dial()
	first := <-accepted
	second := <-accepted
	third := dial()
	third.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := third.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("third connection of one address: %v, want it closed", err)
	}
	first.Close()
	first.Close() // gives its place back once
	dial()
	(<-accepted).Close()
	second.Close()
	eventually(t, "all addresses forgotten", func() bool {
		limited.mu.Lock()
		defer limited.mu.Unlock()
		return len(limited.from) == 0
	})

	// Past the limit of all, a connection waits for a place; closing the listener ends the wait.
	exempt.Store(true)
	for range 4 {
		dial()
	}
	var held []net.Conn
	for range 4 {
		held = append(held, <-accepted)
	}
	if !limited.pressed() {
		t.Error("all places are taken and the listener is not pressed")
	}
	dial()
	limited.Close()
	<-ended
	for _, c := range held {
		c.Close()
	}
	if n := len(limited.places); n != 0 {
		t.Errorf("%d places are lost", n)
	}
}

func TestStopFinishesWhatIsInHand(t *testing.T) {
	began, finish := make(chan struct{}), make(chan struct{})
	b := newBench(t, Config{Routes: []Route{{Method: "GET", Path: "/v1/slow", Handle: func(w http.ResponseWriter, r *http.Request) error {
		close(began)
		select {
		case <-finish:
		case <-r.Context().Done():
			return r.Context().Err()
		}
		return Answer(w, 200, "done")
	}}}})
	address, stop := b.serve()
	got := make(chan string)
	go func() {
		answer, err := client(t).Get("http://" + address + "/v1/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		got <- string(text)
	}()
	<-began
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	eventually(t, "the listener closed", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	close(finish)
	if text := <-got; text != "\"done\"\n" {
		t.Errorf("the request under way got %q", text)
	}
	<-stopped
}

func TestServeTellsWhyItEnded(t *testing.T) {
	b := newBench(t, Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := b.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve on a closed listener = %v", err)
	}
}

func TestLogHoldsNoSecrets(t *testing.T) {
	b := newBench(t, Config{Routes: []Route{{Method: "GET", Path: "/v1/x", Roles: access.Roles(), Handle: say("x")}}})
	name, value := b.as(access.Till)
	b.do("GET", "/v1/x?key=hidden-in-query", "", name, value)
	b.do("GET", "/v1/x", "", name, value+"-wrong", "Cookie", CookieName+"=hidden-cookie")
	b.do("POST", "/v1/session", `{"token":"`+b.token[access.Admin]+`"}`)
	log := b.log.String()
	for _, secret := range []string{"hidden", "Bearer", b.token[access.Till], b.token[access.Admin]} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(log, "path=/v1/x") {
		t.Error("the log has no requests")
	}
}

// BenchmarkRefuse is an order from a till at a full gate, without the network.
func BenchmarkRefuse(b *testing.B) {
	j := journaltest.Open(b, journal.Config{}, nil)
	file := filepath.Join(b.TempDir(), "tokens")
	token, err := access.AddToken(file, "till", access.Till, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	a, err := access.New(b.Context(), access.Config{Journal: j, TokensFile: file})
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Config{Access: a, InFlight: 1, Routes: []Route{{Method: "POST", Path: "/v1/orders", Admit: true, Roles: []access.Role{access.Till}, Handle: order}}})
	if err != nil {
		b.Fatal(err)
	}
	s.gate.enter(time.Now())
	r := httptest.NewRequest("POST", "/v1/orders", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	handler := s.Handler()
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(nullWriter{http.Header{}}, r)
	}
}

type nullWriter struct{ h http.Header }

func (w nullWriter) Header() http.Header         { return w.h }
func (w nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w nullWriter) WriteHeader(int)             {}
