package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	bookingwire "aboyeur/protocol/booking/wire"
	"aboyeur/protocol/channel"
)

// A Seal is an aggregator's signature over the raw bytes of a webhook: HMAC-SHA256 in one header.
type Seal struct {
	Secret []byte
	Header string
	Base64 bool // base64 is taken too, in either alphabet, padded or not
	Exact  bool // hexadecimal has lower-case letters and nothing before it
}

// Sign gives what the header holds for body, in hexadecimal.
func (s Seal) Sign(body []byte) string { return hex.EncodeToString(s.sum(body)) }

// Check tells whether the message is signed. Its errors wrap channel.ErrSignature and tell what a technician looks at first.
func (s Seal) Check(h http.Header, body []byte) error {
	if len(s.Secret) == 0 {
		return fmt.Errorf("%w: this store has no secret for webhooks", channel.ErrSignature)
	}
	values := h.Values(s.Header)
	if len(values) != 1 || values[0] == "" {
		return fmt.Errorf("%w: one header %s is wanted", channel.ErrSignature, s.Header)
	}
	got, ok := s.decode(strings.TrimSpace(values[0]))
	if !ok {
		return fmt.Errorf("%w: header %s is not a signature", channel.ErrSignature, s.Header)
	}
	if !hmac.Equal(got, s.sum(body)) {
		return channel.ErrSignature
	}
	return nil
}

// decode gives the 32 bytes that value stands for.
func (s Seal) decode(value string) ([]byte, bool) {
	if !s.Exact {
		value = strings.TrimPrefix(value, "sha256=")
	}
	if len(value) == hex.EncodedLen(sha256.Size) && (!s.Exact || strings.ToLower(value) == value) {
		got, err := hex.DecodeString(value)
		return got, err == nil
	}
	if !s.Base64 {
		return nil, false
	}
	value = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(value, "="))
	got, err := base64.RawStdEncoding.DecodeString(value)
	return got, err == nil && len(got) == sha256.Size
}

func (s Seal) sum(body []byte) []byte {
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write(body)
	return mac.Sum(nil)
}

// Same compares a secret in a time that tells nothing of it.
func Same(got, want string) bool { return bookingwire.Same(got, []byte(want)) }

// Decimals are the digits behind the point of a currency (ISO 4217).
func Decimals(currency string) int { return bookingwire.Decimals(currency) }

// EventID names a message that brings no id of its own, by its content.
func EventID(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:16])
}
