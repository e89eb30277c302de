// Command inject loads a box with orders and measures what a restaurant would notice: how long until the order is answered,
// until its last byte is at the printers, until the screens show it; and beside it, in the same seconds, how long the
// disk and the machine alone take. See bench/README.md.
//
//	inject [-rate 50] [-seconds 20] [-printers 4] [-screens 4] [-runs 3] [-profile pi] [-knee] [-overload] [-short] [-json FILE]
//
// It exits 1 when a 99th percentile is over 100 ms, when an acknowledged order is missing on paper or on a screen, or when
// a request failed; 2 when it could not measure.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aboyeur/simulate/dinner"
)

// options are the flags.
type options struct {
	rate        float64
	seconds     time.Duration
	warm        time.Duration
	printers    int
	screens     int
	runs        int
	profile     string
	paper       string
	knee        bool
	kneeFrom    float64
	kneeStep    time.Duration
	overload    bool
	over        float64
	overFor     time.Duration
	drain       time.Duration
	connections int
	seed        uint64
	json        string
	data        string
	keep        bool
	box         string
	token       string
	screenNames []string
	aboyeur     string
	floor       string
	short       bool
	goals       bool
}

const (
	exitOK       = 0
	exitFailed   = 1
	exitUnusable = 2
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == enterCommand {
		fmt.Fprintln(os.Stderr, "inject enter:", enter(os.Args[2:]))
		os.Exit(exitUnusable)
	}
	if len(os.Args) > 1 && os.Args[1] == tableCommand {
		if err := tables(os.Stdout, os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "inject table:", err)
			os.Exit(exitUnusable)
		}
		return
	}
	punctual() // the children live as long as this thread, and orders leave on time
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func parse(args []string, errs io.Writer) (options, error) {
	var o options
	var screens string
	var seconds, kneeStep, overSeconds, drain, warm float64
	fs := flag.NewFlagSet("inject", flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.Float64Var(&o.rate, "rate", 0, "orders a `second` (0: 50, or 10 with -profile pi)")
	fs.Float64Var(&seconds, "seconds", 20, "`seconds` of orders in a run; floor and echo take one and a half times as long again")
	fs.Float64Var(&warm, "warm", 2, "`seconds` of orders before the first run, not measured")
	fs.IntVar(&o.printers, "printers", 4, "printers, each with a station of its own, 1-8")
	fs.IntVar(&o.screens, "screens", 4, "screens, dealt out among the stations, 0-64")
	fs.IntVar(&o.runs, "runs", 3, "runs, of which the median ratio counts; 0: none")
	fs.StringVar(&o.profile, "profile", "", "pi: the box and the floor each with a quarter of a core, 256 MiB, and 10 ms more an fsync")
	fs.StringVar(&o.paper, "paper", "simulate", "printers: simulate (aboyeur simulate printer, a process each) or light (in the generator); knee and overload always take light")
	fs.BoolVar(&o.knee, "knee", false, "then look for the highest rate with answers at p99 <= 50 ms and no refusal")
	fs.Float64Var(&o.kneeFrom, "knee-from", 500, "first rate of the ramp")
	fs.Float64Var(&kneeStep, "knee-step", 3, "`seconds` at each rate of the ramp")
	fs.BoolVar(&o.overload, "overload", false, "then send twice the knee; needs -knee or -over")
	fs.Float64Var(&o.over, "over", 0, "rate of the overload (0: twice the knee)")
	fs.Float64Var(&overSeconds, "over-seconds", 5, "`seconds` of overload")
	fs.Float64Var(&drain, "drain", 120, "`seconds` for the paper to come out after the orders")
	fs.IntVar(&o.connections, "connections", 2048, "connections to the box at most")
	fs.Uint64Var(&o.seed, "seed", 1, "of the arrivals; the same seed sends at the same moments")
	fs.StringVar(&o.json, "json", "", "`file` for the report as JSON")
	fs.StringVar(&o.data, "data", "", "`folder` on the disk to be measured (default: a new one in the temporary folder, removed at the end)")
	fs.StringVar(&o.box, "box", "", "`host:port` of a box that runs already; needs -token, paper is not looked at")
	fs.StringVar(&o.token, "token", "", "bearer `token` for -box")
	fs.StringVar(&screens, "screen", "", "with -box: `names` of screens to watch, by comma")
	fs.StringVar(&o.aboyeur, "aboyeur", "", "the `program` (default: beside inject, or built)")
	fs.StringVar(&o.floor, "floor", "", "the floor `program` (default: beside inject, or built)")
	fs.BoolVar(&o.short, "short", false, "under 40 s in all: 3 runs of 3 s")
	fs.BoolVar(&o.goals, "goals", false, "a goal missed also exits 1, when the machine was quiet enough to say so")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("what is %q? every setting is a flag; -help lists them", strings.Join(fs.Args(), " "))
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.short {
		if !given["seconds"] {
			seconds = 3
		}
		if !given["warm"] {
			warm = 1
		}
	}
	if o.rate == 0 {
		o.rate = 50
		if o.profile == "pi" {
			o.rate = 10
		}
	}
	if screens != "" {
		o.screenNames = strings.Split(screens, ",")
	}
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	o.seconds, o.kneeStep, o.overFor, o.drain, o.warm = sec(seconds), sec(kneeStep), sec(overSeconds), sec(drain), sec(warm)
	var faults []error
	bad := func(wrong bool, format string, a ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, a...))
		}
	}
	bad(o.rate < 0.1 || o.rate > 100_000, "-rate %g: 0.1 to 100000", o.rate)
	bad(o.printers < 1 || o.printers > len(dinner.Categories), "-printers %d: 1 to %d, a category each at least", o.printers, len(dinner.Categories))
	bad(o.screens < 0 || o.screens > 64, "-screens %d: 0 to 64", o.screens)
	bad(o.runs < 0, "-runs %d: 0 or more", o.runs)
	bad(o.seconds <= 0 || o.kneeStep <= 0 || o.overFor <= 0, "seconds must be more than none")
	bad(o.profile != "" && o.profile != "pi", "-profile %q: only pi is known", o.profile)
	bad(o.paper != "light" && o.paper != "simulate", "-paper %q: simulate or light", o.paper)
	bad(o.box != "" && o.token == "", "-box needs -token, as `aboyeur token add` printed it")
	bad(o.box != "" && (o.profile != "" || o.knee || o.overload), "-box cannot go with -profile, -knee or -overload: those need a box of their own")
	bad(o.overload && !o.knee && o.over == 0, "-overload needs -knee, or -over RATE")
	bad(o.connections < 1, "-connections %d: at least 1", o.connections)
	return o, errors.Join(faults...)
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	o, err := parse(args, errs)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err == nil {
		err = o.place()
	}
	if err != nil {
		fmt.Fprintln(errs, "inject:", err)
		return exitUnusable
	}
	if !o.keep {
		defer os.RemoveAll(o.data)
	}
	rep, err := measureAll(ctx, o, out)
	if rep != nil {
		rep.finish(o)
		rep.write(out)
		if o.json != "" {
			b, jerr := json.MarshalIndent(rep, "", "  ")
			if jerr == nil {
				jerr = os.WriteFile(o.json, append(b, '\n'), 0o644)
			}
			err = errors.Join(err, jerr)
		}
	}
	if err != nil {
		fmt.Fprintln(errs, "inject:", err)
		return exitUnusable
	}
	if !rep.OK {
		return exitFailed
	}
	return exitOK
}

