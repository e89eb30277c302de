package kitchen

import (
	"net/http"
	"slices"
	"strings"

	"aboyeur/bridge/api"
)

// A ScreenView is a kitchen screen and who looks at it now, as the API shows it.
type ScreenView struct {
	Name      string   `json:"name"`
	Stations  []string `json:"stations"`
	Connected int      `json:"connected" doc:"browsers that show it"`
	Looked    bool     `json:"looked" doc:"somebody can see it: a browser is connected and its page works"`
	Backup    string   `json:"backup,omitzero" doc:"the screen that stands in when this one is silent"`
	ShownAt   string   `json:"shown_at,omitzero" doc:"the screen that shows its tickets now, because this one is silent"`
	Open      int      `json:"open" doc:"open tickets it has to show"`
}

// ScreenViews shows every screen, by name.
func (b *Board) ScreenViews() []ScreenView {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	list := make([]ScreenView, 0, len(b.hubs))
	for name, hub := range b.hubs {
		v := ScreenView{
			Name: name, Stations: append([]string{}, b.shows[name]...), Connected: hub.Readers(), Looked: b.looked(name, now), Backup: b.backup[name], ShownAt: b.glasses[name].at,
		}
		for _, e := range b.order {
			if slices.Contains(b.screens[b.place(e.station)], name) {
				v.Open++
			}
		}
		list = append(list, v)
	}
	slices.SortFunc(list, func(x, y ScreenView) int { return strings.Compare(x.Name, y.Name) })
	return list
}

// screenList answers GET /v1/screens.
type screenList struct {
	Screens []ScreenView `json:"screens"`
}

func (k *Kitchen) getScreens(w http.ResponseWriter, _ *http.Request) error {
	return api.Answer(w, http.StatusOK, screenList{k.board.ScreenViews()})
}
