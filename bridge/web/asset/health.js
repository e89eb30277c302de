// Health: what is wrong and what to do about it, then the box's figures, each with the name of its metric.

import { $, get, h, number, svg, swap, t, when, word, lang } from './base.js';
import { warningRemedy, warningText } from './lamps.js';
import { follow, sayFault } from './shell.js';

function warning(w) {
  return h('li', { class: 'warning', data: { severity: w.severity } }, h('span', { class: 'shape', 'aria-hidden': 'true' }),
    h('div', {}, h('b', {}, warningText(w)), w.remedy && h('p', {}, warningRemedy(w))),
    h('span', { class: 'soft' }, [word('severity.', w.severity), w.subject, w.since && t('health.since', when(w.since))].filter(Boolean).join(' · ')));
}

const dot = v => lang === 'fr' ? v.replace('.', ',') : v;
const units = {
  s: v => v < 1 ? dot((v * 1000).toFixed(v < 0.01 ? 1 : 0)) + ' ms' : dot(v.toFixed(1)) + ' s',
  bytes: v => v < 1 << 20 ? Math.round(v / 1024) + ' KiB' : v < 1 << 30 ? Math.round(v / (1 << 20)) + ' MiB' : dot((v / (1 << 30)).toFixed(1)) + ' GiB',
  celsius: v => dot(v.toFixed(1)) + ' °C',
  ratio: v => Math.round(v * 100) + ' %',
};

function value(f) {
  if (typeof f.value === 'boolean') return t(f.value ? 'page.yes' : 'page.no');
  if (typeof f.value !== 'number') return f.value === null || f.value === undefined ? '–' : String(f.value);
  return units[f.unit] ? units[f.unit](f.value) : number(Math.round(f.value * 100) / 100);
}

// spark draws the last hour of a figure with its limit as a line.
function spark(f) {
  const points = (f.series || []).map(p => typeof p === 'number' ? p : p.value).filter(v => typeof v === 'number');
  if (points.length < 2) return null;
  const W = 240, H = 56, top = Math.max(...points, f.limit || 0) * 1.1 || 1;
  const y = v => H - 2 - (H - 4) * v / top;
  const d = points.map((v, i) => `${i ? 'L' : 'M'}${(W * i / (points.length - 1)).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  return svg('svg', { class: 'spark', viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('path', { class: 's-fill', d: d + `L${W} ${H}L0 ${H}Z` }), svg('path', { class: 's-line', d }),
    f.limit ? svg('line', { class: 's-limit', x1: 0, x2: W, y1: y(f.limit), y2: y(f.limit) }) : null);
}

// figures reads {"figures":[{name, value, unit, limit, metric, series}]}, and any other object of plain values as it is.
function figures(answer) {
  if (Array.isArray(answer.figures)) return answer.figures;
  const flat = (o, prefix) => Object.entries(o).flatMap(([k, v]) => v && typeof v === 'object' && !Array.isArray(v) ? flat(v, prefix + k + '.') : Array.isArray(v) ? [] : [{ name: prefix + k, value: v }]);
  return flat(answer, '');
}

const list = follow(['warning', 'printer', 'job'], async () => {
  const [warnings, health] = await Promise.all([get('/v1/warnings'), get('/v1/health')]);
  const all = warnings.warnings || [], body = $('body');
  body.setAttribute('aria-busy', 'false');
  swap(body,
    h('section', { class: 'sheet' }, all.length ? h('ul', { class: 'warnings' }, all.map(warning))
      : h('p', { class: 'well' }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('status.well'), ' ', h('span', { class: 'soft' }, t('health.well')))),
    h('div', { class: 'tiles figures-tiles' }, figures(health || {}).map(f => h('article', { class: 'tile small', title: f.metric || '' },
      h('span', { class: 'figure-word' }, word('figure.', f.name)), h('b', { class: 'figure-value', data: { state: f.limit && f.value > f.limit ? 'over' : '' } }, value(f)),
      f.limit ? h('span', { class: 'figure-note' }, t('health.limit', value({ ...f, value: f.limit }))) : null, spark(f)))));
});
list.fault = fault => sayFault($('body'), fault, () => list.run());
setInterval(list.run, 10e3);
