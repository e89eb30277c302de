package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Contents is a file to be packed.
type Contents struct {
	Name   string
	SealTo []string // boxes that the file is sealed to, which makes it a secret
	Bytes  []byte
}

// Pack writes a bundle of m and files, signed by keys. m.Files is made from files. The result reads back.
func Pack(w io.Writer, m Manifest, files []Contents, keys ...PrivateKey) error {
	if len(keys) == 0 {
		return errors.New("no key to sign with")
	}
	files = slices.Clone(files)
	m.Files = nil
	var bodies [][]byte
	slices.SortFunc(files, func(a, b Contents) int {
		switch {
		case before(File{Name: a.Name, SealTo: a.SealTo}, File{Name: b.Name, SealTo: b.SealTo}):
			return -1
		case before(File{Name: b.Name, SealTo: b.SealTo}, File{Name: a.Name, SealTo: a.SealTo}):
			return 1
		}
		return 0
	})
	for _, f := range files {
		body := f.Bytes
		if f.SealTo != nil {
			var err error
			if body, err = Seal(f.Bytes, f.SealTo); err != nil {
				return fmt.Errorf("seal %s: %w", f.Name, err)
			}
		}
		m.Files = append(m.Files, File{f.Name, int64(len(body)), sha256.Sum256(body), f.SealTo})
		bodies = append(bodies, body)
	}
	if err := m.check(); err != nil {
		return err
	}
	head, err := sign(m.AppendTo(nil), keys...)
	if err != nil {
		return err
	}
	for _, b := range append([][]byte{head}, bodies...) {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// sign puts signatures behind a manifest.
func sign(manifest []byte, keys ...PrivateKey) ([]byte, error) {
	head := bytes.Clone(manifest)
	for _, k := range keys {
		signature, err := k.sign(manifest)
		if err != nil {
			return nil, err
		}
		head = fmt.Appendf(head, "signed %s %s\n", k.Key, base64.StdEncoding.EncodeToString(signature))
	}
	head = append(head, '\n')
	if len(head) > MaxHead {
		return nil, refuse(TooLarge, "leave files out", "its manifest has %d bytes, at most %d are taken", len(head), MaxHead)
	}
	return head, nil
}
