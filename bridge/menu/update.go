package menu

import (
	"context"
	"errors"
	"slices"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/protocol/channel"
	"aboyeur/protocol/rest"
)

// maxLoss is the part of a menu that may go in one update without a person's word, in per cent (spec/delivery.md 6.3, step 6):
// a POS that is half away must not wipe a menu.
const maxLoss = 30

// A Guard is what stopped an update.
type Guard struct {
	Had   int `json:"had" doc:"items before"`
	Gone  int `json:"gone" doc:"of them would go"`
	Items int `json:"items" doc:"that the POS has now"`
}

// guard holds what an update would do against what was there; nil lets it through.
func guard(before, now *Catalogue, merged *merger, allow int) (cause string, g *Guard) {
	had, gone := lost(before, now)
	if merged.gone > gone {
		had, gone = merged.had, merged.gone
	}
	switch n := now.sellable(); {
	case gone <= allow:
		return "", nil
	case n == 0:
		return CauseEmpty, &Guard{had, gone, 0}
	case gone*100 > had*maxLoss:
		return CauseShrunk, &Guard{had, gone, n}
	}
	return "", nil
}

// lost counts the items and variations that orders could name and cannot any more.
func lost(before, now *Catalogue) (had, gone int) {
	there := map[string]bool{}
	each := func(c *Catalogue, f func(id string)) {
		for i := range c.Items {
			it := &c.Items[i]
			if it.Inactive {
				continue
			}
			f(itemID(it.ID))
			for j := range it.Variations {
				f(variationID(it.Variations[j].ID))
			}
		}
	}
	each(now, func(id string) { there[id] = true })
	each(before, func(id string) {
		had++
		if !there[id] {
			gone++
		}
	})
	return had, gone
}

// do brings a run from where it stands to its end. Its errors are those of the journal and of a box that is being stopped; what
// goes wrong otherwise is the run's own end.
func (s *Service) do(ctx context.Context, r *Run) error {
	var err error
	switch r.State {
	case Queued:
		r.State, r.StartedAt = Running, s.c.Now().UTC()
		if err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return r.save(tx) }); err != nil {
			break
		}
		over := false
		if r.Errand != nil {
			over, err = true, s.errand(ctx, r)
		}
		if r.Update {
			over, err = s.update(ctx, r)
		}
		if err == nil && !over {
			err = s.publish(ctx, r)
		}
	case Publishing:
		err = s.follow(ctx, r)
	}
	if err != nil && ctx.Err() != nil {
		return nil // it is taken up again when the box is back
	}
	return err
}

// update takes over what the POS sells. over is true when the run ended with it.
func (s *Service) update(ctx context.Context, r *Run) (over bool, err error) {
	m := s.menu(r.Menu)
	fetch, stop := context.WithTimeout(ctx, s.c.Fetch)
	now, err := s.c.Source.Catalogue(fetch)
	stop()
	s.heard(err)
	if err != nil {
		if ctx.Err() != nil {
			return true, err
		}
		return true, s.end(ctx, r, Failed, CausePOS, err.Error())
	}
	now.complete()
	if now.At.IsZero() {
		now.At = s.c.Now().UTC()
	}
	if now.Currency == "" {
		now.Currency = s.c.Currency
	}
	before, _, err := s.catalogue(ctx)
	if err != nil {
		return true, err
	}
	var staged channel.Menu
	if _, err := s.read(ctx, docStaged(m.ID), &staged); err != nil {
		return true, err
	}
	set := m.settings.Load()
	want, count := m.choice().target(&now)
	g := &merger{takes: set.takes, decimals: s.decimals}
	merged := g.merge(staged, want)
	r.Count = count
	if cause, held := guard(&before, &now, g, r.Allow); held != nil {
		r.Guard = held
		return true, s.end(ctx, r, Asking, cause, "")
	}
	dropped, err := s.overruled(ctx, m, set, g.in)
	if err != nil {
		return true, err
	}
	for _, e := range dropped {
		g.note(Change{Kind: e.Kind, ID: e.ID, Name: nameOf(&merged, e.ID), Act: EditDropped, Field: e.Field, Old: e.Value})
	}
	for _, c := range g.changes {
		switch c.Act {
		case Added:
			r.Added++
		case Removed:
			r.Removed++
		default:
			r.Changed++
		}
	}
	return false, s.take(ctx, m, r, now, merged, g.changes, dropped)
}

// heard notes whether the POS could be read, for whoever asks why an item is missing.
func (s *Service) heard(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken = ""; err != nil {
		s.broken = clip(err.Error())
	}
}

