// Integration > Delivery: the links to the delivery partners, what a day left open, and refused messages.

import { day } from './deliveryday.js';
import { links } from './deliverylinks.js';
import { rejected } from './deliveryrejected.js';
import { parts } from './parts.js';

parts({ all: { links, day, rejected }, base: '/integration/delivery', words: 'delivery.part.' }).route();
