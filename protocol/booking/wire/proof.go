package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aboyeur/protocol/booking"
)

// DefaultSkew is how far a signed time may be from ours: what was recorded cannot be played back later.
const DefaultSkew = 5 * time.Minute

// A Seal is a signature over a time and a body: HMAC-SHA256 of TIMESTAMP.BODY in hexadecimal, with an optional "sha256="
// before it, and the time in seconds since 1970.
type Seal struct {
	Secret    []byte
	Signature string // name of the header
	Timestamp string // name of the header
	Skew      time.Duration
}

// Sign adds the headers to h.
func (s Seal) Sign(h http.Header, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(s.Timestamp, stamp)
	h.Set(s.Signature, hex.EncodeToString(s.sum(stamp, body)))
}

// Check tells whether m is signed. Its errors wrap booking.ErrSignature and tell what a technician looks at first.
func (s Seal) Check(m booking.Message) error {
	if len(s.Secret) == 0 {
		return fmt.Errorf("%w: this venue has no secret for webhooks", booking.ErrSignature)
	}
	stamp := m.Header.Get(s.Timestamp)
	got, err := hex.DecodeString(strings.TrimPrefix(m.Header.Get(s.Signature), "sha256="))
	if err != nil || len(got) == 0 || stamp == "" {
		return fmt.Errorf("%w: headers %s and %s are wanted", booking.ErrSignature, s.Signature, s.Timestamp)
	}
	if !hmac.Equal(got, s.sum(stamp, m.Body)) {
		return booking.ErrSignature
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s is not seconds since 1970", booking.ErrSignature, s.Timestamp)
	}
	skew := s.Skew
	if skew <= 0 {
		skew = DefaultSkew
	}
	if age := m.At.Unix() - seconds; age > int64(skew/time.Second) || age < -int64(skew/time.Second) {
		return fmt.Errorf("%w: its time is more than %v from ours; an old message, or one of the clocks is wrong", booking.ErrSignature, skew)
	}
	return nil
}

func (s Seal) sum(stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write([]byte(stamp))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return mac.Sum(nil)
}

// Bearer tells whether m carries the secret as a bearer token.
func Bearer(m booking.Message, secret []byte) error {
	if len(secret) == 0 {
		return fmt.Errorf("%w: this venue has no secret for webhooks", booking.ErrSignature)
	}
	got, ok := strings.CutPrefix(m.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return fmt.Errorf("%w: a bearer token is wanted", booking.ErrSignature)
	}
	if !Same(got, secret) {
		return booking.ErrSignature
	}
	return nil
}

// Same compares a secret in a time that tells nothing of it.
func Same(got string, secret []byte) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256(secret)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
