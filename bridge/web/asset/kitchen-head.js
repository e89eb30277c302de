// kitchen-head.js: what stands above and below the board: clock, counts, all-day, what comes later, printers.

import { $, age, clock, h, n, swap, t, word, write } from './base.js';
import { sound } from './kitchen-sounds.js';
import { board, clockOf, here, hidden, marks, open, shows, tickets } from './kitchen-tickets.js';

export const durations = []; // {at, ms} of tickets that left here
let lateBefore = new Set();

// tick moves the figures: each second, only text that differs.
export function tick(list = open()) {
  const now = here.stream.now();
  write($('clock'), clock(now));
  write($('empty-clock'), clock(now));
  let late = 0;
  const lateNow = new Set();
  for (const k of list) {
    const c = clockOf(k, now);
    if (c.grade === 2) { late++; lateNow.add(k.id); }
  }
  for (const e of document.querySelectorAll('#board .k-age')) {
    const k = tickets.get(e.dataset.id);
    if (!k) continue;
    const c = clockOf(k, now);
    write(e, c.text + marks[c.grade]);
    const card = e.closest('.k-card');
    if (card.dataset.grade !== String(c.grade)) card.dataset.grade = c.grade;
  }
  if (here.loaded && [...lateNow].some(id => !lateBefore.has(id)) && lateBefore.known) sound.play('late');
  lateBefore = lateNow;
  lateBefore.known = here.loaded;
  $('late').hidden = late === 0;
  write($('late'), n('kitchen.late', late));
}

export function counts(list) {
  write($('open'), n('kitchen.open', list.filter(shows).length));
  const all = new Map();
  for (const k of tickets.values()) {
    if (k.state === 'cancelled' || hidden(k)) continue;
    if (!shows(k) && k.state !== 'held') continue;
    for (const line of k.lines || []) {
      if (line.change === 'removed' || line.ticked) continue;
      const c = all.get(line.name) || { name: line.name, fired: 0, held: 0 };
      c[k.state === 'held' ? 'held' : 'fired'] += line.quantity;
      all.set(line.name, c);
    }
  }
  const top = [...all.values()].sort((a, b) => b.fired - a.fired || b.held - a.held || a.name.localeCompare(b.name)).slice(0, 12);
  swap($('allday'), top.length > 0 && h('span', { class: 'k-label' }, t('kitchen.allday')),
    top.map(c => h('span', { class: 'k-sum' }, h('b', {}, String(c.fired)), c.held > 0 && h('span', { class: 'k-held' }, `(+${c.held})`), ' ', c.name)));
  const hour = here.stream.now() - 3600e3;
  const taken = durations.filter(d => d.at > hour).map(d => d.ms).sort((a, b) => a - b);
  $('median').hidden = taken.length < 3;
  if (taken.length >= 3) write($('median'), t('kitchen.median', age(taken[Math.floor(taken.length / 2)])));
  const pages = board.pages();
  write($('page'), t('kitchen.page', board.page + 1, pages));
  $('page').disabled = pages < 2;
  $('page').classList.toggle('many', pages > 1);
}

// What is worst comes first: a small glass has room for little.
const bad = p => p.state !== 'ready' && p.state !== 'printing' ? (p.state === 'paused' ? 2 : 3) : p.paper === 'low' ? 1 : 0;

export function drawHealth(health) {
  const words = (health.printers || []).toSorted((a, b) => bad(b) - bad(a)).map(p => {
    const trouble = p.state !== 'ready' && p.state !== 'printing' ? word('printer.state.', p.state) : p.paper === 'low' ? t('kitchen.paper_low') : '';
    return h('span', { class: 'k-printer', data: { state: trouble ? (p.state === 'ready' || p.state === 'printing' ? 'warn' : 'bad') : 'ok' } },
      h('span', { class: 'shape', 'aria-hidden': 'true' }), trouble ? t('kitchen.printer', p.name, trouble) : p.name, p.queue > 0 && trouble && h('span', { class: 'k-queue' }, ' ' + n('kitchen.queue', p.queue)));
  });
  swap($('health'), words, health.warnings > 0 && h('span', { class: 'k-warnings' }, n('kitchen.warnings', health.warnings)));
}
