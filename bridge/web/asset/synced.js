// Synced reservations: what the platforms told of the days chosen, what came of each, and beside the list one reservation
// with an address of its own. Days, platform and grade stand in the address.

import { $, clock, day, get, h, icon, n, number, swap, t, word } from './base.js';
import { integrations } from './integrations.js';
import { party } from './party.js';
import { rows } from './rows.js';
import { follow } from './shell.js';
import { ORDER, named, trouble } from './standing.js';

const BASE = '/integration/activity';
const MOST = 1000; // reservations that the box lists at once
const grades = ['', 'trouble', 'pending', 'open', 'closed'];
const periods = [['yesterday', -1, -1], ['today', 0, 0], ['tomorrow', 1, 1], ['week', 0, 6]];

const plus = (text, days) => new Date(Date.parse(text + 'T12:00:00Z') + days * 864e5).toISOString().slice(0, 10);
const address = () => {
  const q = new URLSearchParams(location.search), grade = q.get('grade') || '';
  return { from: q.get('from') || '', to: q.get('to') || '', platform: q.get('platform') || '', grade: grades.includes(grade) ? grade : '' };
};

let place = null, table, today = '', links = [], all = [], chosen = '', search = '';

const query = change => {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries({ ...address(), ...change })) if (v) q.set(k, v);
  return q.size ? '?' + q : '';
};
const href = r => `${BASE}/${encodeURIComponent(r.id)}${location.search}`;
const go = to => { history.pushState(null, '', to); document.dispatchEvent(new Event('synced')); };
const title = name => links.find(l => l.platform === name)?.title || name;
const single = () => { const a = address(); return (a.from || today) === (a.to || a.from || today); };

const isOf = (r, grade) => grade === 'trouble' ? trouble(r) : r.order_state === grade;

