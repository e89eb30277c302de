// kitchen-sounds.js: this page's one sound, and the bar that says that the browser blocks it.

import { $ } from './base.js';
import { Sound } from './sound.js';

export const sound = new Sound(blocked => { $('sound').hidden = !blocked; });
$('sound').addEventListener('click', () => { sound.wake(); sound.play('new'); });
