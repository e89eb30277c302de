package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"aboyeur/simulate/bookings"
)

// platformPeer runs a simulated reservation platform.
func platformPeer(name string, open func(bookings.Config) (*bookings.Simulator, error)) func(context.Context, stdio, []string) int {
	return func(ctx context.Context, std stdio, args []string) int {
		fs := flag.NewFlagSet("aboyeur simulate "+name, flag.ContinueOnError)
		fs.SetOutput(std.err)
		var c bookings.Config
		listen := fs.String("listen", "127.0.0.1:8090", "`address` of the platform's interface")
		control := fs.String("control", "", "`address` for HTTP control (POST /reservations, /again, /faults, /hook, GET /state, /reservations, /ledger, /calls); empty: none")
		ledger := fs.String("ledger", "", "`file` that gets each update taken as a JSON line, appended")
		fs.StringVar(&c.Venue, "venue", bookings.DefaultVenue, "`id` of the venue")
		fs.StringVar(&c.Hook, "hook", "", "`URL` of the box's webhook, as http://127.0.0.1:8080/webhooks/"+name+"; empty: nobody is told")
		fs.StringVar(&c.Credentials.ClientID, "client-id", bookings.DefaultID, "`id` that callers have to know")
		secret := fs.String("secret-file", "", "`file` with the secret or token that callers have to know; empty: "+bookings.DefaultSecret)
		hookSecret := fs.String("webhook-secret-file", "", "`file` with what webhooks are signed with; empty: "+bookings.DefaultHook)
		zone := fs.String("timezone", "", "`name` of the venue's time zone; empty: UTC")
		fs.BoolVar(&c.Echo, "echo", false, "send back as webhooks what the box changes")
		fs.Uint64Var(&c.Faults.Seed, "seed", 0, "`number` from which faults are drawn; 0: another each time")
		c.Faults.Rates = map[bookings.Kind]float64{}
		fs.Func("fault", "`KIND=RATE`, as too_many=0.05: strikes that part of calls or webhooks; may be repeated", rated(c.Faults.Rates, &c.Faults))
		for _, d := range []struct {
			v          *bookings.Duration
			name, text string
			or         time.Duration
		}{
			{&c.Faults.LateBy, "late-by", "`time` by which late webhooks are late", bookings.DefaultLate},
			{&c.Faults.RetryAfter, "retry-after", "`time` that 429 asks for", bookings.DefaultRetryAfter},
			{&c.Faults.TimeoutBy, "timeout-by", "`time` for which silence lasts", bookings.DefaultTimeoutBy},
		} {
			fs.DurationVar((*time.Duration)(d.v), d.name, d.or, d.text)
		}
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Fprint(std.err, "\nfault kinds:")
				for _, k := range bookings.Kinds() {
					fmt.Fprint(std.err, " ", k)
				}
				fmt.Fprintln(std.err)
				return exitOK
			}
			return exitRefused
		}
		say := func(code int, err error) int {
			fmt.Fprintf(std.err, "aboyeur simulate %s: %v\n", name, err)
			return code
		}
		if fs.NArg() > 0 {
			return say(exitRefused, fmt.Errorf("what is %q? Every setting is a flag; --help lists them", strings.Join(fs.Args(), " ")))
		}
		if *secret != "" {
			b, err := os.ReadFile(*secret)
			if err != nil {
				return say(exitRefused, err)
			}
			c.Credentials.ClientSecret = strings.TrimSpace(string(b))
			c.Credentials.Token = c.Credentials.ClientSecret
		}
		if *hookSecret != "" {
			b, err := os.ReadFile(*hookSecret)
			if err != nil {
				return say(exitRefused, err)
			}
			c.Secret = []byte(strings.TrimSpace(string(b)))
		}
		var err error
		if c.Zone, err = time.LoadLocation(*zone); err != nil {
			return say(exitRefused, err)
		}
		if *ledger != "" {
			f, err := os.OpenFile(*ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
			if err != nil {
				return say(exitFailed, fmt.Errorf("ledger: %w", err))
			}
			defer f.Close()
			c.Ledger = f
		}
		sim, err := open(c)
		if err != nil {
			return say(exitRefused, err)
		}
		defer sim.Close()
		l, err := net.Listen("tcp", *listen)
		if err != nil {
			return say(exitFailed, err)
		}
		defer l.Close()
		at := simulatedAt{Peer: name, Listen: l.Addr().String()}
		var stop func()
		if at.Control, stop, err = serveControl(*control, sim.Control()); err != nil {
			return say(exitFailed, err)
		}
		defer stop()
		if err := json.NewEncoder(std.out).Encode(at); err != nil {
			return say(exitFailed, fmt.Errorf("print the addresses: %w", err))
		}
		if err := sim.Serve(ctx, l); err != nil {
			return say(exitFailed, err)
		}
		return exitOK
	}
}