function layout() {
  table = rows({
    name: 'synced', label: t('activity.part.synced'), id: r => r.id, href, open: r => go(href(r)), empty: [t('synced.empty'), t('synced.empty_remedy')],
    columns: [
      { head: t('synced.scheduled'), text: r => `${day(Date.parse(r.scheduled_at))} ${clock(Date.parse(r.scheduled_at))}`, value: r => r.scheduled_at,
        cell: r => { const at = Date.parse(r.scheduled_at); return h('span', { class: 'time' }, !single() && h('small', {}, day(at)), h('b', {}, clock(at))); } },
      { head: t('synced.guest'), text: r => r.guest, cell: r => [r.guest || h('span', { class: 'soft' }, t('synced.nameless')), r.vip && h('span', { class: 'tag' }, t('synced.vip')), r.walk_in && h('span', { class: 'tag' }, t('check.walk_in')), h('small', {}, n('kitchen.covers', r.covers))] },
      { head: t('synced.tables'), text: r => r.tables.join(', '), cell: r => r.tables.length ? r.tables.join(', ') : h('span', { class: 'soft' }, '–') },
      { head: t('synced.platform'), text: r => title(r.platform) },
      { head: t('synced.state'), text: r => word('booking.', r.state), cell: r => h('span', { class: 'chip', data: { booking: r.state } }, word('booking.', r.state), r.late && ' · ' + t('synced.late'), r.assumed && ' · ' + t('synced.assumed')) },
      { head: t('synced.order_state'), text: r => r.order_state === 'none' ? '' : word('link.', r.order_state), cell: r => r.order_state === 'none' ? '' : h('span', { class: 'pos', data: { grade: ORDER[r.order_state] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('link.', r.order_state)) },
      { head: t('synced.problem'), text: r => [word('problem.', r.problem), r.detail, ...(r.flags || []).map(f => word('reservation.flag.', f.code))].filter(Boolean).join(' · '),
        cell: r => [r.problem && h('span', { class: 'told' }, h('b', {}, word('problem.', r.problem)), r.detail && ` · ${r.detail}`), (r.flags || []).map(f => h('span', { class: 'told' }, '! ', word('reservation.flag.', f.code)))] },
      { head: '', value: null, csv: false, narrow: true, text: () => '', cell: () => h('span', { class: 'more-arrow', 'aria-hidden': 'true' }, '›') },
    ],
  });
  swap(place,
    h('div', { class: 'bar days' },
      h('div', { class: 'chips', id: 'periods', role: 'group', 'aria-label': t('reports.quick') }),
      h('form', { class: 'period', id: 'period', onsubmit: e => e.preventDefault(), onchange: days },
        h('label', {}, h('span', {}, t('reports.from')), h('input', { type: 'date', id: 'from', required: true })),
        h('label', {}, h('span', {}, t('reports.to')), h('input', { type: 'date', id: 'to', required: true }))),
      h('label', {}, h('span', { class: 'hide' }, t('synced.platform')), h('select', { id: 'platform', onchange: e => filter({ platform: e.target.value }) }))),
    h('div', { class: 'bar' }, h('div', { class: 'chips', id: 'grades', role: 'group', 'aria-label': t('synced.order_state') }), table.tools),
    h('p', { class: 'notice bad', id: 'many', hidden: true }, t('synced.many', number(MOST))),
    h('div', { class: 'split', id: 'split' }, h('div', { class: 'stack' }, table.place), h('aside', { class: 'panel', id: 'panel', hidden: true, 'aria-label': t('synced.panel'), tabindex: -1 })));
}

// ---- the days

function days(e) {
  let from = $('from').value, to = $('to').value;
  if (!from || !to) return;
  if (from > to) { if (e.target === $('from')) to = from; else from = to; }
  filter({ from, to });
}

function filter(change) {
  history.pushState(null, '', location.pathname + query(change));
  search = location.search;
  list.run();
}

function drawFilters() {
  const a = address(), from = a.from || today, to = a.to || from;
  $('from').value = from;
  $('to').value = to;
  swap($('periods'), periods.map(([name, x, y]) => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(from === plus(today, x) && to === plus(today, y)), onclick: () => filter(x || y ? { from: plus(today, x), to: plus(today, y) } : { from: '', to: '' }) }, t('synced.' + name))));
  swap($('platform'), h('option', { value: '' }, t('synced.all_platforms')), links.map(l => h('option', { value: l.platform, selected: l.platform === a.platform }, l.title)));
  swap($('grades'), grades.map(g => {
    const count = g ? all.filter(r => isOf(r, g)).length : all.length;
    return h('button', { class: 'pill', type: 'button', data: { grade: g }, 'aria-pressed': String(g === a.grade), onclick: () => filter({ grade: g }) }, t('synced.grade.' + (g || 'all')), h('span', { class: 'pill-count' }, number(count)));
  }));
  $('many').hidden = all.length < MOST;
}

const list = follow(['reservation', 'integration', 'check'], async () => {
  if (!place) return;
  const asked = location.search;
  const known = await integrations();
  if (!place) return;
  links = known.map(named);
  if (!known.length) { today = ''; all = []; table.set([]); return; }
  today = known[0].today.day;
  const a = address(), from = a.from || today, to = a.to || from;
  const answer = await get('/v1/reservations?' + new URLSearchParams({ from, to, ...a.platform && { platform: a.platform } }));
  if (!place || asked !== location.search) { if (place) list.run(); return; }
  all = answer.reservations;
  drawFilters();
  table.set(a.grade ? all.filter(r => isOf(r, a.grade)) : all);
  table.mark(chosen);
});
list.fault = fault => { if (place) table.fault(fault, () => list.run()); };

function close() { go(BASE + location.search); }

document.addEventListener('keydown', e => { if (place && e.key === 'Escape' && chosen && !document.querySelector('dialog')) close(); });

export const synced = {
  open(into, id) {
    place = into;
    layout();
    search = location.search;
    list.run();
    synced.show(id);
  },
  show(id) {
    const before = chosen;
    chosen = id;
    $('split').classList.toggle('open', !!id);
    table.mark(id);
    if (search !== location.search) { search = location.search; list.run(); }
    party(id, close);
    if (before && !id) table.place.querySelector(`tr[data-id="${CSS.escape(before)}"] a`)?.focus({ preventScroll: true }); // back to where one was
  },
  close() {
    place = null;
    party('', close);
  },
};
