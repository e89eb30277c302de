package delivery

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aboyeur/bridge/journal"
	"aboyeur/bridge/sale"
	"aboyeur/bridge/warning"
	"aboyeur/bridge/words"
	"aboyeur/protocol/channel"
)

// A Step is a change in the life of an order, told within its transaction.
type Step struct {
	Order        sale.Placed
	From, State  string
	WasIn, InPOS string
	Event        string
	By, Detail   string
	Cause        string // why it is not in the POS
	OpenItems    bool
}

// telling is what an aggregator may have to hear.
type telling struct {
	key       int64
	ref       channel.Ref
	placed    bool // by this very commit
	scheduled bool
	state     string
	inPOS     string
	ready     time.Time
	cause     string
	names     []string
	openItems bool
}

// tell puts into the outbox what a new order's aggregator has to hear at once.
func (s *Service) tell(tx *journal.Tx, l *link, t telling) error {
	if t.state == stateWaiting {
		return nil
	}
	if l.can.Accept {
		if err := s.put(tx, l, t.key, call{Kind: callAccept, Ref: t.ref, Ready: t.ready}); err != nil {
			return err
		}
	}
	return s.tellPOS(tx, l, t)
}

// tellPOS says how an order stands in the POS: that it is there, or for a scheduled one will be, or that it is not.
func (s *Service) tellPOS(tx *journal.Tx, l *link, t telling) error {
	switch {
	case t.inPOS == "yes" || t.scheduled && t.inPOS == "":
		if err := s.once(tx, l, t.key, call{Kind: callCreated, Ref: t.ref}); err != nil || t.scheduled {
			return err
		}
		state := channel.InjectionSucceeded
		if t.openItems {
			state = channel.InjectionUnlinked
		}
		return s.injected(tx, l, t, state)
	case t.inPOS == "no":
		f := &channel.Failure{Code: failureCode(t.cause), Message: s.failureText(t.cause, t.names)}
		if l.can.Failures {
			if err := s.put(tx, l, t.key, call{Kind: callFailed, Ref: t.ref, Failure: f}); err != nil {
				return err
			}
		}
		return s.injected(tx, l, t, channel.InjectionWanted)
	case t.inPOS == "manual":
		if l.can.Injection {
			return s.injected(tx, l, t, channel.InjectionManual)
		}
		return s.once(tx, l, t.key, call{Kind: callCreated, Ref: t.ref})
	}
	return nil
}

func (s *Service) injected(tx *journal.Tx, l *link, t telling, state channel.InjectionState) error {
	if !l.can.Injection {
		return nil
	}
	issue := t.cause
	if state != channel.InjectionWanted {
		issue = ""
	}
	return s.put(tx, l, t.key, call{Kind: callInjected, Ref: t.ref, Injection: &channel.Injection{State: state, Issue: issue}})
}

// failureCode is how aggregators call a cause (spec/delivery.md 5.3).
func failureCode(cause string) channel.FailureCode {
	switch cause {
	case "ITEM_MAPPING_FAILED", "INCOMPLETE_ITEM_MAPPING", "NO_INJECTABLE_EXTERNAL_SERVICE", "ORDER_TOO_OLD":
		return channel.CodeUnlinked
	case "POS_TIMEOUT":
		return channel.CodeTimeout
	case "UNKNOWN_ORDER_ISSUE":
		return channel.CodeInvalid
	}
	return channel.CodeOffline
}

func (s *Service) failureText(cause string, names []string) string {
	switch cause {
	case "ITEM_MAPPING_FAILED", "INCOMPLETE_ITEM_MAPPING":
		return words.Tidy(s.words.T("delivery.failed_unlinked", strings.Join(names, ", ")), 300)
	case "NO_INJECTABLE_EXTERNAL_SERVICE":
		return s.words.T("delivery.failed_switched_off")
	}
	return s.words.T("delivery.failed_pos")
}

