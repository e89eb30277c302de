package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// sealOverhead is what sealing may add to a secret: age's header with a stanza a recipient, and a tag.
const sealOverhead = 4 << 10

// An Identity is a box's own key pair. Its private half never leaves the box; secrets are sealed to its public half.
type Identity struct{ key *age.X25519Identity }

// GenerateIdentity makes a new one.
func GenerateIdentity() (Identity, error) {
	k, err := age.GenerateX25519Identity()
	return Identity{k}, err
}

// ParseIdentity reads the text that Text wrote. The error never quotes it.
func ParseIdentity(text string) (Identity, error) {
	k, err := age.ParseX25519Identity(strings.TrimSpace(text))
	if err != nil {
		return Identity{}, errors.New("the box's identity is damaged; remove its file, and have secrets sealed to the new one")
	}
	return Identity{k}, nil
}

// Text is the private half, for a file that only the box reads.
func (i Identity) Text() string { return i.key.String() + "\n" }

// Public is what secrets are sealed to, as in age1….
func (i Identity) Public() string { return i.key.Recipient().String() }

// Fingerprint is what people compare.
func (i Identity) Fingerprint() string { return fingerprint("age-x25519", []byte(i.Public())) }

// Seal encrypts a secret to boxes.
func Seal(secret []byte, to []string) ([]byte, error) {
	if len(secret) > MaxSecret {
		return nil, refuse(TooLarge, "is it the right file?", "a secret has %d bytes, at most %d are taken", len(secret), MaxSecret)
	}
	var recipients []age.Recipient
	for _, text := range to {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no box's key; take the line that `aboyeur identity` shows, beginning with age1", clip(text))
		}
		recipients = append(recipients, r)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(secret); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Unseal opens a sealed secret.
func (i Identity) Unseal(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), i.key)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, refuse(SealedToOthers, "pack it with --seal-to "+i.Public(), "a secret is sealed to another box")
	}
	if err != nil {
		return nil, refuse(Malformed, "pack the bundle anew", "a sealed secret cannot be opened")
	}
	secret, err := io.ReadAll(io.LimitReader(r, MaxSecret+1))
	if err != nil || len(secret) > MaxSecret {
		return nil, refuse(Malformed, "pack the bundle anew", "a sealed secret cannot be opened")
	}
	return secret, nil
}
