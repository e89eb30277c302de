// Integration > Reservations: a tile for each platform, and behind it one platform with its parts, each with an address of
// its own.

import { $, get, h, n, number, swap, t, when, word } from './base.js';
import { activation, activate } from './activation.js';
import { information } from './information.js';
import { inside } from './inside.js';
import { integrations } from './integrations.js';
import { linkSettings } from './linksettings.js';
import { ask, follow, may, perform, ready, sayFault } from './shell.js';
import { LINK, ON, named } from './standing.js';

const BASE = '/integration/reservations';
const KNOWN = { opentable: 'OpenTable', sevenrooms: 'SevenRooms', resy: 'Resy', thefork: 'TheFork', aleno: 'Aleno' };
const parts = { settings: linkSettings, activation, information };

let links, drawn = '', current = '';

const address = () => {
  const [, , , platform, part] = location.pathname.split('/').map(decodeURIComponent);
  return { platform: platform || '', part };
};
const of = platform => links.find(l => l.platform === platform) || (KNOWN[platform] ? { platform, title: KNOWN[platform], state: 'absent', absent: true } : null);
// A link that stands opens on its settings, another one on the way to switch it on (OT-13).
const partOf = (p, part) => p.absent && part === 'settings' ? 'activation' : parts[part] ? part : p.state === 'active' ? 'settings' : 'activation';
const href = (p, part) => `${BASE}/${encodeURIComponent(p.platform)}${part ? '/' + part : ''}`;

// ---- what a link is at

const state = p => h('span', { class: 'state', data: { grade: LINK[p.state], state: p.state } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('links.state.', p.state));

// why says what a state means for who looks at it.
export function why(p) {
  switch (p.state) {
    case 'pending': return p.expires_at && !p.expires_at.startsWith('0001') ? t('links.why.pending_until', p.title, when(p.expires_at)) : t('links.why.pending', p.title);
    case 'disabling': return t('links.why.disabling', p.title) + (p.detail ? ` (${p.detail})` : '');
    case 'error': return t('links.why.error', p.detail || '–');
    case 'linked_elsewhere': return t('links.why.linked_elsewhere', p.title);
    case 'absent': return t('links.why.absent');
    case 'inactive': return p.detail || t('links.why.inactive');
  }
  return '';
}

async function sync(button, p) { await perform(button, `/v1/integrations/${encodeURIComponent(p.platform)}/sync`, { done: t('links.syncing', p.title) }); }

async function disable(button, p) {
  const waiting = p.queue?.waiting || 0;
  if (!await ask(t('links.disable_title', p.title), [t('links.disable_effect', p.title), waiting > 0 && n('links.disable_waiting', waiting)].filter(Boolean).join(' '), t('links.disable_yes'), true)) return;
  await perform(button, `/v1/integrations/${encodeURIComponent(p.platform)}/disable`, { done: t('links.disabled', p.title) });
  list.run();
}

const buttons = (p, small) => [
  ON.has(p.state) && p.capabilities.pull && h('button', { class: 'button', type: 'button', data: { act: 'sync' }, onclick: e => sync(e.currentTarget, p) }, t('links.sync')),
  !small && ON.has(p.state) && may('manager') && h('button', { class: 'button danger', type: 'button', data: { act: 'disable' }, onclick: e => disable(e.currentTarget, p) }, t('links.disable')),
  !p.absent && !ON.has(p.state) && may('manager') && h('button', { class: 'button primary', type: 'button', data: { act: 'activate' }, onclick: e => small ? go(href(p, 'activation')) : activate(e.currentTarget, p, () => list.run()) }, t('links.activate')),
];

// ---- the tiles

const figure = (value, text, to, bad) => h('a', { href: to, data: { state: bad ? 'bad' : '' } }, h('b', {}, number(value)), h('span', {}, text));

function tile(p) {
  const seen = [p.heard_at, p.pulled_at].filter(x => x && !x.startsWith('0001')).sort().at(-1);
  const activity = grade => `/integration/activity?platform=${encodeURIComponent(p.platform)}${grade ? '&grade=' + grade : ''}`;
  const fact = (key, value) => value && h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, value));
  return h('article', { class: 'tile link-tile', data: { platform: p.platform, grade: LINK[p.state] === 'bad' ? 'bad' : '', state: p.state } },
    h('header', {}, h('h2', {}, p.title), state(p)),
    why(p) && h('p', { class: 'reason' }, why(p)),
    !p.absent && [
      h('div', { class: 'tile-figures' }, figure(p.today.reservations, n('links.today', p.today.reservations), activity('')), figure(p.today.problems, n('links.problems', p.today.problems), activity('trouble'), p.today.problems > 0),
        figure(p.queue.waiting, n('links.waiting', p.queue.waiting), href(p, 'activation'), p.queue.waiting > 20)),
      h('dl', { class: 'facts' }, fact('links.venue', h('span', { class: 'mono' }, p.venue)), fact('links.heard', seen ? when(seen) : t('links.never')), fact('links.told', p.queue.last_sent && !p.queue.last_sent.startsWith('0001') && when(p.queue.last_sent)),
        p.queue.last_error && fact('links.last_error', p.queue.last_error)),
    ],
    h('footer', {}, h('a', { class: 'button', href: href(p), 'aria-label': t('links.more_of', p.title) }, t('links.more')), buttons(p, true)));
}

