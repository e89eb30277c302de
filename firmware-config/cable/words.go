package cable

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Kinds of frames. Questions are capital letters, answers small ones.
const (
	askHello  = 'H'
	askBegin  = 'B'
	askFinish = 'F'
	askRead   = 'R'
	putData   = 'D'

	sayWelcome = 'h'
	sayBegun   = 'b'
	sayState   = 'f'
	sayText    = 'r'
	sayHave    = 'd'
	sayNo      = 'n'
)

// version is that of the words spoken here; a box answers others with its own.
const version = 1

// A Welcome is what a box says of itself.
type Welcome struct {
	Version  int    `json:"version"`
	Program  string `json:"program"`
	Site     string `json:"site"`
	Number   uint64 `json:"number"`
	Identity string `json:"identity"`
}

// begin announces a file.
type begin struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // 64 hexadecimal digits
	Try    string `json:"try"`    // of the laptop, the same over all the lines it needs
}

// begun says how much of it is there already.
type begun struct {
	Session uint32 `json:"session"` // stands before each piece of data
	Offset  int64  `json:"offset"`
}

// finish asks what becomes of a file that was sent.
type finish struct {
	SHA256  string `json:"sha256"`
	Try     string `json:"try"`
	AnySite bool   `json:"any_site,omitempty"`
}

// A State is what became of a bundle.
type State struct {
	Done bool   `json:"done"`
	Code string `json:"code,omitempty"` // applied, or that of the refusal
	Text string `json:"text,omitempty"`
}

// read asks for a part of a text.
type read struct {
	What   string `json:"what"` // status or logs
	Offset int    `json:"offset"`
}

// said is a part of a text: the rest of the payload behind a line of this.
type said struct {
	Total int `json:"total"`
}

// no says why a question has no answer.
type no struct {
	Text string `json:"text"`
}

// decode reads the JSON of a question or answer.
func decode(f frame, v any) error {
	if err := json.Unmarshal(f.payload, v); err != nil {
		return fmt.Errorf("frame %q: %w", f.kind, err)
	}
	return nil
}

// encode makes a frame of JSON that fits; what is too long is cut where it may be.
func encode(kind byte, id uint32, v any) (frame, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return frame{}, err
	}
	if len(b) > maxPayload {
		return frame{}, errors.New("too long for a frame")
	}
	return frame{kind, id, b}, nil
}

// short cuts a text to what a frame holds beside its other words, however JSON writes it.
func short(s string) string {
	const most = 700
	for {
		b, err := json.Marshal(s)
		if err != nil || len(b) <= most {
			return s
		}
		runes := []rune(s)
		s = string(runes[:len(runes)*9/10]) + "…"
	}
}
