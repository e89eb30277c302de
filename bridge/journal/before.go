package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// A copy takes the time of the start, which systemd gives it 90 seconds for; a card writes about 10 MB a second.
const largestKept = 256 << 20 // bytes

// beforeName is the copy of the journal from before that migration.
func beforeName(path string, number int) string { return fmt.Sprintf("%s.before-%04d", path, number) }

// keepBefore copies a journal that migrations are about to change, so that an older program can be gone back to. The one
// from before earlier migrations goes. Without room for it the box starts all the same.
func (j *Journal) keepBefore(ctx context.Context, c *conn, number int) {
	file := beforeName(j.path, number)
	about, err := os.Stat(j.path)
	if err == nil && about.Size() > largestKept {
		err = fmt.Errorf("it is larger than %d MiB", largestKept>>20)
	}
	if err == nil {
		j.dropBefore()
		err = copyInto(ctx, c, file, nil)
	}
	if err != nil {
		j.log.Warn("no copy of the journal from before its migration; make one by aboyeur backup before an upgrade", "err", err)
		return
	}
	j.log.Info("the journal as it was before its migration is kept", "file", file)
}

// dropBefore removes the copies from before earlier migrations, and nothing else that begins with their name.
func (j *Journal) dropBefore() {
	names, err := filepath.Glob(j.path + ".before-[0-9][0-9][0-9][0-9]")
	if err != nil {
		return // the path is a folder's and a fixed name
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			j.log.Warn("an old copy of the journal stays", "err", err)
		}
	}
}

// pointBack adds to the refusal of a newer journal where the copy lies that this program can read.
func (j *Journal) pointBack(err error, steps int) error {
	if file := beforeName(j.path, steps+1); errors.Is(err, ErrNewerSchema) && exists(file) {
		return fmt.Errorf("%w; %s is the journal as it was then (aboyeur restore)", err, strconv.Quote(file))
	}
	return err
}

// copyInto writes what c reads to file: one moment of it, whole, without a log beside it, and on disk when it returns. check
// looks at the copy before it gets its name.
func copyInto(ctx context.Context, c *conn, file string, check func(draft string) error) (err error) {
	draft := file + ".new"
	for _, part := range parts {
		if err := os.Remove(draft + part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Guests' names are in it. SQLite fills an empty file that is there.
	f, err := os.OpenFile(draft, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	defer func() {
		if err != nil {
			os.Remove(draft)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := c.exec(`VACUUM INTO ?`, draft); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if check != nil {
		if err := check(draft); err != nil {
			return err
		}
	}
	if err := os.Rename(draft, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}
