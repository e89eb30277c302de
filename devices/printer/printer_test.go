package printer

import (
	"bytes"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aboyeur/devices/port"
	"aboyeur/protocol/escpos"
	simulated "aboyeur/simulate/printer"
)

func TestTicketIsPrintedAndProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		st := r.p.Status()
		if !st.Up || st.State != Ready || st.Paper != PaperOK || st.Proof != ProofProcessID || !st.AutoStatus || st.Identity.Maker != "EPSON" {
			t.Errorf("Status = %+v", st)
		}
		a := r.kitchen()
		b := r.kitchen() // behind the first
		settle(time.Second)
		r.want(a, Done, EvidenceProcessID)
		r.want(b, Done, EvidenceProcessID)
		paper := r.paper()
		if !strings.Contains(paper, "LAST 1\nEND 0001") || !strings.Contains(paper, "LAST 2\nEND 0002") || strings.Contains(paper, "REPRINT") {
			t.Errorf("paper:\n%s", paper)
		}
		if h := r.job(a).history; len(h) != 3 || h[0].State != Sent || h[1].State != Printed || h[2].State != Done || h[0].Bytes == 0 {
			t.Errorf("history %+v", h)
		}
		if r.p.Status().Sequence != 2 {
			t.Errorf("Sequence = %d", r.p.Status().Sequence)
		}
	})
}

func TestProofByWhatThePrinterAnswers(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(*Config, *simulated.Config)
		proof    Proof
		evidence Evidence
		fast     bool
	}{
		{"everything", nil, ProofProcessID, EvidenceProcessID, true},
		{"no GS ( H", func(_ *Config, s *simulated.Config) { s.Without = simulated.ProcessID }, ProofFence, EvidenceFence, true},
		{"no ASB", func(_ *Config, s *simulated.Config) { s.Without = simulated.ASB }, ProofProcessID, EvidenceProcessID, false},
		{"real time only", func(_ *Config, s *simulated.Config) {
			s.Without = simulated.ASB | simulated.ProcessID | simulated.Fence | simulated.Identify
		}, ProofNone, EvidenceNone, false},
		{"silent", func(c *Config, s *simulated.Config) { c.Silent, s.Silent = true, true }, ProofNone, EvidenceNone, false},
		{"no GS I", func(_ *Config, s *simulated.Config) { s.Without = simulated.Identify }, ProofProcessID, EvidenceProcessID, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tt.change)
				defer r.end()
				settle(time.Minute)
				if st := r.p.Status(); st.Proof != tt.proof || !st.Up || st.State != Ready {
					t.Errorf("Status = %+v, want proof %s", st, tt.proof)
				}
				if a, ok := r.p.Claim(jobID(99)); ok != tt.fast {
					t.Errorf("Claim = %v, want %v", ok, tt.fast)
				} else if ok {
					r.p.Unclaim(jobID(99))
					if a.Number != 1 || a.Sequence != 1 || a.Banner {
						t.Errorf("attempt %+v", a)
					}
				}
				settle(0)
				ids := []JobID{r.kitchen(), r.kitchen(), r.kitchen()}
				r.wait(time.Minute)
				for _, id := range ids {
					r.want(id, Done, tt.evidence)
				}
				if _, all, order := r.copies(); len(all) != 3 || order[0] != 1 || order[2] != 3 {
					t.Errorf("paper:\n%s", r.paper())
				}
			})
		})
	}
}

func TestPaperOutInTheMiddleWaitsAndNeverResends(t *testing.T) {
	for _, asb := range []bool{true, false} {
		for kind, want := range map[simulated.Kind]PrinterState{simulated.PaperOut: PaperOut, simulated.Cover: CoverOpen} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(_ *Config, s *simulated.Config) {
					if !asb {
						s.Without = simulated.ASB
					}
				})
				defer r.end()
				settle(time.Second)
				r.inject(simulated.Fault{Kind: kind, At: 60})
				id := r.kitchen()
				settle(30 * time.Second)
				if j := r.job(id); j.State != Waiting || j.Reason != string(want) {
					t.Errorf("%s: job is %s (%s), want waiting", kind, j.State, j.Reason)
				}
				if st := r.p.Status(); st.State != want || r.ledger.heldReason() != string(want) {
					t.Errorf("%s: status %s, ledger held %q", kind, st.State, r.ledger.heldReason())
				}
				other := r.kitchen()
				settle(3 * time.Hour)
				if j := r.job(other); !j.untouched() {
					t.Errorf("the next job is %s, want queued", j.State)
				}
				if err := r.sim.Lift(kind); err != nil {
					t.Fatal(err)
				}
				settle(time.Minute)
				r.want(id, Done, EvidenceProcessID)
				r.want(other, Done, EvidenceProcessID)
				if !r.job(id).damaged || r.job(other).damaged {
					t.Error("the ticket over two rolls is not marked, or the other is")
				}
				if plain, all, _ := r.copies(); plain[1] != 1 || all[1] != 1 {
					t.Errorf("paper:\n%s", r.paper())
				}
				if r.ledger.heldReason() != "" {
					t.Errorf("still held: %s", r.ledger.heldReason())
				}
			})
		}
	}
}

func TestPaperOutBeforeTheStartHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.PaperOut})
		settle(0)
		if r.ledger.heldReason() != "paper_out" {
			t.Errorf("held = %q", r.ledger.heldReason())
		}
		id := r.kitchen()
		settle(time.Hour)
		if j := r.job(id); !j.untouched() {
			t.Errorf("job is %s after %d attempts", j.State, j.Attempt)
		}
		if err := r.sim.Lift(simulated.PaperOut); err != nil {
			t.Fatal(err)
		}
		settle(0) // at once: the frame wakes the driver
		r.want(id, Done, EvidenceProcessID)
	})
}

// The claim was given, then the paper ran out before the commit was done: nothing was sent, so it is not unknown.
func TestFaultBetweenClaimAndHandover(t *testing.T) {
	for _, kind := range []simulated.Kind{simulated.PaperOut, simulated.DropLink, simulated.PowerCycle} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			defer r.end()
			settle(time.Second)
			j := Job{ID: jobID(1), Body: body(1), Reprint: true}
			a, ok := r.p.Claim(j.ID)
			if !ok {
				t.Fatal("no claim")
			}
			if _, ok := r.p.Claim(jobID(2)); ok {
				t.Error("a second claim")
			}
			r.inject(simulated.Fault{Kind: kind})
			settle(time.Second)
			f := r.ledger.addSending(j, a)
			r.p.Handover(f.Job, a)
			settle(time.Second)
			if kind == simulated.PaperOut {
				r.want(j.ID, Held, "")
			}
			if err := r.sim.Lift(""); err != nil {
				t.Fatal(err)
			}
			settle(time.Minute)
			r.want(j.ID, Done, EvidenceProcessID)
			if plain, all, _ := r.copies(); plain[1] != 1 || all[1] != 1 {
				t.Errorf("%s: paper:\n%s", kind, r.paper())
			}
			if !strings.Contains(r.paper(), "END 0001") {
				t.Errorf("%s: a gap in the numbers:\n%s", kind, r.paper())
			}
		})
	}
}

func TestUnclaimGivesTheNumberBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		for range 3 {
			if a, ok := r.p.Claim(jobID(1)); !ok || a.Sequence != 1 {
				t.Fatalf("Claim = %+v, %v", a, ok)
			}
			r.p.Unclaim(jobID(1))
			settle(0)
		}
		r.p.Unclaim(jobID(7)) // not claimed: nothing
		r.kitchen()
		settle(time.Second)
		if !strings.Contains(r.paper(), "END 0001") {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// What is queued goes before what comes later, whatever way it comes.
func TestClaimNeverOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.ledger.mu.Lock() // the transaction that queues job 1: Next has to wait for it
		r.p.Wake()
		_, ok := r.p.Claim(jobID(2))
		r.ledger.jobs = append(r.ledger.jobs, &fakeJob{Job: Job{ID: jobID(1), Body: body(1), State: Queued}})
		r.ledger.jobs = append(r.ledger.jobs, &fakeJob{Job: Job{ID: jobID(2), Body: body(2), State: Queued}})
		r.ledger.mu.Unlock()
		if ok {
			t.Error("Claim overtakes what Wake announced")
		}
		r.p.Wake()
		settle(time.Second)
		if _, _, order := r.copies(); len(order) != 2 || order[0] != 1 {
			t.Errorf("order on paper %v", order)
		}
		if _, ok := r.p.Claim(jobID(3)); !ok {
			t.Error("no claim once the queue is empty")
		}
		r.p.Unclaim(jobID(3))
	})
}

func TestHandoverWithoutClaimIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		p, c := tokens(1)
		a := Attempt{Number: 1, Sequence: 1, TokenP: p, TokenC: c, At: age}
		f := r.ledger.addSending(Job{ID: jobID(1), Body: body(1), Reprint: true}, a)
		r.p.Handover(f.Job, a)
		settle(time.Second)
		r.want(jobID(1), Done, EvidenceProcessID)
	})
}

