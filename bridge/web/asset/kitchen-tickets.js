// kitchen-tickets.js: the tickets this screen knows, and what one is to it: shown or not, how old, how named.

import { age, n, word } from './base.js';
import { Board } from './board.js';

export const tickets = new Map(); // by id, as the box last told
export const versions = new Map(); // highest version seen, so that a late old event changes nothing
export const board = new Board();

// here is what the modules of this page share besides the tickets. outbox and stream are set by those who own them.
export const here = {
  screen: document.body.dataset.screen,
  stations: (document.body.dataset.stations || '').split(' · ').filter(Boolean),
  selected: null, // id of the ticket that keys act on
  loaded: false, // a snapshot has come
  outbox: null,
  stream: null,
};

// standsIn tells whether this screen shows the ticket for another station's, which is silent.
export const standsIn = k => !!k.station && here.stations.length > 0 && !here.stations.includes(k.station);

export const shows = k => k.state === 'new' || k.state === 'cooking' || (k.state === 'cancelled' && k.changed_unseen);

// hidden: somebody here already sent it away and the box has not answered yet.
export function hidden(k) {
  const act = here.outbox.of(k.id);
  return act?.verb === 'bump' || (act?.verb === 'seen' && k.state === 'cancelled');
}

export function open() {
  return [...tickets.values()].filter(k => shows(k) && !hidden(k)).sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.number - b.number);
}

// clockOf gives the figure in a ticket's head and its grade: 0 calm, 1 warn, 2 late.
export function clockOf(k, now) {
  const warn = (k.warn_after || 600) * 1e3, late = (k.late_after || 900) * 1e3;
  if (k.state === 'cancelled') return { text: '', grade: 0 };
  if (k.due && k.service !== 'dine_in') { // towards the courier or the guest who comes for it
    const left = Date.parse(k.due) - now;
    return { text: left < 0 ? '+' + age(-left) : age(left), grade: left < 0 ? 2 : left < Math.max(60e3, late - warn) ? 1 : 0, left: true };
  }
  const since = now - Date.parse(k.at);
  return { text: age(since), grade: since >= late ? 2 : since >= warn ? 1 : 0 };
}

export const marks = ['', ' !', ' !!'];

export function nameOf(k) {
  if (k.table) return /^\d/.test(k.table) ? 'T' + k.table : k.table;
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
