package pos

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxReference is the longest reference, in characters: what every till takes (spec/delivery.md 9).
const MaxReference = 40

// Reference names an order at a till: two letters of the partner and its short number, so that people recognise it, and a hash
// of key, which is the order's own for ever.
func Reference(partner, short, key string) string {
	sum := sha256.Sum256([]byte(key))
	hash := "-" + hex.EncodeToString(sum[:4])
	name := plain(partner)
	if words := strings.Fields(partner); len(words) > 1 && plain(words[1]) != "" && name != "" {
		name = name[:1] + plain(words[1])[:1]
	}
	name = strings.ToUpper(name[:min(2, len(name))]) + plain(short)
	return name[:min(len(name), MaxReference-len(hash))] + hash
}

// plain keeps what every till takes in a reference.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return -1
	}, s)
}
