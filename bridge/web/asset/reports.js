// Reports: what one to 31 business days came to. Figures, a chart of the half-hours (or days), and a table each for
// stations, sources and days. The days and the station chosen stand in the address.

import { $, age, clock, h, money, n, number, span, swap, t, get } from './base.js';
import { bars } from './bars.js';
import { rows } from './rows.js';
import { follow, say, sayFault } from './shell.js';

const REFRESH = 60e3; // ms; a running day's report is made anew this often, not with every ticket

const address = () => { const q = new URLSearchParams(location.search); return { from: q.get('from') || '', to: q.get('to') || '', station: q.get('station') || '' }; };
const plus = (day, days) => new Date(Date.parse(day + 'T12:00:00Z') + days * 864e5).toISOString().slice(0, 10);
const written = new Intl.DateTimeFormat(document.documentElement.lang === 'fr' ? 'fr-FR' : 'en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayName = day => written.format(Date.parse(day + 'T12:00:00Z'));
const time = seconds => seconds ? age(seconds * 1000) : '–';
const quick = ms => ms ? span(ms) : '–';

let report, today = '', drawn = '';

function go(change) {
  const next = { ...address(), ...change }, q = new URLSearchParams();
  for (const [k, v] of Object.entries(next)) if (v) q.set(k, v);
  history.pushState(null, '', '/reports' + (q.size ? '?' + q : ''));
  load.run();
}

// ---- the days

const periods = [['today', 0, 0], ['yesterday', -1, -1], ['week', -6, 0], ['month', -30, 0]];

function drawPeriod() {
  const { from, to } = report;
  $('from').value = from;
  $('to').value = to;
  $('from').max = $('to').max = today;
  swap($('quick'), periods.map(([name, a, b]) => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(from === plus(today, a) && to === plus(today, b)), onclick: () => go(a || b ? { from: plus(today, a), to: plus(today, b) } : { from: '', to: '' }) }, t('reports.' + name))));
  const q = '?' + new URLSearchParams({ from, to });
  swap($('files'), h('span', { class: 'soft' }, t('page.csv')), ['stations', 'sources', 'days'].map(name => h('a', { class: 'button small', href: `/v1/reports/${name}.csv${q}`, download: '' }, t('reports.' + name))));
}

$('period').addEventListener('change', e => {
  let from = $('from').value, to = $('to').value;
  if (!from || !to) return;
  if (from > to) { if (e.target === $('from')) to = from; else from = to; }
  if (plus(from, 30) < to) { if (e.target === $('from')) to = plus(from, 30); else from = plus(to, -30); }
  go({ from, to });
});
$('period').addEventListener('submit', e => e.preventDefault());

// ---- the tables

const grades = f => [f.warned > 0 && h('span', { class: 'mark-age warn' }, number(f.warned) + ' !'), f.late > 0 && h('span', { class: 'mark-age late' }, number(f.late) + ' !!')];
const count = (head, key) => ({ head: t(head), num: true, text: r => number(r[key]), value: r => r[key] });
const long = (head, key) => ({ head: t(head), num: true, text: r => time(r[key]), value: r => r[key] });
const late = { head: t('reports.late'), num: true, text: r => `${r.warned} / ${r.late}`, value: r => r.late * 1e6 + r.warned, cell: r => r.warned || r.late ? grades(r) : '–' };

