// The kitchen screen: tickets in slots, hands on keys or glass, a stream that says what is so. Order text reaches the
// page only as text nodes (base.js, h).

import { $, Fault, age, call, clock, get, h, icon, n, newKey, swap, t, word, write } from './base.js';
import { Board, UNDO } from './board.js';
import { Outbox } from './outbox.js';
import { Sound } from './sound.js';
import { Stream } from './stream.js';

const TWICE = 400; // ms in which a second act on one slot is a bounce of the hand
const RESYNC = 10e3; // ms between two requests for a snapshot; doubles when nothing was different
const PAINTED = 250; // ms of gathering before painted tickets are told

const root = document.documentElement;
const screen = document.body.dataset.screen;
let stations = (document.body.dataset.stations || '').split(' · ').filter(Boolean);

const tickets = new Map(); // by id, as the box last told
const versions = new Map(); // highest version seen, so that a late old event changes nothing
const board = new Board();
const durations = []; // {at, ms} of tickets that left here
let selected = null;
let loaded = false;
let printers = null, warnings = 0;
let lateBefore = new Set();
let refusal = 0;

// ---- what a ticket is to this screen

const shows = k => k.state === 'new' || k.state === 'cooking' || (k.state === 'cancelled' && k.changed_unseen);

// hidden: somebody here already sent it away and the box has not answered yet.
function hidden(k) {
  const act = outbox.of(k.id);
  return act?.verb === 'bump' || (act?.verb === 'seen' && k.state === 'cancelled');
}

function open() {
  return [...tickets.values()].filter(k => shows(k) && !hidden(k)).sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.number - b.number);
}

// clockOf gives the figure in a ticket's head and its grade: 0 calm, 1 warn, 2 late.
function clockOf(k, now) {
  const warn = (k.warn_after || 600) * 1e3, late = (k.late_after || 900) * 1e3;
  if (k.state === 'cancelled') return { text: '', grade: 0 };
  if (k.due && k.service !== 'dine_in') { // towards the courier or the guest who comes for it
    const left = Date.parse(k.due) - now;
    return { text: left < 0 ? '+' + age(-left) : age(left), grade: left < 0 ? 2 : left < Math.max(60e3, late - warn) ? 1 : 0, left: true };
  }
  const since = now - Date.parse(k.at);
  return { text: age(since), grade: since >= late ? 2 : since >= warn ? 1 : 0 };
}

const marks = ['', ' !', ' !!'];

function nameOf(k) {
  if (k.table) return /^\d/.test(k.table) ? 'T' + k.table : k.table;
  return '#' + k.number;
}

function besides(k) {
  const parts = [];
  if (stations.length > 1 && k.station) parts.push(k.station);
  if (k.table) parts.push('#' + k.number);
  if (k.partner?.order_id) parts.push(k.partner.order_id);
  if (k.covers) parts.push(n('kitchen.covers', k.covers));
  if (k.staff) parts.push(k.staff);
  if (k.customer) parts.push(k.customer);
  if (!k.table && !k.partner?.name && k.service) parts.unshift(word('service.', k.service));
  return parts.join(' · ');
}

function allergy(k) {
  const all = new Set();
  if (k.allergy_note) all.add(k.allergy_note);
  for (const line of k.lines || []) if (line.change !== 'removed') for (const a of line.allergens || []) if (!(k.allergy_note || '').toLowerCase().includes(a.toLowerCase())) all.add(a);
  return [...all].join(' · ');
}

// ---- drawing a ticket

function drawHead(k, digit, part) {
  const c = clockOf(k, stream.now());
  const pending = outbox.of(k.id);
  return h('header', { class: 'k-head' },
    h('div', { class: 'k-row' },
      h('span', { class: 'k-digit' }, digit),
      h('span', { class: 'k-name' }, nameOf(k), k.partner?.name && h('span', { class: 'k-partner' }, k.partner.name)),
      pending && h('span', { class: 'k-pending', title: t('kitchen.pending') }, icon('clock')),
      h('span', { class: 'k-age', data: { id: k.id } }, c.text + marks[c.grade])),
    part === 0
      ? h('div', { class: 'k-sub' }, h('span', {}, besides(k)), k.due && h('span', { class: 'k-due' }, t('kitchen.due', clock(Date.parse(k.due)))))
      : h('div', { class: 'k-sub' }, h('span', {}, t('kitchen.continued'))));
}

