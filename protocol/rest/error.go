package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Fate is what became of a call that failed. The zero value is the careful one.
type Fate uint8

const (
	Uncertain Fate = iota // the request may have reached the server, which may have acted
	NotSent               // certain: no byte of it reached the server
	Refused               // certain: the server answered that it did not act
	Accepted              // certain: the server answered that it acted, but the rest of its answer cannot be read
)

func (f Fate) String() string {
	switch f {
	case NotSent:
		return "not sent"
	case Refused:
		return "refused"
	case Accepted:
		return "accepted"
	}
	return "uncertain"
}

// Fates as errors, for errors.Is.
var (
	ErrUncertain = errors.New("the server may have acted")
	ErrNotSent   = errors.New("nothing was sent")
	ErrRefused   = errors.New("the server refused")
	ErrAccepted  = errors.New("the server acted, its answer is damaged")
)

// Causes that tell apart what a server did wrong.
var (
	ErrTooLarge = errors.New("the answer is larger than the limit")
	ErrNotJSON  = errors.New("the answer is not the JSON that was expected")
	ErrRedirect = errors.New("redirect elsewhere not followed")
	ErrCut      = errors.New("the answer broke off")
	ErrSilent   = errors.New("no answer in time")
)

// An Error is a call that did not succeed.
type Error struct {
	Op         string // Call.Op
	Method     string
	Path       string // hidden parameters masked
	Fate       Fate
	Status     int           // of the answer; 0: none came
	Header     http.Header   // of the answer; Set-Cookie removed
	Body       []byte        // of a Refused or Uncertain answer, at most MaxErrorBody; may hold what a person may not see
	RetryAfter time.Duration // what the server asked for; 0: nothing
	Attempts   int
	Err        error // the cause; nil where the status is all there is
}

// RetryAfter is how long the server of a failed call wants to be left alone; 0 when it did not say.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// MaxErrorBody bounds Error.Body, in bytes.
const MaxErrorBody = 64 << 10

func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.Method + " " + e.Path + ": ")
	if e.Status != 0 {
		b.WriteString("answered " + strconv.Itoa(e.Status))
		if t := http.StatusText(e.Status); t != "" {
			b.WriteString(" " + t)
		}
		if e.Err != nil {
			b.WriteString(": ")
		}
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	}
	switch e.Fate {
	case NotSent:
		b.WriteString("; nothing was sent")
	case Uncertain:
		b.WriteString("; the server may have acted")
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; try again in %v", e.RetryAfter.Round(time.Second))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "; tried %d times", e.Attempts)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrNotSent) and its sisters work.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrUncertain:
		return e.Fate == Uncertain
	case ErrNotSent:
		return e.Fate == NotSent
	case ErrRefused:
		return e.Fate == Refused
	case ErrAccepted:
		return e.Fate == Accepted
	}
	return false
}

// FateOf is the fate told by err. An error that is none of this package's is Uncertain.
func FateOf(err error) Fate {
	var e *Error
	if errors.As(err, &e) {
		return e.Fate
	}
	return Uncertain
}

// judge is the fate of a call that was answered with status, by the meaning that HTTP gives it.
func judge(status int, untouched []int) Fate {
	for _, s := range untouched {
		if s == status {
			return Refused
		}
	}
	switch {
	case status >= 200 && status < 300:
		return Accepted
	case status >= 300 && status < 400:
		return Refused
	case status == http.StatusRequestTimeout || status == 499: // gateways say so of requests they have passed on
		return Uncertain
	case status >= 400 && status < 500:
		return Refused
	case status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported:
		return Refused
	}
	return Uncertain
}

// cause takes the URL out of err, because a URL may carry a key, and gives common failures words a person can use.
func cause(err error) error {
	var u *url.Error
	for errors.As(err, &u) && u.Err != nil && u.Err != err {
		err = u.Err
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: %w", ErrSilent, err)
	}
	return err
}
