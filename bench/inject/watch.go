package main

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A memoryWatch looks at what a process holds, ten times a second.
type memoryWatch struct {
	quit chan struct{}
	wg   sync.WaitGroup
	seen []int64
}

// startMemoryWatch begins; pid 0 watches nothing.
func startMemoryWatch(pid int) *memoryWatch {
	w := &memoryWatch{quit: make(chan struct{})}
	if pid == 0 {
		return w
	}
	w.wg.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			if n := resident("/proc", pid); n > 0 {
				w.seen = append(w.seen, n)
			}
			select {
			case <-w.quit:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

// stop gives the median and the largest value.
func (w *memoryWatch) stop() (middle, most int64) {
	close(w.quit)
	w.wg.Wait()
	if len(w.seen) == 0 {
		return 0, 0
	}
	slices.Sort(w.seen)
	return w.seen[len(w.seen)/2], w.seen[len(w.seen)-1]
}

// ownCPU is the processor time the generator itself has used.
func ownCPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