const stations = rows({
  name: 'stations', label: t('reports.stations'), id: r => r.station, href: r => '/reports?' + new URLSearchParams({ ...address(), station: r.station }),
  open: r => go({ station: address().station === r.station ? '' : r.station }),
  columns: [{ head: t('reports.station'), text: r => r.station }, count('reports.tickets', 'tickets'), count('reports.items', 'items'), long('reports.median', 'median_seconds'), long('reports.p90', 'p90_seconds'),
    late, count('reports.recalls', 'recalls'), long('reports.pass', 'pass_median_seconds'), count('reports.peak', 'peak_open'), count('reports.left', 'left_open')],
});
const sources = rows({
  name: 'sources', label: t('reports.sources'), id: r => r.source, empty: [t('reports.no_orders'), t('reports.no_orders_remedy')],
  columns: [{ head: t('reports.source'), text: r => r.source }, count('reports.orders', 'orders'), count('reports.injected', 'injected'),
    { ...count('reports.failed', 'failed'), cell: r => r.failed ? h('b', { class: 'bad' }, number(r.failed)) : '0' }, count('reports.manual', 'manual'), count('reports.cancelled', 'cancelled'),
    { head: t('orders.total'), num: true, text: r => money(r.total), value: r => r.total }, { head: t('reports.answer'), num: true, text: r => quick(r.answer_median_ms), value: r => r.answer_median_ms },
    { head: t('reports.injection'), num: true, text: r => quick(r.injection_median_ms), value: r => r.injection_median_ms }],
});
const days = rows({
  name: 'days', label: t('reports.days'), id: r => r.day, href: r => '/reports?' + new URLSearchParams({ from: r.day, to: r.day }), open: r => go({ from: r.day, to: r.day }),
  columns: [{ head: t('reports.day'), text: r => dayName(r.day), value: r => r.day }, count('reports.orders', 'orders'), count('reports.injected', 'injected'),
    { ...count('reports.failed', 'failed'), cell: r => r.failed ? h('b', { class: 'bad' }, number(r.failed)) : '0' }, count('reports.manual', 'manual'),
    { head: t('reports.injection'), num: true, text: r => quick(r.injection_median_ms), value: r => r.injection_median_ms },
    count('reports.tickets', 'tickets'), long('reports.median', 'median_seconds'), long('reports.p90', 'p90_seconds'), late, count('reports.left', 'left_open')],
});

// ---- figures and chart

function figures(f, r) {
  const share = f.tickets ? Math.round(100 * (f.warned + f.late) / f.tickets) : 0;
  const failed = r.sources.reduce((sum, s) => sum + s.failed, 0), manual = r.sources.reduce((sum, s) => sum + s.manual, 0), orders = r.sources.reduce((sum, s) => sum + s.orders, 0);
  const one = (key, value, note, over) => h('div', { class: 'figure' }, h('span', { class: 'figure-word' }, t(key)), h('span', { class: 'figure-value', data: { state: over ? 'over' : '' } }, value), h('span', { class: 'figure-note' }, note));
  return h('section', { class: 'sheet pad figures six', 'aria-label': t('reports.figures') },
    one('reports.orders', number(orders), [failed > 0 && n('reports.n_failed', failed), manual > 0 && n('reports.n_manual', manual)].filter(Boolean).join(' · ') || t('reports.all_in'), failed > 0),
    one('reports.tickets', number(f.tickets), n('reports.n_items', f.items)),
    one('reports.median', time(f.median_seconds), t('reports.p90_is', time(f.p90_seconds))),
    one('reports.late', share + ' %', `${number(f.warned)} ! · ${number(f.late)} !!`, f.late > 0),
    one('reports.pass', time(f.pass_median_seconds), n('reports.n_recalls', f.recalls)),
    one('reports.peak', number(f.peak_open), f.left_open ? n(report.running ? 'reports.n_open' : 'reports.n_left', f.left_open) : t('reports.none_left')));
}

// halves gives the half-hours of a day without gaps, of one station or of all together.
function halves(r, station) {
  const at = new Map();
  for (const s of r.stations) {
    if (station && s.station !== station) continue;
    for (const x of s.halves) {
      const ms = Date.parse(x.at), sum = at.get(ms) || { label: x.label, tickets: 0, warned: 0, late: 0, items: 0, p90: 0 };
      for (const key of ['tickets', 'warned', 'late', 'items']) sum[key] += x[key];
      sum.p90 = Math.max(sum.p90, x.p90_seconds);
      at.set(ms, sum);
    }
  }
  if (!at.size) return [];
  const out = [], first = Math.min(...at.keys()), last = Math.max(...at.keys());
  for (let ms = first; ms <= last; ms += 1800e3) out.push(at.get(ms) || { label: clock(ms), tickets: 0, warned: 0, late: 0, items: 0, p90: 0 });
  return out;
}