function drawFlags(k) {
  const flags = [];
  if (k.state === 'cancelled') flags.push(h('div', { class: 'k-flag cancelled' }, t('kitchen.cancelled')));
  else if (k.changed_unseen) flags.push(h('div', { class: 'k-flag' }, t('kitchen.changed')));
  const a = allergy(k);
  if (a) flags.push(h('div', { class: 'k-allergy' }, h('strong', {}, t('kitchen.allergy')), ' ', a));
  if (k.notes) flags.push(h('div', { class: 'k-note' }, k.notes));
  return flags;
}

function drawLine(line, before) {
  const changed = line.change === 'changed' && line.was !== undefined && line.was !== line.quantity;
  return h('li', { class: ['k-line', line.change, before !== undefined && before !== line.course && 'course'].filter(Boolean).join(' ') },
    h('span', { class: 'k-quantity' }, changed && h('s', {}, line.was), changed && ' → ', line.change === 'added' && '+ ', String(line.quantity)),
    h('div', { class: 'k-what' },
      h('span', { class: 'k-item' }, line.name),
      line.change === 'removed' && h('span', { class: 'k-word' }, t('kitchen.removed')),
      (line.modifiers || []).map(m => h('div', { class: 'k-modifier', data: { level: Math.min(5, m.level || 1) } }, m.quantity > 1 ? `${m.quantity} × ${m.name}` : m.name)),
      line.notes && h('div', { class: 'k-note' }, line.notes),
      line.allergens?.length > 0 && line.change !== 'removed' && h('div', { class: 'k-allergy' }, h('strong', { 'aria-hidden': 'true' }, '!!'), h('span', { class: 'hide' }, t('kitchen.allergy')), ' ', line.allergens.join(' · '))));
}

function drawActs(k) {
  const button = (verb, text, kind) => h('button', { class: 'k-act ' + kind, data: { act: verb, id: k.id } }, text);
  if (k.changed_unseen) return h('div', { class: 'k-acts' }, button('seen', t('kitchen.seen'), 'seen'));
  return h('div', { class: 'k-acts' },
    k.state === 'new' ? button('start', t('kitchen.start'), 'start') : h('span', { class: 'k-started' }, t('kitchen.started'), k.also?.length > 0 && h('small', {}, t('kitchen.also', k.also.join(', ')))),
    button('bump', t('kitchen.bump'), 'bump'));
}

function drawFoot(k) {
  return [k.also?.length > 0 && (k.state !== 'cooking' || k.changed_unseen) && h('div', { class: 'k-also' }, t('kitchen.also', k.also.join(', '))), drawActs(k)];
}

// ---- how many slots a ticket takes: measured, since only the page knows how its words wrap

const measurer = h('div', { class: 'k-slot k-measure', 'aria-hidden': 'true' });
const chunks = new Map(); // id -> {sign, parts: [from, to, overflows] …}

function partsOf(k) {
  const sign = `${k.version}/${k.state}/${k.changed_unseen}/${slotSize.width}x${slotSize.height}`;
  const known = chunks.get(k.id);
  if (known?.sign === sign) return known.parts;
  const lines = k.lines || [];
  const items = lines.map((line, i) => drawLine(line, lines[i - 1]?.course));
  const head = drawHead(k, '0', 0), again = drawHead(k, '0', 1), flags = h('div', {}, drawFlags(k)), foot = h('div', {}, drawFoot(k));
  const more = h('div', { class: 'k-more' }, t('kitchen.continues'));
  swap(measurer, h('article', { class: 'k-card' }, head, flags, h('ol', { class: 'k-lines' }, items), more, foot), again);
  const tall = e => e.getBoundingClientRect().height;
  const heights = items.map(tall), full = slotSize.height - 4;
  const parts = [];
  let from = 0, top = tall(head) + tall(flags);
  const LIST = 14; // padding of the list, and a pixel for rounding
  for (;;) {
    const rest = heights.slice(from).reduce((a, b) => a + b, 0);
    const fits = top + LIST + rest + tall(foot) <= full;
    if (fits || parts.length === board.size - 1) {
      parts.push([from, lines.length, !fits]);
      break;
    }
    if (lines.length - from <= 1) { // one long dish: its buttons go to the next slot, so that no word of it is hidden
      parts.push([from, lines.length], [lines.length, lines.length]);
      break;
    }
    let to = from, used = top + LIST + tall(more);
    while (to < lines.length && used + heights[to] <= full) used += heights[to++];
    if (to === from) to++; // a line taller than a slot gets its own
    to = Math.min(to, lines.length - 1); // the last part has something to say
    parts.push([from, to]);
    from = to;
    top = tall(again);
  }
  swap(measurer);
  chunks.set(k.id, { sign, parts });
  return parts;
}

