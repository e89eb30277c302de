package main

import (
	"encoding/json"
	"fmt"
	"time"

	"aboyeur/simulate/dinner"
)

// stationOf is the station, of n, that makes a category: the categories are dealt out in even shares.
func stationOf(category string, n int) int {
	for i, c := range dinner.Categories {
		if c == category {
			return i * n / len(dinner.Categories)
		}
	}
	return 0
}

// stationsOf is the set of stations, of n, that these lines go to, as bits.
func stationsOf(lines []dinner.Line, n int) uint32 {
	var set uint32
	for _, l := range lines {
		set |= 1 << stationOf(l.Category, n)
	}
	return set
}

// A template is a whole HTTP request with gaps for the order's id, so that sending one costs a copy and a write: the
// generator shares its two cores with the box that it measures.
type template struct {
	raw      []byte
	gaps     []int // where the mark goes
	stations uint32
	menu     int
}

// templates makes the sixteen requests to path at host. run distinguishes the orders of this run from those that the
// box may still know.
func templates(path, host, token, run string, stations int, at time.Time) ([]template, error) {
	var all []template
	for i, m := range dinner.Menus() {
		m.Source = "bench"
		m.SourceOrderID = blankMark + "-" + run
		m.Partner.OrderID = blankMark
		m.PlacedAt = at.UTC().Format(time.RFC3339)
		body, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("menu %d: %w", i, err)
		}
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", path, host, len(body))
		if token != "" {
			head += "Authorization: Bearer " + token + "\r\n"
		}
		t := template{raw: append([]byte(head+"\r\n"), body...), stations: stationsOf(m.Lines, stations), menu: i}
		t.gaps = indexAll(t.raw, blankMark)
		if len(t.gaps) != 2 {
			return nil, fmt.Errorf("menu %d holds the mark %d times, want 2", i, len(t.gaps))
		}
		all = append(all, t)
	}
	return all, nil
}

// fill writes the request of order m into b and returns the longer slice.
func (t *template) fill(b []byte, m mark) []byte {
	start := len(b)
	b = append(b, t.raw...)
	for _, g := range t.gaps {
		m.put(b[start+g:])
	}
	return b
}
