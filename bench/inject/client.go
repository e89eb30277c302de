package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

// A client keeps connections to one server open and sends whole, ready-made requests over them, one at a time on each. It
// exists because net/http's client takes a multiple of the processor time, on the same two cores as the box.
type client struct {
	addr string
	max  int // connections
	now  func() int64

	mu      sync.Mutex // guards the fields below; held for memory only
	idle    []*lane    // last used is taken first, so that the others' caches stay cold and ours warm
	lanes   map[*lane]struct{}
	dialing int
	queue   []job
	closed  bool

	wg      sync.WaitGroup
	open    atomic.Int64 // requests without an outcome
	redials atomic.Int64 // requests sent again because the server had closed an idle connection
}

// A job is one request: the bytes and who wants to know what became of it.
type job struct {
	tpl   *template
	mark  mark
	done  func(outcome)
	sent  func(at int64)
	again bool // it is on its second connection
}

// An outcome is what came back; Err is set when no whole answer came.
type outcome struct {
	At         int64
	Status     int
	RetryAfter bool
	Err        error
}

var errClosed = errors.New("the generator closed the connection while it waited for the answer")

func newClient(addr string, max int, now func() int64) *client {
	return &client{addr: addr, max: max, now: now, lanes: map[*lane]struct{}{}}
}

// warm opens n connections before anything is measured.
func (c *client) warm(n int) error {
	for range min(n, c.max) {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", c.addr, err)
		}
		l := c.add(conn)
		if l == nil {
			return errClosed
		}
		c.mu.Lock()
		c.idle = append(c.idle, l)
		c.mu.Unlock()
	}
	return nil
}

// send writes the request at once when a connection is free, and as soon as one is otherwise. It never waits for answers.
func (c *client) send(j job) {
	c.open.Add(1)
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		c.finish(j, outcome{At: c.now(), Err: errClosed})
		return
	}
	if n := len(c.idle); n > 0 {
		l := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		l.start(j)
		return
	}
	if len(c.lanes)+c.dialing < c.max {
		c.dialing++
		c.wg.Add(1)
		c.mu.Unlock()
		go func() {
			defer c.wg.Done()
			c.dial(j)
		}()
		return
	}
	c.queue = append(c.queue, j)
	c.mu.Unlock()
}

func (c *client) dial(j job) {
	conn, err := net.Dial("tcp", c.addr)
	c.mu.Lock()
	c.dialing--
	c.mu.Unlock()
	if err != nil {
		c.finish(j, outcome{At: c.now(), Err: err})
		return
	}
	l := c.add(conn)
	if l == nil {
		c.finish(j, outcome{At: c.now(), Err: errClosed})
		return
	}
	l.start(j)
}

// add makes a lane of the connection and starts its reader; nil when the client is closed.
func (c *client) add(conn net.Conn) *lane {
	l := &lane{c: c, conn: conn}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		_ = conn.Close()
		return nil
	}
	c.lanes[l] = struct{}{}
	c.mu.Unlock()
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		l.read()
	}()
	return l
}

func (c *client) finish(j job, o outcome) {
	j.done(o)
	c.open.Add(-1)
}

// free gives the lane the next waiting request, or puts it aside.
func (c *client) free(l *lane) {
	c.mu.Lock()
	if len(c.queue) > 0 {
		j := c.queue[0]
		c.queue = c.queue[1:]
		c.mu.Unlock()
		l.start(j)
		return
	}
	c.idle = append(c.idle, l)
	c.mu.Unlock()
}

// drop forgets a lane whose connection ended, and opens another for what waits.
func (c *client) drop(l *lane) {
	_ = l.conn.Close()
	c.mu.Lock()
	delete(c.lanes, l)
	for i, x := range c.idle {
		if x == l {
			c.idle = append(c.idle[:i], c.idle[i+1:]...)
			break
		}
	}
	var next job
	waits := len(c.queue) > 0 && !c.closed
	if waits {
		next = c.queue[0]
		c.queue = c.queue[1:]
		c.dialing++
	}
	c.mu.Unlock()
	if waits {
		c.dial(next)
	}
	l.gone.Store(true)
	l.forsake()
}

// retry sends a request again over a new connection, once. A server may close a kept-alive connection in the moment a
// request is written. Nothing of an answer has come, and the order's own id makes sending it again safe.
func (c *client) retry(j job, why error) {
	c.mu.Lock()
	if j.again || c.closed {
		c.mu.Unlock()
		c.finish(j, outcome{At: c.now(), Err: why})
		return
	}
	c.dialing++
	c.wg.Add(1)
	c.mu.Unlock()
	j.again = true
	c.redials.Add(1)
	go func() {
		defer c.wg.Done()
		c.dial(j)
	}()
}

// connections is how many are open.
func (c *client) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lanes)
}

// close ends all connections; what waits for an answer fails.
func (c *client) close() {
	c.mu.Lock()
	c.closed = true
	queue := c.queue
	c.queue = nil
	for l := range c.lanes {
		_ = l.conn.Close()
	}
	c.mu.Unlock()
	for _, j := range queue {
		c.finish(j, outcome{At: c.now(), Err: errClosed})
	}
	c.wg.Wait()
}

