package slot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aboyeur/firmware-config/bundle"
)

// maxTrusted bounds the keys of a box, and the folder they are read from.
const maxTrusted = 64

// trust gathers whom the box believes: the keys of the image's folder and those that confirmed bundles brought, without
// the revoked ones.
func (s *Store) trust(st state, claim bool) (bundle.Trust, error) {
	t := bundle.Trust{Revoked: st.Revoked, Development: s.has("development"), Claim: claim}
	names, err := filepath.Glob(filepath.Join(s.c.Trust, "*.pub"))
	if err != nil {
		return t, err
	}
	if len(names) > maxTrusted {
		return t, fmt.Errorf("%s holds %d keys; keep at most %d", s.c.Trust, len(names), maxTrusted)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return t, fmt.Errorf("read a trusted key: %w", err)
		}
		k, err := bundle.ParseKey(string(b))
		if err != nil {
			return t, fmt.Errorf("%s: %w", name, err)
		}
		t.Keys = append(t.Keys, k)
	}
	for _, line := range st.Trust {
		k, err := bundle.ParseKey(line)
		if err != nil {
			return t, fmt.Errorf("a key in %s: %w", stateName, err)
		}
		t.Keys = append(t.Keys, k)
	}
	return t, nil
}

// add makes the keys of a trial count.
func (st *state) add(t *trial) {
	st.Trust, st.Revoked = slices.Clone(st.Trust), slices.Clone(st.Revoked)
	for _, line := range t.Trust {
		if !slices.Contains(st.Trust, line) {
			st.Trust = append(st.Trust, line)
		}
	}
	for _, f := range t.Revoke {
		if !slices.Contains(st.Revoked, f) {
			st.Revoked = append(st.Revoked, f)
		}
	}
}

// word reads one of the image's own words, "" when the image does not say.
func (s *Store) word(name string) string {
	b, err := os.ReadFile(filepath.Join(s.c.Box, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func (s *Store) has(name string) bool {
	_, err := os.Stat(filepath.Join(s.c.Box, name))
	return err == nil
}

// site is the one this box belongs to: as the image says, else as its first bundle did.
func (s *Store) site(st state) string {
	if w := s.word("site"); w != "" {
		return w
	}
	return st.Site
}

func (s *Store) board() string { return s.word("board") }

// identity reads the box's own keys, which it makes the first time.
func (s *Store) identity() (bundle.Identity, error) {
	b, err := s.disk.ReadFile(identName)
	if err == nil {
		return bundle.ParseIdentity(string(b))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return bundle.Identity{}, err
	}
	i, err := bundle.GenerateIdentity()
	if err != nil {
		return bundle.Identity{}, err
	}
	return i, replace(s.disk, identName, []byte(i.Text()), 0o600)
}

// Identity is the box's own key pair; it is made when first asked for.
func (s *Store) Identity(ctx context.Context) (bundle.Identity, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return bundle.Identity{}, err
	}
	defer unlock()
	return s.identity()
}
