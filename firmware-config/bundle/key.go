package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Kinds of keys. What a development key signed is believed by development boxes only; the kind is part of what is
// signed, so that striking the word out of a key's file does not make it a production key.
const (
	production  = "aboyeur-ed25519"
	development = "aboyeur-ed25519-development"
	private     = "-private" // behind the kind in a private key's file
)

// maxKeyFile bounds the file of a key, in bytes.
const maxKeyFile = 1024

// A Key is the public half of a signing key.
type Key struct {
	Name        string // [a-z0-9-]{1,32}: whose it is, for people
	Development bool
	Public      ed25519.PublicKey
}

func (k Key) kind() string {
	if k.Development {
		return development
	}
	return production
}

// String is the line of a .pub file.
func (k Key) String() string {
	return k.kind() + " " + k.Name + " " + base64.StdEncoding.EncodeToString(k.Public)
}

// Fingerprint is what people compare: 16 bytes of the SHA-256 of kind and key, in groups of four hexadecimal digits.
func (k Key) Fingerprint() string { return fingerprint(k.kind(), k.Public) }

func fingerprint(kind string, key []byte) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %x", kind, key))
	digits := hex.EncodeToString(sum[:16])
	var groups []string
	for ; digits != ""; digits = digits[4:] {
		groups = append(groups, digits[:4])
	}
	return strings.Join(groups, "-")
}

// Same reports whether both are one key, whatever people call it.
func (k Key) Same(o Key) bool {
	return k.Development == o.Development && bytes.Equal(k.Public, o.Public)
}

// ParseKey reads the text of a .pub file.
func ParseKey(text string) (Key, error) {
	words := strings.Split(strings.TrimSuffix(text, "\n"), " ")
	if len(text) > maxKeyFile || len(words) != 3 {
		return Key{}, errors.New("not a public key; it is one line, aboyeur-ed25519 NAME KEY, as `aboyeur bundle keygen` writes it")
	}
	return parseKey(words[0], words[1], words[2])
}

func parseKey(kind, name, text string) (Key, error) {
	k := Key{Name: name, Development: kind == development}
	switch {
	case strings.HasSuffix(kind, private):
		return Key{}, errors.New("this is a private key; give its .pub file, and keep this one where no one else reads it")
	case kind != production && kind != development:
		return Key{}, fmt.Errorf("%q is no kind of key known here; it is %s", clip(kind), production)
	case !label(name, 32):
		return Key{}, fmt.Errorf("%q is no name for a key; use up to 32 of a-z 0-9 -", clip(name))
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return Key{}, errors.New("the key itself is damaged; copy its file again")
	}
	k.Public = b
	return k, nil
}

// label is a name of lower-case letters, digits and hyphens.
func label(s string, most int) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return 0 < len(s) && len(s) <= most
}

// clip shortens what others wrote before it goes into a message.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// A PrivateKey signs bundles.
type PrivateKey struct {
	Key
	private ed25519.PrivateKey
}

// GenerateKey makes a new key.
func GenerateKey(name string, development bool) (PrivateKey, error) {
	if !label(name, 32) {
		return PrivateKey{}, fmt.Errorf("%q is no name for a key; use up to 32 of a-z 0-9 -", clip(name))
	}
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return PrivateKey{}, err
	}
	return PrivateKey{Key{name, development, public}, secret}, nil
}

// Text is the private key's file.
func (k PrivateKey) Text() string {
	return k.kind() + private + " " + k.Name + " " + base64.StdEncoding.EncodeToString(k.private.Seed()) + "\n"
}

// ParsePrivateKey reads the text of a private key's file. The error never quotes it.
func ParsePrivateKey(text string) (PrivateKey, error) {
	words := strings.Split(strings.TrimSuffix(text, "\n"), " ")
	if len(text) > maxKeyFile || len(words) != 3 {
		return PrivateKey{}, errors.New("not a private key as `aboyeur bundle keygen` writes it")
	}
	kind, ok := strings.CutSuffix(words[0], private)
	if !ok || kind != production && kind != development || !label(words[1], 32) {
		return PrivateKey{}, errors.New("not a private key; the one to sign with has no .pub behind its name")
	}
	seed, err := base64.StdEncoding.Strict().DecodeString(words[2])
	if err != nil || len(seed) != ed25519.SeedSize {
		return PrivateKey{}, errors.New("the private key is damaged; take the copy you keep")
	}
	secret := ed25519.NewKeyFromSeed(seed)
	return PrivateKey{Key{words[1], kind == development, secret.Public().(ed25519.PublicKey)}, secret}, nil
}

// options separate what is signed here from all else that a key may sign, and bind the words before the key.
func (k Key) options() *ed25519.Options {
	return &ed25519.Options{Context: "aboyeur bundle 1 " + k.kind() + " " + k.Name}
}

// sign signs a manifest.
func (k PrivateKey) sign(manifest []byte) ([]byte, error) {
	return k.private.Sign(nil, manifest, k.options())
}

// verify reports whether this key signed the manifest.
func (k Key) verify(manifest, signature []byte) bool {
	return ed25519.VerifyWithOptions(k.Public, manifest, signature, k.options()) == nil
}

// Trust is whom a box believes.
type Trust struct {
	Keys        []Key
	Revoked     []string // fingerprints: no longer, whatever Keys says
	Development bool     // a box for development takes development keys too
	Claim       bool     // without any key, the first one that comes is taken: a technician stands at the cable
}

func (t Trust) revoked(k Key) bool {
	for _, f := range t.Revoked {
		if f == k.Fingerprint() {
			return true
		}
	}
	return false
}

func (t Trust) known(k Key) bool {
	for _, have := range t.Keys {
		if have.Same(k) {
			return true
		}
	}
	return false
}

// Empty reports whether no key is believed.
func (t Trust) Empty() bool {
	for _, k := range t.Keys {
		if !t.revoked(k) && (t.Development || !k.Development) {
			return false
		}
	}
	return true
}
