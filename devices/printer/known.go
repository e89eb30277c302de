package printer

import "aboyeur/devices/port"

// Known is what a printer was found to be able to do. Probing is repeated at each connect; what it found before tells a
// printer that is busy or stuck from one that never proved anything (spec/escpos.md 10.2).
type Known struct {
	Identity Identity `json:"identity"`
	Proof    Proof    `json:"proof"`
	Fonts    string   `json:"fonts,omitempty"` // for escpos.Profile.WithFonts
}

// maxKnown bounds the printers remembered for one address: the one that stands there and its spares.
const maxKnown = 8

// Known lists the printers that stood at this address, the present one last, for Config.Known of the next process.
func (p *Printer) Known() []Known {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Known(nil), p.known...)
}

// remember puts k last.
func (p *Printer) remember(k Known) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Known, 0, maxKnown)
	for _, o := range p.known {
		if o.Identity != k.Identity {
			list = append(list, o)
		}
	}
	if len(list) == maxKnown {
		list = list[1:]
	}
	p.known = append(list, k)
}

// last is the printer that was here before.
func (p *Printer) last() (Known, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.known); n > 0 {
		return p.known[n-1], true
	}
	return Known{}, false
}

// provedBefore reports that some printer here gave proof.
func (p *Printer) provedBefore() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.known {
		if k.Proof == ProofProcessID || k.Proof == ProofFence {
			return true
		}
	}
	return false
}

// stranger reports that the printer of this identity is not the one that gave proof when it was here: it was never seen,
// or was seen and proved nothing.
func (p *Printer) stranger(id Identity) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id == (Identity{}) {
		return false
	}
	identified := false
	for i, k := range p.known {
		if k.Identity == id {
			return k.Proof == ProofNone || i < len(p.known)-1
		}
		identified = identified || k.Identity != Identity{}
	}
	return identified
}

// Replace says that a person has put another printer in this one's place: what was known of the old one no longer counts.
// It is needed only where the new one neither proves anything nor tells its serial number; others are noticed. The queue
// and the numbers of the tickets go on. It takes effect at the next connection; a printer that is taken for stuck is
// tried again at once.
func (p *Printer) Replace() {
	p.mu.Lock()
	p.forget = true
	p.mu.Unlock()
	p.poke()
}

func (p *Printer) forgetIfAsked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forget {
		p.forget, p.known, p.proof, p.cuts = false, nil, ProofUnknown, cutCounter{}
	}
}

// MoveTo says that the printer is at another address from the next connection on: the same device, which the network gave
// a new one. A connection that lives is not touched.
func (p *Printer) MoveTo(a port.Address) {
	p.mu.Lock()
	p.connect = a
	p.mu.Unlock()
	p.show(func(st *Status) { st.Address = a.String() })
	p.poke()
}

func (p *Printer) address() port.Address {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connect
}
