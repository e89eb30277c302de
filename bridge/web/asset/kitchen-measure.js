// kitchen-measure.js tells how many slots a ticket takes: measured, since only the page knows how its words wrap.

import { h, swap, t } from './base.js';
import { drawFlags, drawFoot, drawHead, drawLine } from './kitchen-card.js';
import { board, heldBeside, sameTable } from './kitchen-tickets.js';

export const slotSize = { width: 0, height: 0 }; // of one slot of the board, px

export const measurer = h('div', { class: 'k-slot k-measure', 'aria-hidden': 'true' });
export const chunks = new Map(); // id -> {sign, parts: [from, to, overflows] …}

const signs = new WeakMap(); // by the ticket as the box told it: a change makes another object

// signOf changes whenever a ticket reads differently.
export function signOf(k) {
  const held = heldBeside(k).map(o => o.id + o.version).join() + (sameTable(k).length ? '+' : ''), known = signs.get(k);
  if (known?.held === held) return known.sign;
  const sign = [k.version, k.state, k.changed_unseen, k.allergy_seen, k.priority, (k.lines || []).map(l => l.ticked ? 1 : 0).join(''), held].join('/');
  signs.set(k, { held, sign });
  return sign;
}

export function partsOf(k) {
  const sign = `${signOf(k)}/${slotSize.width}x${slotSize.height}`;
  const known = chunks.get(k.id);
  if (known?.sign === sign) return known.parts;
  const lines = k.lines || [];
  const items = lines.map((line, i) => drawLine(line, lines[i - 1]));
  const head = drawHead(k, '0', 0), again = drawHead(k, '0', 1), flags = h('div', {}, drawFlags(k)), foot = h('div', {}, drawFoot(k));
  const more = h('div', { class: 'k-more' }, t('kitchen.continues'));
  swap(measurer, h('article', { class: 'k-card' }, head, flags, h('ol', { class: 'k-lines' }, items), more, foot), again);
  const tall = e => e.getBoundingClientRect().height;
  const heights = items.map(tall), full = slotSize.height - 4;
  const parts = [];
  let from = 0, top = tall(head) + tall(flags);
  const LIST = 14; // padding of the list, and a pixel for rounding
  for (;;) {
    const rest = heights.slice(from).reduce((a, b) => a + b, 0);
    const fits = top + LIST + rest + tall(foot) <= full;
    if (fits || parts.length === board.size - 1) {
      parts.push([from, lines.length, !fits]);
      break;
    }
    if (lines.length - from <= 1) { // one long dish: its buttons go to the next slot, so that no word of it is hidden
      parts.push([from, lines.length], [lines.length, lines.length]);
      break;
    }
    let to = from, used = top + LIST + tall(more);
    while (to < lines.length && used + heights[to] <= full) used += heights[to++];
    if (to === from) to++; // a line taller than a slot gets its own
    to = Math.min(to, lines.length - 1); // the last part has something to say
    parts.push([from, to]);
    from = to;
    top = tall(again);
  }
  swap(measurer);
  chunks.set(k.id, { sign, parts });
  return parts;
}
