// The links to the delivery partners: a tile each, and behind it activation, checklist, channels and settings of one.

import { $, get, h, number, swap, t, when, word } from './base.js';
import { field, setting } from './form.js';
import { ask, follow, may, perform, say, sayFault } from './shell.js';

const GRADE = { active: 'ok', observing: 'warn', connecting: 'warn', scheduled: 'warn', disabled: '', error: 'bad' };
const NAMES = { otter: 'Otter', deliverect: 'Deliverect', ubereats: 'Uber Eats' };
const nameOf = l => l.name || NAMES[l.source] || l.source;
const path = l => '/v1/delivery/' + encodeURIComponent(l.source);

const SAMPLE = `delivery:
  - aggregator: otter
    store: "12345"
    webhook_secret_file: otter-webhook
    credentials_file: otter.yaml
    auto_accept: true
    inject: strict`;

let place, chosen = '', drawn = '', form = null;

const stateOf = l => l.go_live && Date.parse(l.go_live) > Date.now() ? 'scheduled' : l.state;
const state = l => h('span', { class: 'state', data: { grade: GRADE[stateOf(l)] } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), word('delivery.state.', stateOf(l)));
const fact = (key, value) => h('div', { class: 'fact' }, h('dt', {}, t(key)), h('dd', {}, value));
const moment = text => text ? when(text) : t('delivery.never');
const refused = l => Object.values(l.refused || {}).reduce((a, b) => a + b, 0);

const figures = l => h('div', { class: 'tile-figures' },
  h('div', {}, h('b', {}, number(l.received || 0)), h('span', {}, t('delivery.received'))),
  h('div', {}, h('b', {}, number(l.callbacks_waiting || 0)), h('span', {}, t('delivery.callbacks'))),
  h('div', {}, h('b', {}, number(refused(l))), h('span', {}, t('delivery.refused'))));

const tile = l => h('article', { class: 'tile', data: { source: l.source, grade: l.state === 'error' ? 'bad' : undefined } },
  h('header', {}, h('h2', {}, nameOf(l)), state(l)),
  (l.reason || l.paused) && h('p', { class: 'reason' }, [l.paused && t('delivery.paused'), l.reason].filter(Boolean).join(' · ')),
  figures(l),
  h('dl', { class: 'facts' }, fact('delivery.last_webhook', moment(l.last_webhook_at)), fact('delivery.last_feed', moment(l.last_feed_at))),
  h('footer', {}, h('a', { class: 'button', href: '/integration/delivery/' + encodeURIComponent(l.source) }, t('delivery.more'))));

// ---- one link

async function act(l, button, verb, { title, effect, yes, danger, body, more } = {}) {
  if (title && !await ask(t(title, nameOf(l)), t(effect, nameOf(l)), t(yes), danger, more)) return;
  await perform(button, `${path(l)}/${verb}`, { body: body?.(), done: t('delivery.done_' + verb, nameOf(l)) });
  drawn = '';
  all.run();
}

function activate(l, button) {
  const at = h('input', { id: 'go-live', type: 'datetime-local' }), wrong = h('p', { class: 'fault', role: 'alert' });
  act(l, button, 'activate', {
    title: 'delivery.activate_title', effect: 'delivery.activate_effect', yes: 'delivery.activate', body: () => at.value ? { go_live: new Date(at.value).toISOString() } : {},
    more: { body: h('div', { class: 'field-row' }, h('label', { for: 'go-live' }, t('delivery.activate_at')), at, wrong), check: () => { const bad = at.value && !(Date.parse(at.value) > Date.now()); wrong.textContent = bad ? t('delivery.activate_wrong') : ''; return !bad; } },
  });
}

