// Sync history: each run with what it changed, to the field.

import { $, get, h, n, number, swap, t, when, word } from './base.js';
import { follow, say, sayFault, table } from './shell.js';

const GRADE = { done: 'ok', queued: 'warn', running: 'warn', publishing: 'warn', asking: 'bad', failed: 'bad', dismissed: '' };
const ACTS = ['', 'added', 'changed', 'removed'];
const PAGE = 500; // changes drawn of one run at a time

let place, chosen = '', only = '', drawn = '', names = null;

const state = s => h('span', { class: 'pos', data: { grade: GRADE[s] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('menurun.state.', s));
const counts = r => ACTS.slice(1).filter(k => r[k] > 0).map(k => n('menurun.' + k, r[k])).join(' · ') || t('menurun.nothing');
const why = r => [word('menu.cause.', r.cause), r.detail].filter(Boolean).join(' · ');
const nameOf = id => names?.get(id) || id;
const at = r => when(r.started_at || r.queued_at);

const columns = [
  { head: t('menurun.at'), cell: r => h('a', { href: '/menus/history/' + encodeURIComponent(r.id) }, at(r)) },
  { head: t('menus.menu'), cell: r => nameOf(r.menu) },
  { head: t('menurun.by'), cell: r => r.by || word('menurun.trigger.', r.trigger) },
  { head: t('menurun.state'), cell: r => [state(r.state), r.cause && h('small', {}, why(r)), r.published && h('small', {}, t('menurun.published'))] },
  { head: t('menurun.changes'), cell: counts },
];

const change = c => h('li', { class: 'change', data: { change: c.act } }, h('span', { class: 'chip' }, word('menurun.change.', c.act)), h('b', {}, c.name || c.id), h('small', { class: 'soft' }, word('menus.kind_one.', c.kind)),
  c.field && h('span', { class: 'was' }, word('menus.field.', c.field) + ' ', c.old && h('s', {}, c.old), c.old && ' → ', h('span', {}, c.new || '–')));

function one(r) {
  const changes = (r.changes || []).filter(c => !only || c.act === only);
  return h('section', { class: 'sheet pad run' },
    h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, `${nameOf(r.menu)} · ${at(r)}`), state(r.state)), h('a', { class: 'quiet', href: '/menus/history' }, t('menurun.all'))),
    r.cause && h('p', { class: 'p-why', data: { grade: r.state === 'failed' || r.state === 'asking' ? 'bad' : 'warn' } }, why(r), r.guard && ' · ' + t('menus.guard_text', number(r.guard.gone), number(r.guard.had))),
    h('p', { class: 'p-sub' }, counts(r), r.count?.hidden > 0 && ' · ' + n('menus.hidden', r.count.hidden)),
    (r.partners || []).length > 0 && table([{ head: t('menurun.target'), cell: j => j.slug }, { head: t('menurun.state'), cell: j => [word('menurun.job.', String(j.state).toLowerCase()), j.message && h('small', {}, j.message)] }], r.partners, 'jobs'),
    (r.changes || []).length > 0 && h('div', { class: 'chips run-chips', role: 'group', 'aria-label': t('menurun.changes') }, ACTS.map(c => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(c === only), onclick: () => { only = c; drawn = ''; all.run(); } }, c ? word('menurun.change.', c) : t('orders.all')))),
    h('ul', { class: 'changes' }, changes.map(change)),
    r.total > (r.changes || []).length && h('p', { class: 'soft' }, t('menurun.more', number(r.total - r.changes.length))));
}

const all = follow(['menu'], async () => {
  if (!place) return;
  const asked = chosen;
  names ??= new Map(((await get('/v1/menu/menus')).menus || []).map(m => [m.menu, m.settings.name || m.title]));
  const v = await get(asked ? `/v1/menu/sync/${encodeURIComponent(asked)}?limit=${PAGE}` : '/v1/menu/sync?limit=50');
  const sign = JSON.stringify([v, asked, only]);
  if (!place || asked !== chosen || sign === drawn) return;
  drawn = sign;
  if (asked) { swap(place, one(v)); return; }
  const box = h('section', { class: 'sheet', 'aria-label': t('menus.part.history') });
  swap(place, box);
  if (v.runs?.length) swap(box, table(columns, v.runs, 'runs'));
  else say(box, t('menurun.empty'), t('menurun.empty_remedy'));
  if (!v.runs?.length) box.classList.add('say');
});
all.fault = fault => {
  if (!place || (drawn && fault.status !== 403)) return;
  const words = h('div', { class: 'sheet say' });
  swap(place, words);
  sayFault(words, fault, () => all.run());
};

function show(id) {
  chosen = id;
  only = '';
  drawn = '';
  swap(place, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
  $('main').scrollTop = 0;
  all.run();
}

export const runs = {
  open(where, id) { place = where; show(id); },
  show,
  close() { place = null; },
};
