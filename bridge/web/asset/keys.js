// The key-learning page: what each key of a screen does, what a bar sends, and presets for bars as they are sold.

import { $, call, get, h, swap, t } from './base.js';
import { ACTS, Keymap, PRESETS, SLOTS, namesOf } from './keymap.js';

const screen = document.body.dataset.screen;
const path = `/v1/screens/${encodeURIComponent(screen)}`;
const LATE = 2e3;

let revision = 0, settings = {}, keys = {}, learning = null;

const actName = act => SLOTS.includes(act) ? t('keys.slot', act.slice(4)) : t('keys.act.' + act);

// show writes a key's name as a person reads it.
function show(name) {
  const [kind, value] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)];
  if (kind === 'byte') {
    const b = parseInt(value, 16);
    return t('keys.byte', value.toUpperCase()) + (b > 32 && b < 127 ? ` “${String.fromCharCode(b)}”` : '');
  }
  return value === ' ' ? 'Space' : value;
}

// all writes every act out, so that what is shown is what is kept.
function all() {
  const map = new Keymap(keys);
  return Object.fromEntries(ACTS.map(act => [act, map.keys(act)]));
}

function bind(act, name) {
  const next = all();
  for (const a of ACTS) next[a] = next[a].filter(k => k !== name); // one key, one act
  next[act] = [...next[act], name].slice(-8);
  keys = next;
}

function draw() {
  const map = new Keymap(keys);
  swap($('acts'), ACTS.map(act => h('tr', { data: { act }, class: learning === act && 'learning' },
    h('th', { scope: 'row' }, actName(act)),
    h('td', {}, map.keys(act).map(name => h('span', { class: 'chip key' }, show(name),
      h('button', { class: 'key-off', 'aria-label': t('keys.remove', show(name), actName(act)), onclick: () => { const next = all(); next[act] = next[act].filter(k => k !== name); keys = next; draw(); } }, '×')))),
    h('td', {}, h('button', { class: 'button', data: { learn: act }, onclick: () => { learning = learning === act ? null : act; draw(); } }, t(learning === act ? 'keys.waiting' : 'keys.learn'))))));
  $('at-once').checked = !!settings.bump_at_once;
  document.body.classList.toggle('listening', !!learning);
}

function heard(struck) {
  const names = namesOf(struck);
  const does = new Keymap(keys).of(struck);
  swap($('heard'), h('b', {}, names.map(show).join(' · ')), ' ', does ? t('keys.does', actName(does)) : t('keys.nothing'));
  if (!learning) return false;
  bind(learning, names[0]); // the place before the letter
  learning = null;
  draw();
  return true;
}

let alone = '';
addEventListener('keydown', e => {
  if (e.ctrlKey && (e.code === 'KeyP' || e.code === 'KeyR')) { e.preventDefault(); return; }
  if (e.repeat) return;
  if (/^(Control|Shift|Alt|Meta)(Left|Right)$/.test(e.code)) { alone = e.code; return; }
  alone = '';
  const inForm = e.target.closest?.('button, select, input, a');
  if (learning || !inForm) {
    if (learning && e.code === 'Escape') { learning = null; draw(); e.preventDefault(); return; }
    if (e.code === 'Tab' && !learning) return;
    e.preventDefault();
    heard(e);
  }
}, { capture: true });
addEventListener('keyup', e => { if (alone && e.code === alone) heard({ code: e.code, key: e.key }); alone = ''; });

$('preset').addEventListener('change', e => {
  const preset = PRESETS[e.target.value];
  if (!preset) return;
  keys = preset.keys;
  settings.bump_at_once = !!preset.bump_at_once;
  draw();
});
$('at-once').addEventListener('change', e => { settings.bump_at_once = e.target.checked; });
$('save').addEventListener('click', async () => {
  const say = $('said');
  try {
    const { body } = await call('PUT', path + '/settings', { body: { revision, settings: { ...settings, keys: all() } } });
    revision = body.revision;
    say.textContent = t('keys.saved');
    say.className = 'good';
  } catch (fault) {
    say.textContent = fault.message;
    say.className = 'bad';
  }
});
swap($('preset'), h('option', { value: '' }, t('keys.preset_none')), Object.keys(PRESETS).map(name => h('option', { value: name }, t('keys.preset.' + name))));

draw();
async function load() {
  try {
    const kept = await get(path + '/settings');
    revision = kept.revision;
    settings = kept.settings || {};
    keys = settings.keys || {};
    draw();
    document.body.dataset.ready = '';
  } catch (fault) {
    $('said').textContent = fault.message;
  }
}
load();

// A serial bar is heard by the box.
let offset = 0;
const source = new EventSource(path + '/events');
const clockOf = e => { try { offset = Date.parse(JSON.parse(e.data).now) - Date.now(); } catch { /* the clocks then count as equal */ } };
source.addEventListener('snapshot', clockOf);
source.addEventListener('beat', clockOf);
source.addEventListener('key', e => {
  const struck = JSON.parse(e.data);
  if (Math.abs(Date.now() + offset - Date.parse(struck.at)) < LATE) heard({ byte: struck.byte });
});
