package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"aboyeur/protocol/escpos"
)

// maxStream bounds what `escpos decode` reads: hours of a busy printer.
const maxStream = 64 << 20

// runEscpos is `aboyeur escpos decode`: what a byte stream would print. It exits 0, or 2 when it cannot.
func runEscpos(ctx context.Context, std stdio, args []string) int {
	if len(args) == 0 || args[0] != "decode" {
		if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
			escposUsage(std.out)
			return exitOK
		}
		escposUsage(std.err)
		return exitRefused
	}
	flags := flag.NewFlagSet("escpos decode", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	format := flags.String("format", "text", "")
	out := flags.String("o", "", "")
	model := flags.String("model", escpos.DefaultModel, "")
	columns := flags.Int("columns", 0, "")
	if err := flags.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			escposUsage(std.out)
			return exitOK
		}
		fmt.Fprintf(std.err, "aboyeur escpos decode: %v\n", err)
		escposUsage(std.err)
		return exitRefused
	}
	if err := decodeEscpos(ctx, std, flags.Args(), *format, *out, *model, *columns); err != nil {
		fmt.Fprintf(std.err, "aboyeur escpos decode: %v\n", err)
		return exitRefused
	}
	return exitOK
}

func escposUsage(w io.Writer) {
	fmt.Fprint(w, `aboyeur escpos decode [--format text|json|png] [--model MODEL] [--columns N] [-o OUT] FILE|-
  shows what a stream of ESC/POS bytes would put on paper; - reads standard input
  models: `+strings.Join(escpos.Models(), " ")+"\n")
}

func decodeEscpos(ctx context.Context, std stdio, files []string, format, out, model string, columns int) error {
	if len(files) != 1 {
		return fmt.Errorf("give one FILE, or - for standard input; got %d", len(files))
	}
	switch format {
	case "text", "json", "png":
	default:
		return fmt.Errorf("--format %q is not known; write text, json or png", format)
	}
	p, ok := escpos.ProfileFor(model)
	if !ok {
		return fmt.Errorf("--model %q is not known; write one of %s", model, strings.Join(escpos.Models(), " "))
	}
	if columns != 0 && (columns < escpos.MinColumns || columns > escpos.MaxColumns) {
		return fmt.Errorf("--columns %d is no width of paper; write %d to %d", columns, escpos.MinColumns, escpos.MaxColumns)
	}
	if columns != 0 {
		p = p.WithColumns(columns)
	}
	stream, err := readStream(std, files[0])
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}

	var b bytes.Buffer
	paper := escpos.Render(stream, p)
	switch format {
	case "text":
		b.WriteString(paper.Text())
	case "json":
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(paper)
	case "png":
		err = paper.PNG(&b)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", format, err)
	}
	if out == "" || out == "-" {
		if _, err := std.out.Write(b.Bytes()); err != nil {
			return fmt.Errorf("write standard output: %w", err)
		}
		return nil
	}
	return replaceFile(out, b.Bytes())
}

func readStream(std stdio, name string) ([]byte, error) {
	in := std.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	} else {
		name = "standard input"
	}
	b, err := io.ReadAll(io.LimitReader(in, maxStream+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > maxStream {
		return nil, fmt.Errorf("%s is longer than %d MiB; cut it into parts", name, maxStream>>20)
	}
	return b, nil
}

// replaceFile writes name in one step: after any failure the old file, or none, is there.
func replaceFile(name string, b []byte) (err error) {
	if st, serr := os.Stat(name); serr == nil && !st.Mode().IsRegular() { // a pipe or /dev/stdout has no other way
		return os.WriteFile(name, b, 0o644)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", name, err)
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