func TestLinkLostAfterTheFirstByteIsReprintedUnderABanner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config, _ *simulated.Config) {
			c.Now = func() time.Time { return age }
		})
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.PowerCycle, At: 60})
		id := r.submit(Job{Reprint: true, Ticket: "T-41"})
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if j := r.job(id); j.Attempt != 2 || !j.attempt.Banner || j.attempt.Reason != ReasonLinkLost {
			t.Errorf("last attempt %+v", j.attempt)
		}
		paper := r.paper()
		for _, want := range []string{"** REPRINT 2 **", "ticket T-41 · first sent 12:41:07", "reason: connection lost", "MAY ALREADY BE PRINTED", "END 0002"} {
			if !strings.Contains(paper, want) {
				t.Errorf("no %q on paper:\n%s", want, paper)
			}
		}
		if strings.Count(paper, "** REPRINT 2 **") != 2 {
			t.Errorf("the banner is not at both ends:\n%s", paper)
		}
	})
}

func TestReceiptStaysUnknownForAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.DropLink, At: 60})
		id := r.submit(Job{Reprint: false})
		next := r.submit(Job{Reprint: false})
		settle(10 * time.Minute)
		r.want(id, Unknown, "")
		if j := r.job(id); !j.settled || j.Attempt != 1 {
			t.Errorf("job %+v, want it settled after one attempt", j)
		}
		r.want(next, Done, EvidenceProcessID) // the queue goes on
		// The person wants another copy.
		r.ledger.mu.Lock()
		f := r.ledger.find(id)
		f.State, f.Redo, f.settled, f.epoch = Queued, true, false, 0
		f.Reason = ""
		r.ledger.mu.Unlock()
		r.p.Wake()
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if !strings.Contains(r.paper(), "REPRINT 2") || strings.Contains(r.paper(), "MAY ALREADY") {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

func TestSecondUnknownStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.PowerCycle, At: 60})
		id := r.kitchen()
		settle(time.Millisecond)
		r.want(id, Unknown, "")
		r.inject(simulated.Fault{Kind: simulated.PowerCycle, At: 200}) // in the reprint, behind the probe
		settle(10 * time.Minute)
		j := r.job(id)
		if j.State != Unknown || j.Attempt != 2 || !j.settled {
			t.Errorf("job is %s after %d attempts:\n%s", j.State, j.Attempt, r.ledger.describe())
		}
		next := r.kitchen()
		settle(time.Minute)
		r.want(next, Done, EvidenceProcessID)
	})
}

// The printer lives, its echoes got lost: a bare fence on the same connection proves the ticket.
func TestEchoLostOnALivingLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.EchoLost, Count: 2})
		id := r.kitchen()
		r.wait(5 * time.Minute)
		r.want(id, Done, EvidenceFence)
		if plain, all, _ := r.copies(); plain[1] != 1 || all[1] != 1 {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// The interpreter was stuck and ate the ticket: an answered fence must not pass for proof.
func TestEatenTicketIsPrintedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Stuck, Bytes: 3000})
		id := r.kitchen()
		r.wait(10 * time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if plain, all, _ := r.copies(); plain[1] != 0 || all[1] != 1 {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// An answer to GS r bears no name: of an interpreter that ate the ticket, noise that looks like one must not pass for proof,
// however late it comes.
func TestNoiseIsNoProofOfAnEatenTicket(t *testing.T) {
	for _, at := range []int64{0, 6, 18, 60, 90, 120} { // bytes of the questions that follow the ticket
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(_ *Config, s *simulated.Config) { s.Without = simulated.ProcessID })
			defer r.end()
			settle(20 * time.Second)
			r.inject(simulated.Fault{Kind: simulated.Stuck, Bytes: 4096})
			id := r.kitchen()
			settle(time.Second)
			r.inject(simulated.Fault{Kind: simulated.Garbage, At: at})
			r.wait(10 * time.Minute)
			j := r.job(id)
			plain, all, _ := r.copies()
			printed := j.State == Done && plain[1] == 0 && all[1] == 1
			asked := j.State == Unknown && all[1] == 0 // noise also made it look as if the printer had come to itself
			if !printed && !asked {
				t.Errorf("noise after %d bytes: %s, paper:\n%s", at, j.State, r.paper())
			}
		})
	}
}

func TestOnlyTheNewestEchoIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.HoldReplies, For: simulated.Duration(2 * time.Second)})
		id := r.kitchen()
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
	})
}

func TestForeignAndDuplicateTokensAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.EchoForeign, Count: 1})
		r.inject(simulated.Fault{Kind: simulated.EchoDuplicate, Count: 2})
		r.inject(simulated.Fault{Kind: simulated.ASBBetween})
		r.inject(simulated.Fault{Kind: simulated.Garbage})
		id := r.kitchen()
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if c := r.p.Status().Counts; c.ForeignTokens != 1 || c.DuplicateTokens != 2 || c.StrayBytes == 0 {
			t.Errorf("counts %+v", c)
		}
	})
}

