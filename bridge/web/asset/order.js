// One order: the promise kept, shown. What happened to it to the millisecond, and the paper the cook held.

import { $, clock, get, h, icon, instant, money, n, number, seconds, site, span, svg, swap, t, word } from './base.js';
import { chip, inPos } from './lamps.js';
import { ask, follow, may, perform, sayFault } from './shell.js';

let current = '', close = () => {}, drawn = '', paperOn = 0;

// order shows an order in the panel; "" empties it.
export function order(id, onclose) {
  close = onclose;
  current = id;
  drawn = '';
  paperOn = 0;
  const panel = $('panel');
  panel.hidden = !id;
  if (!id) { swap(panel); return; }
  swap(panel, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i'), h('i')));
  panel.scrollTop = 0;
  one.run();
}

const one = follow(['order', 'ticket', 'job'], async () => {
  const id = current;
  if (!id) return;
  const o = await get('/v1/orders/' + encodeURIComponent(id));
  if (id !== current) return;
  const sign = JSON.stringify(o);
  if (sign === drawn) return;
  drawn = sign;
  draw(o);
});
one.fault = fault => {
  if (!current || drawn) return;
  const say = h('div', { class: 'say' });
  swap($('panel'), h('header', { class: 'p-head' }, h('span'), closeButton()), say);
  sayFault(say, fault, () => one.run());
};

const closeButton = () => h('button', { class: 'round', title: t('order.close'), 'aria-label': t('order.close'), onclick: () => close() }, icon('close'));

function draw(o) {
  const panel = $('panel');
  const keep = panel.scrollTop, focused = panel.contains(document.activeElement) ? document.activeElement.id : '';
  const line = (o.timeline || []).map(e => ({ ...e, ms: instant(e.at) })).sort((a, b) => a.ms - b.ms);
  // Tickets of a change or a cancellation came later; the promise is about the order as it arrived.
  const later = new Set((o.tickets || []).filter(k => k.kind && k.kind !== 'order').map(k => k.id));
  swap(panel,
    h('header', { class: 'p-head' },
      h('div', { class: 'p-title' }, h('h2', {}, t('order.number', o.number)), chip(o.state), o.in_pos && inPos(o.in_pos)),
      closeButton()),
    h('p', { class: 'p-sub' }, [
      o.table && t('orders.table', o.table), [o.partner?.name, o.partner?.order_id].filter(Boolean).join(' '), word('service.', o.service),
      o.covers > 0 && n('kitchen.covers', o.covers), o.customer?.name, o.staff, (o.ready_at || '').startsWith('0001') ? '' : o.ready_at && t('kitchen.due', clock(Date.parse(o.ready_at))),
    ].filter(Boolean).join(' · ')),
    o.allergy_note && h('p', { class: 'mark-allergy wide' }, h('strong', {}, t('kitchen.allergy')), ' ', o.allergy_note),
    pos(o),
    promise(line.filter(e => !later.has(e.ticket))),
    h('div', { class: 'p-cols' },
      h('section', { class: 'p-line' }, h('h3', {}, t('order.timeline')), timeline(line)),
      h('section', { class: 'p-paper' }, h('h3', {}, t('order.paper')), paper(o))),
    h('section', { class: 'p-lines' }, h('h3', {}, t('order.lines')), lines(o)),
    acts(o));
  panel.scrollTop = keep;
  if (focused) $(focused)?.focus({ preventScroll: true });
}

// ---- the promise: four figures and where they lie between the arrival and 100 ms

const first = (line, ...events) => line.find(e => events.includes(e.event));
const LIMIT = 100; // ms, the promise for the fast path (design.md, P7)

function promise(line) {
  const start = first(line, 'received') || line[0];
  if (!start) return null;
  // What a scheduled order waits for is not the box: its way to paper is counted from its release.
  const release = first(line, 'released');
  const from = release && release.ms - start.ms > 1000 ? release.ms : start.ms;
  const step = (key, e, since, limit) => ({ key, e, ms: e ? e.ms - since : NaN, limit });
  const sent = lastSent(line);
  const steps = [
    step('disk', first(line, 'committed'), start.ms, LIMIT),
    step('sent', sent, from, LIMIT),
    step('screen', first(line, 'painted'), from),
    step('printed', lastProof(line), from),
  ];
  return h('section', { class: 'promise', 'aria-label': t('promise.title') },
    h('div', { class: 'figures' }, steps.map(s => h('div', { class: 'figure', data: { step: s.key, state: Number.isNaN(s.ms) ? 'open' : s.limit && s.ms > s.limit ? (s.key === 'sent' && queuedAt(line) ? 'queued' : 'over') : 'kept' } },
      h('span', { class: 'figure-word' }, s.key === 'printed' && /\bnone\b/.test(s.e?.detail || '') ? t('promise.unproved') : t('promise.' + s.key)),
      h('span', { class: 'figure-value' }, Number.isNaN(s.ms) ? '–' : span(s.ms)),
      h('span', { class: 'figure-note' }, note(s, line))))),
    ruler(steps));
}

// lastSent is the moment the last ticket's last byte was taken. A ticket that stood in its printer's queue waited for
// the tickets before it, not for the box; it counts only when there is no other.
function lastSent(line) {
  const queued = new Set(line.filter(e => e.event === 'job_queued').map(e => e.job));
  const all = firstPerTicket(line, 'job_sent');
  return all.filter(e => !queued.has(e.job)).at(-1) || all.at(-1);
}

// firstPerTicket gives the first of such steps of each ticket, in the order of time: a reprint is another story.
function firstPerTicket(line, ...events) {
  const by = new Map();
  for (const e of line) if (events.includes(e.event) && !by.has(e.ticket || e.job)) by.set(e.ticket || e.job, e);
  return [...by.values()].sort((a, b) => a.ms - b.ms);
}

// queuedAt names the printers whose queue a ticket of this order stood in.
const queuedAt = line => [...new Set(line.filter(e => e.event === 'job_queued').map(e => e.printer || e.station))].join(', ');

const lastProof = line => firstPerTicket(line, 'job_printed', 'job_done').at(-1);

function note(s, line) {
  switch (s.key) {
    case 'disk': return s.e ? t('promise.disk_note') : t('promise.open');
    case 'sent': return !s.e ? t('promise.open') : queuedAt(line) ? t('promise.queued', queuedAt(line)) : stationsOf(line, 'job_sent');
    case 'screen': return s.e ? stationsOf(line, 'painted') : t('promise.open');
    default: return s.e ? proofOf(s.e) : t('promise.open');
  }
}

const stationsOf = (line, ...events) => [...new Set(line.filter(e => events.includes(e.event)).map(e => e.station || e.printer).filter(Boolean))].join(', ');
const proofs = { process_id: 'GS ( H', fence: 'GS r' };

// proofOf says by what a printed ticket is known to be on paper.
function proofOf(e) {
  const d = e.detail || '';
  for (const [name, command] of Object.entries(proofs)) if (d.includes(name) || d.includes(command)) return t('proof.' + name);
  return /\bnone\b/.test(d) ? t('proof.none') : d || t('proof.told');
}

// detailOf says what a printer's step says besides: the number on its paper, or why.
function detailOf(e) {
  const sequence = /^(?:attempt (\d+), )?sequence (\d+)$/.exec(e.detail || '');
  if (!sequence) return word('reason.', e.detail);
  return [t('order.sequence', sequence[2]), sequence[1] && t('order.attempt', sequence[1])].filter(Boolean).join(' · ');
}

// ruler draws the steps on a logarithmic scale with the promise as a line.
function ruler(steps) {
  const W = 800, H = 66, L = 12, R = W - 12, Y = 30;
  const done = steps.filter(s => !Number.isNaN(s.ms));
  const max = Math.max(1000, ...done.map(s => s.ms * 1.3));
  const MIN = 0.5;
  const x = ms => L + (R - L) * Math.log(Math.max(MIN, ms) / MIN) / Math.log(max / MIN);
  const ticks = [1, 10, 100, 1000, 10e3, 60e3, 600e3].filter(v => v <= max);
  const g = svg('svg', { class: 'ruler', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': done.map(s => `${t('promise.' + s.key)} ${span(s.ms)}`).join(', ') },
    svg('rect', { class: 'r-kept', x: L, y: Y - 9, width: x(LIMIT) - L, height: 18, rx: 4 }),
    svg('line', { class: 'r-axis', x1: L, y1: Y, x2: R, y2: Y }),
    ticks.map(v => [svg('line', { class: v === LIMIT ? 'r-limit' : 'r-tick', x1: x(v), y1: v === LIMIT ? Y - 18 : Y - 4, x2: x(v), y2: v === LIMIT ? Y + 14 : Y + 4 }),
      svg('text', { class: v === LIMIT ? 'r-promise' : 'r-word', x: x(v), y: H - 6, 'text-anchor': v >= max * 0.7 ? 'end' : 'middle' }, v === LIMIT ? t('promise.limit', span(v)) : v < 1000 ? `${v} ms` : v < 60e3 ? `${v / 1000} s` : `${v / 60e3} min`)]),
    done.map(s => svg('circle', { class: 'r-dot', 'data-step': s.key, cx: x(s.ms), cy: Y, r: s.key === 'printed' ? 7 : 5.5 })));
  return g;
}

// ---- the time line

const MAJOR = new Set(['received', 'committed', 'job_printed', 'job_done', 'painted', 'bumped', 'cancelled']);
const BAD = new Set(['job_unknown', 'job_held', 'job_waiting', 'cancelled']);

function timeline(line) {
  if (!line.length) return h('p', { class: 'soft' }, t('order.timeline_empty'));
  const start = (first(line, 'received') || line[0]).ms;
  let before = '';
  return h('ol', { class: 'line' }, line.map(e => {
    const at = seconds(e.ms), same = at === before;
    before = at;
    const where = e.station && e.printer && e.station !== e.printer ? `${e.station} → ${e.printer}` : e.station || e.printer || '';
    const proof = e.event === 'job_printed' || e.event === 'job_done';
    const sub = [e.by && t('order.by', e.by), proof ? proofOf(e) : e.event.startsWith('job_') ? detailOf(e) : (e.detail || '').replace(/^version (\d+)$/, (_, v) => t('order.version', v))].filter(Boolean).join(' · ');
    return h('li', { class: 'ev', data: { event: e.event, kind: BAD.has(e.event) ? 'bad' : proof ? 'proof' : MAJOR.has(e.event) ? 'major' : '' } },
      h('time', { datetime: e.at }, h('span', { class: same && 'same' }, at), h('span', { class: 'ms' }, '.' + String(Math.floor(e.ms % 1000)).padStart(3, '0'))),
      h('span', { class: 'node', 'aria-hidden': 'true' }, proof && icon('check')),
      h('div', { class: 'ev-text' }, h('span', { class: 'ev-word' }, word('event.', e.event)), where && h('span', { class: 'ev-where' }, where), sub && h('span', { class: 'ev-sub' }, sub)),
      h('span', { class: 'ev-since' }, e.ms === start ? '' : '+' + span(e.ms - start)));
  }));
}

// ---- the paper

function paper(o) {
  const jobs = (o.tickets || []).flatMap(k => (k.jobs || []).map(j => ({ ...j, station: k.station, kind: k.kind })));
  if (!jobs.length) return h('p', { class: 'soft' }, t('order.paper_none'));
  if (paperOn >= jobs.length) paperOn = 0;
  const box = h('div', { class: 'sheetbox' });
  const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': t('order.paper') });
  const show = i => {
    paperOn = i;
    const j = jobs[i];
    swap(tabs, jobs.length > 1 && jobs.map((x, k) => h('button', { role: 'tab', class: 'tab', 'aria-selected': String(k === i), onclick: () => show(k) }, x.kind === 'order' || !x.kind ? x.station : `${x.station} · ${word('kind.', x.kind)}`)));
    const picture = h('img', { class: 'ticket-picture', alt: t('order.paper_alt', j.station, o.number), src: `/v1/jobs/${encodeURIComponent(j.id)}/preview.png`, decoding: 'async' });
    picture.addEventListener('error', () => swap(box, h('p', { class: 'soft' }, t('order.paper_fault'))));
    swap(box, picture,
      h('p', { class: 'paper-state', data: { state: j.state } }, h('span', { class: 'shape', 'aria-hidden': 'true' }),
        [word('job.state.', j.state), j.printer, j.attempt > 1 && t('order.attempt', j.attempt), word('reason.', j.reason)].filter(Boolean).join(' · ')));
  };
  show(paperOn);
  return [tabs, box];
}

// ---- what was ordered

function lines(o) {
  const cost = l => l.quantity * ((l.price || 0) + mods(l.modifiers));
  const mods = list => (list || []).reduce((sum, m) => sum + (m.quantity || 1) * ((m.price || 0) + mods(m.modifiers)), 0);
  const tree = list => list?.length ? h('ul', {}, list.map(m => h('li', {}, m.quantity > 1 ? `${m.quantity} × ` : '', m.name, tree(m.modifiers)))) : null;
  const currency = o.currency || site.currency;
  return h('table', { class: 'rows plain' }, h('tbody', {},
    (o.lines || []).map(l => h('tr', {}, h('td', { class: 'num strong' }, number(l.quantity)),
      h('td', {}, l.name, tree(l.modifiers), l.notes && h('p', { class: 'em' }, l.notes), l.allergens?.length > 0 && h('span', { class: 'mark-allergy' }, l.allergens.join(' · '))),
      h('td', { class: 'num' }, money(cost(l), currency)))),
    h('tr', { class: 'sum' }, h('td'), h('td', {}, t('orders.total')), h('td', { class: 'num strong' }, money(o.total, currency)))));
}

// ---- the POS: whether it has the order, and what a person has to do about it

function pos(o) {
  const i = o.injection || {}, d = o.delivery || {}, notes = [], amount = v => money(v, o.currency || site.currency);
  const why = [word('injection.', i.cause), i.detail].filter(Boolean).join(' · ');
  const strong = (...args) => h('b', {}, t(...args));
  if (o.state === 'waiting_accept' && d.accept_by) notes.push(strong('order.accept_until', clock(Date.parse(d.accept_by))));
  if (o.in_pos === 'no') notes.push([strong('order.pos_failed'), why && ' · ' + why]);
  else if (i.state === 'failing') notes.push([strong('order.pos_retrying', number(i.attempts), i.next_at ? seconds(Date.parse(i.next_at)) : '–'), why && ' · ' + why]);
  else if (i.open_items) notes.push(t('order.pos_open_items', i.detail || ''));
  if (i.stale) notes.push(strong('order.pos_stale'));
  if (o.void_pending) notes.push(strong('order.void_task'));
  if (d.other) notes.push(t('order.duplicate', d.other));
  if (d.difference) notes.push(t('order.totals', amount(o.total), amount(i.pos_total), amount(d.difference)));
  for (const unsure of d.unsure || []) notes.push(t('order.unsure', word('unsure.', unsure)));
  if (notes.length && i.pos_id) notes.push(h('span', { class: 'mono' }, t('order.pos_reference', i.pos_id)));
  return notes.length > 0 && h('div', { class: 'p-why pos-why', data: { grade: o.in_pos === 'no' || o.void_pending ? 'bad' : 'warn' }, id: 'pos-why' }, notes.map(x => h('p', {}, x)));
}

async function decide(o, button, verb, { title, effect, yes, danger, done, query, more } = {}) {
  if (title && !await ask(t(title, o.number), t(effect), t(yes), danger, more)) return;
  await perform(button, `/v1/orders/${encodeURIComponent(o.id)}/${verb}${query?.() || ''}`, { done: t(done, o.number) });
  one.run();
}

const REASONS = ['RESTAURANT_TOO_BUSY', 'KITCHEN_CLOSED', 'UNAVAILABLE_ITEM', 'RESTAURANT_INTERNAL_ISSUE'];

function refuse(o, button) {
  const why = h('select', { id: 'reject-reason' }, REASONS.map(r => h('option', { value: r }, t('reject.' + r))));
  decide(o, button, 'reject', { title: 'order.reject_title', effect: 'order.reject_effect', yes: 'order.reject_yes', danger: true, done: 'order.reject_done', query: () => '?reason=' + why.value,
    more: { body: h('div', { class: 'field-row' }, h('label', { for: 'reject-reason' }, t('order.reject_reason')), why) } });
}

function posActs(o) {
  const button = (id, key, kind, act) => h('button', { id, class: 'button ' + kind, onclick: e => act(e.currentTarget) }, t(key));
  return [
    o.state === 'waiting_accept' && button('accept', 'order.accept', 'primary', b => decide(o, b, 'accept', { done: 'order.accept_done' })),
    o.state === 'waiting_accept' && button('reject', 'order.reject', 'danger', b => refuse(o, b)),
    o.in_pos === 'no' && !CLOSED.has(o.state) && button('retry', 'order.retry', 'primary', b => decide(o, b, 'retry', { done: 'order.retry_done' })),
    (o.in_pos === 'no' || o.injection?.state === 'failing') && !CLOSED.has(o.state) && button('manual', 'order.manual', '', b => decide(o, b, 'added-manually', { title: 'order.manual_title', effect: 'order.manual_effect', yes: 'order.manual_yes', done: 'order.manual_done' })),
    o.void_pending && button('void', 'order.void_done', 'primary', b => decide(o, b, 'void-done', { title: 'order.void_title', effect: 'order.void_effect', yes: 'order.void_yes', done: 'order.void_told' })),
  ].filter(Boolean);
}

// ---- what can be done

const FINAL = new Set(['fulfilled', 'cancelled', 'rejected']), CLOSED = new Set(['cancelled', 'rejected']);

function acts(o) {
  const stations = [...new Set((o.tickets || []).map(k => k.station))];
  const buttons = posActs(o);
  for (const k of o.tickets || []) {
    if (!(k.jobs || []).some(j => !['queued', 'superseded', 'cancelled'].includes(j.state))) continue;
    buttons.push(h('button', { id: 'reprint-' + k.id, class: 'button', onclick: async e => {
      const button = e.currentTarget;
      if (await ask(t('order.reprint_title', k.station), t('order.reprint_effect', k.station), t('order.reprint_yes'))) {
        await perform(button, `/v1/tickets/${encodeURIComponent(k.id)}/reprint`, { done: t('order.reprint_done', k.station) });
        one.run();
      }
    } }, t('order.reprint', k.station)));
  }
  if (!FINAL.has(o.state)) {
    buttons.push(h('button', { id: 'cancel-order', class: 'button danger', onclick: async e => {
      const button = e.currentTarget;
      const effect = stations.length ? t('order.cancel_effect', stations.join(', ')) : t('order.cancel_effect_none');
      if (await ask(t('order.cancel_title', o.number), effect, t('order.cancel_yes'), true)) {
        await perform(button, `/v1/orders/${encodeURIComponent(o.id)}/cancel`, { done: t('order.cancel_done', o.number) });
        one.run();
      }
    } }, t('order.cancel')));
  }
  if (!buttons.length || !may('manager', 'staff')) return null;
  return h('footer', { class: 'p-acts' }, buttons);
}
