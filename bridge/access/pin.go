package access

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a PIN, in digits. Who may do more needs a longer one.
const (
	MinPIN        = 4
	MinManagerPIN = 6
	MaxPIN        = 12

	// DefaultPINRounds is how often PBKDF2 with SHA-256 stirs a PIN: a quarter of a second of a Raspberry Pi. So few digits
	// no hash protects from somebody who has the journal; from everybody else they are protected by the lock.
	DefaultPINRounds = 200_000
	maxPINRounds     = 10_000_000 // a row that asks for more is not one of ours
	pinSalt          = 16         // bytes
)

// CheckPIN tells what is wrong with a PIN that somebody of that role wants to have.
func CheckPIN(pin string, role Role) error {
	least := MinPIN
	if role != Staff {
		least = MinManagerPIN
	}
	if len(pin) < least || len(pin) > MaxPIN {
		return fmt.Errorf("a PIN of %s has %d to %d digits", role, least, MaxPIN)
	}
	same, up, down := true, true, true
	for i := range len(pin) {
		c := pin[i]
		if c < '0' || c > '9' {
			return errors.New("a PIN is digits only")
		}
		if i > 0 {
			before := pin[i-1]
			same = same && c == before
			up = up && c == '0'+(before-'0'+1)%10
			down = down && before == '0'+(c-'0'+1)%10
		}
	}
	if same || up || down {
		return errors.New("this PIN is the first that anybody would try; take digits that are neither all the same nor in a row")
	}
	return nil
}

// hashPIN makes what is kept of a PIN: pbkdf2-sha256, rounds, salt and key, parted by $.
func hashPIN(pin string, rounds int) (string, error) {
	salt := make([]byte, pinSalt)
	_, _ = rand.Read(salt)
	key, err := pbkdf2.Key(sha256.New, pin, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hash a PIN: %w", err)
	}
	return "pbkdf2-sha256$" + strconv.Itoa(rounds) + "$" + hex.EncodeToString(salt) + "$" + hex.EncodeToString(key), nil
}

// rightPIN tells whether hash was made of pin. A hash it cannot read fits no PIN.
func rightPIN(pin, hash string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 4 || parts[0] != "pbkdf2-sha256" || len(pin) > MaxPIN {
		return false
	}
	rounds, err := strconv.Atoi(parts[1])
	if err != nil || rounds < 1 || rounds > maxPINRounds {
		return false
	}
	salt, err := hex.DecodeString(parts[2])
	if err != nil {
		return false
	}
	want, err := hex.DecodeString(parts[3])
	if err != nil || len(want) != sha256.Size {
		return false
	}
	got, err := pbkdf2.Key(sha256.New, pin, salt, rounds, len(want))
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}
