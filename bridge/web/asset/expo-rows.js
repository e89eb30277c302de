// expo-rows.js: the orders at the pass, each with a key of its own that it keeps until it has left, and how a row looks.

import { $, clock, h, icon, n, swap, t, word, write } from './base.js';
import { clockOf, marks, nameOf } from './kitchen-tickets.js';
import { press } from './press.js';

export const UNDO = 8e3; // ms a row that was handed over stays, to be taken back

export const rows = new Map(); // by id, as the box last told
export const gone = new Map(); // id -> {row, at, until}: handed over here a moment ago
export const board = { width: 0 };
export const here = { stream: null, sound: null, outbox: null, loaded: false, selected: null, act: null };

const keys = new Map(); // digit -> id; a key stays with its order, so that no blow meets another one
const elements = new Map(); // id -> element
let movedAt = -1e9; // when rows last changed places under a hand
let lateBefore = null;

// steady tells whether the rows have stood still long enough for a finger to mean the one it meets.
export const steady = () => performance.now() - movedAt > 350;

export const open = row => row.lamps.filter(l => l.screen && (l.state === 'held' || l.state === 'new' || l.state === 'cooking'));

// whole tells whether nobody is at work on the order any more, as far as anybody could say so.
export const whole = row => row.state === 'prepared' || (row.state === 'accepted' && open(row).length === 0 && row.lamps.some(l => l.screen));

export const digitOf = id => [...keys].find(([, other]) => other === id)?.[0];
export const byDigit = digit => keys.get(digit);

export function remove(id) {
  rows.delete(id);
  if (here.selected === id) here.selected = null;
}

const shown = () => [...rows.values()].filter(row => !here.outbox.of(row.id) || here.outbox.of(row.id).verb.startsWith('ready'));

// order is late first, then by age; a row that was just handed over keeps its place.
function order(list) {
  const now = here.stream.now();
  const rank = row => row.state === 'cancelled' ? 0 : 3 - clockOf(row, now).grade;
  return list.sort((a, b) => rank(a) - rank(b) || Date.parse(a.at) - Date.parse(b.at) || a.number - b.number);
}

function giveKeys(list) {
  const here = new Set(list.map(row => row.id));
  for (const [digit, id] of keys) if (!here.has(id)) keys.delete(digit);
  const has = new Set(keys.values());
  for (const row of list) {
    if (has.has(row.id)) continue;
    for (let d = 1; d <= 10; d++) if (!keys.has(d % 10)) { keys.set(d % 10, row.id); break; }
  }
}

export function render() {
  if (!here.loaded) return;
  for (const [id, g] of gone) if (g.until <= Date.now() && !here.outbox.of(id)) gone.delete(id);
  const list = shown();
  for (const [id, g] of gone) if (!list.some(row => row.id === id)) list.push(g.row); else gone.delete(id);
  // Keys go to the oldest first, rows stand with the latest first.
  giveKeys([...list].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)));
  order(list);
  const place = $('rows'), top = place.scrollTop;
  const wanted = list.map(row => {
    const g = gone.get(row.id), pending = here.outbox.of(row.id);
    const sign = JSON.stringify([g ? [!!pending && (pending.failed || !here.stream.isLive)] : row, digitOf(row.id), pending?.verb]);
    let e = elements.get(row.id);
    if (!e || e.sign !== sign) {
      const old = e;
      e = g ? drawGone(g, pending) : drawRow(row, pending);
      e.sign = sign;
      if (!old && here.drawn) e.classList.add('enter');
      elements.set(row.id, e);
      old?.replaceWith(e);
    }
    e.classList.toggle('selected', row.id === here.selected);
    return e;
  });
  for (const [id, e] of elements) if (!list.some(row => row.id === id)) { e.remove(); elements.delete(id); }
  wanted.forEach((e, i) => {
    if (place.children[i] === e) return;
    if (i < place.children.length && here.drawn) movedAt = performance.now();
    place.insertBefore(e, place.children[i] || null);
  });
  place.scrollTop = top;
  place.setAttribute('aria-busy', 'false');
  here.drawn = true;
  $('empty').hidden = list.length > 0;
  const waiting = list.filter(row => !gone.has(row.id) && row.state !== 'cancelled');
  write($('open'), n('kitchen.open', waiting.length));
  const complete = waiting.filter(whole).length;
  write($('whole'), complete ? n('expo.whole', complete) : '');
  $('page').hidden = place.scrollHeight <= place.clientHeight + 1;
  tick();
}

