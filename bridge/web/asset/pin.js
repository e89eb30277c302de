// pin.js asks who is at a shared screen: names to touch, then a PIN on large keys. What is done afterwards bears that
// name, until the person leaves or does nothing for a while; the browser stays what it is.

import { call, get, h, swap, t } from './base.js';

const styled = new Promise(done => { // the stylesheet comes with the first who asks
  document.head.append(h('link', { rel: 'stylesheet', href: new URL('./pin.css', import.meta.url).pathname, onload: done, onerror: done }));
});

const MOST = 12; // digits

// enter opens the dialog. It resolves to {name, role, until} when somebody came in, to null when nobody did.
export async function enter() {
  await styled;
  return new Promise(done => {
    let people = [], person = null, pin = '', busy = false;
    const words = h('p', { class: 'pin-words', role: 'alert' }), body = h('div', { class: 'pin-body' });
    const title = h('h2', { id: 'pin-title' });
    const d = h('dialog', { class: 'pin', 'aria-labelledby': 'pin-title' }, h('header', {}, title, h('button', { class: 'pin-close', type: 'button', onclick: () => d.close() }, t('pin.close'))), body, words);

    function names() {
      person = null;
      pin = '';
      title.textContent = t('pin.who');
      words.textContent = people.length ? '' : t('pin.nobody');
      swap(body, h('div', { class: 'pin-names' }, people.map(p => h('button', { type: 'button', class: 'pin-name', onclick: () => { person = p; pad(); } }, p.name))));
    }

    const dots = h('output', { class: 'pin-dots', 'aria-live': 'polite' });
    function press(key) {
      if (busy) return;
      words.textContent = '';
      if (key === 'back') pin = pin.slice(0, -1);
      else if (pin.length < MOST) pin += key;
      show();
    }
    function show() {
      dots.textContent = '●'.repeat(pin.length) || ' ';
      dots.setAttribute('aria-label', t('pin.digits', pin.length));
    }
    function pad() {
      title.textContent = person.name;
      words.textContent = '';
      pin = '';
      show();
      const key = (k, label, kind) => h('button', { type: 'button', class: 'pin-key ' + (kind || ''), onclick: () => press(k) }, label);
      swap(body, dots, h('div', { class: 'pin-pad', tabindex: -1 }, ['1', '2', '3', '4', '5', '6', '7', '8', '9'].map(k => key(k, k)), key('back', '⌫', 'soft'), key('0', '0'),
        h('button', { type: 'button', class: 'pin-key go', onclick: send }, t('pin.go'))),
      h('button', { type: 'button', class: 'pin-back', onclick: names }, t('pin.another')));
      body.querySelector('.pin-pad').focus(); // keys work at once
    }

    async function send() {
      if (busy || !pin) return;
      busy = true;
      try {
        const me = (await call('POST', '/v1/session/person', { body: { person: person.id, pin } })).body;
        d.returnValue = 'in';
        d.close('in');
        done(me);
      } catch (fault) {
        pin = '';
        show();
        words.textContent = fault.status === 401 ? t('pin.wrong') : fault.status === 429 ? t('pin.locked', Math.max(1, Math.ceil((fault.retryAfter || 60) / 60))) : fault.message;
      }
      busy = false;
    }

    d.addEventListener('keydown', e => {
      e.stopPropagation(); // the kitchen's own keys rest while somebody types
      if (!person) return;
      const digit = /^(?:Digit|Numpad)([0-9])$/.exec(e.code)?.[1];
      if (digit) { e.preventDefault(); press(digit); }
      else if (e.key === 'Backspace') { e.preventDefault(); press('back'); }
      else if (e.key === 'Enter' && !e.target.closest?.('.pin-back, .pin-close')) { e.preventDefault(); send(); }
    });
    d.addEventListener('close', () => { d.remove(); if (d.returnValue !== 'in') done(null); });
    document.body.append(d);
    d.showModal();
    title.textContent = t('pin.who');
    get('/v1/session/people').then(answer => { people = answer.people || []; names(); }, fault => { words.textContent = fault.message; });
  });
}

// leave ends the visit; the browser is what it was.
export const leave = () => call('DELETE', '/v1/session/person');