function draw() {
  const r = report, body = $('body'), single = r.from === r.to;
  const station = r.stations.some(s => s.station === address().station) ? address().station : '';
  const f = station ? r.stations.find(s => s.station === station) : r.kitchen;
  body.setAttribute('aria-busy', 'false');
  drawPeriod();
  if (!r.kitchen.tickets && !r.sources.length) {
    body.className = 'sheet say';
    say(body, t('reports.empty'), t('reports.empty_remedy'));
    return;
  }
  body.className = '';
  const columns = single ? halves(r, station).map(x => ({ ...x, says: `${x.label} · ${n('reports.n_tickets', x.tickets)} · ${t('reports.p90_is', time(x.p90))}` }))
    : r.days.map(d => ({ label: dayName(d.day).replace(/^\S+ /, ''), tickets: d.tickets, warned: d.warned, late: d.late, says: `${dayName(d.day)} · ${n('reports.n_tickets', d.tickets)} · ${t('reports.p90_is', time(d.p90_seconds))}` }));
  stations.set(r.stations);
  stations.mark(station);
  sources.set(r.sources);
  days.set(r.days.toReversed());
  const sign = JSON.stringify([r, station]);
  if (sign === drawn && body.querySelector('.figures')) return;
  drawn = sign;
  const told = h('p', { class: 'soft told', role: 'status' });
  swap(body,
    figures(f, r),
    columns.length > 0 && h('section', { class: 'block' },
      h('div', { class: 'block-head' }, h('h2', {}, t(single ? 'reports.by_half' : 'reports.by_day')), h('div', { class: 'chips', role: 'group', 'aria-label': t('reports.station') },
        single && r.stations.length > 1 && [['', t('reports.all_stations')], ...r.stations.map(s => [s.station, s.station])].map(([name, words]) => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(name === station), onclick: () => go({ station: name }) }, words)))),
      h('div', { class: 'sheet pad' }, h('div', { class: 'bars-scroll', tabindex: 0 }, bars({ columns, label: columns.map(c => c.says).join('; '), told: words => { told.textContent = words || ' '; } })), h('div', { class: 'legend' }, told,
        h('span', { class: 'key' }, h('i', { class: 'b-well' }), t('reports.in_time')), h('span', { class: 'key' }, h('i', { class: 'b-warned' }), t('reports.past_first')), h('span', { class: 'key' }, h('i', { class: 'b-late' }), t('reports.past_second'))))),
    part('reports.stations', stations), part('reports.sources', sources), !single && part('reports.days', days),
    single && h('p', { class: 'soft block' }, t('reports.day_is', dayName(r.from), clock(Date.parse(r.begins)), clock(Date.parse(r.ends))), ' ', r.running && t('reports.running')));
}

const part = (key, list) => h('section', { class: 'block' }, h('div', { class: 'block-head' }, h('h2', {}, t(key)), list.tools), list.place);

const load = follow([], async () => {
  const { from, to } = address(), q = new URLSearchParams();
  if (from) q.set('from', from);
  if (to) q.set('to', to);
  const answer = await get('/v1/reports' + (q.size ? '?' + q : ''), { timeout: 30e3 });
  if (!today) today = from || to ? (await get('/v1/reports').catch(() => answer)).from : answer.from;
  if (address().from !== from || address().to !== to) { load.run(); return; }
  report = answer;
  draw();
});
load.fault = fault => {
  if (report && fault.status !== 403 && fault.status !== 422) return;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  body.className = 'sheet say';
  sayFault(body, fault, () => { if (fault.status === 422) go({ from: '', to: '' }); else load.run(); });
};
setInterval(() => { if (report?.running && document.visibilityState === 'visible') load.run(); }, REFRESH);
addEventListener('popstate', () => load.run());
