// Table audit: the floor's tables beside those that a platform named. Names are equal to the letter or they are two tables;
// what only resembles is shown, and made one table by a person or not at all.

import { $, call, day, get, h, n, number, swap, t } from './base.js';
import { ask, follow, may, ready, say, sayFault, toast } from './shell.js';

let platforms = [], chosen = new URLSearchParams(location.search).get('platform') || '', drawn = '';

function choose(platform) {
  chosen = platform;
  drawn = '';
  history.pushState(null, '', '/integration/floorplans?platform=' + encodeURIComponent(platform));
  list.run();
}

// alias makes a platform's table one of ours, or takes that back (here ''). The settings are read anew, so that nothing that
// somebody else changed meanwhile is lost.
async function alias(there, here) {
  const at = '/v1/integrations/' + encodeURIComponent(chosen);
  try {
    const now = await get(at);
    const aliases = { ...now.settings.aliases };
    if (here) aliases[there] = here; else delete aliases[there];
    await call('PUT', at, { body: { settings: { ...now.settings, aliases }, revision: now.revision } });
    toast(here ? t('floorplans.joined', there, here) : t('floorplans.parted', there), 'good');
  } catch (fault) {
    toast(fault.status === 403 ? t('page.forbidden') : fault.message, 'bad');
  }
  list.run();
}

async function join(pair, title) {
  if (await ask(t('floorplans.join_title', pair.there, pair.here), t('floorplans.join_effect', title, pair.there, pair.here), t('floorplans.join'))) alias(pair.there, pair.here);
}

async function part(pair, title) {
  if (await ask(t('floorplans.part_title', pair.there, pair.here), t('floorplans.part_effect', title, pair.there), t('floorplans.part'), true)) alias(pair.there, '');
}

const names = list => h('ul', { class: 'name-list' }, list.map(x => h('li', {}, x)));

const pairs = (list, title, act, key, kind) => h('table', { class: 'rows plain pairs' },
  h('thead', {}, h('tr', {}, [t('floorplans.at', title), t('floorplans.here'), ''].map(x => h('th', { scope: 'col' }, x)))),
  h('tbody', {}, list.map(p => h('tr', {}, h('td', {}, h('code', {}, p.there)), h('td', {}, h('code', {}, p.here)),
    h('td', { class: 'num' }, may('manager') && h('button', { class: 'button small ' + kind, data: { there: p.there, here: p.here }, onclick: () => act(p, title) }, t(key)))))));

const section = (id, head, lead, content, grade) => h('section', { class: 'sheet audit-part', id }, h('h2', { data: { grade } }, grade && h('span', { class: 'shape', 'aria-hidden': 'true' }), head), lead && h('p', { class: 'soft' }, lead), content);

function draw(a, title) {
  const body = $('body'), good = !a.only_there.length;
  body.setAttribute('aria-busy', 'false');
  body.className = '';
  const named = a.matching.length + a.only_there.length + a.aliases.length;
  swap(body,
    h('p', { class: 'notice' + (good ? '' : ' bad'), id: 'verdict' }, !named ? t('floorplans.silent', title) : good ? n('floorplans.all_match', named, title) : n('floorplans.some_miss', a.only_there.length, title)),
    h('div', { class: 'audit-parts' },
      section('near', t('floorplans.near', number(a.near.length)), t('floorplans.near_lead'), a.near.length ? pairs(a.near, title, join, 'floorplans.join', '') : h('p', {}, t('floorplans.none_near')), a.near.length ? 'warn' : ''),
      section('only-there', t('floorplans.only_there', title, number(a.only_there.length)), t('floorplans.only_there_lead'), a.only_there.length ? names(a.only_there) : h('p', {}, t('floorplans.none')), a.only_there.length ? 'bad' : ''),
      section('only-here', t('floorplans.only_here', number(a.only_here.length)), t('floorplans.only_here_lead', title, day(Date.parse(a.since))), a.only_here.length ? names(a.only_here) : h('p', {}, t('floorplans.none')), ''),
      section('matching', t('floorplans.matching', number(a.matching.length)), '', a.matching.length ? names(a.matching) : h('p', {}, t('floorplans.none')), a.matching.length ? 'ok' : ''),
      a.aliases.length > 0 && section('aliases', t('floorplans.aliases', number(a.aliases.length)), t('floorplans.aliases_lead'), pairs(a.aliases, title, part, 'floorplans.part', 'danger'), '')),
    h('p', { class: 'soft' }, t('floorplans.how')));
}

function nothing(title, text) {
  const body = $('body');
  body.setAttribute('aria-busy', 'false');
  body.className = 'sheet say';
  say(body, title, text);
}

const list = follow(['integration', 'setting', 'reservation'], async () => {
  if (!platforms.length) {
    try {
      platforms = (await get('/v1/integrations')).integrations || [];
    } catch (fault) {
      if (fault.status !== 404) throw fault; // a box without platforms has no such call
    }
    await ready;
  }
  if (!platforms.length) { nothing(t('floorplans.no_platform'), t('floorplans.no_platform_remedy')); return; }
  if (!platforms.some(p => p.platform === chosen)) chosen = platforms[0].platform;
  swap($('platforms'), platforms.map(p => h('button', { class: 'pill', type: 'button', 'aria-pressed': String(p.platform === chosen), onclick: () => choose(p.platform) }, p.title)));
  const asked = chosen, a = await get(`/v1/integrations/${encodeURIComponent(asked)}/audit`);
  const sign = JSON.stringify(a);
  if (asked !== chosen || sign === drawn) return;
  drawn = sign;
  draw(a, platforms.find(p => p.platform === asked).title);
});
list.fault = fault => {
  if (drawn && fault.status !== 403) return;
  $('body').setAttribute('aria-busy', 'false');
  $('body').className = 'sheet say';
  sayFault($('body'), fault, () => list.run());
};
addEventListener('popstate', () => { chosen = new URLSearchParams(location.search).get('platform') || ''; drawn = ''; list.run(); });
