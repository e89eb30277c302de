package api

import (
	"errors"
	"fmt"
	"net/http"

	"aboyeur/bridge/journal"
)

// Outdated gives a change that was made from an older revision its place in HTTP: 409 with the revision there is now. Any
// other error, and none, come back as they are.
func Outdated(err error) error {
	var conflict *journal.ConflictError
	if !errors.As(err, &conflict) {
		return err
	}
	return &Problem{Status: http.StatusConflict, Code: "revision", Detail: err.Error(), Extra: map[string]any{"revision": conflict.Current.Revision}}
}

// ChangedMeanwhile is Outdated for a whole that people know by a word, as in "the contacts".
func ChangedMeanwhile(what string, err error) error {
	var conflict *journal.ConflictError
	if !errors.As(err, &conflict) {
		return err
	}
	return Conflict("changed_meanwhile", fmt.Sprintf("somebody changed %s meanwhile; they are at revision %d", what, conflict.Current.Revision))
}
