package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"aboyeur/bridge/access"
)

const tokenUsage = `aboyeur token add --file FILE --role ROLE --name NAME
aboyeur token list --file FILE
aboyeur token remove --file FILE --name NAME
add prints the new token once; FILE keeps only its hash. A running box takes changes within seconds.
Roles: admin manager staff till aggregator screen metrics.
`

// runToken makes, lists and removes bearer tokens.
func runToken(_ context.Context, std stdio, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(std.err, tokenUsage)
		return exitRefused
	}
	act, args := args[0], args[1:]
	if act == "-h" || act == "--help" || act == "help" {
		fmt.Fprint(std.out, tokenUsage)
		return exitOK
	}
	flags := flag.NewFlagSet("aboyeur token "+act, flag.ContinueOnError)
	flags.SetOutput(std.err)
	flags.Usage = func() { fmt.Fprint(std.err, tokenUsage) }
	var file, role, name string
	flags.StringVar(&file, "file", "", "the tokens file, http.tokens_file of the configuration")
	switch act {
	case "add":
		flags.StringVar(&role, "role", "", "what its bearer may do")
		flags.StringVar(&name, "name", "", "who its bearer is, as in otter or lea")
	case "remove":
		flags.StringVar(&name, "name", "", "whose token goes")
	case "list":
	default:
		fmt.Fprintf(std.err, "aboyeur token: there is no %q; write add, list or remove\n", act)
		return exitRefused
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitRefused
	}
	switch {
	case flags.NArg() > 0:
		fmt.Fprintf(std.err, "aboyeur token %s: %q is too much; everything is a flag here\n", act, flags.Arg(0))
		return exitRefused
	case file == "":
		fmt.Fprintf(std.err, "aboyeur token %s: --file is missing; give the tokens file, as in /etc/aboyeur/tokens\n", act)
		return exitRefused
	case name == "" && act != "list":
		fmt.Fprintf(std.err, "aboyeur token %s: --name is missing; say whose token it is\n", act)
		return exitRefused
	}
	var r access.Role
	var err error
	if act == "add" {
		r, err = access.ParseRole(role)
	}
	if err == nil && act != "list" {
		err = access.CheckName(name)
	}
	if err != nil {
		fmt.Fprintf(std.err, "aboyeur token %s: %v\n", act, err)
		return exitRefused
	}
	switch act {
	case "add":
		err = addToken(std, file, r, name)
	case "remove":
		err = access.RemoveToken(file, name)
	case "list":
		err = listTokens(std.out, file)
	}
	if err != nil {
		fmt.Fprintf(std.err, "aboyeur token %s: %v\n", act, err)
		return exitFailed
	}
	return exitOK
}

// addToken prints the token alone on stdout, so that a script can take it, and a word for people on stderr.
func addToken(std stdio, file string, role access.Role, name string) error {
	token, err := access.AddToken(file, name, role, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintln(std.out, token)
	fmt.Fprintf(std.err, "token of %s (%s) made; it is not shown again\n", name, role)
	return nil
}

func listTokens(out io.Writer, file string) error {
	tokens, err := access.ReadTokens(file)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tROLE\tCREATED")
	for _, t := range tokens {
		fmt.Fprintf(w, "%s\t%s\t%s\n", t.Name, t.Role, t.Created.Format(time.RFC3339))
	}
	return w.Flush()
}
