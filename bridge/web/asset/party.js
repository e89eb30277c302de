// One reservation: its problem and what to do about it, deposits, checks, all that happened to it and all that the platform
// was told of it.

import { $, day, get, h, icon, money, n, seconds, swap, t, when, word } from './base.js';
import { ask, follow, may, perform, sayFault, toast } from './shell.js';
import { ORDER, named } from './standing.js';

let current = '', close = () => {}, drawn = '';

// party shows one in the panel; "" empties it.
export function party(id, onclose) {
  close = onclose;
  if (id === current) return;
  current = id;
  drawn = '';
  const panel = $('panel');
  if (!panel) return;
  panel.hidden = !id;
  if (!id) { swap(panel); return; }
  swap(panel, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')));
  panel.scrollTop = 0;
  one.run();
  panel.focus({ preventScroll: true });
}

const one = follow(['reservation', 'check', 'relay'], async () => {
  const id = current;
  if (!id) return;
  const r = await get('/v1/reservations/' + encodeURIComponent(id));
  const link = await get('/v1/integrations/' + encodeURIComponent(r.platform)).then(named, () => null); // the platform may be gone from the configuration
  if (id !== current) return;
  const sign = JSON.stringify([r, link?.title]);
  if (sign === drawn) return;
  drawn = sign;
  draw(r, link);
});
one.fault = fault => {
  if (!current || drawn) return;
  const words = h('div', { class: 'say' });
  swap($('panel'), h('header', { class: 'p-head' }, h('span'), closeButton()), words);
  sayFault(words, fault, () => one.run());
};

const closeButton = () => h('button', { class: 'round', type: 'button', id: 'close', title: t('order.close'), 'aria-label': t('order.close'), onclick: () => close() }, icon('close'));
const plain = amount => Number.isFinite(amount);

function draw(r, link) {
  const panel = $('panel'), keep = panel.scrollTop, focused = panel.contains(document.activeElement) ? document.activeElement.id : '';
  const at = Date.parse(r.scheduled_at);
  swap(panel,
    h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, r.guest || t('synced.nameless')),
      h('span', { class: 'chip', data: { booking: r.state } }, word('booking.', r.state)),
      r.order_state !== 'none' && h('span', { class: 'state', data: { grade: ORDER[r.order_state] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('party.order', word('link.', r.order_state)))), closeButton()),
    h('p', { class: 'p-sub' }, [`${day(at)} ${when(r.scheduled_at).split(' ').at(-1)}`, n('kitchen.covers', r.covers), r.tables.length ? r.tables.map(x => t('orders.table', x)).join(', ') : t('party.no_table'), r.walk_in && t('check.walk_in'), r.vip && t('synced.vip'), r.late && t('synced.late'), r.confirmed && t('party.confirmed'), link?.title || r.platform].filter(Boolean).join(' · ')),
    r.party?.allergens?.length > 0 && h('p', { class: 'mark-allergy' }, t('party.allergens', r.party.allergens.join(', '))),
    problem(r),
    (r.flags || []).map(f => h('div', { class: 'p-why', data: { grade: 'warn', flag: f.code } }, h('b', {}, word('reservation.flag.', f.code)), h('p', {}, t('reservation.flag.' + f.code + '.remedy')))),
    facts(r),
    deposits(r),
    h('section', { class: 'p-part' }, h('h3', {}, t('party.history')), timeline(r, link)),
    acts(r));
  panel.scrollTop = keep;
  if (focused) $(focused)?.focus({ preventScroll: true });
}

// ---- what is wrong, and what helps