// Somebody at the printer throws its buffers away: definite, and the rest is printed anew.
func TestClearedByThePrinter(t *testing.T) {
	for _, reprint := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			defer r.end()
			settle(time.Second)
			r.inject(simulated.Fault{Kind: simulated.PaperOut, At: 60})
			id := r.submit(Job{Reprint: reprint})
			settle(time.Second)
			r.clear()
			settle(time.Second)
			if reprint {
				if j := r.job(id); j.State != Cleared || j.settled {
					t.Errorf("job is %s, settled %v", j.State, j.settled)
				}
				if err := r.sim.Lift(simulated.PaperOut); err != nil {
					t.Fatal(err)
				}
				r.wait(time.Minute)
				r.want(id, Done, EvidenceProcessID)
				if !strings.Contains(r.paper(), "REPRINT 2") || strings.Contains(r.paper(), "MAY ALREADY") {
					t.Errorf("paper:\n%s", r.paper())
				}
			} else if j := r.job(id); j.State != Cleared || !j.settled {
				t.Errorf("job is %s", j.State)
			}
		})
	}
}

func TestCutterFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.p.Recover() // before there is anything to recover from: forgotten
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Cutter, Count: 1})
		id := r.kitchen()
		settle(time.Hour)
		r.want(id, Printed, EvidenceProcessID)
		if st := r.p.Status(); st.State != Faulty || st.Reason != "cutter" {
			t.Errorf("status %+v", st)
		}
		r.p.Recover()
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if plain, all, _ := r.copies(); plain[1] != 1 || all[1] != 1 {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// A cutter that jams until somebody switches the printer off: printed is printed.
func TestCutterFaultEndedByPower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Cutter, Count: 1})
		id := r.kitchen()
		settle(time.Minute)
		r.inject(simulated.Fault{Kind: simulated.PowerCycle})
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if j := r.job(id); j.Attempt != 1 || j.Reason != ReasonCutUnknown {
			t.Errorf("job %+v", j)
		}
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Slow, LinesPerSecond: 1})
		a := r.kitchen()
		settle(time.Second)
		r.p.Pause()
		b := r.kitchen()
		settle(time.Minute)
		r.want(a, Done, EvidenceProcessID) // in hand is finished first
		if j := r.job(b); !j.untouched() || r.ledger.heldReason() != ReasonPaused || r.p.Status().State != Paused {
			t.Errorf("job is %s, held %q, status %s", j.State, r.ledger.held, r.p.Status().State)
		}
		settle(time.Hour) // the keep-alive goes on
		r.p.Resume()
		settle(time.Minute)
		r.want(b, Done, EvidenceProcessID)
		if n := r.p.Status().Counts.Connects; n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestSlowPrinterIsNotHurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config, s *simulated.Config) { s.ReceiveBuffer = 100 })
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Slow, BytesPerSecond: 1})
		id := r.kitchen()
		r.wait(time.Hour)
		r.want(id, Done, EvidenceProcessID)
		if plain, all, _ := r.copies(); plain[1] != 1 || all[1] != 1 {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

func TestReconnectBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Minute)
		r.refuse.Store(true)
		r.inject(simulated.Fault{Kind: simulated.DropLink})
		settle(time.Second)
		if st := r.p.Status(); st.Up || st.State != Connecting || st.Reason != ReasonUnreachable || st.Detail == "" {
			t.Errorf("status %+v", st)
		}
		id := r.kitchen()
		settle(time.Hour)
		if j := r.job(id); !j.untouched() || r.ledger.heldReason() != ReasonUnreachable {
			t.Errorf("job is %s, held %q", j.State, r.ledger.heldReason())
		}
		r.refuse.Store(false)
		settle(DefaultReconnectMax * 5 / 4)
		r.want(id, Done, EvidenceProcessID)
	})
}

// A board that serves another host connects and says nothing.
func TestMutePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(_ *Config, s *simulated.Config) { s.Silent = true })
		defer r.end()
		id := r.kitchen()
		settle(10 * time.Minute)
		if st := r.p.Status(); st.Up || st.Reason != ReasonMute || r.ledger.heldReason() != ReasonMute {
			t.Errorf("status %+v, held %q", st, r.ledger.heldReason())
		}
		if j := r.job(id); j.Attempt != 0 {
			t.Errorf("job %+v was sent", j)
		}
		if len(r.sim.Tickets()) != 0 {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// An idle printer that falls silent is found by the keep-alive.
func TestKeepAliveFindsASilentPrinter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Hang})
		settle(2 * time.Minute)
		if st := r.p.Status(); st.Up {
			t.Errorf("status %+v", st)
		}
		if err := r.sim.Lift(simulated.Hang); err != nil {
			t.Fatal(err)
		}
		settle(2 * time.Minute)
		if st := r.p.Status(); !st.Up || st.State != Ready {
			t.Errorf("status %+v", st)
		}
	})
}

