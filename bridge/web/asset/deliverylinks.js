// The links to the delivery partners: a tile each, and behind it activation, checklist, channels and settings of one.

import { $, get, h, money, number, swap, t, when, word } from './base.js';
import { contacts } from './contact.js';
import { field, setting } from './form.js';
import { integrations } from './integrations.js';
import { openingHours } from './openinghours.js';
import { ask, follow, may, perform, say, sayFault, table } from './shell.js';

const GRADE = { active: 'ok', observing: 'warn', scheduled: 'warn', error: 'bad', inactive: '' };
const path = l => '/v1/integrations/' + encodeURIComponent(l.platform);

const TILLS = ['Lightspeed', 'Bepoz']; // whose support is asked when the POS is at fault

const SAMPLE = `delivery:
  - aggregator: otter
    store: "12345"
    webhook_secret_file: otter-webhook
    credentials_file: otter.yaml
    auto_accept: true
    inject: strict`;

let place, chosen = '', drawn = '', form = null;

const stateOf = l => l.detail ? 'error' : l.state === 'observing' && l.settings.mode === 'live' ? 'scheduled' : l.state;
const state = l => h('span', { class: 'state', data: { grade: GRADE[stateOf(l)] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('delivery.state.' + stateOf(l)));
const fact = (key, value) => h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, value));
const moment = text => text ? when(text) : t('delivery.never');
const pausedText = l => l.paused && [t('delivery.paused'), l.paused_till && t('delivery.till', when(l.paused_till)), l.pause_reason, l.paused_by].filter(Boolean).join(' · ');

const figures = l => h('div', { class: 'tile-figures' },
  h('div', {}, h('b', {}, number(l.queue?.waiting || 0)), h('span', {}, t('delivery.callbacks'))),
  h('div', {}, h('b', {}, number(l.queue?.failed || 0)), h('span', {}, t('delivery.failed'))),
  h('div', {}, h('b', {}, moment(l.heard_at)), h('span', {}, t('delivery.last_webhook'))));

const tile = l => h('article', { class: 'tile', data: { source: l.platform, grade: l.detail ? 'bad' : undefined } },
  h('header', {}, h('h2', {}, l.title), state(l)),
  (l.detail || l.paused) && h('p', { class: 'reason' }, [pausedText(l), l.detail].filter(Boolean).join(' · ')),
  figures(l),
  h('footer', {}, h('a', { class: 'button', href: '/integration/delivery/' + encodeURIComponent(l.platform) }, t('delivery.more'))));

// ---- one link

async function act(l, button, verb, { title, effect, yes, danger, query, more } = {}) {
  if (title && !await ask(t(title, l.title), t(effect, l.title), t(yes), danger, more)) return;
  await perform(button, `${path(l)}/${verb}${query?.() || ''}`, { done: t('delivery.done_' + verb, l.title) });
  drawn = '';
  all.run();
}

function activate(l, button) {
  const at = h('input', { id: 'go-live', type: 'datetime-local' }), wrong = h('p', { class: 'fault', role: 'alert' });
  act(l, button, 'activate', {
    title: 'delivery.activate_title', effect: 'delivery.activate_effect', yes: 'delivery.activate', query: () => at.value ? '?' + new URLSearchParams({ from: new Date(at.value).toISOString() }) : '',
    more: { body: h('div', { class: 'field-row' }, h('label', { for: 'go-live' }, t('delivery.activate_at')), at, wrong), check: () => { const bad = at.value && !(Date.parse(at.value) > Date.now()); wrong.textContent = bad ? t('delivery.activate_wrong') : ''; return !bad; } },
  });
}

