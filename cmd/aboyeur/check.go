package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	_ "time/tzdata" // a small image may have no zone files, and tickets need the venue's time

	firmwareconfig "aboyeur/firmware-config"
)

// runCheck says whether the box would take a configuration file.
func runCheck(_ context.Context, std stdio, args []string) int {
	flags := flag.NewFlagSet("aboyeur check", flag.ContinueOnError)
	flags.SetOutput(std.err)
	flags.Usage = func() {
		fmt.Fprintln(std.err, "aboyeur check [--secrets] FILE")
		fmt.Fprintln(std.err, "Prints what is wrong, one fault a line, and exits 2; or says that FILE is valid, with warnings, and exits 0.")
		flags.PrintDefaults()
	}
	secrets := flags.Bool("secrets", false, "also look at the files it names: are they there, readable, closed to others")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitRefused
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return exitRefused
	}
	file := flags.Arg(0)
	c, err := firmwareconfig.Load(file)
	var faults firmwareconfig.Faults
	switch {
	case errors.As(err, &faults):
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(std.err, "aboyeur check: there is no file %s; write the path of the configuration, as in /etc/aboyeur/box.yaml\n", file)
		return exitRefused
	case err != nil:
		fmt.Fprintf(std.err, "aboyeur check: %v\n", err)
		return exitRefused
	case *secrets:
		faults = c.CheckSecrets(file)
	}
	if len(faults) > 0 {
		fmt.Fprintln(std.out, faults)
		return exitRefused
	}
	fmt.Fprintf(std.out, "%s: valid\n", file)
	for _, w := range c.Warnings() {
		fmt.Fprintf(std.out, "%s:%d:%d: warning: %s: %s; %s\n", w.File, w.Line, w.Column, w.Key, w.Problem, w.Remedy)
	}
	return exitOK
}
