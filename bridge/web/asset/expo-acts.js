// expo-acts.js: what hands do at the pass: hand over, say ready, take back. An act is shown at once and sent by the outbox,
// so that one made while the line is cut is applied once.

import { $, Fault, clock, get, h, swap, t } from './base.js';
import { UNDO, byDigit, gone, here, open, render, rows, steady, whole } from './expo-rows.js';
import { nameOf } from './kitchen-tickets.js';
import { Outbox } from './outbox.js';
import { LONG } from './press.js';

const TWICE = 400; // ms in which a second act on one row is a bounce of the hand
const touched = new Map(); // id -> when
const holds = new Map(); // id -> the long press of its button

export const acts = here.outbox = new Outbox('expo', {
  answered(act, order) {
    if (act.verb === 'take-back' || !rows.has(act.id)) return;
    if (order?.state === 'prepared') rows.get(act.id).state = 'prepared';
    else if (order?.state === 'handed_off') rows.delete(act.id);
    render();
  },
  refused(act, fault) {
    gone.delete(act.id);
    const name = act.ticket ? nameOf(act.ticket) : '';
    if (fault.problem.code === 'stations_working') toast(t('expo.working', name, (fault.problem.stations || []).join(', ')));
    else toast(t('kitchen.failed', fault.message));
    render();
  },
  changed() { if (here.loaded) queueMicrotask(render); },
}, '/v1/orders/');

function bounced(id) {
  const now = performance.now();
  if (now - (touched.get(id) ?? -TWICE) < TWICE) return true;
  touched.set(id, now);
  return false;
}

here.act = (id, verb, wholeOnly) => {
  const row = rows.get(id);
  if (!row || !steady() || bounced(id)) return;
  if (verb === 'handed-over') gone.set(id, { row, at: Date.now(), until: Date.now() + UNDO });
  acts.add(id, verb + (wholeOnly ? '?whole=true' : ''), row);
  render();
};
here.undo = id => {
  const g = gone.get(id);
  if (!g || bounced(id)) return;
  gone.delete(id);
  if (!acts.dropLike(id, 'handed-over')) {
    rows.set(id, g.row);
    acts.add(id, 'take-back', g.row);
  }
  render();
};
here.early = id => {
  const row = rows.get(id);
  if (row) toast(t('expo.working', nameOf(row), open(row).map(l => l.station).join(', ')) + ' ' + t('expo.hold_on'));
};
here.hold = (id, handle) => holds.set(id, handle);

// ---- keys: a row's digit hands it over; held down where a station is still at work.

let holding = null; // {digit, id, timer}
function digit(e) {
  const m = /^(?:Digit|Numpad)(\d)$/.exec(e.code);
  return m ? Number(m[1]) : -1;
}

function strike(id) {
  const row = rows.get(id);
  if (!row || row.state === 'cancelled') return;
  here.selected = id;
  if (whole(row)) here.act(id, 'handed-over', true);
  else holding = { id, timer: setTimeout(() => { holding = null; mark(id, false); here.act(id, 'handed-over', false); }, LONG) };
  if (holding) mark(id, true);
  render();
}
function mark(id, on) { document.querySelector(`.x-row[data-id="${CSS.escape(id)}"]`)?.classList.toggle('pressing', on); }

function move(step) {
  const list = [...document.querySelectorAll('.x-row:not(.gone)')];
  if (!list.length) return;
  const at = list.findIndex(e => e.dataset.id === here.selected);
  const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + step))];
  here.selected = next.dataset.id;
  next.scrollIntoView({ block: 'nearest' });
  render();
}

