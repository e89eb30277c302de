// who.js shows who is at a shared screen, so that what is done there bears a name: touch it, touch your name, give the
// PIN; touch it again to leave. Without people who have a PIN there is nothing to touch.

import { $, get, t, write } from './base.js';

const LOOK = 20e3; // ms; the box ends a visit by itself, and this button follows

const button = $('who');
let me = {}, timer;

function draw() {
  const here = me.via === 'pin';
  write(button, here ? me.name : t('pin.nobody_here'));
  button.setAttribute('aria-label', here ? t('pin.leave', me.name) : t('pin.who'));
  button.classList.toggle('here', here);
  clearTimeout(timer);
  if (here) timer = setTimeout(look, LOOK);
}

async function look() {
  try {
    me = await get('/v1/session') || {};
  } catch { /* the screen says by itself that it is cut off or not paired any more */ }
  draw();
}

button.addEventListener('click', async () => {
  button.disabled = true;
  try {
    const pin = await import('./pin.js');
    if (me.via === 'pin') await pin.leave();
    else await pin.enter();
  } catch { /* said in the dialog, or by the bar of a screen that is cut off */ }
  button.disabled = false;
  await look();
});

async function start() {
  try {
    const { people } = await get('/v1/session/people');
    button.hidden = !people?.length;
  } catch {
    button.hidden = true; // nobody may ask here
  }
  if (!button.hidden) await look();
}
start();
