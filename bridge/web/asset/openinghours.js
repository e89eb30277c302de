// When the menus of a delivery partner can be ordered from: the week, and the days that have other hours.

import { h, lang, t, when } from './base.js';

const WEEK = [1, 2, 3, 4, 5, 6, 0]; // from Monday; days are counted from Sunday, as the API does
const MIDNIGHT = 24 * 60;

const formats = {};
const written = (name, options) => formats[name] ??= new Intl.DateTimeFormat(lang === 'fr' ? 'fr-FR' : 'en-GB', { timeZone: 'UTC', ...options });
const weekday = d => written('weekday', { weekday: 'long' }).format(Date.UTC(2023, 0, 1 + d)); // a Sunday
const date = text => written('date', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(Date.parse(text));

const clock = minutes => `${String(Math.floor(minutes / 60) % 24).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const sentence = s => s.from === 0 && s.to === MIDNIGHT ? t('hours.all_day') : `${clock(s.from)} – ${clock(s.to)}${s.to > MIDNIGHT ? ' ' + t('hours.next_day') : ''}`;
const spans = list => list.length ? list.map(s => h('span', {}, sentence(s))) : h('span', { class: 'soft' }, t('hours.closed'));

// runs joins neighbouring days with the same hours.
function runs(weekly) {
  const days = WEEK.map(d => ({ first: d, last: d, spans: weekly.filter(x => x.day === d) }));
  const same = (a, b) => JSON.stringify(a.map(x => [x.from, x.to])) === JSON.stringify(b.map(x => [x.from, x.to]));
  return days.reduce((all, d) => {
    const last = all.at(-1);
    if (last && same(last.spans, d.spans)) last.last = d.first;
    else all.push(d);
    return all;
  }, []);
}

const today = zone => {
  try {
    return new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(Date.now());
  } catch {
    return new Date().toISOString().slice(0, 10);
  }
};

function menu(m, l) {
  const o = m.opening, zone = o?.zone || l.zone;
  const head = h('h3', {}, m.name || h('span', { class: 'mono' }, m.menu), m.services?.length > 0 && h('small', { class: 'soft' }, ' ' + m.services.map(s => t('service.' + s)).join(', ')));
  if (!o) return h('div', { class: 'menu-hours', data: { menu: m.menu } }, head, h('p', { class: 'soft' }, t('hours.not_told')));
  const ahead = o.special.filter(s => s.date >= today(zone));
  const row = (days, list) => h('div', { class: 'fact' }, h('dt', {}, days), h('dd', {}, spans(list)));
  return h('div', { class: 'menu-hours', data: { menu: m.menu } }, head,
    h('dl', { class: 'facts' }, runs(o.weekly).map(r => row(r.first === r.last ? weekday(r.first) : `${weekday(r.first)} – ${weekday(r.last)}`, r.spans))),
    ahead.length > 0 && [h('h4', {}, t('hours.special')), h('dl', { class: 'facts' }, ahead.map(s => row(date(s.date), s.hours)))],
    h('p', { class: 'soft' }, o.zone ? t('hours.zone', o.zone) : t('hours.no_zone', l.zone), ' · ', t('hours.told', when(m.at))));
}

// openingHours draws the hours of a link's menus; nothing for a partner that tells none.
export function openingHours(l) {
  if (!l.capabilities.hours) return null;
  return h('section', { class: 'sheet pad', id: 'hours' }, h('h2', {}, t('hours.title')), h('p', { class: 'hint' }, t('hours.hint', l.title)),
    l.hours?.length ? l.hours.map(m => menu(m, l)) : h('p', { class: 'soft' }, t('hours.not_told')));
}