// place finds the folder and the programs.
func (o *options) place() (err error) {
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "aboyeur-bench-"); err != nil {
			return err
		}
	} else {
		o.keep = true
		if o.data, err = filepath.Abs(o.data); err != nil {
			return err
		}
		if err := os.MkdirAll(o.data, 0o700); err != nil {
			return err
		}
	}
	if o.box == "" {
		if o.aboyeur, err = program(o.aboyeur, "aboyeur", "aboyeur/cmd/aboyeur", o.data); err != nil {
			return err
		}
	}
	o.floor, err = program(o.floor, "floor", "aboyeur/bench/floor", o.data)
	return err
}

// measureAll does what the flags ask for. What was measured before a failure is in the report.
func measureAll(ctx context.Context, o options, out io.Writer) (*report, error) {
	rep := newReport(o)
	fmt.Fprintf(out, "%s\n\n", rep.Machine)
	if rep.Note != "" {
		fmt.Fprintf(out, "%s\n\n", rep.Note)
	}
	salt := uint16(rand.Uint32() & 1023)
	if o.runs > 0 {
		if err := runs(ctx, o, salt, rep, out); err != nil {
			return rep, err
		}
	}
	if o.knee {
		if err := ramp(ctx, o, salt+1&1023, rep, out); err != nil {
			return rep, err
		}
	}
	if o.overload {
		if err := flood(ctx, o, salt+2&1023, rep, out); err != nil {
			return rep, err
		}
	}
	return rep, nil
}