function activation(l) {
  const s = l.state === 'observing' && l.settings.mode === 'live' ? 'scheduled' : l.state;
  const text = { scheduled: () => t('delivery.go_live', when(l.settings.live_from)), active: () => t('delivery.active_text'), inactive: () => t('delivery.disabled_text'), observing: () => t('delivery.observing_text') }[s]?.();
  const button = (id, key, kind, does) => h('button', { class: 'button ' + kind, id, onclick: e => does(e.currentTarget) }, t(key));
  return h('section', { class: 'sheet pad activation' },
    h('header', { class: 'block-head' }, h('h2', {}, t('delivery.activation')), state(l)),
    l.detail && h('p', { class: 'p-why', data: { grade: 'bad' } }, l.detail), l.paused && h('p', { class: 'p-why', data: { grade: 'warn' } }, pausedText(l)), h('p', {}, text),
    h('div', { class: 'row-acts' },
      may('manager') && s !== 'active' && button('activate', 'delivery.activate', 'primary', b => activate(l, b)),
      may('manager', 'staff') && s === 'active' && l.capabilities.pause && button('pause', l.paused ? 'delivery.resume' : 'delivery.pause', '', b => l.paused ? act(l, b, 'resume') : act(l, b, 'pause', { title: 'delivery.pause_title', effect: 'delivery.pause_effect', yes: 'delivery.pause_yes' })),
      l.capabilities.feed && l.on && button('compare', 'delivery.compare', '', b => act(l, b, 'sync')),
      may('manager') && s !== 'observing' && button('observe', 'delivery.observe', '', b => act(l, b, 'observe', { title: 'delivery.observe_title', effect: 'delivery.observe_effect', yes: 'delivery.observe' })),
      may('manager') && l.on && button('disable', 'delivery.disable', 'danger', b => act(l, b, 'disable', { title: 'delivery.disable_title', effect: 'delivery.disable_effect', yes: 'delivery.disable', danger: true }))));
}