// ---- the board

let slots = []; // elements, one a place on the page
let slotSize = { width: 0, height: 0 };

function layOut() {
  const size = Math.min(10, Number(root.dataset.columns || 4) * Number(root.dataset.rows || 1));
  if (board.resize(size) || slots.length !== size) {
    slots = Array.from({ length: size }, (_, i) => h('section', { class: 'k-slot', data: { slot: i } }));
    swap($('board'), slots, measurer);
  }
  const r = slots[0].getBoundingClientRect();
  slotSize = { width: Math.round(r.width), height: Math.round(r.height) };
  for (const s of slots) s.sign = undefined;
  if (loaded) render();
  else slots.forEach((s, i) => swap(s, h('div', { class: 'k-skeleton' }, h('i'), h('i'), h('i'), i % 2 === 0 && h('i'))));
}

const digitOf = i => String((i % board.size + 1) % 10);

// render puts everything in its place and redraws only the slots whose content differs.
function render() {
  if (!loaded) return;
  const now = Date.now();
  const list = open();
  const byId = new Map(list.map(k => [k.id, k]));
  if (selected && !byId.has(selected)) selected = null;
  board.settle(list.map(k => k.id), id => partsOf(byId.get(id)).length, now);

  let shown = 0;
  board.visible().forEach((i, place) => {
    const s = board.at(i), e = slots[place];
    let sign = '', draw = () => swap(e);
    if (s?.ghost) {
      const g = s.ghost, act = outbox.of(g.ticket.id);
      const waits = act && (act.failed || !stream.isLive);
      sign = `ghost ${g.ticket.id} ${!!waits} ${g.undo}`;
      draw = () => drawGhost(e, g, waits, i);
      shown++;
    } else if (s) {
      const k = byId.get(s.id);
      const parts = partsOf(k), have = board.parts(s.id);
      const pending = outbox.of(k.id);
      sign = `${k.id} ${k.version} ${k.state} ${k.changed_unseen} ${s.part}/${have}/${parts.length} ${pending?.verb || ''} ${i}`;
      draw = () => drawTicket(e, k, s.part, have, parts, i);
      shown++;
    }
    if (e.sign !== sign) {
      const fresh = s && !s.ghost && e.ticket !== s.id && arrived.has(s.id);
      e.className = 'k-slot' + (fresh ? ' enter' : '');
      e.sign = sign;
      e.ticket = s?.id;
      draw();
    }
    e.classList.toggle('selected', !!s && s.id === selected);
  });
  arrived.clear();
  $('empty').hidden = shown > 0 || list.length > 0;
  $('board').setAttribute('aria-busy', 'false');
  root.dataset.open = list.length;
  tick();
  counts(list);
  tellPainted();
}

const arrived = new Set(); // ids that slide in at the next render

function drawTicket(e, k, part, have, parts, i) {
  const last = part === have - 1;
  const from = parts[part][0], to = last ? (k.lines || []).length : parts[part][1];
  const cut = last && (have < parts.length || parts[part][2]); // more than the slot holds: it scrolls
  const lines = (k.lines || []).slice(from, to).map((line, x) => drawLine(line, k.lines[from + x - 1]?.course));
  const card = h('article', { class: 'k-card' + (k.state === 'cancelled' ? ' cancelled' : '') + (k.state === 'cooking' ? ' cooking' : ''), data: { ticket: k.id, state: k.state } },
    drawHead(k, digitOf(i), part),
    part === 0 && drawFlags(k),
    h('ol', { class: 'k-lines' + (cut ? ' tall' : '') }, lines),
    cut && h('button', { class: 'k-more', data: { act: 'scroll' } }, t('kitchen.scroll')),
    !last && h('div', { class: 'k-more' }, t('kitchen.continues')),
    last && drawFoot(k));
  swap(e, card);
}

