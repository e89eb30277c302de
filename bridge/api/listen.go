package api

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A limitListener bounds the connections of a listener, all together and from one address, so that somebody who opens
// them and says nothing takes neither memory nor everybody else's place. Past the first limit new connections wait in
// the kernel's queue; past the second they are closed.
type limitListener struct {
	net.Listener
	places chan struct{} // a filled slot is an open connection
	each   int
	exempt func(netip.Addr) bool
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex // guards from
	from map[netip.Addr]int
}

func newLimitListener(l net.Listener, all, each int, exempt func(netip.Addr) bool) *limitListener {
	return &limitListener{Listener: l, places: make(chan struct{}, all), each: each, exempt: exempt,
		closed: make(chan struct{}), from: make(map[netip.Addr]int)}
}

// pressed tells that three quarters of the places are taken.
func (l *limitListener) pressed() bool { return len(l.places) > cap(l.places)/4*3 }

func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.places
			return nil, err
		}
		at, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		a := at.Addr().Unmap()
		if l.exempt(a) {
			return &limitedConn{Conn: c, leave: func() { <-l.places }}, nil
		}
		if !l.enter(a) {
			c.Close()
			continue
		}
		return &limitedConn{Conn: c, leave: func() { l.exit(a); <-l.places }}, nil
	}
}

func (l *limitListener) enter(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[a] >= l.each {
		return false
	}
	l.from[a]++
	return true
}

func (l *limitListener) exit(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[a]--; l.from[a] <= 0 {
		delete(l.from, a)
	}
}

func (l *limitListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// A limitedConn gives its place back when it is closed, once.
type limitedConn struct {
	net.Conn
	left  atomic.Bool
	leave func()
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	if !c.left.Swap(true) {
		c.leave()
	}
	return err
}

// CloseWrite lets net/http end an answer before the connection, so that a client still sending can read it.
func (c *limitedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// limitBody gives the request's body its time. Once it is read the deadline goes, since net/http reads on to notice
// that the client hangs up, and would take a deadline for that.
func (s *Server) limitBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return
	}
	b := &timedBody{ReadCloser: r.Body, rc: http.NewResponseController(w)}
	if b.rc.SetReadDeadline(time.Now().Add(s.c.BodyTimeout)) == nil {
		r.Body = b
	}
}

type timedBody struct {
	io.ReadCloser
	rc   *http.ResponseController
	done bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && !b.done {
		b.done = true
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}
