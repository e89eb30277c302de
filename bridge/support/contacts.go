package support

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// A Contact is whom to call when a partner's side does not work.
type Contact struct {
	Partner string `json:"partner" doc:"whose side it is: OpenTable, the POS, the hotel's interface, the box itself"`
	Name    string `json:"name,omitzero"`
	Phone   string `json:"phone,omitzero"`
	Mail    string `json:"mail,omitzero"`
	Account string `json:"account,omitzero" doc:"the number by which the partner knows this restaurant"`
	Note    string `json:"note,omitzero" doc:"hours, what to have ready"`
}

// Bounds of contacts.
const (
	maxContacts = 40
	maxWord     = 120 // characters
	maxNote     = 500
)

const contactsKey = "support/contacts"

// contacts are the list with the revision that a change has to name.
type contacts struct {
	Value    []Contact `json:"value"`
	Revision int64     `json:"revision" doc:"0 while nobody wrote any"`
}

func (b *Bundler) contactRoutes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/v1/contacts", ID: "getContacts", Roles: []access.Role{access.Manager, access.Staff}, Tags: []string{"health"},
			Summary: "Whom to call, for each partner", Answer: contacts{}, Handle: b.getContacts},
		{Method: "PUT", Path: "/v1/contacts", ID: "putContacts", Roles: []access.Role{access.Manager}, Tags: []string{"health"},
			Summary: "Change whom to call", Body: contacts{}, Answer: contacts{}, Problems: []int{http.StatusConflict, http.StatusServiceUnavailable}, Handle: b.putContacts},
	}
}

// Contacts gives the list; those of partners that nobody wrote anything about are empty.
func (b *Bundler) contacts(ctx context.Context) (contacts, error) {
	s, err := b.c.Journal.Setting(ctx, contactsKey)
	if errors.Is(err, journal.ErrNoSetting) {
		c := contacts{Value: []Contact{}}
		for _, p := range b.c.Partners {
			c.Value = append(c.Value, Contact{Partner: p})
		}
		return c, nil
	}
	if err != nil {
		return contacts{}, err
	}
	return contactsOf(s)
}

func contactsOf(s journal.Setting) (contacts, error) {
	c := contacts{Revision: s.Revision}
	if err := json.Unmarshal(s.Value, &c.Value); err != nil {
		return c, fmt.Errorf("setting %s: %w", s.Key, err)
	}
	return c, nil
}

func (b *Bundler) getContacts(w http.ResponseWriter, r *http.Request) error {
	c, err := b.contacts(r.Context())
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, c)
}

func (b *Bundler) putContacts(w http.ResponseWriter, r *http.Request) error {
	var body contacts
	if err := api.Decode(w, r, &body); err != nil {
		return err
	}
	if err := api.Invalid(checkContacts(body.Value)); err != nil {
		return err
	}
	value, err := json.Marshal(body.Value)
	if err != nil {
		return err
	}
	by := access.From(r.Context())
	var set journal.Setting
	err = b.c.Journal.Write(r.Context(), func(tx *journal.Tx) error {
		if set, err = tx.PutSetting(contactsKey, value, body.Revision, by.Name); err != nil {
			return err
		}
		return access.Record(tx, by, "setting", contactsKey, fmt.Sprintf("%d contacts", len(body.Value)))
	})
	if err != nil {
		return api.ChangedMeanwhile("the contacts", err)
	}
	c, err := contactsOf(set)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, c)
}

func checkContacts(list []Contact) (faults []api.Fault) {
	if len(list) > maxContacts {
		return []api.Fault{{Pointer: "/value", Detail: fmt.Sprintf("has %d contacts; at most %d", len(list), maxContacts)}}
	}
	for i, c := range list {
		at := func(name string) string { return fmt.Sprintf("/value/%d/%s", i, name) }
		if strings.TrimSpace(c.Partner) == "" {
			faults = append(faults, api.Fault{Pointer: at("partner"), Detail: "is empty; write whose contact it is"})
		}
		for _, m := range []struct {
			name, text string
			most       int
		}{{"partner", c.Partner, maxWord}, {"name", c.Name, maxWord}, {"phone", c.Phone, maxWord}, {"mail", c.Mail, maxWord}, {"account", c.Account, maxWord}, {"note", c.Note, maxNote}} {
			switch {
			case utf8.RuneCountInString(m.text) > m.most:
				faults = append(faults, api.Fault{Pointer: at(m.name), Detail: fmt.Sprintf("has more than %d characters", m.most)})
			case strings.ContainsFunc(m.text, unicode.IsControl):
				faults = append(faults, api.Fault{Pointer: at(m.name), Detail: "has a character that cannot be seen; write it on one line"})
			}
		}
		if c.Mail != "" {
			if a, err := mail.ParseAddress(c.Mail); err != nil || a.Address != c.Mail {
				faults = append(faults, api.Fault{Pointer: at("mail"), Detail: "is no mail address; write it as name@example.com"})
			}
		}
		if c.Phone != "" && len(digitsOf(c.Phone)) < 3 {
			faults = append(faults, api.Fault{Pointer: at("phone"), Detail: "has no number; write it as +33 1 23 45 67 89"})
		}
	}
	return faults
}
