package slot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

const (
	stateName   = "state.json"
	reportName  = "report.json"
	appliedName = "applied" // written with each switch, and by nothing else
	lockName    = "lock"
	identName   = "identity"
	upName      = "up.json"
)

// state is what a store knows, written whole with each step.
type state struct {
	Slot    string            `json:"slot"` // in force: a, b, or "" for none yet
	Trial   *trial            `json:"trial,omitempty"`
	Site    string            `json:"site"`              // of the slot in force
	Highest map[string]uint64 `json:"highest"`           // number seen, by site
	Trust   []string          `json:"trust,omitempty"`   // lines of keys that bundles brought
	Revoked []string          `json:"revoked,omitempty"` // fingerprints
	Why     string            `json:"why,omitempty"`     // why the latest bundle is not the one in force
	Event   *Event            `json:"event,omitempty"`   // the latest, until somebody has told it
}

// trial is a bundle that has not yet been found healthy.
type trial struct {
	Former  string   `json:"former"` // slot to return to; "" none
	Starts  int      `json:"starts"`
	Trust   []string `json:"trust,omitempty"` // what counts once it is confirmed
	Revoke  []string `json:"revoke,omitempty"`
	Claimed string   `json:"claimed,omitempty"` // fingerprint of the first key, if this bundle brought it
}

// What an Event tells of.
const (
	Tried     = "tried"     // a bundle came into force, on trial
	Confirmed = "confirmed" // it was found healthy
	Returned  = "returned"  // it was not, and the former configuration is back
	Mended    = "mended"    // a slot was damaged, and the other one took its place
)

// An Event is what happened to the configuration last.
type Event struct {
	What    string    `json:"what"`
	Site    string    `json:"site"`
	Number  uint64    `json:"number"` // of the bundle it is about
	Now     uint64    `json:"now"`    // of the bundle in force since; 0 none
	Reason  string    `json:"reason,omitempty"`
	Claimed string    `json:"claimed,omitempty"` // fingerprint of the key that claimed the box
	At      time.Time `json:"at"`
}

// A Report says how the latest attempt to bring a bundle ended, taken or refused.
type Report struct {
	Way    string    `json:"way"` // stick, cable, command
	Site   string    `json:"site,omitempty"`
	Number uint64    `json:"number,omitempty"`
	Code   string    `json:"code"` // applied, or that of the refusal
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// Applied is the code of a report that is no refusal.
const Applied = "applied"

var errDamaged = errors.New("state.json is damaged")

// encode puts a sum behind the state, so that a worn card is noticed.
func (s state) encode() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(b, "\nsha256:%x\n", sha256.Sum256(b)), nil
}

func decodeState(b []byte) (s state, err error) {
	i := bytes.LastIndex(b, []byte("\nsha256:"))
	if i < 0 {
		return s, errDamaged
	}
	sum, err := hex.DecodeString(string(bytes.TrimSuffix(b[i+len("\nsha256:"):], []byte("\n"))))
	if want := sha256.Sum256(b[:i]); err != nil || !bytes.Equal(sum, want[:]) {
		return s, errDamaged
	}
	if err := json.Unmarshal(b[:i], &s); err != nil {
		return s, errDamaged
	}
	if s.Highest == nil {
		s.Highest = map[string]uint64{}
	}
	return s, nil
}

// read gives the state; a store without one has none yet. errDamaged comes with what the slots themselves tell.
func (s *Store) read() (state, error) {
	b, err := s.disk.ReadFile(stateName)
	if errors.Is(err, fs.ErrNotExist) {
		st := s.rebuilt()
		if st.Slot != "" {
			return st, fmt.Errorf("it is gone: %w", errDamaged)
		}
		return st, nil
	}
	if err != nil {
		return state{}, err
	}
	st, err := decodeState(b)
	if err != nil {
		return s.rebuilt(), err
	}
	return st, nil
}

// rebuilt makes a state from the slots alone: the intact one with the highest number counts. Keys that bundles brought
// are forgotten; those of the image's folder are not.
func (s *Store) rebuilt() state {
	st := state{Highest: map[string]uint64{}}
	best := uint64(0)
	for _, slot := range slots {
		m, err := s.intact(slot)
		if err != nil {
			continue
		}
		st.Highest[m.Site] = max(st.Highest[m.Site], m.Number)
		if m.Number > best {
			best, st.Slot, st.Site = m.Number, slot, m.Site
		}
	}
	return st
}

func (s *Store) write(st state) error {
	b, err := st.encode()
	if err != nil {
		return err
	}
	return replace(s.disk, stateName, b, 0o640)
}
