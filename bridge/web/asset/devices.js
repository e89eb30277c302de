// Devices: the kitchen screens of the configuration, the browsers paired with them, and pairing by a code.

import { $, get, h, number, swap, t, when, word } from './base.js';
import { ask, follow, may, perform, ready, say, sayFault, table } from './shell.js';

const screens = [...$('screens').children].map(e => e.dataset);

function pairForm() {
  const code = h('input', { id: 'code', class: 'code-input', maxlength: 8, autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', placeholder: 'K7Q2', required: true });
  const screen = h('select', { id: 'screen' }, [...screens.map(s => s.name), ...(screens.some(s => s.name === 'expo') ? [] : ['expo'])].map(name => h('option', { value: name }, name)));
  return h('form', { class: 'pair-form', onsubmit: async e => {
    e.preventDefault();
    const value = code.value.trim().toUpperCase();
    if (!value) { code.focus(); return; }
    const button = e.target.querySelector('button');
    if (await perform(button, `/v1/pairings/${encodeURIComponent(value)}/approve`, { body: { screen: screen.value }, done: t('devices.approved', screen.value) })) { code.value = ''; list.run(); }
  } },
  h('label', {}, h('span', {}, t('devices.code')), code), h('label', {}, h('span', {}, t('devices.screen')), screen),
  h('button', { class: 'button primary' }, t('devices.approve')), h('p', { class: 'soft' }, t('devices.approve_hint', location.host + '/pair')));
}

function screenCard(s, pairings) {
  const mine = pairings.filter(p => p.screen === s.name).length;
  return h('article', { class: 'tile screen' },
    h('div', { class: 'glass', data: { theme: s.theme }, 'aria-hidden': 'true' }, h('i'), h('i'), h('i'), h('i')),
    h('header', {}, h('h2', {}, s.name), h('a', { class: 'button', href: '/screens/' + encodeURIComponent(s.name), target: '_blank', rel: 'noopener' }, t('devices.open'))),
    h('p', { class: 'soft' }, [s.stations, t('devices.geometry', number(Number(s.diagonal)), number(Number(s.distance))), word('theme.', s.theme)].filter(Boolean).join(' · ')),
    h('p', { class: 'soft' }, mine ? t('devices.paired_with', mine) : t('devices.not_paired')));
}

let form, drawn = '';
const list = follow(['access', 'setting'], async () => {
  await ready;
  const pairings = may('manager') ? (await get('/v1/pairings')).pairings || [] : [];
  const sign = JSON.stringify(pairings);
  if (sign === drawn) return;
  drawn = sign;
  form ??= may('manager') ? pairForm() : null;
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  const paired = h('div', { class: 'sheet' });
  if (pairings.length) {
    swap(paired, table([
      { head: t('devices.screen'), cell: p => h('b', {}, p.screen) },
      { head: t('devices.label'), cell: p => p.label },
      { head: t('devices.paired_at'), cell: p => when(p.paired_at) },
      { head: t('devices.last_seen'), cell: p => p.last_seen ? when(p.last_seen) : t('devices.never') },
      { head: '', cell: p => h('button', { class: 'button danger small', onclick: async e => {
        const button = e.currentTarget;
        if (await ask(t('devices.revoke_title', p.screen), t('devices.revoke_effect', p.label || p.screen), t('devices.revoke_yes'), true)) {
          if (await perform(button, `/v1/pairings/${encodeURIComponent(p.id)}`, { method: 'DELETE', done: t('devices.revoked') })) list.run();
        }
      } }, t('devices.revoke')) },
    ], pairings));
  } else say(paired, t('devices.empty'), t('devices.empty_remedy'));
  swap(body,
    screens.length ? h('div', { class: 'tiles' }, screens.map(s => screenCard(s, pairings))) : h('p', { class: 'soft' }, t('devices.no_screens')),
    may('manager') && h('section', { class: 'block' }, h('h2', {}, t('devices.pair_title')), h('div', { class: 'sheet pad' }, form)),
    may('manager') && h('section', { class: 'block' }, h('h2', {}, t('devices.pairings')), paired));
});
list.fault = fault => { if (!drawn) { $('body').className = 'say'; sayFault($('body'), fault, () => list.run()); } };
