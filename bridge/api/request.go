package api

import (
	"net/http"
	"strconv"

	"aboyeur/bridge/journal"
)

// MaxKey is how many bytes an Idempotency-Key may have.
const MaxKey = 255

// IdempotencyKey is the caller's key for this request, "" for none. One that is too long is a Problem.
func IdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > MaxKey {
		return "", &Problem{Status: http.StatusBadRequest, Code: "invalid_key", Detail: "the Idempotency-Key is longer than " + strconv.Itoa(MaxKey) + " bytes"}
	}
	return key, nil
}

// PathID is the {id} of the request's path. Text that is no id is a Problem: there is no such thing, and what names it.
func PathID(r *http.Request, what string) (journal.ID, error) {
	id, err := journal.ParseID(r.PathValue("id"))
	if err != nil {
		return id, NotFound(what, r.PathValue("id"))
	}
	return id, nil
}
