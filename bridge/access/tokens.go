package access

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Token is one line of the tokens file. The token itself is not in it.
type Token struct {
	Name    string
	Role    Role
	Created time.Time
	Hash    Hash
}

// A Hash is the SHA-256 of a secret of 256 random bits. Such a secret needs neither salt nor a slow hash: there is no
// dictionary of it. For the same reason looking a hash up in a map tells a stranger nothing by its timing: he cannot
// choose texts whose hashes approach a stored one.
type Hash [sha256.Size]byte

func hashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// Bounds of the tokens file.
const (
	MaxTokens     = 1000
	maxTokensFile = 256 << 10 // bytes
	maxName       = 64        // characters of a token's, screen's or person's name
	maxSecret     = 256       // characters of what a caller may present; ours have fewer
)

// Faults of the tokens file that callers tell apart.
var (
	ErrNameTaken = errors.New("name is taken")
	ErrNoToken   = errors.New("no token of that name")
)

const tokensHead = "# Tokens of aboyeur: name, role, created, hash. Written by `aboyeur token`; a line removed here is a token removed.\n"

// ReadTokens reads the tokens file. A file that does not exist holds no tokens.
func ReadTokens(path string) ([]Token, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTokensFile+1))
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	if len(data) > maxTokensFile {
		return nil, fmt.Errorf("read tokens: %s is larger than %d bytes; is it the right file?", path, maxTokensFile)
	}
	tokens, err := parseTokens(data)
	if err != nil {
		return nil, fmt.Errorf("%s%w", path, err)
	}
	return tokens, nil
}

// parseTokens reads the file's lines: name, role, time and sha256:HEX, separated by blanks; # begins a comment line.
// Its errors begin with ":LINE: ".
func parseTokens(data []byte) ([]Token, error) {
	var tokens []Token
	names, hashes := map[string]bool{}, map[Hash]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		t, err := parseToken(line)
		switch {
		case err != nil:
		case names[t.Name]:
			err = fmt.Errorf("the name %s stands twice; remove one of the lines", t.Name)
		case hashes[t.Hash]:
			err = fmt.Errorf("the hash of %s stands twice; remove one of the lines", t.Name)
		case len(tokens) >= MaxTokens:
			err = fmt.Errorf("more than %d tokens; remove some", MaxTokens)
		}
		if err != nil {
			return nil, fmt.Errorf(":%d: %w", n, err)
		}
		names[t.Name], hashes[t.Hash] = true, true
		tokens = append(tokens, t)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf(": %w", err)
	}
	return tokens, nil
}

func parseToken(line string) (Token, error) {
	f := strings.Fields(line)
	if len(f) != 4 {
		return Token{}, errors.New("a line has name, role, time and hash; make it with `aboyeur token add`")
	}
	t := Token{Name: f[0], Role: Role(f[1])}
	if err := CheckName(t.Name); err != nil {
		return Token{}, err
	}
	if !t.Role.Valid() {
		return Token{}, fmt.Errorf("role %q is not known; write one of %s", f[1], roleNames())
	}
	var err error
	t.Created, err = time.Parse(time.RFC3339, f[2])
	t.Created = t.Created.UTC()
	if year := t.Created.Year(); err != nil || year < 1970 || year > 9999 { // what can be written again
		return Token{}, fmt.Errorf("time %q is not as in 2026-11-21T19:04:05Z", f[2])
	}
	digits, ok := strings.CutPrefix(f[3], "sha256:")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != len(t.Hash) {
		return Token{}, errors.New("the hash is not sha256: and 64 hexadecimal digits; make the line with `aboyeur token add`")
	}
	copy(t.Hash[:], b)
	return t, nil
}

func (t Token) appendTo(b []byte) []byte {
	return fmt.Appendf(b, "%s %s %s sha256:%x\n", t.Name, t.Role, t.Created.UTC().Format(time.RFC3339), t.Hash)
}

