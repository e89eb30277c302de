// Audit: who did what, newest first.

import { $, day, get, h, seconds, swap, t, word } from './base.js';
import { rows } from './rows.js';
import { follow } from './shell.js';

const MOST = 1000; // entries; the box keeps more, and the API gives them

const POSTING = /^pms_(void|refund|resolve|override|contradiction)$/; // acts on a posting
const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const REFUSED = /refused$|^person_locked$/;

// subject shortens an id to its end, which is what differs, and leads to the order or posting where it is one.
function subject(e) {
  if (!ID.test(e.subject || '')) return e.subject;
  const short = '…' + e.subject.slice(-12);
  const page = e.act?.startsWith('order_') ? '/orders/' : POSTING.test(e.act) ? '/hotel/postings/' : '';
  return page ? h('a', { class: 'mono', href: page + e.subject, title: e.subject }, short) : h('span', { class: 'mono', title: e.subject }, short);
}

const actWord = e => word('act.', (e.act || '').replaceAll('.', '_'));
const detail = e => typeof e.detail === 'object' && e.detail ? JSON.stringify(e.detail) : e.detail || '';

const log = rows({
  name: 'audit', label: t('nav.audit'), id: e => [e.at, e.by, e.act, e.subject].join(' '), empty: [t('audit.empty'), t('audit.empty_remedy')],
  columns: [
    { head: t('orders.time'), text: e => e.at, value: e => e.at, cell: e => { const at = Date.parse(e.at); return h('span', { class: 'time' }, h('small', {}, day(at)), ' ', seconds(at)); } },
    { head: t('audit.by'), text: e => [e.by, e.role && word('role.', e.role)].filter(Boolean).join(' · '), cell: e => [h('b', {}, e.by), e.role && h('small', {}, word('role.', e.role))] },
    { head: t('audit.act'), text: actWord, cell: e => REFUSED.test(e.act) ? h('span', { class: 'pos', data: { grade: 'warn' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), actWord(e)) : actWord(e) },
    { head: t('audit.subject'), text: e => e.subject, cell: subject },
    { head: t('audit.detail'), text: detail, cell: e => h('span', { class: 'soft' }, detail(e)) },
  ],
});
swap($('body'), h('div', { class: 'audit-tools' }, log.tools), log.place);
$('body').setAttribute('aria-busy', 'false');

const list = follow(['access', 'setting', 'order', 'printer'], async () => { log.set((await get('/v1/audit?limit=' + MOST)).entries || []); });
list.fault = fault => log.fault(fault, () => list.run());
