// kitchen-items.js: ticking dishes by key. The Items key numbers the lines of the selected ticket: a digit ticks the line that
// bears it, Bump the one under the cursor, up and down move the cursor, left and right the ticket. Items or Undo leaves, and so
// does a hand that strikes nothing for a while. Once all is ticked, Bump bumps again.

import { tick } from './kitchen-acts.js';
import { render, whenDrawn } from './kitchen-slots.js';
import { allTicked, board, here, tickets } from './kitchen-tickets.js';

const IDLE = 10e3; // ms without a key after which digits mean tickets again

let id = null, cursor = 0, from = 0, last = 0; // the ticket, the line's place in it, the first that bears a digit, the last key

const linesOf = k => (k?.lines || []).filter(l => l.change !== 'removed');
const canTick = k => k?.state === 'new' || k?.state === 'cooking';

function enter(k) {
  id = k.id;
  from = 0;
  cursor = Math.max(0, linesOf(k).findIndex(l => !l.ticked));
}

export const items = {
  get isOpen() { return id !== null && id === here.selected && canTick(tickets.get(id)); },

  // show numbers the lines of a ticket; false when it has none to tick.
  show(of) {
    const k = tickets.get(of);
    if (!canTick(k) || !linesOf(k).length) return false;
    last = Date.now();
    enter(k);
    render();
    return true;
  },
  hide() { if (id === null) return; id = null; render(); },
  expire() { if (id !== null && (!this.isOpen || Date.now() - last > IDLE)) this.hide(); },

  // strike does what a key is for while lines bear digits; false when it is for nothing here.
  strike(name, place) {
    last = Date.now();
    const k = tickets.get(id), lines = linesOf(k);
    if (place >= 0) this.tick(lines[from + place]);
    else if (name === 'bump') this.tick(lines[cursor]);
    else if (name === 'up' || name === 'down') cursor = Math.min(lines.length - 1, Math.max(0, cursor + (name === 'down' ? 1 : -1)));
    else if (name === 'page') { cursor = from + 10 < lines.length ? from + 10 : 0; }
    else if (name === 'items' || name === 'undo') { this.hide(); return true; }
    else return false;
    from = cursor - cursor % 10;
    render();
    return true;
  },
  tick(line) {
    if (!line) return;
    tick(id, line.n);
    const k = tickets.get(id), lines = linesOf(k);
    if (allTicked(k)) { id = null; return; } // the next blow bumps
    const at = lines.findIndex(l => l.n === line.n), next = i => lines.findIndex((l, x) => x >= i && !l.ticked);
    if (lines[at].ticked) cursor = next(at) >= 0 ? next(at) : next(0);
    else cursor = at;
  },
};

// Slots draw themselves anew one by one: what bears a digit is marked after each drawing.
whenDrawn(() => {
  for (const e of document.querySelectorAll('.k-line[data-pick], .k-line.at')) {
    delete e.dataset.pick;
    e.classList.remove('at');
  }
  if (!items.isOpen) return;
  const lines = linesOf(tickets.get(id));
  const cards = board.visible().filter(i => board.at(i)?.id === id).map(i => document.querySelector(`.k-slot[data-slot="${i % board.size}"]`));
  lines.forEach((line, x) => {
    if (x < from || x >= from + 10) return;
    for (const card of cards) {
      const e = card?.querySelector(`.k-line[data-n="${line.n}"]`);
      if (!e) continue;
      e.dataset.pick = (x - from + 1) % 10;
      if (x === cursor) {
        e.classList.add('at');
        e.scrollIntoView({ block: 'nearest' });
      }
    }
  });
});
