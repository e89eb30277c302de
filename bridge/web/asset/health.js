// Health: what is wrong and what to do about it; five charts of the last hour with their limits; then further figures.
// The tooltip of each number is the name of its metric.

import { $, get, h, lang, number, swap, t, when, word } from './base.js';
import { chart } from './chart.js';
import { warningPlace, warningRemedy, warningText } from './lamps.js';
import { follow, sayFault } from './shell.js';

const CHARTS = ['answer_p99', 'printer_p99', 'queue', 'temperature', 'commit_p99'];

function warning(w) {
  const place = warningPlace(w);
  return h('li', { class: 'warning', data: { severity: w.severity } }, h('span', { class: 'shape', 'aria-hidden': 'true' }),
    h('div', {}, h('b', {}, warningText(w)), w.remedy && h('p', {}, warningRemedy(w))),
    h('span', { class: 'soft' }, [word('severity.', w.severity), w.subject, w.since && t('health.since', when(w.since))].filter(Boolean).join(' · ')),
    place !== '/health' && h('a', { class: 'button small', href: place, 'aria-label': t('health.there_of', warningText(w)) }, t('health.there')));
}

const dot = v => lang === 'fr' ? v.replace('.', ',') : v;
const units = {
  s: v => v < 1 ? dot((v * 1000).toFixed(v < 0.01 ? 1 : 0)) + ' ms' : dot(v.toFixed(1)) + ' s',
  bytes: v => v < 1 << 20 ? Math.round(v / 1024) + ' KiB' : v < 1 << 30 ? Math.round(v / (1 << 20)) + ' MiB' : dot((v / (1 << 30)).toFixed(1)) + ' GiB',
  celsius: v => dot(v.toFixed(1)) + ' °C',
  ratio: v => Math.round(v * 100) + ' %',
};
const format = f => v => typeof v !== 'number' ? '–' : units[f.unit] ? units[f.unit](v) : number(Math.round(v * 100) / 100);

const over = f => f.limit && typeof f.value === 'number' && f.value > f.limit;

// value is the number, in words too when it is above its limit; a colour alone would say nothing to some.
const value = f => h('b', { class: 'figure-value', title: f.metric, data: { state: over(f) ? 'over' : '' } }, format(f)(f.value), over(f) && h('small', {}, t('health.over')));

function charted(f, until) {
  const series = f.series || [], write = format(f), known = series.filter(v => typeof v === 'number');
  const told = h('span', { class: 'figure-note told', 'aria-hidden': 'true' });
  const label = t('health.chart', word('figure.', f.name), write(f.value), write(known.length ? Math.max(...known) : null), f.limit ? t('health.limit', write(f.limit)) : '');
  return h('article', { class: 'tile small', data: { figure: f.name } },
    h('header', {}, h('span', { class: 'figure-word' }, word('figure.', f.name)), told), value(f),
    known.length ? chart({ points: series.map(v => typeof v === 'number' ? v : null), until, limit: f.limit, log: f.unit === 's', format: write, label, told: text => { told.textContent = text; } })
      : h('p', { class: 'soft chart-none' }, t('health.none')));
}

const single = f => h('article', { class: 'tile small', data: { figure: f.name } }, h('span', { class: 'figure-word' }, word('figure.', f.name)), value(f), f.limit ? h('span', { class: 'figure-note' }, t('health.limit', format(f)(f.limit))) : null);

let drawn = '';
const list = follow(['warning', 'printer', 'job'], async () => {
  const [warnings, health] = await Promise.all([get('/v1/warnings'), get('/v1/health')]);
  const sign = JSON.stringify([warnings, health]);
  if (sign === drawn) return;
  drawn = sign;
  const all = warnings.warnings || [], figures = health?.figures || [], until = Date.parse(health?.until) || Date.now(), body = $('body');
  body.setAttribute('aria-busy', 'false');
  body.className = '';
  swap(body,
    h('section', { class: 'sheet' }, all.length ? h('ul', { class: 'warnings' }, all.map(warning))
      : h('p', { class: 'well' }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('status.well'), ' ', h('span', { class: 'soft' }, t('health.well')))),
    h('section', { class: 'block' }, h('h2', {}, t('health.hour')), h('div', { class: 'tiles charts' }, CHARTS.map(name => figures.find(f => f.name === name)).filter(Boolean).map(f => charted(f, until)))),
    h('section', { class: 'block' }, h('h2', {}, t('health.more')), h('div', { class: 'tiles figures-tiles' }, figures.filter(f => !CHARTS.includes(f.name)).map(single))));
});
list.fault = fault => {
  if (drawn && fault.status !== 403) return; // the frame says that the connection is gone; what is here stays
  drawn = '';
  $('body').className = 'sheet say';
  sayFault($('body'), fault, () => list.run());
};
setInterval(() => { if (document.visibilityState === 'visible') list.run(); }, 10e3);
