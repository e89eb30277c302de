package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aboyeur/bridge/journal"
)

// Bounds of a report.
const (
	MaxDays  = 31  // business days
	pageRows = 500 // rows of the journal read at once
	slot     = 30 * time.Minute
)

// Config of a Reporter; Journal and Location are required.
type Config struct {
	Journal  *journal.Journal
	Location *time.Location
	Close    time.Duration // when the business day ends, after local midnight
	Now      func() time.Time
}

// A Reporter makes reports. Its methods may be called from any goroutine.
type Reporter struct {
	c    Config
	page int           // rows read at once; pageRows but in tests
	busy chan struct{} // of size 1: one report at a time
}

// New checks c.
func New(c Config) (*Reporter, error) {
	if c.Journal == nil || c.Location == nil {
		return nil, errors.New("reports need a journal and a time zone")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Reporter{c: c, page: pageRows, busy: make(chan struct{}, 1)}, nil
}

// A Report speaks of whole business days.
type Report struct {
	From     string    `json:"from" doc:"first business day, as 2026-11-21"`
	To       string    `json:"to" doc:"last business day"`
	Begins   time.Time `json:"begins"`
	Ends     time.Time `json:"ends"`
	Running  bool      `json:"running" doc:"the last day is not over yet"`
	Timezone string    `json:"timezone"`
	Kitchen  Figures   `json:"kitchen" doc:"all stations together"`
	Stations []Station `json:"stations"`
	Sources  []Source  `json:"sources"`
	Days     []Day     `json:"days"`
}

// Figures are what one station, half-hour or day amounts to. Times are in seconds, from the moment a ticket was fired to its
// last bump.
type Figures struct {
	Tickets    int     `json:"tickets"`
	Items      int     `json:"items"`
	Done       int     `json:"done" doc:"tickets that were bumped; the times speak of these"`
	Median     float64 `json:"median_seconds"`
	P90        float64 `json:"p90_seconds" doc:"nine in ten were as fast or faster"`
	Warned     int     `json:"warned" doc:"past the first limit, not the second"`
	Late       int     `json:"late" doc:"past the second limit"`
	Recalls    int     `json:"recalls"`
	Cancelled  int     `json:"cancelled"`
	Passed     int     `json:"passed" doc:"tickets handed over"`
	PassMedian float64 `json:"pass_median_seconds" doc:"wait at the pass, from bump to hand-over"`
	PeakOpen   int     `json:"peak_open" doc:"most tickets open at one moment"`
	LeftOpen   int     `json:"left_open" doc:"neither finished nor cancelled when the day ended; open now while it runs"`
}

// A Station is one station over the whole report and by the half-hours in which its tickets were fired; those without a
// ticket are left out.
type Station struct {
	Station string `json:"station"`
	Figures
	Halves []Half `json:"halves"`
}

// A Half is half an hour of the venue's day.
type Half struct {
	At    time.Time `json:"at"`
	Label string    `json:"label" doc:"wall clock; a night's hour that comes twice bears its offset"`
	Figures
}

// A Source is whoever sends orders.
type Source struct {
	Source    string  `json:"source"`
	Orders    int     `json:"orders"`
	Injected  int     `json:"injected" doc:"the POS has them"`
	Failed    int     `json:"failed" doc:"the POS refused them or could not be reached"`
	Manual    int     `json:"manual" doc:"somebody typed them in"`
	Pending   int     `json:"pending"`
	Cancelled int     `json:"cancelled"`
	Rejected  int     `json:"rejected"`
	Total     int64   `json:"total" doc:"of orders neither cancelled nor rejected, in minor units of the venue's currency"`
	Answer    float64 `json:"answer_median_ms" doc:"from arrival to disk, which is when the source had its answer"`
	Injection float64 `json:"injection_median_ms" doc:"from arrival until the POS had the order"`
}

// A Day is the daily report: what a restaurant reads over its morning coffee (OTR-03, OTR-10).
type Day struct {
	Day       string  `json:"day"`
	Orders    int     `json:"orders"`
	Injected  int     `json:"injected"`
	Failed    int     `json:"failed"`
	Manual    int     `json:"manual"`
	Pending   int     `json:"pending"`
	Cancelled int     `json:"cancelled"`
	Rejected  int     `json:"rejected"`
	Total     int64   `json:"total"`
	Answer    float64 `json:"answer_median_ms"`
	Injection float64 `json:"injection_median_ms"`
	Tickets   int     `json:"tickets"`
	Items     int     `json:"items"`
	Median    float64 `json:"median_seconds"`
	P90       float64 `json:"p90_seconds"`
	Warned    int     `json:"warned"`
	Late      int     `json:"late"`
	Recalls   int     `json:"recalls"`
	LeftOpen  int     `json:"left_open"`
}

// ErrDays reports days that a report cannot be made of.
var ErrDays = errors.New("days")

// Make makes the report of the business days from to to, both included; "" is the day that runs now. The error wraps
// ErrDays when they are no days, in the wrong order, or more than MaxDays.
func (r *Reporter) Make(ctx context.Context, from, to string) (*Report, error) {
	days, err := r.span(from, to)
	if err != nil {
		return nil, err
	}
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := r.c.Now()
	last := days[len(days)-1]
	rep := &Report{From: days[0].name, To: last.name, Begins: days[0].begins.UTC(), Ends: last.ends.UTC(), Running: now.Before(last.ends),
		Timezone: r.c.Location.String(), Stations: []Station{}, Sources: []Source{}, Days: []Day{}}
	k := newKitchen(days, now, r.c.Location)
	if err := r.tickets(ctx, days, k); err != nil {
		return nil, fmt.Errorf("read tickets: %w", err)
	}
	s := newSources(days)
	if err := r.orders(ctx, days, s); err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	k.into(rep)
	s.into(rep)
	return rep, nil
}

// pages runs query, which takes the keys from and to and a limit, again and again until no row is left. each gives the key
// of its row.
func (r *Reporter) pages(ctx context.Context, query string, days []day, each func(scan func(...any) error) (int64, error)) error {
	from, to := journal.KeyAt(days[0].begins), journal.KeyAt(days[len(days)-1].ends)
	for {
		rows, err := r.c.Journal.Read().QueryContext(ctx, query, from, to, r.page)
		if err != nil {
			return err
		}
		n := 0
		for rows.Next() {
			key, err := each(rows.Scan)
			if err != nil {
				rows.Close()
				return err
			}
			from = key + 1
			n++
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
		if n < r.page {
			return nil
		}
	}
}
