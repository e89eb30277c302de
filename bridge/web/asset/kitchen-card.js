// kitchen-card.js draws one ticket as it reads on paper. Order text reaches the page only as text nodes (base.js, h).

import { clock, h, icon, swap, t } from './base.js';
import { allTicked, allergy, besides, blind, board, clockOf, heldBeside, here, marks, nameOf, placesOf, sameTable, standsIn } from './kitchen-tickets.js';

export function drawHead(k, digit, part) {
  const c = clockOf(k, here.stream.now());
  const pending = here.outbox.of(k.id);
  return h('header', { class: 'k-head' },
    h('div', { class: 'k-row' },
      h('span', { class: 'k-digit' }, digit),
      h('span', { class: 'k-name' }, nameOf(k), k.partner?.name && h('span', { class: 'k-partner' }, k.partner.name)),
      pending && h('span', { class: 'k-pending', title: t('kitchen.pending') }, icon('clock')),
      h('span', { class: 'k-age', data: { id: k.id } }, c.text + marks[c.grade])),
    part === 0
      ? h('div', { class: 'k-sub' }, h('span', {}, besides(k)), k.due && h('span', { class: 'k-due' }, t('kitchen.due', clock(Date.parse(k.due)))))
      : h('div', { class: 'k-sub' }, h('span', {}, t('kitchen.continued'))));
}

export function drawFlags(k) {
  const flags = [];
  if (standsIn(k)) flags.push(h('div', { class: 'k-flag for' }, t('kitchen.for', k.station.toUpperCase())));
  if (k.priority) flags.push(h('div', { class: 'k-flag first' }, t('kitchen.priority')));
  if (k.state === 'held') flags.push(h('div', { class: 'k-flag held' }, t('kitchen.hold'), h('span', {}, waitsFor(k))));
  if (k.state === 'cancelled') flags.push(h('div', { class: 'k-flag cancelled' }, t('kitchen.cancelled')));
  else if (k.changed_unseen) flags.push(h('div', { class: 'k-flag' }, t('kitchen.changed')));
  const same = sameTable(k);
  if (same.length) flags.push(h('div', { class: 'k-flag beside' }, t('kitchen.same_table'), placesOf(same).map(i => h('span', { class: 'k-digit' }, i < 0 ? '…' : digitOf(i)))));
  const a = allergy(k);
  if (a) flags.push(h('div', { class: 'k-allergy' }, h('strong', {}, t('kitchen.allergy')), ' ', a));
  if (k.notes) flags.push(h('div', { class: 'k-note' }, k.notes));
  return flags;
}

// waitsFor says what fires a held ticket.
function waitsFor(k) {
  if (k.fire_at) return t('kitchen.fires_at', clock(Date.parse(k.fire_at)));
  return t(k.held === 'previous' ? 'kitchen.fires_after' : 'kitchen.fires_by_hand');
}

// drawLater is what the station cooks later of the order: grey, with its count, and the way to fire the next of it.
function drawLater(k) {
  const held = heldBeside(k);
  return held.map((o, i) => h('div', { class: 'k-held-course', data: { held: o.id } },
    h('span', {}, t('kitchen.held_course', o.lines.map(l => `${l.quantity} ${l.name}`).join(', ')), o.fire_at && ' ' + t('kitchen.fires_at', clock(Date.parse(o.fire_at)))),
    i === 0 && !k.changed_unseen && h('button', { class: 'k-fire', data: { act: 'fire', id: o.id } }, t('kitchen.fire'))));
}

