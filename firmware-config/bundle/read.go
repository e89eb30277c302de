package bundle

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"strings"
)

// A Reader gives the files of a bundle whose signature held.
type Reader struct {
	Manifest
	Signer  Key    // whose signature counted
	Claimed bool   // that key was not known before: the first of an unclaimed box
	Head    []byte // manifest and signatures as they came

	r    *bufio.Reader
	next int
	body *body
}

// Open reads the head of a bundle and believes it when one of the keys of t signed it. The error is a *Refusal, or what
// reading r gave.
func Open(r io.Reader, t Trust) (*Reader, error) {
	b, signatures, err := open(r)
	if err != nil {
		return nil, err
	}
	text := b.Head[:b.signedTo]
	if b.Signer, b.Claimed, err = t.believe(text, signatures); err != nil {
		return nil, err
	}
	if b.Manifest, err = parseManifest(text); err != nil {
		return nil, err
	}
	return &b.Reader, nil
}

// Peek reads the head of a bundle without believing it: for showing what it says, and who says so.
func Peek(r io.Reader) (m Manifest, signers []Key, err error) {
	b, signatures, err := open(r)
	if err != nil {
		return m, nil, err
	}
	for _, s := range signatures {
		signers = append(signers, s.key)
	}
	m, err = parseManifest(b.Head[:b.signedTo])
	return m, signers, err
}

type opened struct {
	Reader
	signedTo int // length of the manifest in Head
}

type signature struct {
	key   Key
	bytes []byte
}

// open reads the head without judging it.
func open(r io.Reader) (b opened, signatures []signature, err error) {
	const remedy = "make it anew with `aboyeur bundle pack`"
	b.r = bufio.NewReaderSize(r, 4096)
	start, err := b.r.Peek(len(firstLine) + 1)
	if err != nil && err != io.EOF {
		return b, nil, err
	}
	if string(start) != firstLine+"\n" {
		switch {
		case bytes.HasPrefix(start, []byte("aboyeur bundle ")) && len(start) == len(firstLine)+1:
			return b, nil, refuse(NewerFormat, "install a newer program on the box", "it is written in a newer form")
		case len(start) > 0 && strings.HasPrefix(firstLine+"\n", string(start)):
			return b, nil, refuse(Truncated, "copy it again", "it ends in its first line")
		}
		return b, nil, refuse(NotABundle, "take the file that `aboyeur bundle pack` made", "it does not begin as a bundle does")
	}
	if b.Head, err = paragraph(b.r, nil); err != nil {
		return b, nil, err
	}
	b.signedTo = len(b.Head)
	if b.Head, err = paragraph(b.r, b.Head); err != nil {
		return b, nil, err
	}
	for line := range strings.Lines(string(b.Head[b.signedTo : len(b.Head)-1])) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(words) != 5 || words[0] != "signed" {
			return b, nil, refuse(Malformed, remedy, "one of its signatures is not written as signatures are: %q", clip(line))
		}
		key, err := parseKey(words[1], words[2], words[3])
		if err != nil {
			return b, nil, refuse(Malformed, remedy, "the key of a signature is wrong: %v", err)
		}
		s, err := base64.StdEncoding.Strict().DecodeString(words[4])
		if err != nil || len(s) != ed25519.SignatureSize {
			return b, nil, refuse(Malformed, remedy, "the signature of %s is no signature", key.Name)
		}
		if signatures = append(signatures, signature{key, s}); len(signatures) > maxSigned {
			return b, nil, refuse(TooLarge, remedy, "it has more than %d signatures", maxSigned)
		}
	}
	return b, signatures, nil
}

// paragraph appends lines to head up to and with an empty one. What it takes is bounded by MaxHead.
func paragraph(r *bufio.Reader, head []byte) ([]byte, error) {
	for {
		line, err := r.ReadSlice('\n')
		if len(head)+len(line) > MaxHead {
			return nil, refuse(TooLarge, "leave files out", "its manifest has more than %d bytes", MaxHead)
		}
		head = append(head, line...)
		switch {
		case err == io.EOF:
			return nil, refuse(Truncated, "copy it again", "it ends in its manifest")
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return nil, err
		case len(line) == 1 && (len(head) == 1 || head[len(head)-2] == '\n'):
			return head, nil
		}
	}
}

// believe finds the signature that counts.
func (t Trust) believe(manifest []byte, signatures []signature) (Key, bool, error) {
	if len(signatures) == 0 {
		return Key{}, false, refuse(Unsigned, "sign it: `aboyeur bundle pack --key …`", "nobody signed it")
	}
	var why *Refusal
	claim := t.Claim && t.Empty()
	for _, s := range signatures {
		switch {
		case t.revoked(s.key):
			why = refuse(RevokedKey, "sign it with a key that is in force", "it is signed by %s (%s), which was revoked", s.key.Name, s.key.Fingerprint())
		case s.key.Development && !t.Development:
			why = refuse(DevelopmentKey, "sign it with a production key", "%s is a key for development and this box is none for development", s.key.Name)
		case !s.key.verify(manifest, s.bytes):
			return Key{}, false, refuse(BadSignature, "copy it again, and if that does not help do not trust where it came from", "the signature of %s does not fit: the bundle was changed after it was signed", s.key.Name)
		case t.known(s.key):
			return s.key, false, nil
		case claim:
			return s.key, true, nil
		case why != nil:
		case t.Empty():
			why = refuse(Unclaimed, "bring the first bundle by cable, or put the .pub file into trust.d", "this box knows no key yet, and takes its first one by cable only")
		default:
			why = refuse(UnknownKey, "sign it with a key this box knows, or bring the key with a bundle signed by a known one", "it is signed by %s (%s), which this box does not know", s.key.Name, s.key.Fingerprint())
		}
	}
	return Key{}, false, why
}

// Next gives the next file and its bytes, and io.EOF behind the last one when the bundle ends there as well. What was left
// unread of the file before is read and checked. The bytes are believed only once their reader has said io.EOF: it says a
// *Refusal instead where they are not what was signed.
func (b *Reader) Next() (File, io.Reader, error) {
	if b.body != nil {
		if _, err := io.Copy(io.Discard, b.body); err != nil {
			return File{}, nil, err
		}
	}
	if b.next == len(b.Files) {
		b.body = nil
		switch _, err := b.r.ReadByte(); {
		case err == nil:
			return File{}, nil, refuse(Trailing, "copy it again", "something follows behind its last file")
		case err != io.EOF:
			return File{}, nil, err
		}
		return File{}, nil, io.EOF
	}
	f := b.Files[b.next]
	b.next++
	b.body = &body{r: b.r, file: f, left: f.Size, sum: sha256.New()}
	return f, b.body, nil
}

// Verify reads the rest of the bundle and checks every byte.
func (b *Reader) Verify() error {
	for {
		if _, _, err := b.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// body is one file on its way.
type body struct {
	r    io.Reader
	file File
	left int64
	sum  hash.Hash
	err  error
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		b.err = io.EOF
		if [32]byte(b.sum.Sum(nil)) != b.file.SHA256 {
			b.err = refuse(FileChanged, "copy the bundle again", "%s is not the file that was signed", b.file.Name)
		}
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.sum.Write(p[:n])
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		b.err = refuse(Truncated, "copy it again, and take the stick out only when the box says so", "it ends in the middle of %s", b.file.Name)
		return n, b.err
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}
