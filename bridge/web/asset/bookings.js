// Booking list: who is expected and who sits, for the hand at a till. What is done here is told to the platform where it takes
// that; where it does not, the button or the answer says so.

import { $, call, clock, day, get, h, icon, money, n, newKey, number, site, swap, t, when, word } from './base.js';
import { tablePicker } from './tablepicker.js';
import { ask, follow, may, ready, say, sayFault, toast } from './shell.js';

const VIEWS = ['now', 'seated', 'today', 'tomorrow'];
const OVER = ['departed', 'cancelled', 'no_show', 'error'], SITS = ['seated', 'partially_seated'];
// What the list of upcoming parties shows, as tills have it: an hour back, four ahead (spec/reservations.md 7).
const BACK = 3600e3, AHEAD = 4 * 3600e3;

let view = new URLSearchParams(location.search).get('view') || 'now', links = [], all = [], loaded = false, drawn = '', shown = '', busy = false;
if (!VIEWS.includes(view)) view = 'now';

const selected = () => decodeURIComponent(/^\/integration\/bookings\/(.+)$/.exec(location.pathname)?.[1] || '');
const href = id => '/integration/bookings' + (id ? '/' + encodeURIComponent(id) : '') + (view === 'now' ? '' : '?view=' + view);
const link = platform => links.find(l => l.platform === platform);
const title = platform => link(platform)?.title || platform;

// businessDate is the business day of a moment as 2026-11-21.
function businessDate(ms) {
  const [hour, minute] = site.dayClose.split(':').map(Number);
  return new Intl.DateTimeFormat('en-CA', { timeZone: site.timezone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms - ((hour || 0) * 60 + (minute || 0)) * 60e3);
}

// ---- the list

function fits(r) {
  const at = Date.parse(r.scheduled_at), now = Date.now();
  if (view === 'seated') return SITS.includes(r.state);
  if (view === 'now') return !OVER.includes(r.state) && !SITS.includes(r.state) && at > now - BACK && at < now + AHEAD;
  return true;
}

const state = r => h('span', { class: 'state', data: { grade: r.problem ? 'bad' : SITS.includes(r.state) ? 'ok' : '' } }, word('booking.', r.state));

const row = r => h('a', { class: 'booking' + (r.id === selected() ? ' selected' : ''), href: href(r.id), data: { id: r.id, over: OVER.includes(r.state) ? 'yes' : 'no' } },
  h('time', {}, clock(Date.parse(r.scheduled_at)), r.late && h('small', {}, t('bookings.late'))),
  h('span', { class: 'booking-who' }, h('b', {}, r.guest || t('bookings.no_name')), h('small', {}, [n('kitchen.covers', r.covers), title(r.platform), r.walk_in && t('check.walk_in'), r.vip && 'VIP'].filter(Boolean).join(' · '))),
  h('span', { class: 'booking-table' }, r.tables.length ? r.tables.join(', ') : h('span', { class: 'soft' }, t('bookings.no_table'))),
  h('span', { class: 'booking-state' }, state(r), r.problem && h('small', { class: 'booking-problem' }, word('problem.', r.problem))));

function draw() {
  const body = $('body'), text = $('find').value.trim().toLowerCase();
  const list = all.filter(r => fits(r) && (!text || r.guest.toLowerCase().includes(text) || r.reservation.toLowerCase().includes(text) || r.tables.some(x => x.toLowerCase() === text)));
  swap($('views'), VIEWS.map(v => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(v === view), onclick: () => { view = v; drawn = ''; history.pushState(null, '', href(selected())); bookings.run(); } }, t('bookings.view.' + v))));
  const heard = links.map(l => Date.parse(l.heard_at || l.pulled_at || '')).filter(x => x > 0);
  $('age').textContent = heard.length ? t('bookings.heard', when(new Date(Math.max(...heard)).toISOString())) : '';
  const sign = JSON.stringify([list, selected(), view]);
  if (sign === drawn) return;
  drawn = sign;
  body.setAttribute('aria-busy', 'false');
  if (!list.length) {
    body.className = 'sheet say';
    const silent = links.filter(l => !l.capabilities.bookings).map(l => l.title);
    say(body, t(text ? 'rows.none_found' : 'bookings.empty.' + view), text ? t('rows.none_found_remedy') : silent.length && view !== 'seated' ? t('bookings.silent', silent.join(', ')) : t('bookings.empty_remedy'));
    return;
  }
  body.className = 'sheet bookings';
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.id : '';
  swap(body, list.map(row));
  if (focused) body.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

// ---- what can be done

// done says what became of an act, and whether the platform hears of it.
function done(r, key, told) {
  toast(t('bookings.did.' + key) + ' ' + (told ? t('bookings.told', title(r.platform)) : t('bookings.stays', title(r.platform))), 'good');
}

