package folio

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds of the search.
const (
	searchFresh = 10 * time.Second // a till asks at every keystroke; guests move slower
	searchMax   = 9                // MX has one digit; fewer than that is all there is
	maxTerms    = 256              // remembered
	maxTerm     = 10               // characters of PI
)

// searches answers a till's keystrokes: an answer that is fresh enough is given again, a term that only narrows a complete
// answer is found in it, and whoever asks what is being asked already waits for the same answer. What is remembered is for
// choosing a guest only; a posting asks anew.
type searches struct {
	s *Service

	mu    sync.Mutex // guards what follows
	terms map[string]*searched
}

// searched is one term's answer, or the inquiry under way.
type searched struct {
	ready  chan struct{} // closed when the rest is set
	guests []Guest
	err    error
	at     time.Time
}

func newSearches(s *Service) *searches { return &searches{s: s, terms: map[string]*searched{}} }

// forget drops what is remembered: after a break of the link guests may have moved.
func (x *searches) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for term, was := range x.terms {
		select {
		case <-was.ready:
			delete(x.terms, term)
		default:
		}
	}
}

// fold makes terms that ask for the same equal.
func fold(term string) string { return strings.ToUpper(strings.Join(strings.Fields(term), " ")) }

// find gives the guests of a room or whose name begins with the term.
func (x *searches) find(ctx context.Context, term string) ([]Guest, error) {
	term = fold(term)
	if utf8.RuneCountInString(term) > maxTerm {
		// The hotel takes the beginning; the rest is looked at here.
		whole := term
		list, err := x.find(ctx, string([]rune(term)[:maxTerm]))
		return narrow(list, whole), err
	}
	now := x.s.c.Now()
	x.mu.Lock()
	hit := x.terms[term]
	if hit != nil && done(hit.ready) && now.Sub(hit.at) >= searchFresh {
		delete(x.terms, term)
		hit = nil
	}
	if hit == nil {
		if list, ok := x.within(term, now); ok {
			x.mu.Unlock()
			return list, nil
		}
		hit = &searched{ready: make(chan struct{})}
		x.room(now)
		x.terms[term] = hit
		if !x.s.task("search", func(ctx context.Context) { x.ask(ctx, term, hit) }) {
			delete(x.terms, term)
			x.mu.Unlock()
			return nil, ErrNotSent
		}
	}
	x.mu.Unlock()
	select {
	case <-hit.ready:
		return hit.guests, hit.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func done(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// within looks whether a shorter term's answer was complete, and so holds what this one would give. A room is asked for
// as it is: 278 does not tell of 2781.
func (x *searches) within(term string, now time.Time) ([]Guest, bool) {
	if strings.ContainsAny(term, "0123456789") {
		return nil, false
	}
	for cut := range term {
		if cut == 0 {
			continue
		}
		was := x.terms[term[:cut]]
		if was != nil && done(was.ready) && was.err == nil && now.Sub(was.at) < searchFresh && len(was.guests) < searchMax {
			return narrow(was.guests, term), true
		}
	}
	return nil, false
}

// narrow keeps the guests that a term fits.
func narrow(list []Guest, term string) []Guest {
	var kept []Guest
	for _, g := range list {
		if strings.HasPrefix(fold(g.Name), term) || fold(g.Room) == term {
			kept = append(kept, g)
		}
	}
	return kept
}

// room makes room for one more term.
func (x *searches) room(now time.Time) {
	if len(x.terms) < maxTerms {
		return
	}
	oldest, at := "", now
	for term, was := range x.terms {
		if done(was.ready) && !was.at.After(at) {
			oldest, at = term, was.at
		}
	}
	delete(x.terms, oldest)
}

func (x *searches) ask(ctx context.Context, term string, hit *searched) {
	hit.err = ErrNoAnswer // should the way to an answer end in a panic
	defer func() {
		hit.at = x.s.c.Now()
		x.mu.Lock()
		if hit.err != nil {
			delete(x.terms, term)
		}
		x.mu.Unlock()
		close(hit.ready)
	}()
	number, err := x.s.numbers.take(ctx)
	if err != nil {
		hit.err = err
		return
	}
	set := x.s.set.Load()
	asked, stop := context.WithTimeout(ctx, x.s.c.AnswerTimeout)
	defer stop()
	list, err := x.s.c.PMS.Search(asked, Query{
		Number: number, Term: term, Method: set.method(""), Max: searchMax, Outlet: set.outlet(set.firstOutlet()), At: x.s.c.Now().In(x.s.calendar().Location),
	})
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Answer.Status == "NG" {
		list, err = nil, nil
	}
	hit.guests, hit.err = list, err
	if err == nil {
		x.s.remember(list)
	}
}
