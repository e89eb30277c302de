// One posting: what to look up in OPERA, what was asked, what became of it, and what can be done about it.

import { $, amountOf, amountText, call, day, get, h, icon, instant, money, newKey, number, seconds, span, swap, t, when, word } from './base.js';
import { ask, follow, may, sayFault, toast } from './shell.js';

let current = '', close = () => {}, drawn = '';

// posting shows one in the panel; "" empties it.
export function posting(id, onclose) {
  close = onclose || (() => {});
  current = id;
  drawn = '';
  const panel = $('panel');
  if (!panel) return;
  panel.hidden = !id;
  if (!id) { swap(panel); return; }
  swap(panel, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i'), h('i')));
  panel.scrollTop = 0;
  one.run();
}

const one = follow(['posting'], async () => {
  const id = current;
  if (!id) return;
  const p = await get('/v1/pms/postings/' + encodeURIComponent(id));
  const q = new URLSearchParams({ check: p.check, kind: 'charge,void,refund,tender', limit: 200 });
  const all = p.kind === 'revenue' ? [] : (await get('/v1/pms/postings?' + q)).postings || [];
  if (id !== current) return;
  const related = all.filter(o => o.id !== p.id && (o.original === p.id || o.id === p.original || (o.business_day === p.business_day && o.outlet === p.outlet)));
  const sign = JSON.stringify([p, related]);
  if (sign === drawn) return;
  drawn = sign;
  draw(p, related);
});
one.fault = fault => {
  if (!current || drawn) return;
  const say = h('div', { class: 'say' });
  swap($('panel'), h('header', { class: 'p-head' }, h('span'), closeButton()), say);
  sayFault(say, fault, () => one.run());
};

const closeButton = () => h('button', { class: 'round', title: t('posting.close'), 'aria-label': t('posting.close'), onclick: () => close() }, icon('close'));

const GRADE = { posted: 'ok', refused: 'warn', unknown: 'bad' };

// standing shows a state as word, colour and shape.
export const standing = state => h('span', { class: 'pos', data: { grade: GRADE[state] || 'open' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('posting.state.', state));

const told = text => text && !text.startsWith('0001');
const moment = text => told(text) ? `${day(Date.parse(text))} ${seconds(Date.parse(text))}` : '';

function facts(pairs, name) {
  return h('dl', { class: 'facts ' + (name || '') }, pairs.filter(([, value]) => value).map(([key, value]) =>
    h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, value))));
}

// lookup is what finds a posting on a guest's folio.
export function lookup(p) {
  return facts([
    ['posting.room', p.room && h('b', {}, p.room)], ['posting.guest', p.guest && h('b', {}, p.guest)], ['posting.amount', h('b', {}, money(p.amount, p.currency))],
    ['posting.check', p.check && h('b', {}, p.check)], ['posting.stamp', moment(p.stamp)], ['posting.sent_at', moment(p.sent_at)],
    ['posting.number', p.number && String(p.number)], ['posting.reservation', p.reservation], ['posting.tip_in', p.tip && money(p.tip, p.currency)],
    ['posting.method', p.method], ['posting.outlet', [p.outlet, p.table && t('orders.table', p.table)].filter(Boolean).join(' · ')], ['posting.day', p.business_day],
    ['posting.staff', [p.staff, p.workstation].filter(Boolean).join(' · ')],
  ], 'lookup-facts');
}

function draw(p, related) {
  const panel = $('panel');
  const keep = panel.scrollTop, focused = panel.contains(document.activeElement) ? document.activeElement.id : '';
  const back = related.filter(o => o.original === p.id && o.state !== 'refused');
  const left = back.reduce((sum, o) => sum + o.amount, p.amount);
  const reason = p.reason ? word('refusal.', p.reason) : p.state === 'unknown' ? t('refusal.unknown') : '';
  swap(panel,
    h('header', { class: 'p-head' },
      h('div', { class: 'p-title' }, h('h2', {}, `${word('posting.kind.', p.kind)} ${money(p.amount, p.currency)}`), standing(p.state)),
      closeButton()),
    h('p', { class: 'p-sub' }, [p.room && `${t('posting.room')} ${p.room}`, p.guest, p.check && `${t('posting.check')} ${p.check}`].filter(Boolean).join(' · ')),
    reason && h('p', { class: 'p-why', data: { grade: GRADE[p.state] || 'open' } }, [reason, p.answer && [p.answer, p.answer_text].filter(Boolean).join(' ')].filter(Boolean).join(' · ')),
    p.resolution && h('p', { class: 'p-sub' }, t('posting.resolved', p.resolution.by === 'late_answer' ? t('posting.late_answer') : p.resolution.by, when(p.resolution.at)), p.resolution.note && ` – ${p.resolution.note}`),
    p.state === 'unknown' && h('section', { class: 'p-lookup' }, h('h3', {}, t('posting.lookup')), lookup(p)),
    h('div', { class: 'p-halves' },
      h('section', {}, h('h3', {}, t('posting.timeline')), timeline(p)),
      h('section', {}, h('h3', {}, t('posting.parts')), composition(p, left, back))),
    h('section', { class: 'p-lines' }, h('h3', {}, t('posting.facts')), facts([
      ['posting.reservation', p.reservation], ['posting.outlet', p.outlet], ['posting.table', p.table], ['posting.covers', p.covers && number(p.covers)], ['posting.staff', p.staff], ['posting.workstation', p.workstation],
      ['posting.method', p.method], ['posting.day', p.business_day], ['posting.period', p.period], ['posting.stamp', moment(p.stamp)], ['posting.number', p.number && String(p.number)],
      ['posting.attempts', p.attempts > 1 && number(p.attempts)], ['posting.next_at', p.state === 'queued' && moment(p.next_at)],
      ['posting.answer', [p.answer, p.answer_text].filter(Boolean).join(' ')],
      ['posting.original', p.original && h('a', { href: '/hotel/postings/' + encodeURIComponent(p.original) }, t('posting.details'))],
    ], 'two')),
    related.length > 0 && h('section', { class: 'p-lines' }, h('h3', {}, t('posting.related')), h('table', { class: 'rows plain related' }, h('tbody', {}, related.map(o => h('tr', {},
      h('td', { class: 'time' }, when(o.received_at)), h('td', {}, h('a', { href: '/hotel/postings/' + encodeURIComponent(o.id) }, word('posting.kind.', o.kind)), ' ', o.room || o.method),
      h('td', {}, standing(o.state)), h('td', { class: 'num' }, money(o.amount, o.currency))))))),
    acts(p, left, back));
  panel.scrollTop = keep;
  if (focused) $(focused)?.focus({ preventScroll: true });
}

// ---- what became of it

function timeline(p) {
  const line = (p.timeline || []).map(e => ({ ...e, ms: instant(e.at) })).sort((a, b) => a.ms - b.ms);
  if (!line.length) return h('p', { class: 'soft' }, t('order.timeline_empty'));
  const kind = e => e.event === 'posted' ? 'proof' : e.event === 'unknown' || e.event === 'refused' ? 'bad' : e.event === 'queued' ? '' : 'major';
  const detail = e => e.event === 'received' ? word('posting.kind.', e.detail) : e.event === 'refused' && !/\s/.test(e.detail || '') ? word('refusal.', e.detail) : e.detail;
  return h('ol', { class: 'line' }, line.map((e, i) => h('li', { class: 'ev', data: { event: e.event, kind: kind(e) } },
    h('time', { datetime: e.at }, seconds(e.ms), h('span', { class: 'ms' }, '.' + String(Math.floor(e.ms % 1000)).padStart(3, '0'))),
    h('span', { class: 'node', 'aria-hidden': 'true' }, kind(e) === 'proof' && icon('check')),
    h('div', { class: 'ev-text' }, h('span', { class: 'ev-word' }, word('posting.event.', e.event)), h('span', { class: 'ev-sub' }, [e.by && t('order.by', e.by), detail(e)].filter(Boolean).join(' · '))),
    h('span', { class: 'ev-since' }, i ? '+' + span(e.ms - line[0].ms) : ''))));
}

// ---- what it is made of

function composition(p, left, back) {
  const row = (name, amount, extra) => h('tr', { class: extra }, h('td', {}, name), h('td', { class: 'num' + (extra ? ' strong' : '') }, money(amount, p.currency)));
  const items = (key, list) => (list || []).map(i => row([t(key), i.group].filter(Boolean).join(' · '), i.amount));
  return [
    h('table', { class: 'rows plain' }, h('tbody', {}, items('posting.part.subtotals', p.subtotals), items('posting.part.discounts', p.discounts), items('posting.part.taxes', p.taxes),
      p.service_charge ? row(t('posting.part.service'), p.service_charge) : null, p.tip ? row(t('posting.tip'), p.tip) : null, row(t('posting.total'), p.amount, 'sum'))),
    back.length > 0 && h('p', { class: 'left' }, t('posting.left', money(left, p.currency))),
  ];
}

// ---- what can be done

function acts(p, left, back) {
  if (!may('manager')) return h('p', { class: 'soft p-lines' }, t('posting.manager_only'));
  const buttons = [];
  if (p.state === 'unknown') buttons.push(h('button', { id: 'resolve', class: 'button primary', onclick: e => resolve(p, e.currentTarget, () => one.run()) }, t('posting.resolve')));
  if (p.state === 'posted' && (p.kind === 'charge' || p.kind === 'tender') && !back.some(o => o.kind === 'void') && left > 0) {
    buttons.push(h('button', { id: 'refund', class: 'button', onclick: e => refund(p, left, e.currentTarget) }, t('posting.refund')));
    if (!back.length) buttons.push(h('button', { id: 'void', class: 'button danger', onclick: e => takeBack(p, e.currentTarget) }, t('posting.void', money(p.amount, p.currency))));
  }
  return buttons.length ? h('footer', { class: 'p-acts' }, buttons) : null;
}

const note = () => h('input', { id: 'note', maxlength: 200, autocomplete: 'off' });
const noted = input => h('label', {}, h('span', {}, t('posting.note')), input);
const queued = input => h('label', { class: 'tick' }, input, h('span', {}, t('posting.queue')));

async function takeBack(p, button) {
  const said = note(), later = h('input', { id: 'queue', type: 'checkbox' }), amount = money(p.amount, p.currency);
  const effect = p.room ? t('posting.void_effect', amount, p.room, p.guest, p.check) : t('posting.void_effect_tender', amount, p.check);
  if (await ask(t('posting.void_title'), effect, t('posting.void_yes'), true, { body: [noted(said), queued(later)] })) {
    await send(button, p, 'void', { note: said.value.trim() || undefined, queue: later.checked || undefined });
  }
}

async function refund(p, left, button) {
  const amount = h('input', { id: 'amount', inputmode: 'decimal', autocomplete: 'off', value: amountText(left, p.currency), 'aria-describedby': 'amount-fault' });
  const wrong = h('span', { class: 'fault', id: 'amount-fault', role: 'alert' }), said = note(), later = h('input', { id: 'queue', type: 'checkbox' }), most = money(left, p.currency);
  const check = () => {
    const value = amountOf(amount.value, p.currency), ok = value > 0 && value <= left;
    wrong.textContent = ok ? '' : t('posting.refund_wrong', most);
    amount.setAttribute('aria-invalid', String(!ok));
    if (!ok) amount.focus();
    return ok;
  };
  const effect = p.room ? t('posting.refund_effect', p.room, p.guest, p.check, most) : t('posting.refund_effect_tender', p.check, most);
  if (await ask(t('posting.refund_title'), effect, t('posting.refund_yes'), true, { body: [h('label', {}, h('span', {}, t('posting.refund_amount')), amount, wrong), noted(said), queued(later)], check })) {
    await send(button, p, 'refund', { amount: amountOf(amount.value, p.currency), note: said.value.trim() || undefined, queue: later.checked || undefined });
  }
}

// resolve asks a manager what the hotel's books say of a posting whose outcome is unknown.
export async function resolve(p, button, done) {
  let state = '';
  const wrong = h('p', { class: 'fault', role: 'alert' }), said = note();
  const choice = value => h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'verdict', value, onchange: () => { state = value; wrong.textContent = ''; } }), h('span', {}, t('posting.verdict.' + value)));
  const check = () => {
    wrong.textContent = state ? '' : t('posting.resolve_choose');
    return !!state;
  };
  const effect = t('posting.resolve_effect', p.room || '–', p.guest || p.method || '–', money(p.amount, p.currency), p.check, moment(p.stamp));
  if (await ask(t('posting.resolve_title'), effect, t('posting.resolve_yes'), false, { body: [h('fieldset', {}, h('legend', { class: 'hide' }, t('posting.resolve_title')), choice('posted'), choice('refused')), wrong, noted(said)], check })) {
    await send(button, p, 'resolve', { state, note: said.value.trim() || undefined });
    done();
  }
}

// Keys of acts that may have reached the box without our hearing of it: the same act again is the same request.
const keys = new Map();

async function send(button, p, act, body) {
  const sign = [p.id, act, body.amount, body.state].join(' ');
  if (!keys.has(sign)) keys.set(sign, newKey());
  button.disabled = true;
  try {
    const wait = act === 'resolve' ? '' : '?wait=20s';
    const { body: answer } = await call('POST', `/v1/pms/postings/${encodeURIComponent(p.id)}/${act}${wait}`, { key: keys.get(sign), body, timeout: 30e3 });
    keys.delete(sign);
    if (act === 'resolve') toast(t('posting.done.resolved'), 'good');
    else if (answer.state === 'refused' || answer.state === 'unknown') toast(answer.reason ? word('refusal.', answer.reason) : answer.message || word('posting.state.', answer.state), 'bad');
    else toast(t('posting.done.' + (answer.state === 'posted' || answer.state === 'queued' ? answer.state : 'sending')), 'good');
  } catch (fault) {
    if (!fault.transient) keys.delete(sign);
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
  } finally {
    button.disabled = false;
    one.run();
  }
}
