package main

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"
)

// TestCheckCodes holds the exit codes of the contract, which scripts cannot tell apart.
func TestCheckCodes(t *testing.T) {
	examples := filepath.Join("..", "..", "firmware-config", "testdata")
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{filepath.Join(examples, "ok", "minimal.yaml")}, exitOK},
		{[]string{filepath.Join(examples, "ok", "full.yaml")}, exitOK},
		{[]string{filepath.Join(examples, "wrong", "site-timezone.yaml")}, exitRefused},
		{[]string{filepath.Join(t.TempDir(), "none.yaml")}, exitRefused},
		{[]string{"--nonsense"}, exitRefused},
		{[]string{"--help"}, exitOK},
		{nil, exitRefused},
	} {
		if got := runCheck(t.Context(), stdio{out: io.Discard, err: io.Discard}, c.args); got != c.want {
			t.Errorf("check %q exits %d, want %d", c.args, got, c.want)
		}
	}
	var out bytes.Buffer
	if got := runSchema(t.Context(), stdio{out: &out, err: io.Discard}, nil); got != exitOK || out.Len() == 0 {
		t.Errorf("schema exits %d with %d bytes", got, out.Len())
	}
}
