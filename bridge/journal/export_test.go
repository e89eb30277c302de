package journal

import (
	"context"
	"fmt"
	"io/fs"
	"time"
)

// OpenTables is Open with other migrations.
func OpenTables(ctx context.Context, c Config, tables fs.FS) (*Journal, error) {
	return open(ctx, c, tables)
}

// WithCheckLimit gives the check at start so much time.
func WithCheckLimit(c Config, limit time.Duration) Config {
	c.checkLimit = limit
	return c
}

// WriterPragma reads a setting of the writer's connection; Run must not be under way.
func (j *Journal) WriterPragma(name string) (string, error) {
	var value any
	err := j.conn.queryRow("PRAGMA "+name, nil, &value)
	return fmt.Sprint(value), err
}

// Prune does what the keeper does once a minute.
func (j *Journal) Prune(ctx context.Context) error { return (&keeper{Journal: j}).prune(ctx) }

// Statements is how many texts the writer keeps prepared; to be called from a write.
func (tx *Tx) Statements() int { return len(tx.conn.statements) }

const (
	KeepLatest    = keepLatest
	MaxLaters     = maxLaters
	MaxStatements = maxStatements
	SettingsKept  = settingsKept
	FoldFrom      = foldFrom
)