// take puts the update on disk as one: catalogue, staged menu, changes and the edits that the POS won over.
func (s *Service) take(ctx context.Context, m *menu, r *Run, now Catalogue, merged channel.Menu, changes []Change, dropped []Edit) error {
	var drafts []draft
	for _, d := range []struct {
		name string
		v    any
	}{{docCatalogue, &now}, {docStaged(m.ID), &merged}, {docRun(r.ID), changes}} {
		if d.name == docRun(r.ID) && len(changes) == 0 {
			continue
		}
		one, err := s.write(ctx, d.name, d.v)
		if err != nil {
			return err
		}
		drafts = append(drafts, one)
	}
	err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		for _, d := range drafts {
			if err := d.publish(tx); err != nil {
				return err
			}
		}
		for _, e := range dropped {
			if _, err := tx.Exec(deleteEdit, e.Menu, e.Kind, e.ID, e.Slug, e.Field); err != nil {
				return err
			}
		}
		return r.save(tx)
	})
	if err != nil {
		return err
	}
	if err := s.reindex(ctx); err != nil {
		return err
	}
	signal(s.sold) // what is new may be sold out
	s.look(ctx, m)
	return s.relink(ctx, m)
}

// look reads what the aggregator shows, where it lets itself be read: people may have changed something there.
func (s *Service) look(ctx context.Context, m *menu) {
	reader, ok := m.Client.(Reader)
	if !ok {
		return
	}
	remote, err := reader.Menus(ctx)
	if err == nil {
		err = s.Remote(ctx, m.ID, remote)
	}
	if err != nil && ctx.Err() == nil {
		s.c.Log.Info("the aggregator's menu was not read; the last known one counts", "menu", m.ID, "err", err)
	}
}

// overruled are the edits that the POS wins over with this update: not locked, of a field that is taken over, of something the
// POS has.
func (s *Service) overruled(ctx context.Context, m *menu, set *kept, in map[string]side) ([]Edit, error) {
	edits, err := s.edits(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(edits, func(e Edit) bool { return e.survives(set.takes) || in[e.ID]&inWant == 0 }), nil
}

func nameOf(m *channel.Menu, id string) string {
	for i := range m.Items {
		if m.Items[i].ID == id {
			return m.Items[i].Name
		}
	}
	for i := range m.Groups {
		if m.Groups[i].ID == id {
			return m.Groups[i].Name
		}
	}
	for i := range m.Categories {
		if m.Categories[i].ID == id {
			return m.Categories[i].Name
		}
	}
	return id
}

// relink looks for links by exact name and price of what the aggregator shows and nothing stands for.
func (s *Service) relink(ctx context.Context, m *menu) error {
	m.mu.Lock()
	green := m.unlinked.Green()
	m.mu.Unlock()
	if green {
		return nil
	}
	var remote channel.Menu
	if ok, err := s.read(ctx, docRemote(m.ID), &remote); err != nil || !ok {
		return err
	}
	c, _, err := s.catalogue(ctx)
	if err != nil {
		return err
	}
	links := s.index.Load().propose(m.ID, &remote, &c)
	if len(links) == 0 {
		return nil
	}
	if err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return s.keep(tx, m.ID, "", links, false) }); err != nil {
		return err
	}
	return s.reindex(ctx)
}

// publish brings the menu to the aggregator, where the run is to do that, and ends the run.
func (s *Service) publish(ctx context.Context, r *Run) error {
	m := s.menu(r.Menu)
	if !r.Publish {
		return s.end(ctx, r, Done, "", "")
	}
	if m.Client == nil {
		return s.end(ctx, r, Failed, CauseUnsupported, "")
	}
	if unmet := s.c.Blocked(ctx, m.ID); len(unmet) > 0 {
		return s.end(ctx, r, Failed, CauseBlocked, joined(unmet))
	}
	sent, ok, err := s.effective(ctx, m)
	switch {
	case err != nil:
		return err
	case !ok || len(sent.Items) == 0:
		return s.end(ctx, r, Failed, CauseNoMenu, "")
	}
	var remote channel.Menu
	if _, err := s.read(ctx, docRemote(m.ID), &remote); err != nil {
		return err
	}
	had, err := s.read(ctx, docSent(m.ID), new(channel.Menu))
	if err != nil {
		return err
	}
	edits, err := s.edits(ctx, m.ID)
	if err != nil {
		return err
	}
	options := options(&m.settings.Load().Settings, edits, !had)
	shows := sent
	if !options.Delete {
		shows = leftover(remote, sent)
	}
	// What the aggregator has beside ours goes too, where it may: not a third of its menu without a person's word.
	if gone := len(missing(remote.Items, sent.Items, itemKey)); options.Delete && gone > r.Allow && gone*100 > len(remote.Items)*maxLoss {
		r.Guard = &Guard{len(remote.Items), gone, len(sent.Items)}
		return s.end(ctx, r, Asking, CauseShrunk, "")
	}
	d, err := s.write(ctx, docSending(m.ID), &sending{sent, shows})
	if err != nil {
		return err
	}
	r.State = Publishing
	err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if err := d.publish(tx); err != nil {
			return err
		}
		return r.save(tx)
	})
	if err != nil {
		return err
	}
	job, err := s.send(ctx, m, sent, options)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		cause := CausePublish
		if errors.Is(err, channel.ErrUnsupported) {
			cause = CauseUnsupported
		}
		return s.end(ctx, r, Failed, cause, err.Error())
	}
	if job == "" {
		return s.published(ctx, r)
	}
	r.Job = job
	if err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return r.save(tx) }); err != nil {
		return err
	}
	return s.follow(ctx, r)
}

