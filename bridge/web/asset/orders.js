// Orders: a live table, and beside it one order with an address of its own.

import { $, clock, day, get, h, money, n, number, site, swap, t, word } from './base.js';
import { chip, inPos, lamp } from './lamps.js';
import { order } from './order.js';
import { alert } from './orderalert.js';
import { download, follow, say, sayFault } from './shell.js';

const PAGE = 60; // orders a request
const MOST = 600; // rows kept in the page; older ones are reached by filtering

// What can be asked for: states of an order, and what waits for a person.
const TASKS = { not_in_pos: 'in_pos=no', to_void: 'void_pending=true' };
const states = ['', 'accepted', 'scheduled', 'prepared', 'handed_off', 'cancelled', 'waiting_accept', ...Object.keys(TASKS)];
const seldom = new Set(['waiting_accept', ...Object.keys(TASKS)]); // offered only while it is chosen
let state = new URLSearchParams(location.search).get('state') || '';
if (!states.includes(state)) state = '';
let orders = [], next = '', waiting = [], loadedOnce = false, filter = '', extra = 0;
const rows = new Map(); // id -> {sign, row}

const from = o => [o.partner?.name, o.partner?.order_id].filter(Boolean).join(' ') || (o.table ? t('orders.table', o.table) : o.customer?.name || o.source || '');
const items = o => (o.lines || []).reduce((sum, l) => sum + l.quantity, 0);
const text = o => [o.number, from(o), o.table, o.customer?.name, o.staff, o.source, o.source_order_id, word('order.state.', o.state), ...(o.lines || []).map(l => l.name), ...(o.tickets || []).map(k => k.station)].join(' ').toLowerCase();

function row(o) {
  const sign = JSON.stringify([o.state, o.in_pos, o.void_pending, o.version, o.tickets, o.id === selected()]);
  const known = rows.get(o.id);
  if (known?.sign === sign) return known.row;
  const at = Date.parse(o.received_at);
  const label = key => ({ label: t(key) });
  const r = h('tr', { data: { id: o.id }, class: o.id === selected() && 'selected' },
    h('td', { class: 'num strong', data: label('orders.number') }, h('a', { href: '/orders/' + encodeURIComponent(o.id) }, String(o.number))),
    h('td', { class: 'time', data: label('orders.time'), title: day(at) }, clock(at)),
    h('td', { class: 'from', data: label('orders.from') }, h('span', {}, o.table ? t('orders.table', o.table) : o.partner?.name || o.customer?.name || o.source), o.partner?.order_id && h('small', {}, o.partner.order_id)),
    h('td', { data: label('orders.service') }, word('service.', o.service)),
    h('td', { class: 'num', data: label('orders.items') }, number(items(o))),
    h('td', { class: 'num', data: label('orders.total') }, money(o.total, o.currency || site.currency)),
    h('td', { data: label('orders.state') }, chip(o.state), o.void_pending && h('span', { class: 'flag' }, t('orders.void_pending'))),
    h('td', { data: label('orders.in_pos') }, inPos(o.in_pos)),
    h('td', { class: 'lamps', data: label('orders.kitchen') }, (o.tickets || []).map(lamp)));
  rows.set(o.id, { sign, row: r });
  return r;
}

const selected = () => decodeURIComponent(/^\/orders\/(.+)$/.exec(location.pathname)?.[1] || '');

function draw() {
  const body = $('rows');
  const shown = filter ? orders.filter(o => text(o).includes(filter)) : orders;
  const wanted = shown.map(row);
  // Only what differs is moved, so that a hover or a focus stays where it is.
  for (const e of [...body.children]) if (!wanted.includes(e)) e.remove();
  wanted.forEach((e, i) => { if (body.children[i] !== e) body.insertBefore(e, body.children[i] || null); });
  $('skeleton').hidden = loadedOnce;
  $('list').setAttribute('aria-busy', String(!loadedOnce));
  $('older').hidden = !next || orders.length >= MOST;
  $('more-new').hidden = waiting.length === 0;
  if (waiting.length) swap($('more-new'), n('orders.new', waiting.length));
  const nothing = loadedOnce && shown.length === 0;
  $('list').classList.toggle('bare', nothing);
  if (!nothing) $('say').hidden = true;
  else if (filter || state) say($('say'), t('orders.none_found'), t('orders.none_found_remedy'), () => { $('find').value = filter = ''; choose(''); });
  else say($('say'), t('orders.empty'), t('orders.empty_remedy'));
}

