package web

import (
	"strings"
	"testing"
)

// TestHealthPage reads warnings with their remedies and the five charts of the last hour: each with its limit as a line,
// gaps where nothing was measured, the metric's name behind each number, and the minute under the pointer.
func TestHealthPage(t *testing.T) {
	t.Parallel()
	box := newFakeBox(t, Config{Language: "en"})
	box.warnings = cannedWarnings()
	b := openTab(t, box, 1440, 900)
	b.open("/health")
	b.wait("five charts", "document.querySelectorAll('.charts svg.chart').length === 5")
	if got := b.eval("[...document.querySelectorAll('.charts [data-figure]')].map(e => e.dataset.figure).join()"); got != "answer_p99,printer_p99,queue,temperature,commit_p99" {
		t.Errorf("charts of %s", got)
	}
	if got := b.eval("[...document.querySelectorAll('.charts svg')].every(e => e.querySelector('.s-limit') && e.querySelector('.s-limit-word').textContent.startsWith('limit '))"); got != "true" {
		t.Error("a chart lacks its limit")
	}
	if got := b.eval("[...document.querySelectorAll('.figure-value')].every(e => e.title.startsWith('aboyeur_')) && document.querySelector('[data-figure=commit_p99] .figure-value').title"); got != "aboyeur_journal_commit_seconds" {
		t.Errorf("tooltip of the commit figure: %s", got)
	}
	if got := b.eval("document.querySelectorAll('[data-figure=answer_p99] .s-line').length"); got != "2" {
		t.Errorf("a line with a gap is drawn in %s parts, want 2", got)
	}
	if got := b.text("[data-figure=temperature]"); !strings.Contains(got, "81.4 °C") || !strings.Contains(got, "above its limit") {
		t.Errorf("a temperature above its limit reads %q", got)
	}
	if got := b.text(".warnings li"); !strings.Contains(got, "out of paper") || !strings.Contains(got, "new roll") {
		t.Errorf("a warning reads %q", got)
	}
	if got := b.eval("document.querySelector('.warnings a').pathname"); got != "/printers/pass" {
		t.Errorf("the warning of a printer leads to %s", got)
	}
	b.eval(`(e => { const r = e.getBoundingClientRect(); e.dispatchEvent(new PointerEvent('pointermove', {clientX: r.right - 3, clientY: r.top + 20})) })(document.querySelector('[data-figure=temperature] svg'))`)
	b.wait("the minute under the pointer", "/^[0-9:]{5} · 81.4 °C$/.test(document.querySelector('[data-figure=temperature] .told').innerText)")
	b.shoot("health")
	b.open("/health?language=fr&theme=night")
	b.wait("French", "document.querySelector('[data-figure=queue] .figure-word')?.innerText === \"File d'impression la plus longue\" && document.querySelector('[data-figure=answer_p99] .figure-value').innerText === '3,4 ms'")
	b.size(375, 812)
	b.wait("a phone", "document.documentElement.scrollWidth === 375")
	b.shoot("phone-health")
}
