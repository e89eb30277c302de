package printer

// handed is a job on the fast path, already recorded as sending.
type handed struct {
	job     Job
	attempt Attempt
}

// Claim reserves the printer for a job that is being written in the caller's transaction, and gives the attempt that
// the transaction records as sending. It succeeds only while the printer is idle, well and reports its status by itself,
// and nothing may be queued before this job; otherwise the job is to be queued and Wake called. It never blocks. Each
// success is followed by Handover after the commit, or by Unclaim when there is none.
func (p *Printer) Claim(id JobID) (Attempt, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open || p.queued || p.claimed {
		p.queued = true // whoever is refused will be in the ledger: no later claim may overtake it
		return Attempt{}, false
	}
	p.claimed, p.claim = true, id
	return p.attempt(1), true
}

// attempt makes the record of a sending, with p.mu held.
func (p *Printer) attempt(number int) Attempt {
	p.sequence++
	a := Attempt{Number: number, Sequence: p.sequence, At: p.c.Now()}
	a.TokenP, a.TokenC = tokens(a.Sequence)
	return a
}

// Unclaim gives a reservation back whose transaction failed, and its sequence number with it.
func (p *Printer) Unclaim(id JobID) {
	p.mu.Lock()
	if p.claimed && p.claim == id {
		p.claimed = false
		p.sequence--
	}
	p.mu.Unlock()
	p.poke()
}

// Handover gives a claimed job to the printer: its bytes leave at once.
func (p *Printer) Handover(j Job, a Attempt) {
	p.mu.Lock()
	if !p.claimed || p.claim != j.ID {
		p.log.Error("job handed over without a claim", "job", j.ID) // it is sent all the same: it is recorded as sending
		p.claimed = true
	}
	p.claim = JobID{}
	p.mu.Unlock()
	select {
	case p.handover <- handed{j, a}:
	default: // two without a claim between them: the next process will find it
		p.log.Error("job not taken over", "job", j.ID)
	}
}

// Wake says that something was queued. It may be called inside the transaction that queues it; then no later Claim
// overtakes it. It never blocks.
func (p *Printer) Wake() {
	p.mu.Lock()
	p.queued = true
	p.mu.Unlock()
	p.poke()
}

// poke makes the owner look around.
func (p *Printer) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Pause lets the job in hand finish and takes no other until Resume.
func (p *Printer) Pause() { p.pause(true) }

// Resume ends a pause.
func (p *Printer) Resume() { p.pause(false) }

// Recover tells a printer in a recoverable error (a cutter that jammed and is free again) to go on at the line that
// failed. Only a person knows when that is right (spec/escpos.md 10.5). It takes effect at the next look at the printer,
// within Config.Poll; a printer without such an error ignores it.
func (p *Printer) Recover() {
	p.mu.Lock()
	p.recover = true
	p.mu.Unlock()
	p.poke()
}

// Clear has the printer throw away what it holds of a job that waits for paper or a closed cover, so that the whole ticket
// can come again under a banner: here, or at another printer once the ledger has taken the job away. When the printer
// says that it did, the job is cleared, which is definite; when it says nothing the job is unknown. It takes effect at
// once when id is in hand and in trouble, and is ignored otherwise.
func (p *Printer) Clear(id JobID) {
	p.mu.Lock()
	p.unwanted, p.clear = id, true
	p.mu.Unlock()
	p.poke()
}

// clearWanted takes the wish to clear job id.
func (p *Printer) clearWanted(id JobID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := p.clear && p.unwanted == id
	p.clear = false
	return wanted
}

func (p *Printer) pause(on bool) {
	p.mu.Lock()
	p.paused = on
	if on {
		p.open = false
	}
	p.mu.Unlock()
	p.show(func(st *Status) { st.Paused = on })
	p.poke()
}

func (p *Printer) isPaused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused
}

// shut ends the fast path; claimed says that a claim was given whose job has not come yet.
func (p *Printer) shut() (claimed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = false
	return p.claimed
}

// unlock opens the fast path when fast allows it, unless something may be queued; ok is false when Next must be asked
// first.
func (p *Printer) unlock(fast bool) (ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queued || p.paused {
		return false
	}
	p.open = fast
	p.recover = false // there was nothing to recover from
	return true
}

// mayBeQueued reports and, when told so, forgets that something was queued.
func (p *Printer) mayBeQueued(forget bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.queued
	if forget {
		p.queued = false
	}
	return q
}

func (p *Printer) remarkQueued() {
	p.mu.Lock()
	p.queued = true
	p.mu.Unlock()
}

// accepted ends a claim whose job has come.
func (p *Printer) accepted() {
	p.mu.Lock()
	p.claimed, p.open = false, false
	p.mu.Unlock()
}

// giveBack returns the last sequence number, of an attempt that put no byte on the line: a gap on paper means a lost
// ticket.
func (p *Printer) giveBack(a Attempt) {
	p.mu.Lock()
	if p.sequence == a.Sequence {
		p.sequence--
	}
	p.mu.Unlock()
}
