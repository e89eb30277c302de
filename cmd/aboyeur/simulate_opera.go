package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aboyeur/protocol/ifc"
	"aboyeur/simulate/opera"
)

// operaAt is the first line of output of a simulated hotel.
type operaAt struct {
	simulatedAt
	Links []operaLink `json:"links"`
}

// operaLink is where one vendor connects.
type operaLink struct {
	Name    string        `json:"name"`
	Dialect opera.Dialect `json:"dialect"`
	Listen  string        `json:"listen,omitempty"`
	Serial  string        `json:"serial,omitempty"`
}

func runSimulateOpera(ctx context.Context, std stdio, args []string) int {
	fs := flag.NewFlagSet("aboyeur simulate opera", flag.ContinueOnError)
	fs.SetOutput(std.err)
	var c opera.Config
	var listens []string
	fs.Func("listen", "`[DIALECT=]ADDRESS` where one vendor connects, 127.0.0.1:5010 when there is neither this nor --serial; may be repeated, a port for each vendor", func(s string) error {
		listens = append(listens, s)
		return nil
	})
	serial := fs.String("serial", "", "`device` of a serial line, as /dev/ttyS0 or /dev/ttyUSB0")
	baud := fs.Int("baud", 9600, "`bits` a second of the serial line, with 8 data bits")
	parity := fs.String("parity", "none", "none, odd or even, of the serial line")
	fs.BoolVar(&c.Line.NoLRC, "no-lrc", false, "serial frames without a check character")
	dialect := fs.String("dialect", string(opera.FIAS), "fias or xmlpos, of links that do not say")
	hotel := fs.String("hotel", "", "`file` with rooms and guests, YAML or JSON; empty: a hotel of forty rooms (--print-hotel shows it)")
	printHotel := fs.Bool("print-hotel", false, "print the hotel's file and exit")
	control := fs.String("control", "", "`address` for HTTP control (POST /fault, POST /lift, GET /state, GET /ledger, GET /exchanges, GET /trace, POST /check-in ...); empty: none")
	ledger := fs.String("ledger", "", "`file` that gets each posting as a JSON line, appended")
	trace := fs.Bool("trace", false, "print each record that passes on stderr")
	fs.StringVar(&c.Encoding, "encoding", opera.DefaultEncoding, "`name` of the character set on the line: utf-8, windows-1252, cp850 ...")
	clients := fs.String("clients", string(opera.Newest), "what a second connection on a port does: newest (ends the older), refuse (is refused), many (is served too)")
	keyFile := fs.String("auth-key-file", "", "`file` with the IfcAuthKey that vendors have to know")
	certFile := fs.String("tls-cert", "", "`file` with the certificate for TLS; empty: none")
	certKey := fs.String("tls-key", "", "`file` with its key")
	fs.BoolVar(&c.AnswerUninquired, "answer-uninquired", false, "answer UR to a guest posting without an inquiry; otherwise it gets no answer")
	fs.DurationVar(&c.InquiryLife, "inquiry-life", 0, "`time` for which an inquiry allows postings; 0: as long as the connection")
	fs.BoolVar(&c.RefuseRepeats, "refuse-repeats", false, "answer UR to a posting whose number was booked before; otherwise it is booked again")
	fs.BoolVar(&c.RoomBased, "room-based", false, "tell of a room move by GO and GI instead of GC")
	fs.BoolVar(&c.NoPostLetters, "no-post-letters", false, "XML_POS: write NoPost as Y or N")
	fs.DurationVar(&c.Latency, "latency", 0, "`time` from a request to its answer")
	fs.DurationVar(&c.EndWait, "end-wait", opera.DefaultEndWait, "`time` a vendor has to answer LE; below 0: no LE at the end")
	fs.DurationVar(&c.KeepAlive, "keep-alive", opera.DefaultKeepAlive, "`time` of silence after which XML_POS sends LinkAlive")
	fs.IntVar(&c.Keep, "keep", opera.DefaultKeep, "postings and exchanges `held` in memory")
	fs.Func("fault", "`KIND[@BYTE][,on=posting][,count=1][,rate=0.05][,delay=5s][,after=30s] ...`: strikes as told, or at the first occasion; may be repeated", func(s string) error {
		f, err := opera.ParseFault(s)
		c.Faults = append(c.Faults, f)
		return err
	})
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(std.err, "\nfault kinds:")
			for _, k := range opera.FaultKinds() {
				fmt.Fprint(std.err, " ", k)
			}
			fmt.Fprintln(std.err)
			return exitOK
		}
		return exitRefused
	}
	refuse := func(err error) int {
		fmt.Fprintf(std.err, "aboyeur simulate opera: %v\n", err)
		return exitRefused
	}
	failed := func(err error) int {
		fmt.Fprintf(std.err, "aboyeur simulate opera: %v\n", err)
		return exitFailed
	}
	switch {
	case fs.NArg() > 0:
		return refuse(fmt.Errorf("what is %q? Every setting is a flag; --help lists them", strings.Join(fs.Args(), " ")))
	case (*certFile == "") != (*certKey == ""):
		return refuse(errors.New("--tls-cert and --tls-key go together"))
	case *printHotel:
		if _, err := std.out.Write(opera.DefaultHotel()); err != nil {
			return failed(err)
		}
		return exitOK
	}
	c.Dialect, c.Clients = opera.Dialect(*dialect), opera.Clients(*clients)
	if *hotel != "" {
		f, err := opera.ReadFile(*hotel)
		if err != nil {
			return refuse(err)
		}
		if c.Hotel, err = opera.NewHotel(f, time.Now()); err != nil {
			return refuse(fmt.Errorf("%s: %w", *hotel, err))
		}
	}
	if *keyFile != "" {
		key, err := os.ReadFile(*keyFile)
		if err != nil {
			return refuse(err)
		}
		c.AuthKey = string(key)
	}
	if *ledger != "" {
		f, err := os.OpenFile(*ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return failed(fmt.Errorf("ledger: %w", err))
		}
		defer f.Close()
		c.Ledger = f
	}
	if *trace {
		start := time.Now()
		var mu sync.Mutex // records of all links pass at once
		c.Trace = func(link string, e ifc.Event) {
			line := append(e.AppendTo([]byte(link+" "), start), '\n')
			mu.Lock()
			defer mu.Unlock()
			std.err.Write(line)
		}
	}
	sim, err := opera.New(c)
	if err != nil {
		return refuse(err)
	}
	defer sim.Close()

	if len(listens) == 0 && *serial == "" {
		listens = []string{"127.0.0.1:5010"}
	}
	at := operaAt{simulatedAt: simulatedAt{Peer: "opera"}}
	serve, ctx := errgroup.WithContext(ctx)
	for _, s := range listens {
		p := opera.Port{Name: fmt.Sprintf("link%d", len(at.Links)+1), Dialect: c.Dialect}
		if d, address, ok := strings.Cut(s, "="); ok {
			p.Dialect, s = opera.Dialect(d), address
		}
		if err := p.Check(); err != nil {
			return refuse(err)
		}
		l, err := net.Listen("tcp", s)
		if err != nil {
			return failed(err)
		}
		defer l.Close()
		address := l.Addr().String()
		if *certFile != "" {
			pair, err := tls.LoadX509KeyPair(*certFile, *certKey)
			if err != nil {
				return refuse(err)
			}
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
		}
		at.Links = append(at.Links, operaLink{Name: p.Name, Dialect: p.Dialect, Listen: address})
		if at.Listen == "" {
			at.Listen = address
		}
		serve.Go(func() error { return sim.ServePort(ctx, l, p) })
	}
	if *serial != "" {
		line, err := openSerial(*serial, *baud, *parity)
		if err != nil {
			return failed(fmt.Errorf("serial line %s: %w", *serial, err))
		}
		p := opera.Port{Name: fmt.Sprintf("link%d", len(at.Links)+1), Dialect: c.Dialect}
		at.Links = append(at.Links, operaLink{Name: p.Name, Dialect: p.Dialect, Serial: *serial})
		if at.Listen == "" {
			at.Listen = *serial
		}
		serve.Go(func() error { return serveSerial(ctx, sim, line, p) })
	}
	controlAt, stop, err := serveControl(*control, sim.Control())
	if err != nil {
		return failed(err)
	}
	defer stop()
	at.Control = controlAt
	if err := json.NewEncoder(std.out).Encode(at); err != nil {
		return failed(fmt.Errorf("print the addresses: %w", err))
	}
	if err := serve.Wait(); err != nil {
		return failed(err)
	}
	return exitOK
}

// serveSerial runs the line until ctx ends. A line that ends by itself is a cable that is out.
func serveSerial(ctx context.Context, sim *opera.Simulator, line io.ReadWriteCloser, p opera.Port) error {
	if err := sim.ServeLinePort(ctx, line, p); err != nil {
		return err
	}
	if ctx.Err() == nil {
		return errors.New("the serial line has ended; is the adapter still plugged in?")
	}
	return nil
}
