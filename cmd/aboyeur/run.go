package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
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
	log := newLog(std.err, *verbose)
	c, err := firmwareconfig.Load(*file)
	if err != nil {
		fmt.Fprintln(std.err, err)
		return exitFailed
	}
	b, err := box.New(ctx, c, box.Options{Version: version, Log: log})
	if err != nil {
		fmt.Fprintln(std.err, "aboyeur:", err)
		return exitFailed
	}
	log.Info("box runs", "site", c.Site.ID, "listen", b.Addr().String(), "data", c.Data.Dir, "version", version)
	stop := onHangup(func() { reload(log, b, *file) })
	defer stop()
	if err := b.Run(ctx); err != nil {
		fmt.Fprintln(std.err, "aboyeur:", err)
		return exitFailed
	}
	log.Info("box stopped")
	return exitOK
}

// onHangup calls f at each SIGHUP until stop.
func onHangup(f func()) (stop func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-signals:
				f()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// reload reads the configuration and the tokens again. A faulty file changes nothing; one that differs in what cannot
// change at run time says so.
func reload(log *slog.Logger, b *box.Box, file string) {
	if _, err := firmwareconfig.Load(file); err != nil {
		log.Error("configuration not reloaded, the old one stays", "err", err)
		return
	}
	if err := b.Reload(); err != nil {
		log.Error("tokens not reloaded, the old ones stay", "err", err)
		return
	}
	log.Info("tokens reloaded; devices, stations and listeners change with a restart")
}
