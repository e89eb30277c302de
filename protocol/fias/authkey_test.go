package fias

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The vectors of fias.md 3.8.
const (
	vectorKey   = "GVDpVnl6qYlTQXQJZxXdbw=="
	vectorGood  = "FidCryptAB;3k57hsoHm04fGEyaA3+UVw==oNTebC0J36LY8GV9azyhzw=="
	vectorOther = "FidCryptAB;wrs43icYcDOz0+7U+hsoug==8fLwUEOfzfhDv9yg4z0lhw==" // another key made it
)

func TestKeyVectors(t *testing.T) {
	k, err := ParseKey("FidCrypt0S|" + vectorKey + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	stamp := Stamp(parsed(t, "LS|DA170831|TI102201|"))
	if err := k.Verify(vectorGood, stamp); err != nil {
		t.Errorf("Oracle's vector: %v", err)
	}
	if text, err := k.open(vectorGood); string(text) != "170831102201" || err != nil {
		t.Errorf("Oracle's vector holds %q, %v", text, err)
	}
	iv, _ := base64.StdEncoding.DecodeString("3k57hsoHm04fGEyaA3+UVw==")
	if got := k.cryptogram(stamp, [16]byte(iv)); got != vectorGood {
		t.Errorf("cryptogram = %s, want %s", got, vectorGood)
	}
	if err := k.Verify(vectorOther, "170719134041"); !errors.Is(err, ErrCryptogram) {
		t.Errorf("another key's cryptogram: %v", err)
	}
	if err := k.Verify(vectorGood, "170831102202"); !errors.Is(err, ErrCryptogram) {
		t.Errorf("another moment's cryptogram: %v", err)
	}
}

func TestKeys(t *testing.T) {
	k := NewKey()
	if other := NewKey(); *other == *k {
		t.Error("two keys are the same")
	}
	again, err := ParseKey(k.Export())
	if err != nil || *again != *k {
		t.Errorf("ParseKey(Export) = %v, %v", again, err)
	}
	c := k.Cryptogram("260301120000")
	if c == k.Cryptogram("260301120000") {
		t.Error("two cryptograms have one IV")
	}
	if err := k.Verify(c, "260301120000"); err != nil || len(c) > 150 {
		t.Errorf("own cryptogram %q: %v", c, err)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); strings.Contains(s, strings.TrimPrefix(k.Export(), keyPrefix)) || strings.Contains(s, "[") {
		t.Errorf("a key prints as %s", s)
	}
	for _, bad := range []string{"", "FidCrypt0S|", "x", vectorKey[:20], base64.StdEncoding.EncodeToString(make([]byte, 32)), "FidCrypt0S|!!!!"} {
		if _, err := ParseKey(bad); err != ErrKey {
			t.Errorf("ParseKey(%q) = %v", bad, err)
		}
	}
	for _, bad := range []string{"", "FidCryptAB;", "FidCryptAB;" + strings.Repeat("A", 24), "FidCryptAB;" + strings.Repeat("!", 48),
		c[:len(c)-4], c[1:], c + "AAAA", strings.ToLower(c)} {
		if err := k.Verify(bad, "260301120000"); !errors.Is(err, ErrCryptogram) {
			t.Errorf("Verify(%q) = %v", bad, err)
		}
	}
}
