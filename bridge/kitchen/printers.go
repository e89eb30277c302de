package kitchen

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/words"
	"aboyeur/devices/printer"
	"aboyeur/protocol/escpos"
)

// PrinterView is a printer with its queue, as the API shows it.
type PrinterView struct {
	Name              string   `json:"name"`
	Connect           string   `json:"connect"`
	Model             string   `json:"model"`
	Up                bool     `json:"up"`
	State             string   `json:"state" enum:"ready,printing,paused,offline,paper_out,cover_open,error,connecting"`
	Paper             string   `json:"paper" enum:"ok,low,out,unknown"`
	Reason            string   `json:"reason,omitzero"`
	Detail            string   `json:"detail,omitzero"`
	Proof             string   `json:"proof" enum:"process_id,fence,none,unknown" doc:"the best evidence of printing it can give"`
	Queue             int      `json:"queue" doc:"jobs that wait"`
	OldestHeldSeconds float64  `json:"oldest_held_seconds"`
	Sequence          uint32   `json:"sequence" doc:"number of its last ticket; a gap on paper is a lost ticket"`
	Fallback          string   `json:"fallback,omitzero"`
	Stations          []string `json:"stations"`
	Maker             string   `json:"maker,omitzero"`
	Device            string   `json:"device,omitzero"`
	Firmware          string   `json:"firmware,omitzero"`
	Serial            string   `json:"serial,omitzero"`
	Kind              string   `json:"kind" enum:"wired,usb,serial,bluetooth,file"`
	Paused            bool     `json:"paused" doc:"a person holds it, over a restart too"`
	QueueWarn         int      `json:"queue_warn" doc:"a longer queue is told as a warning"`
	QueueSlow         bool     `json:"queue_slow" doc:"its queue is above queue_warn"`
	QueueMovedTo      string   `json:"queue_moved_to,omitzero" doc:"the printer that takes its jobs for now"`
	Hardware          string   `json:"hardware,omitzero" doc:"network address of its socket, or its USB serial number"`
	Known             bool     `json:"known" doc:"the device was seen before"`
	Added             bool     `json:"added,omitzero" doc:"a person added it in the console, and may remove it"`
	Recoverable       bool     `json:"recoverable,omitzero" doc:"it stopped at an error that a person mends; POST recover then lets it go on"`
	Diagnosis         []string `json:"diagnosis" doc:"what to look at, in the language asked for, otherwise the site's"`
}

// Printers shows every printer, in the order of the configuration.
func (k *Kitchen) Printers() []PrinterView {
	all := k.roster().list
	views := make([]PrinterView, len(all))
	for i, c := range all {
		views[i] = k.view(c)
	}
	return views
}

func (k *Kitchen) view(c PrinterConfig) PrinterView {
	q := k.Queue(c.Name)
	if q == nil { // removed meanwhile
		return PrinterView{Name: c.Name, Stations: []string{}, Diagnosis: []string{}}
	}
	jobs, _, _ := q.Waiting()
	v := PrinterView{Name: c.Name, Model: c.Profile.Name, Queue: jobs, Fallback: c.Fallback, Stations: []string{}, State: string(printer.Connecting), Paper: string(printer.PaperUnknown), Proof: string(printer.ProofUnknown)}
	v.OldestHeldSeconds = q.oldestHeld(k.c.Now()).Round(time.Millisecond).Seconds()
	for _, s := range k.c.Stations {
		if slices.Contains(s.Printers, c.Name) {
			v.Stations = append(v.Stations, s.Name)
		}
	}
	v.Kind, v.QueueWarn = cmp.Or(c.Kind, KindWired), q.queueWarn()
	v.QueueSlow, v.QueueMovedTo, v.Diagnosis = jobs > v.QueueWarn, k.movingTo(q, k.c.Now()), []string{}
	device := k.c.Device(c.Name)
	v.Hardware, v.Known, v.Added = device.Hardware, device.Known, device.Added
	if q.printer == nil {
		return v
	}
	st := q.printer.Status()
	v.Connect, v.Up, v.State, v.Paper, v.Reason, v.Detail = st.Address, st.Up, string(st.State), string(st.Paper), st.Reason, st.Detail
	v.Proof, v.Sequence = string(st.Proof), st.Sequence
	v.Maker, v.Device, v.Firmware, v.Serial = st.Identity.Maker, st.Identity.Model, st.Identity.Firmware, st.Identity.Serial
	v.Paused, v.Recoverable = st.Paused, st.Reason == "recoverable" || st.Reason == "cutter"
	v.Diagnosis = diagnose(k.c.Words, &v)
	return v
}

// EnvelopeWords are the words that the driver prints around a ticket.
func EnvelopeWords(w *words.Catalogue) printer.Words {
	p := w.Paper()
	reasons := map[string]string{}
	for _, key := range w.Keys() {
		const prefix = "reason."
		if len(key) > len(prefix) && key[:len(prefix)] == prefix {
			reasons[key[len(prefix):]] = w.T(key)
		}
	}
	return printer.Words{
		Reprint: words.Fill(p.Reprint, ""), Ticket: w.T("paper.ticket"), FirstSent: w.T("paper.sent_at"), Reason: w.T("paper.because"),
		AlreadyPrinted: p.NotCertain, End: w.T("paper.tail"), Test: p.TestPage, Printer: p.Printer, Columns: w.T("paper.columns"), Reasons: reasons,
	}
}

// Note queues a page that belongs to no order. compose writes it in the columns and the language of the printer.
func (k *Kitchen) Note(tx *journal.Tx, printer, label string, compose func(*escpos.Encoder, *words.Catalogue)) error {
	q := k.Queue(printer)
	if q == nil {
		return fmt.Errorf("printer %s: %w", printer, ErrUnknownPrinter)
	}
	e := escpos.NewEncoder(q.c.Profile, q.c.Words.Lang())
	compose(e, q.c.Words)
	return k.Print(tx, Page{ID: k.c.Journal.NewID(), Printer: printer, Kind: JobNote, Label: label, Body: e.Finish()})
}
