package reservation

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/words"
	"aboyeur/protocol/booking"
)

// Origins of a link.
const (
	originAuto     = "auto"
	originMatch    = "manual_match"
	originOperator = "operator"
)

// decide looks at a seated party that has no check and does what Decide says.
func (s *Service) decide(tx *journal.Tx, i *integration, id journal.ID, by string) (Verdict, error) {
	r, err := load(tx, id)
	if err != nil {
		return Verdict{}, err
	}
	set := i.settings.Load()
	want := s.floorTables(&set.Settings, r.Content.Tables)
	f := Facts{
		Linked: r.Order == Open, OpenChecks: set.OpenChecks, WalkIns: set.WalkIns, WalkIn: r.Content.WalkIn, Tables: len(want) > 0, Online: s.c.Till == nil,
	}
	var mine journal.ID
	for n, t := range want {
		if _, alias := set.floor(r.Content.Tables[n]); alias {
			r.note(tx.Now(), "alias", i.Name, r.Content.Tables[n]+" is "+t)
		}
		if !s.c.Floor.Known(t) {
			if f.Unknown == "" {
				f.Unknown = r.Content.Tables[n]
			}
			continue
		}
		on, err := s.c.Floor.On(tx, t)
		if err != nil {
			return Verdict{}, err
		}
		for _, c := range on {
			belongs, err := parties(tx, c.ID)
			if err != nil {
				return Verdict{}, err
			}
			switch {
			case slices.Contains(belongs, r.ID.Key()) || c.Reservation == r.ID.String():
				f.Mine, mine = true, c.ID
			case f.Blocking == 0:
				f.Blocking = c.Number
			}
		}
	}
	d := Decide(f)
	switch d.Do {
	case DoLink:
		if err := s.store(tx, r); err != nil {
			return Verdict{}, err
		}
		err = s.join(tx, i, id, mine, originMatch, by)
	case DoOpen:
		if err := s.store(tx, r); err != nil {
			return Verdict{}, err
		}
		err = s.open(tx, i, id, want, "", "", by)
	case DoWait:
		now := tx.Now()
		r.Order, r.Problem, r.Detail = Pending, d.Problem, ""
		r.RetryAt, r.GiveUpAt = now, now.Add(s.c.Patience)
		r.note(now, "pending", by, "")
		err = s.store(tx, r)
		tx.After(func(err error) {
			if err == nil {
				s.stir()
			}
		})
	case DoFail:
		r.Order, r.Problem, r.Detail = Failed, d.Problem, s.detail(d.Problem, &f)
		r.note(tx.Now(), "failed", by, strings.TrimSpace(d.Problem+" "+r.Detail))
		if err = s.store(tx, r); err == nil && d.Match {
			err = s.matchParty(tx, i, r, want)
		}
	}
	if err != nil {
		return Verdict{}, err
	}
	if r, err = load(tx, id); err != nil {
		return Verdict{}, err
	}
	return Verdict{r.ID, true, r.Order}, nil
}

// detail says what of the facts made the problem.
func (s *Service) detail(problem string, f *Facts) string {
	switch problem {
	case TableUnavailable:
		return s.words.T("reservation.blocked_by", strconv.FormatInt(f.Blocking, 10))
	case InvalidTable:
		return s.words.T("reservation.unknown_table", f.Unknown) + near(f.Unknown, s.c.Floor.Tables(), s.words.T("reservation.near"))
	case OrderCreationDisabled:
		if f.OpenChecks {
			return s.words.T("reservation.walk_ins_excluded")
		}
	case StaffUnknown:
		return f.Staff
	}
	return ""
}

// open opens a check for a party; the step that this makes joins the two.
func (s *Service) open(tx *journal.Tx, i *integration, id journal.ID, tables []string, till, reference, by string) error {
	r, err := load(tx, id)
	if err != nil {
		return err
	}
	set := i.settings.Load()
	s.opening = id
	defer func() { s.opening = journal.ID{} }()
	profile := set.OrderProfile
	if set.DefaultProfile {
		profile = ""
	}
	if till == "" && s.c.Till == nil && len(set.Tills) > 0 {
		till = set.Tills[0]
	}
	c, err := s.c.Floor.Open(tx, i.Name, Opening{
		Reservation: id.String(), Tables: tables, Covers: r.Content.PartySize, Guest: r.Content.Guest.Name(), Notes: s.notes(&r.Content), Staff: set.Staff,
		Profile: profile, Till: till, WalkIn: r.Content.WalkIn, Reference: reference,
	})
	if err != nil {
		return err
	}
	return s.join(tx, i, id, c.ID, originAuto, by)
}

// join makes a check the party's. The stage seated is reached by that.
func (s *Service) join(tx *journal.Tx, i *integration, id, check journal.ID, origin, by string) error {
	r, err := load(tx, id)
	if err != nil {
		return err
	}
	c, err := s.c.Floor.Load(tx, check)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(insertParty, check.Key(), id.Key(), check[:]); err != nil {
		return fmt.Errorf("link check %d: %w", c.Number, err)
	}
	if r.Order == Closed {
		r.Progress = stageZero
	}
	r.Order, r.Problem, r.Detail, r.Origin = Open, "", "", origin
	r.RetryAt, r.GiveUpAt = time.Time{}, time.Time{}
	r.unflag(FlagTwoCandidates, FlagUnlinkedTables)
	set := i.settings.Load()
	if !set.MultiTable && len(r.Content.Tables) > 1 {
		r.flag(FlagUnlinkedTables)
		r.Detail = s.words.T("reservation.unlinked_tables", strings.Join(r.Content.Tables[1:], ", "))
	}
	r.note(tx.Now(), "order_open", by, origin+" "+strconv.FormatInt(c.Number, 10))
	if err := s.store(tx, r); err != nil {
		return err
	}
	if c.Reservation == "" {
		if err := s.c.Floor.Link(tx, check, i.Name, id.String(), r.Content.Guest.Name()); err != nil {
			return err
		}
	}
	return s.happen(tx, i, id, Step{Kind: StepOpened, Check: c})
}

