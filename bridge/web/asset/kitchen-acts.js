// kitchen-acts.js: what hands do to tickets. The page shows an act at once; the outbox sends it, and the box's answer stands.

import { $, h, t } from './base.js';
import { UNDO } from './board.js';
import { apply } from './kitchen-connection.js';
import { forget, render } from './kitchen-slots.js';
import { longPressed } from './kitchen-press.js';
import { blind, board, heldBeside, here, nameOf, shows, tickets, versions } from './kitchen-tickets.js';
import { Outbox } from './outbox.js';

const TWICE = 400; // ms in which a second act on one slot is a bounce of the hand

here.outbox = new Outbox(here.screen, {
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
      toast(fault.problem.code === 'allergy_unseen' ? t('kitchen.see_allergy') : other.bumped_by ? t('kitchen.lost_to', nameOf(other), other.bumped_by) : t('kitchen.lost', nameOf(other)));
    } else if (fault.status === 404) {
      tickets.delete(act.id);
      toast(t('kitchen.vanished'));
    } else {
      if (act.ticket && act.verb !== 'recall') { tickets.set(act.id, act.ticket); board.back(act.id); }
      toast(t('kitchen.failed', fault.message));
    }
    render();
  },
  changed() { if (here.loaded) queueMicrotask(render); },
});

const touched = new Map(); // place -> time of the last act there

// bounced tells whether this is the same movement of the hand once more.
function bounced(i) {
  const now = performance.now();
  if (now - (touched.get(i) ?? -TWICE) < TWICE) return true;
  touched.set(i, now);
  return false;
}

export function act(verb, id) {
  const i = verb === 'undo' ? board.ghostOf(id) : board.first(id);
  if (i >= 0 && bounced(i)) return;
  const k = tickets.get(id);
  switch (verb) {
    case 'bump': {
      if (!k || k.changed_unseen || blind(k) || k.state === 'held') return;
      board.bump(id, { ticket: k, at: Date.now(), until: Date.now() + UNDO, undo: true });
      here.outbox.add(id, 'bump', k);
      break;
    }
    case 'undo': {
      const ghost = board.at(i)?.ghost;
      if (!ghost) return;
      if (!here.outbox.drop(id, 'bump')) {
        tickets.set(id, { ...ghost.ticket });
        here.outbox.add(id, 'undo', ghost.ticket);
      }
      board.back(id);
      break;
    }
    case 'start': {
      if (k?.state !== 'new') return;
      tickets.set(id, { ...k, state: 'cooking' });
      here.outbox.add(id, 'start', k);
      break;
    }
    case 'seen': {
      if (!k?.changed_unseen && !(k && blind(k))) return;
      if (k.state === 'cancelled') board.bump(id, { ticket: k, at: Date.now(), until: Date.now() + 1000, undo: false });
      else tickets.set(id, { ...k, changed_unseen: false, allergy_seen: true, was_table: undefined });
      here.outbox.add(id, 'seen', k);
      break;
    }
    case 'fire': {
      if (k?.state !== 'held') return;
      tickets.set(id, { ...k, state: 'new', at: new Date(here.stream.now()).toISOString(), fire_at: undefined });
      here.outbox.add(id, 'fire', k);
      break;
    }
    case 'hold': { // what waits beside it is fired by the same key
      const next = k && heldBeside(k)[0];
      if (next) return act('fire', next.id);
      if (k?.state !== 'new' || k.changed_unseen) return;
      tickets.set(id, { ...k, state: 'held', held: 'waiter' });
      here.outbox.add(id, 'hold', k);
      break;
    }
    case 'priority': case 'unpriority': {
      if (!k || !!k.priority === (verb === 'priority')) return;
      tickets.set(id, { ...k, priority: verb === 'priority' });
      here.outbox.add(id, verb, k);
      break;
    }
  }
  if (verb !== 'undo') here.selected = null;
  render();
}

// tick strikes a line that is done, or brings it back. Nothing is ticked before a change or an allergy was seen.
export function tick(id, number) {
  const k = tickets.get(id), line = k?.lines.find(l => l.n === number && l.change !== 'removed');
  if (!line || (k.state !== 'new' && k.state !== 'cooking')) return;
  if (k.changed_unseen || blind(k)) {
    toast(t(k.changed_unseen ? 'kitchen.see_change' : 'kitchen.see_allergy'));
    return;
  }
  if (bounced(`${id} ${number}`)) return;
  tickets.set(id, { ...k, lines: k.lines.map(l => l === line ? { ...l, ticked: !l.ticked } : l) });
  here.outbox.add(id, `items/${number}/${line.ticked ? 'untick' : 'tick'}`, k);
  render();
}

// primary is what Enter does with a ticket.
export function primary(id) {
  const k = tickets.get(id);
  if (!k) return;
  act(k.changed_unseen || blind(k) ? 'seen' : k.state === 'held' ? 'fire' : 'bump', id);
}

export function undoLast() {
  const ghosts = board.slots.filter(s => s?.ghost?.undo).map(s => s.ghost).sort((a, b) => b.at - a.at);
  if (ghosts.length) act('undo', ghosts[0].ticket.id);
}

export function turn() {
  board.page = (board.page + 1) % board.pages();
  here.selected = null;
  forget();
  render();
}

$('board').addEventListener('click', e => {
  const button = e.target.closest('[data-act]');
  if (button?.dataset.act === 'scroll') {
    const list = button.previousElementSibling;
    const end = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    list.scrollTop = end ? 0 : list.scrollTop + list.clientHeight * 0.8;
  } else if (button) act(button.dataset.act, button.dataset.id);
  else if (longPressed()) return;
  else {
    const card = e.target.closest('.k-card'), line = e.target.closest('.k-line');
    if (card && line && card.dataset.state !== 'held' && card.dataset.state !== 'cancelled') { tick(card.dataset.ticket, Number(line.dataset.n)); return; }
    if (card) { here.selected = here.selected === card.dataset.ticket ? null : card.dataset.ticket; render(); }
  }
});
$('page').addEventListener('click', turn);

let toastTimer;
export function toast(text) {
  document.querySelector('.k-toast')?.remove();
  document.body.append(h('div', { class: 'k-toast', role: 'status' }, text));
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => document.querySelector('.k-toast')?.remove(), 5000);
}
