package printer

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"aboyeur/protocol/escpos"
)

// envelope lays the bytes of one attempt around the job's body (spec/escpos.md 10.3, 10.10). It uses its memory again:
// the result is valid until the next call.
type envelope struct {
	p       escpos.Profile
	words   Words
	zone    *time.Location
	encoder *escpos.Encoder
	init    []byte
	tail    []byte // the END line; its digits go in at hole
	hole    int    // < 0: the line must be laid out anew each time
	buf     []byte
}

func newEnvelope(p escpos.Profile, language string, w Words, zone *time.Location) *envelope {
	e := &envelope{p: p, words: w, zone: zone, encoder: escpos.NewEncoder(p, language), hole: -1}
	e.init = escpos.AppendInit(nil, p, language)
	const digits = "0000"
	e.tail = e.appendTail(nil, digits)
	if i := bytes.LastIndex(e.tail, []byte(digits)); i >= 0 && bytes.Count(e.tail, []byte(digits)) == 1 {
		e.hole = i
	}
	return e
}

// build gives the stream of attempt a of job j, proven in the way of proof.
func (e *envelope) build(j Job, a Attempt, proof Proof) []byte {
	b := append(e.buf[:0], e.init...)
	if a.Banner {
		b = e.appendBanner(b, j, a)
	}
	b = append(b, j.Body...)
	if n := len(j.Body); n > 0 && j.Body[n-1] != '\n' {
		b = append(b, '\n') // a line without its end would never be printed (spec/escpos.md 1)
	}
	if a.Banner {
		e.encoder.Reset(b)
		e.bannerLine(a)
		b = e.encoder.Finish()
	}
	if e.hole < 0 {
		b = e.appendTail(b, fmt.Sprintf("%04d", a.Sequence))
	} else {
		b = append(b, e.tail[:e.hole]...)
		b = appendSequence(b, a.Sequence)
		b = append(b, e.tail[e.hole+4:]...)
	}
	switch proof {
	case ProofProcessID:
		b = escpos.AppendProcessID(b, a.TokenP)
		b = escpos.AppendCut(b, e.p)
		b = escpos.AppendProcessID(b, a.TokenC)
	case ProofFence:
		b = escpos.AppendFence(escpos.AppendCut(b, e.p))
	default:
		b = escpos.AppendCut(b, e.p)
	}
	// What makes a noise stands behind the last answer: never inside a ticket (spec/escpos.md 10.3).
	if j.Buzz > 0 {
		b = escpos.AppendBuzzer(b, e.p, j.Buzz)
	}
	if j.Drawer != 0 && a.Number <= 1 && !a.Banner {
		b = escpos.AppendDrawer(b, j.Drawer)
	}
	e.buf = b
	return b
}

// appendSequence writes n with at least four digits.
func appendSequence(b []byte, n uint32) []byte {
	for m := uint32(1000); m > 1 && n < m; m /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendUint(b, uint64(n), 10)
}

// appendTail is the last line: large, so that a gap in the numbers is seen.
func (e *envelope) appendTail(b []byte, digits string) []byte {
	e.encoder.Reset(b)
	e.encoder.Set(escpos.Style{Width: 2, Height: 2})
	text := digits
	if e.words.End != "" {
		text = e.words.End + " " + digits
	}
	e.encoder.Line(text)
	return e.encoder.Finish()
}

func (e *envelope) appendBanner(b []byte, j Job, a Attempt) []byte {
	w := e.words
	e.encoder.Reset(b)
	e.bannerLine(a)
	line := ""
	add := func(label, text string) {
		if text == "" {
			return
		}
		if line != "" {
			line += " · "
		}
		if label != "" {
			line += label + " "
		}
		line += text
	}
	add(w.Ticket, j.Ticket)
	if !j.FirstSent.IsZero() && (a.Number > 1 || j.FirstSent.Before(a.At)) {
		add(w.FirstSent, j.FirstSent.In(e.zone).Format(time.TimeOnly))
	}
	if a.Reason != "" {
		if w.Reason != "" {
			add(w.Reason+":", w.text(a.Reason))
		} else {
			add("", w.text(a.Reason))
		}
	}
	if line != "" {
		e.encoder.Wrap("", "", line)
	}
	if uncertain(a.Reason) && w.AlreadyPrinted != "" {
		e.encoder.Set(escpos.Style{Alert: true, Bold: true})
		e.encoder.Wrap("", "", w.AlreadyPrinted)
		e.encoder.Plain()
	}
	return e.encoder.Finish()
}

func (e *envelope) bannerLine(a Attempt) {
	e.encoder.Align(escpos.AlignCentre)
	e.encoder.Set(escpos.Style{Alert: true, Width: 2, Height: 2})
	e.encoder.Wrap("", "", "** "+e.words.Reprint+" "+strconv.Itoa(a.Number)+" **")
	e.encoder.Plain()
	e.encoder.Align(escpos.AlignLeft)
}

// uncertain reports whether an earlier copy may be whole: not when the printer said it threw the rest away, nor when a
// person asked for a copy.
func uncertain(reason string) bool { return reason != ReasonCleared && reason != ReasonAsked }

// duration is how long the printer may well take for b (spec/escpos.md 10.4, rule 4).
func (e *envelope) duration(b []byte) time.Duration {
	var s float64
	if e.p.LinesPerSecond > 0 {
		s += float64(bytes.Count(b, []byte{'\n'})) / e.p.LinesPerSecond
	}
	if e.p.BytesPerSecond > 0 {
		s += float64(len(b)) / float64(e.p.BytesPerSecond)
	}
	return time.Duration(s * float64(time.Second))
}
