// Package firmwareconfig reads the one configuration file of a box.
//
// The file is YAML with one strict schema. The schema is a set of tables, one function per section (schema.go,
// sections.go): a table binds each key to a field of Config with its type, bounds, default and description. Decoding walks
// the parsed document along these tables, and JSONSchema prints the same tables, so the two cannot disagree. What a
// table cannot say, because it concerns two places of the file, stands in check.go: references, claims, the one default
// station, and the parts that this build cannot serve yet (served.go).
//
// Everything wrong in a file is found in one pass and reported as Faults, each with file, line, column, key, what is
// wrong and what to write instead. Secrets are never in the file, only names of files; they are read by nobody here
// except by CheckSecrets.
package firmwareconfig
