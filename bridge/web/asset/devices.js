// Devices: the kitchen screens and whether somebody looks at them, the stations and whether they work, and the browsers
// paired by a code.

import { $, get, h, n, number, swap, t, when, word } from './base.js';
import { rows } from './rows.js';
import { ask, follow, may, perform, ready, sayFault } from './shell.js';

const EVERY = 10e3; // ms between two looks: a browser that comes or goes is no change of the journal

const configured = [...$('screens').children].map(e => e.dataset);
const path = (...parts) => '/v1/' + parts.map(encodeURIComponent).join('/');
let pairings = [], form, browsers, stations, drawn = '';

// ---- screens

// standing is who looks at a screen: a word, a shape and a colour.
function standing(s) {
  if (!s) return null;
  const grade = s.shown_at ? 'bad' : s.looked ? 'ok' : 'warn';
  return h('span', { class: 'state', data: { grade } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), s.shown_at ? t('devices.silent') : s.looked ? t('devices.live') : t('devices.nobody'));
}

function screenCard(c, s) {
  const mine = pairings.filter(p => p.screen === c.name).length;
  return h('article', { class: 'tile screen', data: { name: c.name, grade: s?.shown_at ? 'bad' : '' } },
    h('div', { class: 'glass', data: { theme: c.theme }, 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')),
    h('header', {}, h('h2', {}, c.name), standing(s)),
    s && h('p', {}, [s.connected > 0 && n('devices.browsers', s.connected), n('devices.open_tickets', s.open), s.shown_at && t('devices.shown_at', s.shown_at)].filter(Boolean).join(' · ')),
    h('p', { class: 'soft' }, [c.stations, t('devices.geometry', number(Number(c.diagonal)), number(Number(c.distance))), word('theme.', c.theme), s?.backup && t('devices.backup', s.backup)].filter(Boolean).join(' · ')),
    may('manager') && h('p', { class: 'soft' }, mine ? t('devices.paired_with', mine) : t('devices.not_paired')),
    h('footer', {}, h('a', { class: 'button', href: '/screens/' + encodeURIComponent(c.name), target: '_blank', rel: 'noopener' }, t('devices.open'))));
}

// ---- stations

function stationRows() {
  return rows({
    name: 'stations', label: t('devices.stations'), id: s => s.name, empty: [t('devices.no_stations'), t('devices.no_stations_remedy')],
    columns: [
      { head: t('devices.station'), text: s => s.name, cell: s => h('b', {}, s.name) },
      { head: t('devices.works'), text: s => s.closed_to ? t('devices.closed', s.closed_to) : t('devices.working'), cell: s => h('span', { class: 'pos', data: { grade: s.closed_to ? 'warn' : 'ok' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), s.closed_to ? t('devices.closed', s.closed_to) : t('devices.working')) },
      { head: t('devices.screens'), text: s => (s.screens || []).join(', ') },
      { head: t('nav.printers'), text: s => (s.printers || []).join(', '), cell: s => (s.printers || []).map((p, i) => [i ? ', ' : '', h('a', { href: '/printers/' + encodeURIComponent(p) }, p)]) },
      { head: t('devices.open_count'), text: s => number(s.open || 0), value: s => s.open || 0, num: true },
      { head: '', text: () => '', csv: false, narrow: true, cell: s => may('manager', 'staff') && (s.closed_to
        ? h('button', { class: 'button small', onclick: async e => { if (await perform(e.currentTarget, path('stations', s.name, 'open'), { done: t('devices.opened', s.name) })) list.run(); } }, t('devices.reopen'))
        : stations.all.length > 1 && h('button', { class: 'button small', onclick: e => close(s, e.currentTarget) }, t('devices.close'))) },
    ],
  });
}

// close sends a station's work to another one, for a quiet hour.
async function close(s, button) {
  const others = stations.all.filter(x => x.name !== s.name && !x.closed_to);
  if (!others.length) return;
  let to = others[0].name;
  const yes = h('span', {}), words = () => { yes.textContent = t('devices.close_yes', s.name, to); };
  words();
  const body = h('fieldset', {}, h('legend', {}, t('devices.close_to')), others.map(x => h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'to', value: x.name, checked: x.name === to, onchange: () => { to = x.name; words(); } }), h('span', {}, x.name))));
  if (!await ask(t('devices.close_title', s.name), n('devices.close_effect', s.open || 0), yes, false, { body })) return;
  if (await perform(button, path('stations', s.name, 'close'), { body: { to }, done: t('devices.closed_done', s.name, to) })) list.run();
}