func TestCrashInEachState(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault simulated.Fault
		state State
	}{
		{"sent", simulated.Fault{Kind: simulated.Slow, LinesPerSecond: 1}, Sent},
		{"waiting", simulated.Fault{Kind: simulated.PaperOut, At: 60}, Waiting},
		{"printed", simulated.Fault{Kind: simulated.Cutter, Count: 1}, Printed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config, _ *simulated.Config) { c.Finish = time.Nanosecond })
				defer r.end()
				settle(time.Second)
				r.inject(tt.fault)
				id := r.kitchen()
				settle(2 * time.Second)
				if j := r.job(id); j.State != tt.state {
					t.Fatalf("job is %s", j.State)
				}
				r.crash()
				if err := r.sim.Lift(""); err != nil {
					t.Fatal(err)
				}
				r.start()
				r.p.Recover()
				next := r.kitchen()
				r.wait(10 * time.Minute)
				r.want(id, Done, EvidenceProcessID)
				r.want(next, Done, EvidenceProcessID)
				plain, all, order := r.copies()
				if plain[1] > 1 || all[1] > 2 || all[1] < 1 || all[2] != 1 || order[0] != 1 {
					t.Errorf("paper:\n%s", r.paper())
				}
				if tt.state == Printed && all[1] != 1 {
					t.Errorf("printed before the crash, and again:\n%s", r.paper())
				}
			})
		})
	}
}

func TestEndingFinishesWhatIsInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Slow, LinesPerSecond: 3})
		id := r.kitchen()
		settle(time.Second)
		r.want(id, Sent, "")
		r.end()
		r.want(id, Done, EvidenceProcessID)
	})
}

func TestLedgerFailsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.ledger.mu.Lock()
		r.ledger.fail = 3
		r.ledger.mu.Unlock()
		r.p.Wake()
		id := r.kitchen()
		r.wait(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if !strings.Contains(r.paper(), "END 0001") {
			t.Errorf("a gap in the numbers:\n%s", r.paper())
		}
		// A reprint is not begun before it is recorded.
		r.inject(simulated.Fault{Kind: simulated.PowerCycle, At: 60})
		r.ledger.mu.Lock()
		r.ledger.fail = 3
		r.ledger.mu.Unlock()
		id = r.kitchen()
		r.wait(time.Minute)
		r.want(id, Done, EvidenceProcessID)
	})
}

func TestCutCounter(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(c *Config, _ *simulated.Config) { c.TrustCutCounter = trusted })
			defer r.end()
			settle(time.Second)
			r.kitchen()
			settle(time.Minute) // the keep-alive compares the counter
			// The cable is out from the moment the printer has all: it prints, nobody hears of it.
			r.inject(simulated.Fault{Kind: simulated.Slow, LinesPerSecond: 1})
			id := r.kitchen()
			settle(time.Second)
			r.refuse.Store(true) // until it has printed all: its late echo would tell
			r.inject(simulated.Fault{Kind: simulated.DropLink})
			settle(time.Minute)
			r.refuse.Store(false)
			r.wait(10 * time.Minute)
			_, all, _ := r.copies()
			if trusted {
				r.want(id, Done, EvidenceCutCounter)
				if all[2] != 1 {
					t.Errorf("paper:\n%s", r.paper())
				}
			} else {
				r.want(id, Done, EvidenceProcessID)
				if all[2] != 2 {
					t.Errorf("paper:\n%s", r.paper())
				}
			}
			// And when the ticket was lost, the counter says so.
			r.kitchen()
			settle(time.Minute)
			r.inject(simulated.Fault{Kind: simulated.PowerCycle, At: 60})
			id = r.kitchen()
			r.wait(10 * time.Minute)
			r.want(id, Done, EvidenceProcessID)
			if j := r.job(id); j.Attempt != 2 {
				t.Errorf("job %+v", j)
			}
		})
	}
}

func TestTestPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.submit(Job{Body: r.p.TestBody(testWords)})
		settle(time.Second)
		paper := r.paper()
		for _, want := range []string{"TEST PAGE", "grill", "epson-tm-t88", "EPSON TM-T88V", "1234567890123456789012345678901234567890", "œ", "€", "END 0001"} {
			if !strings.Contains(paper, want) {
				t.Errorf("no %q on paper:\n%s", want, paper)
			}
		}
	})
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	_, err := New(Config{})
	if err == nil || !strings.Contains(err.Error(), "no name") || !strings.Contains(err.Error(), "no ledger") || !strings.Contains(err.Error(), "no address") {
		t.Errorf("New = %v", err)
	}
}