function drawGhost(e, g, waits, i) {
  const k = g.ticket;
  swap(e, h('div', { class: 'k-ghost', data: { ticket: k.id } },
    h('span', { class: 'k-digit' }, digitOf(i)),
    h('p', { class: 'k-ghost-name' }, nameOf(k), k.partner?.name && ' ' + k.partner.name),
    h('p', {}, waits && icon('clock'), waits ? t('kitchen.waits', clock(g.at)) : g.by ? t('kitchen.gone_by', g.by) : t(g.undo ? 'kitchen.gone' : 'kitchen.gone_seen')),
    g.undo && h('button', { class: 'k-act undo', data: { act: 'undo', id: k.id } }, t('kitchen.undo'))));
}

// tick moves the figures: each second, only text that differs.
function tick() {
  const now = stream.now();
  write($('clock'), clock(now));
  write($('empty-clock'), clock(now));
  let late = 0;
  const lateNow = new Set();
  for (const k of open()) {
    const c = clockOf(k, now);
    if (c.grade === 2) { late++; lateNow.add(k.id); }
  }
  for (const e of document.querySelectorAll('#board .k-age')) {
    const k = tickets.get(e.dataset.id);
    if (!k) continue;
    const c = clockOf(k, now);
    write(e, c.text + marks[c.grade]);
    const card = e.closest('.k-card');
    if (card.dataset.grade !== String(c.grade)) card.dataset.grade = c.grade;
  }
  if (loaded && [...lateNow].some(id => !lateBefore.has(id)) && lateBefore.known) sound.play('late');
  lateBefore = lateNow;
  lateBefore.known = loaded;
  $('late').hidden = late === 0;
  write($('late'), n('kitchen.late', late));
  if (board.slots.some(s => s?.ghost && s.ghost.until <= Date.now())) render();
}

function counts(list) {
  write($('open'), n('kitchen.open', list.length));
  const all = new Map();
  for (const k of tickets.values()) {
    if (k.state === 'cancelled' || hidden(k)) continue;
    if (!shows(k) && k.state !== 'held') continue;
    for (const line of k.lines || []) {
      if (line.change === 'removed') continue;
      const c = all.get(line.name) || { name: line.name, fired: 0, held: 0 };
      c[k.state === 'held' ? 'held' : 'fired'] += line.quantity;
      all.set(line.name, c);
    }
  }
  const top = [...all.values()].sort((a, b) => b.fired - a.fired || b.held - a.held || a.name.localeCompare(b.name)).slice(0, 12);
  swap($('allday'), top.length > 0 && h('span', { class: 'k-label' }, t('kitchen.allday')),
    top.map(c => h('span', { class: 'k-sum' }, h('b', {}, String(c.fired)), c.held > 0 && h('span', { class: 'k-held' }, `(+${c.held})`), ' ', c.name)));
  const hour = stream.now() - 3600e3;
  const taken = durations.filter(d => d.at > hour).map(d => d.ms).sort((a, b) => a - b);
  $('median').hidden = taken.length < 3;
  if (taken.length >= 3) write($('median'), t('kitchen.median', age(taken[Math.floor(taken.length / 2)])));
  const later = new Map();
  const held = [...tickets.values()].filter(k => k.state === 'held').sort((a, b) => (Date.parse(a.due) || 0) - (Date.parse(b.due) || 0));
  for (const k of held) { const due = k.due ? clock(Date.parse(k.due)) + ' ' : ''; later.set(due, (later.get(due) || 0) + 1); }
  const times = [...later].map(([due, count]) => due + '×' + count);
  write($('later'), times.length ? t('kitchen.later', times.slice(0, 4).join(', ') + (times.length > 4 ? ' …' : '')) : '');
  const pages = board.pages();
  write($('page'), t('kitchen.page', board.page + 1, pages));
  $('page').disabled = pages < 2;
  $('page').classList.toggle('many', pages > 1);
}

