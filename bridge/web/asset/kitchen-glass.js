// kitchen-glass.js: the pane of glass itself: awake, and without a browser's menu.

import { render } from './kitchen-slots.js';

async function stayAwake() {
  try { await navigator.wakeLock?.request('screen'); } catch { /* the kiosk's own power settings then decide */ }
}
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') { stayAwake(); render(); } });
document.addEventListener('contextmenu', e => e.preventDefault());

stayAwake();
