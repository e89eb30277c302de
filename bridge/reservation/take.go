package reservation

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/booking"
)

// Who moved a reservation.
const (
	byPlatform = "platform"
	byTimer    = "timer" // a job of the platform's that assumes things
)

// Bounds of what a platform tells.
const (
	maxRef      = 200 // bytes of an id
	maxTables   = 20
	maxParty    = 1000
	maxText     = 200
	maxNotes    = 2000
	maxTags     = 50
	maxDeposits = 50
	maxStrange  = 50 // unknown words that are warned of, for each platform
)

// order says how a message stands to what is known.
type order int

const (
	newer order = iota
	same
	stale
)

// Verdict is what became of a message.
type Verdict struct {
	ID      journal.ID
	Applied bool   // false: it was known, or older than what is known
	Order   string // the party's order state after it
}

// Take takes what a platform tells. The answer comes when all of it is on disk; what is wrong with one of them refuses that one
// alone, as a *booking.Malformed.
func (s *Service) Take(ctx context.Context, platform string, list []booking.Reservation) ([]Verdict, error) {
	i := s.link(platform)
	if i == nil {
		return nil, ErrPlatform
	}
	if !i.on() {
		return nil, ErrOff
	}
	for n := range list {
		if faults := clean(&list[n], i); len(faults) > 0 {
			return nil, &booking.Malformed{Faults: faults}
		}
	}
	verdicts := make([]Verdict, len(list))
	// A long list is taken in parts, so that orders need not wait for all of it.
	const part = 20
	for from := 0; from < len(list); from += part {
		to := min(from+part, len(list))
		err := s.c.Journal.Write(ctx, func(tx *journal.Tx) (err error) {
			for n := from; n < to; n++ {
				if verdicts[n], err = s.take(tx, i, &list[n], false); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// take applies one message.
func (s *Service) take(tx *journal.Tx, i *integration, m *booking.Reservation, strict bool) (Verdict, error) {
	set := i.settings.Load()
	now := tx.Now()
	r, err := find(tx, selectRef, i.Name, m.ID)
	if err != nil {
		return Verdict{}, err
	}
	hash := digest(m)
	if r == nil {
		r = &row{ID: s.c.Journal.NewID(), Platform: i.Name, Ref: m.ID, Order: None, fresh: true}
		r.note(now, "received", i.Name, m.Word)
	} else {
		switch compare(r, m, hash) {
		case same:
			return Verdict{r.ID, false, r.Order}, nil
		case stale:
			r.note(now, "stale", i.Name, m.Word)
			return Verdict{r.ID, false, r.Order}, s.store(tx, r)
		}
	}
	if strict {
		if faults := checkDeposits(&r.Content, m); len(faults) > 0 {
			return Verdict{}, &booking.Malformed{Faults: faults}
		}
	}
	before := r.Content
	from := r.Status
	if m.Status == "" && r.fresh {
		m.Status = booking.Scheduled // a word nobody knows says at least that there is a reservation
	}
	to := cmp.Or(m.Status, from)
	by := byPlatform
	if m.Assumed {
		by = byTimer
	}
	if !r.fresh {
		if err := s.ours(tx, r, m, &to); err != nil {
			return Verdict{}, err
		}
	}
	if !Allowed(from, to) {
		r.note(now, "move_refused", by, string(from)+" to "+string(to))
		r.flag(FlagOddMove)
		to = from
	}
	m.Platform, m.Venue = "", ""
	r.Content, r.Status, r.Hash = *m, to, hash
	r.Sequence, r.Updated = cmp.Or(m.Sequence, r.Sequence), m.UpdatedAt
	r.At = m.ScheduledAt
	if r.At.IsZero() {
		if r.At = before.ScheduledAt; r.At.IsZero() {
			r.At = now
		}
		r.Content.ScheduledAt = r.At
	}
	r.Day = s.c.Calendar.Day(r.At)
	r.ForgetAt = r.At.AddDate(0, 0, set.GuestRetentionDays)
	if from != to {
		if from != "" {
			r.unflag(FlagOddMove)
		}
		r.note(now, "status", by, string(to))
	}
	if voidedAfterUse(&before, m, r.Applied) {
		r.flag(FlagDepositVoided)
	}
	return s.settle(tx, i, r, before, from, by)
}

// ours keeps what staff did at the till while the platform has yet to be told of it: its message was written before that
// (spec/reservations.md 6.3).
func (s *Service) ours(tx *journal.Tx, r *row, m *booking.Reservation, to *booking.Status) error {
	untold, err := s.c.Relay.Untold(tx, r.ID.Key())
	if err != nil {
		return err
	}
	for _, kind := range untold {
		switch kind {
		case booking.KindStatus:
			if *to != r.Status {
				r.note(tx.Now(), "kept", byPlatform, string(r.Status)+" before "+string(*to))
				*to = r.Status
			}
		case booking.KindTables:
			if len(m.Tables) > 0 {
				m.Tables = r.Content.Tables
			}
		case booking.KindCovers:
			m.PartySize = r.Content.PartySize
		}
	}
	return nil
}

// settle does what follows from a reservation's new state: it ends a link, opens a check, or changes the one there is. The row
// is stored before the floor is asked for anything, since what the floor does comes back as steps that change it.
func (s *Service) settle(tx *journal.Tx, i *integration, r *row, before booking.Reservation, from booking.Status, by string) (Verdict, error) {
	set := i.settings.Load()
	now := tx.Now()
	to := r.Status
	opens := Opens(&r.Content, to, &set.Settings)
	sat := Opens(&before, from, &set.Settings) && from != ""
	tables := !slices.Equal(before.Tables, r.Content.Tables)
	if opens && !sat {
		r.SeatedAt = now
		r.unflag(FlagRemoveCheck, FlagUnseated, FlagCancelledOpen)
	}
	if !opens && !r.Content.Assumed && to != booking.Departed && sat {
		r.SeatedAt = time.Time{}
	}
	switch {
	case to == booking.Departed && from != to:
		if r.Order == Open || r.Order == Pending {
			r.Order, r.Problem, r.Detail = Closed, "", ""
			r.note(now, "link_closed", by, "the party has left")
		}
	case to.Over() && from != to && r.Order == Open:
		r.flag(FlagCancelledOpen)
	}
	if sat && !opens && to != booking.Departed {
		if err := s.c.Relay.Leave(tx, i.Name, r.ID.Key()); err != nil {
			return Verdict{}, err
		}
	}
	if r.Order == Pending && !opens && to != booking.Departed {
		r.Order, r.Problem, r.Detail = Failed, Expired, s.words.T("reservation.not_seated_any_more")
		r.RetryAt, r.GiveUpAt = time.Time{}, time.Time{}
	}
	list, err := checks(tx, r.ID.Key())
	if err != nil {
		return Verdict{}, err
	}
	if r.Order == Open && sat && !opens && !to.Over() {
		if empty, err := s.empty(tx, list); err != nil {
			return Verdict{}, err
		} else if empty {
			r.flag(FlagRemoveCheck)
		} else {
			r.flag(FlagUnseated)
		}
	}
	// A party that sits and has no check is decided on when it sat down, got another table, or was seated once more; a message
	// that tells how its meal goes on is no new seating.
	again := r.Order == None || r.Order == Failed && r.Content.Stage.Rank() <= booking.AtTable.Rank()
	if opens && (again || !sat) && r.Order != Open && r.Order != Pending {
		if err := s.store(tx, r); err != nil {
			return Verdict{}, err
		}
		return s.decide(tx, i, r.ID, by)
	}
	if err := s.store(tx, r); err != nil {
		return Verdict{}, err
	}
	if r.Order == Open {
		if err := s.refresh(tx, i, r, before, tables, opens && !sat, list); err != nil {
			return Verdict{}, err
		}
	}
	return Verdict{r.ID, true, r.Order}, nil
}

// refresh brings what the platform changed of a party to its check.
func (s *Service) refresh(tx *journal.Tx, i *integration, r *row, before booking.Reservation, tables, seatedAgain bool, list []journal.ID) error {
	set := i.settings.Load()
	if len(list) == 0 {
		return nil
	}
	c, err := s.c.Floor.Load(tx, list[0])
	if err != nil || !c.Open {
		return err
	}
	covers := 0
	if r.Content.PartySize > c.Covers && r.Content.PartySize != before.PartySize {
		covers = r.Content.PartySize // only upward: staff may have counted heads
	}
	guest, notes := "", ""
	if name := r.Content.Guest.Name(); name != before.Guest.Name() {
		guest = name
	}
	if now := s.notes(&r.Content); now != s.notes(&before) {
		notes = now
	}
	if covers != 0 || guest != "" || notes != "" {
		if err := s.c.Floor.Party(tx, c.ID, i.Name, covers, guest, notes); err != nil {
			return err
		}
	}
	if tables && len(r.Content.Tables) > 0 {
		want := s.floorTables(&set.Settings, r.Content.Tables)
		err := s.moveTo(tx, i, c, want)
		if err != nil {
			fresh, lerr := load(tx, r.ID)
			if lerr != nil {
				return lerr
			}
			fresh.flag(FlagTables)
			fresh.note(tx.Now(), "not_moved", i.Name, err.Error())
			if err := s.store(tx, fresh); err != nil {
				return err
			}
		}
	}
	if seatedAgain {
		return s.catchUp(tx, i, r.ID)
	}
	return nil
}

// moveTo sets a check to the tables that the platform says, when it can stand there.
func (s *Service) moveTo(tx *journal.Tx, i *integration, c Check, want []string) error {
	if slices.Equal(c.Tables, want) {
		return nil
	}
	for _, t := range want {
		if !s.c.Floor.Known(t) {
			return fmt.Errorf("table %q is not on the floor", t)
		}
	}
	return s.c.Floor.Move(tx, c.ID, i.Name, want)
}

// floorTables are the tables that a party's check stands on, by the floor's names.
func (s *Service) floorTables(set *Settings, theirs []string) []string {
	n := len(theirs)
	if !set.MultiTable {
		n = min(n, 1)
	}
	list := make([]string, n)
	for i := range list {
		list[i], _ = set.floor(theirs[i])
	}
	return list
}

// empty tells whether nothing counts on any of the checks.
func (s *Service) empty(tx *journal.Tx, list []journal.ID) (bool, error) {
	for _, id := range list {
		c, err := s.c.Floor.Load(tx, id)
		if err != nil {
			return false, err
		}
		if c.Open && !c.Empty {
			return false, nil
		}
	}
	return true, nil
}

// compare says how a message stands to what is known: by sequence where both have one, else by the time of the change, else by
// its content (spec/reservations.md 6.1).
func compare(r *row, m *booking.Reservation, hash []byte) order {
	if string(hash) == string(r.Hash) {
		return same
	}
	switch {
	case m.Sequence != 0 && r.Content.Sequence != 0:
		if m.Sequence <= r.Sequence {
			return stale
		}
	case !m.UpdatedAt.IsZero() && !r.Updated.IsZero():
		if !m.UpdatedAt.After(r.Updated) {
			return stale
		}
	}
	return newer
}

// digest is a message's content in one number.
func digest(m *booking.Reservation) []byte {
	h := sha256.Sum256(encode(m))
	return h[:16]
}

// voidedAfterUse tells whether a deposit was voided of which something has been used.
func voidedAfterUse(before, m *booking.Reservation, applied int64) bool {
	if applied == 0 {
		return false
	}
	for _, d := range m.Deposits {
		if d.Voided && slices.ContainsFunc(before.Deposits, func(b booking.Deposit) bool { return b.ID == d.ID && !b.Voided }) {
			return true
		}
	}
	return false
}

// clean checks a message and brings its texts into a form that pages, paper and the journal can hold: control characters become
// blanks, long texts end with an ellipsis. What names things (ids, tables) is never changed: a name that cannot be held is a
// fault.
func clean(m *booking.Reservation, i *integration) []booking.Fault {
	var faults []booking.Fault
	wrong := func(pointer, detail string) {
		faults = append(faults, booking.Fault{Pointer: pointer, Detail: detail})
	}
	switch {
	case m.ID == "":
		wrong("/id", "is missing")
	case len(m.ID) > maxRef || !printable(m.ID):
		wrong("/id", fmt.Sprintf("is longer than %d bytes or has control characters", maxRef))
	}
	if m.Venue != "" && m.Venue != i.Venue {
		wrong("/venue", "is not this venue's")
	}
	if m.Sequence < 0 {
		wrong("/sequence", "is negative")
	}
	if m.PartySize < 0 || m.PartySize > maxParty {
		wrong("/party_size", fmt.Sprintf("is not a number from 0 to %d", maxParty))
	}
	if m.Status != "" && !m.Status.Valid() {
		wrong("/status", "is none of the statuses")
	}
	for _, t := range []struct {
		pointer string
		at      time.Time
	}{{"/scheduled_at", m.ScheduledAt}, {"/updated_at", m.UpdatedAt}} {
		if !t.at.IsZero() && (t.at.Year() < 2000 || t.at.Year() > 2200) {
			wrong(t.pointer, "is not a time of this century or the next")
		}
	}
	if len(m.Tables) > maxTables {
		wrong("/tables", fmt.Sprintf("names more than %d tables", maxTables))
	}
	for n, t := range m.Tables {
		pointer := fmt.Sprintf("/tables/%d", n)
		switch {
		case strings.TrimSpace(t) == "":
			wrong(pointer, "is empty")
		case utf8.RuneCountInString(t) > maxText || !printable(t):
			wrong(pointer, fmt.Sprintf("is longer than %d characters or has control characters", maxText))
		case slices.Contains(m.Tables[:n], t):
			wrong(pointer, "stands twice")
		}
	}
	if len(m.Deposits) > maxDeposits || len(m.Refunds) > maxDeposits {
		wrong("/deposits", fmt.Sprintf("has more than %d entries", maxDeposits))
	}
	m.ScheduledAt, m.UpdatedAt = m.ScheduledAt.UTC().Truncate(time.Microsecond), m.UpdatedAt.UTC().Truncate(time.Microsecond)
	m.Tables = slices.Clip(m.Tables)
	for _, text := range []*string{&m.Word, &m.Offer, &m.Currency, &m.Guest.ID, &m.Guest.FirstName, &m.Guest.LastName, &m.Guest.Phone, &m.Guest.Email, &m.Guest.Language} {
		*text = words.Tidy(*text, maxText)
	}
	for _, text := range []*string{&m.Notes, &m.GuestRequest, &m.Guest.FoodNotes, &m.Guest.Notes} {
		*text = words.Tidy(*text, maxNotes)
	}
	for _, list := range []*[]string{&m.Tags, &m.Guest.Allergens, &m.Guest.Dietary} {
		*list = (*list)[:min(len(*list), maxTags)]
		for n := range *list {
			(*list)[n] = words.Tidy((*list)[n], maxText)
		}
	}
	for _, list := range [][]booking.Deposit{m.Deposits, m.Refunds} {
		for n := range list {
			list[n].ID, list[n].Amount = words.Tidy(list[n].ID, maxText), words.Tidy(list[n].Amount, maxText)
			list[n].At, list[n].VoidedAt = list[n].At.UTC(), list[n].VoidedAt.UTC()
		}
	}
	return faults
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, words.Hidden)
}

// unknown warns once of a word that the vocabulary does not have.
func (s *Service) unknown(i *integration, list []booking.Reservation) {
	for n := range list {
		word := words.Tidy(list[n].Word, maxText)
		if list[n].Status != "" || word == "" {
			continue
		}
		i.mu.Lock()
		fresh := !i.strange[word] && len(i.strange) < maxStrange
		if fresh {
			i.strange[word] = true
		}
		i.mu.Unlock()
		if fresh {
			s.raise("platform_word", warning.Info, i.Name, i.Title, word)
		}
	}
}
