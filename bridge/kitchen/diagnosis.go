package kitchen

import (
	"aboyeur/bridge/words"
	"aboyeur/devices/printer"
)

// Kinds of printers, by how they are reached. Each fails in ways of its own.
const (
	KindWired     = "wired"     // network socket
	KindUSB       = "usb"       //
	KindSerial    = "serial"    // RS-232
	KindBluetooth = "bluetooth" // through a serial port
	KindFile      = "file"      // a spool, not a device
)

// Words of states that are no reasons.
const (
	troubleLink  = "link"  // no way to the printer
	troubleMute  = "mute"  // the way is there and nobody answers
	troubleStuck = "stuck" // it answers and does not work
)

// diagnose says what to look at, the likeliest first; nothing while all is well. The words are in the catalogue: what
// every kind shares under diagnosis.TROUBLE.N, what is a kind's own under diagnosis.TROUBLE.KIND.N.
func diagnose(w *words.Catalogue, v *PrinterView) []string {
	list := []string{}
	say := func(prefix string) {
		for n := byte('1'); n <= '9'; n++ {
			key := prefix + "." + string(n)
			if !w.Has(key) {
				return
			}
			list = append(list, w.T(key, v.Connect))
		}
	}
	trouble := func(what string) {
		say("diagnosis." + what + "." + v.Kind)
		say("diagnosis." + what)
	}
	switch v.Reason {
	case "":
	case printer.ReasonUnreachable, printer.ReasonLinkLost, printer.ReasonPowerLost:
		trouble(troubleLink)
	case printer.ReasonMute:
		trouble(troubleMute)
	case printer.ReasonStuck, printer.ReasonNoAnswer, printer.ReasonStalled:
		trouble(troubleStuck)
	default:
		trouble(v.Reason) // paper_out, cover_open, cutter …: those that have words of their own
	}
	if v.Paper == string(printer.PaperLow) {
		list = append(list, w.T("warning.printer_paper_low.remedy"))
	}
	if v.Up && v.Proof == string(printer.ProofNone) {
		list = append(list, w.T("warning.printer_unverified.remedy"))
		say("diagnosis.unverified." + v.Kind)
	}
	if v.Paused {
		list = append(list, w.T("warning.printer_paused.remedy"))
	}
	if v.QueueSlow {
		list = append(list, w.T("warning.printer_queue_long.remedy"))
	}
	return list
}
