package rest

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// conn counts the bytes of requests that it took, so that a broken call can tell whether any of it left. Over TLS it sits
// on the inside: a record that was not taken whole cannot be read by the server.
type conn struct {
	net.Conn

	mu      sync.Mutex // guards what follows; not held while writing
	took    int64
	writing int
	sealed  bool
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.sealed {
		c.mu.Unlock()
		return 0, net.ErrClosed
	}
	c.writing++
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	c.took += int64(n)
	c.writing--
	c.mu.Unlock()
	return n, err
}

func (c *conn) count() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.took
}

// untouched reports that no byte went out since the count stood at start, and sees to it that none will: net/http may
// still be about to write a request whose caller has gone.
func (c *conn) untouched(start int64) bool {
	c.mu.Lock()
	c.sealed = true
	clean := c.took == start && c.writing == 0
	c.mu.Unlock()
	c.Conn.Close()
	return clean
}

type dialer struct {
	connect time.Duration
	tls     *tls.Config
}

func (d *dialer) plain(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.connect)
	defer cancel()
	inner, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner}, nil
}

func (d *dialer) secure(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.connect)
	defer cancel()
	inner, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := d.tls.Clone()
	if c.ServerName == "" {
		if c.ServerName, _, err = net.SplitHostPort(address); err != nil {
			inner.Close()
			return nil, err
		}
	}
	outer := tls.Client(inner, c)
	if err := outer.HandshakeContext(ctx); err != nil {
		inner.Close()
		return nil, err
	}
	return &conn{Conn: outer}, nil
}