function drawHealth() {
  const words = (printers || []).map(p => {
    const trouble = p.state !== 'ready' && p.state !== 'printing' ? word('printer.state.', p.state) : p.paper === 'low' ? t('kitchen.paper_low') : '';
    return h('span', { class: 'k-printer', data: { state: trouble ? (p.state === 'ready' || p.state === 'printing' ? 'warn' : 'bad') : 'ok' } },
      h('span', { class: 'shape', 'aria-hidden': 'true' }), trouble ? t('kitchen.printer', p.name, trouble) : p.name, p.queue > 0 && trouble && h('span', { class: 'k-queue' }, ' ' + n('kitchen.queue', p.queue)));
  });
  swap($('health'), words, warnings > 0 && h('span', { class: 'k-warnings' }, n('kitchen.warnings', warnings)));
}

// ---- what the box says

function apply(k) {
  if (!k?.id || (versions.get(k.id) || 0) > (k.version || 0)) return;
  const old = tickets.get(k.id);
  versions.set(k.id, k.version || 0);
  if (!shows(k) && k.state !== 'held') {
    remove(k.id, k.state, k.bumped_by);
    return;
  }
  tickets.set(k.id, k);
  if (board.ghostOf(k.id) >= 0 && shows(k) && !hidden(k)) board.back(k.id);
  if (!old && shows(k)) arrived.add(k.id);
  if (shows(k)) {
    if (k.changed_unseen && !old?.changed_unseen) sound.play(k.state === 'cancelled' ? 'cancelled' : 'changed');
    else if (!old || old.state === 'held') sound.play('new');
  }
}

function remove(id, state, by) {
  const k = tickets.get(id);
  if (!k) return;
  const pending = outbox.of(id)?.verb;
  if (pending === 'undo' || pending === 'recall') return; // the answer to that comes later
  tickets.delete(id);
  chunks.delete(id);
  if (state === 'ready' || state === 'served') durations.push({ at: stream.now(), ms: stream.now() - Date.parse(k.at) });
  if (durations.length > 500) durations.splice(0, 250);
  if (board.first(id) >= 0) {
    const undo = state === 'ready';
    board.bump(id, { ticket: k, at: Date.now(), until: Date.now() + (undo ? UNDO : 1000), by: by || '', undo });
  }
}

let resyncPause = RESYNC, resynced = 0, resyncing = false;

function snapshot(s) {
  const before = sheet();
  tickets.clear();
  versions.clear();
  chunks.clear();
  for (const k of s.tickets || []) {
    tickets.set(k.id, k);
    versions.set(k.id, k.version || 0);
  }
  if (s.stations?.length) stations = s.stations;
  countsAll = s.open === tickets.size || s.open !== open().length;
  if (resyncing) resyncPause = before === sheet() ? Math.min(resyncPause * 2, 300e3) : RESYNC;
  resyncing = false;
  if (!loaded) {
    loaded = true;
    slots.forEach(e => { e.sign = undefined; });
    learnDurations();
  }
  outbox.flush();
}

// sheet is what a beat is compared with, as text.
const sheet = () => [...tickets.values()].map(k => `${k.id} ${k.version} ${k.state}`).sort().join();
let countsAll = true; // whether the box's open count holds held tickets too

function beat(b) {
  if (outbox.acts.length || resyncing) return;
  const mine = countsAll ? tickets.size : open().length;
  // seq counts every change of the box: a lower one than ours is another journal. last is the change that was last
  // sent to this screen: another one than ours means that something did not arrive.
  const different = (b.open !== undefined && b.open !== mine) || (b.seq !== undefined && b.seq < stream.seq) || (b.last !== undefined && b.last > stream.seq);
  if (different && Date.now() - resynced > resyncPause) {
    resynced = Date.now();
    resyncing = true;
    stream.resync();
  }
}

const stream = new Stream(`/v1/screens/${encodeURIComponent(screen)}/events`,
  ['snapshot', 'ticket', 'ticket-updated', 'ticket-removed', 'health', 'beat'], {
    event(name, data) {
      switch (name) {
        case 'snapshot': snapshot(data); break;
        case 'ticket': case 'ticket-updated': apply(data); break;
        case 'ticket-removed': remove(data.id, data.state, data.by); break;
        case 'health': printers = data.printers || []; warnings = data.warnings || 0; drawHealth(); return;
        case 'beat': beat(data); return;
      }
      render();
    },
    live(live, since) {
      $('live').dataset.state = live ? 'live' : 'cut';
      write($('live-text'), t(live ? 'kitchen.live' : 'kitchen.cut'));
      root.classList.toggle('offline', !live);
      cutBar(live ? 0 : since);
      if (live) { refusal = 0; outbox.flush(); }
      render();
    },
    refused(status) { refusal = status; cutBar(stream.heard || 1); },
  });

