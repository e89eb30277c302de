package box

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/support"
	"aboyeur/firmware-config/slot"
)

// A SupportPart is one file of a support bundle.
type SupportPart = support.Part

// WriteSupport writes a support bundle of a box from beside it, whether it runs or not: from a copy of its journal, what
// [Examine] finds, and parts. A journal that cannot be copied is said in the bundle; the box that is ill is the one that needs
// a bundle.
func WriteSupport(ctx context.Context, c *firmwareconfig.Config, version, slots string, w io.Writer, parts ...SupportPart) (err error) {
	dir, err := os.MkdirTemp("", "aboyeur-support-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	uncopied := journal.Backup(ctx, c.Data.Dir, filepath.Join(dir, "journal.db"))
	j, err := journal.Open(ctx, journal.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	examined := support.Part{Name: "doctor.txt", Write: func(ctx context.Context, w io.Writer) error {
		if uncopied != nil {
			fmt.Fprintf(w, "%-4s journal: %v\n", Fails, uncopied)
		}
		for _, f := range Examine(ctx, c, slots) {
			fmt.Fprintf(w, "%-4s %s: %s\n", f.Verdict, f.Subject, f.Text)
		}
		return nil
	}}
	brought := support.JSON("bundles.json", func(context.Context) (any, error) {
		if _, err := os.Stat(slots); err != nil {
			return nil, err
		}
		store, err := slot.Open(slot.Config{Dir: slots})
		if err != nil {
			return nil, err
		}
		defer store.Close()
		return store.Status()
	})
	b, err := support.New(support.Config{
		Journal: j, Site: c.Site.ID, Version: version, Configuration: c.Redacted(), Parts: append([]support.Part{examined, brought}, parts...), Now: time.Now,
	})
	if err != nil {
		return err
	}
	return b.Write(ctx, w)
}
