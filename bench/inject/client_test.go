package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

func TestReadAnswer(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     answer
		rest     string
		err      string
	}{
		{"created", "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", answer{status: 201}, "", ""},
		{"more after it", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP", answer{status: 200}, "HTTP", ""},
		{"refused", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", answer{status: 503, retryAfter: true}, "", ""},
		{"closing", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", answer{status: 200, closes: true}, "", ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nX", answer{status: 200}, "X", ""},
		{"continue first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", answer{status: 201}, "", ""},
		{"no body", "HTTP/1.1 204 No Content\r\n\r\n", answer{status: 204}, "", ""},
		{"cut off", "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{}", answer{}, "", "EOF"},
		{"not HTTP", "SSH-2.0-x\r\n\r\n", answer{}, "", "not an HTTP/1.1 answer"},
		{"bad length", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", answer{}, "", "Content-Length"},
		{"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", answer{}, "", "chunk size"},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			got, rest, err := readAnswer(r, nil)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s, %s: error %v, want %q", c.name, name, err, c.err)
				}
				continue
			}
			more, _ := io.ReadAll(r)
			if err != nil || got != c.want || string(rest)+string(more) != c.rest {
				t.Errorf("%s, %s: %+v, rest %q, %v, want %+v, rest %q", c.name, name, got, append(rest, more...), err, c.want, c.rest)
			}
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, rest, err := readAnswer(bytes.NewReader(in), nil)
		b, rest2, err2 := readAnswer(iotest.OneByteReader(bytes.NewReader(in)), nil)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q: whole gives %v, byte by byte %v", in, err, err2)
		}
		if err != nil {
			return
		}
		if a != b || !bytes.HasPrefix(rest, rest2) || !bytes.HasSuffix(in, rest) {
			t.Errorf("%q: whole gives %+v and rest %q, byte by byte %+v and rest %q", in, a, rest, b, rest2)
		}
	})
}

func testTemplates(t *testing.T, addr string) []template {
	t.Helper()
	all, err := templates("/v1/orders", addr, "secret", "1", 4, time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestClientSendsEachRequestOnce(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		m, _ := findMark(b)
		mu.Lock()
		seen[m.String()]++
		n := len(seen)
		mu.Unlock()
		if n%5 == 0 { // a server may end a connection after any answer
			w.Header().Set("Connection", "close")
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "{}")
	}))
	defer srv.Close()
	addr := srv.Listener.Addr().String()
	watch := newStopwatch()
	c := newClient(addr, 3, watch.now)
	defer c.close()
	if err := c.warm(2); err != nil {
		t.Fatal(err)
	}
	all := testTemplates(t, addr)
	const n = 200
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range n {
		c.send(job{tpl: &all[i%len(all)], mark: mark{3, uint32(i)}, done: func(o outcome) {
			if o.Status != http.StatusCreated || o.Err != nil {
				t.Errorf("request %d: %+v, want 201", i, o)
			}
			wg.Done()
		}})
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != n {
		t.Errorf("the server saw %d orders, want %d", len(seen), n)
	}
	for m, k := range seen {
		if k != 1 {
			t.Errorf("order %s came %d times", m, k)
		}
	}
	if got := c.connections(); got > 3 {
		t.Errorf("%d connections are open, want at most 3", got)
	}
}

func TestClientSendsAgainWhenAnIdleConnectionWasClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan mark, 4)
	go func() {
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // the first connection answers once and is silent to the second request
				defer conn.Close()
				buf := make([]byte, 16<<10)
				for k := 0; ; k++ {
					n, err := conn.Read(buf)
					if err != nil || i == 0 && k == 1 {
						return
					}
					m, _ := findMark(buf[:n])
					got <- m
					fmt.Fprint(conn, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
				}
			}()
		}
	}()
	watch := newStopwatch()
	c := newClient(l.Addr().String(), 1, watch.now)
	defer c.close()
	all := testTemplates(t, "x")
	for i := range 2 {
		done := make(chan outcome, 1)
		c.send(job{tpl: &all[0], mark: mark{1, uint32(i)}, done: func(o outcome) { done <- o }})
		if o := <-done; o.Status != 201 {
			t.Fatalf("request %d: %+v, want 201", i, o)
		}
		if m := <-got; m.n != uint32(i) {
			t.Fatalf("the server got order %d, want %d", m.n, i)
		}
	}
	if c.redials.Load() != 1 {
		t.Errorf("redials = %d, want 1", c.redials.Load())
	}
}

func TestClientFailsWhatIsOpenWhenItCloses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	watch := newStopwatch()
	c := newClient(l.Addr().String(), 1, watch.now)
	all := testTemplates(t, "x")
	done := make(chan outcome, 2)
	if err := c.warm(1); err != nil {
		t.Fatal(err)
	}
	for i := range 2 { // one is on its way, one waits for the connection
		c.send(job{tpl: &all[0], mark: mark{1, uint32(i)}, done: func(o outcome) { done <- o }})
	}
	c.close()
	for range 2 {
		if o := <-done; o.Err == nil {
			t.Errorf("outcome = %+v, want an error", o)
		}
	}
}

func TestClientReportsAClosedPort(t *testing.T) {
	addr, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	watch := newStopwatch()
	c := newClient(addr, 4, watch.now)
	defer c.close()
	var op *net.OpError
	if err := c.warm(1); !errors.As(err, &op) {
		t.Errorf("warm = %v, want a dial error", err)
	}
	all := testTemplates(t, "x")
	done := make(chan outcome, 1)
	c.send(job{tpl: &all[0], done: func(o outcome) { done <- o }})
	if o := <-done; !errors.As(o.Err, &op) {
		t.Errorf("outcome = %+v, want a dial error", o)
	}
}