function cutBar(since) {
  const bar = $('cut');
  bar.hidden = !since;
  if (!since) return;
  if (refusal) swap(bar, t('kitchen.refused'), ' ', h('a', { href: '/pair' }, t('kitchen.pair')));
  else swap(bar, stream.heard ? t('kitchen.no_connection', clock(since + stream.offset)) : t('kitchen.never_connected'));
}

async function learnDurations() {
  for (const station of stations) {
    try {
      const list = (await get(`/v1/stations/${encodeURIComponent(station)}/recall`)).tickets || [];
      for (const k of list) if (k.bumped_at && k.at) durations.push({ at: Date.parse(k.bumped_at), ms: Date.parse(k.bumped_at) - Date.parse(k.at) });
    } catch { return; } // the median then starts with what leaves from now on
  }
  counts(open());
}

// ---- what hands do

const outbox = new Outbox(screen, {
  answered(act, ticket) {
    apply(ticket);
    render();
  },
  refused(act, fault) {
    const other = fault.problem.ticket;
    if (fault.status === 409 && other) {
      versions.delete(other.id);
      if (shows(other)) { tickets.set(other.id, other); board.back(other.id); } else if (!tickets.has(other.id) && act.verb !== 'bump') versions.set(other.id, other.version);
      apply(other);
      toast(other.bumped_by ? t('kitchen.lost_to', nameOf(other), other.bumped_by) : t('kitchen.lost', nameOf(other)));
    } else if (fault.status === 404) {
      tickets.delete(act.id);
      toast(t('kitchen.vanished'));
    } else {
      if (act.ticket && act.verb !== 'recall') { tickets.set(act.id, act.ticket); board.back(act.id); }
      toast(t('kitchen.failed', fault.message));
    }
    render();
  },
  changed() { if (loaded) queueMicrotask(render); },
});

const touched = new Map(); // place -> time of the last act there

// bounced tells whether this is the same movement of the hand once more.
function bounced(i) {
  const now = performance.now();
  if (now - (touched.get(i) ?? -TWICE) < TWICE) return true;
  touched.set(i, now);
  return false;
}

function act(verb, id) {
  const i = verb === 'undo' ? board.ghostOf(id) : board.first(id);
  if (i >= 0 && bounced(i)) return;
  const k = tickets.get(id);
  switch (verb) {
    case 'bump': {
      if (!k || k.changed_unseen) return;
      board.bump(id, { ticket: k, at: Date.now(), until: Date.now() + UNDO, undo: true });
      outbox.add(id, 'bump', k);
      break;
    }
    case 'undo': {
      const ghost = board.at(i)?.ghost;
      if (!ghost) return;
      if (!outbox.drop(id, 'bump')) {
        tickets.set(id, { ...ghost.ticket });
        outbox.add(id, 'undo', ghost.ticket);
      }
      board.back(id);
      break;
    }
    case 'start': {
      if (k?.state !== 'new') return;
      tickets.set(id, { ...k, state: 'cooking' });
      outbox.add(id, 'start', k);
      break;
    }
    case 'seen': {
      if (!k?.changed_unseen) return;
      if (k.state === 'cancelled') board.bump(id, { ticket: k, at: Date.now(), until: Date.now() + 1000, undo: false });
      else tickets.set(id, { ...k, changed_unseen: false });
      outbox.add(id, 'seen', k);
      break;
    }
  }
  if (verb !== 'undo') selected = null;
  render();
}

// primary is what Enter does with a ticket.
function primary(id) { act(tickets.get(id)?.changed_unseen ? 'seen' : 'bump', id); }

function undoLast() {
  const ghosts = board.slots.filter(s => s?.ghost?.undo).map(s => s.ghost).sort((a, b) => b.at - a.at);
  if (ghosts.length) act('undo', ghosts[0].ticket.id);
}

function turn() {
  board.page = (board.page + 1) % board.pages();
  selected = null;
  for (const s of slots) s.sign = undefined;
  render();
}

