package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"aboyeur/simulate/aleno"
	"aboyeur/simulate/opentable"
	"aboyeur/simulate/printer"
	"aboyeur/simulate/resy"
	"aboyeur/simulate/sevenrooms"
	"aboyeur/simulate/thefork"
)

// A peer is one simulated peer as a program.
type peer struct {
	name    string
	summary string
	run     func(ctx context.Context, std stdio, args []string) int
}

func peers() []peer {
	return []peer{
		{"printer", "an ESC/POS printer on a TCP port, with its paper as a ledger", runSimulatePrinter},
		{"opentable", "OpenTable with one restaurant: its host, its table statuses and tickets as a ledger", platformPeer("opentable", opentable.New)},
		{"sevenrooms", "SevenRooms with one venue", platformPeer("sevenrooms", sevenrooms.New)},
		{"resy", "Resy with one venue", platformPeer("resy", resy.New)},
		{"thefork", "TheFork with one restaurant: calls that open receipts, totals that close them", platformPeer("thefork", thefork.New)},
		{"aleno", "Aleno with one restaurant", platformPeer("aleno", aleno.New)},
		{"otter", "Otter with one store: guests who order, the box's answers, menus and what is sold out as a ledger", aggregatorPeer("otter", openOtter)},
		{"deliverect", "Deliverect with one location", aggregatorPeer("deliverect", openDeliverect)},
		{"ubereats", "Uber Eats with one store: notices of orders that are fetched, and accepted in time or lost", aggregatorPeer("ubereats", openUberEats)},
		{"lightspeed", "a Lightspeed K location with its till", runSimulateLightspeed},
		{"bepoz", "a Bepoz till that tells the box what stands on its standard input", runSimulateBepoz},
		{"opera", "a hotel behind Oracle's IFC8: FIAS and XML_POS, TCP and serial, with its folios as a ledger", runSimulateOpera},
	}
}

// runSimulate runs `aboyeur simulate PEER [flags]`.
func runSimulate(ctx context.Context, std stdio, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		w := std.out
		if len(args) == 0 {
			w = std.err
		}
		fmt.Fprint(w, "aboyeur simulate PEER [flags]\n\n")
		for _, p := range peers() {
			fmt.Fprintf(w, "  %-10s %s\n", p.name, p.summary)
		}
		fmt.Fprint(w, "\nThe first line on stdout is JSON with the addresses it listens on. `aboyeur simulate PEER --help` lists its flags.\n")
		if len(args) == 0 {
			return exitRefused
		}
		return exitOK
	}
	for _, p := range peers() {
		if p.name == args[0] {
			return p.run(ctx, std, args[1:])
		}
	}
	fmt.Fprintf(std.err, "aboyeur simulate: there is no peer %q; `aboyeur simulate --help` lists them\n", args[0])
	return exitRefused
}

// simulatedAt is the first line of output: where a peer listens.
type simulatedAt struct {
	Peer    string `json:"peer"`
	Listen  string `json:"listen"`
	Control string `json:"control,omitempty"`
}

func runSimulatePrinter(ctx context.Context, std stdio, args []string) int {
	fs := flag.NewFlagSet("aboyeur simulate printer", flag.ContinueOnError)
	fs.SetOutput(std.err)
	var c printer.Config
	listen := fs.String("listen", "127.0.0.1:9100", "`address` to take connections on")
	control := fs.String("control", "", "`address` for HTTP control (POST /fault, POST /lift, GET /state, GET /ledger); empty: none")
	ledger := fs.String("ledger", "", "`file` that gets each ticket as a JSON line, appended")
	noText := fs.Bool("no-text", false, "ledger lines without text, banner and sequence: cheaper under load")
	fs.BoolVar(&c.Raw, "raw", false, "ledger lines with the ticket's bytes")
	fs.IntVar(&c.Keep, "keep", printer.DefaultKeep, "tickets `held` in memory")
	fs.StringVar(&c.Model, "model", printer.DefaultModel, "`name` of the model")
	fs.IntVar(&c.Columns, "columns", 0, "characters in a line; 0: as the model has")
	fs.Float64Var(&c.Speed.LinesPerSecond, "speed", 0, "`lines` a second; 0: no time at all")
	fs.Float64Var(&c.Speed.BytesPerSecond, "bytes-per-second", 0, "`bytes` a second; 0: no time at all")
	fs.DurationVar(&c.Speed.Cut, "cut-time", 0, "`time` a cut takes")
	fs.IntVar(&c.ReceiveBuffer, "receive-buffer", printer.DefaultReceiveBuffer, "`bytes` it takes before the host must wait")
	fs.DurationVar(&c.IdleTimeout, "idle-timeout", 0, "`time` without data after which a connection is ended; 0: never")
	fs.DurationVar(&c.PowerPause, "power-pause", printer.DefaultPowerPause, "`time` from power-off to answering again")
	fs.BoolVar(&c.Refuse, "refuse", false, "refuse a second connection; otherwise it connects and waits")
	fs.BoolVar(&c.Silent, "silent", false, "a one-way path: print, answer nothing")
	for _, lack := range []struct {
		name string
		what printer.Abilities
		text string
	}{
		{"no-process-id", printer.ProcessID, "do not answer GS ( H"},
		{"no-fence", printer.Fence, "do not answer GS r"},
		{"no-asb", printer.ASB, "send no automatic status"},
		{"no-identify", printer.Identify, "do not answer GS I"},
		{"no-counters", printer.Counters, "do not answer GS g 2"},
		{"no-real-time", printer.RealTime, "do not answer DLE EOT, DLE ENQ, DLE DC4"},
	} {
		fs.BoolFunc(lack.name, lack.text, func(s string) error {
			if s == "true" {
				c.Without |= lack.what
			}
			return nil
		})
	}
	fs.StringVar(&c.Maker, "maker", printer.DefaultMaker, "`text` it gives as its maker")
	fs.StringVar(&c.Device, "device", printer.DefaultDevice, "`text` it gives as its model")
	fs.StringVar(&c.Firmware, "firmware", printer.DefaultFirmware, "`text` it gives as its firmware")
	fs.StringVar(&c.Serial, "serial", printer.DefaultSerial, "`text` it gives as its serial number")
	asb4 := fs.Uint("asb-byte-4", 0, "fourth `byte` of a status frame")
	fs.Func("fault", "`KIND[@N][,for=2s][,count=1][,where=arrive]`: strikes at the N-th byte printed, or at the start; may be repeated", func(s string) error {
		f, err := printer.ParseFault(s)
		c.Faults = append(c.Faults, f)
		return err
	})
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitRefused
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(std.err, "aboyeur simulate printer: what is %q? Every setting is a flag; --help lists them\n", strings.Join(fs.Args(), " "))
		return exitRefused
	}
	if *asb4 > 0xFF {
		fmt.Fprintf(std.err, "aboyeur simulate printer: --asb-byte-4 %d: a byte is 0 to 255\n", *asb4)
		return exitRefused
	}
	c.ASBByte4, c.OmitText = byte(*asb4), *noText

	say := func(code int, err error) int {
		fmt.Fprintf(std.err, "aboyeur simulate printer: %v\n", err)
		return code
	}
	if *ledger != "" {
		f, err := appendTo(*ledger)
		if err != nil {
			return say(exitFailed, err)
		}
		defer f.Close()
		c.Ledger = f
	}
	p, err := printer.New(c)
	if err != nil {
		return say(exitRefused, err)
	}
	return serveSimulated(ctx, std, "printer", *listen, *control, p, say)
}
