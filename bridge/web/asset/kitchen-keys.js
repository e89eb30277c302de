// kitchen-keys.js: the keyboard and the bump bar.

import { act, primary, turn, undoLast } from './kitchen-acts.js';
import { recall } from './kitchen-recall.js';
import { render } from './kitchen-slots.js';
import { board, here } from './kitchen-tickets.js';

const root = document.documentElement;

function arrow(code) {
  const columns = Number(root.dataset.columns || 1);
  const places = board.visible().filter(i => board.at(i)?.id && board.at(i).part === 0);
  if (!places.length) return;
  const from = board.first(here.selected);
  if (from < 0) { here.selected = board.at(places[0]).id; render(); return; }
  const start = board.page * board.size;
  const x = i => (i - start) % columns, y = i => Math.floor((i - start) / columns);
  const ahead = places.filter(i => i !== from && ({
    ArrowRight: i > from, ArrowLeft: i < from,
    ArrowDown: y(i) > y(from), ArrowUp: y(i) < y(from),
  })[code]);
  if (!ahead.length) return;
  const far = i => code === 'ArrowRight' || code === 'ArrowLeft' ? Math.abs(i - from) : Math.abs(y(i) - y(from)) * 100 + Math.abs(x(i) - x(from));
  here.selected = board.at(ahead.sort((a, b) => far(a) - far(b))[0]).id;
  render();
}

// Keys by their place on the keyboard (code): the digits of a French keyboard are where those of a bump bar are.
const digit = code => { const m = /^(?:Digit|Numpad)(\d)$/.exec(code); return m ? (Number(m[1]) + 9) % 10 : -1; };
let ctrlAlone = false;

addEventListener('keydown', e => {
  if (e.ctrlKey && (e.code === 'KeyP' || e.code === 'KeyR')) { // printing or reloading the browser is never meant here
    e.preventDefault();
    ctrlAlone = false;
    return;
  }
  if (e.repeat) { e.preventDefault(); return; }
  if (e.code === 'ControlLeft') { ctrlAlone = true; return; }
  ctrlAlone = false;
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  const place = digit(e.code);
  if (recall.isOpen) {
    if (place >= 0) recall.choose(place);
    else if (['Escape', 'KeyR', 'Minus', 'NumpadSubtract', 'Backspace'].includes(e.code)) recall.hide();
    else if (e.code === 'KeyP') recall.turn();
    else return;
    e.preventDefault();
    return;
  }
  if (place >= 0) {
    const s = board.at(board.page * board.size + place);
    if (place < board.size && s?.id) { here.selected = s.id; render(); }
  } else switch (e.code) {
    case 'Enter': case 'NumpadEnter': enter(); break;
    case 'KeyS': if (here.selected) act('start', here.selected); break;
    case 'KeyR': case 'Minus': case 'NumpadSubtract': recall.show(); break;
    case 'Backspace': undoLast(); break;
    case 'KeyP': turn(); break;
    case 'ArrowLeft': case 'ArrowRight': case 'ArrowUp': case 'ArrowDown': arrow(e.code); break;
    default: return;
  }
  e.preventDefault();
});
addEventListener('keyup', e => {
  if (e.code === 'ControlLeft' && ctrlAlone && !recall.isOpen) enter();
  ctrlAlone = false;
});

// enter bumps the selected ticket; with none selected it selects the oldest, so that one blow never bumps unseen.
function enter() {
  if (here.selected) primary(here.selected);
  else arrow('ArrowRight');
}