func runs(ctx context.Context, o options, salt uint16, rep *report, out io.Writer) (err error) {
	s, err := openStage(ctx, o, "runs", salt, o.paper, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.paper != nil {
		rep.Paper = s.paper.kind()
	}
	rep.Ready = float64(s.box.ready.Microseconds()) / 1000
	if s.box.process != nil {
		time.Sleep(min(time.Second, o.warm)) // what starting up left behind has gone by then
		rep.MemoryIdle, _ = memoryOf("/proc", s.box.process.pid)
	}
	// The first orders meet a cold box and cold connections; they count as orders and not as times.
	if o.warm > 0 {
		s.settle(s.orderSegment(0, o.rate, o.warm, o.seed), 2*time.Second)
		s.sampleSegment(s.toFloor, o.rate, o.warm/2, o.seed)
		s.settle(nil, time.Second)
	}
	all := newMeasures()
	for r := 1; r <= o.runs && ctx.Err() == nil; r++ {
		m, one, failed := s.interleave(ctx, r, o.rate, o.seconds, o.seed+uint64(r)<<16)
		all.merge(m)
		rep.Runs = append(rep.Runs, one)
		rep.FloorFailed += failed
		fmt.Fprintf(out, "run %d: %s\n", r, one.short())
	}
	rep.All = all.result()
	took, _ := s.drain(-1, o.drain)
	rep.Drained = took.Seconds()
	if s.box.process != nil {
		if !s.box.process.alive() {
			return fmt.Errorf("the box ended: %w", s.box.process.ended())
		}
		rep.MemoryLoad, _ = memoryOf("/proc", s.box.process.pid)
		rep.Metrics = s.box.scrape(ctx)
		list, err := s.compare(ctx, -1)
		if err != nil {
			return err
		}
		rep.Listed, rep.Unlisted, rep.Undone = list.listed, list.unlisted, list.undone
	}
	rep.Tally = s.book.tally(-1)
	for _, x := range s.screens {
		rep.ScreenBreaks += x.breaks.Load()
	}
	rep.Redials = s.orders.redials.Load()
	return ctx.Err()
}

func ramp(ctx context.Context, o options, salt uint16, rep *report, out io.Writer) (err error) {
	s, err := openStage(ctx, o, "knee", salt, "light", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	fmt.Fprintln(out, "\nknee:")
	phase := 0
	s.load(phase, o.kneeFrom/2, time.Second)
	k, err := s.findKnee(ctx, &phase, o.kneeFrom, o.kneeStep, func(st step) { fmt.Fprintln(out, "  "+st.String()) })
	rep.Knee = &k
	if m, merr := memoryOf("/proc", s.box.process.pid); merr == nil {
		rep.MemoryKnee = m
	}
	return err
}

func flood(ctx context.Context, o options, salt uint16, rep *report, out io.Writer) (err error) {
	rate := o.over
	if rate == 0 {
		if rep.Knee == nil || rep.Knee.Rate == 0 {
			return errors.New("no knee was found, so there is no twice of it; give -over RATE")
		}
		rate = 2 * rep.Knee.Rate
	}
	s, err := openStage(ctx, o, "overload", salt, "light", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	// Dialling is not the subject: what a burst needs is open before it comes.
	if err := s.orders.warm(min(512, o.connections)); err != nil {
		return err
	}
	s.load(0, min(500, rate/4), time.Second)
	fmt.Fprintf(out, "\noverload: %.0f orders/s for %s\n", rate, o.overFor)
	v, err := s.overrun(ctx, 1, rate, o.overFor)
	rep.Overload = &v
	return err
}

// describe is the machine in a line: what a reader must know before any figure.
func describe(data string) string {
	kernel := "?"
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		kernel = unix.ByteSliceToString(u.Release[:])
	}
	model := "unknown processor"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for l := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores, %s, Linux %s, %s; data on %s", runtime.NumCPU(), model, kernel, runtime.Version(), fileSystem(data))
}

// fileSystem names the kind of disk behind a folder, and says when it is none.
func fileSystem(dir string) string {
	var f unix.Statfs_t
	if err := unix.Statfs(dir, &f); err != nil {
		return "?"
	}
	switch int64(f.Type) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return "a file system IN MEMORY: fsync costs nothing here, and the figures say nothing about a disk (-data FOLDER)"
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	}
	return fmt.Sprintf("file system %#x", f.Type)
}
