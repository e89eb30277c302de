// Tables: the floor as it stands, the open checks and the closed ones; beside them one check with an address of its own.

import { $, age, get, h, money, n, number, swap, t, when } from './base.js';
import { check } from './check.js';
import { inside } from './inside.js';
import { rows } from './rows.js';
import { follow, sayFault, say } from './shell.js';
import { placed } from './tillbuttons.js';

const views = ['floor', 'open', 'closed'];
let view = views.includes(new URLSearchParams(location.search).get('view')) ? new URLSearchParams(location.search).get('view') : 'floor';
let loaded = false, noTables = false, drawn = '', manage = false;

const selected = () => decodeURIComponent(/^\/tables\/(.+)$/.exec(location.pathname)?.[1] || '');
const href = c => '/tables/' + encodeURIComponent(c.id) + (view === 'floor' ? '' : '?view=' + view);

// ---- the floor

const stateOf = list => !list.length ? 'free' : list.every(c => c.billed_at) ? 'billed' : 'seated';

function tile(table) {
  const state = stateOf(table.checks);
  return h('article', { class: 'tile place-tile', data: { state, name: table.name } },
    h('header', {}, h('h3', {}, table.name), h('span', { class: 'state' }, t('tables.' + state))),
    table.checks.map(c => h('a', { class: 'check-line' + (c.id === selected() ? ' selected' : ''), href: href(c), data: { id: c.id } },
      h('b', {}, t('check.number', c.number)), h('span', {}, [c.covers && n('kitchen.covers', c.covers), c.guest].filter(Boolean).join(' · ')),
      h('span', { class: 'num' }, money(c.balance)), h('small', { data: { since: c.opened_at } }, age(Date.now() - Date.parse(c.opened_at))))));
}

function floor(tables) {
  const areas = Map.groupBy(tables, x => x.area || '');
  const busy = tables.filter(x => x.checks.length).length;
  return [h('p', { class: 'notice' }, t('tables.busy', number(busy), number(tables.length))),
    [...areas].map(([area, list]) => h('section', { class: 'block' }, area && h('h2', {}, area), h('div', { class: 'tiles places' }, list.map(tile))))];
}

// ---- lists of checks

const listOf = (name, empty) => rows({
  name, label: t('tables.' + name), id: c => c.id, href, open: c => go(href(c)), empty: [t(empty), t(empty + '_remedy')],
  sign: c => [c.version, c.state],
  columns: [
    { head: t('check.no'), num: true, text: c => String(c.number), value: c => c.number },
    { head: t('check.tables'), text: c => (c.tables || []).join(', ') },
    { head: t('check.covers'), num: true, text: c => c.covers ? number(c.covers) : '', value: c => c.covers || 0 },
    { head: t('check.staff'), text: c => c.staff || '' },
    { head: t('check.opened'), text: c => when(c.opened_at), value: c => c.opened_at },
    name === 'closed' ? { head: t('check.closed'), text: c => when(c.closed_at), value: c => c.closed_at || '' } : { head: t('check.bill'), text: c => c.billed_at ? when(c.billed_at) : '', value: c => c.billed_at || '' },
    { head: t('orders.total'), num: true, text: c => money(c.total), value: c => c.total },
    { head: t('check.balance'), num: true, text: c => money(c.balance), value: c => c.balance, cell: c => c.balance ? h('b', {}, money(c.balance)) : money(0) },
  ],
});
const lists = { open: listOf('open', 'tables.none_open'), closed: listOf('closed', 'tables.none_closed') };

function drawViews() {
  swap($('views'), views.map(v => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(v === view), onclick: () => { view = v; drawn = ''; go('/tables' + (v === 'floor' ? '' : '?view=' + v)); list.run(); } }, t('tables.' + v))),
    manage && h('a', { class: 'button', id: 'to-bookings', href: '/integration/bookings' }, t('tables.manage')));
}

// The button for the reservations stands here where a platform's settings place it.
follow(['setting', 'integration'], async () => {
  manage = (await placed('manage_reservations', 'tables')).length > 0;
  drawViews();
});

const list = follow(['check', 'setting'], async () => {
  const asked = view;
  const answer = asked === 'floor' ? (await get('/v1/tables')).tables || [] : (await get('/v1/checks?state=' + asked)).checks || [];
  if (asked !== view) return;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  loaded = true;
  noTables = asked === 'floor' && !answer.length;
  if (noTables) { body.className = 'sheet say'; say(body, t('tables.empty'), t('tables.empty_remedy')); drawViews(); return; }
  body.className = '';
  if (asked === 'floor') {
    const sign = JSON.stringify([answer, selected()]);
    if (sign !== drawn) {
      const focused = body.contains(document.activeElement) ? document.activeElement.dataset.id : '';
      swap(body, floor(answer));
      if (focused) body.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
    drawn = sign;
  } else {
    const shown = lists[asked];
    shown.set(answer);
    shown.mark(selected());
    if (!shown.place.isConnected) swap(body, h('div', { class: 'list-tools' }, shown.tools), shown.place);
  }
  drawViews();
});
list.fault = fault => {
  if (loaded && fault.status !== 403) return;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  body.className = 'sheet say';
  sayFault(body, fault, () => list.run());
};

setInterval(() => { // how long a party has been there
  for (const e of document.querySelectorAll('[data-since]')) e.textContent = age(Date.now() - Date.parse(e.dataset.since));
}, 1000);

// ---- one check

function route() {
  const id = selected();
  const wanted = new URLSearchParams(location.search).get('view');
  if (views.includes(wanted || 'floor') && (wanted || 'floor') !== view) { view = wanted || 'floor'; drawn = ''; list.run(); }
  $('split').classList.toggle('open', !!id);
  for (const e of document.querySelectorAll('.check-line')) e.classList.toggle('selected', e.dataset.id === id);
  for (const l of Object.values(lists)) l.mark(id);
  check(id, () => go('/tables' + (view === 'floor' ? '' : '?view=' + view)));
}

const go = inside('main a[href^="/tables"]', route);
addEventListener('keydown', e => { if (e.key === 'Escape' && selected() && !document.querySelector('dialog')) go('/tables' + (view === 'floor' ? '' : '?view=' + view)); });

drawViews();
if (selected()) route();
