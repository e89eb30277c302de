// Pairing: this browser shows a code, somebody approves it in the console, then it goes to its screen and stays there.

import { $, call, get, h, swap, t } from './base.js';

const ASK = 2e3; // ms between two questions whether the code was approved

// label tells the person who approves which glass this is.
const label = () => `${screen.width}×${screen.height} ${/Android/.test(navigator.userAgent) ? 'Android' : /iPad|iPhone/.test(navigator.userAgent) ? 'iOS' : /Windows/.test(navigator.userAgent) ? 'Windows' : /Mac/.test(navigator.userAgent) ? 'macOS' : 'Linux'}`;

function state(text, name) {
  $('state').textContent = text;
  $('code').dataset.state = name;
}

const go = name => location.replace(name === 'expo' ? '/expo' : '/screens/' + encodeURIComponent(name));

async function ask() {
  $('again').hidden = true;
  state(t('pair.asking'), 'loading');
  let pairing;
  try {
    pairing = (await call('POST', '/v1/pairings', { body: { label: label() } })).body;
  } catch (fault) {
    state(fault.status === 429 ? t('pair.slow') : fault.message, 'fault');
    $('again').hidden = false;
    if (fault.transient) setTimeout(() => { if (!$('again').hidden) ask(); }, Math.max(10, fault.retryAfter) * 1000);
    return;
  }
  swap($('code'), [...pairing.code].map(c => h('span', {}, c)));
  $('code').setAttribute('aria-label', [...pairing.code].join(' '));
  state(t('pair.waiting'), 'waiting');
  const until = Date.parse(pairing.expires_at) || Date.now() + 600e3;
  for (;;) {
    await new Promise(r => setTimeout(r, ASK));
    try {
      const answer = await call('POST', '/v1/pairings/claim', { body: { secret: pairing.secret } });
      if (answer.status === 200) { state(t('pair.done', answer.body.screen), 'done'); go(answer.body.screen); return; }
      state(t('pair.waiting'), 'waiting');
    } catch (fault) {
      if (fault.transient) state(t('pair.offline'), 'waiting');
      else break; // expired or refused: a new code
    }
    if (Date.now() > until) break;
  }
  state(t('pair.expired'), 'fault');
  ask();
}

$('again').addEventListener('click', ask);

async function begin() { // a browser that is paired already goes straight to its screen
  try {
    const me = await get('/v1/session');
    if (me?.role === 'screen' && me.screen) { go(me.screen); return; }
  } catch { /* it is nobody yet */ }
  ask();
}
begin();