function checklist(l) {
  const list = l.checklist || [];
  if (!list.length) return null;
  const done = list.filter(c => c.done).length, partners = [...new Set(list.map(c => c.partner))];
  const title = slug => l.settings.channels?.[slug]?.name || slug;
  return h('section', { class: 'sheet pad', id: 'checklist' }, h('header', { class: 'block-head' }, h('h2', {}, t('delivery.checklist')), h('span', { class: 'state', data: { grade: done === list.length ? 'ok' : 'warn' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('delivery.checklist_state', number(done), number(list.length)))),
    partners.map(p => [partners.length > 1 && h('h3', {}, title(p)), h('ol', { class: 'steps-list' }, list.filter(c => c.partner === p).map(c => h('li', { class: 'step', data: { grade: c.done ? 'ok' : 'open', step: c.step } },
      h('span', { class: 'shape', 'aria-hidden': 'true' }),
      h('div', {}, h('b', {}, word('delivery.step.', c.step)), h('span', { class: 'soft' }, c.done && c.by ? t('delivery.ticked', c.by, when(c.at)) : t(`delivery.step.${c.step}_text`))),
      h('span', { class: 'step-state' }, t(c.done ? 'setup.done' : 'setup.open')),
      may('manager') && h('button', { class: 'button small', id: `tick-${p}-${c.step}`, onclick: async e => {
        await perform(e.currentTarget, `${path(l)}/checklist`, { method: 'PUT', body: { partner: p, step: c.step, done: !c.done } });
        drawn = '';
        all.run();
      } }, t(c.done ? 'setup.untick' : 'setup.tick')))))]));
}

// ---- settings: what the link does by itself, and what single channels have different

const POLICIES = ['strict', 'open_item'];
const FEES = ['delivery_fee', 'service_fee', 'small_order_fee', 'packaging_fee', 'bag_fee'];
const MINUTES = ['accept_minutes', 'release_minutes', 'show_minutes', 'lead_minutes'];

// three is a switch that may stand as the link's own: '' as above, 1 on, 0 off.
const three = (kind, value, label) => h('select', { class: kind, 'aria-label': label }, ['', '1', '0'].map(v => h('option', { value: v, selected: v === (value === undefined ? '' : value ? '1' : '0') }, t({ '': 'delivery.policy.default', 1: 'delivery.on', 0: 'delivery.off' }[v]))));
const truth = v => v === '' ? undefined : v === '1';
const policy = (id, value, inherit, label) => h('select', { id: id || null, class: 'c-policy', 'aria-label': label }, [...inherit ? [''] : [], ...POLICIES].map(p => h('option', { value: p, selected: p === (value || (inherit ? '' : 'strict')) }, t('delivery.policy.' + (p || 'default')))));

function settings(l) {
  const fresh = () => { form = null; drawn = ''; all.run(); };
  const channel = (slug, c) => {
    const label = key => `${c.name || slug}: ${t('delivery.' + key)}`, cell = (key, e) => h('td', { data: { label: t('delivery.' + key) } }, e);
    return h('tr', { data: { slug } }, cell('channel', [h('b', {}, c.name || slug), c.name && h('small', { class: 'mono' }, slug)]),
      cell('auto_accept', three('c-auto', c.auto_accept, label('auto_accept'))), cell('inject', three('c-inject', c.injection, label('inject'))),
      cell('policy', policy('', c.inject, true, label('policy'))), cell('payment', h('input', { class: 'c-payment', value: c.payment_method || '', maxlength: 40, autocomplete: 'off', 'aria-label': label('payment') })));
  };
  return setting({
    path: path(l), member: 'settings', current: { value: l.settings, revision: l.revision }, saved: fresh, reload: fresh,
    draw: (v, changed) => {
      const body = h('tbody', {}, Object.entries(v.channels || {}).sort().map(([slug, c]) => channel(slug, c)));
      const slug = h('input', { id: 'new-slug', maxlength: 40, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', placeholder: 'ubereats' });
      const add = () => { const s = slug.value.trim(); if (!s || body.querySelector(`[data-slug="${CSS.escape(s)}"]`)) { slug.focus(); return; } body.append(channel(s, {})); slug.value = ''; changed(); };
      const amount = (name, value) => field(t('delivery.' + name), h('input', { id: 'd-' + name, class: 'd-minutes', inputmode: 'numeric', value: String(value), maxlength: 4, autocomplete: 'off', data: { name } }), '/' + name, t('delivery.minutes'));
      return [
        h('label', { class: 'tick' }, h('input', { id: 'd-auto', type: 'checkbox', checked: v.auto_accept, 'aria-describedby': 'd-auto-hint' }), h('span', {}, h('b', {}, t('delivery.auto_accept')), h('span', { class: 'hint', id: 'd-auto-hint' }, t('delivery.auto_accept_hint')))),
        field(t('delivery.policy'), policy('d-policy', v.inject, false), '/inject'), ...MINUTES.map(m => amount(m, v[m])),
        h('h3', {}, t('delivery.channels')),
        h('table', { class: 'rows channels entries' }, h('thead', {}, h('tr', {}, ['channel', 'auto_accept', 'inject', 'policy', 'payment'].map(k => h('th', { scope: 'col' }, t('delivery.' + k))))), body),
        h('div', { class: 'address' }, h('div', { class: 'field-row' }, h('label', { for: 'new-slug' }, t('delivery.new_channel')), slug), h('button', { class: 'button', type: 'button', id: 'add-channel', onclick: add }, t('delivery.add'))),
        h('h3', {}, t('delivery.money')), h('p', { class: 'hint' }, t('delivery.money_hint')),
        ...FEES.map(f => field(t('delivery.fee.' + f), h('input', { id: 'd-' + f, class: 'd-fee mono', value: v.fees?.[f] || '', maxlength: 64, autocomplete: 'off', data: { name: f } }), '/fees/' + f)),
        field(t('delivery.discount'), h('input', { id: 'd-discount', class: 'mono', value: v.discount || '', maxlength: 64, autocomplete: 'off' }), '/discount'),
        h('label', { class: 'tick' }, h('input', { id: 'd-tip', type: 'checkbox', checked: v.tip_to_pos }), h('span', {}, h('b', {}, t('delivery.tip')), h('span', { class: 'hint' }, t('delivery.tip_hint')))),
      ];
    },
    read: f => ({
      auto_accept: $('d-auto').checked, inject: $('d-policy').value, tip_to_pos: $('d-tip').checked, discount: $('d-discount').value.trim(),
      ...Object.fromEntries([...f.querySelectorAll('.d-minutes')].map(i => [i.dataset.name, Number(i.value)])),
      fees: Object.fromEntries([...f.querySelectorAll('.d-fee')].filter(i => i.value.trim()).map(i => [i.dataset.name, i.value.trim()])),
      channels: Object.fromEntries([...f.querySelectorAll('tr[data-slug]')].map(r => [r.dataset.slug, {
        ...l.settings.channels?.[r.dataset.slug], auto_accept: truth(r.querySelector('.c-auto').value), injection: truth(r.querySelector('.c-inject').value), inject: r.querySelector('.c-policy').value || undefined, payment_method: r.querySelector('.c-payment').value.trim() || undefined,
      }])),
    }),
    check: v => MINUTES.filter(m => !Number.isInteger(v[m]) || v[m] < 0).map(m => ['/' + m, t('delivery.minutes_wrong')]),
  });
}

// ---- what was only watched (OTR-23)

function watched(list) {
  return list?.length > 0 && h('section', { class: 'sheet pad' }, h('h2', {}, t('delivery.observed')), table([
    { head: t('delivery.at'), cell: o => when(o.at) }, { head: t('orders.from'), cell: o => `${o.partner || o.slug} ${o.friendly_id}` }, { head: t('orders.items'), num: true, cell: o => number(o.lines) }, { head: t('orders.total'), num: true, cell: o => money(o.total, o.currency) },
    { head: t('delivery.would'), cell: o => o.unlinked.length ? h('span', { class: 'pos', data: { grade: 'bad' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('order.pos_missing', o.unlinked.join(', '))) : h('span', { class: 'pos', data: { grade: 'ok' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('delivery.would_go')) },
  ], list.slice(0, 20), 'observed'));
}

function one(l, observed) {
  const people = h('div', { id: 'link-contacts' });
  contacts([l.title, ...Object.entries(l.settings.channels || {}).map(([slug, c]) => c.name || slug), ...TILLS], people);
  return [
    h('p', { class: 'notice' }, h('a', { href: '/integration/delivery' }, t('delivery.back'))),
    h('div', { class: 'block-head' }, h('h2', {}, l.title, ' ', h('small', { class: 'mono soft' }, l.venue || '')), state(l)),
    figures(l),
    h('div', { class: 'columns' },
      h('div', { class: 'stacked' }, activation(l), checklist(l), openingHours(l), watched(observed),
        h('section', { class: 'sheet prose' }, h('h2', {}, t('delivery.help')), h('ul', {}, [1, 2, 3, 4].map(i => h('li', {}, t('delivery.help_' + i)))),
          h('dl', { class: 'facts' }, fact('delivery.webhook', h('span', { class: 'mono' }, l.webhook)), !l.reachable && fact('delivery.reach', t('delivery.unreachable')), fact('delivery.last_feed', moment(l.pulled_at)), l.queue?.oldest && fact('delivery.oldest', when(l.queue.oldest))), (l.outages || []).length > 0 && [h('h2', {}, t('delivery.outages')), h('ul', { class: 'outages' }, l.outages.map(o => h('li', {}, h('b', {}, `${when(o.from)} – ${o.to ? when(o.to) : t('delivery.still')}`), ' ', h('span', { class: 'soft' }, o.reason))))],
          h('h2', {}, t('info.help')), people)),
      form && may('manager') && h('div', { class: 'stacked' }, h('section', { class: 'sheet pad' }, h('h2', {}, t('delivery.settings')), form.form))),
  ];
}

const all = follow(['delivery', 'integration', 'order', 'setting'], async () => {
  if (!place) return;
  const asked = chosen;
  const list = await integrations('delivery');
  const l = list.find(x => x.platform === asked);
  const observed = l ? (await get(path(l) + '/observed')).observed : [];
  const sign = JSON.stringify([asked ? l : list, asked, observed]);
  if (!place || asked !== chosen || sign === drawn || form?.isDirty()) return;
  drawn = sign;
  if (l && may('manager')) form = settings(l);
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  if (l) swap(place, one(l, observed));
  else if (list.length) swap(place, h('div', { class: 'tiles' }, list.map(tile)));
  else {
    const box = h('div', { class: 'sheet say' });
    swap(place, box);
    say(box, t('delivery.none'), t('delivery.none_remedy'));
    box.append(h('pre', { class: 'sample', tabindex: 0 }, SAMPLE));
  }
  if (focused) $(focused)?.focus({ preventScroll: true });
});
all.fault = fault => {
  if (!place || (drawn && fault.status !== 403)) return;
  const words = h('div', { class: 'sheet say' });
  swap(place, words);
  sayFault(words, fault, () => all.run());
};

function show(id) {
  chosen = id;
  drawn = '';
  form = null;
  $('main').scrollTop = 0;
  all.run();
}

export const links = {
  open(where, id) { place = where; show(id); },
  show,
  close() { place = null; },
};
