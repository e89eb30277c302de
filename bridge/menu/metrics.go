package menu

import "github.com/prometheus/client_golang/prometheus"

// unlinkedGauge is the three counters, over all menus, as they stand.
type unlinkedGauge struct {
	s    *Service
	desc *prometheus.Desc
}

func (s *Service) register() error {
	if s.c.Registerer == nil {
		return nil
	}
	return s.c.Registerer.Register(&unlinkedGauge{s, prometheus.NewDesc("aboyeur_menu_unlinked", "Entities of delivery menus that stand for nothing in the POS.", []string{"kind"}, nil)})
}

func (g *unlinkedGauge) Describe(ch chan<- *prometheus.Desc) { ch <- g.desc }

func (g *unlinkedGauge) Collect(ch chan<- prometheus.Metric) {
	n := g.s.Unlinked()
	for kind, v := range map[string]int{"items": n.Items, "modifier_groups": n.Groups, "modifiers": n.Modifiers} {
		ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, float64(v), kind)
	}
}

// Unlinked counts over all menus.
func (s *Service) Unlinked() Unlinked {
	var n Unlinked
	for _, m := range s.menus {
		m.mu.Lock()
		n = n.plus(m.unlinked)
		m.mu.Unlock()
	}
	return n
}
