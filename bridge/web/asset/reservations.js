// Integration > Reservations: a tile for each platform, and behind it one platform with all that is to be known and set.

import { $, get, h, swap, t, word } from './base.js';
import { follow, sayFault } from './shell.js';

const GRADE = { active: 'ok', pending: 'warn', disabling: 'warn', error: 'bad', linked_elsewhere: 'bad' };

const state = p => h('span', { class: 'state', data: { grade: GRADE[p.state] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('links.state.', p.state));

const tile = p => h('article', { class: 'tile', data: { platform: p.platform } },
  h('header', {}, h('h2', {}, p.title), state(p)),
  p.detail && h('p', { class: 'reason' }, p.detail),
  h('footer', {}, h('a', { class: 'button', href: '/integration/reservations/' + encodeURIComponent(p.platform) }, t('links.more'))));

let drawn = '';
const list = follow(['integration', 'setting'], async () => {
  const { integrations } = await get('/v1/integrations');
  const sign = JSON.stringify(integrations);
  if (sign === drawn) return;
  drawn = sign;
  $('page').setAttribute('aria-busy', 'false');
  swap($('page'), $('page').firstElementChild, h('div', { class: 'tiles' }, integrations.map(tile)));
});
list.fault = fault => {
  if (drawn) return;
  const words = h('div', { class: 'sheet say' });
  $('page').setAttribute('aria-busy', 'false');
  swap($('page'), $('page').firstElementChild, words);
  sayFault(words, fault, () => list.run());
};