function activation(l) {
  const s = stateOf(l);
  const text = s === 'scheduled' ? t('delivery.go_live', when(l.go_live)) : s === 'active' ? t('delivery.active_text') : s === 'disabled' ? t('delivery.disabled_text') : t('delivery.observing_text');
  const on = s === 'active' || s === 'error' || s === 'scheduled';
  return h('section', { class: 'sheet pad activation' },
    h('header', { class: 'block-head' }, h('h2', {}, t('delivery.activation')), state(l)),
    l.reason && h('p', { class: 'p-why', data: { grade: l.state === 'error' ? 'bad' : 'warn' } }, l.reason), h('p', {}, text),
    may('manager') && h('div', { class: 'row-acts' },
      s !== 'active' && h('button', { class: 'button primary', id: 'activate', onclick: e => activate(l, e.currentTarget) }, t('delivery.activate')),
      s === 'active' && h('button', { class: 'button', id: 'pause', onclick: e => l.paused ? act(l, e.currentTarget, 'resume') : act(l, e.currentTarget, 'pause', { title: 'delivery.pause_title', effect: 'delivery.pause_effect', yes: 'delivery.pause_yes' }) }, t(l.paused ? 'delivery.resume' : 'delivery.pause')),
      l.capabilities?.feed && s !== 'disabled' && h('button', { class: 'button', id: 'compare', onclick: e => act(l, e.currentTarget, 'check') }, t('delivery.compare')),
      (on || s === 'observing') && h('button', { class: 'button danger', id: 'disable', onclick: e => act(l, e.currentTarget, 'disable', { title: 'delivery.disable_title', effect: 'delivery.disable_effect', yes: 'delivery.disable', danger: true }) }, t('delivery.disable'))));
}

function checklist(l) {
  const list = l.checklist || [];
  if (!list.length) return null;
  const done = list.filter(c => c.done).length, partners = [...new Set(list.map(c => c.partner))];
  const title = partner => (l.channels || []).find(c => c.slug === partner)?.name || NAMES[partner] || partner;
  return h('section', { class: 'sheet pad', id: 'checklist' }, h('header', { class: 'block-head' }, h('h2', {}, t('delivery.checklist')), h('span', { class: 'state', data: { grade: done === list.length ? 'ok' : 'warn' } }, h('span', { class: 'shape', 'aria-hidden': 'true' }), t('delivery.checklist_state', number(done), number(list.length)))),
    partners.map(p => [partners.length > 1 && h('h3', {}, title(p)), h('ol', { class: 'steps-list' }, list.filter(c => c.partner === p).map(c => h('li', { class: 'step', data: { grade: c.done ? 'ok' : 'open', step: c.step } },
      h('span', { class: 'shape', 'aria-hidden': 'true' }),
      h('div', {}, h('b', {}, word('delivery.step.', c.step)), h('span', { class: 'soft' }, c.done && c.by ? t('delivery.ticked', c.by, when(c.at)) : t(`delivery.step.${c.step}_text`))),
      h('span', { class: 'step-state' }, t(c.done ? 'setup.done' : 'setup.open')),
      may('manager') && h('button', { class: 'button small', id: `tick-${p}-${c.step}`, onclick: async e => {
        await perform(e.currentTarget, `${path(l)}/checklist/${encodeURIComponent(p)}/${c.step}`, { method: 'PUT', body: { done: !c.done } });
        drawn = '';
        all.run();
      } }, t(c.done ? 'setup.untick' : 'setup.tick')))))]));
}

// ---- settings: what the link does by itself, and what single channels have different

const POLICIES = ['strict', 'open_item'];