function problem(r) {
  if (!r.problem) return null;
  const off = r.problem === 'order_creation_disabled';
  return h('div', { class: 'p-why p-problem', data: { grade: off ? 'warn' : 'bad', problem: r.problem }, role: 'group', 'aria-label': t('synced.problem') },
    h('p', {}, h('b', {}, word('problem.', r.problem)), ' ', h('code', { class: 'mono' }, r.problem.toUpperCase())),
    r.detail && h('p', {}, r.detail),
    h('p', {}, word('reservation.remedy.', r.problem)),
    off && h('a', { href: `/integration/reservations/${encodeURIComponent(r.platform)}/settings` }, t('party.to_setting')),
    r.problem === 'invalid_table' && h('a', { href: '/integration/floorplans?platform=' + encodeURIComponent(r.platform) }, t('party.to_audit')));
}

// ---- facts and deposits

function facts(r) {
  const fact = (key, ...content) => content.some(Boolean) && h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, content));
  const told = (key, list) => list?.length > 0 && fact(key, Array.isArray(list) ? list.join(', ') : list);
  return h('dl', { class: 'facts two p-facts' },
    fact('party.reservation', h('span', { class: 'mono' }, r.reservation)),
    r.checks.length > 0 && fact('party.checks', r.checks.map((id, i) => [i > 0 && ', ', h('a', { href: '/tables/' + encodeURIComponent(id) }, r.checks.length > 1 ? t('party.check_of', i + 1) : t('party.check'))]), r.origin && h('small', { class: 'soft' }, ' ' + word('party.origin.', r.origin))),
    r.seated_at && fact('party.seated_at', when(r.seated_at)),
    r.stage && fact('party.stage', word('stage.', r.stage)),
    told('party.phone', r.party?.phone), told('party.mail', r.party?.email), told('party.language', r.party?.language),
    told('party.request', r.guest_request), told('party.notes', r.notes), told('party.guest_notes', r.party?.notes), told('party.dietary', r.party?.dietary), told('party.food', r.party?.food_notes),
    told('party.tags', r.tags), told('party.offer', r.offer));
}

function deposits(r) {
  const list = [...(r.deposit_list || []).map(d => ({ ...d, kind: 'deposit' })), ...(r.refund_list || []).map(d => ({ ...d, kind: 'refund' }))];
  if (!list.length && !r.deposits.paid) return null;
  const d = r.deposits, figure = (key, amount) => h('div', { class: 'figure' }, h('span', { class: 'figure-word' }, t(key)), h('span', { class: 'figure-value' }, money(amount, d.currency || undefined)));
  return h('section', { class: 'p-part', id: 'deposits' }, h('h3', {}, t('party.deposits')),
    h('div', { class: 'figures three' }, figure('party.paid', d.paid - d.refunded), figure('party.applied', d.applied), figure('party.remaining', d.remaining)),
    !d.usable && h('p', { class: 'p-why', data: { grade: 'warn' } }, t('party.unusable', d.currency || '')),
    h('table', { class: 'rows plain pays' }, h('tbody', {}, list.map(x => h('tr', { class: x.voided && 'voided' },
      h('td', {}, t('party.kind.' + x.kind), x.voided && h('small', {}, t('check.voided'))), h('td', {}, x.at && when(x.at)), h('td', { class: 'num' }, `${x.kind === 'refund' ? '−' : ''}${x.amount} ${d.currency || ''}`))))));
}

// ---- the history: what came in, what was done, what went out, in one line of time

const BAD = /^(failed|move_refused|not_moved|expired)$/, MAJOR = /^(status|order_open|order_closed|deposit_applied)$/;

function detail(e) {
  const text = e.detail || '', [first, ...rest] = text.split(' ');
  switch (e.event) {
    case 'status': case 'stage': return word(e.event === 'status' ? 'booking.' : 'stage.', text);
    case 'failed': case 'expired': return [word('problem.', first), rest.join(' ')].filter(Boolean).join(' · ');
    case 'order_open': return [word('party.origin.', first), rest.length > 0 && t('check.number', rest.join(' '))].filter(Boolean).join(' · ');
    case 'assigned': return text.replace(/^\[|\]$/g, '').split(' ').join(', ');
    case 'move_refused': return text.split(' to ').map(s => word('booking.', s)).join(' → ');
  }
  return text;
}

