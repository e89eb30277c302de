// One check: what was ordered, what was paid, what happened, and what can be done with it.

import { $, day, get, h, icon, money, n, number, seconds, swap, t, when, word } from './base.js';
import { ask, follow, may, perform, sayFault } from './shell.js';
import { placed } from './tillbuttons.js';

let current = '', close = () => {}, drawn = '', party = null;

// check shows one in the panel; "" empties it.
export function check(id, onclose) {
  close = onclose;
  if (id === current) return;
  current = id;
  drawn = '';
  const panel = $('panel');
  panel.hidden = !id;
  if (!id) { swap(panel); return; }
  swap(panel, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')));
  panel.scrollTop = 0;
  one.run();
  panel.focus({ preventScroll: true });
}

const one = follow(['check', 'posting', 'reservation', 'setting'], async () => {
  const id = current;
  if (!id) return;
  const c = await get('/v1/checks/' + encodeURIComponent(id));
  if (id !== current) return;
  const r = await partyOf(c);
  if (id !== current) return;
  const sign = JSON.stringify([c, r]);
  if (sign === drawn) return;
  drawn = sign;
  party = r;
  draw(c);
});

// partyOf is what this till's buttons can do for the party of an open check: where the settings of its platform place them here.
async function partyOf(c) {
  if (c.state !== 'open' || !c.reservation) return null;
  const [pay, manage] = await Promise.all([placed('pay_by_deposit', 'check'), placed('manage_reservations', 'check')]);
  if (!pay.length && !manage.length) return null;
  const r = await get('/v1/reservations/' + encodeURIComponent(c.reservation)).catch(() => null);
  return r && { id: r.id, manage: manage.includes(r.platform), deposit: pay.includes(r.platform) && c.balance > 0 ? r.deposits?.remaining || 0 : 0 };
}

one.fault = fault => {
  if (!current || drawn) return;
  const words = h('div', { class: 'say' });
  swap($('panel'), h('header', { class: 'p-head' }, h('span'), closeButton()), words);
  sayFault(words, fault, () => one.run());
};

const closeButton = () => h('button', { class: 'round', title: t('order.close'), 'aria-label': t('order.close'), onclick: () => close() }, icon('close'));

function draw(c) {
  const panel = $('panel'), keep = panel.scrollTop, focused = panel.contains(document.activeElement) ? document.activeElement.id : '';
  const unknown = (c.payments || []).some(p => p.state === 'unknown');
  swap(panel,
    h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, t('check.title', c.number)), h('span', { class: 'chip', data: { state: c.state === 'open' ? 'accepted' : c.state === 'closed' ? 'fulfilled' : 'cancelled' } }, t('check.state.' + c.state)), c.table_state && h('span', { class: 'chip' }, t('check.event.' + c.table_state))), closeButton()),
    h('p', { class: 'p-sub' }, [(c.tables || []).map(x => t('orders.table', x)).join(', '), c.covers && n('kitchen.covers', c.covers), c.guest, c.staff, c.walk_in && t('check.walk_in'), t('check.since', when(c.opened_at))].filter(Boolean).join(' · ')),
    c.notes && h('p', { class: 'p-why' }, c.notes),
    (c.payments || []).filter(p => p.state === 'to_enter').map(p => toEnter(c, p)),
    unknown && h('p', { class: 'p-why', data: { grade: 'bad' } }, t('check.unknown')),
    h('section', { class: 'promise' }, h('div', { class: 'figures three' },
      figure('orders.total', money(c.total), n('check.lines', (c.lines || []).filter(l => !l.voided).length)),
      figure('check.paid', money(c.paid), c.tips ? t('check.tips', money(c.tips)) : ''),
      figure('check.balance', money(c.balance), c.billed_at ? t('check.billed', when(c.billed_at)) : t('check.not_billed'), c.balance > 0 ? '' : 'kept'))),
    h('div', { class: 'p-halves' },
      h('section', {}, h('h3', {}, t('order.lines')), lines(c)),
      h('section', {}, h('h3', {}, t('check.payments')), payments(c), h('h3', { class: 'gap-above' }, t('order.timeline')), timeline(c))),
    acts(c));
  panel.scrollTop = keep;
  if (focused) $(focused)?.focus({ preventScroll: true });
}

const figure = (key, value, note, state) => h('div', { class: 'figure', data: { state: state || '' } }, h('span', { class: 'figure-word' }, t(key)), h('span', { class: 'figure-value' }, value), h('span', { class: 'figure-note' }, note));

const mods = list => (list || []).reduce((sum, m) => sum + (m.quantity || 1) * ((m.price || 0) + mods(m.modifiers)), 0);
const tree = list => list?.length ? h('ul', {}, list.map(m => h('li', {}, m.quantity > 1 ? `${m.quantity} × ` : '', m.name, tree(m.modifiers)))) : null;

