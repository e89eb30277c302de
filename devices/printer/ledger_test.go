package printer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// A fakeLedger keeps jobs in memory and fails the test at a transition that the design does not know.
type fakeLedger struct {
	t *testing.T

	mu     sync.Mutex
	jobs   []*fakeJob
	held   string
	holds  []string // every Hold, "" for Unhold
	fail   int      // the next so many writes fail
	nexts  int
	seqs   []uint32 // of every attempt recorded
	epoch  int
	onSend func(Attempt) // called within Sending, before it returns
}

type fakeJob struct {
	Job
	attempt  Attempt
	evidence Evidence
	settled  bool
	damaged  bool
	epoch    int // of the process that has it in hand
	history  []Report
}

// untouched reports a job that was never sent.
func (f fakeJob) untouched() bool { return (f.State == Queued || f.State == Held) && f.Attempt == 0 }

func newLedger(t *testing.T) *fakeLedger { return &fakeLedger{t: t} }

// view is the ledger as one process sees it: after a crash it writes nothing more.
type view struct {
	*fakeLedger
	epoch int
}

// restart begins a new process.
func (l *fakeLedger) restart() *view {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	return &view{l, l.epoch}
}

func (v *view) dead() bool { return v.epoch != v.fakeLedger.epoch }

func jobID(n int) (id JobID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// add queues a job.
func (l *fakeLedger) add(j Job) *fakeJob {
	l.mu.Lock()
	defer l.mu.Unlock()
	if j.State == "" {
		j.State = Queued
	}
	f := &fakeJob{Job: j}
	l.jobs = append(l.jobs, f)
	return f
}

// addSending adds a job that its order's commit recorded as sending.
func (l *fakeLedger) addSending(j Job, a Attempt) *fakeJob {
	j.State, j.Attempt, j.Sequence, j.FirstSent = Sending, a.Number, a.Sequence, a.At
	f := l.add(j)
	l.mu.Lock()
	defer l.mu.Unlock()
	f.attempt, f.epoch = a, l.epoch
	l.seqs = append(l.seqs, a.Sequence)
	return f
}

func (l *fakeLedger) find(id JobID) *fakeJob {
	i := slices.IndexFunc(l.jobs, func(f *fakeJob) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return l.jobs[i]
}

// look is a copy of job id.
func (l *fakeLedger) look(id JobID) fakeJob {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.find(id); f != nil {
		return *f
	}
	return fakeJob{}
}

var errLedger = errors.New("disk full")

func (l *fakeLedger) failing() bool {
	if l.fail > 0 {
		l.fail--
		return true
	}
	return false
}

func (v *view) Next(ctx context.Context, sending func(Job) Attempt) (Job, Attempt, bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.nexts++
	if v.dead() || ctx.Err() != nil {
		return Job{}, Attempt{}, false, context.Canceled
	}
	for _, f := range v.jobs {
		switch f.State {
		case Sending, Sent, Printed, Waiting, Unknown, Cleared:
			if !f.settled && f.epoch != v.epoch {
				f.epoch = v.epoch
				a := f.attempt
				a.TokenP, a.TokenC = [4]byte{}, [4]byte{} // they follow from the sequence number
				return f.Job, a, true, nil
			}
		}
	}
	for _, f := range v.jobs {
		if (f.State == Queued || f.State == Held) && f.epoch != v.epoch {
			a := sending(f.Job)
			if v.failing() {
				return Job{}, Attempt{}, false, errLedger
			}
			was := f.Job
			v.send(f, a)
			was.FirstSent = f.FirstSent
			return was, a, true, nil
		}
	}
	return Job{}, Attempt{}, false, nil
}

// send records an attempt, with mu held.
func (v *view) send(f *fakeJob, a Attempt) {
	if p, c := tokens(a.Sequence); p != a.TokenP || c != a.TokenC {
		v.t.Errorf("attempt %+v has tokens that are not of its sequence number", a)
	}
	if a.Number > 1 && !a.Banner {
		v.t.Errorf("attempt %d without a banner", a.Number)
	}
	if a.At.IsZero() || a.Number == 0 {
		v.t.Errorf("attempt %+v lacks its number or time", a)
	}
	f.State, f.attempt, f.Attempt, f.Sequence, f.settled, f.epoch = Sending, a, a.Number, a.Sequence, false, v.epoch
	if a.Number == 1 {
		f.FirstSent = a.At
	}
	v.seqs = append(v.seqs, a.Sequence)
}

func (v *view) Sending(_ context.Context, id JobID, a Attempt) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.find(id)
	if v.dead() {
		return context.Canceled
	}
	if v.failing() {
		return errLedger
	}
	if f.State == Superseded {
		return fmt.Errorf("job %s: %w", id, ErrGone)
	}
	again := (f.State == Held || f.State == Queued) && a.Number == f.Attempt
	if f.State != Unknown && f.State != Cleared && !again || f.settled {
		v.t.Errorf("job %s: a further attempt in state %s", id, f.State)
	}
	v.send(f, a)
	if v.onSend != nil {
		v.onSend(a)
	}
	return nil
}

// legal lists the ways of design.md, "Print jobs". The printer may prove a ticket before it takes the cut behind it.
var legal = map[State][]State{
	Sending: {Sent, Waiting, Printed, Unknown, Held, Cleared},
	Sent:    {Printed, Waiting, Unknown, Cleared, Done},
	Waiting: {Sent, Waiting, Printed, Unknown, Cleared},
	Printed: {Printed, Done},
	Unknown: {Unknown, Printed},
	Cleared: {Cleared, Printed},
}

func (v *view) Record(id JobID, r Report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dead() {
		return
	}
	f := v.find(id)
	if f == nil {
		v.t.Errorf("report %+v of an unknown job", r)
		return
	}
	ok := slices.Contains(legal[f.State], r.State)
	late := r.Attempt < f.attempt.Number && r.State == Printed // an earlier copy proved printed
	switch {
	case !ok && !late:
		v.t.Errorf("job %s went from %s to %s: %+v", id, f.State, r.State, f.history)
	case r.State == Done && r.Evidence == "", r.State == Printed && (r.Evidence == "" || r.Evidence == EvidenceNone):
		v.t.Errorf("job %s %s without evidence", id, r.State)
	case r.State == Sent && f.State == Done && r.Evidence != EvidenceNone:
		v.t.Errorf("job %s done without being printed, evidence %q", id, r.Evidence)
	case r.At.IsZero() || r.Attempt == 0:
		v.t.Errorf("report %+v lacks time or attempt", r)
	case r.State == Done && !r.Settled:
		v.t.Errorf("job %s done and not settled", id)
	case f.settled && f.State == Done:
		v.t.Errorf("job %s is done and gets %+v", id, r)
	case (r.State == Held || r.State == Waiting || r.State == Unknown) && r.Reason == "":
		v.t.Errorf("job %s %s without a reason", id, r.State)
	case r.State == Held && r.Bytes > 0:
		v.t.Errorf("job %s held after %d bytes", id, r.Bytes)
	}
	f.State, f.Reason, f.settled = r.State, r.Reason, r.Settled
	if r.Evidence != "" {
		f.evidence = r.Evidence
	}
	f.damaged = f.damaged || r.Damaged
	f.history = append(f.history, r)
}

func (v *view) Hold(reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if reason == "" {
		v.t.Error("held without a reason")
	}
	for _, f := range v.jobs {
		if f.State == Queued {
			f.State, f.Reason = Held, reason
		}
	}
	v.held = reason
	v.holds = append(v.holds, reason)
}

func (v *view) Unhold() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.jobs {
		if f.State == Held {
			f.State, f.Reason = Queued, ""
		}
	}
	v.held = ""
	v.holds = append(v.holds, "")
}

