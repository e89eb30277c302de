package fias

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// What stands before the key in the installer's file and before the cryptogram in CG (fias.md 3.8).
const (
	keyPrefix        = "FidCrypt0S|"
	cryptogramPrefix = "FidCryptAB;"
	ivChars          = 24 // base64 of 16 bytes
)

// Faults of a key and of a cryptogram.
var (
	ErrKey        = errors.New("not an IfcAuthKey; it reads FidCrypt0S| and 24 characters of base64, 16 bytes")
	ErrCryptogram = errors.New("the cryptogram does not fit the key and the LS it answers")
)

// A Key is an IfcAuthKey, by which the hotel knows its till: AES, 128 bits (fias.md 3.8). It prints as nothing.
type Key struct{ key [16]byte }

// NewKey draws a new key.
func NewKey() *Key {
	var k Key
	rand.Read(k.key[:])
	return &k
}

// ParseKey reads a key as the installer has it, FidCrypt0S|<base64>, or the base64 alone. Blanks around it do not count.
func ParseKey(s string) (*Key, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(strings.TrimSpace(s), keyPrefix))
	if err != nil || len(raw) != 16 {
		return nil, ErrKey // without the cause, which would quote the key
	}
	return &Key{[16]byte(raw)}, nil
}

// Export is the key as the installer needs it.
func (k *Key) Export() string { return keyPrefix + base64.StdEncoding.EncodeToString(k.key[:]) }

// String hides the key from logs.
func (*Key) String() string { return "IfcAuthKey" }

// GoString hides the key from logs.
func (*Key) GoString() string { return "IfcAuthKey" }

// Cryptogram is CG for an LD that answers an LS: the LS's date and time, YYMMDDHHMMSS, encrypted with AES-128-CBC and PKCS7
// under a fresh IV.
func (k *Key) Cryptogram(stamp string) string {
	var iv [aes.BlockSize]byte
	rand.Read(iv[:])
	return k.cryptogram(stamp, iv)
}

func (k *Key) cryptogram(stamp string, iv [aes.BlockSize]byte) string {
	pad := aes.BlockSize - len(stamp)%aes.BlockSize
	text := append([]byte(stamp), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(k.block(), iv[:]).CryptBlocks(text, text)
	return cryptogramPrefix + base64.StdEncoding.EncodeToString(iv[:]) + base64.StdEncoding.EncodeToString(text)
}

// Verify reports whether a cryptogram was made with this key for an LS of that stamp; nil, or an error that is
// ErrCryptogram. It is the hotel's side.
func (k *Key) Verify(cryptogram, stamp string) error {
	text, err := k.open(cryptogram)
	if err != nil {
		return err
	}
	if string(text) != stamp {
		return fmt.Errorf("%w: it is for another moment", ErrCryptogram)
	}
	return nil
}

// open decrypts a cryptogram.
func (k *Key) open(cryptogram string) ([]byte, error) {
	s, ok := strings.CutPrefix(cryptogram, cryptogramPrefix)
	if !ok || len(s) <= ivChars {
		return nil, fmt.Errorf("%w: it does not begin with %s and an IV", ErrCryptogram, cryptogramPrefix)
	}
	iv, err := base64.StdEncoding.DecodeString(s[:ivChars])
	if err != nil || len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("%w: the IV is not 16 bytes of base64", ErrCryptogram)
	}
	text, err := base64.StdEncoding.DecodeString(s[ivChars:])
	if err != nil || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%w: it is not whole blocks of base64", ErrCryptogram)
	}
	cipher.NewCBCDecrypter(k.block(), iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad < 1 || pad > aes.BlockSize || !bytes.Equal(text[len(text)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, fmt.Errorf("%w: another key made it", ErrCryptogram)
	}
	return text[:len(text)-pad], nil
}

func (k *Key) block() cipher.Block {
	b, err := aes.NewCipher(k.key[:])
	if err != nil { // 16 bytes are always a key
		panic(err)
	}
	return b
}

// Stamp is what a cryptogram is made of: DA and TI of an LS as it came.
func Stamp(r *Record) string { return string(r.Get(DA)) + string(r.Get(TI)) }
