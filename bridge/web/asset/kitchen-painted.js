// kitchen-painted.js: this page's word that tickets were on glass, not merely sent to a browser. A ticket counts when it
// stands on the page in view of a window that is shown; one on a further page, to which the footer points, after it has
// stood there for a while. Told once each, one at a time; a box that does not ask for it is left in peace. And every few
// seconds the page says that it works at all: a hung one is silent, and its backup shows its tickets.

import { call, newKey } from './base.js';
import { board, heldBeside, here, tickets } from './kitchen-tickets.js';

const PAINTED = 250; // ms of gathering before painted tickets are told
const FURTHER = 5e3; // ms after which a ticket on a further page is told
const ALIVE = 5e3; // ms between two words that the page works

const painted = new Set();
const waiting = new Map(); // id of a ticket on a further page -> since when
let toTell = [], telling = false, unwanted = false;

function tell(id) {
  if (painted.has(id)) return;
  painted.add(id);
  waiting.delete(id);
  toTell.push(id);
}

export function tellPainted() {
  if (document.visibilityState !== 'visible' || unwanted) return;
  for (const i of board.visible()) {
    const k = tickets.get(board.at(i)?.id);
    if (!k) continue;
    tell(k.id);
    for (const o of heldBeside(k)) tell(o.id);
  }
  if (board.pages() > 1) {
    for (const s of board.slots) if (s?.id && !painted.has(s.id) && !waiting.has(s.id)) waiting.set(s.id, performance.now());
    for (const [id, since] of waiting) {
      if (board.first(id) < 0) waiting.delete(id);
      else if (performance.now() - since > FURTHER) tell(id);
    }
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

setInterval(() => {
  if (waiting.size) tellPainted();
  if (document.visibilityState !== 'visible' || !here.stream?.isLive) return;
  // What speaks is the frame that the glass shows: a page whose drawing hangs says nothing.
  requestAnimationFrame(() => call('POST', `/v1/screens/${encodeURIComponent(here.screen)}/alive`).catch(() => {}));
}, ALIVE);
