package wire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"aboyeur/protocol/booking"
	"aboyeur/protocol/rest"
)

// Defaults for a Config left at zero.
const (
	DefaultTimeout   = 10 * time.Second // of one call
	DefaultMaxAnswer = 8 << 20          // bytes: a page of a thousand reservations with their notes
)

// A Spec is what is known of a platform's wire.
type Spec struct {
	Name  string            // of the platform, in errors
	Host  string            // its own address; "" when only the partner knows it
	Paths map[string]string // by operation; {venue}, {reservation} and {check} are filled in
	Words []booking.Word
	Names map[string]string // other spellings, by a name with a point in it: "header.signature"
}

// Config is one venue on one platform. Venue is required, Base where the platform's own address is not known.
type Config struct {
	Base          string // https://HOST[/PREFIX]; "" means the platform's own
	Venue         string // the platform's id of it
	Credentials   booking.Credentials
	WebhookSecret []byte            // without it every webhook is refused
	Vocabulary    map[string]string // our word, or a name as header.signature -> its spelling
	Paths         map[string]string // operation -> path
	Zone          *time.Location    // of times that come without; nil means UTC

	// HTTP has TLS, clock, limits and trace. Base, Tokens, Header, Secrets and KeyHeader are set by the client.
	HTTP rest.Config
}

// A Wire is a platform's Spec as a venue uses it.
type Wire struct {
	Config
	Vocabulary booking.Vocabulary
	spec       Spec
	words      []booking.Word
	client     *rest.Client
}

