#!/bin/bash
# Prints over USB from a guest; see make emulate-usb. usb.sh [TRANSCRIPT]
set -euo pipefail
cd "$(dirname "$0")/../.."
go=${GO:-go}
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aboyeur-emulate}
transcript=${1:-}

bench/emulate/image.sh "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/disk"
CGO_ENABLED=1 "$go" test -c -tags emulate -trimpath -ldflags '-s -w' -o "$work/disk/guest" ./devices/port
CGO_ENABLED=0 "$go" test -c -tags emulate -trimpath -ldflags '-s -w' -o "$work/disk/guest-nocgo" ./devices/port
mke2fs -q -t ext4 -d "$work/disk" "$work/programs.img" 64M
if [ -n "$transcript" ]; then transcript=$(realpath "$transcript"); fi
"$go" test -tags emulate -count 1 -v -timeout 15m -run '^TestEmulatedUSB$' ./simulate/usbredir \
	-args -image "$cache" -programs "$work/programs.img" -transcript "$transcript"
