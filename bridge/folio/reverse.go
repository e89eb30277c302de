package folio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
	"aboyeur/bridge/money"
	"aboyeur/bridge/sale"
)

const selectReversals = `SELECT ` + postingColumns + ` FROM postings WHERE original = ? AND state <> 'refused'`

// reversals reads what takes back, or may take back, the posting with that key.
func reversals(tx *journal.Tx, key int64) (list []*posting, err error) {
	err = tx.Query(selectReversals, []any{key}, func(scan func(...any) error) error {
		p, err := scanPosting(scan)
		list = append(list, p)
		return err
	})
	return list, err
}

// Reversal asks for a posting to be taken back.
type Reversal struct {
	Amount *int64 `json:"amount,omitzero" minimum:"1" doc:"of a refund, in minor units; absent: all that is left"`
	Note   string `json:"note,omitzero" doc:"for the audit log"`
	Queue  bool   `json:"queue,omitzero" doc:"wait for the hotel's link instead of being refused while it is down"`

	// What a till says is given back, with the sign of a reversal; nil: every part in proportion.
	parts []Part
	tip   int64
}

// VoidPosting takes all of a posted charge or tender back by a posting with the other sign (OPR-24). The error is
// ErrNone, ErrState or the journal's.
func (s *Service) VoidPosting(ctx context.Context, by access.Principal, key string, id journal.ID, r Reversal, wait time.Duration) (Posting, bool, error) {
	return s.reversal(ctx, by, key, Void, id, r, "", wait)
}

// RefundPosting gives a part of a posted charge or tender back, never more in all than it was (OPR-25). The error is
// ErrNone, ErrState, ErrExceeds or the journal's.
func (s *Service) RefundPosting(ctx context.Context, by access.Principal, key string, id journal.ID, r Reversal, wait time.Duration) (Posting, bool, error) {
	return s.reversal(ctx, by, key, Refund, id, r, "", wait)
}

func (s *Service) reversal(ctx context.Context, by access.Principal, key, kind string, id journal.ID, r Reversal, sale string, wait time.Duration) (Posting, bool, error) {
	original, err := s.read(ctx, id)
	if err != nil {
		return Posting{}, false, err
	}
	request := original.Request
	request.Manager, request.Queue = false, r.Queue
	asked := original.amount()
	if r.Amount != nil {
		asked = *r.Amount
	}
	// What the key stands for; prepare puts the parts of the moment in.
	request.Amount = new(-asked)
	v, known, err := s.place(ctx, by, key, kind, Order{Request: request, Sale: sale, Wait: wait}, func(tx *journal.Tx, p *posting) error {
		o, err := load(tx, id.Key())
		if err != nil {
			return err
		}
		switch {
		case o.State != Posted:
			return fmt.Errorf("%w: it is %s, and only what is posted can be taken back", ErrState, o.State)
		case o.Kind != Charge && o.Kind != Tender:
			return fmt.Errorf("%w: it is a %s itself", ErrState, o.Kind)
		}
		back, err := reversals(tx, id.Key())
		if err != nil {
			return err
		}
		left := o.amount()
		for _, b := range back {
			left += b.amount()
		}
		switch {
		case slices.ContainsFunc(back, func(b *posting) bool { return b.Kind == Void }):
			return fmt.Errorf("%w: it is void already, or a void is under way", ErrState)
		case kind == Void && len(back) > 0:
			return fmt.Errorf("%w: a part of it was refunded; refund the rest", ErrState)
		case r.Amount == nil:
			asked = left
		}
		if asked > left || asked <= 0 {
			return fmt.Errorf("%w: %d of %d are left", ErrExceeds, left, o.amount())
		}
		p.Request = o.reduced(asked, back, r)
		p.Queue, p.Original, p.Period = r.Queue, id.Key(), o.Period
		if p.Sale == "" {
			p.Sale = o.Sale
		}
		p.Text = strings.ToUpper(kind) + " " + strconv.FormatInt(o.Number, 10)
		detail := money.Format(asked, money.Decimals(o.Currency)) + " " + o.Currency + " of " + id.String()
		if r.Note != "" {
			detail += ": " + r.Note
		}
		return access.Record(tx, by, "pms_"+kind, p.ID.String(), detail)
	})
	if err == nil {
		v.Original = &id
	}
	return v, known, err
}

// partTip is how the tip is counted among the parts that a reversal shares out.
const partTip = "tip"

// reduced is the request that takes asked of what back has left: the parts that v names where they are there, else each
// part and the tip in proportion, so that the last refund leaves exactly nothing.
func (p *posting) reduced(asked int64, back []*posting, v Reversal) Request {
	left := tally{}
	for _, b := range append(back, p) {
		left.add(append(b.parts(), Part{partTip, "", b.Tip}), 1)
	}
	shares := append(slices.Clone(v.parts), Part{partTip, "", v.tip})
	if total(shares) != -asked || slices.ContainsFunc(shares, func(s Part) bool {
		n := left[partKey{s.Part, s.Group}] + s.Amount
		return s.Amount < 0 && n < 0 || s.Amount > 0 && n > 0
	}) {
		shares = reverse(share(asked, left.list()))
	}
	r := p.Request
	r.Manager, r.Queue, r.Tip = false, false, 0
	r.setParts(shares)
	for _, s := range shares {
		if s.Part == partTip {
			r.Tip += s.Amount
		}
	}
	r.Amount = new(-asked)
	return r
}

// Verdict ends a posting whose outcome is unknown, after somebody looked it up at the hotel.
type Verdict struct {
	State string `json:"state" enum:"posted,refused" doc:"what the hotel's books say"`
	Note  string `json:"note,omitzero"`
}

// Resolve ends an unknown posting by a manager's word. The error is ErrNone, ErrState, an api.Problem or the journal's.
func (s *Service) Resolve(ctx context.Context, by access.Principal, key string, id journal.ID, v Verdict) (Posting, error) {
	if v.State != Posted && v.State != Refused {
		return Posting{}, api.Invalid([]api.Fault{{Pointer: "/state", Detail: "is neither posted nor refused; look the posting up at the hotel and write which it is"}})
	}
	err := s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if again, err := s.repeated(tx, by, key, "resolve "+v.State, id); err != nil || again {
			return err
		}
		p, err := load(tx, id.Key())
		if err != nil {
			return err
		}
		if p.ID != id {
			return ErrNone
		}
		if p.State != Unknown {
			return fmt.Errorf("%w: it is %s, and only unknown ones are resolved", ErrState, p.State)
		}
		if _, err := s.end(tx, p, v.State, "", Answer{}, Resolution{By: by.Name, At: tx.Now(), Note: v.Note}, by.Name); err != nil {
			return err
		}
		return access.Record(tx, by, "pms_resolve", id.String(), v.State+" "+v.Note)
	})
	if err != nil {
		return Posting{}, err
	}
	return s.Get(ctx, id)
}

// repeated notes the caller's Idempotency-Key, "" for none, and tells whether it was used for this very act before.
func (s *Service) repeated(tx *journal.Tx, by access.Principal, key, act string, id journal.ID) (bool, error) {
	if key == "" {
		return false, nil
	}
	_, again, err := tx.Idempotent(by.Subject(), key, sale.Hash([]byte(act+" "+id.String())), id.String())
	if errors.Is(err, journal.ErrKeyReused) {
		return false, ErrOther
	}
	return again, err
}
