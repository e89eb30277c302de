// Sync history: each run with what it changed, to the field.

import { $, get, h, n, number, swap, t, when, word } from './base.js';
import { follow, say, sayFault, table } from './shell.js';

const GRADE = { done: 'ok', published: 'ok', running: 'warn', publishing: 'warn', waiting_confirm: 'warn', failed: 'bad' };
const CHANGES = ['', 'added', 'changed', 'removed'];
const MOST = 500; // changes drawn of one run

let place, chosen = '', only = '', drawn = '';

const state = s => h('span', { class: 'pos', data: { grade: GRADE[s] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('menurun.state.', s));
const counts = c => CHANGES.slice(1).filter(k => c?.[k] > 0).map(k => n('menurun.' + k, c[k])).join(' · ') || t('menurun.nothing');

const columns = [
  { head: t('menurun.at'), cell: r => h('a', { href: '/menus/history/' + encodeURIComponent(r.id) }, when(r.at)) },
  { head: t('menus.menu'), cell: r => r.name || r.source },
  { head: t('menurun.by'), cell: r => r.by || t('menurun.itself') },
  { head: t('menurun.state'), cell: r => [state(r.state), r.reason && h('small', {}, r.reason)] },
  { head: t('menurun.changes'), cell: r => counts(r.counts) },
];

function change(c) {
  return h('li', { class: 'change', data: { change: c.change } }, h('span', { class: 'chip' }, word('menurun.change.', c.change)), h('b', {}, c.name || c.id), h('small', { class: 'soft' }, word('menus.kind.', c.kind)),
    (c.fields || []).map(f => h('span', { class: 'was' }, word('menus.field.', f.field) + ' ', f.from && h('s', {}, f.from), f.from && ' → ', h('span', {}, f.to || '–'))));
}

function one(r) {
  const changes = (r.changes || []).filter(c => !only || c.change === only);
  return h('section', { class: 'sheet pad run' },
    h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, `${r.name || r.source} · ${when(r.at)}`), state(r.state)), h('a', { class: 'quiet', href: '/menus/history' }, t('menurun.all'))),
    r.reason && h('p', { class: 'p-why', data: { grade: r.state === 'failed' ? 'bad' : 'warn' } }, r.reason),
    h('p', { class: 'p-sub' }, counts(r.counts), r.counts?.hidden > 0 && ' · ' + n('menus.hidden', r.counts.hidden)),
    (r.jobs || []).length > 0 && table([{ head: t('menurun.target'), cell: j => j.target }, { head: t('menurun.state'), cell: j => [word('menurun.job.', j.state), j.message && h('small', {}, j.message)] }], r.jobs, 'jobs'),
    (r.changes || []).length > 0 && h('div', { class: 'chips run-chips', role: 'group', 'aria-label': t('menurun.changes') }, CHANGES.map(c => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(c === only), onclick: () => { only = c; drawn = ''; all.run(); } }, c ? word('menurun.change.', c) : t('orders.all')))),
    h('ul', { class: 'changes' }, changes.slice(0, MOST).map(change)),
    changes.length > MOST && h('p', { class: 'soft' }, t('menurun.more', number(changes.length - MOST))));
}

const all = follow(['menu'], async () => {
  if (!place) return;
  const asked = chosen;
  const v = await get(asked ? '/v1/menu/sync/' + encodeURIComponent(asked) : '/v1/menu/sync?limit=50');
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
