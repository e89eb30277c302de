#!/bin/sh
# Measures everything bench/README.md has figures for and prints its tables. About fifteen minutes on a quiet machine.
#   bench/figures.sh [FOLDER]     reports as JSON go to FOLDER (default bin/figures)
set -eu
cd "$(dirname "$0")/.."
out=${1:-bin/figures}
mkdir -p "$out"
for what in aboyeur floor inject; do
	[ -x "bin/$what" ] || { echo "bin/$what is missing: make bench-build" >&2; exit 2; }
done
status=0
run() { # NAME FLAGS...: a check that fails is noted, and the rest still measured
	name=$1
	shift
	echo "== $name: inject $*"
	bin/inject -json "$out/$name.json" "$@" || status=$?
}
run 50-4 -rate 50 -seconds 60 -screens 4
run 50-16 -rate 50 -seconds 60 -screens 16
run 200-4 -rate 200 -seconds 20 -screens 4
run pi-10 -profile pi -seconds 60
run knee -runs 0 -knee -overload
echo
bin/inject table "$out/50-4.json" "$out/50-16.json" "$out/200-4.json" "$out/pi-10.json" "$out/knee.json"
exit "$status"