func itemKey(x *channel.Item) string { return x.ID }

func joined(list []string) string {
	out := ""
	for i, v := range list {
		if i > 0 {
			out += "; "
		}
		out += v
	}
	return out
}

// send makes the call, and waits where the aggregator's limit asks for it.
func (s *Service) send(ctx context.Context, m *menu, sent channel.Menu, o channel.SyncOptions) (string, error) {
	job := ""
	sent, err := s.opened(ctx, m, sent)
	if err != nil {
		return "", err
	}
	err = s.insist(ctx, func() (err error) {
		job, err = m.Client.Publish(ctx, sent, o)
		return err
	})
	return job, err
}

// options says what the aggregator is to take of the menu: the fields that updates take over, what people changed themselves,
// and all of it the first time.
func options(set *Settings, edits []Edit, first bool) channel.SyncOptions {
	on := func(field string) bool {
		return first || set.takes(field) || slices.ContainsFunc(edits, func(e Edit) bool { return e.Field == field })
	}
	return channel.SyncOptions{
		Names: on(FieldName), Prices: on(FieldPrice), Descriptions: on(FieldDescription), Photos: on(FieldPhoto), Availability: on(FieldAvailability),
		Organization: on(FieldOrganisation), Arrangement: on(FieldOrganisation), Rules: on(FieldModifiers), Hours: set.takes(FieldHours), Taxes: false, // the POS computes tax
		Create: on(FieldNew), Delete: !first && set.takes(FieldRemoved), Publish: true,
	}
}

// follow asks for the job until it is done.
func (s *Service) follow(ctx context.Context, r *Run) error {
	m := s.menu(r.Menu)
	if m.Client == nil {
		return s.end(ctx, r, Failed, CauseUnsupported, "")
	}
	until := time.Now().Add(s.c.Patience)
	for last := ""; ; {
		job, err := m.Client.Job(ctx, r.Job)
		var limited *channel.Limited
		wait := s.c.Poll
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &limited):
			wait = max(wait, limited.After)
		case errors.Is(err, channel.ErrUnsupported):
			return s.published(ctx, r) // it was taken, and nobody tells more
		case err != nil:
			last = err.Error()
		case job.State == channel.JobDone:
			r.Partners = job.Partners
			return s.published(ctx, r)
		case job.State == channel.JobFailed:
			r.Partners = job.Partners
			return s.end(ctx, r, Failed, CausePublish, job.Message)
		default:
			if last = job.Message; job.ID != "" && job.ID != r.Job { // it goes on under another number
				r.Job = job.ID
				if err := s.c.Journal.Insist(ctx, func(tx *journal.Tx) error { return r.save(tx) }); err != nil {
					return err
				}
			}
		}
		if time.Now().Add(wait).After(until) {
			return s.end(ctx, r, Failed, CauseTimeout, last)
		}
		if err := rest.Wait(ctx, wait); err != nil {
			return err
		}
	}
}

// published notes that the aggregator shows what was sent.
func (s *Service) published(ctx context.Context, r *Run) error {
	var gone sending
	ok, err := s.read(ctx, docSending(r.Menu), &gone)
	if err != nil {
		return err
	}
	var remote, sent draft
	if ok {
		if remote, err = s.write(ctx, docRemote(r.Menu), &gone.Shows); err != nil {
			return err
		}
		if sent, err = s.write(ctx, docSent(r.Menu), &gone.Sent); err != nil {
			return err
		}
	}
	err = s.c.Journal.Insist(ctx, func(tx *journal.Tx) error {
		if err := remote.publish(tx); err != nil {
			return err
		}
		if err := sent.publish(tx); err != nil {
			return err
		}
		return forget(tx, docSending(r.Menu))
	})
	if err != nil {
		return err
	}
	r.Published = true
	if err := s.reindex(ctx); err != nil {
		return err
	}
	signal(s.sold)
	return s.end(ctx, r, Done, "", "")
}

// sending is a menu on its way: as it was made here, and what the aggregator shows with it.
type sending struct {
	Sent  channel.Menu `json:"sent"`
	Shows channel.Menu `json:"shows"`
}
