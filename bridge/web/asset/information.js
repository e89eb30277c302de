// What is to be known of a platform: what it shares, what it needs, how to work with it, whom to call.

import { h, swap, t, word } from './base.js';
import { contacts } from './contact.js';
import { may } from './shell.js';

const SHARES = ['bookings', 'seated_opens', 'walk_ins', 'deposits', 'pull', 'webhooks', 'stages', 'spend', 'totals', 'statuses', 'moves', 'covers', 'create', 'deactivates'];

function shares(p) {
  if (p.absent) return h('p', { class: 'soft' }, t('info.absent', p.title));
  const c = p.capabilities, unsure = new Set(c.unsure || []);
  const value = k => Array.isArray(c[k]) ? c[k].length > 0 : c[k];
  const detail = k => k === 'stages' ? c.stages.map(s => word('stage.', s)).join(' · ') : k === 'statuses' ? c.statuses.map(s => word('booking.', s)).join(' · ') : '';
  return h('table', { class: 'rows plain shares-table' }, h('thead', { class: 'hide' }, h('tr', {}, h('th', { scope: 'col' }, t('info.shares')), h('th', { scope: 'col' }, t('synced.state')))),
    h('tbody', {}, SHARES.map(k => h('tr', { data: { capability: k } }, h('td', {}, t('info.can.' + k), detail(k) && h('p', { class: 'soft' }, detail(k))),
      h('td', {}, h('span', { class: 'pos', data: { grade: value(k) ? unsure.has(k) ? 'warn' : 'ok' : '' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t(value(k) ? unsure.has(k) ? 'info.unsure' : 'info.yes' : 'info.no')))))));
}

const guide = [['seat', 3], ['move', 2], ['merge', 2], ['pay', 3], ['cancel', 2], ['problem', 2]];

export const information = {
  open(place, p) {
    const people = h('div', { id: 'link-contacts' });
    swap(place, h('div', { class: 'columns' },
      h('section', { class: 'sheet prose' }, h('h2', {}, t('info.shares')), p.capabilities && !p.capabilities.documented && h('p', { class: 'p-why', data: { grade: 'warn' } }, t('info.undocumented', p.title)), shares(p)),
      h('section', { class: 'sheet prose' }, h('h2', {}, t('info.before')), h('ul', {}, ['account', 'tables', 'credentials', 'reach', 'courses'].map(k => h('li', {}, t('info.need.' + k, p.title)))),
        h('h2', {}, t('info.help')), people, h('p', {}, may('manager') && h('a', { class: 'button', href: '/v1/support-bundle', download: '' }, t('info.bundle')))),
      h('section', { class: 'sheet prose' }, h('h2', {}, t('info.guide')), guide.map(([name, steps]) => [h('h3', {}, t('info.guide.' + name)), h('ul', {}, Array.from({ length: steps }, (_, i) => h('li', {}, t('info.guide.' + name + '_' + (i + 1), p.title))))]))));
    contacts([p.title], people);
  },
};
