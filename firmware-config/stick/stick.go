// Package stick carries bundles on a USB stick: it lays them out there, finds them on a stick that was put into a box, and
// leaves a word of what became of them.
//
// On a stick, bundles lie as aboyeur/NAME.aboyeur. A box looks at regular files of that form only, the highest number
// first, and takes the first that it accepts. What it did stands afterwards in aboyeur/RESULT-BOX.txt, if the stick lets
// itself be written. Nothing on a stick is ever run, and links are not followed.
package stick

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aboyeur/firmware-config/bundle"
)

// Folder is where bundles lie on a stick, and Suffix how their names end.
const (
	Folder = "aboyeur"
	Suffix = ".aboyeur"
)

const (
	maxBundles = 16                               // on one stick; the rest is not looked at
	maxEntries = 1000                             // names in the folder
	maxFile    = bundle.MaxBytes + bundle.MaxHead // bytes of a bundle
	maxResult  = 32 << 10                         // bytes of a result
)

// Lay copies a bundle onto the stick mounted at dir, under a name that tells site and number, and returns that name. The
// copy is on the stick when Lay returns, whole or not at all.
func Lay(dir, file string) (name string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	m, _, err := bundle.Peek(in)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("there is no folder %s; give the place where the stick is mounted", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if err := root.Mkdir(Folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	name = path.Join(Folder, fmt.Sprintf("%s-%06d%s", m.Site, m.Number, Suffix))
	return name, put(root, name, io.LimitReader(in, maxFile+1))
}

// put writes a file whole or not at all, and syncs it.
func put(root *os.Root, name string, r io.Reader) (err error) {
	temporary := name + ".new"
	if err := root.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), root.Remove(temporary))
		}
	}()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := root.Rename(temporary, name); err != nil {
		return err
	}
	d, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync() // FAT has no way to sync a folder; the file itself is synced
	return nil
}

// Found is a file on a stick that looks like a bundle, or why it is none.
type Found struct {
	Name     string
	Manifest bundle.Manifest
	Err      error
}

// Look finds the bundles on the stick mounted at dir, the highest number first; those that are none come last. It reads
// nothing but the heads of files.
func Look(dir string) ([]Found, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	d, err := root.Open(Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(maxEntries)
	if err != nil && err != io.EOF {
		return nil, err
	}
	slices.Sort(names)
	var found []Found
	for _, name := range names {
		if !strings.HasSuffix(strings.ToLower(name), Suffix) || strings.HasPrefix(name, ".") {
			continue
		}
		if len(found) == maxBundles {
			break
		}
		f := Found{Name: name}
		var in *os.File
		if in, f.Err = open(root, name); f.Err == nil {
			f.Manifest, _, f.Err = bundle.Peek(in)
			in.Close()
		}
		found = append(found, f)
	}
	slices.SortStableFunc(found, func(a, b Found) int {
		if (a.Err == nil) != (b.Err == nil) {
			if a.Err == nil {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Manifest.Number, a.Manifest.Number)
	})
	return found, nil
}

// open opens a regular file of the stick.
func open(root *os.Root, name string) (*os.File, error) {
	name = path.Join(Folder, name)
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &bundle.Refusal{Code: bundle.NotRegular, Detail: filepath.Base(name) + " is a link, folder or device", Remedy: "copy the bundle itself onto the stick"}
	}
	if info.Size() > maxFile {
		return nil, &bundle.Refusal{Code: bundle.TooLarge, Detail: fmt.Sprintf("%s has %d bytes, at most %d are taken", filepath.Base(name), info.Size(), maxFile), Remedy: "leave files out"}
	}
	return root.Open(name)
}

// Fetch copies a bundle from the stick mounted at dir to a file of the box, so that the stick may be pulled out while the
// box works on it.
func Fetch(dir, name, to string) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	in, err := open(root, name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxFile))
	return errors.Join(err, out.Close())
}

// An Outcome is what became of one bundle.
type Outcome struct {
	Name string
	Text string
}

// Result is the text that is left on a stick.
func Result(box, version string, at time.Time, outcomes []Outcome) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Box %s, aboyeur %s, %s\r\n\r\n", box, version, at.UTC().Format("2006-01-02 15:04:05 UTC"))
	if len(outcomes) == 0 {
		fmt.Fprintf(&b, "No bundle was found: the stick has no file %s/NAME%s.\r\n", Folder, Suffix)
	}
	for _, o := range outcomes {
		fmt.Fprintf(&b, "%s: %s\r\n", o.Name, strings.ReplaceAll(strings.TrimSpace(o.Text), "\n", "\r\n    "))
	}
	return b.Bytes()[:min(b.Len(), maxResult)]
}

// Leave writes the result for a box onto the stick mounted at dir.
func Leave(dir, box string, result []byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Mkdir(Folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return put(root, path.Join(Folder, "RESULT-"+box+".txt"), bytes.NewReader(result))
}
