package bookings

import (
	"net/http"

	"aboyeur/simulate/cloud"
)

// What all simulated services share, by the names that platforms use.
type (
	Answer    = cloud.Answer
	Call      = cloud.Call
	Faults    = cloud.Faults
	Kind      = cloud.Kind
	Duration  = cloud.Duration
	HookError = cloud.HookError
	Message   = cloud.Message
	Tokens    = cloud.Tokens
)

// Faults by name.
const (
	Unauthorized = cloud.Unauthorized
	TooMany      = cloud.TooMany
	Broken       = cloud.Broken
	Timeout      = cloud.Timeout
	LostAnswer   = cloud.LostAnswer
	Refused      = cloud.Refused
	Late         = cloud.Late
	Duplicate    = cloud.Duplicate
	OutOfOrder   = cloud.OutOfOrder
)

// Defaults of faults and tokens.
const (
	DefaultLate       = cloud.DefaultLate
	DefaultRetryAfter = cloud.DefaultRetryAfter
	DefaultTimeoutBy  = cloud.DefaultTimeoutBy
	TokenLife         = cloud.TokenLife
)

// Refuse is an answer that says what is wrong.
func Refuse(status int, detail string) Answer { return cloud.Refuse(status, detail) }

// Bearer is the token of a request's Authorization header.
func Bearer(r *http.Request) string { return cloud.Bearer(r) }

// Kinds lists every fault.
func Kinds() []Kind { return cloud.Kinds() }