// A lane is one connection. start runs on the goroutine that sends, read on the lane's own.
type lane struct {
	c    *client
	conn net.Conn
	job  atomic.Pointer[job]
	gone atomic.Bool // nobody reads any more

	mu  sync.Mutex // guards buf: an answer may be there before the write of its request has returned
	buf []byte
}

func (l *lane) start(j job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = j.tpl.fill(l.buf[:0], j.mark)
	l.job.Store(&j)
	if j.sent != nil && !j.again {
		j.sent(l.c.now())
	}
	if _, err := l.conn.Write(l.buf); err != nil {
		_ = l.conn.Close() // the reader sees it and settles the request
	}
	if l.gone.Load() {
		l.forsake()
	}
}

// forsake settles a request that was given to the lane in the moment its reader went. Whoever takes it out settles it.
func (l *lane) forsake() {
	if j := l.job.Swap(nil); j != nil {
		l.c.retry(*j, io.EOF)
	}
}

func (l *lane) read() {
	defer l.c.drop(l)
	buf := make([]byte, 0, 8<<10)
	for {
		a, rest, err := readAnswer(l.conn, buf)
		at := l.c.now()
		j := l.job.Swap(nil)
		switch {
		case j == nil: // closed by the server while idle, or talking out of turn
			return
		case err != nil && len(rest) == 0:
			l.c.retry(*j, err)
			return
		case err != nil:
			l.c.finish(*j, outcome{At: at, Err: err})
			return
		}
		buf = append(buf[:0], rest...)
		l.c.finish(*j, outcome{At: at, Status: a.status, RetryAfter: a.retryAfter})
		if a.closes {
			return
		}
		l.c.free(l)
	}
}

// An answer is what the generator needs of an HTTP/1.1 answer.
type answer struct {
	status     int
	retryAfter bool
	closes     bool
}

// maxAnswer bounds one answer's head and body.
const maxAnswer = 256 << 10

var errAnswer = errors.New("not an HTTP/1.1 answer")

// readAnswer reads one whole answer from r, to which buf holds the first bytes already; rest is what came after it (or, with
// an error, what had come). The body is passed over, by Content-Length or by chunks.
func readAnswer(r io.Reader, buf []byte) (a answer, rest []byte, err error) {
	more := func() error {
		if len(buf) >= maxAnswer {
			return fmt.Errorf("%w: longer than %d bytes", errAnswer, maxAnswer)
		}
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(4<<10, len(buf)))...)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if n > 0 {
			return nil
		}
		return err
	}
	for {
		head := bytes.Index(buf, []byte("\r\n\r\n"))
		if head < 0 {
			if err := more(); err != nil {
				return a, buf, err
			}
			continue
		}
		length := 0
		a, length, err = parseHead(buf[:head])
		if err != nil {
			return a, buf, err
		}
		head += 4
		if a.status == 100 { // Continue: the answer proper follows
			buf = buf[head:]
			continue
		}
		for {
			end, ok := head+length, false
			if length >= 0 {
				ok = len(buf) >= end
			} else if end, ok, err = chunksEnd(buf, head); err != nil {
				return a, buf, err
			}
			if ok {
				return a, buf[end:], nil
			}
			if err := more(); err != nil {
				return a, buf, err
			}
		}
	}
}

// parseHead reads status line and headers; length is -1 for a chunked body.
func parseHead(head []byte) (a answer, length int, err error) {
	first, headers, _ := bytes.Cut(head, []byte("\r\n"))
	if len(first) < 12 || !bytes.HasPrefix(first, []byte("HTTP/1.1 ")) {
		return a, 0, fmt.Errorf("%w: %.40q", errAnswer, first)
	}
	if a.status, err = strconv.Atoi(string(first[9:12])); err != nil {
		return a, 0, fmt.Errorf("%w: status %q", errAnswer, first[9:12])
	}
	for len(headers) > 0 {
		var h []byte
		h, headers, _ = bytes.Cut(headers, []byte("\r\n"))
		name, value, ok := bytes.Cut(h, []byte(":"))
		if !ok {
			continue
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 || length > maxAnswer {
				return a, 0, fmt.Errorf("%w: Content-Length %.20q", errAnswer, value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = -1
		case bytes.EqualFold(name, []byte("Retry-After")):
			a.retryAfter = len(value) > 0
		case bytes.EqualFold(name, []byte("Connection")):
			a.closes = bytes.EqualFold(value, []byte("close"))
		}
	}
	return a, length, nil
}

// chunksEnd finds the end of a chunked body that starts at from; ok is false while it has not all come.
func chunksEnd(buf []byte, from int) (end int, ok bool, err error) {
	for {
		nl := bytes.Index(buf[from:], []byte("\r\n"))
		if nl < 0 {
			return 0, false, nil
		}
		size, _, _ := bytes.Cut(buf[from:from+nl], []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil || n > maxAnswer {
			return 0, false, fmt.Errorf("%w: chunk size %.20q", errAnswer, size)
		}
		from += nl + 2
		if n == 0 {
			// Trailers are not expected; an empty line ends the body.
			if len(buf) < from+2 {
				return 0, false, nil
			}
			return from + 2, true, nil
		}
		from += int(n) + 2
		if len(buf) < from {
			return 0, false, nil
		}
	}
}
