package opera

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// What stands before a key and before a cryptogram (fias.md 3.8).
const (
	keyPrefix = "FidCrypt0S|"
	cgPrefix  = "FidCryptAB;"
)

// authKey reads an IfcAuthKey; "" is none.
func authKey(s string) ([]byte, error) {
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, keyPrefix))
	if err != nil || len(key) != 16 {
		return nil, errors.New("authentication key: write 16 bytes in base64, as in FidCrypt0S|GVDpVnl6qYlTQXQJZxXdbw==")
	}
	return key, nil
}

// checkCryptogram says whether cg seals the DA and TI of our last LS. It is made here without the vendor's code, so that one
// checks the other.
func checkCryptogram(key []byte, cg, ls string) error {
	rest, ok := strings.CutPrefix(cg, cgPrefix)
	if !ok || len(rest) < 24 {
		return fmt.Errorf("CG does not begin with %s and an initial vector", cgPrefix)
	}
	iv, err := base64.StdEncoding.DecodeString(rest[:24])
	if err != nil || len(iv) != aes.BlockSize {
		return errors.New("CG: the initial vector is not 16 bytes in base64")
	}
	text, err := base64.StdEncoding.DecodeString(rest[24:])
	if err != nil || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return errors.New("CG: what follows the initial vector is not whole blocks in base64")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad < 1 || pad > aes.BlockSize {
		return errors.New("CG: wrong key")
	}
	for _, b := range text[len(text)-pad:] {
		if int(b) != pad {
			return errors.New("CG: wrong key")
		}
	}
	if got := string(text[:len(text)-pad]); got != ls {
		return fmt.Errorf("CG seals %q, not our LS of %s", got, ls)
	}
	return nil
}
