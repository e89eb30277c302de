// A guide: the page is whole as it comes; the frame is the console's.

import './shell.js';
