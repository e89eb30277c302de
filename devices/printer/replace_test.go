package printer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
	simulated "aboyeur/simulate/printer"
)

// spare puts another printer at the rig's address: the old one's power goes, and it does not come back.
func (r *rig) spare(c simulated.Config) {
	r.t.Helper()
	if err := r.sim.Close(); err != nil {
		r.t.Fatal(err)
	}
	c.Log = quiet
	sim, err := simulated.New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
	r.mu.Lock()
	r.sim = sim
	r.mu.Unlock()
}

// Another printer in the old one's place: its queue comes out of the new one, numbered on, whatever the new one can prove.
func TestReplacedPrinterKeepsTheQueue(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new simulated.Config
		evidence Evidence
		proof    Proof
	}{
		{"like the old one", simulated.Config{}, simulated.Config{Serial: "SIM0000002"}, EvidenceProcessID, ProofProcessID},
		{"without GS ( H", simulated.Config{}, simulated.Config{Serial: "X1", Device: "POS80", Without: simulated.ProcessID}, EvidenceFence, ProofFence},
		{"proves nothing", simulated.Config{}, simulated.Config{Serial: "X1", Without: simulated.ProcessID | simulated.Fence}, EvidenceNone, ProofNone},
		{"better than the old one", simulated.Config{Without: simulated.ProcessID}, simulated.Config{Serial: "X1"}, EvidenceProcessID, ProofProcessID},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(_ *Config, s *simulated.Config) {
					log := s.Log
					*s = c.old
					s.Log = log
				})
				defer r.end()
				settle(20 * time.Second)
				r.kitchen()
				r.wait(time.Minute)
				before := r.paper()
				r.inject(simulated.Fault{Kind: simulated.PaperOut, At: 60})
				ids := []JobID{r.kitchen(), r.kitchen(), r.kitchen()}
				settle(time.Minute) // the first of them is half printed
				r.spare(c.new)
				r.wait(10 * time.Minute)
				for i, id := range ids {
					r.want(id, Done, c.evidence)
					if j := r.job(id); i == 0 && j.Attempt != 2 || i > 0 && j.Attempt != 1 {
						t.Errorf("ticket %d took %d attempts", i+2, j.Attempt)
					}
				}
				plain, all, _ := r.copies() // of the new printer
				for n, want := range map[int]int{2: 0, 3: 1, 4: 1} {
					if plain[n] != want || all[n] != 1 {
						t.Errorf("ticket %d: %d copies without a banner, %d in all", n, plain[n], all[n])
					}
				}
				st := r.p.Status()
				if st.Counts.Replaced != 1 || st.Proof != c.proof || st.Identity.Serial != c.new.Serial {
					t.Errorf("status %+v", st)
				}
				if k := r.p.Known(); len(k) != 2 || k[1].Identity != st.Identity || k[1].Proof != c.proof {
					t.Errorf("known %+v", k)
				}
				for i, n := range r.ledger.seqs[1:] {
					if n != r.ledger.seqs[i]+1 {
						t.Errorf("numbers %v", r.ledger.seqs)
					}
				}
				if t.Failed() {
					t.Logf("%s\nold:\n%s\nnew:\n%s", r.ledger.describe(), before, r.paper())
				}
			})
		})
	}
}

// A printer that went to be repaired comes back: what it could prove is remembered, so that its silence is not believed.
func TestKnownPrinterIsStuckNotMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config, s *simulated.Config) {
			c.Known = []Known{{Identity{"EPSON", "TM-T88V", "30.21 ESC/POS", "SIM0000001"}, ProofProcessID, ""}}
			s.Faults = []simulated.Fault{{Kind: simulated.Stuck, Bytes: 1 << 26}}
		})
		defer r.end()
		id := r.kitchen()
		settle(20 * time.Minute)
		r.want(id, Held, "")
		if st := r.p.Status(); st.Proof == ProofNone || st.Counts.Replaced != 0 {
			t.Errorf("status %+v", st)
		}
		r.inject(simulated.Fault{Kind: simulated.PowerCycle})
		r.wait(5 * time.Minute)
		r.want(id, Done, EvidenceProcessID)
	})
}

// The cut counter of another printer proves nothing, even where it happens to fit.
func TestCutCounterOfAnotherPrinter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config, s *simulated.Config) { c.TrustCutCounter = true })
		defer r.end()
		settle(20 * time.Second)
		for range 3 {
			r.kitchen()
			r.wait(time.Minute)
		}
		settle(2 * time.Minute) // the counter is read with the keep-alive
		r.inject(simulated.Fault{Kind: simulated.PaperOut, At: 60})
		id := r.kitchen()
		settle(time.Minute)
		old := r.sim.State().Cuts
		r.spare(simulated.Config{Serial: "X1"})
		feed, err := simulatedCuts(r.sim, int(old)+1)
		if err != nil {
			t.Fatal(err)
		}
		r.wait(10 * time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if _, all, _ := r.copies(); all[4] != 1 {
			t.Errorf("%d copies after %d cuts by others:\n%s", all[4], feed, r.paper())
		}
	})
}

