#!/bin/bash
# base.sh ARCH CACHE: makes CACHE/base-ARCH.tar, the Debian that an image starts from: systemd, a kernel, an initramfs, a boot
# loader, nothing of ours yet. Some minutes for another architecture than this machine's, whose programs qemu-user then runs;
# nothing when it is there. Debian as root, with mmdebstrap; qemu-user-static and binfmt-support for another architecture.
set -euo pipefail
arch=$1 cache=$2
recipe=1 # another number makes all anew
suite=bookworm
here=$(cd "$(dirname "$0")" && pwd)
die() { echo "base.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root"
mkdir -p "$cache"
if [ -s "$cache/base-$arch.tar" ] && [ "$(cat "$cache/base-$arch.recipe" 2>/dev/null)" = $recipe ]; then
	exit 0
fi
if [ "$(dpkg --print-architecture)" != "$arch" ]; then
	mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
	case $arch in
	arm64) update-binfmts --enable qemu-aarch64 ;;
	armhf) update-binfmts --enable qemu-arm ;;
	*) die "no image for $arch" ;;
	esac
fi
packages=systemd,systemd-sysv,systemd-boot,systemd-timesyncd,systemd-resolved,udev,dbus,kmod,init-system-helpers,procps,iproute2
packages+=,libusb-1.0-0,linux-image-$arch,initramfs-tools,zstd,ca-certificates,netbase,e2fsprogs,dosfstools,less,adduser
began=$SECONDS
# The initramfs has what finds the root on an SD card, a stick, NVMe or a virtual disk, and no more: it is read at each boot.
mmdebstrap --variant=minbase --architectures="$arch" --include=$packages --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
	--setup-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"' \
	--setup-hook="copy-in $here/initramfs/modules /etc/initramfs-tools" \
	--setup-hook="copy-in $here/initramfs/aboyeur.conf /etc/initramfs-tools/conf.d" \
	"$suite" "$cache/base-$arch.new.tar" >&2 || die "mmdebstrap failed"
mv "$cache/base-$arch.new.tar" "$cache/base-$arch.tar"
echo $recipe >"$cache/base-$arch.recipe"
echo "base.sh: $cache/base-$arch.tar made in $((SECONDS - began)) s" >&2
