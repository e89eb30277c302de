package printer

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	simulated "aboyeur/simulate/printer"
)

// tally counts the copies of each ticket on one printer's paper.
type tally struct {
	mu      sync.Mutex
	plain   []uint8
	all     []uint8
	redone  map[int]bool
	highest int
	late    []int          // came after a later one though nobody asked for another copy
	papers  []string       // the last few
	story   map[int]string // of tickets that look wrong
}

// done notes what is known of a ticket that the ledger calls done and that no paper shows.
func (y *tally) done(f *fakeJob) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if n := int(binary.BigEndian.Uint64(f.ID[8:])); y.all[n] == 0 || y.plain[n] > 1 {
		y.story[n] += fmt.Sprintf("%s %s %+v\n%s", f.State, f.evidence, f.history, strings.Join(y.papers, "\n-----\n"))
	}
}

func (y *tally) ticket(t simulated.Ticket) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.papers = append(y.papers, fmt.Sprintf("%s %s %v\n%s", t.At.Format(time.TimeOnly), t.Ended, t.Interrupted, t.Text)); len(y.papers) > 6 {
		y.papers = y.papers[1:]
	}
	readCopies(t.Text, func(n int, banner bool) {
		if !banner {
			y.plain[n]++
		}
		if y.all[n]++; y.all[n] == 1 && n < y.highest && !y.redone[n] {
			y.late = append(y.late, n)
		}
		y.highest = max(y.highest, n)
	})
}

// TestManyTickets prints on four printers that fail at random: nothing is lost, nothing comes twice without a banner, the
// order stays, and memory does not grow.
func TestManyTickets(t *testing.T) {
	each := 400
	switch {
	case *long:
		each = 12_500
	case raceDetector:
		each = 100
	}
	faults := modes()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		lot := rand.New(rand.NewPCG(seed, 0))
		rigs := make([]*rig, 4)
		tallies := make([]*tally, len(rigs))
		for i := range rigs {
			y := &tally{plain: make([]uint8, each+1), all: make([]uint8, each+1), redone: map[int]bool{}, story: map[int]string{}}
			tallies[i] = y
			rigs[i] = newRig(t, func(_ *Config, s *simulated.Config) {
				s.Keep, s.OnTicket = -1, y.ticket
				s.Without = []simulated.Abilities{0, 0, simulated.ProcessID, simulated.ASB}[i]
			})
			defer rigs[i].end()
		}
		settle(20 * time.Second)
		var early, end runtime.MemStats
		left := func(i int) int {
			return rigs[i].ledger.prune(tallies[i].done, func(id JobID) {
				tallies[i].mu.Lock()
				defer tallies[i].mu.Unlock()
				tallies[i].redone[int(binary.BigEndian.Uint64(id[8:]))] = true
			})
		}
		struck, switched := 0, 0
		for round := 0; ; round++ {
			waiting, given, full := 0, 0, false
			for i, r := range rigs {
				n := left(i)
				waiting += n
				full = full || n > 30
				if st := r.sim.State(); len(st.Faults)+len(st.Armed) == 0 && lot.IntN(2) == 0 && r.next < each {
					f := faults[lot.IntN(len(faults))]
					f.At = lot.Int64N(3 * ticketBytes)
					f.For = min(f.For, simulated.Duration(time.Minute))
					r.inject(f)
					struck++
				}
				for range lot.IntN(4) {
					if n < 30 && r.next < each {
						r.kitchen()
						given++
					}
				}
				r.mu.Lock()
				r.statuses = nil
				r.mu.Unlock()
				for _, k := range []simulated.Kind{simulated.PaperLow, simulated.ASBBetween} { // they last until lifted
					if lot.IntN(5) == 0 {
						if err := r.sim.Lift(k); err != nil {
							t.Fatal(err)
						}
					}
				}
				r.p.Recover()
				r.p.Wake()
			}
			settle(time.Duration(lot.Int64N(int64(5 * time.Second))))
			if full || waiting > 0 && lot.IntN(10) == 0 {
				settle(time.Minute)
			}
			if round%500 == 499 { // somebody comes by and switches the silent ones off and on
				for _, r := range rigs {
					if err := r.sim.Lift(""); err != nil {
						t.Fatal(err)
					}
					r.inject(simulated.Fault{Kind: simulated.PowerCycle})
					switched++
				}
			}
			if rigs[0].next >= each/4 && early.HeapAlloc == 0 {
				runtime.GC()
				runtime.ReadMemStats(&early)
			}
			done := waiting == 0 && given == 0
			for _, r := range rigs {
				done = done && r.next == each
			}
			if done {
				break
			}
			if round > 100*each+10_000 {
				for _, r := range rigs {
					t.Errorf("%s%+v\n%+v", r.ledger.describe(), r.p.Status(), r.sim.State())
				}
				t.Fatal("they do not come to an end")
			}
		}
		settle(time.Minute)
		runtime.GC()
		runtime.ReadMemStats(&end)
		byHand := 0
		for i, y := range tallies {
			y.mu.Lock()
			for n := 1; n <= each; n++ {
				if y.all[n] == 0 || y.plain[n] > 1 || y.all[n] > maxAttempts && !y.redone[n] {
					t.Errorf("printer %d, ticket %d: %d copies, %d of them without a banner\n%s", i, n, y.all[n], y.plain[n], y.story[n])
				}
			}
			if len(y.late) > 0 {
				t.Errorf("printer %d: tickets %v came late", i, y.late)
			}
			byHand += len(y.redone)
			y.mu.Unlock()
		}
		t.Logf("%d tickets, %d faults, %d asked of a person, heap %d KiB early and %d KiB at the end", each*len(rigs), struck, byHand, early.HeapAlloc>>10, end.HeapAlloc>>10)
		if *long && end.HeapAlloc > early.HeapAlloc+4<<20 {
			t.Errorf("heap grew from %d to %d", early.HeapAlloc, end.HeapAlloc)
		}
	})
}
