// kitchen-painted.js: the box learns that a ticket was on glass, not merely sent to a browser. Only tickets on the page in
// view of a window that is shown count. Told once each, one at a time; a box that does not ask for it is left in peace.

import { call, newKey } from './base.js';
import { board } from './kitchen-tickets.js';

const PAINTED = 250; // ms of gathering before painted tickets are told

const painted = new Set();
let toTell = [], telling = false, unwanted = false;

export function tellPainted() {
  if (document.visibilityState !== 'visible' || unwanted) return;
  for (const i of board.visible()) {
    const id = board.at(i)?.id;
    if (id && !painted.has(id)) { painted.add(id); toTell.push(id); }
  }
  if (!toTell.length || telling) return;
  telling = true;
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(sendPainted, PAINTED)));
}

async function sendPainted() {
  while (toTell.length) {
    const id = toTell[0];
    try {
      await call('POST', `/v1/tickets/${encodeURIComponent(id)}/painted`, { key: newKey() });
    } catch (fault) {
      if (fault.transient) { // asked again at the next render
        toTell.forEach(x => painted.delete(x));
        toTell = [];
        break;
      }
      if (fault.status === 405) unwanted = true;
    }
    toTell.shift();
  }
  telling = false;
}
