// printerstate.js draws how a printer stands: a word and a shape, its queue against its threshold, its paper.

import { age, h, n, number, t, word } from './base.js';

const GOOD = new Set(['ready', 'printing']);

// grade is how a printer stands: ok, warn or bad.
export function grade(p) {
  if (p.state === 'connecting' || p.state === 'paused') return 'warn';
  if (!GOOD.has(p.state)) return 'bad';
  return p.paper === 'low' || p.queue_slow ? 'warn' : 'ok';
}

export const state = p => h('span', { class: 'state', data: { grade: grade(p) } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('printer.state.', p.state));

// reason says what the state alone does not.
export function reason(p) {
  return [
    p.reason && p.reason !== p.state && word('reason.', p.reason), p.detail,
    p.queue_slow && t('printer.slow', number(p.queue_warn)),
    p.oldest_held_seconds >= 1 && t('printer.oldest', age(p.oldest_held_seconds * 1000)),
    p.queue_moved_to && t('printer.moved', p.queue_moved_to),
  ].filter(Boolean);
}

// queue is the number of waiting tickets with the threshold it warns at, as a bar beside the number.
export function queue(p) {
  const bar = p.queue_warn > 0 && h('span', { class: 'queue-bar', 'aria-hidden': 'true', data: { slow: String(!!p.queue_slow) } }, h('i'));
  if (bar) bar.firstChild.style.width = Math.min(100, 100 * (p.queue || 0) / p.queue_warn) + '%';
  return h('div', { title: p.queue_warn > 0 ? t('printer.queue_warn', number(p.queue_warn)) : undefined }, h('b', { class: p.queue_slow && 'slow' }, number(p.queue || 0)), h('span', {}, n('printer.waiting', p.queue || 0)), bar);
}

export const paper = p => h('div', {}, h('b', { class: 'paper', data: { paper: p.paper || 'unknown' } }, word('printer.paper.', p.paper || 'unknown')), h('span', {}, t('printer.paper')));
// href is the address of a printer on the page.
export const href = p => '/printers/' + encodeURIComponent(p.name || p);
