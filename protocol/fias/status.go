package fias

// A Status is an answer status, AS (fias.md 6.7).
type Status string

// The statuses. Those below the blank line do not answer postings.
const (
	OK          Status = "OK"
	NotFound    Status = "NG"
	NoPost      Status = "NP"
	OverLimit   Status = "CO"
	BadSum      Status = "DM"
	BadAccount  Status = "IA"
	NotAllowed  Status = "FX"
	NightAudit  Status = "NA"
	Retry       Status = "RY"
	Unprocessed Status = "UR"
	Denied      Status = "DN"

	AlreadyAssigned Status = "AA"
	NumberNotFound  Status = "AN"
	BalanceMismatch Status = "BM"
	NotToday        Status = "CD"
	NotEnabled      Status = "NF"
	Busy            Status = "BY"
	NoResponse      Status = "NR"
	Deleted         Status = "DE"
	NoMessage       Status = "NM"
	Referral        Status = "RF"
	HandedOn        Status = "SV"
)

// An Action is what the vendor should do about a status.
type Action string

// The actions (fias.md 6.7).
const (
	CloseCheck  Action = "close the check"
	AnotherRoom Action = "ask for another room"
	OtherTender Action = "take another tender"
	Override    Action = "supervisor override or another tender"
	OwnFault    Action = "stop: the parts do not make the total"
	InquireAnew Action = "inquire again"
	AfterAudit  Action = "wait for the end of the night audit"
	RetryLater  Action = "post again later under a new number"
	Stop        Action = "stop and show the text"
	NoAction    Action = ""
)

// A StatusInfo is an entry of the table of statuses.
type StatusInfo struct {
	Status  Status
	Meaning string
	Posting bool // it answers postings and inquiries
	Booked  bool // the hotel has the charge
	Again   bool // the same charge may be sent again, under a new number: RY and NA
	Action  Action
}

// Statuses is the table of fias.md 6.7, those of postings first.
func Statuses() []StatusInfo {
	return []StatusInfo{
		{OK, "done", true, true, false, CloseCheck},
		{NotFound, "guest or account not found", true, false, false, AnotherRoom},
		{NoPost, "guest may not post", true, false, false, OtherTender},
		{OverLimit, "over the credit limit", true, false, false, Override},
		{BadSum, "parts do not make the total", true, false, false, OwnFault},
		{BadAccount, "invalid account", true, false, false, InquireAnew},
		{NotAllowed, "not allowed for the guest", true, false, false, OtherTender},
		{NightAudit, "night audit is running", true, false, true, AfterAudit},
		{Retry, "retry", true, false, true, RetryLater},
		{Unprocessed, "cannot be processed", true, false, false, Stop},
		{Denied, "denied", true, false, false, Stop},
		{AlreadyAssigned, "virtual number already assigned", false, false, false, NoAction},
		{NumberNotFound, "virtual number not found", false, false, false, NoAction},
		{BalanceMismatch, "check-out: balance differs", false, false, false, NoAction},
		{NotToday, "check-out: not today", false, false, false, NoAction},
		{NotEnabled, "check-out: not enabled", false, false, false, NoAction},
		{Busy, "busy", false, false, false, NoAction},
		{NoResponse, "no response", false, false, false, NoAction},
		{Deleted, "deleted", false, false, false, NoAction},
		{NoMessage, "message or locator not found", false, false, false, NoAction},
		{Referral, "referral", false, false, false, NoAction},
		{HandedOn, "handed on", false, false, false, NoAction},
	}
}

// Info is what the table says of a status; of one it lacks it says to stop and show the text.
func (s Status) Info() StatusInfo {
	for _, i := range Statuses() {
		if i.Status == s {
			return i
		}
	}
	return StatusInfo{Status: s, Meaning: "unknown status", Posting: true, Action: Stop}
}
