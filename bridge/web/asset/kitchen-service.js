// kitchen-service.js: what holds for the whole service: which dishes are sold out, and which stations are closed. Each says
// what it does before it is done.

import { $, Fault, call, get, newKey, swap, h, t, write } from './base.js';
import { act, toast } from './kitchen-acts.js';
import { whenPressed } from './kitchen-press.js';
import { sheet } from './kitchen-sheet.js';
import { forget } from './kitchen-slots.js';
import { heldBeside, here, nameOf, tickets } from './kitchen-tickets.js';

async function send(path, body) {
  try {
    await call('POST', path, { key: newKey(), body });
  } catch (fault) {
    toast(t('kitchen.failed', fault instanceof Fault ? fault.message : String(fault)));
  }
}

const item = sku => `/v1/menu/items/${encodeURIComponent(sku)}`;

// sellOut takes what the box says of a dish.
function sellOut(d) {
  if (d.sold_out) here.soldOut.set(d.sku, d);
  else here.soldOut.delete(d.sku);
  drawService();
  forget();
}

// drawService says in the head which stations this screen serves, and in the foot what is sold out.
function drawService() {
  swap($('station'), here.stations.join(' · '), here.closed.map(c => h('small', { class: 'k-closed' }, t('kitchen.closed', c.station, c.to))));
  const names = [...here.soldOut.values()].map(d => d.name);
  $('soldout').hidden = names.length === 0;
  write($('soldout'), names.length ? t('kitchen.sold_out_list', names.slice(0, 3).join(', ') + (names.length > 3 ? ` +${names.length - 3}` : '')) : '');
}

function askSoldOut(sku, name) {
  if (!sku) { toast(t('kitchen.no_sku', name)); return; }
  if (here.soldOut.has(sku)) sheet.show(t('kitchen.back_title', name), { say: t('kitchen.back_effect'), rows: [{ text: t('kitchen.back'), act: () => send(item(sku) + '/back') }] });
  else sheet.show(t('kitchen.sold_out_title', name), { say: t('kitchen.sold_out_effect'), rows: [{ text: t('kitchen.say_sold_out'), act: () => send(item(sku) + '/sold-out', { name }) }] });
}

function askTicket(k) {
  const rows = [];
  const next = heldBeside(k)[0];
  if (k.state === 'held') rows.push({ text: t('kitchen.fire_now'), act: () => act('fire', k.id) });
  if (next) rows.push({ text: t('kitchen.fire_next'), more: next.lines.map(l => `${l.quantity} ${l.name}`).join(', '), act: () => act('fire', next.id) });
  if (k.state === 'new' && !k.changed_unseen && !next) rows.push({ text: t('kitchen.hold_back'), more: t('kitchen.hold_effect'), act: () => act('hold', k.id) });
  if (k.state !== 'cancelled') rows.push(k.priority
    ? { text: t('kitchen.not_first'), act: () => act('unpriority', k.id) }
    : { text: t('kitchen.put_first'), more: t('kitchen.first_effect'), act: () => act('priority', k.id) });
  if (rows.length) sheet.show(nameOf(k), { rows });
}

whenPressed(({ card, line }) => {
  const k = tickets.get(card.dataset.ticket);
  if (!k) return;
  const l = line && k.lines.find(l => l.n === Number(line.dataset.n) && l.change !== 'removed');
  if (l) askSoldOut(l.sku, l.name);
  else askTicket(k);
});

$('soldout').addEventListener('click', () => sheet.show(t('kitchen.sold_out_all'), {
  say: t('kitchen.back_effect'),
  rows: [...here.soldOut.values()].map(d => ({ text: t('kitchen.back_of', d.name), act: () => send(item(d.sku) + '/back') })),
}));

// ---- stations

async function showStations() {
  let list;
  try { list = (await get('/v1/stations')).stations; } catch (fault) { toast(t('kitchen.failed', fault.message)); return; }
  const mine = name => here.stations.includes(name) || list.find(s => s.name === name)?.screens.includes(here.screen);
  const rows = [];
  for (const s of list.filter(s => mine(s.name))) {
    if (s.closed_to) rows.push({ text: t('kitchen.open_station', s.name), more: t('kitchen.closed', s.name, s.closed_to), act: () => send(`/v1/stations/${encodeURIComponent(s.name)}/open`) });
    else rows.push({ text: t('kitchen.close_station', s.name), act: () => askClose(s, list) });
  }
  sheet.show(t('kitchen.stations'), { rows });
}

function askClose(s, list) {
  const others = list.filter(o => o.name !== s.name && !o.closed_to && (o.screens.length > 0 || s.screens.length === 0));
  sheet.show(t('kitchen.close_station', s.name), {
    say: others.length ? t('kitchen.close_effect', s.name) : t('kitchen.close_nowhere'),
    rows: others.map(o => ({ text: t('kitchen.close_to', o.name), act: () => send(`/v1/stations/${encodeURIComponent(s.name)}/close`, { to: o.name }) })),
  });
}
$('station').addEventListener('click', showStations);

here.service = { draw: drawService, sellOut };
