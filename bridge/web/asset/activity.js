// Integration activity: the synced reservations, and the messages that were refused; each with an address of its own.

import { parts } from './parts.js';
import { rejected } from './rejected.js';
import { synced } from './synced.js';

const { route } = parts({ all: { synced, rejected }, base: '/integration/activity', words: 'activity.part.' });
document.addEventListener('synced', route); // the part moved on in the address by itself
route();
