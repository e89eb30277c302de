package bundle

import "fmt"

// A Refusal says why a bundle is not taken. Code is fixed, for programs and for people on the telephone.
type Refusal struct {
	Code   string
	Detail string // what was found
	Remedy string // what to do
}

// Error is CODE: what was found; what to do.
func (r *Refusal) Error() string { return r.Code + ": " + r.Detail + "; " + r.Remedy }

// The codes.
const (
	NotABundle      = "not_a_bundle"
	NewerFormat     = "newer_format"
	Malformed       = "malformed"
	TooLarge        = "too_large"
	Unsigned        = "unsigned"
	UnknownKey      = "unknown_key"
	RevokedKey      = "revoked_key"
	DevelopmentKey  = "development_key"
	BadSignature    = "bad_signature"
	Unclaimed       = "unclaimed"
	WrongSite       = "wrong_site"
	WrongBoard      = "wrong_board"
	OldNumber       = "old_number"
	SameNumber      = "same_number"
	ProgramTooOld   = "program_too_old"
	Truncated       = "truncated"
	FileChanged     = "file_changed"
	Trailing        = "trailing_bytes"
	FileName        = "file_name"
	NoConfiguration = "no_configuration"
	Configuration   = "configuration"
	FileMissing     = "file_missing"
	SealedToOthers  = "sealed_to_others"
	LastKey         = "last_key"
	TrialRunning    = "trial_running"
	NoRoom          = "no_room"
	NotRegular      = "not_a_regular_file"
)

func refuse(code, remedy, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Detail: fmt.Sprintf(format, args...), Remedy: remedy}
}
