// keymap.js: which key does what on a screen. A key is known by its place on the keyboard (code:Digit1: the digits of a
// French keyboard are where those of a bump bar are), by what it writes (key:a), or by the byte of a serial bar (byte:31).
// Its place is looked at first.

export const SLOTS = Array.from({ length: 10 }, (_, i) => 'slot' + (i + 1));
export const ACTS = [...SLOTS, 'bump', 'items', 'start', 'recall', 'fire', 'undo', 'page', 'left', 'right', 'up', 'down'];

const codes = (...list) => list.map(c => 'code:' + c);
const bytes = (...list) => list.map(b => 'byte:' + (typeof b === 'string' ? b.charCodeAt(0) : b).toString(16).padStart(2, '0'));
const each = f => Object.fromEntries(SLOTS.map((slot, i) => [slot, f((i + 1) % 10, i)]));

// DEFAULTS hold for every act that a screen's own settings do not name. A serial bar sends ASCII as a rule.
export const DEFAULTS = {
  ...each(d => [...codes('Digit' + d, 'Numpad' + d), ...bytes(String(d))]),
  bump: [...codes('Enter', 'NumpadEnter', 'ControlLeft'), ...bytes(13)],
  items: [...codes('KeyI'), ...bytes('I', 'i')],
  start: [...codes('KeyS'), ...bytes('S', 's')],
  recall: [...codes('KeyR', 'Minus', 'NumpadSubtract'), ...bytes('R', 'r', '-')],
  fire: [...codes('KeyH'), ...bytes('H', 'h')],
  undo: [...codes('Backspace'), ...bytes(8)],
  page: [...codes('KeyP'), ...bytes('P', 'p')],
  left: [...codes('ArrowLeft'), ...bytes('<')],
  right: [...codes('ArrowRight'), ...bytes('>')],
  up: codes('ArrowUp'), down: codes('ArrowDown'),
};

// PRESETS are bars as they are sold, by how they are programmed; what differs is learned key by key.
export const PRESETS = {
  keyboard: { keys: DEFAULTS },
  numpad: { keys: { ...each(d => codes('Numpad' + d)), bump: codes('NumpadEnter'), recall: codes('NumpadSubtract'), fire: codes('NumpadMultiply'), start: [], items: codes('NumpadAdd'), undo: codes('NumpadDivide'), page: codes('NumpadDecimal') } },
  digits: { bump_at_once: true, keys: { ...each(d => codes('Digit' + d, 'Numpad' + d)), recall: codes('KeyR', 'Minus'), undo: codes('Backspace'), page: codes('KeyP') } },
  functions: { keys: { ...each((d, i) => codes('F' + (i + 1))), recall: codes('F11'), bump: codes('F12', 'Enter'), undo: codes('Escape'), page: codes('Tab') } },
  letters: { keys: { ...each((d, i) => codes('Key' + 'ABCDEFGHIJ'[i])), bump: codes('Space', 'Enter'), items: codes('KeyT'), recall: codes('KeyR'), undo: codes('Backspace'), page: codes('KeyP') } },
  serial: { keys: { ...each(d => bytes(String(d))), bump: bytes(13, ' '), recall: bytes('R', 'r', '-'), undo: bytes(8, 'U'), page: bytes('P', 'p'), items: bytes('I', 'i'), start: bytes('S', 's'), left: bytes('<'), right: bytes('>') } },
};

// namesOf gives the names of what was struck, that of its place first.
export function namesOf({ code, key, byte }) {
  if (byte !== undefined) return ['byte:' + byte.toString(16).padStart(2, '0')];
  return [code && 'code:' + code, key && 'key:' + key].filter(Boolean);
}

// Keymap finds the act of a key. keys are a screen's own; acts they do not name keep their defaults, except for keys that
// were given away.
export class Keymap {
  constructor(keys = {}) {
    this.acts = new Map();
    const taken = new Set(Object.values(keys).flat());
    for (const act of ACTS) for (const name of keys[act] || DEFAULTS[act].filter(k => !taken.has(k))) if (!this.acts.has(name)) this.acts.set(name, act);
  }

  of(struck) {
    for (const name of namesOf(struck)) if (this.acts.has(name)) return this.acts.get(name);
    return undefined;
  }

  // keys are the names bound to an act.
  keys(act) { return [...this.acts].filter(([, a]) => a === act).map(([name]) => name); }
}
