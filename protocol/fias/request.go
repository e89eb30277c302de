package fias

import (
	"context"
	"errors"
	"slices"
	"time"

	"aboyeur/protocol/ifc"
)

// Inquire asks who is in house and returns the list. An inquiry without a match is an *AnswerError. At is the link's clock
// unless it is set.
func (l *Link) Inquire(ctx context.Context, q Inquiry) (PostingList, error) {
	if q.At.IsZero() {
		q.At = l.c.Now()
	}
	r, err := l.ask(ctx, q, q.Number, q.Validate(), &request{record: PR, inquiry: true}, l.c.InquiryWait)
	if err != nil {
		return PostingList{}, err
	}
	if !r.listed {
		return PostingList{}, &AnswerError{Answer: r.answer}
	}
	return r.list, nil
}

// Post sends a posting PR and returns the hotel's answer, whatever it says; postings overlap, each found by its P#
// (fias.md 6.1). It is sent once. An error is a *RequestError, and unless it is ifc.ErrNotSent the hotel may have booked it.
func (l *Link) Post(ctx context.Context, p PostingRequest) (PostingAnswer, error) {
	if p.At.IsZero() {
		p.At = l.c.Now()
	}
	r, err := l.ask(ctx, p, p.Number, p.Validate(), &request{record: PR}, l.c.PostWait)
	return r.answer, err
}

// PostSimple sends a PS, after the answer to the one before (fias.md 6.1), and otherwise is as Post. With P# 0 the answer is
// found by its being the only one.
func (l *Link) PostSimple(ctx context.Context, p PostingSimple) (PostingAnswer, error) {
	if p.At.IsZero() {
		p.At = l.c.Now()
	}
	select {
	case <-l.simple:
		defer func() { l.simple <- struct{}{} }()
	case <-ctx.Done():
		return PostingAnswer{}, &RequestError{Record: PS, Number: p.Number, Err: ctx.Err()}
	case <-l.gone:
		return PostingAnswer{}, &RequestError{Record: PS, Number: p.Number, Err: ErrDown}
	}
	r, err := l.ask(ctx, p, p.Number, p.Validate(), &request{record: PS}, l.c.SimpleWait)
	return r.answer, err
}

// ask sends one request and waits for its answer.
func (l *Link) ask(ctx context.Context, m Message, number int, invalid error, q *request, wait time.Duration) (reply, error) {
	fail := func(sent bool, err error) (reply, error) {
		return reply{}, &RequestError{Record: q.record, Number: number, Sent: sent, Err: err}
	}
	if invalid != nil {
		return fail(false, invalid)
	}
	record, err := Marshal(nil, m, l.c.Codec)
	if err != nil {
		return fail(false, err)
	}
	// Nothing goes out during a resync (fias.md 7).
	if err := l.wait(ctx, func(s LinkStatus) bool { return !s.Swap || s.State != Alive }); err != nil {
		return fail(false, err)
	}
	q.reply = make(chan reply, 1)
	if err := l.enter(number, q); err != nil {
		return fail(false, err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	why := ErrSilent
	if err := l.conn.Send(ctx, record); errors.Is(err, ifc.ErrNotSent) {
		if r, ok := l.leave(number, q); ok { // an answer to what never left: its number was the hotel's mistake
			return r, nil
		}
		return fail(false, err)
	} else if err != nil {
		why = err // its answer may come all the same
	}
	select {
	case r := <-q.reply:
		return r, nil
	case <-timer.C:
	case <-ctx.Done():
		why = ctx.Err()
	case <-l.gone:
		if why == ErrSilent {
			why = ErrDown
		}
	}
	if r, ok := l.leave(number, q); ok {
		return r, nil
	}
	return fail(true, why)
}

// enter registers a request, if it may go out now.
func (l *Link) enter(number int, q *request) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.status.State != Alive:
		return ErrDown
	case l.status.Night && !q.inquiry && !l.c.PostAtNight:
		return ErrNight
	case number != 0 && l.pending[number] != nil:
		return ErrInUse
	}
	if q.record == PS {
		l.unnamed = q
	}
	if number == 0 {
		return nil
	}
	l.pending[number] = q
	return nil
}

// leave takes a request back. An answer that came at the last moment still counts: each answer goes either to its caller
// or to the hook as unasked, never both and never nowhere.
func (l *Link) leave(number int, q *request) (reply, bool) {
	l.mu.Lock()
	claimed := q.claimed
	if !claimed {
		if l.unnamed == q {
			l.unnamed = nil
			l.owed++
		}
		if number != 0 {
			delete(l.pending, number)
		}
	}
	l.mu.Unlock()
	if !claimed {
		return reply{}, false
	}
	return <-q.reply, true
}

// claim finds the request that an answer is for and takes it off the list; nil if there is none. A PA without P# is of the
// one PS that is out, unless an earlier PS is still owed one (fias.md 6.3).
func (l *Link) claim(number int, list bool) (*request, Fit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.pending[number]
	if number == 0 && !list {
		if l.owed > 0 {
			l.owed--
			return nil, Unasked
		}
		q = l.unnamed
	}
	switch {
	case q == nil || list && !q.inquiry:
		if number != 0 && slices.Contains(l.answered, number) {
			return nil, Duplicate
		}
		return nil, Unasked
	case l.unnamed == q:
		l.unnamed = nil
	}
	q.claimed = true
	for n, p := range l.pending {
		if p == q {
			number = n
			delete(l.pending, n)
		}
	}
	if number != 0 {
		if len(l.answered) < remembered {
			l.answered = append(l.answered, number)
		} else {
			l.answered[l.oldest] = number
			l.oldest = (l.oldest + 1) % remembered
		}
	}
	return q, InTime
}
