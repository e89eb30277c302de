// Audit: who did what, newest first.

import { $, day, get, h, seconds, swap, t, word } from './base.js';
import { follow, say, sayFault, table } from './shell.js';

const PAGE = 200;
let drawn = false;

const POSTING = /^pms_(void|refund|resolve|override|contradiction)$/; // acts on a posting

// subject shortens an id to its end, which is what differs, and leads to the order or posting where it is one.
function subject(e) {
  if (!/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(e.subject || '')) return e.subject;
  const short = '…' + e.subject.slice(-12);
  const page = e.act?.startsWith('order_') ? '/orders/' : POSTING.test(e.act) ? '/hotel/postings/' : '';
  return page ? h('a', { class: 'mono', href: page + e.subject, title: e.subject }, short) : h('span', { class: 'mono', title: e.subject }, short);
}

const list = follow(['access', 'setting', 'order', 'printer'], async () => {
  const entries = (await get('/v1/audit?limit=' + PAGE)).entries || [];
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  drawn = true;
  if (!entries.length) { body.className = 'say'; say(body, t('audit.empty'), t('audit.empty_remedy')); return; }
  body.className = 'sheet';
  swap(body, table([
    { head: t('orders.time'), cell: e => { const at = Date.parse(e.at); return h('span', { class: 'time' }, h('small', {}, day(at)), ' ', seconds(at)); } },
    { head: t('audit.by'), cell: e => [h('b', {}, e.by), e.role && h('small', {}, word('role.', e.role))] },
    { head: t('audit.act'), cell: e => word('act.', (e.act || '').replaceAll('.', '_')) },
    { head: t('audit.subject'), cell: e => subject(e) },
    { head: t('audit.detail'), cell: e => h('span', { class: 'soft' }, typeof e.detail === 'object' && e.detail ? JSON.stringify(e.detail) : e.detail) },
  ], entries, 'audit'));
});
list.fault = fault => { if (!drawn || fault.status === 403) { $('body').className = 'say'; sayFault($('body'), fault, () => list.run()); } };
