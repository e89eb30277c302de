package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"aboyeur/bridge/journal"
)

// Bounds of a bundle.
const (
	maxPart    = 2 << 20 // bytes of one file of it; what is longer loses its beginning
	maxPeople  = 20_000  // names and numbers that the mask knows: those of the latest orders and guests
	lastRows   = 500     // of the change feed and the audit log
	makingTime = 20 * time.Second
)

// A Part is one file of the bundle.
type Part struct {
	Name  string // path inside the bundle, as printers.json
	Write func(ctx context.Context, w io.Writer) error
}

// JSON is a part that shows a value as indented JSON.
func JSON(name string, value func(ctx context.Context) (any, error)) Part {
	return Part{name, func(ctx context.Context, w io.Writer) error {
		v, err := value(ctx)
		if err != nil {
			return err
		}
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		_, err = w.Write(append(b, '\n'))
		return err
	}}
}

// Config of a Bundler; Journal is required.
type Config struct {
	Journal       *journal.Journal
	Site          string   // its id, for the file's name
	Version       string   // of the program
	Configuration string   // without its secrets
	Partners      []string // whose contacts are asked for while nobody wrote any
	Log           *Ring    // nil: no log
	Parts         []Part   // what features add: states, metrics, traces
	Now           func() time.Time
}

// A Bundler makes support bundles. Its methods may be called from any goroutine.
type Bundler struct {
	c       Config
	started time.Time
	most    int           // bytes of one file; maxPart but in tests
	busy    chan struct{} // of size 1: one bundle at a time
}

// New checks c.
func New(c Config) (*Bundler, error) {
	if c.Journal == nil {
		return nil, errors.New("a support bundle needs a journal")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Bundler{c: c, started: c.Now(), most: maxPart, busy: make(chan struct{}, 1)}, nil
}

// Name is how the file is called now: site and UTC time.
func (b *Bundler) Name() string {
	return "aboyeur-" + b.c.Site + "-" + b.c.Now().UTC().Format("20060102T150405Z")
}

// Write makes a bundle, a gzipped tar. A part that fails is in it with its error, since a box that is ill is the one that
// needs a bundle; the error is only that of w, or of a context that ended.
func (b *Bundler) Write(ctx context.Context, w io.Writer) error {
	select {
	case b.busy <- struct{}{}:
		defer func() { <-b.busy }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, makingTime)
	defer cancel()
	people, failed := b.people(ctx)
	mask := NewMask(people, b.c.Configuration)
	name, now := b.Name(), b.c.Now()
	packed := gzip.NewWriter(w)
	files := tar.NewWriter(packed)
	for _, p := range b.parts(len(people), failed) {
		var text bytes.Buffer
		if err := p.Write(ctx, &text); err != nil {
			fmt.Fprintf(&text, "\nthis part could not be made: %v\n", err)
		}
		content := mask.Text(strings.ToValidUTF8(tail(text.String(), b.most), "�"))
		err := files.WriteHeader(&tar.Header{Name: name + "/" + p.Name, Mode: 0o644, Size: int64(len(content)), ModTime: now})
		if err == nil {
			_, err = io.WriteString(files, content)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", p.Name, err)
		}
	}
	return errors.Join(files.Close(), packed.Close())
}

// tail cuts a part that is too long; what came last tells most.
func tail(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("(%d bytes before this are left out)\n", len(s)-most) + s[len(s)-most:]
}

const readMe = `This is a support bundle of an Aboyeur box. It is made to be sent to whoever helps the restaurant.

about.json          program, machine, journal
configuration.yaml  as the box read it, without comments and secrets
log.jsonl           the latest log lines
metrics.txt         as a Prometheus scrape
warnings.json, printers.json, health.json, states.json   how everything stands
changes.txt         the latest changes, without their content
audit.txt           who did what
trace/              the latest records on each link

Guests and staff are cut to the first letter of their names (%d words and numbers were looked for), telephone numbers,
e-mail addresses, tokens, PINs and passwords are taken out. Look through it before you send it all the same.
`

// parts are the files that every bundle has, then those of the features.
func (b *Bundler) parts(people int, failed error) []Part {
	own := []Part{
		{"README.txt", func(_ context.Context, w io.Writer) error {
			_, err := fmt.Fprintf(w, readMe, people)
			return errors.Join(err, failed)
		}},
		JSON("about.json", b.about),
		{"configuration.yaml", func(_ context.Context, w io.Writer) error {
			_, err := io.WriteString(w, b.c.Configuration)
			return err
		}},
		{"changes.txt", b.changes},
		{"audit.txt", b.audit},
		JSON("states.json", b.states),
		{"trace/platforms.txt", b.platforms},
	}
	if b.c.Log != nil {
		own = append(own, Part{"log.jsonl", func(_ context.Context, w io.Writer) error {
			text, lost := b.c.Log.Lines()
			if lost > 0 {
				fmt.Fprintf(w, "{\"msg\":\"%d lines before these are gone; journalctl -u aboyeur has them\"}\n", lost)
			}
			_, err := w.Write(text)
			return err
		}})
	}
	return append(own, b.c.Parts...)
}

func (b *Bundler) about(ctx context.Context) (any, error) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	about := map[string]any{
		"site": b.c.Site, "version": b.c.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "cpus": runtime.NumCPU(),
		"now": b.c.Now().UTC(), "started": b.started.UTC(), "goroutines": runtime.NumGoroutine(), "heap_bytes": memory.HeapAlloc, "from_system_bytes": memory.Sys,
		"journal": map[string]any{"seq": b.c.Journal.Seq(), "epoch": b.c.Journal.Epoch(), "error": fmt.Sprint(b.c.Journal.Err())},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.time" || s.Key == "vcs.modified" || s.Key == "CGO_ENABLED" {
				about[s.Key] = s.Value
			}
		}
	}
	return about, nil
}

// changes tells what changed when, not what it became: the content of orders and tickets is nobody's business.
func (b *Bundler) changes(ctx context.Context, w io.Writer) error {
	rows, err := b.c.Journal.Since(ctx, max(0, b.c.Journal.Seq()-lastRows), lastRows)
	for _, c := range rows {
		fmt.Fprintf(w, "%d %s %s %s\n", c.Seq, c.At.UTC().Format("2006-01-02T15:04:05.000Z"), c.Kind, c.Subject)
	}
	return err
}

func (b *Bundler) audit(ctx context.Context, w io.Writer) error {
	entries, err := b.c.Journal.AuditLog(ctx, 0, lastRows)
	for _, e := range entries {
		fmt.Fprintf(w, "%s %s (%s) %s %q %q\n", e.At.Format("2006-01-02T15:04:05.000Z"), e.By, e.Role, e.Act, e.Subject, e.Detail)
	}
	return err
}