async function act(r, what, body, told) {
  if (busy) return;
  busy = true;
  for (const b of $('panel').querySelectorAll('button')) b.disabled = true;
  try {
    const answer = (await call('POST', `/v1/reservations/${encodeURIComponent(r.id)}/${what}`, { key: newKey(), body })).body;
    if (answer.problem) toast(t('bookings.but', word('problem.', answer.problem), answer.remedy), 'bad');
    else done(r, what.replace('-', '_'), told);
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
  }
  busy = false;
  shown = drawn = '';
  bookings.run();
  one.run();
}

async function pickTables(r, what) {
  let floor;
  try { floor = (await get('/v1/tables')).tables || []; } catch (fault) { toast(fault.message, 'bad'); return; }
  const picker = tablePicker(floor, r.tables, link(r.platform)?.settings.multi_table !== false);
  const takes = what === 'seat' ? link(r.platform)?.capabilities.statuses.includes('seated') : link(r.platform)?.capabilities.moves;
  const ok = await ask(t('bookings.' + what + '_title', r.guest || t('bookings.no_name')), t('bookings.' + what + '_effect'), t('bookings.' + what), false, { body: picker.node, check: () => what === 'seat' || picker.read().length > 0 });
  if (ok) act(r, what, { tables: picker.read() }, takes);
}

async function covers(r) {
  let count = r.covers;
  const shows = h('output', { class: 'count' }, number(count));
  const step = by => () => { count = Math.min(Math.max(count + by, 1), 1000); shows.textContent = number(count); };
  const body = h('div', { class: 'stepper' }, h('button', { type: 'button', class: 'button', 'aria-label': t('bookings.fewer'), onclick: step(-1) }, '−'), shows, h('button', { type: 'button', class: 'button', id: 'more', 'aria-label': t('bookings.more'), onclick: step(1) }, '+'));
  if (await ask(t('bookings.covers_title', r.guest || t('bookings.no_name')), t('bookings.covers_effect'), t('bookings.covers'), false, { body }) && count !== r.covers) act(r, 'covers', { covers: count }, link(r.platform)?.capabilities.covers);
}

async function end(r, what) {
  if (await ask(t(`bookings.${what.replace('-', '_')}_title`, r.guest || t('bookings.no_name')), t('bookings.end_effect', title(r.platform)), t('bookings.' + what.replace('-', '_')), true)) act(r, what, undefined, true);
}

async function deposit(r) {
  if (await ask(t('bookings.deposit_title', money(r.deposits.remaining)), t('bookings.deposit_effect'), t('bookings.deposit'))) act(r, 'deposit', undefined, false);
}

function acts(r) {
  const can = x => r.may.includes(x), open = r.order_state === 'open';
  const button = (id, key, does, kind = '') => h('button', { class: 'button ' + kind, type: 'button', id: 'do-' + id, onclick: does }, t(key));
  const refused = what => h('button', { class: 'button', type: 'button', disabled: true, id: 'do-' + what, title: t('bookings.not_supported', title(r.platform)) }, t('bookings.' + what.replace('-', '_')), h('small', {}, t('bookings.not_supported', title(r.platform))));
  const over = OVER.includes(r.state);
  return h('footer', { class: 'p-acts booking-acts' },
    can('seat') && button('seat', 'bookings.seat', () => pickTables(r, 'seat'), 'primary'),
    can('retry') && button('retry', 'bookings.retry', () => act(r, 'retry', undefined, false), 'primary'),
    can('assign') && button('assign', 'bookings.assign', () => pickTables(r, 'assign')),
    can('covers') && button('covers', 'bookings.covers', () => covers(r)),
    open && r.deposits.remaining > 0 && button('deposit', 'bookings.deposit', () => deposit(r)),
    open && r.checks.length > 0 && h('a', { class: 'button', id: 'to-check', href: '/tables/' + encodeURIComponent(r.checks.at(-1)) }, t('bookings.to_check')),
    !over && ['no-show', 'cancel'].map(x => can(x) ? button(x, 'bookings.' + x.replace('-', '_'), () => end(r, x), 'danger') : refused(x)));
}

// ---- one booking

const fact = (key, value) => value && h('div', { class: 'fact' }, h('dt', {}, t('bookings.fact.' + key)), h('dd', {}, value));