// New checks c against s. It starts nothing; Connect makes the client. All that is wrong is told at once.
func New(s Spec, c Config) (*Wire, error) {
	w := &Wire{Config: c, spec: s, words: slices.Clone(s.Words)}
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf(s.Name+": "+format, args...))
	}
	if w.Base == "" {
		w.Base = s.Host
	}
	if w.Base == "" {
		fault("base address is missing; the platform gives it with the credentials")
	}
	if c.Venue == "" {
		fault("venue is missing; the platform calls it restaurant id or venue id")
	}
	if !Plain(c.Venue) {
		fault("venue %q has a character that an address cannot hold", c.Venue)
	}
	if w.Zone == nil {
		w.Zone = time.UTC
	}
	w.spec.Paths = maps.Clone(s.Paths)
	for _, op := range slices.Sorted(maps.Keys(c.Paths)) {
		path := c.Paths[op]
		switch _, known := s.Paths[op]; {
		case !known:
			fault("paths has no operation %q; it has %s", op, strings.Join(slices.Sorted(maps.Keys(s.Paths)), ", "))
		case !strings.HasPrefix(path, "/"):
			fault("path of %s is %q; it begins with /", op, path)
		default:
			w.spec.Paths[op] = path
		}
	}
	w.spec.Names = maps.Clone(s.Names)
	words := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Vocabulary)) {
		spelling := c.Vocabulary[name]
		if !strings.Contains(name, ".") {
			words[name] = spelling
			continue
		}
		switch _, known := s.Names[name]; {
		case !known:
			fault("vocabulary has no name %q; it has %s", name, strings.Join(slices.Sorted(maps.Keys(s.Names)), ", "))
		case spelling == "" || strings.ContainsFunc(spelling, func(r rune) bool { return r <= ' ' || r > '~' }):
			fault("vocabulary spells %q as %q, which a header cannot be called", name, spelling)
		default:
			w.spec.Names[name] = spelling
		}
	}
	v, err := booking.NewVocabulary(s.Words, words)
	if err != nil {
		fault("%w", err)
	}
	w.Vocabulary = v
	for i := range w.words {
		if spelling, ok := words[w.words[i].Name]; ok {
			w.words[i].Wire = spelling
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return w, nil
}

// Transport is c.HTTP with this package's defaults and the configuration's secrets, for whatever a platform needs beside
// Connect.
func (w *Wire) Transport() rest.Config {
	t := w.HTTP
	if t.Timeout <= 0 {
		t.Timeout = DefaultTimeout
	}
	if t.MaxAnswer <= 0 {
		t.MaxAnswer = DefaultMaxAnswer
	}
	t.Base, t.Tokens, t.Header = w.Base, nil, nil
	t.Secrets = append([]string{w.Credentials.ClientSecret, w.Credentials.Password, w.Credentials.Token, string(w.WebhookSecret)}, t.Secrets...)
	return t
}

// Connect makes the client. keyHeader carries an update's request id.
func (w *Wire) Connect(tokens rest.TokenSource, header http.Header, keyHeader string) error {
	t := w.Transport()
	t.Tokens, t.Header, t.KeyHeader = tokens, header, keyHeader
	client, err := rest.New(t)
	if err != nil {
		return fmt.Errorf("%s: %w", w.spec.Name, err)
	}
	w.client = client
	return nil
}

// Close ends idle connections.
func (w *Wire) Close() {
	if w.client != nil {
		w.client.Close()
	}
}

// Name is the spelling of a name of Spec.Names.
func (w *Wire) Name(name string) string { return w.spec.Names[name] }

// Seal is how webhooks are signed, with the headers that Spec.Names calls header.signature and header.timestamp.
func (w *Wire) Seal() Seal {
	return Seal{Secret: w.WebhookSecret, Signature: w.Name("header.signature"), Timestamp: w.Name("header.timestamp")}
}

// Path is the path of an operation for a reservation and a check.
func (w *Wire) Path(op, reservation, check string) string {
	segment := func(s string) string { return strings.TrimPrefix(rest.Path(s), "/") }
	return strings.NewReplacer("{venue}", segment(w.Venue), "{reservation}", segment(reservation), "{check}", segment(check)).Replace(w.spec.Paths[op])
}

// Deliver makes the one call of an update.
func (w *Wire) Deliver(ctx context.Context, op, method string, u *booking.Update, body any) error {
	check := u.Reservation
	if u.Check != nil && u.Check.ID != "" {
		check = u.Check.ID
	}
	_, err := w.client.Do(ctx, rest.Call{
		Op: op, Method: method, Path: w.Path(op, u.Reservation, check), In: body, Key: u.Request, Once: true, Repeatable: true,
	})
	return err
}

// Do makes a call that is no update.
func (w *Wire) Do(ctx context.Context, call rest.Call) error {
	_, err := w.client.Do(ctx, call)
	return err
}

// Link makes a call of Activate or Deactivate: 409 says that another account holds the venue.
func (w *Wire) Link(ctx context.Context, op, method string, body any) error {
	err := w.Do(ctx, rest.Call{Op: op, Method: method, Path: w.Path(op, "", ""), In: body, Repeatable: true})
	var e *rest.Error
	if errors.As(err, &e) && e.Status == http.StatusConflict {
		return fmt.Errorf("%w: %w", booking.ErrLinkedElsewhere, err)
	}
	return err
}

// Unlink takes the link back by the operation "link". A link that is not there is off.
func (w *Wire) Unlink(ctx context.Context) error {
	err := w.Link(ctx, "link", http.MethodDelete, nil)
	var e *rest.Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// Mean puts a word and what it stands for into r. A word that nobody knows leaves r without a status.
func (w *Wire) Mean(r *booking.Reservation, word string) {
	r.Word = word
	if m, ok := w.Vocabulary.Read(word); ok {
		r.Status, r.Stage, r.Late, r.Sure, r.Assumed = m.Status, m.Stage, m.Late, m.Sure, m.Assumed
	}
}

// Spell is the word for r: the one it brings, else the one that means exactly the same, else that of its stage or status.
func (w *Wire) Spell(r *booking.Reservation) (string, bool) {
	if r.Word != "" {
		return r.Word, true
	}
	m := booking.Meaning{Status: r.Status, Stage: r.Stage, Late: r.Late, Sure: r.Sure, Assumed: r.Assumed}
	for _, word := range w.words {
		if word.Meaning == m {
			return word.Wire, true
		}
	}
	if r.Stage != "" && r.Stage != booking.AtTable {
		return w.Vocabulary.Write(r.Stage)
	}
	return w.Vocabulary.WriteStatus(r.Status)
}

// Pulled adds what reading one row of a feed gave to all. A row that makes no sense must not hide the others: it stays, as a
// reservation without a status whose word tells what is wrong; one without an id, or of another venue, is left out.
func Pulled(all []booking.Reservation, r booking.Reservation, err error) []booking.Reservation {
	var malformed *booking.Malformed
	switch {
	case err == nil:
		return append(all, r)
	case !errors.As(err, &malformed) || r.ID == "" || !Plain(r.ID):
		return all
	}
	word := malformed.Error()
	return append(all, booking.Reservation{ID: r.ID, Sequence: r.Sequence, UpdatedAt: r.UpdatedAt, ScheduledAt: r.ScheduledAt, Word: word[:min(len(word), maxWord)]})
}

// maxWord bounds what Pulled tells, in bytes.
const maxWord = 200

// Stages are the stages the spec has words for, lowest first.
func (s Spec) Stages() []booking.Stage {
	var have []booking.Stage
	for _, stage := range booking.Stages() {
		if slices.ContainsFunc(s.Words, func(w booking.Word) bool { return w.Stage == stage && !w.Assumed }) {
			have = append(have, stage)
		}
	}
	return have
}

// Plain tells whether s can stand in an address or a header as an identifier: at most 128 printable characters of ASCII.
func Plain(s string) bool {
	return len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