// CheckName tells whether a token, a person or a screen may bear the name.
func CheckName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("a name has 1 to %d characters", maxName)
	}
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._@-", c)) {
			return fmt.Errorf("name %q: use letters a to z, digits and . _ @ -", name)
		}
	}
	return nil
}

func roleNames() string {
	var names []string
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// ParseRole gives the role of that name; the error lists them all.
func ParseRole(name string) (Role, error) {
	if r := Role(name); r.Valid() {
		return r, nil
	}
	return "", fmt.Errorf("role %q is not known; use one of %s", name, roleNames())
}

// AddToken makes a token, puts its hash into the file and returns its text, which nothing can show again.
// The error is ErrNameTaken when the file has the name.
func AddToken(path, name string, role Role, now time.Time) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	if _, err := ParseRole(string(role)); err != nil {
		return "", err
	}
	text := newToken(role)
	err := editTokens(path, func(tokens []Token) ([]Token, error) {
		for _, t := range tokens {
			if t.Name == name {
				return nil, fmt.Errorf("%s: %w; remove it first or choose another", name, ErrNameTaken)
			}
		}
		if len(tokens) >= MaxTokens {
			return nil, fmt.Errorf("the file holds %d tokens already; remove some", MaxTokens)
		}
		return append(tokens, Token{Name: name, Role: role, Created: now, Hash: hashOf(text)}), nil
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

// RemoveToken takes the token out of the file; a running box notices within seconds and ends its sessions.
// The error is ErrNoToken when the file has no such name.
func RemoveToken(path, name string) error {
	return editTokens(path, func(tokens []Token) ([]Token, error) {
		for i, t := range tokens {
			if t.Name == name {
				return append(tokens[:i:i], tokens[i+1:]...), nil
			}
		}
		return nil, fmt.Errorf("%s: %w; `aboyeur token list` shows them", name, ErrNoToken)
	})
}

// newToken makes a token's text: a mark by which people and secret scanners know it, the role, and 256 random bits.
func newToken(role Role) string { return "aby_" + string(role) + "_" + newSecret() }

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// secretDigits base 62 digits hold 256 bits.
const secretDigits = 43

// newSecret gives 256 random bits as secretDigits letters and digits.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	n, base, digit := new(big.Int).SetBytes(b[:]), big.NewInt(62), new(big.Int)
	var out [secretDigits]byte
	for i := range out {
		n.DivMod(n, base, digit)
		out[i] = base62[digit.Int64()]
	}
	return string(out[:])
}

// editTokens changes the file in one step: readers see the old file or the new one, and two editors take turns.
func editTokens(path string, edit func([]Token) ([]Token, error)) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays a link
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	defer dir.Close()
	// The folder, not the file, is locked: the file is replaced, and a lock would stay with the replaced one.
	if err := flock(dir); err != nil {
		return fmt.Errorf("write tokens: lock %s: %w", dir.Name(), err)
	}
	tokens, err := ReadTokens(path)
	if err != nil {
		return err
	}
	if tokens, err = edit(tokens); err != nil {
		return err
	}
	b := []byte(tokensHead)
	for _, t := range tokens {
		b = t.appendTo(b)
	}
	if err := replace(dir, path, b); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	return nil
}

// flock takes the folder's lock; closing the folder gives it back.
func flock(dir *os.File) error {
	for {
		if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// replace writes the file beside its place, syncs it, and renames it there. The new file belongs to the old one's
// owner, so that root may add a token to the file of the service's user; a first file belongs to the folder's owner.
func replace(dir *os.File, path string, data []byte) (err error) {
	f, err := os.CreateTemp(dir.Name(), ".tokens-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	like, statErr := os.Stat(path)
	if statErr != nil {
		if like, err = dir.Stat(); err != nil {
			return err
		}
	}
	if s, ok := like.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err = f.Chown(int(s.Uid), int(s.Gid)); err != nil {
			return err
		}
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return dir.Sync()
}
