// kitchen-connection.js: what the box says, and whether it still says anything.

import { $, clock, get, h, swap, t, write } from './base.js';
import { UNDO } from './board.js';
import { counts, drawHealth, durations } from './kitchen-head.js';
import { lane } from './kitchen-later.js';
import { chunks } from './kitchen-measure.js';
import { settings } from './kitchen-settings.js';
import { arrived, forget, render } from './kitchen-slots.js';
import { sound } from './kitchen-sounds.js';
import { board, here, hidden, open, shows, tickets, tidy, versions } from './kitchen-tickets.js';
import { Stream } from './stream.js';

const RESYNC = 10e3; // ms between two requests for a snapshot; doubles when nothing was different
let refusal = 0; // status with which the box refused this browser

// apply takes what the box says of a ticket; an older version than the one known changes nothing.
export function apply(k) {
  if (!k?.id || (versions.get(k.id) || 0) > (k.version || 0)) return;
  const old = tickets.get(k.id);
  versions.set(k.id, k.version || 0);
  if (!shows(k) && k.state !== 'held') {
    remove(k.id, k.state, k.bumped_by);
    return;
  }
  tickets.set(k.id, tidy(k));
  if (!old) lane.released(k);
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
  const pending = here.outbox.of(id)?.verb;
  if (pending === 'undo' || pending === 'recall') return; // the answer to that comes later
  tickets.delete(id);
  chunks.delete(id);
  if (state === 'ready' || state === 'served') durations.push({ at: here.stream.now(), ms: here.stream.now() - Date.parse(k.at) });
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
    tickets.set(k.id, tidy(k));
    versions.set(k.id, k.version || 0);
  }
  if (s.stations?.length) here.stations = s.stations;
  here.closed = s.closed || [];
  here.soldOut = new Map((s.sold_out || []).map(d => [d.sku, d]));
  here.service.draw();
  lane.ask();
  countsAll = s.open === tickets.size || s.open !== open().length;
  if (resyncing) resyncPause = before === sheet() ? Math.min(resyncPause * 2, 300e3) : RESYNC;
  resyncing = false;
  if (!here.loaded) {
    here.loaded = true;
    forget();
    learnDurations();
  }
  here.outbox.flush();
}

// sheet is what a beat is compared with, as text.
const sheet = () => [...tickets.values()].map(k => `${k.id} ${k.version} ${k.state}`).sort().join();
let countsAll = true; // whether the box's open count holds held tickets too

function beat(b) {
  if (here.outbox.acts.length || resyncing) return;
  const mine = countsAll ? tickets.size : open().length;
  // seq counts every change of the box: a lower one than ours is another journal. last is the change that was last
  // sent to this screen: another one than ours means that something did not arrive.
  const different = (b.open !== undefined && b.open !== mine) || (b.seq !== undefined && b.seq < here.stream.seq) || (b.last !== undefined && b.last > here.stream.seq);
  if (different && Date.now() - resynced > resyncPause) {
    resynced = Date.now();
    resyncing = true;
    here.stream.resync();
  }
}

// connect opens the stream of this screen. struck hears of a key of its serial bar.
export function connect(struck) {
  here.stream = new Stream(`/v1/screens/${encodeURIComponent(here.screen)}/events`,
    ['snapshot', 'ticket', 'ticket-updated', 'ticket-removed', 'health', 'sold-out', 'later', 'reload', 'beat', 'key', 'settings'], {
      event(name, data) {
        switch (name) {
          case 'snapshot': snapshot(data); break;
          case 'ticket': case 'ticket-updated': apply(data); break;
          case 'ticket-removed': remove(data.id, data.state, data.by); break;
          case 'health': drawHealth(data); return;
          case 'sold-out': here.service.sellOut(data); break;
          case 'later': lane.ask(); return;
          case 'reload': here.stream.resync(); return;
          case 'beat': beat(data); return;
          case 'key': struck(data); return;
          case 'settings': settings.take(data); return;
        }
        render();
      },
      live(live, since) {
        $('live').dataset.state = live ? 'live' : 'cut';
        write($('live-text'), t(live ? 'kitchen.live' : 'kitchen.cut'));
        document.documentElement.classList.toggle('offline', !live);
        cutBar(live ? 0 : since);
        if (live) { refusal = 0; here.outbox.flush(); }
        render();
      },
      refused(status) { refusal = status; cutBar(here.stream.heard || 1); },
    });
}

function cutBar(since) {
  const bar = $('cut');
  bar.hidden = !since;
  if (!since) return;
  if (refusal) swap(bar, t('kitchen.refused'), ' ', h('a', { href: '/pair' }, t('kitchen.pair')));
  else swap(bar, here.stream.heard ? t('kitchen.no_connection', clock(since + here.stream.offset)) : t('kitchen.never_connected'));
}

async function learnDurations() {
  for (const station of here.stations) {
    try {
      const list = (await get(`/v1/stations/${encodeURIComponent(station)}/recall`)).tickets || [];
      for (const k of list) if (k.bumped_at && k.at) durations.push({ at: Date.parse(k.bumped_at), ms: Date.parse(k.bumped_at) - Date.parse(k.at) });
    } catch { return; } // the median then starts with what leaves from now on
  }
  counts(open());
}
