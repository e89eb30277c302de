package pos

import (
	"fmt"
	"net/http"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	record "aboyeur/bridge/refusal"
	"aboyeur/bridge/words"
)

// Refused keeps on record which messages of a till were refused, so that a check, a sold-out dish or an order whose fate nobody
// heard of can be explained. Its methods may be called from any goroutine.
type Refused struct {
	Journal *journal.Journal
	Till    string // its kind
	Title   string // as people call it
	Now     func() time.Time

	unproved record.Unproved
}

// Bounds of what is kept of a message, characters.
const (
	maxReason = 1000
	maxRef    = 200
)

type refusedList struct {
	Till     string           `json:"till" doc:"kind of the POS"`
	Title    string           `json:"title"`
	Rejected []refusedMessage `json:"rejected"`
}

type refusedMessage struct {
	At     time.Time `json:"at"`
	Status int       `json:"status" doc:"of the answer"`
	Reason string    `json:"reason"`
	About  string    `json:"about,omitzero" doc:"the till's own name of what it speaks of, where it could be read"`
	Hash   string    `json:"hash,omitzero" doc:"SHA-256 of the body; the body itself is not kept"`
}

// Note writes down that a message was answered with status, soon and without waiting. about and body are not kept of a message
// that nobody proved to have sent (401), and of those one in a second is.
func (r *Refused) Note(status int, reason, about string, body []byte) {
	if status == http.StatusUnauthorized {
		if r.unproved.Often(r.Now()) {
			return
		}
		about, body = "", nil
	}
	id, hash := r.Journal.NewID(), record.Hash(body)
	reason, about = words.Tidy(reason, maxReason), words.Tidy(about, maxRef)
	r.Journal.Later(func(tx *journal.Tx) error {
		tx.Change("integration", r.Till, []byte("{}"))
		return record.Keep(tx, id, r.Till, status, reason, about, hash)
	})
}

// Route lists them, the latest first.
func (r *Refused) Route() api.Route {
	return api.Route{Method: "GET", Path: "/v1/pos/rejected", Roles: []access.Role{access.Manager, access.Staff}, Tags: []string{"till"}, Summary: "Messages of the POS that were refused",
		Answer: refusedList{}, Handle: func(w http.ResponseWriter, q *http.Request) error {
			found, err := record.List(q.Context(), r.Journal, r.Till)
			if err != nil {
				return fmt.Errorf("read refused messages: %w", err)
			}
			list := refusedList{Till: r.Till, Title: r.Title, Rejected: make([]refusedMessage, len(found))}
			for i, m := range found {
				list.Rejected[i] = refusedMessage{At: m.At, Status: m.Status, Reason: m.Reason, About: m.Ref, Hash: m.Hash}
			}
			return api.Answer(w, http.StatusOK, list)
		}}
}
