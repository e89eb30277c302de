// kitchen-later.js: what comes later, by quarter of an hour: orders that are not released yet, and what waits for its time.

import { $, clock, get, t, write } from './base.js';
import { sheet } from './kitchen-sheet.js';
import { board, heldBeside, here, nameOf, tickets } from './kitchen-tickets.js';

const QUARTER = 15 * 60e3;
const GATHER = 400; // ms in which several reasons to ask become one question

let quarters = []; // as the box last told
let timer;

// waiting gives the held tickets that stand nowhere on the board, by the quarter in which they are due.
function waiting() {
  const beside = new Set();
  for (const s of board.slots) {
    const k = tickets.get(s?.id);
    if (k) { beside.add(k.id); heldBeside(k).forEach(o => beside.add(o.id)); }
  }
  return [...tickets.values()].filter(k => k.state === 'held' && !beside.has(k.id));
}

// lanes joins both: begin of a quarter, 0 for no time, -> what is due in it.
function lanes() {
  const all = new Map();
  const put = (at, what) => all.set(at, [...(all.get(at) || []), what]);
  for (const q of quarters) for (const o of q.orders) put(Date.parse(q.at), { name: nameOf(o), partner: o.partner?.name, due: Date.parse(o.due), lines: o.lines });
  for (const k of waiting()) {
    const due = Date.parse(k.due || k.fire_at) || 0;
    put(Math.floor(due / QUARTER) * QUARTER, { name: nameOf(k), partner: k.partner?.name, due, lines: k.lines || [] });
  }
  return [...all].sort((a, b) => a[0] - b[0]);
}

export const lane = {
  // ask reads the orders that are scheduled, soon.
  ask() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      try { quarters = (await get(`/v1/screens/${encodeURIComponent(here.screen)}/later`)).later || []; } catch { /* what was known stands */ }
      this.draw();
    }, GATHER);
  },
  // released: an order that stood here has come to the kitchen.
  released(k) { if (quarters.some(q => q.orders.some(o => o.number === k.number))) this.ask(); },
  draw() {
    const all = lanes();
    const words = all.slice(0, 4).map(([at, list]) => (at ? clock(at) + ' ' : '') + '×' + list.length);
    $('later').hidden = all.length === 0;
    write($('later'), all.length ? t('kitchen.later', words.join(', ') + (all.length > 4 ? ' …' : '')) : '');
  },
  show() {
    sheet.show(t('kitchen.later_title'), {
      rows: lanes().flatMap(([, list]) => list.map(o => ({
        text: `${o.due ? clock(o.due) + ' ' : ''}${o.name}${o.partner ? ' ' + o.partner : ''}`, more: o.lines.map(l => `${l.quantity} ${l.name}`).join(', '),
      }))),
    });
  },
};
$('later').addEventListener('click', () => lane.show());