func TestTokens(t *testing.T) {
	p, c := tokens(0)
	if string(p[:]) != "    " || string(c[:]) != "   !" {
		t.Errorf("tokens(0) = %q %q", p, c)
	}
	last := [4]byte{}
	for _, n := range []uint32{1, 2, 46, 47, 48, 4512, 142857, 30_499_999} {
		p, c := tokens(n)
		if string(p[:]) <= string(last[:]) || string(c[:]) <= string(p[:]) {
			t.Errorf("tokens(%d) = %q %q do not ascend", n, p, c)
		}
		for _, b := range append(p[:], c[:]...) {
			if b < 0x20 || b > 0x7E {
				t.Errorf("tokens(%d) = %q %q", n, p, c)
			}
		}
		if isFenceToken(p) || isFenceToken(c) {
			t.Errorf("tokens(%d) are a fence's", n)
		}
		last = c
	}
	for _, n := range []uint64{0, 1, 1 << 63, 1<<64 - 1} {
		if f := fenceToken(n); !isFenceToken(f) {
			t.Errorf("fenceToken(%d) = %q is none", n, f)
		}
	}
}

func TestEnvelope(t *testing.T) {
	profile, _ := escpos.ProfileFor("epson-tm-t88")
	e := newEnvelope(profile, "en", testWords, time.UTC)
	if e.hole < 0 {
		t.Error("the tail has no hole for its number")
	}
	for _, tt := range []struct {
		n    uint32
		want string
	}{{7, "END 0007"}, {142, "END 0142"}, {9999, "END 9999"}, {12345, "END 12345"}} {
		a := Attempt{Number: 1, Sequence: tt.n}
		b := string(e.build(Job{Body: []byte("x")}, a, ProofNone))
		if !strings.Contains(b, "x\n") || !strings.Contains(b, tt.want) {
			t.Errorf("build = %q, want %q and a line end behind the body", b, tt.want)
		}
	}
	j, a := Job{Body: body(1)}, Attempt{Number: 1, Sequence: 142}
	e.build(j, a, ProofProcessID)
	if n := testing.AllocsPerRun(100, func() { e.build(j, a, ProofProcessID) }); n > 0 {
		t.Errorf("build makes %v allocations", n)
	}
}

// echo is a token's echo as hex, for a simulated printer to send whenever it likes.
func echo(token [4]byte) string { return hex.EncodeToString(escpos.AppendProcessIDEcho(nil, token)) }

// The cable was out for a moment and the printer went on: its echo comes over the next connection.
func TestLateEchoOverTheNextConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(10 * time.Second)
		r.inject(simulated.Fault{Kind: simulated.Slow, LinesPerSecond: 1})
		id := r.kitchen()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.DropLink})
		settle(time.Second)
		r.want(id, Unknown, "")
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if j := r.job(id); j.Attempt != 1 || r.p.Status().Counts.LateTokens == 0 {
			t.Errorf("attempt %d, counts %+v", j.Attempt, r.p.Status().Counts)
		}
		if _, all, _ := r.copies(); all[1] != 1 {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// A person was asked already, then the echo came.
func TestLateEchoOfAJobGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.DropLink, At: 60})
		id := r.submit(Job{})
		settle(time.Minute)
		j := r.job(id)
		if j.State != Unknown || !j.settled {
			t.Fatalf("job is %s", j.State)
		}
		r.inject(simulated.Fault{Kind: simulated.Garbage, Data: echo(j.attempt.TokenC)})
		settle(time.Second)
		r.want(id, Done, EvidenceProcessID)
		r.inject(simulated.Fault{Kind: simulated.Garbage, Data: echo(j.attempt.TokenC)}) // and once more
		settle(time.Second)
		r.want(id, Done, EvidenceProcessID)
	})
}

// The echo comes while the reprint is being written down: it is not begun.
func TestLateEchoCancelsAReprint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		first, _ := tokens(1)
		r.ledger.onSend = func(Attempt) {
			r.inject(simulated.Fault{Kind: simulated.Garbage, Data: echo(first)})
			time.Sleep(time.Second) // the disk is slow
		}
		r.inject(simulated.Fault{Kind: simulated.DropLink, At: 60})
		id := r.kitchen()
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		h := r.job(id).history
		if last := h[len(h)-1]; last.Attempt != 1 || last.Reason != ReasonCutUnknown {
			t.Errorf("last report %+v", last)
		}
		if _, all, _ := r.copies(); all[1] != 1 || strings.Contains(r.paper(), "REPRINT") {
			t.Errorf("paper:\n%s", r.paper())
		}
		r.ledger.onSend = nil
		next := r.kitchen()
		settle(time.Minute)
		r.want(next, Done, EvidenceProcessID)
		if !strings.Contains(r.paper(), "END 0002") {
			t.Errorf("the number was not given back:\n%s", r.paper())
		}
	})
}