function settings(l, current) {
  const slugs = v => [...new Set([...(l.channels || []).map(c => c.slug), ...Object.keys(v.channels || {})])].sort();
  const title = slug => (l.channels || []).find(c => c.slug === slug)?.name || NAMES[slug] || slug;
  return setting({
    path: path(l), current, saved: () => { form = null; drawn = ''; all.run(); }, reload: () => { form = null; drawn = ''; all.run(); },
    draw: v => [
      h('label', { class: 'tick' }, h('input', { id: 'd-auto', type: 'checkbox', checked: v.auto_accept, data: { pointer: '/auto_accept' }, 'aria-describedby': 'd-auto-hint' }), h('span', {}, h('b', {}, t('delivery.auto_accept')), h('span', { class: 'hint', id: 'd-auto-hint' }, t('delivery.auto_accept_hint')))),
      field(t('delivery.policy'), policy('d-policy', v.policy, false), '/policy'),
      slugs(v).length ? h('table', { class: 'rows channels entries' }, h('thead', {}, h('tr', {}, ['channel', 'today', 'auto_accept', 'inject', 'policy', 'payment'].map(k => h('th', { scope: 'col' }, t('delivery.' + k))))),
        h('tbody', {}, slugs(v).map(slug => {
          const c = { auto_accept: v.auto_accept, inject: true, policy: '', payment_method: '', ...v.channels?.[slug] }, label = key => `${title(slug)}: ${t('delivery.' + key)}`, cell = (key, e) => h('td', { data: { label: t('delivery.' + key) } }, e);
          return h('tr', { data: { slug } }, cell('channel', h('b', {}, title(slug))), cell('today', number((l.channels || []).find(x => x.slug === slug)?.orders_today || 0)),
            cell('auto_accept', h('input', { class: 'c-auto', type: 'checkbox', checked: c.auto_accept, 'aria-label': label('auto_accept') })), cell('inject', h('input', { class: 'c-inject', type: 'checkbox', checked: c.inject, 'aria-label': label('inject') })),
            cell('policy', policy('', c.policy, true, label('policy'))), cell('payment', h('input', { class: 'c-payment', value: c.payment_method || '', maxlength: 40, autocomplete: 'off', 'aria-label': label('payment') })));
        }))) : h('p', { class: 'hint' }, t('delivery.no_channel')),
    ],
    read: f => ({
      ...current.value, auto_accept: $('d-auto').checked, policy: $('d-policy').value,
      channels: Object.fromEntries([...f.querySelectorAll('tr[data-slug]')].map(r => [r.dataset.slug, {
        auto_accept: r.querySelector('.c-auto').checked, inject: r.querySelector('.c-inject').checked, policy: r.querySelector('select').value || undefined, payment_method: r.querySelector('.c-payment').value.trim() || undefined,
      }])),
    }),
  });
}

const policy = (id, value, inherit, label) => h('select', { id: id || null, 'aria-label': label }, [...inherit ? [''] : [], ...POLICIES].map(p => h('option', { value: p, selected: p === (value || (inherit ? '' : 'strict')) }, t('delivery.policy.' + (p || 'default')))));

const contacts = l => (l.channels || []).filter(c => c.contact);

function one(l) {
  return [
    h('p', { class: 'notice' }, h('a', { href: '/integration/delivery' }, t('delivery.back'))),
    h('div', { class: 'block-head' }, h('h2', {}, nameOf(l), ' ', h('small', { class: 'mono soft' }, l.store || '')), state(l)),
    figures(l),
    h('div', { class: 'columns' },
      h('div', { class: 'stacked' }, activation(l), checklist(l)),
      h('div', { class: 'stacked' },
        form && may('manager') && h('section', { class: 'sheet pad' }, h('h2', {}, t('delivery.settings')), form.form),
        h('section', { class: 'sheet prose' }, h('h2', {}, t('delivery.help')), h('ul', {}, [1, 2, 3, 4].map(i => h('li', {}, t('delivery.help_' + i)))),
          h('dl', { class: 'facts' }, l.webhook_path && fact('delivery.webhook', h('span', { class: 'mono' }, l.webhook_path)), fact('delivery.last_webhook', moment(l.last_webhook_at)), fact('delivery.last_feed', moment(l.last_feed_at)),
            contacts(l).map(c => h('div', { class: 'fact' }, h('dt', {}, c.name || c.slug), h('dd', {}, c.contact))))))),
  ];
}

const all = follow(['delivery', 'order', 'setting'], async () => {
  if (!place) return;
  const asked = chosen;
  const list = (await get('/v1/delivery')).links || [];
  const l = list.find(x => x.source === asked);
  if (asked && l && may('manager') && !form) form = settings(l, await get(path(l)));
  const sign = JSON.stringify([asked ? l : list, asked]);
  if (!place || asked !== chosen || sign === drawn || form?.isDirty()) return;
  drawn = sign;
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  if (asked && l) swap(place, one(l));
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
