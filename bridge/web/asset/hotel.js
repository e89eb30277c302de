// Hotel: how the link to the hotel system stands, and the parts of the page.

import { $, get, h, n, number, swap, t, when, word } from './base.js';
import { guests } from './guests.js';
import { parts } from './parts.js';
import { postings } from './postings.js';
import { revenue } from './revenue.js';
import { setup } from './setup.js';
import { follow, may, ready, say, sayFault } from './shell.js';
import { trace } from './trace.js';

const ROLES = { revenue: ['manager'], setup: ['manager'] }; // who sees the others sees these not
const { route, leave } = parts({ all: { postings, guests, revenue, trace, setup }, base: '/hotel', words: 'hotel.part.', may: part => !ROLES[part] || may(...ROLES[part]) });

let configured;

// ---- the link

const GRADE = { up: 'ok', night_audit: 'warn', connecting: 'warn', auth: 'warn' };

function strip(v) {
  const link = v.link || {}, open = v.open || {};
  const waiting = (open.queued || 0) + (open.inquiring || 0) + (open.sending || 0);
  const old = (v.checklist || []).find(i => i.item === 'version' && !i.done)?.detail;
  const why = v.charging ? '' : old || (link.state === 'up' && v.reason ? word('refusal.', v.reason) : '');
  const figure = (value, text, to, state) => h('a', { class: 'link-figure', href: to, data: { state } }, h('b', {}, number(value)), h('span', {}, text));
  return [
    h('div', { class: 'link-state' },
      h('span', { class: 'state', data: { grade: GRADE[link.state] || 'bad' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('hotel.link.', link.state)),
      h('span', { class: 'soft' }, link.since && !link.since.startsWith('0001') ? t('hotel.since', when(link.since)) : ''),
      h('b', { class: v.charging ? '' : 'em' }, t(v.charging ? 'hotel.charging' : 'hotel.not_charging')),
      (why || link.reason) && h('span', { class: 'link-why' }, [why, link.reason].filter((s, i, a) => s && a.indexOf(s) === i).join(' · '))),
    h('p', { class: 'link-peer soft' }, [
      word('hotel.dialect.', v.dialect), link.peer && `${t('hotel.peer')} ${link.peer}`, `${t('hotel.version')} ${link.version || t('hotel.version_untold')}`,
    ].filter(Boolean).join(' · ')),
    h('div', { class: 'link-figures' },
      figure(open.unknown || 0, n('hotel.unknown', open.unknown || 0), '/hotel?state=unknown', open.unknown ? 'bad' : ''),
      figure(waiting, n('hotel.waiting', waiting), '/hotel?state=open', ''),
      figure(v.guests || 0, n('hotel.guests', v.guests || 0), '/hotel/guests', '')),
  ];
}

const SAMPLE = `pms:
  kind: opera
  dialect: fias
  connect: "tcp:10.0.0.9:5010"
  encoding: windows-1252
  payment_method: {type: room, code: IKPMS, name: Opera}
  transmit_all_tickets: false
  outlets: [{name: restaurant, code: 1}]
  revenue: {every: 30m, account: "9001"}`;

function none() {
  configured = false;
  leave();
  $('link').hidden = $('parts').hidden = true;
  $('body').className = 'sheet say';
  swap($('body'), h('p', { class: 'say-title' }, t('hotel.none')), h('p', {}, t('hotel.none_remedy')), h('pre', { class: 'sample', tabindex: 0 }, SAMPLE),
    h('p', { class: 'soft' }, t('hotel.none_dialect')), h('p', { class: 'soft' }, t('hotel_setup.on_site')), h('p', { class: 'soft' }, t('hotel_setup.cloud')), h('p', { class: 'soft' }, t('hotel_setup.support')));
}

function some() {
  if (configured) return;
  configured = true;
  $('parts').hidden = false;
  route();
}

let drawn = '';
const list = follow(['pms', 'posting', 'setting'], async () => {
  await ready;
  let v;
  try {
    v = await get('/v1/pms');
  } catch (fault) {
    if (fault.status !== 404) throw fault;
  }
  if (!v || !v.dialect || v.dialect === 'none') { none(); return; }
  const sign = JSON.stringify(v);
  if (sign !== drawn) {
    drawn = sign;
    $('link').hidden = false;
    $('link').setAttribute('aria-busy', 'false');
    swap($('link'), strip(v));
  }
  some();
});
list.fault = fault => {
  if (drawn) return;
  if (fault.status === 403) { // nothing of it is for this person
    $('link').hidden = $('parts').hidden = true;
    $('body').className = 'sheet say';
    sayFault($('body'), fault);
    return;
  }
  swap($('link'), h('div', { class: 'say' }));
  sayFault($('link').firstChild, fault, () => list.run());
  some();
};