// The same while the disk refuses to write it down.
func TestLateEchoWhileAReprintCannotBeRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		first, _ := tokens(1)
		r.inject(simulated.Fault{Kind: simulated.DropLink, At: 60})
		id := r.kitchen()
		r.ledger.mu.Lock()
		r.ledger.fail = 1 << 20
		r.ledger.mu.Unlock()
		settle(time.Minute)
		r.want(id, Unknown, "")
		r.inject(simulated.Fault{Kind: simulated.Garbage, Data: echo(first)})
		settle(time.Minute)
		r.ledger.mu.Lock()
		r.ledger.fail = 0
		r.ledger.mu.Unlock()
		settle(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if _, all, _ := r.copies(); all[1] != 1 || strings.Contains(r.paper(), "REPRINT") {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// A job that was rerouted while it was held, or while it was unknown, is dropped.
func TestJobThatIsGone(t *testing.T) {
	for _, sent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			defer r.end()
			settle(10 * time.Second)
			j := Job{ID: jobID(1), Body: body(1), Reprint: true}
			if sent {
				r.inject(simulated.Fault{Kind: simulated.PowerCycle, At: 60, For: simulated.Duration(time.Minute)})
				r.kitchen()
				settle(time.Second)
				r.want(j.ID, Unknown, "")
			} else {
				a, _ := r.p.Claim(j.ID)
				r.inject(simulated.Fault{Kind: simulated.PowerCycle, For: simulated.Duration(time.Minute)})
				settle(time.Second)
				f := r.ledger.addSending(j, a)
				r.next = 1
				r.p.Handover(f.Job, a)
				settle(time.Second)
				r.want(j.ID, Held, "")
			}
			r.ledger.mu.Lock()
			r.ledger.find(j.ID).State, r.ledger.find(j.ID).settled = Superseded, true
			r.ledger.mu.Unlock()
			next := r.kitchen()
			settle(5 * time.Minute)
			r.want(j.ID, Superseded, "")
			r.want(next, Done, EvidenceProcessID)
			if _, all, _ := r.copies(); all[1] != 0 || strings.Contains(r.paper(), "REPRINT") {
				t.Errorf("paper:\n%s", r.paper())
			}
		})
	}
}

// A held job in hand waits for the end of a pause like any other.
func TestHeldJobInHandIsPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(10 * time.Second)
		j := Job{ID: jobID(1), Body: body(1), Reprint: true}
		a, _ := r.p.Claim(j.ID)
		r.p.Pause()
		r.inject(simulated.Fault{Kind: simulated.PaperOut})
		settle(time.Second)
		f := r.ledger.addSending(j, a)
		r.next = 1
		r.p.Handover(f.Job, a)
		settle(time.Second)
		next := r.kitchen()
		if err := r.sim.Lift(simulated.PaperOut); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		if len(r.sim.Tickets()) > 0 {
			t.Errorf("paper:\n%s", r.paper())
		}
		r.p.Resume()
		settle(time.Minute)
		r.want(j.ID, Done, EvidenceProcessID)
		r.want(next, Done, EvidenceProcessID)
		if _, _, order := r.copies(); len(order) != 2 || order[0] != 1 || !strings.Contains(r.paper(), "END 0002") || strings.Contains(r.paper(), "REPRINT") {
			t.Errorf("paper:\n%s", r.paper())
		}
	})
}

// An old answer to GS r that comes over the next connection is nobody's proof.
func TestStaleFenceIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(_ *Config, s *simulated.Config) { s.Without = simulated.ProcessID })
		defer r.end()
		settle(10 * time.Second)
		r.inject(simulated.Fault{Kind: simulated.Slow, BytesPerSecond: 20})
		id := r.submit(Job{})
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.DropLink})
		next := r.submit(Job{})
		for r.job(next).State != Sent {
			settle(50 * time.Millisecond)
		}
		r.want(id, Unknown, "")
		r.inject(simulated.Fault{Kind: simulated.PaperOut})
		settle(time.Minute)
		if j := r.job(next); j.State != Waiting {
			t.Errorf("job is %s with evidence %q, want it to wait for paper", j.State, j.evidence)
		}
	})
}

// The refused claim's job is looked for before the next claim, even if nobody calls Wake.
func TestRefusedClaimIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Second)
		a := r.kitchen()
		if _, ok := r.p.Claim(jobID(2)); ok {
			t.Fatal("a claim while a job is handed over")
		}
		r.ledger.add(Job{ID: jobID(2), Body: body(2)})
		settle(time.Second)
		r.want(a, Done, EvidenceProcessID)
		r.want(jobID(2), Done, EvidenceProcessID)
	})
}

