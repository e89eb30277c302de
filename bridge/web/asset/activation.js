// The way to switch a platform on, in the order in which it is done: account, credentials, messages, the platform's own
// side, the call that proves it, the tables. A link never takes another one over, and nobody's password is asked for.

import { get, h, swap, t, when, word } from './base.js';
import { may, perform, toast } from './shell.js';
import { LINK, ON } from './standing.js';

let place = null, shown, again, tables = null;

export async function activate(button, p, done) {
  const answer = await perform(button, `/v1/integrations/${encodeURIComponent(p.platform)}/activate`);
  if (answer) toast(t('links.activated.' + answer.state, p.title), answer.state === 'active' || answer.state === 'pending' ? 'good' : 'bad');
  done();
}

const some = time => time && !time.startsWith('0001');
const outside = (key, p) => { const to = word(key, p.platform); return /^https:/.test(to) ? to : ''; };
const leave = (to, text) => to && h('a', { href: to, target: '_blank', rel: 'noreferrer' }, text, h('span', { 'aria-hidden': 'true' }, ' ↗'));

function step(name, grade, title, state, ...content) {
  return h('li', { class: 'step link-step', data: { step: name, grade } }, h('span', { class: 'shape', 'aria-hidden': 'true' }),
    h('div', {}, h('b', {}, title), content.filter(Boolean).map(c => typeof c === 'string' ? h('p', { class: 'soft' }, c) : c)), h('span', { class: 'step-state' }, state));
}

const done = ok => [ok ? 'ok' : 'open', t(ok ? 'setup.done' : 'setup.open')];

function copy(text) {
  return h('div', { class: 'copy' }, h('code', { class: 'mono', tabindex: 0 }, text), h('button', { class: 'button small', type: 'button', onclick: async () => {
    try { await navigator.clipboard.writeText(text); toast(t('links.copied'), 'good'); } catch { toast(t('links.not_copied'), 'bad'); } // a plain HTTP page has no clipboard
  } }, t('links.copy')));
}

const sample = p => `reservations:
  - platform: ${p.platform}
    venue: "12345"
    credentials_file: /etc/aboyeur/${p.platform}.yaml
    webhook_secret_file: /etc/aboyeur/${p.platform}.secret
    open_checks: true`;

function account(p) {
  const [grade, word] = done(!p.absent);
  if (!p.absent) return step('account', grade, t('activation.account', p.title), word, h('p', { class: 'soft' }, t('links.venue'), ' ', h('b', { class: 'mono' }, p.venue)));
  return step('account', grade, t('activation.account', p.title), word, t('activation.account_missing', p.title), h('pre', { class: 'sample', tabindex: 0 }, sample(p)),
    h('p', {}, t('activation.no_account', p.title), ' ', leave(outside('links.sign_up.', p), t('activation.sign_up', p.title))));
}

function credentials(p) {
  const have = !p.absent && (p.credentials || !p.capabilities.stages.length && p.secret), [grade, text] = done(have);
  return step('credentials', grade, t('activation.credentials'), text, t(have ? 'activation.credentials_there' : 'activation.credentials_missing', p.title), h('p', { class: 'soft' }, t('activation.no_password', p.title)));
}

function messages(p) {
  if (p.absent) return null;
  const pull = p.capabilities.pull, ok = p.reachable || pull, heard = [p.heard_at, p.pulled_at].filter(some).sort().at(-1);
  return step('messages', ok ? 'ok' : 'warn', t('activation.messages', p.title), t(ok ? 'setup.done' : 'setup.open'),
    p.address ? copy(p.address) : p.webhook && h('p', { class: 'soft' }, t(pull ? 'activation.pulled' : 'activation.unreachable', p.webhook, p.title)),
    p.reachable && !p.secret && p.capabilities.webhooks && t('activation.no_secret'),
    heard && t('activation.heard', when(heard)));
}

function theirs(p) {
  const to = outside('links.site.', p);
  return step('theirs', 'note', t('activation.theirs', p.title), '',
    h('ol', { class: 'plain-steps' }, h('li', {}, t('activation.their_sign_in', p.title), ' ', leave(to, t('activation.open', p.title))), h('li', {}, t('activation.their_integrations')),
      h('li', {}, t('activation.their_pos', word('links.pos.', p.pos || 'builtin'))), h('li', {}, t('activation.their_tick')), h('li', {}, t('activation.their_link'))));
}

const STATE = { active: 'activation.proved', pending: 'activation.pending', error: 'activation.failed', linked_elsewhere: 'activation.elsewhere', disabling: 'activation.off', inactive: 'activation.off' };

function proof(p) {
  if (p.absent) return null;
  const grade = { ok: 'ok', warn: 'warn', bad: 'bad' }[LINK[p.state]] || 'open';
  const button = may('manager') && p.state !== 'active' && h('button', { class: 'button primary', type: 'button', id: 'activate', onclick: e => activate(e.currentTarget, p, again) }, t(ON.has(p.state) || p.state === 'linked_elsewhere' ? 'activation.again' : 'links.activate'));
  return step('proof', grade, t('activation.proof'), word('links.state.', p.state),
    t(STATE[p.state], p.title, some(p.expires_at) ? when(p.expires_at) : '–'), p.detail && h('p', { class: 'mono' }, p.detail),
    p.state === 'linked_elsewhere' && t('activation.release', p.title),
    p.linked && ON.has(p.state) && t('activation.linked_by', p.linked.by, when(p.linked.at)), button);
}

function floor(p) {
  if (p.absent || !tables) return null;
  const wrong = tables.only_there.length, ok = !wrong;
  return step('tables', ok ? 'ok' : 'warn', t('activation.tables'), t(ok ? 'setup.done' : 'setup.open'),
    tables.matching.length || wrong ? t(ok ? 'activation.tables_match' : 'activation.tables_differ', tables.matching.length, tables.only_there.join(', ')) : t('activation.tables_none', p.title),
    h('p', {}, h('a', { href: '/integration/floorplans?platform=' + encodeURIComponent(p.platform) }, t('party.to_audit'))));
}

function draw() {
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  swap(place, h('section', { class: 'sheet set' }, h('h2', {}, t('activation.title', shown.title)), h('p', { class: 'soft' }, t('activation.lead')),
    h('ol', { class: 'steps-list' }, [account, credentials, messages, theirs, proof, floor].map(f => f(shown)))));
  if (focused) place.querySelector('#' + focused)?.focus({ preventScroll: true });
}

async function audit(p) {
  try {
    tables = await get(`/v1/integrations/${encodeURIComponent(p.platform)}/audit`);
  } catch {
    tables = null; // the other steps stand without it
  }
  if (shown?.platform === p.platform && place.isConnected) draw();
}

export const activation = {
  open(into, p, reload) {
    place = into;
    shown = p;
    again = reload;
    tables = null;
    draw();
    if (!p.absent) audit(p);
  },
  update(p) {
    if (JSON.stringify(p) === JSON.stringify(shown)) return;
    shown = p;
    draw();
  },
};
