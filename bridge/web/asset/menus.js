// Menus: what the partners sell of the POS's catalogue, and the parts of the page.

import { check } from './menucheck.js';
import { items } from './menuitems.js';
import { links } from './menulinks.js';
import { overview } from './menuoverview.js';
import { runs } from './menuruns.js';
import { parts } from './parts.js';

parts({ all: { overview, items, links, history: runs, check }, base: '/menus', words: 'menus.part.' }).route();
