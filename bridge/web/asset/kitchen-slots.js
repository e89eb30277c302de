// kitchen-slots.js is the board on the page: an element a place, redrawn only where its content differs.

import { $, h, swap } from './base.js';
import { drawGhost, drawTicket } from './kitchen-card.js';
import { counts, tick } from './kitchen-head.js';
import { lane } from './kitchen-later.js';
import { measurer, partsOf, signOf, slotSize } from './kitchen-measure.js';
import { tellPainted } from './kitchen-painted.js';
import { board, here, open, placesOf, sameTable, shows } from './kitchen-tickets.js';

const root = document.documentElement;
let slots = []; // elements, one a place on the page
export const arrived = new Set(); // ids that slide in at the next render

let drawn = () => {};
// whenDrawn has f called after each drawing of the board.
export function whenDrawn(f) { drawn = f; }

export function layOut() {
  const size = Math.min(10, Number(root.dataset.columns || 4) * Number(root.dataset.rows || 1));
  if (board.resize(size) || slots.length !== size) {
    slots = Array.from({ length: size }, (_, i) => h('section', { class: 'k-slot', data: { slot: i } }));
    swap($('board'), slots, measurer);
  }
  const r = slots[0].getBoundingClientRect();
  Object.assign(slotSize, { width: Math.round(r.width), height: Math.round(r.height) });
  forget();
  if (here.loaded) render();
  else slots.forEach((s, i) => swap(s, h('div', { class: 'k-skeleton' }, h('i'), h('i'), h('i'), i % 2 === 0 && h('i'))));
}

// render puts everything in its place and redraws only the slots whose content differs.
export function render() {
  if (!here.loaded) return;
  const now = Date.now();
  const list = open();
  const byId = new Map(list.map(k => [k.id, k]));
  if (here.selected && !byId.has(here.selected)) here.selected = null;
  board.settle(list.map(k => k.id), id => partsOf(byId.get(id)).length, now);

  let shown = 0;
  board.visible().forEach((i, place) => {
    const s = board.at(i), e = slots[place];
    let sign = '', draw = () => swap(e);
    if (s?.ghost) {
      const g = s.ghost, act = here.outbox.of(g.ticket.id);
      const waits = act && (act.failed || !here.stream.isLive);
      sign = `ghost ${g.ticket.id} ${!!waits} ${g.undo}`;
      draw = () => drawGhost(e, g, waits, i);
      shown++;
    } else if (s) {
      const k = byId.get(s.id);
      const parts = partsOf(k), have = board.parts(s.id);
      const pending = here.outbox.of(k.id);
      sign = `${k.id} ${signOf(k)} ${s.part}/${have}/${parts.length} ${pending?.verb || ''} ${i} ${placesOf(sameTable(k))}`;
      draw = () => drawTicket(e, k, s.part, have, parts, i);
      shown++;
    }
    if (e.sign !== sign) {
      const fresh = s && !s.ghost && e.ticket !== s.id && arrived.has(s.id);
      e.className = 'k-slot' + (fresh ? ' enter' : '');
      e.sign = sign;
      e.ticket = s?.id;
      draw();
    }
    e.classList.toggle('selected', !!s && s.id === here.selected);
  });
  arrived.clear();
  drawn();
  $('empty').hidden = shown > 0 || list.length > 0;
  if ($('board').getAttribute('aria-busy') === 'true') performance.mark('interactive');
  $('board').setAttribute('aria-busy', 'false');
  root.dataset.open = list.filter(shows).length;
  tick(list);
  counts(list);
  lane.draw();
  tellPainted();
}

// expire frees the slots whose time for Undo is over.
export function expire() {
  if (board.slots.some(s => s?.ghost && s.ghost.until <= Date.now())) render();
}

// forget makes every slot draw itself again at the next render.
export function forget() { for (const e of slots) e.sign = undefined; }