// ---- paired browsers

function pairForm() {
  const code = h('input', { id: 'code', class: 'code-input', maxlength: 8, autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', placeholder: 'K7Q2', required: true });
  const screen = h('select', { id: 'screen' }, configured.map(s => h('option', { value: s.name }, s.name)));
  return h('form', { class: 'pair-form', onsubmit: async e => {
    e.preventDefault();
    const value = code.value.trim().toUpperCase();
    if (!value) { code.focus(); return; }
    const button = e.target.querySelector('button');
    if (await perform(button, path('pairings', value, 'approve'), { body: { screen: screen.value }, done: t('devices.approved', screen.value) })) { code.value = ''; list.run(); }
  } },
  h('label', {}, h('span', {}, t('devices.code')), code), h('label', {}, h('span', {}, t('devices.screen')), screen),
  h('button', { class: 'button primary' }, t('devices.approve')), h('p', { class: 'soft' }, t('devices.approve_hint', location.host + '/pair')));
}

const browserRows = () => rows({
  name: 'pairings', label: t('devices.pairings'), id: p => p.id, empty: [t('devices.empty'), t('devices.empty_remedy')],
  columns: [
    { head: t('devices.screen'), text: p => p.screen, cell: p => h('b', {}, p.screen) },
    { head: t('devices.label'), text: p => p.label },
    { head: t('devices.paired_at'), text: p => when(p.paired_at), value: p => p.paired_at },
    { head: t('devices.last_seen'), text: p => p.last_seen ? when(p.last_seen) : t('devices.never'), value: p => p.last_seen || '' },
    { head: '', text: () => '', csv: false, narrow: true, cell: p => h('button', { class: 'button danger small', onclick: async e => {
      const button = e.currentTarget;
      if (await ask(t('devices.revoke_title', p.screen), t('devices.revoke_effect', p.label || p.screen), t('devices.revoke_yes'), true)) {
        if (await perform(button, path('pairings', p.id), { method: 'DELETE', done: t('devices.revoked') })) list.run();
      }
    } }, t('devices.revoke')) },
  ],
});

// ---- the page

function layout() {
  const tiles = h('div', {});
  stations = Object.assign(stationRows(), { all: [] });
  const manager = may('manager');
  if (manager) { form = pairForm(); browsers = browserRows(); }
  swap($('body'), tiles,
    h('section', { class: 'block' }, h('div', { class: 'block-head' }, h('h2', {}, t('devices.stations'))), stations.place),
    manager && h('section', { class: 'block' }, h('h2', {}, t('devices.pair_title')), h('div', { class: 'sheet pad' }, form)),
    manager && h('section', { class: 'block' }, h('div', { class: 'block-head' }, h('h2', {}, t('devices.pairings')), browsers.tools), browsers.place));
  return tiles;
}

let tiles;
const list = follow(['access', 'setting', 'warning', 'ticket'], async () => {
  await ready;
  const [paired, screens, works] = await Promise.all([may('manager') ? get('/v1/pairings') : {}, get('/v1/screens'), get('/v1/stations')]);
  pairings = paired.pairings || [];
  tiles ??= layout();
  const body = $('body'), live = screens.screens || [], sign = JSON.stringify([live, pairings.map(p => p.screen)]);
  body.setAttribute('aria-busy', 'false');
  body.className = '';
  if (sign !== drawn) {
    drawn = sign;
    tiles.className = configured.length ? 'tiles' : 'soft';
    swap(tiles, configured.length ? configured.map(c => screenCard(c, live.find(s => s.name === c.name))) : t('devices.no_screens'));
  }
  stations.all = works.stations || [];
  stations.set(stations.all);
  browsers?.set(pairings);
});
list.fault = fault => { if (!tiles) { $('body').className = 'sheet say'; sayFault($('body'), fault, () => list.run()); } };
setInterval(() => { if (document.visibilityState === 'visible') list.run(); }, EVERY);
