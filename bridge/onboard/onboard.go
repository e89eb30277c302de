package onboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/words"
	"aboyeur/protocol/rest"
)

// Kinds of tills, as the configuration calls them.
const (
	Builtin = "builtin"
	K       = "lightspeed-k"
	O       = "lightspeed-o"
	Bepoz   = "bepoz"
)

// Codes of what a proof came to.
const (
	Proved      = "proved"
	WrongSeries = "wrong_series" // the account is not of this series, or its credentials are wrong
	NoLocation  = "no_location"  // the account is, and has no such location
	Away        = "away"         // no answer that says anything
)

// proofWait is how long a proof may take.
const proofWait = 20 * time.Second

// Info is how a till stands.
type Info struct {
	Online  bool
	Devices []string
}

// Config is the till of the configuration.
type Config struct {
	Kind     string
	Location string
	BaseURL  string
	Given    map[string]bool                         // what the configuration has, by the key of a need
	Probe    func(ctx context.Context) (Info, error) // makes the call that needs credentials and location; nil: there is nothing to call
	Site     string
	Language string
	Now      func() time.Time
	Log      *slog.Logger
}

// Service answers for the one till of the box. Its methods may be called from any goroutine.
type Service struct {
	c Config

	mu   sync.Mutex // guards last
	last *Proof
}

// New makes the service; it calls nobody.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Service{c: c}
}

// Proof is what the last call to the till came to.
type Proof struct {
	At      time.Time `json:"at"`
	Code    string    `json:"code" enum:"proved,wrong_series,no_location,away"`
	Detail  string    `json:"detail" doc:"what it means and what to do, in words"`
	Other   string    `json:"other,omitzero" doc:"the kind of till that the account may be of"`
	Online  bool      `json:"online" doc:"the till takes orders now"`
	Devices []string  `json:"devices,omitzero"`
}

// A Need is one thing that set-up needs to know.
type Need struct {
	Key   string `json:"key"`
	What  string `json:"what"`
	Where string `json:"where" doc:"who knows it, or where it stands"`
	Given bool   `json:"given" doc:"the configuration has it"`
	Asked bool   `json:"asked" doc:"the configuration can have it at all; the rest is done at the till"`
}

// Form is the till with what it needs.
type Form struct {
	Kind     string `json:"kind" enum:"builtin,lightspeed-k,lightspeed-o,bepoz"`
	Title    string `json:"title"`
	Location string `json:"location,omitzero"`
	Address  string `json:"address,omitzero"`
	Proves   bool   `json:"proves" doc:"POST /v1/pos/verify makes a call"`
	Needs    []Need `json:"needs"`
	Proof    *Proof `json:"proof,omitzero"`
}

// needs lists what a kind of till needs, in the order in which it is asked for.
func needs(kind string) []string {
	switch kind {
	case K:
		return []string{"k_series", "location", "credentials", "webhook_secret", "public_url", "profile", "staff", "payment"}
	case O:
		return []string{"o_series", "site", "credentials", "public_url", "register", "payment"}
	case Bepoz:
		return []string{"version", "rights", "restaurant", "table_group", "listen", "webhook_secret", "queue", "extension", "functions"}
	}
	return []string{"tables", "tokens", "people"}
}

// Form gives the till with what it needs in a language.
func (s *Service) Form(lang string) Form {
	w := words.In(lang)
	f := Form{Kind: s.c.Kind, Title: w.T("links.pos." + s.c.Kind), Location: s.c.Location, Address: s.c.BaseURL, Proves: s.c.Probe != nil, Needs: []Need{}}
	for _, key := range needs(s.c.Kind) {
		given, asked := s.c.Given[key]
		f.Needs = append(f.Needs, Need{Key: key, What: w.T("onboard.what." + key), Where: w.T("onboard.where." + key), Given: given, Asked: asked})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		p := *s.last
		p.Detail = w.T("onboard.proof."+p.Code, f.Title, s.c.Location)
		if p.Other != "" {
			p.Detail += " " + w.T("onboard.try", w.T("links.pos."+p.Other), p.Other)
		}
		f.Proof = &p
	}
	return f
}

