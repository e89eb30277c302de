package report

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
)

// Routes are the report and its tables as files.
func (r *Reporter) Routes() []api.Route {
	managers := []access.Role{access.Manager}
	params := []api.Param{
		{Name: "from", Doc: "first business day, as 2026-11-21; the running one when absent"},
		{Name: "to", Doc: "last business day, at most 31 days on; from when absent"},
	}
	file := func(name, summary string, write func(*Report, io.Writer) error) api.Route {
		return api.Route{Method: "GET", Path: "/v1/reports/" + name + ".csv", Roles: managers, Tags: []string{"reports"}, Summary: summary, Params: params,
			Type: "text/csv", Problems: []int{http.StatusUnprocessableEntity},
			Handle: func(w http.ResponseWriter, q *http.Request) error { return r.file(w, q, name, write) }}
	}
	return []api.Route{
		{Method: "GET", Path: "/v1/reports", ID: "getReport", Roles: managers, Tags: []string{"reports"},
			Summary: "Stations by half-hour, sources and days of up to 31 business days", Params: params, Answer: Report{},
			Problems: []int{http.StatusUnprocessableEntity}, Handle: r.get},
		file("stations", "The report's stations by half-hour, as CSV", (*Report).WriteStations),
		file("sources", "The report's sources, as CSV", (*Report).WriteSources),
		file("days", "The daily report: orders injected, failed, by hand; median latency; as CSV", (*Report).WriteDays),
	}
}

func (r *Reporter) made(q *http.Request) (*Report, error) {
	v := q.URL.Query()
	rep, err := r.Make(q.Context(), v.Get("from"), v.Get("to"))
	if errors.Is(err, ErrDays) {
		pointer, detail := "?from", strings.TrimPrefix(err.Error(), ErrDays.Error()+": ")
		if strings.HasPrefix(detail, "to ") {
			pointer = "?to"
		}
		return nil, api.Invalid([]api.Fault{{Pointer: pointer, Detail: detail}})
	}
	return rep, err
}

func (r *Reporter) get(w http.ResponseWriter, q *http.Request) error {
	rep, err := r.made(q)
	if err != nil {
		return err
	}
	return api.Answer(w, http.StatusOK, rep)
}

func (r *Reporter) file(w http.ResponseWriter, q *http.Request, name string, write func(*Report, io.Writer) error) error {
	rep, err := r.made(q)
	if err != nil {
		return err
	}
	b := bytes.NewBufferString("\ufeff") // spreadsheets take it for UTF-8 only with this
	if err := write(rep, b); err != nil {
		return err
	}
	period := rep.From
	if rep.To != rep.From {
		period += "-to-" + rep.To
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+"-"+period+`.csv"`)
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(b.Bytes())
	return err
}
