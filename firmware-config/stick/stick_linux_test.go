package stick

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A stick that is full, and one that is write-protected, are read as any other; the result is not left on them, and what
// lies there stays whole. A small file system in memory plays the stick.
func TestFullAndProtected(t *testing.T) {
	dir, scratch := t.TempDir(), t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skip("no small file system can be mounted here: ", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	if _, err := Lay(dir, pack(t, scratch, "bistro-1", 41)); err != nil {
		t.Fatal(err)
	}
	result := make([]byte, 8<<10)
	if err := os.WriteFile(filepath.Join(dir, "films"), make([]byte, 8<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	names := func() (all []string) {
		entries, err := os.ReadDir(filepath.Join(dir, Folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	readable := func(what string) {
		t.Helper()
		found, err := Look(dir)
		if err != nil || len(found) != 1 || found[0].Err != nil {
			t.Errorf("%s: Look = %+v, %v", what, found, err)
			return
		}
		if err := Fetch(dir, found[0].Name, filepath.Join(scratch, "copied-"+what)); err != nil {
			t.Errorf("%s: Fetch: %v", what, err)
		}
		if got := names(); len(got) != 1 {
			t.Errorf("%s: on the stick lie %v", what, got)
		}
	}
	if err := Leave(dir, "bistro-1", result); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Leave on a full stick: %v", err)
	}
	readable("full")
	if err := syscall.Mount("none", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if err := Leave(dir, "bistro-1", result[:10]); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Leave on a protected stick: %v", err)
	}
	readable("protected")
}
