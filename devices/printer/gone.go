package printer

import "errors"

// ErrGone is the ledger's answer to Sending when the job is no longer this printer's: another one took it over, or it
// was cancelled. Nothing must be sent for it.
var ErrGone = errors.New("the job is no longer this printer's")
