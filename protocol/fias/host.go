package fias

import "slices"

// A Host is the hotel's side of the hand-shake (fias.md 3.9), one for each connection: told each record that came, it says
// what to do. It does no I/O and keeps no time. The zero Host waits for a description; the owner has sent LS.
type Host struct {
	Key *Key // nil: descriptions are not authenticated

	// Sent is the stamp of the last LS the owner sent; the vendor's cryptogram is checked against it.
	Sent string

	state       hostState
	description LinkDescription
	records     []LinkRecord
}

type hostState byte

const (
	hostStarted hostState = iota
	hostDescribing
	hostAlive
)

// A Step is what the owner of a Host does about a record.
type Step struct {
	Reply   Tag   // LS, LA or LE to send; 0: none
	Config  bool  // send LC before Reply: the vendor asked for it with RT
	Process bool  // the record is data for the hotel
	Up      bool  // the link became alive: send what is queued after Reply
	Close   bool  // close the connection after Reply
	Barred  bool  // authentication failed: listen no more until somebody enters the key again
	Fault   error // what was wrong with a record that is otherwise ignored
}

// Take says what to do about a record that came.
func (h *Host) Take(r *Record, c Codec) Step {
	switch r.ID() {
	case LE:
		h.state = hostStarted
		return Step{Reply: LE, Close: true}
	case LS:
		if h.state == hostAlive {
			return Step{Reply: LA}
		}
		h.state = hostStarted
		return Step{Reply: LS}
	case LD:
		return h.describe(r, c)
	}
	switch h.state {
	case hostStarted:
		return Step{Reply: LS}
	case hostDescribing:
		switch r.ID() {
		case LR:
			var l LinkRecord
			if err := l.Decode(r); err != nil {
				return Step{Fault: err}
			}
			h.records = slices.DeleteFunc(h.records, func(o LinkRecord) bool { return o.Described == l.Described })
			if len(h.records) < maxDescribed {
				h.records = append(h.records, l)
			}
		case LA:
			h.state = hostAlive
			return Step{Reply: LA, Config: h.description.Request != 0, Up: true}
		}
		return Step{}
	}
	if r.ID() == LA || r.ID() == LR {
		return Step{}
	}
	return Step{Process: true}
}

// maxDescribed bounds how many records a vendor may describe: FIAS has about forty.
const maxDescribed = 200

func (h *Host) describe(r *Record, c Codec) Step {
	var d LinkDescription
	d.Decode(r, c)
	h.state, h.description, h.records = hostDescribing, d, nil
	switch {
	case h.Key == nil:
		return Step{}
	case d.Cryptogram == "": // not checked without (fias.md 3.8)
		return Step{}
	case d.Request == 0:
		h.state = hostStarted
		return Step{Close: true, Fault: ErrCryptogram}
	}
	if err := h.Key.Verify(d.Cryptogram, h.Sent); err != nil {
		h.state = hostStarted
		return Step{Close: true, Barred: true, Fault: err}
	}
	return Step{}
}

// Alive reports whether the link is up.
func (h *Host) Alive() bool { return h.state == hostAlive }

// Description is what the vendor said of itself last.
func (h *Host) Description() LinkDescription { return h.description }

// Described is what the vendor wants of a record; ok is false if it did not describe it, and then the record is neither
// sent nor taken (fias.md 3.3).
func (h *Host) Described(record Tag) (l LinkRecord, ok bool) {
	for _, l := range h.records {
		if l.Described == record {
			return l, true
		}
	}
	return LinkRecord{}, false
}

// Records lists what the vendor described, in its order.
func (h *Host) Records() []LinkRecord { return slices.Clone(h.records) }

// AppendListed appends a record with only those fields that the vendor listed for it, as the hotel sends it; ok is false
// if the vendor did not describe the record.
func (h *Host) AppendListed(dst []byte, r *Record) (_ []byte, ok bool) {
	l, ok := h.Described(r.ID())
	if !ok {
		return dst, false
	}
	dst = append(r.ID().AppendTo(dst), '|')
	for t, v := range r.Fields() {
		if l.Lists(t) {
			dst = append(append(t.AppendTo(dst), v...), '|')
		}
	}
	return dst, true
}
