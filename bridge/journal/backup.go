package journal

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// ErrNoBackup reports a file that is no journal, or not a whole one.
var ErrNoBackup = errors.New("this is no backup of a journal")

// A Statement is what Restore does to the copy before it becomes the journal.
type Statement struct {
	Query string
	Args  []any
}

// besides makes a Journal that is only a path: enough to connect to its file without owning it.
func besides(path string) *Journal {
	return &Journal{path: path, log: slog.New(slog.DiscardHandler), config: Config{Now: time.Now, Wrap: func(c driver.Connector) driver.Connector { return c }}}
}

// Backup copies the journal in dir to file while a box may be running on it. The copy is one moment of it, whole, without a
// log beside it, and on disk when Backup returns. A file that exists is not touched.
func Backup(ctx context.Context, dir, file string) (err error) {
	if dir, err = filepath.Abs(dir); err == nil {
		file, err = filepath.Abs(file)
	}
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	source := filepath.Join(dir, fileName)
	if !exists(source) {
		return fmt.Errorf("back up %s: %w", source, fs.ErrNotExist)
	}
	if exists(file) {
		return fmt.Errorf("back up to %s: %w", file, fs.ErrExist)
	}
	c, err := besides(source).connect(ctx, source, []string{"busy_timeout(5000)", "wal_autocheckpoint(0)", "cache_size(-1024)", "temp_store(MEMORY)"})
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	err = copyInto(ctx, c, file, func(draft string) error {
		_, err := inspect(ctx, draft)
		return err
	})
	if fault := c.close(); err == nil {
		err = fault
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", source, err)
	}
	return nil
}

// inspect tells whether the file is a whole journal that this program knows, and how many of its migrations it has.
func inspect(ctx context.Context, file string) (applied int, err error) {
	steps, err := readMigrations(files)
	if err != nil {
		return 0, err
	}
	c, err := besides(file).connect(ctx, file, []string{"query_only(1)", "cache_size(-512)"})
	if err != nil {
		return 0, fmt.Errorf("%w: %v", ErrNoBackup, err)
	}
	defer c.close()
	if applied, err = appliedMigrations(c, steps); err != nil {
		if isDamage(err) {
			err = fmt.Errorf("%w: %v", ErrNoBackup, err)
		}
		return 0, err
	}
	if applied == 0 {
		return 0, ErrNoBackup
	}
	if err := quickCheck(ctx, c); err != nil {
		return 0, fmt.Errorf("%w: %v", ErrNoBackup, err)
	}
	return applied, nil
}

// Restore makes a copy of file the journal in dir. Nobody may have that journal open; the error is ErrLocked otherwise. What
// was there is set aside, under the name that Restore gives, "" when there was nothing. The restored journal has a new
// epoch, so that whoever followed the former one notices, and what mend says done to it; it is whole, or nothing happened.
func Restore(ctx context.Context, dir, file string, now time.Time, mend []Statement) (aside string, err error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("restore %s: %w", file, err) }
	if dir, err = filepath.Abs(dir); err == nil {
		file, err = filepath.Abs(file)
	}
	if err != nil {
		return fail(err)
	}
	if !exists(file) {
		return fail(fs.ErrNotExist)
	}
	if _, err := inspect(ctx, file); err != nil {
		return fail(err)
	}
	if err := makeDir(dir); err != nil {
		return fail(err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return fail(err)
	}
	defer lock.Close()
	path := filepath.Join(dir, fileName)
	j, draft := besides(path), path+".restored"
	for _, part := range parts {
		if err := os.Remove(draft + part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(err)
		}
	}
	if err := copyFile(file, draft); err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			os.Remove(draft)
		}
	}()
	if err := mendDraft(ctx, j, draft, now, mend); err != nil {
		return fail(err)
	}
	if exists(path) {
		aside = path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
		for n := 2; exists(aside); n++ {
			aside = fmt.Sprintf("%s.before-restore-%s-%d", path, now.UTC().Format("20060102T150405Z"), n)
		}
		// The log first: a file without its log is an older moment, a log without its file is folded into another.
		for _, part := range []string{"-wal", "-shm", ""} {
			if err := os.Rename(path+part, aside+part); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fail(err)
			}
		}
	}
	if err := os.Rename(draft, path); err != nil {
		return fail(err)
	}
	return aside, syncDir(dir)
}

// mendDraft gives the copy its epoch and does what mend says, in one transaction, and leaves one file that is on disk.
func mendDraft(ctx context.Context, j *Journal, draft string, now time.Time, mend []Statement) error {
	steps, err := readMigrations(files)
	if err != nil {
		return err
	}
	c, err := j.connect(ctx, draft, []string{"journal_mode(DELETE)", "synchronous(FULL)", "foreign_keys(1)"})
	if err != nil {
		return err
	}
	defer c.close()
	applied, err := appliedMigrations(c, steps)
	if err != nil {
		return err
	}
	if err := migrate(c, steps[applied:], func() time.Time { return now }); err != nil {
		return err
	}
	var epoch [16]byte
	_, _ = rand.Read(epoch[:])
	all := append([]Statement{{`UPDATE meta SET value = ? WHERE name = 'epoch'`, []any{hex.EncodeToString(epoch[:])}}}, mend...)
	if _, err := c.exec(sqlBegin); err != nil {
		return err
	}
	for _, s := range all {
		if _, err := c.exec(s.Query, s.Args...); err != nil {
			return err // the file goes with it
		}
	}
	_, err = c.exec(sqlCommit)
	return err
}

// copyFile copies a file to a new one, on disk when it returns.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if fault := out.Close(); err == nil {
		err = fault
	}
	return err
}
