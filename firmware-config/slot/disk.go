package slot

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// A disk is what a Store needs of a file system: names are relative to the store's folder, with slashes. Tests put one
// under it that dies at each call.
type disk interface {
	ReadFile(name string) ([]byte, error)
	Open(name string) (io.ReadCloser, error)
	Create(name string, mode fs.FileMode) (file, error) // replaces what is there
	Rename(from, to string) error
	Remove(name string) error
	RemoveAll(name string) error
	MkdirAll(name string) error
	SyncDir(name string) error // makes creations, renamings and removals in it last
}

// file is one being written.
type file interface {
	io.WriteCloser
	Sync() error
}

// rooted is a disk inside one folder. Names that lead out of it, by dots or by links, are refused by the system.
type rooted struct{ *os.Root }

var _ disk = rooted{}

func (r rooted) Open(name string) (io.ReadCloser, error) {
	f, err := r.Root.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New(name+" is not a regular file"), err, f.Close())
	}
	return f, nil
}

func (r rooted) ReadFile(name string) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSmall))
}

func (r rooted) Create(name string, mode fs.FileMode) (file, error) {
	// A link that somebody left at the name is removed, not followed.
	if err := r.Root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return r.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

func (r rooted) MkdirAll(name string) error { return r.Root.MkdirAll(name, 0o750) }

func (r rooted) SyncDir(name string) error {
	d, err := r.Root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// maxSmall bounds the files that are read whole.
const maxSmall = 4 << 20

// replace puts a whole file at name in one step, and returns once it would outlive a power cut.
func replace(d disk, name string, b []byte, mode fs.FileMode) error {
	temporary := name + ".new"
	if err := write(d, temporary, b, mode); err != nil {
		return err
	}
	if err := d.Rename(temporary, name); err != nil {
		return err
	}
	return d.SyncDir(".")
}

// write writes a whole file and syncs it, but not the folder it is in.
func write(d disk, name string, b []byte, mode fs.FileMode) error {
	f, err := d.Create(name, mode)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
