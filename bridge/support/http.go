package support

import (
	"bytes"
	"net/http"
	"strconv"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// Routes are the bundle's download and whom to send it to. The bundle is made whole before the first byte leaves, so that half of one never arrives.
func (b *Bundler) Routes() []api.Route {
	return append(b.contactRoutes(), api.Route{
		Method: "GET", Path: "/v1/support-bundle", ID: "getSupportBundle", Roles: []access.Role{access.Manager}, Tags: []string{"health"},
		Summary: "Everything that helps whoever helps: log, configuration, states, metrics, traces; without secrets and names",
		Type:    "application/gzip", Problems: []int{http.StatusServiceUnavailable}, Handle: b.get,
	})
}

func (b *Bundler) get(w http.ResponseWriter, r *http.Request) error {
	name := b.Name()
	var file bytes.Buffer
	if err := b.Write(r.Context(), &file); err != nil {
		return err
	}
	by := access.From(r.Context())
	b.c.Journal.Later(func(tx *journal.Tx) error {
		return access.Record(tx, by, "support_bundle_made", name, strconv.Itoa(file.Len())+" bytes")
	})
	h := w.Header()
	h.Set("Content-Type", "application/gzip")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.tar.gz"`)
	h.Set("Content-Length", strconv.Itoa(file.Len()))
	h.Set("Cache-Control", "no-store")
	_, err := w.Write(file.Bytes())
	return err
}