// unaccepted warns people of an order that goes on here, though its marketplace, which gives up what nobody accepts, did not take
// its accept: nobody may come for it.
func (s *Service) unaccepted(tx *journal.Tx, l *link, order int64, cause string) error {
	if l.can.AcceptIn <= 0 {
		return nil
	}
	e, err := loadEntry(tx, selectByKey, order)
	if err != nil || e == nil || e.other != "" { // of two that brought it, the first one's accept counts
		return err
	}
	_, state, _, err := s.c.Orders.Stored(tx, e.id)
	if err != nil || ended(state) {
		return err
	}
	tx.Follow(func(err error) {
		if err == nil {
			s.raise("accept_refused", warning.Critical, unacceptedSubject(l, e), l.Title, words.Tidy(short(&e.order), 40), cause)
		}
	})
	return nil
}

func unacceptedSubject(l *link, e *entry) string {
	return l.Name + " " + words.Tidy(short(&e.order), 40)
}

// ended tells whether nobody works on an order any more.
func ended(state string) bool {
	switch state {
	case "cancelled", "rejected", "handed_off", "fulfilled":
		return true
	}
	return false
}

// Follow hears of each step of an order and puts what its aggregator has to know into the outbox, in the same transaction.
func (s *Service) Follow(tx *journal.Tx, st Step) error {
	if st.Order.Order == nil {
		return nil
	}
	l := s.link(st.Order.Source)
	if l == nil {
		return nil
	}
	e, err := loadEntry(tx, selectByKey, st.Order.ID.Key())
	if err != nil || e == nil {
		return err
	}
	ref := e.ref()
	if l.can.AcceptIn > 0 && ended(st.State) {
		tx.Follow(func(err error) {
			if err == nil {
				s.c.Warnings.Lower("accept_refused", unacceptedSubject(l, e))
			}
		})
	}
	byThem := st.By == l.Name
	t := telling{key: e.key, ref: ref, state: st.State, inPOS: st.InPOS, ready: st.Order.ReadyAt, cause: st.Cause, names: splitNames(st.Cause, st.Detail), openItems: st.OpenItems}
	moved := st.From != st.State
	if moved && st.From == stateWaiting {
		if _, err := tx.Exec(clearAccept, e.key); err != nil {
			return err
		}
	}
	if moved {
		switch st.State {
		case "rejected":
			reason := reasonOf(st.Detail, nobodyAccepted)
			if byThem {
				return nil
			}
			return s.put(tx, l, e.key, call{Kind: callDeny, Ref: ref, Denial: &channel.Denial{Reason: reason, Text: st.Detail}})
		case "cancelled":
			if byThem || !l.can.Cancel {
				return nil
			}
			return s.put(tx, l, e.key, call{Kind: callCancelled, Ref: ref, Reason: reasonOf(st.Detail, reasonOther)})
		case "accepted", stateScheduled:
			if st.From == stateWaiting {
				if l.can.Accept && !byThem {
					if err := s.put(tx, l, e.key, call{Kind: callAccept, Ref: ref, Ready: st.Order.ReadyAt}); err != nil {
						return err
					}
				}
				t.scheduled = st.State == stateScheduled
				if err := s.tellPOS(tx, l, t); err != nil || t.scheduled {
					return err
				}
				return nil
			}
		case "prepared", "handed_off", "fulfilled":
			if !byThem && slices.Contains(l.can.Progress, channel.Status(st.State)) {
				if err := s.progress(tx, l, e, channel.Status(st.State)); err != nil {
					return err
				}
			}
		}
	}
	if st.WasIn != st.InPOS && st.State != "cancelled" {
		return s.tellPOS(tx, l, t)
	}
	return nil
}

func splitNames(cause, detail string) []string {
	if cause == "" || detail == "" {
		return nil
	}
	return []string{strings.TrimSpace(strings.TrimPrefix(detail, cause))}
}

// reasonOf is a reason in the words of aggregators.
func reasonOf(text, otherwise string) string {
	if slices.Contains(channel.CancelReasons(), text) {
		return text
	}
	return otherwise
}