// The interpreter eats the ticket and no more: the bare fence is answered without any resynchronisation.
func TestFenceBehindAnEatenTicketIsNoProof(t *testing.T) {
	for extra := range 12 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			defer r.end()
			settle(time.Second)
			r.inject(simulated.Fault{Kind: simulated.Stuck, Bytes: 148 + 5*extra})
			id := r.kitchen()
			r.wait(10 * time.Minute)
			r.want(id, Done, EvidenceProcessID)
			if plain, all, _ := r.copies(); plain[1] != 0 || all[1] != 1 {
				t.Errorf("extra %d: paper:\n%s", extra, r.paper())
			}
		})
	}
}

// A printer that could echo and answers nothing in its queue any more is stuck, not a lesser printer.
func TestStuckPrinterIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.end()
		settle(time.Minute)
		r.inject(simulated.Fault{Kind: simulated.Stuck, Bytes: 50 << 20})
		r.inject(simulated.Fault{Kind: simulated.DropLink})
		settle(10 * time.Minute)
		id := r.kitchen()
		settle(10 * time.Minute)
		if j := r.job(id); !j.untouched() || r.ledger.heldReason() != ReasonStuck {
			t.Errorf("job is %s, held %q", j.State, r.ledger.heldReason())
		}
		if st := r.p.Status(); st.Proof != ProofProcessID {
			t.Errorf("status %+v", st)
		}
		r.inject(simulated.Fault{Kind: simulated.PowerCycle})
		settle(5 * time.Minute)
		r.want(id, Done, EvidenceProcessID)
	})
}

// patientPort records what the driver asks of a Patient port.
type patientPort struct {
	pipePort
	mu      sync.Mutex
	patient bool
	unheard time.Duration
}

func (p *patientPort) SetPatient(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.patient = on
	return nil
}

func (p *patientPort) Unheard() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unheard
}

func (p *patientPort) is() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.patient
}

func TestPatienceWhileThePaperIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := &patientPort{}
		r := newRig(t, func(c *Config, _ *simulated.Config) { c.Reconnect, c.ReconnectMax = time.Hour, time.Hour })
		defer r.end()
		r.wrap.Store(func(p pipePort) port.Port {
			link.pipePort = p
			return link
		})
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.DropLink}) // to get a wrapped one
		settle(2 * time.Hour)
		r.inject(simulated.Fault{Kind: simulated.PaperOut, At: 60, For: simulated.Duration(time.Minute)})
		id := r.kitchen()
		settle(time.Second)
		if !link.is() {
			t.Error("paper out, and the port is not told to be patient")
		}
		settle(2 * time.Minute)
		r.want(id, Done, EvidenceProcessID)
		if link.is() {
			t.Error("still patient")
		}
		r.inject(simulated.Fault{Kind: simulated.PaperOut, At: 60})
		id = r.kitchen()
		settle(time.Second)
		r.inject(simulated.Fault{Kind: simulated.Hang})
		settle(time.Minute)
		if j := r.job(id); j.State != Waiting {
			t.Errorf("job is %s while the peer's kernel answers", j.State)
		}
		link.mu.Lock()
		link.unheard = 2 * time.Minute
		link.mu.Unlock()
		settle(time.Minute)
		r.want(id, Unknown, "")
	})
}

// A tailPort takes a ticket's text with the first mark, and what stands behind it only when it is asked again: meanwhile
// the printer answers.
type tailPort struct {
	pipePort
	stalled *atomic.Bool
}

func (p tailPort) Write(b []byte) (int, error) {
	cut := bytes.LastIndex(b, []byte("\x1d(H")) // the second mark
	if !bytes.Contains(b, []byte("LAST")) || !p.stalled.CompareAndSwap(false, true) {
		return p.pipePort.Write(b)
	}
	n, err := p.pipePort.Write(b[:cut])
	if err != nil {
		return n, err
	}
	time.Sleep(DefaultStall)
	return n, os.ErrDeadlineExceeded
}

// What is proved stays proved while the printer does not take the rest: were it only sent again, a power cut would bring
// a second copy.
func TestPrintedBeforeTheLastByteIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalled := &atomic.Bool{}
		r := newRig(t, nil)
		defer r.end()
		r.wrap.Store(func(p pipePort) port.Port { return tailPort{p, stalled} })
		settle(20 * time.Second)
		r.inject(simulated.Fault{Kind: simulated.DropLink}) // to get a wrapped one
		settle(20 * time.Second)
		id := r.kitchen()
		r.wait(time.Minute)
		r.want(id, Done, EvidenceProcessID)
		var states []State
		for _, h := range r.job(id).history {
			states = append(states, h.State)
		}
		if !stalled.Load() || !slices.Equal(states, []State{Printed, Printed, Done}) {
			t.Errorf("stalled %v, states %v", stalled.Load(), states)
		}
	})
}
