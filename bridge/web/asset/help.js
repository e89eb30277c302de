import './shell.js'; // Help is all words; only the frame moves
