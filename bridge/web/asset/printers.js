// Printers: a card each, with its state as a word and a shape.

import { $, age, get, h, n, number, swap, t, when, word } from './base.js';
import { follow, may, perform, ready, say, sayFault } from './shell.js';

const GOOD = new Set(['ready', 'printing']);
const grade = p => p.state === 'paused' || p.paper === 'low' ? (GOOD.has(p.state) || p.state === 'paused' ? 'warn' : 'bad') : GOOD.has(p.state) ? 'ok' : p.state === 'connecting' ? 'warn' : 'bad';

function fact(name, value, extra) {
  return value === undefined || value === null || value === '' ? null : h('div', { class: 'fact' }, h('dt', {}, name), h('dd', extra || {}, value));
}

// reason says what the state alone does not.
function reason(p) {
  const parts = [p.reason && p.reason !== p.state && word('reason.', p.reason), p.detail, p.oldest_held_seconds >= 1 && t('printer.oldest', age(p.oldest_held_seconds * 1000))].filter(Boolean);
  return parts.length > 0 && h('p', { class: 'reason' }, parts.join(' · '));
}

function card(p) {
  const act = (verb, text, kind) => h('button', { class: 'button ' + (kind || ''), onclick: async e => {
    if (await perform(e.currentTarget, `/v1/printers/${encodeURIComponent(p.name)}/${verb}`, { done: t('printer.done.' + verb, p.name) })) list.run();
  } }, text);
  return h('article', { class: 'tile', data: { grade: grade(p), name: p.name } },
    h('header', {}, h('h2', {}, p.name), h('span', { class: 'state', data: { grade: grade(p) } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('printer.state.', p.state))),
    reason(p),
    h('div', { class: 'tile-figures' },
      h('div', {}, h('b', {}, number(p.queue || 0)), h('span', {}, n('printer.waiting', p.queue || 0))),
      h('div', {}, h('b', { class: 'paper', data: { paper: p.paper || 'unknown' } }, word('printer.paper.', p.paper || 'unknown')), h('span', {}, t('printer.paper'))),
      h('div', {}, h('b', {}, p.sequence ? number(p.sequence) : '–'), h('span', {}, t('printer.sequence')))),
    h('dl', { class: 'facts' },
      fact(t('printer.proof'), word('printer.proof.', p.proof || 'unknown')),
      fact(t('printer.stations'), (p.stations || []).join(', ')),
      fact(t('printer.fallback'), p.fallback),
      fact(t('printer.last'), p.last_ticket_at && when(p.last_ticket_at)),
      fact(t('printer.model'), [p.maker, p.device || p.model, p.firmware].filter(Boolean).join(' · ')),
      fact(t('printer.connect'), p.connect, { class: 'mono' })),
    may('manager', 'staff') && h('footer', {}, act('test', t('printer.test')), p.state === 'paused' ? act('resume', t('printer.resume'), 'primary') : act('pause', t('printer.pause'))));
}

let drawn = '';
const list = follow(['printer', 'job'], async () => {
  const printers = (await get('/v1/printers')).printers || [];
  await ready;
  const sign = JSON.stringify(printers);
  if (sign === drawn) return;
  drawn = sign;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  if (!printers.length) { body.className = 'say'; say(body, t('printers.empty'), t('printers.empty_remedy')); return; }
  body.className = 'tiles';
  swap(body, printers.map(card));
});
list.fault = fault => { if (!drawn) { $('body').className = 'say'; sayFault($('body'), fault, () => list.run()); } };