function lines(c) {
  if (!c.lines?.length) return h('p', { class: 'soft' }, t('check.no_lines'));
  return h('table', { class: 'rows plain' }, h('tbody', {}, c.lines.map(l => h('tr', { class: l.voided && 'voided' }, h('td', { class: 'num strong' }, number(l.quantity)),
    h('td', {}, l.name, l.voided && h('small', {}, t('check.voided')), tree(l.modifiers), l.notes && h('p', { class: 'em' }, l.notes), l.allergens?.length > 0 && h('span', { class: 'mark-allergy' }, l.allergens.join(' · '))),
    h('td', { class: 'num' }, money(l.quantity * ((l.price || 0) + mods(l.modifiers)))))),
  h('tr', { class: 'sum' }, h('td'), h('td', {}, t('orders.total')), h('td', { class: 'num strong' }, money(c.total)))));
}

const GRADE = { paid: 'ok', pending: 'warn', unknown: 'bad', voided: '', to_enter: 'bad' }, CAUSES = ['no_method', 'overpaid', 'closed', 'unknown_method', 'no_answer'];

function payments(c) {
  if (!c.payments?.length) return h('p', { class: 'soft' }, t('check.no_payments'));
  return h('table', { class: 'rows plain pays' }, h('tbody', {}, c.payments.map(p => h('tr', {}, h('td', {}, h('b', {}, p.room ? t('check.room', p.room) : word('check.method.', p.method)), h('small', {}, seconds(Date.parse(p.at)).slice(0, 5)), p.posting && h('a', { class: 'p-link', href: '/hotel/postings/' + p.posting }, t('check.posting'))),
    h('td', {}, h('span', { class: 'pos', data: { grade: GRADE[p.state] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('check.payment.' + (p.entry && p.state === 'pending' ? 'sending' : p.state)))),
    h('td', { class: 'num' }, money(p.amount), p.tip ? h('small', {}, t('check.tip', money(p.tip))) : '')))));
}

// What a person has to do about a deposit that the box could not bring to the till that keeps the check.
function toEnter(c, p) {
  const code = p.entry?.code;
  return h('div', { class: 'p-why to-enter', data: { grade: 'bad' } }, h('p', {}, h('b', {}, t('check.enter', money(p.amount)))),
    code && h('p', {}, CAUSES.includes(code) ? t('check.enter.' + code) : t('check.enter.words', p.entry.detail || code)),
    may('manager', 'staff', 'till') && h('button', { class: 'button primary', onclick: e => entered(e.currentTarget, c, p) }, t('check.entered_yes')));
}

async function entered(button, c, p) {
  if (!await ask(t('check.entered_title', money(p.amount)), t('check.entered_effect'), t('check.entered_yes'))) return;
  if (await perform(button, `/v1/checks/${encodeURIComponent(c.id)}/payments/${encodeURIComponent(p.id)}/entered`, { done: t('check.entered_done') })) one.run();
}

function timeline(c) {
  const events = c.events || [];
  if (!events.length) return h('p', { class: 'soft' }, t('order.timeline_empty'));
  const first = day(Date.parse(c.opened_at));
  return h('ol', { class: 'line' }, events.map(e => {
    const ms = Date.parse(e.at);
    return h('li', { class: 'ev', data: { kind: /unknown|refused|cancelled|voided/.test(e.kind) ? 'bad' : /closed|payment$|opened/.test(e.kind) ? 'major' : '' } },
      h('time', { datetime: e.at }, day(ms) === first ? '' : day(ms) + ' ', seconds(ms)), h('span', { class: 'node', 'aria-hidden': 'true' }),
      h('div', { class: 'ev-text' }, h('span', { class: 'ev-word' }, word('check.event.', e.kind)), e.by && h('span', { class: 'ev-sub' }, t('order.by', e.by))), h('span'));
  }));
}

// ---- what can be done

async function act(button, c, name, dangerous) {
  if (!await ask(t('check.' + name + '_title', c.number), t('check.' + name + '_effect'), t('check.' + name + '_yes'), dangerous)) return;
  if (await perform(button, `/v1/checks/${encodeURIComponent(c.id)}/${name}`, { done: t('check.' + name + '_done', c.number) })) one.run();
}

async function deposit(button) {
  if (!await ask(t('bookings.deposit_title', money(party.deposit)), t('bookings.deposit_effect'), t('bookings.deposit'))) return;
  if (await perform(button, `/v1/reservations/${encodeURIComponent(party.id)}/deposit`, { done: t('bookings.did.deposit') })) one.run();
}

function acts(c) {
  const button = (name, kind, dangerous) => h('button', { id: 'do-' + name, class: 'button ' + kind, onclick: e => act(e.currentTarget, c, name, dangerous) }, t('check.' + name + '_yes'));
  const buttons = [];
  if (c.state === 'open' && may('manager', 'staff')) {
    if (c.lines?.length && !c.billed_at) buttons.push(button('bill', ''));
    if (c.balance === 0 && c.lines?.length && !(c.payments || []).some(p => p.state === 'pending')) buttons.push(button('close', 'primary'));
  }
  if (party?.deposit > 0) buttons.push(h('button', { id: 'do-deposit', class: 'button', onclick: e => deposit(e.currentTarget) }, t('bookings.deposit')));
  if (party?.manage) buttons.push(h('a', { id: 'to-booking', class: 'button', href: '/integration/bookings/' + encodeURIComponent(party.id) }, t('tables.manage')));
  if (c.state === 'closed' && may('manager')) buttons.push(button('reopen', 'danger', true));
  return buttons.length ? h('footer', { class: 'p-acts' }, buttons) : null;
}
