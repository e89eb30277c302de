// Command floor is what no order path on this disk can be faster than: it takes the request that the box takes, over the same
// HTTP server of the standard library, does nothing but append 1 KiB to a file and sync it, and answers. Beside it /echo
// answers at once, which is the cost of HTTP and of the machine alone.
//
//	floor -dir DIR [-listen ADDR]
//
// It prints the address it listens on as its first line and runs until SIGTERM.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on")
	dir := flag.String("dir", "", "folder, on the disk to be measured, for the file that is appended to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *listen, *dir, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, dir string, out io.Writer) error {
	if dir == "" {
		return errors.New("-dir is needed: a folder on the disk that is to be measured")
	}
	f, err := os.OpenFile(filepath.Join(dir, "floor.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	srv := &http.Server{Handler: handler(f), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx) // what is left after a second is cut off with the process
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A syncer is a file as far as the floor needs one.
type syncer interface {
	io.Writer
	Sync() error
}

// maxBody is the box's own limit of a body.
const maxBody = 1 << 20

// record is the 1 KiB that is appended for each request.
const record = 1 << 10

// reply has the size and the shape of the box's answer to an order with two tickets.
const reply = `{"id":"01929b2e-7c00-7000-8000-000000000000","number":41,"state":"accepted","in_pos":"","tickets":[` +
	`{"id":"01929b2e-7c00-7001-8000-000000000000","station":"station0","state":"new","jobs":[{"id":"01929b2e-7c00-7002-8000-000000000000","printer":"printer0","state":"sending"}]},` +
	`{"id":"01929b2e-7c00-7003-8000-000000000000","station":"station1","state":"new","jobs":[{"id":"01929b2e-7c00-7004-8000-000000000000","printer":"printer1","state":"queued"}]}],` +
	`"received_at":"2026-11-21T19:04:05.001Z","committed_at":"2026-11-21T19:04:05.002Z"}`

// handler serves /floor and /echo. Requests that come together sync together: nothing here makes one wait for another, so
// that this is the lowest floor the file system gives.
func handler(f syncer) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, r *http.Request, durable bool) {
		if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if durable {
			if err := store(f); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, reply) // a client that has gone does not want it
	}
	mux.HandleFunc("POST /floor", func(w http.ResponseWriter, r *http.Request) { answer(w, r, true) })
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) { answer(w, r, false) })
	return mux
}

func store(f syncer) error {
	var b [record]byte
	if _, err := f.Write(b[:]); err != nil {
		return err
	}
	return f.Sync()
}
