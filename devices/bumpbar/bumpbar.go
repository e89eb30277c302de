// Package bumpbar reads a bump bar on a serial line: a row of keys under a kitchen screen, each of which sends one byte,
// as a rule at 1200 baud without flow control. What a byte means is the screen's business. A bar that is pulled out is
// waited for; a key struck meanwhile is lost, as with any keyboard.
package bumpbar

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"aboyeur/devices/port"
)

// Baud is the rate of bars as they come from the factory.
const Baud = 1200

// Defaults for a Config left at zero, and the bound of what a bar can send.
const (
	DefaultReconnect = 2 * time.Second // first pause; doubles with jitter up to 30 s
	longestPause     = 30 * time.Second
	// Most is how many keys a second are passed on. Two hands strike ten; a line that sends more has noise on it.
	Most = 20
)

// Config of a Bar; Connect and OnKey are required.
type Config struct {
	Connect port.Address
	// OnKey hears each key on the bar's own goroutine; it must not block for long.
	OnKey     func(key byte)
	OnState   func(up bool) // the line came or went; nil: nobody asks
	Reconnect time.Duration // 0 means DefaultReconnect
	Log       *slog.Logger  // nil means slog.Default
}

// Bar is one bump bar.
type Bar struct {
	c Config
}

// New checks c.
func New(c Config) (*Bar, error) {
	if c.OnKey == nil {
		return nil, errors.New("a bump bar needs somebody who hears its keys")
	}
	if c.OnState == nil {
		c.OnState = func(bool) {}
	}
	if c.Reconnect == 0 {
		c.Reconnect = DefaultReconnect
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Bar{c}, nil
}

// Run reads the bar until ctx ends; nil on a clean end.
func (b *Bar) Run(ctx context.Context) error {
	pause, told := b.c.Reconnect, ""
	for ctx.Err() == nil {
		p, err := port.Open(ctx, b.c.Connect, port.Options{})
		if err == nil {
			pause, told = b.c.Reconnect, ""
			b.c.OnState(true)
			err = b.read(ctx, p)
			b.c.OnState(false)
		}
		if ctx.Err() != nil {
			return nil
		}
		if text := err.Error(); text != told { // a bar that is not there is told of once
			b.c.Log.Warn("bump bar is not there", "err", err)
			told = text
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause/2+1)):
		}
		pause = min(2*pause, longestPause)
	}
	return nil
}

// read passes keys on until the line ends.
func (b *Bar) read(ctx context.Context, p port.Port) error {
	stop := context.AfterFunc(ctx, func() { p.Close() })
	defer func() {
		if stop() {
			p.Close()
		}
	}()
	var second time.Time
	passed := 0
	buffer := make([]byte, 64)
	for {
		n, err := p.Read(buffer)
		for _, key := range buffer[:n] {
			if now := time.Now(); now.Sub(second) >= time.Second {
				second, passed = now, 0
			}
			if passed++; passed <= Most {
				b.c.OnKey(key)
			}
		}
		if err != nil {
			return err
		}
	}
}
