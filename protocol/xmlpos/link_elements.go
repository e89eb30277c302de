package xmlpos

import "time"

// LinkDescription is how a vendor opens the link; the server answers LinkAlive.
type LinkDescription struct {
	At      time.Time // local wall-clock time; the wire has no zone, and Decode gives it as UTC
	Version string    // of the vendor's program; VerNum, as in 1.0
	Extra   []Attr
}

// Name implements Element.
func (e *LinkDescription) Name() string { return "LinkDescription" }

// Check implements Element.
func (e *LinkDescription) Check() error { return check(e) }

func (e *LinkDescription) walk(w *walker) {
	w.at(&e.At)
	w.text("VerNum", &e.Version, required, maxVersion)
	w.extra(e.Extra)
}

// LinkStart asks the other side whether it is there. A server answers LinkAlive; a vendor describes itself again.
type LinkStart struct {
	At    time.Time
	Extra []Attr
}

// Name implements Element.
func (e *LinkStart) Name() string { return "LinkStart" }

// Check implements Element.
func (e *LinkStart) Check() error { return check(e) }

func (e *LinkStart) walk(w *walker) { w.at(&e.At); w.extra(e.Extra) }

// LinkAlive says "I am here". Either side may send it unasked.
type LinkAlive struct {
	At    time.Time
	Extra []Attr
}

// Name implements Element.
func (e *LinkAlive) Name() string { return "LinkAlive" }

// Check implements Element.
func (e *LinkAlive) Check() error { return check(e) }

func (e *LinkAlive) walk(w *walker) { w.at(&e.At); w.extra(e.Extra) }

// LinkEnd ends the link. Whether Oracle's servers know it is open (spec/fias.md 13): Link answers it and never sends it
// first.
type LinkEnd struct {
	At    time.Time
	Extra []Attr
}

// Name implements Element.
func (e *LinkEnd) Name() string { return "LinkEnd" }

// Check implements Element.
func (e *LinkEnd) Check() error { return check(e) }

func (e *LinkEnd) walk(w *walker) { w.at(&e.At); w.extra(e.Extra) }
