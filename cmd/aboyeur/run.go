package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/box"
)

// runRun is the service: it works until it is told to stop.
func runRun(ctx context.Context, std stdio, args []string) int {
	flags := flag.NewFlagSet("aboyeur run", flag.ContinueOnError)
	flags.SetOutput(std.err)
	file := flags.String("config", "/etc/aboyeur/box.yaml", "the configuration `FILE`")
	verbose := flags.Bool("verbose", false, "log every request and record")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitFailed
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	if err := serve(ctx, hangup, *file, newLog(std.err, *verbose)); err != nil {
		fmt.Fprintln(std.err, "aboyeur:", err)
		return exitFailed
	}
	return exitOK
}

// serve runs boxes one after the other: each hangup that finds a valid configuration ends one and starts the next on
// it. Their listener stays open between them, so that a client waits a moment and is not refused. A configuration that
// is not valid, or on which no box starts, changes nothing.
func serve(ctx context.Context, hangup <-chan os.Signal, file string, log *slog.Logger) error {
	c, err := firmwareconfig.Load(file)
	if err != nil {
		return err
	}
	var door *net.TCPListener
	defer func() {
		if door != nil {
			door.Close()
		}
	}()
	var before *firmwareconfig.Config
	for {
		b, err := start(ctx, c, &door, log)
		if err != nil && before != nil {
			log.Error("no box starts on the new configuration, the old one comes back", "err", err)
			c, before = before, nil
			continue
		}
		if err != nil {
			return err
		}
		log.Info("box runs", "site", c.Site.ID, "listen", door.Addr().String(), "data", c.Data.Dir, "version", version)
		next, err := runUntil(ctx, b, hangup, file, log)
		if err != nil || next == nil {
			log.Info("box stopped")
			return err
		}
		if next.HTTP.Listen != c.HTTP.Listen {
			door.Close()
			door = nil
		}
		before, c = c, next
	}
}

// start builds a box on c behind the door, which it opens when it is shut.
func start(ctx context.Context, c *firmwareconfig.Config, door **net.TCPListener, log *slog.Logger) (*box.Box, error) {
	if *door == nil {
		l, err := net.Listen("tcp", c.HTTP.Listen)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", c.HTTP.Listen, err)
		}
		*door = l.(*net.TCPListener)
	}
	// The box closes the listener it is given; a second descriptor keeps the door open behind it.
	f, err := (*door).File()
	if err != nil {
		return nil, fmt.Errorf("keep the listener: %w", err)
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("keep the listener: %w", err)
	}
	b, err := box.New(ctx, c, box.Options{Version: version, Log: log, Listener: l})
	if err != nil {
		l.Close()
	}
	return b, err
}

// runUntil runs b until ctx ends, and then gives nil, or until a hangup finds a valid configuration, and then gives that.
func runUntil(ctx context.Context, b *box.Box, hangup <-chan os.Signal, file string, log *slog.Logger) (*firmwareconfig.Config, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	for {
		select {
		case err := <-ended:
			return nil, err
		case <-hangup:
			next, err := firmwareconfig.Load(file)
			if err != nil {
				log.Error("configuration not reloaded, the old one stays", "err", err)
				continue
			}
			stop()
			return next, <-ended
		}
	}
}