function tiles() {
  const all = [...Object.keys(KNOWN).map(of), ...links.filter(l => !KNOWN[l.platform])];
  // What is set up comes first, in the order of the configuration.
  const rank = p => p.absent ? 1e3 : links.indexOf(p);
  return [h('div', { class: 'bar' }, h('h1', {}, t('nav.reservations')), h('p', { class: 'purpose' }, t('links.purpose'))), h('div', { class: 'tiles' }, all.sort((a, b) => rank(a) - rank(b)).map(tile))];
}

// ---- one platform

function head(p) {
  return [
    h('div', { class: 'bar' }, h('a', { class: 'back', href: BASE, 'aria-label': t('links.back') }, '‹'), h('h1', {}, p.title), state(p), h('p', { class: 'purpose' }, why(p)), h('div', { class: 'bar-acts' }, buttons(p, false))),
    h('nav', { class: 'parts', 'aria-label': t('links.parts', p.title) },
      Object.keys(parts).filter(x => x !== 'settings' || !p.absent).map(x => h('a', { class: 'part', href: href(p, x), 'aria-current': x === partOf(p, address().part) && 'page' }, t('links.part.' + x))),
      !p.absent && h('a', { class: 'part', href: '/integration/activity?platform=' + encodeURIComponent(p.platform) }, t('activity.part.synced'), h('span', { 'aria-hidden': 'true' }, '\u00a0↗'))),
  ];
}

// ---- the page

function route() {
  if (!links) return;
  const page = $('page'), a = address(), p = a.platform && of(a.platform);
  page.setAttribute('aria-busy', 'false');
  if (!p) {
    current = '';
    const sign = JSON.stringify([links, a.platform]);
    if (sign === drawn) return;
    drawn = sign;
    const focused = document.activeElement?.closest?.('.tile')?.dataset.platform, act = document.activeElement?.dataset?.act;
    swap(page, tiles());
    if (focused) page.querySelector(`[data-platform="${CSS.escape(focused)}"] ${act ? `[data-act=${act}]` : 'footer a'}`)?.focus({ preventScroll: true });
    return;
  }
  const part = partOf(p, a.part), key = p.platform + '/' + part, sign = JSON.stringify([{ ...p, settings: null }, part]);
  if (key !== current) {
    current = key;
    drawn = sign;
    const body = h('div', { class: 'part-' + part, id: 'body' });
    swap(page, h('div', { id: 'head' }, head(p)), body);
    $('main').scrollTop = 0;
    parts[part].open(body, p, () => list.run());
  } else {
    if (sign !== drawn) {
      drawn = sign;
      const act = $('head').contains(document.activeElement) ? document.activeElement.dataset.act || document.activeElement.getAttribute('href') : '';
      swap($('head'), head(p));
      if (act) ($('head').querySelector(`[data-act="${CSS.escape(act)}"], [href="${CSS.escape(act)}"]`) || $('main')).focus({ preventScroll: true });
    }
    parts[part].update?.(p);
  }
}

const list = follow(['integration', 'setting', 'relay', 'reservation'], async () => {
  await ready;
  links = (await integrations()).map(named);
  const a = address();
  // Who linked it is known of a single one alone.
  if (links.some(l => l.platform === a.platform)) {
    const one = await get('/v1/integrations/' + encodeURIComponent(a.platform));
    links = links.map(l => l.platform === one.platform ? named(one) : l);
  }
  route();
});
list.fault = fault => {
  if (links) return;
  const words = h('div', { class: 'sheet say' });
  $('page').setAttribute('aria-busy', 'false');
  swap($('page'), $('page').firstElementChild, words);
  sayFault(words, fault, () => list.run());
};

const go = inside('main a[href^="/integration/reservations"]', route);