export function listen() {
  addEventListener('keydown', e => {
    if (e.ctrlKey && (e.code === 'KeyP' || e.code === 'KeyR')) { e.preventDefault(); return; }
    if (e.repeat) { e.preventDefault(); return; }
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const d = digit(e);
    if (list.isOpen) {
      if (d >= 0) list.choose((d + 9) % 10);
      else if (['Escape', 'KeyR', 'Minus', 'NumpadSubtract', 'Backspace'].includes(e.code)) list.hide();
      else if (e.code === 'KeyP') list.turn();
      else return;
    } else if (d >= 0) { if (byDigit(d)) strike(byDigit(d)); }
    else switch (e.code) {
      case 'Enter': case 'NumpadEnter': if (here.selected) strike(here.selected); break;
      case 'ArrowDown': move(1); break;
      case 'ArrowUp': move(-1); break;
      case 'KeyR': case 'Minus': case 'NumpadSubtract': list.show(); break;
      case 'KeyP': turn(); break;
      case 'Backspace': { const last = [...gone.values()].sort((a, b) => b.at - a.at)[0]; if (last) here.undo(last.row.id); break; }
      default: return;
    }
    e.preventDefault();
  });
  addEventListener('keyup', () => {
    if (!holding) return;
    clearTimeout(holding.timer);
    mark(holding.id, false);
    here.early(holding.id);
    holding = null;
  });
  $('recall').addEventListener('click', () => list.show());
  $('page').addEventListener('click', turn);
  $('over').addEventListener('click', e => {
    const row = e.target.closest('[data-place]');
    if (row) list.choose(Number(row.dataset.place));
    else if (e.target.closest('[data-turn]')) list.turn();
    else if (e.target === $('over') || e.target.closest('[data-close]')) list.hide();
  });
}

function turn() {
  const place = $('rows');
  place.scrollTop = place.scrollTop + place.clientHeight >= place.scrollHeight - 4 ? 0 : place.scrollTop + place.clientHeight * 0.9;
}

// ---- what was handed over, from which an order comes back

const list = {
  isOpen: false, rows: null, from: 0,
  async show() {
    Object.assign(this, { isOpen: true, rows: null, from: 0 });
    this.draw();
    try {
      this.rows = (await get('/v1/expo/handed-over')).rows || [];
      this.draw();
    } catch (fault) {
      this.draw(fault instanceof Fault ? fault : new Fault(0));
    }
  },
  hide() { this.isOpen = false; $('over').hidden = true; swap($('over')); },
  turn() { if (this.rows?.length > 10) { this.from = this.from + 10 >= this.rows.length ? 0 : this.from + 10; this.draw(); } },
  choose(place) {
    const row = this.rows?.[this.from + place];
    if (!row) return;
    this.hide();
    gone.delete(row.id);
    acts.add(row.id, 'take-back', row);
  },
  draw(fault) {
    const over = $('over');
    over.hidden = false;
    const drawn = (this.rows || []).slice(this.from, this.from + 10).map((row, i) => h('button', { class: 'k-recall', data: { place: i } },
      h('span', { class: 'k-digit' }, String((i + 1) % 10)),
      h('span', { class: 'k-name' }, nameOf(row), row.partner?.name && h('span', { class: 'k-partner' }, row.partner.name)),
      h('span', { class: 'k-recall-lines' }, row.lamps.map(l => `${l.station} ${l.items}`).join(' · ')),
      h('span', { class: 'k-recall-when' }, clock(Date.parse(row.at)))));
    swap(over, h('div', { class: 'k-sheet' },
      h('header', {}, h('h2', { id: 'over-title' }, t('expo.recall_title')), h('button', { class: 'k-button', data: { close: '' } }, t('kitchen.close'))),
      fault ? h('p', { class: 'k-say' }, t('kitchen.recall_fault', fault.message))
        : this.rows === null ? h('p', { class: 'k-say' }, t('page.loading'))
          : drawn.length ? h('div', { class: 'k-recalls' }, drawn) : h('p', { class: 'k-say' }, t('expo.recall_empty')),
      this.rows?.length > 10 && h('footer', {}, h('button', { class: 'k-button', data: { turn: '' } }, t('kitchen.page', this.from / 10 + 1, Math.ceil(this.rows.length / 10))))));
    over.focus();
  },
};

let toastTimer;
function toast(text) {
  document.querySelector('.k-toast')?.remove();
  document.body.append(h('div', { class: 'k-toast', role: 'status' }, text));
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => document.querySelector('.k-toast')?.remove(), 5000);
}