export function drawLine(line, above) {
  const before = above?.course, changed = line.change === 'changed' && line.was !== undefined && line.was !== line.quantity;
  return h('li', { class: ['k-line', line.change, line.ticked && 'ticked', above && !line.at && before !== line.course && 'k-course'].filter(Boolean).join(' '), data: { n: line.n, sku: line.sku || '' } },
    line.at && line.at !== above?.at && h('div', { class: 'k-added-at' }, '+ ', clock(Date.parse(line.at))),
    h('span', { class: 'k-quantity' }, changed && h('s', {}, line.was), changed && ' → ', line.change === 'added' && '+ ', String(line.quantity)),
    h('div', { class: 'k-what' },
      h('span', { class: 'k-item' }, line.name), line.ticked && h('span', { class: 'k-tick' }, '✓'),
      line.sku && here.soldOut.has(line.sku) && h('span', { class: 'k-word' }, t('kitchen.sold_out')),
      line.change === 'removed' && h('span', { class: 'k-word' }, t('kitchen.removed')),
      (line.modifiers || []).map(m => h('div', { class: 'k-modifier', data: { level: Math.min(5, m.level || 1) } }, m.quantity > 1 ? `${m.quantity} × ${m.name}` : m.name)),
      line.notes && h('div', { class: 'k-note' }, line.notes),
      line.allergens?.length > 0 && line.change !== 'removed' && h('div', { class: 'k-allergy' }, h('strong', { 'aria-hidden': 'true' }, '!!'), h('span', { class: 'hide' }, t('kitchen.allergy')), ' ', line.allergens.join(' · '))));
}

function drawActs(k) {
  const button = (verb, text, kind) => h('button', { class: 'k-act ' + kind, data: { act: verb, id: k.id } }, text);
  if (k.changed_unseen || blind(k)) return h('div', { class: 'k-acts' }, button('seen', t(k.changed_unseen ? 'kitchen.seen' : 'kitchen.seen_allergy'), 'seen'));
  if (k.state === 'held') return h('div', { class: 'k-acts' }, button('fire', t('kitchen.fire_now'), 'fire'));
  return h('div', { class: 'k-acts' },
    k.state === 'new' ? button('start', t('kitchen.start'), 'start') : h('span', { class: 'k-started' }, t('kitchen.started'), k.also?.length > 0 && h('small', {}, t('kitchen.also', k.also.join(', ')))),
    button('bump', t('kitchen.bump'), 'bump' + (allTicked(k) ? ' full' : '')));
}

export function drawFoot(k) {
  return [drawLater(k), k.also?.length > 0 && (k.state !== 'cooking' || k.changed_unseen) && h('div', { class: 'k-also' }, t('kitchen.also', k.also.join(', '))), drawActs(k)];
}

const digitOf = i => String((i % board.size + 1) % 10);

export function drawTicket(e, k, part, have, parts, i) {
  const last = part === have - 1;
  const from = parts[part][0], to = last ? (k.lines || []).length : parts[part][1];
  const cut = last && (have < parts.length || parts[part][2]); // more than the slot holds: it scrolls
  const lines = (k.lines || []).slice(from, to).map((line, x) => drawLine(line, k.lines[from + x - 1]));
  const card = h('article', { class: 'k-card' + (k.state === 'cancelled' ? ' cancelled' : '') + (k.state === 'cooking' ? ' cooking' : ''), data: { ticket: k.id, state: k.state } },
    drawHead(k, digitOf(i), part),
    part === 0 && drawFlags(k),
    h('ol', { class: 'k-lines' + (cut ? ' tall' : '') }, lines),
    cut && h('button', { class: 'k-more', data: { act: 'scroll' } }, t('kitchen.scroll')),
    !last && h('div', { class: 'k-more' }, t('kitchen.continues')),
    last && drawFoot(k));
  swap(e, card);
}

export function drawGhost(e, g, waits, i) {
  const k = g.ticket;
  swap(e, h('div', { class: 'k-ghost', data: { ticket: k.id } },
    h('span', { class: 'k-digit' }, digitOf(i)),
    h('p', { class: 'k-ghost-name' }, nameOf(k), k.partner?.name && ' ' + k.partner.name),
    h('p', {}, waits && icon('clock'), waits ? t('kitchen.waits', clock(g.at)) : g.by ? t('kitchen.gone_by', g.by) : t(g.undo ? 'kitchen.gone' : 'kitchen.gone_seen')),
    g.undo && h('button', { class: 'k-act undo', data: { act: 'undo', id: k.id } }, t('kitchen.undo'))));
}
