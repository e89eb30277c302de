package access

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTokensFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if list, err := ReadTokens(path); err != nil || len(list) != 0 {
		t.Fatalf("ReadTokens of no file = %v, %v", list, err)
	}
	now := time.Date(2026, 11, 21, 19, 4, 5, 0, time.FixedZone("", 3600))
	token, err := AddToken(path, "otter", Aggregator, now)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^aby_aggregator_[0-9A-Za-z]{43}$`).MatchString(token) {
		t.Errorf("token = %q", token)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v, want 0600", info.Mode(), err)
	}
	data, _ := os.ReadFile(path)
	if secret := token[len(token)-secretDigits:]; strings.Contains(string(data), secret) {
		t.Error("the file holds the token")
	}
	list, err := ReadTokens(path)
	if err != nil || len(list) != 1 || list[0] != (Token{"otter", Aggregator, now.UTC(), hashOf(token)}) {
		t.Errorf("ReadTokens = %+v, %v", list, err)
	}
	if _, err := AddToken(path, "otter", Till, now); !errors.Is(err, ErrNameTaken) {
		t.Errorf("AddToken of a taken name = %v", err)
	}
	if err := RemoveToken(path, "heron"); !errors.Is(err, ErrNoToken) {
		t.Errorf("RemoveToken of nobody = %v", err)
	}
	if err := RemoveToken(path, "otter"); err != nil {
		t.Error(err)
	}
	if list, err := ReadTokens(path); err != nil || len(list) != 0 {
		t.Errorf("ReadTokens after removal = %v, %v", list, err)
	}
}

func TestParseTokens(t *testing.T) {
	hash := "sha256:" + strings.Repeat("ab", 32)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"comments and blanks", "# x\n\n  \n", ""},
		{"good", "lea manager 2026-01-02T03:04:05Z " + hash + "\r\n", ""},
		{"short", "lea manager\n", ":1: a line has name, role, time and hash; make it with `aboyeur token add`"},
		{"role", "\nlea chef 2026-01-02T03:04:05Z " + hash, `:2: role "chef" is not known; write one of admin, manager, staff, till, aggregator, screen, metrics`},
		{"name", "l/a manager 2026-01-02T03:04:05Z " + hash, `:1: name "l/a": use letters a to z, digits and . _ @ -`},
		{"time", "lea manager yesterday " + hash, `:1: time "yesterday" is not as in 2026-11-21T19:04:05Z`},
		{"hash", "lea manager 2026-01-02T03:04:05Z sha256:abc", ":1: the hash is not sha256: and 64 hexadecimal digits; make the line with `aboyeur token add`"},
		{"kind of hash", "lea manager 2026-01-02T03:04:05Z " + strings.Repeat("ab", 32), ":1: the hash is not sha256: and 64 hexadecimal digits; make the line with `aboyeur token add`"},
		{"twice", strings.Repeat("lea manager 2026-01-02T03:04:05Z "+hash+"\n", 2), ":2: the name lea stands twice; remove one of the lines"},
		{"one hash", "lea manager 2026-01-02T03:04:05Z " + hash + "\nmax staff 2026-01-02T03:04:05Z " + hash, ":2: the hash of max stands twice; remove one of the lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseTokens([]byte(c.text))
			if got := fmt.Sprint(err); err != nil && got != c.want || err == nil && c.want != "" {
				t.Errorf("parseTokens(%q) = %v, want %q", c.text, err, c.want)
			}
		})
	}
}

func TestTokensFileBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	write(t, path, strings.Repeat("#", maxTokensFile+1))
	if _, err := ReadTokens(path); err == nil {
		t.Error("a file beyond the limit was read")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTokens(path); err == nil {
		t.Error("a folder was read as tokens")
	}
}

// Editors take turns and readers never see half a file.
func TestTokensFileRaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	const editors, each = 4, 8
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	readers.Go(func() {
		least := 0
		for {
			select {
			case <-stop:
				return
			default:
			}
			list, err := ReadTokens(path)
			if err != nil || len(list) < least {
				t.Errorf("ReadTokens = %d tokens, %v, after %d", len(list), err, least)
				return
			}
			least = len(list)
		}
	})
	for i := range editors {
		writers.Go(func() {
			for n := range each {
				if _, err := AddToken(path, fmt.Sprintf("t%d-%d", i, n), Till, time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	list, err := ReadTokens(path)
	if err != nil || len(list) != editors*each {
		t.Errorf("%d tokens, %v, want %d", len(list), err, editors*each)
	}
	files, _ := os.ReadDir(filepath.Dir(path))
	if len(files) != 1 {
		t.Errorf("%v is left beside the tokens", files)
	}
}

func TestTokensFileBehindLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	write(t, real, "")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if _, err := AddToken(link, "lea", Manager, time.Now()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if list, err := ReadTokens(real); err != nil || len(list) != 1 {
		t.Errorf("ReadTokens = %v, %v", list, err)
	}
}

func TestFailedEditLeavesFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tokens")
	write(t, path, "lea chef\n")
	if _, err := AddToken(path, "max", Staff, time.Now()); err == nil {
		t.Error("AddToken took a broken file")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "lea chef\n" {
		t.Errorf("the file became %q, %v", data, err)
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add([]byte("# x\nlea manager 2026-01-02T03:04:05Z sha256:" + strings.Repeat("ab", 32) + "\n"))
	f.Add([]byte("lea manager"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseTokens(data)
		if err != nil {
			return
		}
		var b []byte
		for _, tok := range list {
			b = tok.appendTo(b)
		}
		again, err := parseTokens(b)
		if err != nil || len(again) != len(list) {
			t.Fatalf("parseTokens(%q) gives %d tokens, written again %d: %v", data, len(list), len(again), err)
		}
		for i := range list {
			if again[i].Name != list[i].Name || again[i].Role != list[i].Role || again[i].Hash != list[i].Hash {
				t.Errorf("%+v became %+v", list[i], again[i])
			}
		}
	})
}
