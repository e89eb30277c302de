package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	fileName   = "journal.db"
	lockName   = "journal.lock"
	damageMark = ".damaged" // behind the file's name: damage was seen while the box ran
)

// ErrLocked refuses a journal that another process has open.
var ErrLocked = errors.New("another process has the journal open")

// A Notice is what the journal has to tell a person about its own file, in the form of a warning.
type Notice struct {
	Code   string // journal_set_aside or journal_damaged
	Text   string // what happened
	Remedy string // what to do
}

// Notice returns the gravest thing the journal knows of its file, and false when all is well. It can come up while the
// journal is open, so ask again from time to time.
func (j *Journal) Notice() (Notice, bool) {
	j.notice.Lock()
	defer j.notice.Unlock()
	return j.notice.Notice, j.notice.Code != ""
}

func (j *Journal) setNotice(n Notice) {
	j.notice.Lock()
	j.notice.Notice = n
	j.notice.Unlock()
}

// makeDir makes the folder, for the service and its group alone since guests' names lie there.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// takeLock keeps other processes out for as long as the file stays open. The kernel lets go of it when the process dies.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 20)
		n, _ := f.ReadAt(holder, 0)
		f.Close()
		if err == syscall.EWOULDBLOCK {
			return nil, fmt.Errorf("%w (process %s); stop it first, or give this one a folder of its own", ErrLocked, holder[:n])
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	f.Truncate(0)
	f.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0) // words for whoever is refused, nothing depends on it
	return f, nil
}

// create makes the file under another name, brings its tables up to date and gives it its own name when it is whole and on
// disk. So a box that loses power at its first start has either no journal or a good one, and pays three syncs, not twelve.
func (j *Journal) create(ctx context.Context, steps []migration) error {
	// A log without its file would be folded into the new one.
	if exists(j.path + "-wal") {
		aside, err := j.rename()
		if err != nil {
			return err
		}
		j.log.Warn("log of a journal that is gone, set aside", "file", aside+"-wal")
	}
	draft := j.path + ".new"
	for _, part := range parts {
		if err := os.Remove(draft + part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Nobody else may read it: guests' names will stand there. The log gets the same mode.
	f, err := os.OpenFile(draft, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := j.connect(ctx, draft, draftPragmas)
	if err != nil {
		return err
	}
	err = migrate(c, steps, j.config.Now)
	if fault := c.close(); err == nil {
		err = fault
	}
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(draft, j.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(j.path))
}

// endedWell tells whether the last process ended with Close: then it left no log.
func (j *Journal) endedWell() bool {
	log, err := os.Stat(j.path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && log.Size() == 0
}

// logRoom is how much of the log is written with zeros before the first commit. A sync of a file that does not grow is a
// third cheaper, and the log starts anew long before its end while the box has quiet moments.
const logRoom = 4 << 20

// prepareLog makes the log with room in it. Zeros are an empty log to SQLite, as many as there are, so this may end
// anywhere; nothing depends on it, a full disk least of all.
func (j *Journal) prepareLog() {
	if err := makeRoom(j.path+"-wal", logRoom); err != nil {
		j.log.Warn("no room made for the journal's log", "err", err)
		os.Remove(j.path + "-wal")
	}
}

// makeRoom writes a new file of zeros, a page at a time: of one large write the kernel makes large folios, and syncing a
// frame in one of those costs as much as all of it.
func makeRoom(path string, size int) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	page := make([]byte, 4096)
	for at := 0; at < size && err == nil; at += len(page) {
		_, err = f.Write(page)
	}
	if fault := f.Close(); err == nil {
		err = fault
	}
	return err
}

// How long the check of the file's structure may hold up the start. What it leaves is checked while the box works.
const (
	checkAfterCrash = 50 * time.Millisecond
	checkAfterClose = 15 * time.Millisecond
	checkEndless    = time.Hour // a file in which damage was seen is checked to its end
)

// A damageError is a file whose structure is broken.
type damageError struct{ what string }

func (e *damageError) Error() string { return "the file is damaged: " + e.what }

func isDamage(err error) bool {
	var d *damageError
	if errors.As(err, &d) {
		return true
	}
	code := resultCode(err)
	return code == codeCorrupt || code == codeNotADB
}

// check reads the structure of the whole file, as far as time allows. unchecked tells that time ran out.
func (j *Journal) check(ctx context.Context, c *conn, clean bool) (unchecked bool, err error) {
	limit := checkAfterCrash
	if clean {
		limit = checkAfterClose
	}
	if exists(j.path + damageMark) {
		limit = checkEndless
	}
	if j.config.checkLimit > 0 {
		limit = j.config.checkLimit
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = quickCheck(limited, c)
	if limited.Err() != nil && !isDamage(err) {
		return true, ctx.Err()
	}
	if err == nil {
		os.Remove(j.path + damageMark)
	}
	return false, err
}

func quickCheck(ctx context.Context, c *conn) error {
	// One fault tells enough; a text that is not "ok" is one.
	return c.query(ctx, `PRAGMA quick_check(1)`, nil, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			return &damageError{text}
		}
		return nil
	})
}

// parts are what SQLite makes of one journal.
var parts = []string{"", "-wal", "-shm"}

// rename gives the file and its log a name that tells what they are.
func (j *Journal) rename() (aside string, err error) {
	at := j.config.Now().UTC().Format("20060102T150405Z")
	aside = j.path + ".corrupt-" + at
	for n := 2; exists(aside) || exists(aside+"-wal"); n++ {
		aside = fmt.Sprintf("%s.corrupt-%s-%d", j.path, at, n)
	}
	for _, part := range parts {
		if err := os.Rename(j.path+part, aside+part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// setAside puts a damaged file and its log away, so that the kitchen can work on a new one tonight and nothing is thrown
// away.
func (j *Journal) setAside(cause error) error {
	aside, err := j.rename()
	if err != nil {
		return fmt.Errorf("set damaged journal aside (%v): %w", cause, err)
	}
	os.Remove(j.path + damageMark)
	if err := syncDir(filepath.Dir(j.path)); err != nil {
		return err
	}
	j.log.Error("journal damaged, set aside, new one started", "file", aside, "err", cause)
	j.setNotice(Notice{
		Code: "journal_set_aside",
		Text: "The journal was damaged (" + cause.Error() + "). It was set aside as " + aside +
			" and a new, empty one was started: earlier orders, settings made in the console and paired screens are not in it.",
		Remedy: "Keep that file: `sqlite3 " + aside + " .recover` shows what is readable. If there is a backup, stop the box and put it back as journal.db," +
			" and have the disk looked at; a worn memory card is the usual cause.",
	})
	return nil
}

// noteDamage leaves a mark when err shows damage of the open file, so that the next start checks all of it.
func (j *Journal) noteDamage(err error) {
	if !isDamage(err) {
		return
	}
	if f, fault := os.Create(j.path + damageMark); fault == nil {
		f.Close()
	}
	j.setNotice(Notice{
		Code: "journal_damaged",
		Text: "The journal's file is damaged: " + err.Error() + ".",
		Remedy: "Make a copy of " + filepath.Dir(j.path) + ", then restart the box: it sets a damaged journal aside and starts a new one." +
			" Have the disk looked at; a worn memory card is the usual cause.",
	})
}

// syncDir makes names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
