// Package bundle reads and writes the one file in which a technician carries a box's configuration.
//
// A bundle is text that anybody can read at its head, and files behind it:
//
//	aboyeur bundle 1
//	site hotel-bellevue-1
//	number 42
//	created 2026-11-21T19:04:05Z
//	program 1.2.0
//	file 1893 9f86d081…15b0f00a08 box.yaml
//	file 20480 60303ae2…ff2b38d8f8 logos/front.png
//	sealed 344 fd61a03a…d7ab0dfc8c otter age1qyqsz…m3k8
//
//	signed aboyeur-ed25519 head-office MCowBQ… 6HkZ3s…
//
//	(the bytes of box.yaml, logos/front.png, otter, in this order, and nothing behind them)
//
// The manifest, down to its empty line, is what is signed: Ed25519 with a context of its own (RFC 8032, 5.1), so that no
// signature the same key made under another kind of document counts here. The signature is checked before the manifest is
// parsed, and sizes and SHA-256 in the manifest bind the files. There is one way to write a manifest; another spelling of
// the same is refused. The container knows regular files by name and nothing else: no links, no modes, no compression,
// hence no bomb.
//
// Reading streams: [Open] takes at most [MaxHead] bytes into memory, [Reader.Next] gives one file after the other. What
// is wrong is a [*Refusal] with a name.
//
// Words: a key is Ed25519, production or development; trust is the keys a box believes; sealed is encrypted to the boxes
// that are named (age, X25519), so that a stick that gets lost gives no secret away.
package bundle
