// kitchen-settings.js: what people set at this screen: how loud it is, its keys, and the lock while the glass is wiped. The
// box keeps it, since a kiosk's browser forgets.

import { $, call, get, h, swap, t } from './base.js';
import { Keymap } from './keymap.js';
import { sound } from './kitchen-sounds.js';
import { here } from './kitchen-tickets.js';
import { SOUNDS } from './sound.js';

const LOCK = 30e3; // ms that the glass is locked for wiping
const SAVE = 1e3; // ms of quiet before what was set is kept

const path = `/v1/screens/${encodeURIComponent(here.screen)}/settings`;

export const settings = {
  now: {}, revision: 0, keymap: new Keymap(), isOpen: false, locked: false,

  // take is what the box says of the settings.
  take({ revision, settings: now }) {
    this.revision = revision;
    this.now = now || {};
    this.keymap = new Keymap(this.now.keys);
    if (this.now.volume !== undefined && this.now.volume !== sound.volume) sound.setVolume(this.now.volume);
    if (this.isOpen) this.draw();
  },

  async load() {
    try { this.take(await get(path)); } catch { /* the defaults hold until the box is there again */ }
    document.body.dataset.settings = ''; // keys do from now on what people set
  },

  // set changes one thing, and has it kept.
  set(name, value) {
    this.now[name] = value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE);
  },

  async save() {
    try {
      this.take((await call('PUT', path, { body: { revision: this.revision, settings: this.now } })).body);
    } catch (fault) {
      if (fault.status === 409) { // somebody else set something: theirs stands, with our volume
        const volume = this.now.volume;
        await this.load();
        this.set('volume', volume);
      }
    }
  },

  show() { this.isOpen = true; this.draw(); $('over').focus(); },
  hide() { this.isOpen = false; $('over').hidden = true; swap($('over')); },

  loud(by) {
    sound.wake();
    sound.setVolume(sound.volume + by);
    this.set('volume', sound.volume);
    this.draw();
    sound.play('new');
  },

  draw() {
    const over = $('over');
    over.hidden = false;
    swap(over, h('div', { class: 'k-sheet k-settings' },
      h('header', {}, h('h2', { id: 'over-title' }, t('settings.title')), h('button', { class: 'k-button', data: { close: '' } }, t('kitchen.close'))),
      h('section', {}, h('h3', {}, t('settings.sound')),
        h('div', { class: 'k-volume' },
          h('button', { class: 'k-button', 'aria-label': t('settings.quieter'), onclick: () => this.loud(-1) }, '−'),
          h('meter', { min: 0, max: 10, value: sound.volume, 'aria-label': t('settings.volume') }),
          h('output', {}, sound.volume ? String(sound.volume) : t('settings.silent')),
          h('button', { class: 'k-button', 'aria-label': t('settings.louder'), onclick: () => this.loud(1) }, '+')),
        h('div', { class: 'k-tests' }, SOUNDS.map(name => h('button', { class: 'k-button', data: { sound: name }, onclick: () => { sound.wake(); sound.play(name); } }, t('settings.sound.' + name))))),
      h('section', {}, h('h3', {}, t('settings.keys')),
        h('a', { class: 'k-button', href: `/screens/${encodeURIComponent(here.screen)}/keys` }, t('settings.learn'))),
      h('section', {}, h('h3', {}, t('settings.glass')),
        h('button', { class: 'k-button', id: 'lock', onclick: () => this.lock() }, t('settings.lock')))));
  },

  // lock swallows every touch and key for a while, so that the glass can be wiped.
  lock() {
    this.hide();
    this.locked = true;
    const until = Date.now() + LOCK;
    const left = h('b', {}), wall = h('div', { class: 'k-lock', role: 'status' }, h('p', {}, t('settings.locked')), left);
    document.body.append(wall);
    const swallow = e => { e.preventDefault(); e.stopImmediatePropagation(); };
    const kinds = ['pointerdown', 'pointerup', 'click', 'touchstart', 'touchend', 'keydown', 'keyup', 'wheel', 'contextmenu'];
    for (const kind of kinds) addEventListener(kind, swallow, { capture: true, passive: false });
    const count = () => {
      const seconds = Math.ceil((until - Date.now()) / 1000);
      left.textContent = '0:' + String(Math.max(0, seconds)).padStart(2, '0');
      if (seconds > 0) return;
      clearInterval(timer);
      for (const kind of kinds) removeEventListener(kind, swallow, { capture: true });
      wall.remove();
      this.locked = false;
    };
    const timer = setInterval(count, 250);
    count();
  },
};

$('settings').addEventListener('click', () => settings.show());
$('over').addEventListener('click', e => { if (settings.isOpen && (e.target === $('over') || e.target.closest('[data-close]'))) settings.hide(); });
settings.load();