// tick moves the figures, each second.
export function tick() {
  const now = here.stream.now();
  write($('clock'), clock(now));
  write($('empty-clock'), clock(now));
  const late = new Set();
  let moved = false;
  for (const row of shown()) {
    const c = clockOf(row, now), e = elements.get(row.id);
    if (c.grade === 2) late.add(row.id);
    if (!e || gone.has(row.id)) continue;
    write(e.querySelector('.x-age b'), c.text + marks[c.grade]);
    if (e.dataset.grade !== String(c.grade)) { moved ||= e.dataset.grade !== undefined; e.dataset.grade = c.grade; }
  }
  if (lateBefore && [...late].some(id => !lateBefore.has(id))) here.sound.play('late');
  lateBefore = here.loaded ? late : null;
  $('late').hidden = late.size === 0;
  write($('late'), n('kitchen.late', late.size));
  if (moved || [...gone.values()].some(g => g.until <= Date.now())) queueMicrotask(render);
}

const WORD = { held: 'held', new: 'queued', cooking: 'cooking', ready: 'ready', served: 'served', cancelled: 'cancelled' };

function lamp(l) {
  const state = !l.screen && l.state === 'new' ? t('expo.on_paper') : t('expo.lamp.' + WORD[l.state]);
  return h('span', { class: 'x-lamp' + (l.unseen ? ' unseen' : ''), data: { station: l.station, state: l.state } },
    h('i', { 'aria-hidden': 'true' }), h('span', {}, l.station), h('b', {}, String(l.items)),
    h('small', {}, l.unseen && l.state !== 'cancelled' ? t('expo.unseen') : state));
}

function beside(row) {
  const parts = [];
  if (row.table) parts.push('#' + row.number);
  if (row.partner?.order_id) parts.push(row.partner.order_id);
  if (row.covers) parts.push(n('kitchen.covers', row.covers));
  if (row.staff) parts.push(row.staff);
  if (row.customer) parts.push(row.customer);
  if (!row.table && !row.partner?.name && row.service) parts.unshift(word('service.', row.service));
  return parts.join(' · ');
}

function drawRow(row, pending) {
  const done = whole(row);
  const hand = h('button', { class: 'x-act hand' + (done ? ' whole' : ' held'), data: { id: row.id } }, t('expo.hand_over'), !done && h('small', {}, t('expo.hold')));
  const ready = row.state === 'accepted' && !done && h('button', { class: 'x-act ready held', data: { id: row.id } }, t('expo.ready'), h('small', {}, t('expo.hold')));
  if (done) hand.addEventListener('click', () => here.act(row.id, 'handed-over', true));
  else here.hold(row.id, press(hand, { long: () => here.act(row.id, 'handed-over', false), short: () => here.early(row.id) }));
  if (ready) press(ready, { long: () => here.act(row.id, 'ready', false), short: () => here.early(row.id) });
  return h('section', { class: `x-row ${row.state}`, data: { id: row.id } },
    h('span', { class: 'x-key' }, digitOf(row.id) === undefined ? '' : String(digitOf(row.id))),
    h('div', { class: 'x-who' },
      h('span', { class: 'k-name' }, nameOf(row), row.partner?.name && h('span', { class: 'k-partner' }, row.partner.name), pending && h('span', { class: 'k-pending', title: t('kitchen.pending') }, ' ', icon('clock'))),
      h('span', { class: 'k-sub' }, beside(row))),
    h('div', { class: 'x-age' }, h('b', {}), row.due && h('small', {}, t(row.service === 'delivery' ? 'expo.courier' : 'kitchen.due', clock(Date.parse(row.due))))),
    h('div', { class: 'x-what' },
      row.state === 'cancelled' && h('div', { class: 'k-flag cancelled' }, t('kitchen.cancelled')),
      h('div', { class: 'x-lamps' }, row.lamps.map(lamp)),
      row.allergy?.length > 0 && h('div', { class: 'k-allergy' }, h('strong', {}, t('kitchen.allergy')), ' ', row.allergy.join(' · ')),
      row.notes && h('div', { class: 'k-note' }, row.notes)),
    h('div', { class: 'x-acts' }, row.state !== 'cancelled' && [ready, hand]));
}

function drawGone(g, pending) {
  const waits = pending && (pending.failed || !here.stream.isLive);
  return h('section', { class: 'x-row gone', data: { id: g.row.id } },
    h('span', { class: 'x-key' }, digitOf(g.row.id) === undefined ? '' : String(digitOf(g.row.id))),
    h('p', {}, waits && icon('clock'), h('b', {}, nameOf(g.row), ' ', g.row.partner?.name), ' ', waits ? t('kitchen.waits', clock(g.at)) : t('expo.gone')),
    h('div', { class: 'x-acts' }, h('button', { class: 'x-act undo', onclick: () => here.undo(g.row.id) }, t('kitchen.undo'))));
}
