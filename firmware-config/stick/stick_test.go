package stick

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aboyeur/firmware-config/bundle"
)

func pack(t *testing.T, dir, site string, number uint64) string {
	t.Helper()
	k, err := bundle.GenerateKey("office", false)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	m := bundle.Manifest{Site: site, Number: number, Created: time.Unix(1e9, 0)}
	if err := bundle.Pack(&b, m, []bundle.Contents{{Name: "box.yaml", Bytes: []byte("x")}}, k); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "bundle")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLayAndLook(t *testing.T) {
	dir, scratch := t.TempDir(), t.TempDir()
	if found, err := Look(dir); len(found) != 0 || err != nil {
		t.Errorf("Look at an empty stick = %v, %v", found, err)
	}
	for _, number := range []uint64{9, 41, 7} {
		name, err := Lay(dir, pack(t, scratch, "bistro-1", number))
		if err != nil {
			t.Fatal(err)
		}
		if number == 41 && name != "aboyeur/bistro-1-000041.aboyeur" {
			t.Errorf("Lay = %q", name)
		}
	}
	// What else lies on sticks.
	folder := filepath.Join(dir, Folder)
	write(t, filepath.Join(folder, "holiday.jpg"), "x")
	write(t, filepath.Join(folder, "._bistro-1-000041.aboyeur"), "left by a Mac")
	write(t, filepath.Join(folder, "broken.aboyeur"), "PK\x03\x04 not what its name says")
	secret := filepath.Join(scratch, "secret")
	write(t, secret, "secret")
	if err := os.Symlink(secret, filepath.Join(folder, "link.aboyeur")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.aboyeur"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe.aboyeur"), 0o644); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(folder, "huge.aboyeur")
	write(t, huge, "")
	if err := os.Truncate(huge, maxFile+1); err != nil {
		t.Fatal(err)
	}
	found, err := Look(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		var no *bundle.Refusal
		if errors.As(f.Err, &no) {
			got = append(got, f.Name+" "+no.Code)
		} else {
			got = append(got, f.Name)
		}
	}
	want := "bistro-1-000041.aboyeur, bistro-1-000009.aboyeur, bistro-1-000007.aboyeur, broken.aboyeur not_a_bundle, " +
		"folder.aboyeur not_a_regular_file, huge.aboyeur too_large, link.aboyeur not_a_regular_file, pipe.aboyeur not_a_regular_file"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("Look = %s\nwant   %s", s, want)
	}
	copied := filepath.Join(scratch, "copied")
	if err := Fetch(dir, "bistro-1-000041.aboyeur", copied); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(copied)
	b, _ := os.ReadFile(filepath.Join(folder, "bistro-1-000041.aboyeur"))
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("Fetch copied %d bytes of %d", len(a), len(b))
	}
	if err := Fetch(dir, "link.aboyeur", filepath.Join(scratch, "other")); err == nil {
		t.Error("Fetch followed a link")
	}
}

func TestLayRefuses(t *testing.T) {
	dir, scratch := t.TempDir(), t.TempDir()
	write(t, filepath.Join(scratch, "no"), "no bundle")
	if _, err := Lay(dir, filepath.Join(scratch, "no")); err == nil || !strings.Contains(err.Error(), bundle.NotABundle) {
		t.Errorf("Lay of something else: %v", err)
	}
	if _, err := Lay(filepath.Join(dir, "unmounted"), pack(t, scratch, "a", 1)); err == nil {
		t.Error("Lay onto nothing")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("something is left: %v, %v", entries, err)
	}
}

func TestResult(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	text := Result("bistro-1", "1.2.0", at, []Outcome{{"bistro-1-000042.aboyeur", "applied"}, {"old.aboyeur", "old_number: it has 3\nand more"}})
	if err := Leave(dir, "bistro-1", text); err != nil {
		t.Fatal(err)
	}
	if err := Leave(dir, "bistro-1", text); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "aboyeur/RESULT-bistro-1.txt"))
	want := "Box bistro-1, aboyeur 1.2.0, 2026-11-22 07:00:00 UTC\r\n\r\nbistro-1-000042.aboyeur: applied\r\nold.aboyeur: old_number: it has 3\r\n    and more\r\n"
	if err != nil || string(got) != want {
		t.Errorf("the result is %q, %v\nwant %q", got, err, want)
	}
	if s := string(Result("x", "1", at, nil)); !strings.Contains(s, "No bundle was found") {
		t.Errorf("Result of an empty stick = %q", s)
	}
	// A stick that cannot be written says so, and nothing else happens.
	if err := Leave(filepath.Join(dir, "gone"), "bistro-1", text); err == nil {
		t.Error("a result was left on a stick that is gone")
	}
}
