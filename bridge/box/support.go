package box

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/bridge/support"
)

// buildSupport makes the support bundle of everything that the box can tell about itself.
func (b *Box) buildSupport() (err error) {
	parts := []support.Part{
		support.JSON("warnings.json", func(context.Context) (any, error) { return b.warnings.List(), nil }),
		support.JSON("printers.json", func(context.Context) (any, error) { return b.kitchen.Printers(), nil }),
		support.JSON("health.json", func(context.Context) (any, error) { return b.health.all(), nil }),
		{Name: "metrics.txt", Write: b.scrape},
	}
	if b.folio != nil {
		parts = append(parts,
			support.JSON("hotel.json", func(context.Context) (any, error) { return b.hotel.Status(), nil }),
			support.Part{Name: "trace/hotel.txt", Write: func(_ context.Context, w io.Writer) error { return b.folio.WriteTrace(w) }})
	}
	b.support, err = support.New(support.Config{
		Journal: b.journal, Site: b.c.Site.ID, Version: b.o.Version, Configuration: b.c.Redacted(), Partners: b.partners(), Log: b.recent, Parts: parts, Now: b.o.Now,
	})
	return err
}

// partners are those whose side may be the one that does not work.
func (b *Box) partners() []string {
	known := map[string]string{"opentable": "OpenTable", "sevenrooms": "SevenRooms", "resy": "Resy", "thefork": "TheFork", "aleno": "aleno", "otter": "Otter", "deliverect": "Deliverect",
		"ubereats": "Uber Eats", "lightspeed-k": "Lightspeed K-Series", "lightspeed-o": "Lightspeed O-Series", "bepoz": "Bepoz", "opera": "Oracle OPERA"}
	list := []string{"Aboyeur"}
	add := func(kind string) {
		name := known[kind]
		if name == "" {
			name = kind
		}
		if kind != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if b.folio != nil {
		add(b.c.PMS.Kind)
	}
	for _, r := range b.c.Reservations {
		add(r.Platform)
	}
	for _, d := range b.c.Delivery {
		add(d.Aggregator)
	}
	if b.c.POS.Kind != firmwareconfig.KindBuiltin {
		add(b.c.POS.Kind)
	}
	return list
}

// scrape writes the metrics as a scrape gets them.
func (b *Box) scrape(ctx context.Context, w io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return err
	}
	promhttp.HandlerFor(b.registry, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(into{w, http.Header{}}, r)
	return nil
}

// into is a ResponseWriter whose body goes elsewhere.
type into struct {
	io.Writer
	header http.Header
}

func (p into) Header() http.Header { return p.header }
func (p into) WriteHeader(int)     {}
