package port

import (
	"context"
	"errors"
	"time"
)

// Defaults for Options left at zero.
const (
	DefaultDialTimeout  = 5 * time.Second
	DefaultWriteTimeout = 10 * time.Second
	DefaultUserTimeout  = 60 * time.Second
)

// Parse reads an address.
func Parse(s string) (Address, error) { return Address{}, errors.New("not yet") }

// String gives the canonical form.
func (a Address) String() string { return "" }

func open(ctx context.Context, a Address, o Options) (Port, error) { return nil, errors.New("not yet") }