// matchParty looks for a check that staff opened for a party that sits now: on its table, within the window, of nobody. Two of
// them are a question for a person.
func (s *Service) matchParty(tx *journal.Tx, i *integration, r *row, tables []string) error {
	var found []Check
	set := i.settings.Load()
	for _, t := range tables {
		on, err := s.c.Floor.On(tx, t)
		if err != nil {
			return err
		}
		for _, c := range on {
			belongs, err := parties(tx, c.ID)
			if err != nil {
				return err
			}
			if len(belongs) == 0 && set.within(c.OpenedAt, r.SeatedAt) && !slices.ContainsFunc(found, func(f Check) bool { return f.ID == c.ID }) {
				found = append(found, c)
			}
		}
	}
	return s.match(tx, i, r, found)
}

func (s *Service) match(tx *journal.Tx, i *integration, r *row, found []Check) error {
	switch len(found) {
	case 0:
		return nil
	case 1:
		others, err := s.wanting(tx, found[0], r.ID)
		if err != nil {
			return err
		}
		if len(others) == 0 {
			return s.join(tx, i, r.ID, found[0].ID, originMatch, byPlatform)
		}
	}
	r.flag(FlagTwoCandidates)
	r.note(tx.Now(), "two_candidates", "", "")
	return s.store(tx, r)
}

// wanting gives the parties that a check may be of: they sit at one of its tables without a check.
func (s *Service) wanting(tx *journal.Tx, c Check, but journal.ID) (list []*row, err error) {
	var before, after int
	for _, i := range s.links {
		set := i.settings.Load()
		before, after = max(before, set.MatchBefore), max(after, set.MatchAfter)
	}
	from, to := c.OpenedAt.Add(-time.Duration(after)*time.Minute), c.OpenedAt.Add(time.Duration(before)*time.Minute)
	err = tx.Query(selectWanting, []any{journal.Micros(from), journal.Micros(to)}, func(read func(...any) error) error {
		r, err := scan(read)
		if err != nil {
			return err
		}
		i := s.link(r.Platform)
		if r.ID == but || i == nil || !i.on() {
			return nil
		}
		set := i.settings.Load()
		if !set.within(c.OpenedAt, r.SeatedAt) {
			return nil
		}
		for _, t := range s.floorTables(&set.Settings, r.Content.Tables) {
			if slices.Contains(c.Tables, t) {
				list = append(list, r)
				return nil
			}
		}
		return nil
	})
	return list, err
}

// matchCheck looks for the party of a check that staff opened.
func (s *Service) matchCheck(tx *journal.Tx, c Check) error {
	list, err := s.wanting(tx, c, journal.ID{})
	if err != nil {
		return err
	}
	if len(list) == 1 {
		return s.join(tx, s.link(list[0].Platform), list[0].ID, c.ID, originMatch, byPlatform)
	}
	for _, r := range list {
		r.flag(FlagTwoCandidates)
		r.note(tx.Now(), "two_candidates", "", "check "+strconv.FormatInt(c.Number, 10))
		if err := s.store(tx, r); err != nil {
			return err
		}
	}
	return nil
}

// named joins a check that was opened with the id of a reservation, when that has none yet.
func (s *Service) named(tx *journal.Tx, c Check, by string) (bool, error) {
	id, err := journal.ParseID(c.Reservation)
	if err != nil {
		return false, nil
	}
	r, err := load(tx, id)
	if errors.Is(err, ErrNone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	i := s.link(r.Platform)
	if i == nil || r.Order == Open || r.Status.Over() {
		return false, nil
	}
	return true, s.join(tx, i, id, c.ID, originOperator, by)
}

// notes is what staff should know of a party, allergies first, since they must not be what is cut off.
func (s *Service) notes(m *booking.Reservation) string {
	var parts []string
	add := func(key string, texts ...string) {
		texts = slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return t == "" })
		if len(texts) > 0 {
			parts = append(parts, s.words.T("reservation.note."+key, strings.Join(texts, ", ")))
		}
	}
	add("allergens", m.Guest.Allergens...)
	add("dietary", m.Guest.Dietary...)
	add("food", m.Guest.FoodNotes)
	if d := s.deposits(&row{Content: *m}); d.Remaining > 0 { // so that nobody asks for it again, wherever the check is printed
		add("deposit", money.Format(d.Remaining, s.decimals)+" "+s.c.Currency)
	}
	add("request", m.GuestRequest)
	add("notes", m.Notes)
	add("guest", m.Guest.Notes)
	add("offer", m.Offer)
	add("tags", m.Tags...)
	return words.Tidy(strings.Join(parts, " · "), maxNotes)
}
