package box

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/devices/printer"
	"aboyeur/firmware-config/slot"
	"aboyeur/protocol/escpos"
)

// slipWait is how long a slip waits for a printer that works.
const slipWait = time.Minute

// refusedShown is how long a bundle that was not taken stays a warning.
const refusedShown = time.Hour

// Bundle says by what bundle the box was configured.
type Bundle struct {
	Number uint64 // 0: a plain file
	Trial  bool   // not yet found healthy
	Dir    string // folder of the slots, whose report of refused bundles is shown; "" none
}

// Missing tells, in the site's language, which of the devices that were up before are not up now; "" when none is missing.
// Devices that the configuration no longer has are not missed.
func (b *Box) Missing(before []string) string {
	up, down := b.Devices()
	var missing []string
	for _, name := range before {
		if slices.Contains(down, name) && !slices.Contains(up, name) {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return ""
	}
	return b.health.words.T("bundle.not_up", strings.Join(missing, ", "))
}

// TakeSettings puts the bundle's values over what people set in the console, where the bundle changed them; the rest stays
// as people want it. It is for a bundle that was found healthy, may be called at each start, and reports whether the box
// must start again for what it changed.
func (b *Box) TakeSettings(ctx context.Context) (again bool, err error) {
	var changed []journal.Setting
	err = b.journal.Insist(ctx, func(tx *journal.Tx) (err error) {
		changed, err = tx.ApplyBundle("bundle "+strconv.FormatUint(b.o.Bundle.Number, 10), b.fromBundle)
		return err
	})
	for _, s := range changed {
		b.log.Info("setting comes from the bundle", "key", s.Key)
		again = again || s.Revision > 1 // a first value is the one the box runs on
	}
	return again, err
}

// Tell makes an event of the configuration known to people: a row of the audit log, a warning where something went wrong,
// and a slip on the first printer that works.
func (b *Box) Tell(ctx context.Context, e slot.Event) error {
	number := strconv.FormatUint(e.Number, 10)
	detail := e.Reason
	if e.Claimed != "" {
		detail = strings.TrimSpace(detail + " claimed by key " + e.Claimed)
	}
	err := b.journal.Insist(ctx, func(tx *journal.Tx) error {
		return tx.Audit("box", "", "bundle_"+e.What, e.Site+" "+number, detail)
	})
	if err != nil {
		return fmt.Errorf("note bundle %s in the audit log: %w", number, err)
	}
	b.health.raise(b.o.Bundle.Trial && e.What == slot.Tried, "bundle_trial", warning.Info, "bundle", number)
	switch e.What {
	case slot.Returned:
		b.health.raise(true, "bundle_returned", warning.Warn, "bundle", number, inForce(b.health.words, e.Now), e.Reason)
	case slot.Mended:
		b.health.raise(true, "bundle_mended", warning.Critical, "bundle", number, inForce(b.health.words, e.Now), e.Reason)
	}
	if e.What == slot.Tried {
		return nil
	}
	return b.slip(ctx, e)
}

func inForce(w *words.Catalogue, number uint64) string {
	if number == 0 {
		return w.T("bundle.none")
	}
	return w.T("bundle.number", strconv.FormatUint(number, 10))
}

// slip prints what became of a bundle: what is up, and what is not.
func (b *Box) slip(ctx context.Context, e slot.Event) error {
	name := b.working(ctx)
	if name == "" {
		return nil
	}
	up, down := b.Devices()
	return b.journal.Insist(ctx, func(tx *journal.Tx) error {
		return b.kitchen.Note(tx, name, e.Site+" "+strconv.FormatUint(e.Number, 10), func(p *escpos.Encoder, w *words.Catalogue) {
			p.Align(escpos.AlignCentre)
			p.Set(escpos.Style{Bold: true, Height: 2})
			p.Wrap("", "", w.T("slip.title"))
			p.Plain()
			p.Wrap("", "", b.c.Site.Name+" ("+b.c.Site.ID+")")
			p.Line(e.At.In(b.c.Site.Location).Format("2006-01-02 15:04"))
			p.Align(escpos.AlignLeft)
			p.Rule('-')
			p.Bold(true)
			if e.What == slot.Confirmed {
				p.Wrap("", "", w.T("slip.confirmed", strconv.FormatUint(e.Number, 10)))
			} else {
				p.Wrap("", "", w.T("slip."+e.What, strconv.FormatUint(e.Number, 10)))
				p.Bold(false)
				p.Wrap("", "", w.T("paper.reason", e.Reason))
				p.Bold(true)
				p.Wrap("", "", w.T("slip.now", inForce(w, e.Now)))
			}
			p.Bold(false)
			if e.Claimed != "" {
				p.Wrap("", "", w.T("slip.claimed", e.Claimed))
			}
			p.Rule('-')
			for _, d := range up {
				p.Columns(d, w.T("slip.up"))
			}
			for _, d := range down {
				p.Alert(true)
				p.Columns(d, w.T("slip.down"))
				p.Alert(false)
			}
			p.Columns("aboyeur "+b.o.Version, b.addr.String())
		})
	})
}

// working waits for the first printer that works, in their order; when none does in time, it is the first one, whose slip
// then waits with its tickets. It is "" for a box without printers.
func (b *Box) working(ctx context.Context) string {
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	ctx, cancel := context.WithTimeout(ctx, slipWait)
	defer cancel()
	for {
		all := b.kitchen.Printers()
		for _, p := range all {
			if p.Up && (p.State == string(printer.Ready) || p.State == string(printer.Printing)) {
				return p.Name
			}
		}
		if len(all) == 0 {
			return ""
		}
		select {
		case <-ctx.Done():
			return all[0].Name
		case <-look.C:
		}
	}
}

// readReport shows a bundle that was brought lately and not taken. It runs with the reading of the board.
func (h *health) readReport() {
	dir := h.b.o.Bundle.Dir
	if dir == "" {
		return
	}
	r, err := slot.LastReport(dir)
	if err != nil {
		h.b.log.Warn("report of the last bundle not read", "err", err)
		return
	}
	refused := r != nil && r.Code != slot.Applied && h.b.o.Now().Sub(r.At) < refusedShown
	if !refused {
		h.raise(false, "bundle_refused", warning.Warn, "bundle")
		return
	}
	h.raise(true, "bundle_refused", warning.Warn, "bundle", r.Code, r.Way)
	if r.At.Equal(h.reported) {
		return
	}
	h.reported = r.At
	h.b.journal.Later(func(tx *journal.Tx) error {
		return tx.Audit("box", "", "bundle_refused", r.Site+" "+strconv.FormatUint(r.Number, 10), r.Way+": "+r.Code)
	})
}
