#!/bin/bash
# sysroot.sh ARCH CACHE: makes CACHE/sysroot-ARCH, the headers and libraries that a program with libusb is linked against for
# another architecture, and prints its path. Debian's packages are unpacked into it and nothing of them is run; apt's own
# list of architectures stays as it is, since a foreign one has broken apt-get update. Seconds; nothing when it is there.
# Needs mmdebstrap and a Debian mirror.
set -euo pipefail
arch=$1 cache=$2
root=$cache/sysroot-$arch
if [ ! -d "$root" ]; then
	command -v mmdebstrap >/dev/null || { echo "sysroot.sh: mmdebstrap is not installed" >&2; exit 1; }
	mkdir -p "$cache"
	rm -rf "$root.new"
	mode=auto
	if [ "$(id -u)" = 0 ]; then mode=root; fi
	mmdebstrap --quiet --mode=$mode --variant=extract --architectures="$arch" --include=libusb-1.0-0-dev,libc6-dev \
		bookworm "$root.new" "${MIRROR:-http://deb.debian.org/debian}" >&2 || { rm -rf "$root.new"; exit 1; }
	mv "$root.new" "$root"
fi
echo "$root"
