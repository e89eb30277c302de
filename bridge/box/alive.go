package box

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"aboyeur/bridge/journal"
)

// turnLimit is how long the service that watches the board may be silent; it turns every half minute.
const turnLimit = 3 * time.Minute

// pulse is when a service last turned.
type pulse struct {
	born time.Time
	at   atomic.Int64 // since born
}

func (p *pulse) beat() { p.at.Store(int64(time.Since(p.born))) }

func (p *pulse) since() time.Duration { return time.Since(p.born) - time.Duration(p.at.Load()) }

// errAsked ends a look at the journal's writer without a trace.
var errAsked = errors.New("asked whether it works")

// Alive tells whether the box still turns: the journal's writer comes back to who asks, the listener answers, and what the
// supervisors run goes on. A writer that says no is alive, and so is a box without a printer; one that says nothing until
// ctx ends is not.
func (b *Box) Alive(ctx context.Context) error {
	err := b.journal.Insist(ctx, func(*journal.Tx) error { return errAsked })
	if ctx.Err() != nil {
		return fmt.Errorf("the journal's writer does not come back: %w", err)
	}
	if err := b.ask(ctx, "/healthz"); err != nil {
		return err
	}
	if d := b.health.pulse.since(); d > turnLimit {
		return fmt.Errorf("the supervised services have not turned for %s", d.Round(time.Second))
	}
	return nil
}

// Ready tells whether an order can be taken, asked the way a till would.
func (b *Box) Ready(ctx context.Context) error { return b.ask(ctx, "/readyz") }

// ask makes a request to the box's own listener.
func (b *Box) ask(ctx context.Context, path string) error {
	host, port, err := net.SplitHostPort(b.addr.String())
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if b.c.HTTP.TLS.On() {
		scheme = "https"
	}
	// The certificate names the box as clients call it, not as localhost; nothing secret is said here.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("the listener does not answer: %w", err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)); err != nil {
		return fmt.Errorf("the listener does not answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, answer.Status)
	}
	return nil
}

// Devices tells which of the box's devices and links are up, by names that hold from one configuration to the next.
func (b *Box) Devices() (up, down []string) {
	add := func(name string, works bool) {
		if works {
			up = append(up, name)
		} else {
			down = append(down, name)
		}
	}
	for _, p := range b.kitchen.Printers() {
		add("printer "+p.Name, p.Up)
	}
	if b.hotel != nil {
		state := b.hotel.Status().State
		add("hotel link", state == "up" || state == "night_audit")
	}
	return up, down
}
