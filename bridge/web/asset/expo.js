// The pass: one row an order, a lamp a station, and one key to hand it over.
//
// expo-rows.js knows the orders and draws them; expo-acts.js is what hands do; this file hears the box.

import './geometry.js';
import { $, clock, h, n, swap, t, word, write } from './base.js';
import { acts, listen } from './expo-acts.js';
import { board, here, remove, render, rows, tick } from './expo-rows.js';
import { warningText } from './lamps.js';
import './who.js';
import { Sound } from './sound.js';
import { Stream } from './stream.js';

const RESYNC = 10e3; // ms between two requests for a snapshot

here.sound = new Sound(blocked => { $('sound').hidden = !blocked; });
$('sound').addEventListener('click', () => { here.sound.wake(); here.sound.play('ready'); });

let refused = false, resynced = 0;

function take(row) {
  const was = rows.get(row.id);
  rows.set(row.id, row);
  if (!here.loaded) return;
  if (!was) here.sound.play('new');
  else if (row.state === 'prepared' && was.state === 'accepted') here.sound.play('ready');
  else if (row.state === 'cancelled' && was.state !== 'cancelled') here.sound.play('cancelled');
}

function cutBar(since) {
  const bar = $('cut');
  bar.hidden = !since;
  if (!since) return;
  if (refused) swap(bar, t('kitchen.refused'), ' ', h('a', { href: '/pair' }, t('kitchen.pair')));
  else swap(bar, here.stream.heard ? t('kitchen.no_connection', clock(since + here.stream.offset)) : t('kitchen.never_connected'));
}

function drawHealth(health) {
  const bad = (health.printers || []).filter(p => p.state !== 'ready' && p.state !== 'printing' || p.paper === 'low');
  swap($('health'), bad.map(p => h('span', { class: 'k-printer', data: { state: p.state === 'ready' || p.state === 'printing' ? 'warn' : 'bad' } },
    h('span', { class: 'shape', 'aria-hidden': 'true' }), t('kitchen.printer', p.name, p.state !== 'ready' && p.state !== 'printing' ? word('printer.state.', p.state) : t('kitchen.paper_low')))),
  health.warnings > 0 && h('span', { class: 'k-warnings' }, n('kitchen.warnings', health.warnings)));
  const alarms = (health.alarms || []).map(warningText);
  swap($('alarm'), alarms[0] && h('span', { title: alarms.join('\n') }, alarms[0], alarms.length > 1 && ` +${alarms.length - 1}`));
}

here.stream = new Stream('/v1/expo/events', ['snapshot', 'row', 'row-removed', 'health', 'beat'], {
  event(name, data) {
    switch (name) {
      case 'snapshot':
        rows.clear();
        for (const row of data.rows || []) rows.set(row.id, row);
        here.loaded = true;
        acts.flush();
        break;
      case 'row': take(data); break;
      case 'row-removed': remove(data.id); break;
      case 'health': drawHealth(data); return;
      case 'beat':
        if (data.open !== rows.size && !acts.acts.length && Date.now() - resynced > RESYNC) {
          resynced = Date.now();
          here.stream.resync();
        }
        return;
    }
    render();
  },
  live(live, since) {
    $('live').dataset.state = live ? 'live' : 'cut';
    write($('live-text'), t(live ? 'kitchen.live' : 'kitchen.cut'));
    document.documentElement.classList.toggle('offline', !live);
    if (live) { refused = false; acts.flush(); }
    cutBar(live ? 0 : since);
    render();
  },
  refused() { refused = true; cutBar(here.stream.heard || 1); },
});

listen();
addEventListener('geometry', () => { board.width = 0; render(); });
setInterval(tick, 1000);
async function stayAwake() {
  try { await navigator.wakeLock?.request('screen'); } catch { /* the kiosk's own power settings then decide */ }
}
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') { stayAwake(); render(); } });
document.addEventListener('contextmenu', e => e.preventDefault());
stayAwake();
