package access

import (
	"net/netip"
	"sync"
	"time"
)

// A limiter is a token bucket per network address and one for all together. Its memory is bounded: beyond
// maxAddresses, addresses that are back to a full bucket are forgotten, and if there are none, strangers share one bucket.
type limiter struct {
	burst float64       // of one address
	every time.Duration // in which one address gets one more
	now   func() time.Time

	mu        sync.Mutex // guards what follows
	addresses map[netip.Addr]bucket
	strangers bucket
	all       bucket
	allBurst  float64
	allEvery  time.Duration
}

const maxAddresses = 1024

type bucket struct {
	spent float64 // 0 is full
	at    time.Time
}

func newLimiter(burst int, every time.Duration, allBurst int, allEvery time.Duration, now func() time.Time) *limiter {
	return &limiter{burst: float64(burst), every: every, allBurst: float64(allBurst), allEvery: allEvery, now: now,
		addresses: make(map[netip.Addr]bucket)}
}

// left gives b as it is at now: it drains one each interval.
func (b bucket) left(now time.Time, every time.Duration) bucket {
	if d := now.Sub(b.at); d > 0 {
		b.spent = max(0, b.spent-float64(d)/float64(every))
	}
	b.at = now
	return b
}

// wait is how long until one more fits.
func (b bucket) wait(burst float64, every time.Duration) time.Duration {
	if b.spent+1 <= burst {
		return 0
	}
	return time.Duration((b.spent + 1 - burst) * float64(every))
}

// network is what counts as one address: an IPv6 host has a whole /64 to itself.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// check tells how long the address has to wait; 0 means it may go on. It takes nothing.
func (l *limiter) check(a netip.Addr) time.Duration {
	a = network(a)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.addresses[a]
	if !ok && len(l.addresses) >= maxAddresses {
		b = l.strangers
	}
	return b.left(l.now(), l.every).wait(l.burst, l.every)
}

// take counts one for the address and one for all, and tells how long to wait instead when either has none left.
func (l *limiter) take(a netip.Addr) time.Duration {
	a = network(a)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, known := l.addresses[a]
	if !known && len(l.addresses) >= maxAddresses {
		l.forget(now)
	}
	shared := !known && len(l.addresses) >= maxAddresses
	if shared {
		b = l.strangers
	}
	b = b.left(now, l.every)
	if d := b.wait(l.burst, l.every); d > 0 {
		return d // an address over its own limit takes nothing from the others
	}
	l.all = l.all.left(now, l.allEvery)
	if d := l.all.wait(l.allBurst, l.allEvery); d > 0 {
		return d
	}
	l.all.spent++
	b.spent++
	if shared {
		l.strangers = b
	} else {
		l.addresses[a] = b
	}
	return 0
}

// forget drops addresses whose bucket is full again.
func (l *limiter) forget(now time.Time) {
	for a, b := range l.addresses {
		if b.left(now, l.every).spent == 0 {
			delete(l.addresses, a)
		}
	}
}
