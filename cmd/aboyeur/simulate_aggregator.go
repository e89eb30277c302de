package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"aboyeur/simulate/cloud"
	"aboyeur/simulate/deliverect"
	"aboyeur/simulate/deliveries"
	"aboyeur/simulate/otter"
	"aboyeur/simulate/ubereats"
)

// An aggregator is a simulated delivery aggregator as the command uses it.
type aggregator interface {
	simulator
	Close()
}

func openOtter(c deliveries.Config) (aggregator, error)      { return otter.New(c) }
func openDeliverect(c deliveries.Config) (aggregator, error) { return deliverect.New(c) }
func openUberEats(c deliveries.Config) (aggregator, error)   { return ubereats.New(c) }

// aggregatorPeer runs a simulated delivery aggregator.
func aggregatorPeer(name string, open func(deliveries.Config) (aggregator, error)) func(context.Context, stdio, []string) int {
	return func(ctx context.Context, std stdio, args []string) int {
		fs := flag.NewFlagSet("aboyeur simulate "+name, flag.ContinueOnError)
		fs.SetOutput(std.err)
		var c deliveries.Config
		listen := fs.String("listen", "127.0.0.1:8092", "`address` of the aggregator's interface")
		control := fs.String("control", "", "`address` for HTTP control (POST /orders, /changes, /cancel, /progress, /release, /again, /events, /faults, /hook, GET /state, /orders, /acts, /calls, /hooks); empty: none")
		ledger := fs.String("ledger", "", "`file` that gets each act of the box as a JSON line, appended")
		fs.StringVar(&c.Store, "store", deliveries.DefaultStore, "`id` of the store")
		fs.StringVar(&c.Account, "account", "", "`id` of the account or application")
		fs.StringVar(&c.Hook, "hook", "", "`URL` of the box's webhook, as http://127.0.0.1:8080/webhooks/"+name+"; empty: nobody is told")
		fs.StringVar(&c.ClientID, "client-id", deliveries.DefaultID, "`id` that callers have to know")
		secret := fs.String("secret-file", "", "`file` with the secret that callers have to know; empty: "+deliveries.DefaultSecret)
		hookSecret := fs.String("webhook-secret-file", "", "`file` with what webhooks are signed with; empty: "+deliveries.DefaultHook)
		fs.BoolVar(&c.Base64, "base64", false, "sign in base64, where the aggregator may do so")
		fs.BoolVar(&c.Unlimited, "unlimited", false, "do not count calls")
		fs.Uint64Var(&c.Faults.Seed, "seed", 0, "`number` from which faults are drawn; 0: another each time")
		c.Faults.Rates = map[cloud.Kind]float64{}
		fs.Func("fault", "`KIND=RATE`, as too_many=0.05: strikes that part of calls or webhooks; may be repeated. Kinds: "+strings.Join(kinds(), " "), rated(c.Faults.Rates, &c.Faults))
		fs.DurationVar((*time.Duration)(&c.Faults.LateBy), "late-by", cloud.DefaultLate, "`time` by which late webhooks are late")
		fs.DurationVar((*time.Duration)(&c.Faults.RetryAfter), "retry-after", cloud.DefaultRetryAfter, "`time` that 429 asks for")
		fs.DurationVar((*time.Duration)(&c.Faults.TimeoutBy), "timeout-by", cloud.DefaultTimeoutBy, "`time` for which silence lasts")
		if code, ok := parsed(fs, std, args); !ok {
			return code
		}
		say := func(code int, err error) int {
			fmt.Fprintf(std.err, "aboyeur simulate %s: %v\n", name, err)
			return code
		}
		if *secret != "" {
			var err error
			if c.ClientSecret, err = secretIn(*secret); err != nil {
				return say(exitRefused, err)
			}
		}
		if *hookSecret != "" {
			text, err := secretIn(*hookSecret)
			if err != nil {
				return say(exitRefused, err)
			}
			c.Secret = []byte(text)
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

func kinds() []string {
	var names []string
	for _, k := range cloud.Kinds() {
		names = append(names, string(k))
	}
	return names
}
