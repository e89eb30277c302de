// Package warning keeps what is wrong with the box right now, as data: page, API, metric, log and status line show the
// same values. A warning is raised by whoever sees the fault and lowered by the same when it is gone.
package warning

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"aboyeur/bridge/words"
)

// Severities: how soon somebody must act.
const (
	Info     = "info"     // worth knowing, nothing to do
	Warn     = "warning"  // will heal, or somebody should look today
	Critical = "critical" // somebody must act now
)

// A Warning is one thing that is wrong on one subject. Code and Subject together name it.
type Warning struct {
	Code     string    `json:"code"`
	Severity string    `json:"severity" enum:"info,warning,critical"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`   // what is wrong, one sentence
	Remedy   string    `json:"remedy"` // what to do
	Args     []string  `json:"args,omitempty" doc:"what stands at {0}, {1} … of the words warning.CODE, for who tells them in another language than the site's"`
	Since    time.Time `json:"since"`
}

// Worded is a warning whose text and remedy are in a catalogue under warning.CODE and warning.CODE.remedy.
func Worded(c *words.Catalogue, code, severity, subject string, args ...any) Warning {
	w := Warning{Code: code, Severity: severity, Subject: subject, Text: c.T("warning."+code, args...), Remedy: c.T("warning." + code + ".remedy")}
	for _, a := range args {
		w.Args = append(w.Args, fmt.Sprint(a))
	}
	return w
}

// says tells whether two warnings tell a reader the same. Args are in the text.
func (w Warning) says(o Warning) bool {
	return w.Code == o.Code && w.Severity == o.Severity && w.Subject == o.Subject && w.Text == o.Text && w.Remedy == o.Remedy && w.Since.Equal(o.Since)
}

type key struct{ code, subject string }

// Board holds the warnings of one box. Its methods may be called from any goroutine.
type Board struct {
	now func() time.Time
	log *slog.Logger

	mu    sync.Mutex // guards what follows; held for memory only
	up    map[key]Warning
	watch []func(w Warning, up bool)
}

// New returns a board without warnings. nil means time.Now and slog.Default.
func New(now func() time.Time, log *slog.Logger) *Board {
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.Default()
	}
	return &Board{now: now, log: log, up: map[key]Warning{}}
}

// Watch calls f at each warning raised (or changed) and lowered. f must not block and must not call the board.
func (b *Board) Watch(f func(w Warning, up bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watch = append(b.watch, f)
}

// Raise shows w from now on. Raising it again keeps its Since; telling the same once more tells nobody.
func (b *Board) Raise(w Warning) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := key{w.Code, w.Subject}
	old, known := b.up[k]
	if w.Since = old.Since; !known {
		w.Since = b.now().UTC()
	}
	if known && old.says(w) {
		return
	}
	b.up[k] = w
	if !known {
		b.log.Warn("warning raised", "code", w.Code, "subject", w.Subject, "severity", w.Severity, "text", w.Text)
	}
	for _, f := range b.watch {
		f(w, true)
	}
}

// Lower takes the warning away; without it nothing happens.
func (b *Board) Lower(code, subject string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w, up := b.up[key{code, subject}]
	if !up {
		return
	}
	delete(b.up, key{code, subject})
	b.log.Info("warning lowered", "code", code, "subject", subject, "after", b.now().Sub(w.Since).Round(time.Millisecond))
	for _, f := range b.watch {
		f(w, false)
	}
}

// List gives the warnings, the gravest first, then the oldest.
func (b *Board) List() []Warning {
	b.mu.Lock()
	list := make([]Warning, 0, len(b.up))
	for _, w := range b.up {
		list = append(list, w)
	}
	b.mu.Unlock()
	slices.SortFunc(list, func(a, c Warning) int {
		return cmp.Or(rank(c.Severity)-rank(a.Severity), a.Since.Compare(c.Since), cmp.Compare(a.Code, c.Code), cmp.Compare(a.Subject, c.Subject))
	})
	return list
}

func rank(severity string) int {
	return slices.Index([]string{Info, Warn, Critical}, severity)
}
