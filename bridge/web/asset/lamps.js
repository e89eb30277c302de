// lamps.js draws states: always a word or a mark beside the colour.

import { h, t, word } from './base.js';

// lamp shows one ticket of an order: station, how far it is, and whether paper is proved.
export function lamp(ticket) {
  const jobs = ticket.jobs || [];
  const paper = paperOf(jobs);
  return h('span', { class: 'lamp', data: { state: ticket.state, paper }, title: [ticket.station, word('ticket.state.', ticket.state), paper && t('paperstate.' + paper)].filter(Boolean).join(' · ') },
    h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', {}, ticket.station),
    h('span', { class: 'hide' }, ' ' + word('ticket.state.', ticket.state)),
    paper && h('span', { class: 'proof', role: 'img', 'aria-label': t('paperstate.' + paper) }, MARK[paper]));
}

const MARK = { proved: '✓', unproved: '~', waiting: '…', trouble: '!' };

// paperOf sums up a ticket's print jobs: proved, unproved (the printer gives no proof), waiting, trouble.
export function paperOf(jobs) {
  const mine = jobs.filter(j => j.state !== 'superseded' && j.state !== 'cancelled');
  if (!mine.length) return '';
  if (mine.some(j => j.state === 'failed' || j.state === 'unknown' || j.state === 'cleared' || j.state === 'held')) return 'trouble';
  if (mine.every(j => j.state === 'done' || j.state === 'printed')) return mine.some(j => j.evidence === 'none' || !j.evidence) ? 'unproved' : 'proved';
  return 'waiting';
}

// A warning that came from the catalogue speaks the reader's language; any other the box's own.
const ours = w => w.args || /^printer_/.test(w.code) ? t('warning.' + w.code, ...(w.args || [w.subject])) : '';
const known = w => { const text = ours(w); return text !== '' && text !== 'warning.' + w.code && !/\{\d\}/.test(text); };
export const warningText = w => known(w) ? ours(w) : w.text;
export const warningRemedy = w => known(w) ? t('warning.' + w.code + '.remedy') : w.remedy;

// warningPlace is the page where a person does something about a warning; Health when there is none.
export const warningPlace = w => /^printer_/.test(w.code) ? '/printers/' + encodeURIComponent(w.subject)
  : /^(screen|bump_bar|tickets)_/.test(w.code) ? '/devices' : /^pms_/.test(w.code) ? '/hotel' : '/health';

// chip shows an order's state.
export const chip = state => h('span', { class: 'chip', data: { state } }, word('order.state.', state));

export function inPos(value) {
  return value ? h('span', { class: 'pos', data: { state: value } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('in_pos.', value)) : h('span', { class: 'soft' }, '–');
}