let inside = false; // the pointer is over the rows: nothing may jump under it
$('rows').addEventListener('pointerenter', e => { inside = e.pointerType === 'mouse'; });
$('rows').addEventListener('pointerleave', () => { inside = false; });
$('more-new').addEventListener('click', () => { orders = [...waiting, ...orders]; waiting = []; draw(); });

function query(cursor) {
  const q = new URLSearchParams({ limit: PAGE });
  if (state && !TASKS[state]) q.set('state', state);
  if (cursor) q.set('cursor', cursor);
  return '/v1/orders?' + q + (TASKS[state] ? '&' + TASKS[state] : '');
}

const list = follow(['order', 'ticket', 'job'], async () => {
  const asked = state;
  const answer = await get(query());
  if (asked !== state) return;
  const fresh = answer.orders || [];
  const known = new Set(orders.map(o => o.id));
  const byId = new Map(fresh.map(o => [o.id, o]));
  const added = fresh.filter(o => !known.has(o.id));
  if (loadedOnce && inside && added.length && orders.length) {
    waiting = added;
    orders = orders.map(o => byId.get(o.id) || o);
  } else {
    const old = orders.filter(o => !byId.has(o.id));
    const last = fresh.at(-1);
    // What lies before the oldest fetched row stays as it is; what lies among them and was not fetched is gone.
    const before = last ? old.filter(o => o.received_at < last.received_at) : [];
    orders = [...fresh, ...before].slice(0, MOST);
    waiting = [];
  }
  if (!extra) next = answer.next || '';
  loadedOnce = true;
  draw();
});
list.fault = fault => {
  if (loadedOnce && fault.status !== 403) return;
  loadedOnce = true;
  draw();
  sayFault($('say'), fault, () => { loadedOnce = false; list.run(); });
};

$('older').addEventListener('click', async e => {
  e.target.disabled = true;
  try {
    const answer = await get(query(next));
    const known = new Set(orders.map(o => o.id));
    orders = [...orders, ...(answer.orders || []).filter(o => !known.has(o.id))];
    next = answer.next || '';
    extra++;
    draw();
  } catch (fault) {
    list.fault(fault);
  }
  e.target.disabled = false;
});

// ---- filters

function choose(value) {
  state = value;
  orders = [];
  rows.clear();
  next = '';
  extra = 0;
  loadedOnce = false;
  $('say').hidden = true;
  drawStates();
  draw();
  list.run();
}

function drawStates() {
  swap($('states'), states.filter(s => s === state || !seldom.has(s)).map(s => h('button', { class: 'pill', 'aria-pressed': String(s === state), onclick: () => choose(s) }, s ? word('order.state.', s) : t('orders.all'))));
}
$('find').addEventListener('input', e => { filter = e.target.value.trim().toLowerCase(); draw(); });

$('csv').addEventListener('click', () => {
  const shown = filter ? orders.filter(o => text(o).includes(filter)) : orders;
  download(`orders-${new Date().toISOString().slice(0, 10)}.csv`, [
    ['number', 'business_day', 'received_at', 'source', 'source_order_id', 'partner', 'partner_order_id', 'table', 'service', 'items', 'total', 'currency', 'state', 'in_pos', 'tickets'],
    ...shown.map(o => [o.number, o.business_day, o.received_at, o.source, o.source_order_id, o.partner?.name, o.partner?.order_id, o.table, o.service, items(o), o.total, o.currency, o.state, o.in_pos,
      (o.tickets || []).map(k => `${k.station} ${k.state}`).join(' · ')]),
  ]);
});

// ---- one order beside the list; its address is kept, back and forward work

function show(id, push) {
  if (push) history.pushState(null, '', id ? '/orders/' + encodeURIComponent(id) : '/orders');
  $('split').classList.toggle('open', !!id);
  for (const r of $('rows').children) r.classList.toggle('selected', r.dataset.id === id);
  order(id, () => { show('', true); ($('rows').querySelector('a') || $('main')).focus({ preventScroll: true }); });
}

$('rows').addEventListener('click', e => {
  const r = e.target.closest('tr');
  if (!r || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  show(r.dataset.id, true);
});
addEventListener('popstate', () => show(selected()));
addEventListener('keydown', e => {
  if (e.key === 'Escape' && selected() && !document.querySelector('dialog')) show('', true);
  else if (e.key === '/' && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) { e.preventDefault(); $('find').focus(); }
});

drawStates();
alert(choose);
if (selected()) show(selected());