// progress tells how far an order is, and takes back what was to be told before and says less.
func (s *Service) progress(tx *journal.Tx, l *link, e *entry, to channel.Status) error {
	if to.Rank() <= e.status.Rank() {
		return nil
	}
	if _, err := tx.Exec(updateStatus, string(to), e.key); err != nil {
		return err
	}
	return s.put(tx, l, e.key, call{Kind: string(to), Ref: e.ref()})
}

// once puts a call that an order's aggregator hears one time at most.
func (s *Service) once(tx *journal.Tx, l *link, key int64, c call) error {
	const selectCall = `SELECT count(*) FROM delivery_calls WHERE order_key = ? AND order_key <> 0 AND aggregator = ? AND kind = ? AND state IN ('waiting', 'sent')`
	var there int
	if err := tx.QueryRow(selectCall, []any{key, l.Name, c.Kind}, &there); err != nil {
		return fmt.Errorf("look what %s was told: %w", l.Name, err)
	}
	if there > 0 {
		return nil
	}
	return s.put(tx, l, key, c)
}

// A Handover is what the POS needs of an aggregator's order besides the order itself.
type Handover struct {
	Reference string // of the order in the POS, for ever; at most 40 characters
	Order     channel.Order
	POS       []string // the POS's ids in the order of reading, "" for what is not linked; nil: the SKUs stand
	OpenItems bool     // what is not linked goes in as an open item
	Unlinked  []string
	Method    string            // the POS's method of what was paid online; "": its own choice
	Fees      map[string]string // POS items of fees
	Discount  string            // the POS's code of a discount that the restaurant bears
	Tip       int64             // that goes into the POS
	Until     time.Time         // the partner gives up then; zero: not told
}

// Handover gives what an order's aggregator said, within the caller's transaction; false: it is no aggregator's.
func (s *Service) Handover(tx *journal.Tx, id journal.ID) (Handover, bool, error) {
	e, err := loadEntry(tx, selectByKey, id.Key())
	if err != nil || e == nil {
		return Handover{}, false, err
	}
	h := Handover{Reference: Reference(&e.order), Order: e.order}
	l := s.link(e.aggregator)
	if l == nil {
		return h, true, nil // it is served no more
	}
	set := &l.settings.Load().Settings
	h.OpenItems, h.Method, h.Fees, h.Discount = set.policy(e.order.Slug) == OpenItem, set.Channels[e.order.Slug].PaymentMethod, set.Fees, set.Discount
	if set.TipToPOS && e.order.Charges.TipSeparate {
		h.Tip = e.order.Charges.Tip
	}
	if s.c.Resolver != nil {
		r := s.c.Resolver.Resolve(l.Name, &e.order)
		h.POS, h.Unlinked = r.POS, r.Unlinked
	}
	if l.can.AcceptIn > 0 {
		h.Until = e.order.PlacedAt.Add(l.can.AcceptIn)
	}
	return h, true, nil
}

// Refusal tells why an order that is released must not go to the POS, by the links and switches of now; "" for none.
func (s *Service) Refusal(tx *journal.Tx, o sale.Placed) (cause string, names []string, err error) {
	l := s.link(o.Source)
	if l == nil {
		return "", nil, nil
	}
	e, err := loadEntry(tx, selectByKey, o.ID.Key())
	if err != nil || e == nil {
		return "", nil, err
	}
	cause, names = s.refusalOf(l, e)
	return cause, names, nil
}

// refusalOf is why an order must not go to the POS, by the links and switches of now; "" for none.
func (s *Service) refusalOf(l *link, e *entry) (cause string, names []string) {
	set := &l.settings.Load().Settings
	if !set.injects(e.order.Slug) {
		return "NO_INJECTABLE_EXTERNAL_SERVICE", nil
	}
	if s.c.Resolver == nil || set.policy(e.order.Slug) != Strict {
		return "", nil
	}
	if r := s.c.Resolver.Resolve(l.Name, &e.order); len(r.Unlinked) > 0 {
		return "ITEM_MAPPING_FAILED", r.Unlinked
	}
	return "", nil
}