function drawOne(r) {
  const panel = $('panel'), keep = panel.scrollTop, focused = panel.contains(document.activeElement) ? document.activeElement.id : '';
  const p = r.party || {}, allergens = (p.allergens || []).join(', ');
  swap(panel,
    h('header', { class: 'p-head' }, h('div', { class: 'p-title' }, h('h2', {}, r.guest || t('bookings.no_name')), state(r)), h('button', { class: 'round', title: t('order.close'), 'aria-label': t('order.close'), onclick: () => go('') }, icon('close'))),
    h('p', { class: 'p-sub' }, [clock(Date.parse(r.scheduled_at)), n('kitchen.covers', r.covers), r.tables.length ? r.tables.map(x => t('orders.table', x)).join(', ') : t('bookings.no_table'), title(r.platform)].join(' · ')),
    allergens && h('p', { class: 'mark-allergy' }, t('kitchen.allergy') + ' ' + allergens),
    r.problem && h('div', { class: 'p-why', data: { grade: r.problem === 'order_creation_disabled' ? 'warn' : 'bad' } }, h('b', {}, word('problem.', r.problem)), r.detail && h('p', {}, r.detail), h('p', {}, r.remedy),
      r.problem === 'invalid_table' && h('a', { href: '/integration/floorplans?platform=' + encodeURIComponent(r.platform) }, t('bookings.to_floorplans'))),
    (r.flags || []).map(f => h('p', { class: 'p-why', data: { grade: 'warn' } }, h('b', {}, f.text), ' ', f.remedy)),
    h('dl', { class: 'facts' },
      fact('reference', r.reservation), fact('day', day(Date.parse(r.scheduled_at))), fact('order', word('link.', r.order_state)), fact('stage', r.stage && word('stage.', r.stage)),
      fact('phone', p.phone && h('a', { href: 'tel:' + p.phone.replace(/[^+0-9]/g, '') }, p.phone)), fact('dietary', (p.dietary || []).join(', ')), fact('food', p.food_notes), fact('request', r.guest_request), fact('notes', r.notes),
      fact('deposit', r.deposits.paid > 0 && t('bookings.deposit_of', money(r.deposits.remaining), money(r.deposits.paid)))),
    acts(r));
  panel.scrollTop = keep;
  if (focused) $(focused)?.focus({ preventScroll: true });
}

const one = follow(['reservation', 'check'], async () => {
  const id = selected();
  if (!id) return;
  const r = await get('/v1/reservations/' + encodeURIComponent(id));
  await ready;
  const sign = JSON.stringify(r);
  if (id !== selected() || sign === shown || busy) return;
  shown = sign;
  drawOne(r);
});
one.fault = fault => {
  if (shown) return;
  const words = h('div', { class: 'say' });
  swap($('panel'), words);
  sayFault(words, fault, () => one.run());
};

function go(id) {
  history.pushState(null, '', href(id));
  route();
}

function route() {
  const id = selected(), panel = $('panel');
  $('split').classList.toggle('open', !!id);
  panel.hidden = !id;
  shown = '';
  for (const e of document.querySelectorAll('.booking')) e.classList.toggle('selected', e.dataset.id === id);
  if (!id) { swap(panel); return; }
  swap(panel, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
  one.run();
  panel.focus({ preventScroll: true });
}

// ---- the two switches that a shift may want to turn (RES-13)

function orderSettings() {
  const place = $('order-settings');
  place.hidden = !links.length;
  swap(place, h('h2', {}, t('bookings.settings')), h('div', { class: 'sheet pad' }, links.map(l => h('div', { class: 'switch-row' }, h('b', {}, l.title), ['open_checks', 'walk_ins'].map(k => {
    const input = h('input', { type: 'checkbox', id: `${l.platform}-${k}`, checked: l.settings[k], disabled: !may('manager') || k === 'walk_ins' && !l.settings.open_checks, onchange: e => turn(l, k, e.target.checked) });
    return h('label', { class: 'tick' }, input, h('span', {}, t('bookings.set.' + k)));
  }))), !may('manager') && h('p', { class: 'soft' }, t('bookings.settings_manager'))));
}

async function turn(l, key, on) {
  const settings = { ...l.settings, [key]: on };
  if (!settings.open_checks) settings.walk_ins = false;
  try {
    await call('PUT', '/v1/integrations/' + encodeURIComponent(l.platform), { body: { settings, revision: l.revision } });
    toast(t(on ? 'bookings.turned_on' : 'bookings.turned_off', t('bookings.set.' + key), l.title), 'good');
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
  }
  bookings.run();
}

const bookings = follow(['reservation', 'integration', 'setting', 'check'], async () => {
  const today = businessDate(Date.now() + (view === 'tomorrow' ? 24 * 3600e3 : 0)), asked = view;
  const [platforms, rows] = await Promise.all([get('/v1/integrations'), get(`/v1/reservations?from=${today}&to=${today}`)]);
  await ready;
  if (asked !== view) return;
  links = (platforms.integrations || []).filter(l => l.on);
  all = rows.reservations || [];
  loaded = true;
  draw();
  orderSettings();
});
bookings.fault = fault => {
  if (loaded && fault.status !== 403) return;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  body.className = 'sheet say';
  if (fault.status === 404) say(body, t('floorplans.no_platform'), t('bookings.no_platform_remedy'));
  else sayFault(body, fault, () => bookings.run());
};

$('find').addEventListener('input', draw);
document.addEventListener('click', e => {
  const a = e.target.closest?.('a.booking');
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  go(a.dataset.id);
});
addEventListener('popstate', () => { const v = new URLSearchParams(location.search).get('view') || 'now'; if (v !== view && VIEWS.includes(v)) { view = v; drawn = ''; bookings.run(); } route(); });
addEventListener('keydown', e => { if (e.key === 'Escape' && selected() && !document.querySelector('dialog')) go(''); });
if (selected()) route();
