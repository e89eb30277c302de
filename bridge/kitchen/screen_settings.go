package kitchen

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// Bounds of what a screen's settings may hold.
const (
	maxBound  = 8  // keys of one act
	maxKeyLen = 48 // bytes of a key's name
	maxVolume = 10
)

// keyActs are what keys of a screen can be bound to.
var keyActs = []string{
	"slot1", "slot2", "slot3", "slot4", "slot5", "slot6", "slot7", "slot8", "slot9", "slot10",
	"bump", "items", "start", "recall", "fire", "undo", "page", "left", "right", "up", "down",
}

// ScreenSettings are what people at a screen set, kept for it at the box: a kiosk's browser forgets everything.
type ScreenSettings struct {
	Volume     *int                `json:"volume,omitzero" minimum:"0" maximum:"10" doc:"of sounds; absent: as the page begins"`
	BumpAtOnce bool                `json:"bump_at_once,omitzero" doc:"a digit bumps its slot; otherwise it selects it"`
	Keys       map[string][]string `json:"keys,omitzero" doc:"act to keys: code:CODE, key:KEY or byte:NN of a serial bar; absent acts keep their defaults"`
}

// check tells what in s is wrong.
func (s *ScreenSettings) check() error {
	var faults []api.Fault
	if s.Volume != nil && (*s.Volume < 0 || *s.Volume > maxVolume) {
		faults = append(faults, api.Fault{Pointer: "/settings/volume", Detail: "is not from 0 to 10"})
	}
	for act, keys := range s.Keys {
		switch {
		case !slices.Contains(keyActs, act):
			faults = append(faults, api.Fault{Pointer: "/settings/keys/" + act, Detail: "is no act that a key can be bound to"})
		case len(keys) > maxBound:
			faults = append(faults, api.Fault{Pointer: "/settings/keys/" + act, Detail: "has more than 8 keys"})
		}
		for _, k := range keys {
			if k == "" || len(k) > maxKeyLen {
				faults = append(faults, api.Fault{Pointer: "/settings/keys/" + act, Detail: "has a key without a name or with one of more than 48 bytes"})
			}
		}
	}
	slices.SortFunc(faults, func(a, b api.Fault) int {
		if a.Pointer < b.Pointer {
			return -1
		}
		return 1
	})
	return api.Invalid(faults)
}

// screenSettings are a screen's settings with the revision they stand at.
type screenSettings struct {
	Revision int64          `json:"revision" doc:"0: nobody set anything yet"`
	Settings ScreenSettings `json:"settings"`
}

func screenKey(name string) string { return "screen/" + name }

func (k *Kitchen) screenRoutes() []api.Route {
	cooks := []access.Role{access.Manager, access.Staff, access.Screen}
	return []api.Route{
		{Method: "GET", Path: "/v1/screens", Roles: cooks, Tags: []string{"screens"}, Summary: "Every kitchen screen, and whether somebody looks at it", Answer: screenList{}, Handle: k.getScreens},
		{Method: "GET", Path: "/v1/screens/{screen}/settings", Roles: cooks, Tags: []string{"screens"}, Summary: "What people at the screen set: its keys, how loud it is",
			Answer: screenSettings{}, Problems: []int{http.StatusNotFound}, Handle: k.getSettings},
		{Method: "PUT", Path: "/v1/screens/{screen}/settings", Roles: cooks, Tags: []string{"screens"}, Summary: "Set them, from the revision that was read",
			Body: screenSettings{}, Answer: screenSettings{}, Problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, Handle: k.putSettings},
	}
}

func (k *Kitchen) getSettings(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("screen")
	if !k.board.Has(name) {
		return api.NotFound("screen", name)
	}
	s, err := k.settings(r.Context(), name)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, s)
}

func (k *Kitchen) settings(ctx context.Context, name string) (s screenSettings, err error) {
	kept, err := k.c.Journal.Setting(ctx, screenKey(name))
	if errors.Is(err, journal.ErrNoSetting) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Revision = kept.Revision
	return s, json.Unmarshal(kept.Value, &s.Settings)
}

func (k *Kitchen) putSettings(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("screen")
	if !k.board.Has(name) {
		return api.NotFound("screen", name)
	}
	var s screenSettings
	if err := api.Decode(w, r, &s); err != nil {
		return err
	}
	if err := s.Settings.check(); err != nil {
		return err
	}
	by := access.From(r.Context())
	err := k.c.Journal.Write(r.Context(), func(tx *journal.Tx) error {
		kept, err := tx.PutSetting(screenKey(name), encode(s.Settings), s.Revision, by.Name)
		s.Revision = kept.Revision
		return err
	})
	var conflict *journal.ConflictError
	if errors.As(err, &conflict) {
		return api.Conflict("changed_meanwhile", "somebody else set this screen meanwhile; read it again and repeat the change")
	}
	if err != nil {
		return err
	}
	k.board.tell(name, "settings", encode(s))
	return api.Answer(w, http.StatusOK, s)
}

// Has tells whether there is a screen of that name.
func (b *Board) Has(name string) bool { return b.hubs[name] != nil }

// struck is the data of a key event. A page that hears of it late does nothing: the hand has long gone elsewhere.
type struck struct {
	Byte int       `json:"byte"`
	At   time.Time `json:"at"`
}

// Key tells a screen's page of a key of its serial bump bar.
func (b *Board) Key(name string, key byte) {
	if b.Has(name) {
		b.tell(name, "key", encode(struck{int(key), b.now().UTC()}))
	}
}

// tell gives one screen an event that changes no ticket.
func (b *Board) tell(name, event string, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hubs[name].Publish(b.seq, api.AppendEvent(nil, api.Event{Name: event, Data: data}))
}