// Text is the form on paper.
func (s *Service) Text(lang string) string {
	w, f := words.In(lang), s.Form(lang)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s · %s\n\n%s\n\n", w.T("onboard.title"), s.c.Site, f.Title, w.T("onboard.lead"))
	for i, n := range f.Needs {
		box := "[ ]"
		if n.Given {
			box = "[x]"
		}
		fmt.Fprintf(&b, "%2d. %s %s\n       %s\n", i+1, box, n.What, n.Where)
		if n.Given {
			fmt.Fprintf(&b, "       %s\n\n", w.T("onboard.given"))
		} else {
			b.WriteString("       ______________________________________________\n\n")
		}
	}
	b.WriteString(w.T("onboard.secrets") + "\n")
	return b.String()
}

// Verify proves the link by a call to the till, and gives its form in a language.
func (s *Service) Verify(ctx context.Context, lang string) Form {
	ctx, cancel := context.WithTimeout(ctx, proofWait)
	defer cancel()
	p := Proof{At: s.c.Now().UTC()}
	if other := seriesOf(s.c.BaseURL); other != "" && other != s.c.Kind {
		p.Code, p.Other = WrongSeries, other // asking there would give these credentials away for nothing
	} else if s.c.Probe == nil {
		p.Code = Proved
	} else {
		info, err := s.c.Probe(ctx)
		p.Online, p.Devices = info.Online, info.Devices
		p.Code, p.Other = judge(s.c.Kind, err)
		if err != nil {
			s.c.Log.Warn("the till was asked in vain", "kind", s.c.Kind, "err", err)
		}
	}
	s.mu.Lock()
	s.last = &p
	s.mu.Unlock()
	return s.Form(lang)
}

// seriesOf tells from an address which series it is of; "" when it says nothing.
func seriesOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := "." + strings.ToLower(u.Hostname())
	switch {
	case strings.HasSuffix(host, ".kounta.com"):
		return O
	case strings.HasSuffix(host, ".lsk.lightspeed.app"):
		return K
	}
	return ""
}

// judge tells what a failed call says of the account. A series knows nothing of the other's accounts: it refuses them as it
// refuses a wrong secret, so both are named.
func judge(kind string, err error) (code, other string) {
	if err == nil {
		return Proved, ""
	}
	var e *rest.Error
	if !errors.As(err, &e) {
		return Away, ""
	}
	switch e.Status {
	case http.StatusNotFound:
		return NoLocation, ""
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		switch kind {
		case K:
			other = O
		case O:
			other = K
		}
		return WrongSeries, other
	}
	return Away, ""
}

// Routes are the calls on the set-up of the till.
func (s *Service) Routes() []api.Route {
	office := []access.Role{access.Manager, access.Staff}
	tags := []string{"till"}
	language := []api.Param{{Name: "language", Doc: "en or fr; the box's own without it"}}
	return []api.Route{
		{Method: "GET", Path: "/v1/pos", ID: "getPOS", Roles: office, Tags: tags, Summary: "Which till is linked, and what its set-up needs", Params: language, Answer: Form{},
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				return api.Answer(w, http.StatusOK, s.Form(s.language(r)))
			}},
		{Method: "POST", Path: "/v1/pos/verify", ID: "verifyPOS", Roles: []access.Role{access.Manager}, Tags: tags, Summary: "Ask the till whether kind, credentials and location are right", Params: language, Answer: Form{},
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				return api.Answer(w, http.StatusOK, s.Verify(r.Context(), s.language(r)))
			}},
		{Method: "GET", Path: "/v1/pos/form.txt", ID: "getPOSForm", Roles: office, Tags: tags, Summary: "The form of what set-up needs, to be printed or sent", Params: language, Type: "text/plain",
			Handle: func(w http.ResponseWriter, r *http.Request) error {
				h := w.Header()
				h.Set("Content-Type", "text/plain; charset=utf-8")
				h.Set("Content-Disposition", `attachment; filename="aboyeur-`+s.c.Kind+`.txt"`)
				_, err := w.Write([]byte(s.Text(s.language(r))))
				return err
			}},
	}
}

func (s *Service) language(r *http.Request) string {
	for _, l := range words.Languages() {
		if r.URL.Query().Get("language") == l {
			return l
		}
	}
	return s.c.Language
}