$('board').addEventListener('click', e => {
  const button = e.target.closest('[data-act]');
  if (button?.dataset.act === 'scroll') {
    const list = button.previousElementSibling;
    const end = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    list.scrollTop = end ? 0 : list.scrollTop + list.clientHeight * 0.8;
  } else if (button) act(button.dataset.act, button.dataset.id);
  else {
    const card = e.target.closest('.k-card');
    if (card) { selected = selected === card.dataset.ticket ? null : card.dataset.ticket; render(); }
  }
});
$('page').addEventListener('click', turn);
$('recall').addEventListener('click', () => recall.show());

function arrow(code) {
  const columns = Number(root.dataset.columns || 1);
  const places = board.visible().filter(i => board.at(i)?.id && board.at(i).part === 0);
  if (!places.length) return;
  const here = board.first(selected);
  if (here < 0) { selected = board.at(places[0]).id; render(); return; }
  const start = board.page * board.size;
  const x = i => (i - start) % columns, y = i => Math.floor((i - start) / columns);
  const ahead = places.filter(i => i !== here && ({
    ArrowRight: i > here, ArrowLeft: i < here,
    ArrowDown: y(i) > y(here), ArrowUp: y(i) < y(here),
  })[code]);
  if (!ahead.length) return;
  const far = i => code === 'ArrowRight' || code === 'ArrowLeft' ? Math.abs(i - here) : Math.abs(y(i) - y(here)) * 100 + Math.abs(x(i) - x(here));
  selected = board.at(ahead.sort((a, b) => far(a) - far(b))[0]).id;
  render();
}

// Keys by their place on the keyboard (code): the digits of a French keyboard are where those of a bump bar are.
const digit = code => { const m = /^(?:Digit|Numpad)(\d)$/.exec(code); return m ? (Number(m[1]) + 9) % 10 : -1; };
let ctrlAlone = false;

addEventListener('keydown', e => {
  if (e.ctrlKey && (e.code === 'KeyP' || e.code === 'KeyR')) { // printing or reloading the browser is never meant here
    e.preventDefault();
    ctrlAlone = false;
    return;
  }
  if (e.repeat) { e.preventDefault(); return; }
  if (e.code === 'ControlLeft') { ctrlAlone = true; return; }
  ctrlAlone = false;
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  const place = digit(e.code);
  if (recall.isOpen) {
    if (place >= 0) recall.choose(place);
    else if (['Escape', 'KeyR', 'Minus', 'NumpadSubtract', 'Backspace'].includes(e.code)) recall.hide();
    else if (e.code === 'KeyP') recall.turn();
    else return;
    e.preventDefault();
    return;
  }
  if (place >= 0) {
    const s = board.at(board.page * board.size + place);
    if (place < board.size && s?.id) { selected = s.id; render(); }
  } else switch (e.code) {
    case 'Enter': case 'NumpadEnter': enter(); break;
    case 'KeyS': if (selected) act('start', selected); break;
    case 'KeyR': case 'Minus': case 'NumpadSubtract': recall.show(); break;
    case 'Backspace': undoLast(); break;
    case 'KeyP': turn(); break;
    case 'ArrowLeft': case 'ArrowRight': case 'ArrowUp': case 'ArrowDown': arrow(e.code); break;
    default: return;
  }
  e.preventDefault();
});
addEventListener('keyup', e => {
  if (e.code === 'ControlLeft' && ctrlAlone && !recall.isOpen) enter();
  ctrlAlone = false;
});

// enter bumps the selected ticket; with none selected it selects the oldest, so that one blow never bumps unseen.
function enter() {
  if (selected) primary(selected);
  else arrow('ArrowRight');
}

// ---- recall

