// Command aboyeur is the appliance of a restaurant kitchen: it takes orders, has them on disk, on paper and on
// screens in milliseconds, and shows what became of each. One file of this folder holds one subcommand.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of the contract, section 2.
const (
	exitOK      = 0
	exitFailed  = 1
	exitRefused = 2
)

// A command is one subcommand. run gets the words after its name and returns the exit code.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, std stdio, args []string) int
}

// stdio is what a command reads and writes, so that tests can give their own.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

func commands() []command {
	return []command{
		{"run", "the service: --config FILE", runRun},
		{"demo", "the service among simulated peers: an evening to look at", runDemo},
		{"check", "validate a configuration file", runCheck},
		{"schema", "print the JSON Schema of the configuration", runSchema},
		{"token", "add, list and remove bearer tokens", runToken},
		{"identity", "the box's own public key, to which secrets are sealed", runIdentity},
		{"bundle", "signed configurations: keygen, pack, verify, show, apply", runBundle},
		{"flash", "bring a bundle to a box by USB stick or cable; read its status and logs", runFlash},
		{"doctor", "look at everything a box needs: devices, permissions, disk, clock, links", runDoctor},
		{"simulate", "run a simulated peer: a printer", runSimulate},
		{"escpos", "show what a byte stream would print", runEscpos},
		{"backup", "copy the journal, while the box runs: FILE", runBackup},
		{"restore", "make a copy the journal of a box that is stopped: FILE", runRestore},
		{"support", "write a support bundle, whether the box runs or not: FILE", runSupport},
		{"version", "version, commit, Go version, with or without libusb", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := dispatch(ctx, stdio{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

func dispatch(ctx context.Context, std stdio, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(std.out)
		if len(args) == 0 {
			return exitRefused
		}
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, std, args[1:])
		}
	}
	fmt.Fprintf(std.err, "aboyeur: there is no command %q; `aboyeur help` lists them\n", args[0])
	return exitRefused
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "aboyeur COMMAND [flags]")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
}