const told = (r, u) => u.kind === 'stage' || u.kind === 'closed' ? word('stage.', u.stage || 'paid') : u.kind === 'status' ? word('booking.', u.status) : u.kind === 'tables' ? (u.tables || []).join(', ') : u.kind === 'covers' ? n('kitchen.covers', u.covers) : u.check ? money(u.check.total, u.check.currency) : '';
const OUT = { sent: 'proof', failed: 'bad', expired: 'bad', waiting: 'major' };

function timeline(r, link) {
  const who = by => by === 'platform' || by === r.platform ? link?.title || r.platform : by === 'timer' ? t('party.by_timer') : by;
  const steps = [
    ...r.timeline.map(e => ({ at: e.at, kind: BAD.test(e.event) ? 'bad' : MAJOR.test(e.event) ? 'major' : '', event: e.event, word: word('party.event.', e.event), detail: detail(e), sub: e.by && t('order.by', who(e.by)) })),
    ...(r.updates || []).map(u => ({
      at: u.settled_at && !u.settled_at.startsWith('0001') ? u.settled_at : u.at, kind: OUT[u.state] || '', event: 'told-' + u.state, word: t('party.told.' + u.state, link?.title || r.platform), detail: [t('party.update.' + u.kind), told(r, u)].filter(Boolean).join(' · '),
      sub: [u.attempts > 1 && n('party.attempts', u.attempts), u.state !== 'superseded' && u.answer, u.state === 'waiting' && u.next_at && !u.next_at.startsWith('0001') && t('party.next', seconds(Date.parse(u.next_at)))].filter(Boolean).join(' · '),
    })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  if (!steps.length) return h('p', { class: 'soft' }, t('order.timeline_empty'));
  const first = day(Date.parse(steps[0].at));
  let last = '';
  return h('ol', { class: 'line' }, steps.map(e => {
    const ms = Date.parse(e.at), on = day(ms), other = on !== (last || first) || (last === '' && on !== day(Date.now()));
    last = on;
    return h('li', { class: 'ev', data: { kind: e.kind, event: e.event } },
      h('time', { datetime: e.at }, other && h('span', { class: 'ev-day' }, on + ' '), seconds(ms)), h('span', { class: 'node', 'aria-hidden': 'true' }, e.kind === 'proof' && icon('check')),
      h('div', { class: 'ev-text' }, h('span', { class: 'ev-word' }, e.word), e.detail && h('span', { class: 'ev-where' }, e.detail), e.sub && h('span', { class: 'ev-sub' }, e.sub)), h('span'));
  }));
}

// ---- what can be done

const name = act => act.replace('-', '_');
const path = (r, act) => `/v1/reservations/${encodeURIComponent(r.id)}/${act}`;

// choose lets tables of the floor be chosen; those of the reservation are already.
async function chooseTables(r, act) {
  const { tables } = await get('/v1/tables');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const boxes = tables.map(x => h('label', { class: 'choice table-choice' }, h('input', { type: 'checkbox', value: x.name, checked: r.tables.includes(x.name) }), h('span', {}, x.name, x.checks?.length > 0 && h('small', {}, t('tables.seated')))));
  const body = h('fieldset', {}, h('legend', { class: 'hide' }, t('synced.tables')), h('div', { class: 'choices-grid' }, boxes), fault);
  const chosen = () => [...body.querySelectorAll(':checked')].map(e => e.value);
  const check = () => { fault.textContent = chosen().length ? '' : t('party.no_table_chosen'); return chosen().length > 0; };
  return await ask(t('party.' + name(act) + '_title', r.guest || r.reservation), t('party.' + name(act) + '_effect'), t('party.' + name(act) + '_yes'), false, { body, check }) ? { tables: chosen() } : null;
}

async function chooseCheck(r) {
  const { checks } = await get('/v1/checks?state=open');
  const free = checks.filter(c => !c.reservation), near = c => c.tables.some(x => r.tables.includes(x));
  free.sort((a, b) => near(b) - near(a) || b.number - a.number);
  if (!free.length) { toast(t('party.no_free_check'), 'bad'); return null; }
  const fault = h('p', { class: 'fault', role: 'alert' });
  const body = h('fieldset', {}, h('legend', { class: 'hide' }, t('party.checks')), free.map((c, i) => h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'check', value: c.id, checked: i === 0 && near(c) }),
    h('span', {}, h('b', {}, t('check.number', c.number), ' · ', c.tables.map(x => t('orders.table', x)).join(', ')), h('small', { class: 'soft' }, [c.covers && n('kitchen.covers', c.covers), t('check.since', when(c.opened_at)), plain(c.total) && money(c.total), c.guest].filter(Boolean).join(' · '))))), fault);
  const check = () => { fault.textContent = body.querySelector(':checked') ? '' : t('party.no_check_chosen'); return !!body.querySelector(':checked'); };
  return await ask(t('party.link_title', r.guest || r.reservation), t('party.link_effect'), t('party.link_yes'), false, { body, check }) ? { check: body.querySelector(':checked').value } : null;
}

