package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"aboyeur/protocol/bepoz"
	simulatedbepoz "aboyeur/simulate/bepoz"
	"aboyeur/simulate/bookings"
	"aboyeur/simulate/lightspeed"
)

// runSimulateLightspeed runs a Lightspeed K location with its till.
func runSimulateLightspeed(ctx context.Context, std stdio, args []string) int {
	fs := flag.NewFlagSet("aboyeur simulate lightspeed", flag.ContinueOnError)
	fs.SetOutput(std.err)
	c := lightspeed.Config{Faults: bookings.Faults{Rates: map[bookings.Kind]float64{}}}
	listen := fs.String("listen", "127.0.0.1:8095", "`address` of the interface")
	control := fs.String("control", "", "`address` for HTTP control (POST /faults, /hook, GET /state, /calls); empty: none")
	fs.StringVar(&c.Location, "location", lightspeed.DefaultLocation, "`id` of the business location")
	fs.StringVar(&c.Token, "token", lightspeed.DefaultToken, "bearer `token` that callers have to know")
	fs.StringVar(&c.Hook, "hook", "", "`URL` of notifications; empty: where the box subscribes")
	fs.BoolVar(&c.Texts, "texts", false, "amounts as texts and times with an offset, as in the older form")
	fs.Func("fault", "`KIND=RATE`, as lost_answer=0.05; may be repeated", rated(c.Faults.Rates, &c.Faults))
	if code, ok := parsed(fs, std, args); !ok {
		return code
	}
	say := func(code int, err error) int {
		fmt.Fprintf(std.err, "aboyeur simulate lightspeed: %v\n", err)
		return code
	}
	sim, err := lightspeed.New(c)
	if err != nil {
		return say(exitRefused, err)
	}
	defer sim.Close()
	return serveSimulated(ctx, std, "lightspeed", *listen, *control, sim, say)
}

// runSimulateBepoz runs a till that tells the box what stands on its standard input, a JSON message a line.
func runSimulateBepoz(ctx context.Context, std stdio, args []string) int {
	fs := flag.NewFlagSet("aboyeur simulate bepoz", flag.ContinueOnError)
	fs.SetOutput(std.err)
	connect := fs.String("connect", "127.0.0.1:7710", "`address` where the box takes lines of tills (pos.listen)")
	name := fs.String("till", "T1", "`name` of the till")
	version := fs.String("version", bepoz.Minimum().String(), "`version` of SmartPOS that it says it is")
	secret := fs.String("secret-file", "", "`file` with the secret that it shares with the box")
	list := fs.Bool("list", false, "print the bookings of today, a line each, and end")
	if code, ok := parsed(fs, std, args); !ok {
		return code
	}
	say := func(code int, err error) int {
		fmt.Fprintf(std.err, "aboyeur simulate bepoz: %v\n", err)
		return code
	}
	till := simulatedbepoz.New(*name)
	till.Version = *version
	if *secret != "" {
		b, err := os.ReadFile(*secret)
		if err != nil {
			return say(exitRefused, err)
		}
		till.Secret = strings.TrimSpace(string(b))
	}
	if !*list {
		in := bufio.NewScanner(std.in)
		in.Buffer(nil, bepoz.MaxLine)
		for n := 1; in.Scan(); n++ {
			var m bepoz.Message
			if err := json.Unmarshal(in.Bytes(), &m); err != nil {
				return say(exitRefused, fmt.Errorf("line %d: %w", n, err))
			}
			if m.At.IsZero() {
				m.At = time.Now()
			}
			till.Ring(m.Table, m.Check, m.Event, m.At, m.Payload)
		}
		if err := in.Err(); err != nil {
			return say(exitRefused, err)
		}
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", *connect)
	if err != nil {
		return say(exitFailed, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	s, err := till.Connect(conn)
	if err != nil {
		return say(exitFailed, err)
	}
	if *list {
		rows, err := s.List(bepoz.All, bepoz.Today, "")
		if err != nil {
			return say(exitFailed, err)
		}
		for _, r := range rows {
			fmt.Fprintln(std.out, strings.Join(r, "\t"))
		}
		return exitOK
	}
	if err := s.Drain(); err != nil {
		return say(exitFailed, err)
	}
	_, sent := till.Queue()
	fmt.Fprintf(std.out, "{\"sent\":%d}\n", sent)
	return exitOK
}

// rated reads KIND=RATE into rates, which are those of f.
func rated(rates map[bookings.Kind]float64, f *bookings.Faults) func(string) error {
	return func(s string) error {
		kind, text, _ := strings.Cut(s, "=")
		var rate float64
		if _, err := fmt.Sscanf(text, "%g", &rate); err != nil {
			return fmt.Errorf("%q is not a rate; write as in too_many=0.05", text)
		}
		rates[bookings.Kind(kind)] = rate
		return f.Check()
	}
}

// parsed reads the flags of a peer; ok false: it ends with code.
func parsed(fs *flag.FlagSet, std stdio, args []string) (code int, ok bool) {
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	case err != nil:
		return exitRefused, false
	case fs.NArg() > 0:
		fmt.Fprintf(std.err, "%s: what is %q? Every setting is a flag; --help lists them\n", fs.Name(), strings.Join(fs.Args(), " "))
		return exitRefused, false
	}
	return exitOK, true
}