const recall = {
  isOpen: false, list: [], from: 0,
  async show() {
    this.isOpen = true;
    this.from = 0;
    this.list = null;
    this.draw();
    try {
      const all = await Promise.all(stations.map(s => get(`/v1/stations/${encodeURIComponent(s)}/recall`)));
      const seen = new Set();
      this.list = all.flatMap(a => a.tickets || []).filter(k => !seen.has(k.id) && seen.add(k.id))
        .sort((a, b) => Date.parse(b.bumped_at || b.at) - Date.parse(a.bumped_at || a.at));
      this.draw();
    } catch (fault) {
      this.draw(fault instanceof Fault ? fault : new Fault(0));
    }
  },
  hide() { this.isOpen = false; $('over').hidden = true; swap($('over')); },
  turn() { if (this.list?.length > 10) { this.from = this.from + 10 >= this.list.length ? 0 : this.from + 10; this.draw(); } },
  choose(place) {
    const k = this.list?.[this.from + place];
    if (!k) return;
    this.hide();
    versions.delete(k.id);
    tickets.set(k.id, { ...k, state: 'cooking', changed_unseen: false });
    board.back(k.id);
    outbox.add(k.id, 'recall', k);
    render();
  },
  draw(fault) {
    const over = $('over');
    over.hidden = false;
    const rows = (this.list || []).slice(this.from, this.from + 10).map((k, i) =>
      h('button', { class: 'k-recall', data: { place: i } },
        h('span', { class: 'k-digit' }, String((i + 1) % 10)),
        h('span', { class: 'k-name' }, nameOf(k), k.partner?.name && h('span', { class: 'k-partner' }, k.partner.name)),
        h('span', { class: 'k-recall-lines' }, (k.lines || []).map(l => `${l.quantity} ${l.name}`).join(', ')),
        h('span', { class: 'k-recall-when' }, k.bumped_at ? clock(Date.parse(k.bumped_at)) : '', k.bumped_at && h('small', {}, t('kitchen.took', age(Date.parse(k.bumped_at) - Date.parse(k.at)))))));
    swap(over, h('div', { class: 'k-sheet' },
      h('header', {}, h('h2', { id: 'over-title' }, t('kitchen.recall_title')), h('button', { class: 'k-button', data: { close: '' } }, t('kitchen.close'))),
      fault ? h('p', { class: 'k-say' }, t('kitchen.recall_fault', fault.message))
        : this.list === null ? h('p', { class: 'k-say' }, t('page.loading'))
          : rows.length ? h('div', { class: 'k-recalls' }, rows) : h('p', { class: 'k-say' }, t('kitchen.recall_empty')),
      this.list?.length > 10 && h('footer', {}, h('button', { class: 'k-button', data: { turn: '' } }, t('kitchen.page', this.from / 10 + 1, Math.ceil(this.list.length / 10))))));
    over.focus();
  },
};
$('over').addEventListener('click', e => {
  const row = e.target.closest('[data-place]');
  if (row) recall.choose(Number(row.dataset.place));
  else if (e.target.closest('[data-turn]')) recall.turn();
  else if (e.target === $('over') || e.target.closest('[data-close]')) recall.hide();
});

// ---- the small things

let toastTimer;
function toast(text) {
  document.querySelector('.k-toast')?.remove();
  document.body.append(h('div', { class: 'k-toast', role: 'status' }, text));
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => document.querySelector('.k-toast')?.remove(), 5000);
}

const sound = new Sound(blocked => { $('sound').hidden = !blocked; });
$('sound').addEventListener('click', () => { sound.wake(); sound.play('new'); });

// Painted: the box learns that a ticket was on glass, not merely sent to a browser. Only tickets on the page in view of
// a window that is shown count. Told once each, one at a time; a box that does not ask for it is left in peace.
const painted = new Set();
let toTell = [], telling = false, unwanted = false;

function tellPainted() {
  if (document.visibilityState !== 'visible' || unwanted) return;
  for (const i of board.visible()) {
    const id = board.at(i)?.id;
    if (id && !painted.has(id)) { painted.add(id); toTell.push(id); }
  }
  if (!toTell.length || telling) return;
  telling = true;
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(sendPainted, PAINTED)));
}

async function sendPainted() {
  while (toTell.length) {
    const id = toTell[0];
    try {
      await call('POST', `/v1/tickets/${encodeURIComponent(id)}/painted`, { key: newKey() });
    } catch (fault) {
      if (fault.transient) { // asked again at the next render
        toTell.forEach(x => painted.delete(x));
        toTell = [];
        break;
      }
      if (fault.status === 405) unwanted = true;
    }
    toTell.shift();
  }
  telling = false;
}

async function stayAwake() {
  try { await navigator.wakeLock?.request('screen'); } catch { /* the kiosk's own power settings then decide */ }
}
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') { stayAwake(); render(); } });
document.addEventListener('contextmenu', e => e.preventDefault());

stayAwake();
layOut();
addEventListener('geometry', layOut);
setInterval(tick, 1000);
