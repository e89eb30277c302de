package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
			text, err := secretIn(*secret)
			if err != nil {
				return say(exitRefused, err)
			}
			c.Credentials.ClientSecret, c.Credentials.Token = text, text
		}
		if *hookSecret != "" {
			text, err := secretIn(*hookSecret)
			if err != nil {
				return say(exitRefused, err)
			}
			c.Secret = []byte(text)
		}
		var err error
		if c.Zone, err = time.LoadLocation(*zone); err != nil {
			return say(exitRefused, err)
		}
		if *ledger != "" {
			f, err := appendTo(*ledger)
			if err != nil {
				return say(exitFailed, err)
			}
			defer f.Close()
			c.Ledger = f
		}
		sim, err := open(c)
		if err != nil {
			return say(exitRefused, err)
		}
		defer sim.Close()
		return serveSimulated(ctx, std, name, *listen, *control, sim, say)
	}
}
