package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const escposStream = "\x1b@\x1bt\x10\x1b!\x30TABLE 12\n\x1b!\x00Cr\xe8me br\xfbl\xe9e  12,50 \x80\n\x1dVB\x00left over"

func TestEscposDecode(t *testing.T) {
	run := func(t *testing.T, in string, args ...string) (code int, out, err string) {
		t.Helper()
		var o, e bytes.Buffer
		code = runEscpos(t.Context(), stdio{strings.NewReader(in), &o, &e}, args)
		return code, o.String(), e.String()
	}
	t.Run("text", func(t *testing.T) {
		code, out, stderr := run(t, escposStream, "decode", "-")
		if code != exitOK || stderr != "" {
			t.Fatalf("exit %d, stderr %q, want 0 and nothing", code, stderr)
		}
		for _, want := range []string{"2x2 |TABLE 12\n", "|Crème brûlée  12,50 €\n", "- 8< -", `not printed, no line feed came: "left over"`} {
			if !strings.Contains(out, want) {
				t.Errorf("output lacks %q:\n%s", want, out)
			}
		}
	})
	t.Run("json", func(t *testing.T) {
		_, out, _ := run(t, escposStream, "decode", "--format", "json", "--model", "epson-tm-t88", "-")
		var paper struct {
			Columns int
			Tickets []struct {
				Cut   string
				Lines []struct{ Spans []struct{ Text string } }
			}
			Lost []string
		}
		if err := json.Unmarshal([]byte(out), &paper); err != nil {
			t.Fatal(err)
		}
		if paper.Columns != 42 || len(paper.Tickets) != 1 || paper.Tickets[0].Cut != "partial" || paper.Tickets[0].Lines[0].Spans[0].Text != "TABLE 12" || len(paper.Lost) != 1 {
			t.Errorf("decoded %+v", paper)
		}
	})
	t.Run("png to a file", func(t *testing.T) {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.bin"), filepath.Join(dir, "out.png")
		if err := os.WriteFile(in, []byte(escposStream), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := run(t, "", "decode", "--format=png", "-o", out, in); code != exitOK {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(b)); err != nil {
			t.Error(err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for _, c := range []struct {
			args []string
			want string
		}{
			{nil, "aboyeur escpos decode ["},
			{[]string{"encode"}, "aboyeur escpos decode ["},
			{[]string{"decode"}, "give one FILE"},
			{[]string{"decode", "a", "b"}, "got 2"},
			{[]string{"decode", "--format", "pdf", "-"}, "write text, json or png"},
			{[]string{"decode", "--model", "epson-tm-x", "-"}, "write one of generic-80mm"},
			{[]string{"decode", "--columns", "5", "-"}, "write 16 to 96"},
			{[]string{"decode", "--nonsense", "-"}, "-nonsense"},
			{[]string{"decode", "does-not-exist.bin"}, "does-not-exist.bin"},
		} {
			if code, out, stderr := run(t, "", c.args...); code != exitRefused || out != "" || !strings.Contains(stderr, c.want) {
				t.Errorf("escpos %q: exit %d, stdout %q, stderr %q; want 2 and %q", c.args, code, out, stderr, c.want)
			}
		}
	})
	t.Run("no half-written file", func(t *testing.T) {
		dir := t.TempDir()
		out := filepath.Join(dir, "out.txt")
		if err := os.WriteFile(out, []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		code := runEscpos(t.Context(), stdio{failingReader{}, &stderr, &stderr}, []string{"decode", "-o", out, "-"})
		got, _ := os.ReadFile(out)
		files, _ := os.ReadDir(dir)
		if code != exitRefused || string(got) != "kept" || len(files) != 1 {
			t.Errorf("exit %d, file %q, %d files; want 2, the old file alone", code, got, len(files))
		}
		if code, _, msg := run(t, escposStream, "decode", "-o", filepath.Join(dir, "none", "x.txt"), "-"); code != exitRefused || !strings.Contains(msg, "x.txt") {
			t.Errorf("into a missing folder: exit %d, %q", code, msg)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out bytes.Buffer
		if code := runEscpos(ctx, stdio{strings.NewReader(escposStream), &out, &out}, []string{"decode", "-"}); code != exitRefused {
			t.Errorf("exit %d, want 2", code)
		}
	})
}

type failingReader struct{}

func (failingReader) Read(p []byte) (int, error) {
	return copy(p, "half a ticket\n"), errors.New("cable gone")
}
