// kitchen-press.js: a long press on the board. On a dish it asks whether the dish is sold out, on a ticket's head what else
// can be done with the ticket.

import { $ } from './base.js';
import { LONG } from './press.js';

let timer, at, done = -Infinity; // when the last long press ended
const MOVED = 12; // px a finger may slide

// onLong hears of a long press: {line, card} of the place.
let onLong = () => {};
export function whenPressed(f) { onLong = f; }

// longPressed tells whether the click that comes now is the end of a long press.
export const longPressed = () => performance.now() - done < 700;

const stop = () => { clearTimeout(timer); timer = undefined; };

$('board').addEventListener('pointerdown', e => {
  if (e.button !== 0 || e.target.closest('[data-act]')) return;
  const card = e.target.closest('.k-card');
  if (!card) return;
  at = { x: e.clientX, y: e.clientY };
  stop();
  timer = setTimeout(() => {
    timer = undefined;
    done = performance.now();
    onLong({ card, line: e.target.closest('.k-line'), head: e.target.closest('.k-head') });
  }, LONG);
});
$('board').addEventListener('pointermove', e => { if (timer && Math.hypot(e.clientX - at.x, e.clientY - at.y) > MOVED) stop(); });
for (const type of ['pointerup', 'pointercancel', 'pointerleave']) $('board').addEventListener(type, () => {
  if (timer === undefined && performance.now() - done < 5000) done = performance.now(); // the click follows the finger's leaving
  stop();
});