async function chooseCovers(r) {
  const input = h('input', { type: 'number', min: 1, max: 1000, value: r.covers, inputmode: 'numeric', id: 'party-covers' }), fault = h('p', { class: 'fault', role: 'alert' });
  const check = () => { const ok = Number.isInteger(input.valueAsNumber) && input.valueAsNumber >= 1 && input.valueAsNumber <= 1000; fault.textContent = ok ? '' : t('party.covers_wrong'); return ok; };
  return await ask(t('party.covers_title', r.guest || r.reservation), t('party.covers_effect'), t('party.covers_yes'), false, { body: [h('label', {}, h('span', {}, t('check.covers')), input), fault], check }) ? { covers: input.valueAsNumber } : null;
}

const sure = (act, dangerous) => async r => await ask(t('party.' + name(act) + '_title', r.guest || r.reservation), t('party.' + name(act) + '_effect', money(r.deposits.remaining)), t('party.' + name(act) + '_yes'), dangerous) ? {} : null;
const ASKS = {
  retry: async () => ({}), link: chooseCheck, seat: r => chooseTables(r, 'seat'), assign: r => chooseTables(r, 'assign'), covers: chooseCovers,
  deposit: sure('deposit'), cancel: sure('cancel', true), 'no-show': sure('no-show', true),
};

async function act(button, r, what) {
  let body;
  button.disabled = true;
  try {
    body = await ASKS[what](r);
  } catch (fault) {
    toast(fault.message, 'bad');
  }
  button.disabled = false;
  if (!body) return;
  const answer = await perform(button, path(r, what), { body: Object.keys(body).length ? body : undefined });
  if (!answer) return;
  if (answer.problem && (what === 'retry' || what === 'seat')) toast(t('party.still', word('problem.', answer.problem)), 'bad');
  else toast(t('party.' + name(what) + '_done'), 'good');
  one.run();
}

function acts(r) {
  if (!may('manager', 'staff')) return null;
  const sits = r.state === 'seated' || r.state === 'partially_seated'; // who sits did come
  const order = ['retry', 'link', 'deposit', 'seat', 'assign', 'covers', 'no-show', 'cancel'].filter(a => r.may.includes(a) && !(sits && a === 'no-show'));
  if (!order.length) return null;
  const first = r.may.includes('retry') ? 'retry' : r.may.includes('deposit') ? 'deposit' : r.may.includes('seat') ? 'seat' : '';
  return h('footer', { class: 'p-acts' }, order.map(a => h('button', { class: 'button ' + (a === first ? 'primary' : a === 'cancel' || a === 'no-show' ? 'danger' : ''), type: 'button', id: 'do-' + a, onclick: e => act(e.currentTarget, r, a) }, t('party.' + name(a) + '_yes'))));
}
