package slot

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// errDead is what every call gives once the power is gone.
var errDead = errors.New("the power is gone")

// mortal is a disk in memory that loses its power at the n-th call that changes something. What was written and not synced
// is then lost, kept in part, or kept, and so is each folder's list of names that was not synced: everything that the
// file systems of Linux may do.
type mortal struct {
	dieAt int // the count of changing calls at which it dies, before the call does its work; 0 never
	calls []string
	dead  bool

	names   map[string]*inode // what programs see
	durable map[string]*inode // what outlives a power cut
}

type inode struct {
	folder bool
	data   []byte
	synced []byte
}

var _ disk = (*mortal)(nil)

func newMortal() *mortal {
	root := &inode{folder: true}
	return &mortal{names: map[string]*inode{".": root}, durable: map[string]*inode{".": root}}
}

// change counts a call that changes something.
func (m *mortal) change(call string) error {
	if m.dead {
		return errDead
	}
	m.calls = append(m.calls, call)
	if len(m.calls) == m.dieAt {
		m.dead = true
		return errDead
	}
	return nil
}

// revive is the next boot after a power cut. Each folder that was not synced shows its old names or its new ones, and each
// file that was not synced its old bytes, some of the new, or none.
func (m *mortal) revive(r *rand.Rand) {
	names := maps.Clone(m.durable)
	for folder, n := range m.names {
		if n.folder && r.IntN(2) == 0 { // this folder's list of names reached the disk by itself
			settle(names, m.names, folder)
		}
	}
	for name := range names { // what is in no folder is gone
		for up := path.Dir(name); ; up = path.Dir(up) {
			if p := names[up]; p == nil || !p.folder {
				delete(names, name)
				break
			}
			if up == "." {
				break
			}
		}
	}
	kept := map[*inode]bool{}
	for _, n := range names {
		if kept[n] {
			continue
		}
		kept[n] = true
		if !bytes.Equal(n.data, n.synced) {
			switch r.IntN(3) {
			case 0:
				n.data = n.synced
			case 1:
				n.data = n.data[:r.IntN(len(n.data)+1)]
			}
		}
		n.data = slices.Clone(n.data)
		n.synced = n.data
	}
	m.names, m.durable, m.dead, m.dieAt, m.calls = names, maps.Clone(names), false, 0, nil
}

// settle makes the list of names of a folder in to that of from.
func settle(to, from map[string]*inode, folder string) {
	for name := range to {
		if name != "." && path.Dir(name) == folder && from[name] == nil {
			delete(to, name)
		}
	}
	for name, n := range from {
		if path.Dir(name) == folder {
			to[name] = n
		}
	}
}

func (m *mortal) ReadFile(name string) ([]byte, error) {
	if m.dead {
		return nil, errDead
	}
	n := m.names[name]
	if n == nil || n.folder {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(n.data), nil
}

func (m *mortal) Open(name string) (io.ReadCloser, error) {
	b, err := m.ReadFile(name)
	return io.NopCloser(bytes.NewReader(b)), err
}

func (m *mortal) Create(name string, _ fs.FileMode) (file, error) {
	if err := m.change("create " + name); err != nil {
		return nil, err
	}
	if p := m.names[path.Dir(name)]; p == nil || !p.folder {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	}
	n := &inode{}
	m.names[name] = n
	return &mortalFile{m, n, name}, nil
}

func (m *mortal) Rename(from, to string) error {
	if err := m.change("rename " + to); err != nil {
		return err
	}
	m.names[to] = m.names[from]
	delete(m.names, from)
	return nil
}

func (m *mortal) Remove(name string) error {
	if m.names[name] == nil && !m.dead {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if err := m.change("remove " + name); err != nil {
		return err
	}
	delete(m.names, name)
	return nil
}

// RemoveAll removes one name after the other, and can die between two of them.
func (m *mortal) RemoveAll(name string) error {
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(m.names))) {
		if n == name || strings.HasPrefix(n, name+"/") {
			if err := m.Remove(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *mortal) MkdirAll(name string) error {
	if err := m.change("mkdir " + name); err != nil {
		return err
	}
	for ; name != "."; name = path.Dir(name) {
		if m.names[name] == nil {
			m.names[name] = &inode{folder: true}
		}
	}
	return nil
}

func (m *mortal) SyncDir(name string) error {
	if err := m.change("sync " + name); err != nil {
		return err
	}
	settle(m.durable, m.names, name)
	return nil
}

type mortalFile struct {
	m    *mortal
	n    *inode
	name string
}

func (f *mortalFile) Write(p []byte) (int, error) {
	if err := f.m.change("write " + f.name); err != nil {
		if half := len(p) / 2; half > 0 { // it died while writing
			f.n.data = append(f.n.data, p[:half]...)
		}
		return 0, err
	}
	f.n.data = append(f.n.data, p...)
	return len(p), nil
}

func (f *mortalFile) Sync() error {
	if err := f.m.change("sync " + f.name); err != nil {
		return err
	}
	f.n.synced = slices.Clone(f.n.data)
	return nil
}

func (f *mortalFile) Close() error { return nil }