// A person wants a clean copy of a ticket that paper out broke: the rest of the first is thrown away, definitely.
func TestClearWhileWaiting(t *testing.T) {
	for _, answered := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			defer r.end()
			settle(20 * time.Second)
			r.inject(simulated.Fault{Kind: simulated.PaperOut, At: 60})
			id, next := r.kitchen(), r.kitchen()
			settle(time.Minute)
			r.want(id, Waiting, "")
			r.p.Clear(next) // not in hand
			settle(time.Minute)
			r.want(id, Waiting, "")
			if !answered {
				r.inject(simulated.Fault{Kind: simulated.Silent, For: simulated.Duration(time.Minute)})
			}
			r.p.Clear(id)
			settle(10 * time.Second)
			want, reason := Cleared, ReasonCleared
			if !answered {
				want, reason = Unknown, ReasonUncleared
			}
			if j := r.job(id); j.State != want || j.Reason != reason {
				t.Errorf("job is %s %s, want %s %s", j.State, j.Reason, want, reason)
			}
			settle(time.Minute)
			if err := r.sim.Lift(""); err != nil {
				t.Fatal(err)
			}
			r.wait(10 * time.Minute)
			r.want(id, Done, EvidenceProcessID)
			r.want(next, Done, EvidenceProcessID)
			plain, all, _ := r.copies()
			if plain[1] != 0 || all[1] != 1 || all[2] != 1 {
				t.Errorf("%v of %v\n%s", plain, all, r.paper())
			}
		})
	}
}

// A drawer opens once, behind the last answer, and not again for a reprint.
func TestDrawerAndBuzzer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config, s *simulated.Config) { c.Profile.Buzzer = 2 /* ESC ( A */ })
		defer r.end()
		settle(20 * time.Second)
		id := r.submit(Job{Reprint: true, Drawer: 2, Buzz: 1})
		r.wait(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		settle(time.Second)
		if st := r.sim.State(); st.DrawerKicks != 1 || st.Beeps != 1 {
			t.Errorf("%d kicks, %d beeps", st.DrawerKicks, st.Beeps)
		}
		r.inject(simulated.Fault{Kind: simulated.PowerCycle, At: 60})
		id = r.submit(Job{Reprint: true, Drawer: 2, Buzz: 1})
		r.wait(5 * time.Minute)
		r.want(id, Done, EvidenceProcessID)
		settle(time.Second)
		if st := r.sim.State(); st.DrawerKicks != 1 || st.Beeps != 2 {
			t.Errorf("after a reprint: %d kicks, %d beeps", st.DrawerKicks, st.Beeps)
		}
	})
}

// A spare that says nothing of itself and proves nothing is taken for a stuck printer until a person says that it is one.
func TestReplacedByOneWithoutAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(20 * time.Second)
		r.kitchen()
		r.wait(time.Minute)
		r.spare(simulated.Config{Without: simulated.ProcessID | simulated.Fence | simulated.Identify})
		id := r.kitchen()
		settle(10 * time.Minute)
		r.want(id, Held, "")
		r.p.Replace()
		r.wait(10 * time.Minute)
		r.want(id, Done, EvidenceNone)
		if j := r.job(id); j.Sequence != 2 {
			t.Errorf("number %d", j.Sequence)
		}
	})
}

// Noise among the answers does not make another printer, nor one that proves nothing.
func TestNoiseIsNoOtherPrinter(t *testing.T) {
	for _, f := range []simulated.Fault{
		{Kind: simulated.Garbage, Data: "5f414243"}, {Kind: simulated.Garbage, Data: "5f4100"}, {Kind: simulated.Slow, BytesPerSecond: 3},
		{Kind: simulated.Slow, BytesPerSecond: 1}, {Kind: simulated.EchoLost}, {Kind: simulated.HoldReplies, For: simulated.Duration(30 * time.Second)},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(_ *Config, s *simulated.Config) { s.Without = simulated.ProcessID })
			defer r.end()
			settle(20 * time.Second)
			for at := range 12 {
				f.At = int64(at)
				r.inject(simulated.Fault{Kind: simulated.DropLink})
				r.inject(f)
				settle(2 * time.Minute)
				if st := r.p.Status(); st.Proof == ProofNone || st.Counts.Replaced > 0 {
					t.Errorf("%+v: %+v", f, st)
				}
				if err := r.sim.Lift(""); err != nil {
					t.Fatal(err)
				}
			}
			if k := r.p.Known(); len(k) != 1 {
				t.Errorf("%+v: known %+v", f, k)
			}
		})
	}
}

// A starPort says offline in each answer to DLE EOT 1.
type starPort struct {
	pipePort
	asked *atomic.Bool
}

func (p starPort) Write(b []byte) (int, error) {
	if string(b) == "\x10\x04\x01" {
		p.asked.Store(true)
	}
	return p.pipePort.Write(b)
}

func (p starPort) Read(b []byte) (int, error) {
	n, err := p.pipePort.Read(b)
	if n == 1 && b[0]&0x93 == 0x12 && p.asked.CompareAndSwap(true, false) {
		b[0] |= 0x08
	}
	return n, err
}

// Star's ESC/POS mode prints while it says that it is offline; that its paper is out it says truly.
func TestOfflineThatIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config, s *simulated.Config) {
			c.Profile, _ = escpos.ProfileFor("star-tsp-escpos")
			s.Without = simulated.ProcessID | simulated.ASB
		})
		defer r.end()
		r.wrap.Store(func(p pipePort) port.Port { return starPort{p, new(atomic.Bool)} })
		r.inject(simulated.Fault{Kind: simulated.DropLink})
		settle(20 * time.Second)
		first := r.kitchen()
		r.wait(time.Minute)
		r.want(first, Done, EvidenceFence)
		r.inject(simulated.Fault{Kind: simulated.PaperOut})
		second := r.kitchen()
		settle(time.Minute)
		r.want(second, Held, "")
		if st := r.p.Status(); st.State != PaperOut {
			t.Errorf("status %+v", st)
		}
		if err := r.sim.Lift(""); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Minute)
		r.want(second, Done, EvidenceFence)
	})
}
