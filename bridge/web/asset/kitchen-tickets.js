// kitchen-tickets.js: the tickets this screen knows, and what one is to it: shown or not, how old, how named.

import { age, n, word } from './base.js';
import { Board } from './board.js';

// Tickets is a map by id that counts its changes, so that what is derived from it is derived once.
class Tickets extends Map {
  stamp = 0;
  set(id, k) { this.stamp++; return super.set(id, k); }
  delete(id) { this.stamp++; return super.delete(id); }
  clear() { this.stamp++; super.clear(); }
}

export const tickets = new Tickets(); // as the box last told
export const versions = new Map(); // highest version seen, so that a late old event changes nothing
export const board = new Board();

// here is what the modules of this page share besides the tickets. outbox, stream and service are set by those who own them.
export const here = {
  screen: document.body.dataset.screen,
  stations: (document.body.dataset.stations || '').split(' · ').filter(Boolean),
  selected: null, // id of the ticket that keys act on
  loaded: false, // a snapshot has come
  soldOut: new Map(), // by SKU
  closed: [], // {station, to}: stations whose work another one does
  outbox: null,
  stream: null,
  service: null, // kitchen-service.js
};

// standsIn tells whether this screen shows the ticket for another station's, which is silent.
export const standsIn = k => !!k.station && here.stations.length > 0 && !here.stations.includes(k.station);

export const shows = k => k.state === 'new' || k.state === 'cooking' || (k.state === 'cancelled' && k.changed_unseen);

const SOON = 10 * 60e3; // ms before its time from which a ticket that fires by itself takes a slot

const family = k => `${k.order} ${k.station}`;

let held = { stamp: -1, of: new Map() }; // held tickets by order and station, the next course first

function heldOf(k) {
  if (held.stamp !== tickets.stamp) {
    held = { stamp: tickets.stamp, of: new Map() };
    for (const o of tickets.values()) {
      if (o.state !== 'held' || !o.held) continue;
      const key = family(o), list = held.of.get(key);
      if (list) list.push(o);
      else held.of.set(key, [o]);
    }
    for (const list of held.of.values()) list.sort((a, b) => (a.course || 0) - (b.course || 0));
  }
  return held.of.size ? held.of.get(family(k)) || [] : [];
}

// heldBeside gives what the same station cooks later of a ticket's order, the next course first.
export const heldBeside = k => k.state === 'held' ? [] : heldOf(k);

// waits tells whether a held ticket stands on the board by itself: nothing else of its order does here, and it is the
// next. What is fired at a time that is far away is only counted.
function waits(k, busy) {
  if (k.state !== 'held' || !k.held) return false;
  if (k.fire_at && Date.parse(k.fire_at) - here.stream.now() > SOON) return false;
  return !busy.has(family(k)) && heldOf(k)[0] === k;
}

// hidden: somebody here already sent it away and the box has not answered yet.
export function hidden(k) {
  const act = here.outbox.of(k.id);
  return act?.verb === 'bump' || (act?.verb === 'seen' && k.state === 'cancelled');
}

let rounds = { stamp: -1, of: new Map() }; // what is cooked now, by table

// sameTable gives the ids of other orders of a ticket's table, three at most: a second round keeps its own card and age, and
// each says where the other is.
export function sameTable(k) {
  if (!k.table || !shows(k)) return [];
  if (rounds.stamp !== tickets.stamp) {
    rounds = { stamp: tickets.stamp, of: new Map() };
    for (const o of tickets.values()) {
      if (!o.table || (o.state !== 'new' && o.state !== 'cooking')) continue;
      const list = rounds.of.get(o.table);
      if (list) list.push(o);
      else rounds.of.set(o.table, [o]);
    }
  }
  const list = rounds.of.get(k.table);
  return list?.length > 1 ? list.filter(o => o.order !== k.order && !hidden(o)).slice(0, 3).map(o => o.id) : [];
}

// placesOf gives where tickets stand on the board; -1 for one that waits for a slot.
export const placesOf = ids => ids.map(id => board.first(id)).sort((a, b) => a - b);

// open gives what stands on the board: what somebody put first, then the oldest before the others.
export function open() {
  const shown = [], held = [];
  for (const k of tickets.values()) {
    if (k.state === 'held') held.push(k);
    else if (shows(k) && !hidden(k)) shown.push(k);
  }
  if (held.length) {
    const busy = new Set(shown.map(family));
    for (const k of held) if (waits(k, busy)) shown.push(k);
  }
  return shown.sort((a, b) => !!b.priority - !!a.priority || Date.parse(a.at) - Date.parse(b.at) || a.number - b.number);
}

// tidy puts a ticket's lines in the order to be read: what was ordered later stands behind the rest, under its time.
export function tidy(k) {
  if (k.lines?.some(l => l.at)) k.lines = [...k.lines].sort((a, b) => (Date.parse(a.at) || 0) - (Date.parse(b.at) || 0));
  return k;
}

// blind: the ticket speaks of an allergy that nobody here has seen yet.
export const blind = k => !k.allergy_seen && k.state !== 'cancelled' && !!allergy(k);

export const allTicked = k => k.lines?.length > 0 && k.lines.every(l => l.ticked || l.change === 'removed');

// clockOf gives the figure in a ticket's head and its grade: 0 calm, 1 warn, 2 late.
export function clockOf(k, now) {
  const warn = (k.warn_after || 600) * 1e3, late = (k.late_after || 900) * 1e3;
  if (k.state === 'cancelled' || k.state === 'held') return { text: '', grade: 0 };
  if (k.due && k.service !== 'dine_in') { // towards the courier or the guest who comes for it
    const left = Date.parse(k.due) - now;
    return { text: left < 0 ? '+' + age(-left) : age(left), grade: left < 0 ? 2 : left < Math.max(60e3, late - warn) ? 1 : 0, left: true };
  }
  const since = now - Date.parse(k.at);
  return { text: age(since), grade: since >= late ? 2 : since >= warn ? 1 : 0 };
}

export const marks = ['', ' !', ' !!'];

const tableOf = table => /^\d/.test(table) ? 'T' + table : table;

export function nameOf(k) {
  if (k.table) return (k.was_table ? tableOf(k.was_table) + ' → ' : '') + tableOf(k.table);
  return '#' + k.number;
}

export function besides(k) {
  const parts = [];
  if (here.stations.length > 1 && k.station) parts.push(k.station);
  if (k.table) parts.push('#' + k.number);
  if (k.partner?.order_id) parts.push(k.partner.order_id);
  if (k.covers) parts.push(n('kitchen.covers', k.covers));
  if (k.staff) parts.push(k.staff);
  if (k.customer) parts.push(k.customer);
  if (!k.table && !k.partner?.name && k.service) parts.unshift(word('service.', k.service));
  return parts.join(' · ');
}

export function allergy(k) {
  const all = new Set();
  if (k.allergy_note) all.add(k.allergy_note);
  for (const line of k.lines || []) if (line.change !== 'removed') for (const a of line.allergens || []) if (!(k.allergy_note || '').toLowerCase().includes(a.toLowerCase())) all.add(a);
  return [...all].join(' · ');
}