func (l *fakeLedger) heldReason() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// prune forgets the jobs that are done and gives how many are left; a person has those whose outcome stays unknown printed
// once more.
func (l *fakeLedger) prune(done func(*fakeJob), redone func(JobID)) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seqs = l.seqs[:0]
	l.holds = l.holds[:0]
	l.jobs = slices.DeleteFunc(l.jobs, func(f *fakeJob) bool {
		if f.settled && f.State == Done {
			done(f)
			return true
		}
		return false
	})
	for _, f := range l.jobs {
		if f.settled {
			redone(f.ID)
			f.State, f.Redo, f.settled, f.epoch = Queued, true, false, 0
		}
	}
	return len(l.jobs)
}

// settled reports whether the driver is through with every job.
func (l *fakeLedger) allSettled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.jobs {
		if !f.settled {
			return false
		}
	}
	return true
}

func (l *fakeLedger) describe() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := ""
	for _, f := range l.jobs {
		s += fmt.Sprintf("job %s attempt %d %s %s %s settled=%v:", f.ID, f.Attempt, f.State, f.evidence, f.Reason, f.settled)
		for _, r := range f.history {
			s += fmt.Sprintf(" %s(%d %s %s)", r.State, r.Attempt, r.Evidence, r.Reason)
		}
		s += "\n"
	}
	return s
}

var _ Ledger = (*view)(nil)

// age is a time for jobs that nobody looks at.
var age = time.Date(2026, 11, 21, 12, 41, 7, 0, time.UTC)
