#!/bin/bash
# build.sh VERSION DEB CACHE OUT: makes OUT, a disk image that boots by UEFI, of the Debian that base.sh left in CACHE and the
# package DEB. Four partitions: esp (systemd-boot, kernels), system-a, system-b (empty, for the next system) and data
# (/var and what must outlive a system). Needs root, mtools, dosfstools, e2fsprogs and fdisk; loop devices are not used.
set -euo pipefail
version=$1 deb=$(realpath "$2") cache=$(realpath "$3") out=$(realpath -m "$4")
here=$(cd "$(dirname "$0")" && pwd)
arch=$(dpkg-deb -f "$deb" Architecture)
die() { echo "build.sh: $*" >&2; exit 1; }
say() { echo "image: $*" >&2; }
[ "$(id -u)" = 0 ] || die "needs root"
case $arch in
arm64) efi=aa64 EFI=AA64 console=ttyAMA0 qemu=qemu-aarch64 ;;
amd64) efi=x64 EFI=X64 console=ttyS0 qemu= ;;
*) die "no image for $arch" ;;
esac
"$here/base.sh" "$arch" "$cache"
work=$(mktemp -d "$cache/work.XXXXXX")
root=$work/root
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
mkdir "$root"
tar -C "$root" -xf "$cache/base-$arch.tar" --exclude='./dev/*'

say "the package"
cp "$deb" "$root/aboyeur.deb"
if [ -n "$qemu" ] && [ "$(dpkg --print-architecture)" != "$arch" ]; then
	mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
	update-binfmts --enable $qemu
fi
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
mount -t proc proc "$root/proc"
in_root dpkg -i /aboyeur.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; die "the package does not install"; }
rm "$root/aboyeur.deb"

say "settings"
cp -r --no-preserve=ownership "$here/files/." "$root/"
chmod 755 "$root"/usr/lib/aboyeur/{first-boot,grow,system}
for unit in systemd-networkd.service systemd-resolved.service systemd-timesyncd.service aboyeur-first-boot.service aboyeur-grow.service; do
	in_root systemctl enable $unit >/dev/null 2>&1 || die "$unit cannot be enabled"
done
# The kiosk's monitor is a choice of its own; apt's timers would change a system that is exchanged as a whole;
# the card is divided anew by aboyeur-grow.service.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service systemd-repart.service; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
ln -sf multi-user.target "$root/usr/lib/systemd/system/default.target"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
# Nobody signs in; each card becomes a machine of its own at its first boot.
sed -i 's/^root:[^:]*:/root:!:/' "$root/etc/shadow"
: >"$root/etc/machine-id"
echo aboyeur >"$root/etc/hostname"
rm -f "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed" "$root"/etc/ssh/ssh_host_* 2>/dev/null || true
echo "$version" >"$root/etc/aboyeur-image"
if [ -n "${TRUST:-}" ]; then
	cp $TRUST "$root/etc/aboyeur/trust.d/"
fi
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt

umount "$root/proc"

say "partitions"
release=$(ls "$root/lib/modules")
[ -s "$root/boot/initrd.img-$release" ] || die "no initramfs for $release"
data=$work/data
mkdir -p "$data"
mv "$root"/var/* "$data/"
mkdir -p "$data/etc"
mv "$root/etc/aboyeur" "$data/etc/aboyeur"
mkdir -p "$root/etc/aboyeur" "$root/efi"
# What systemd makes anew after an update of /usr (hardware names, library cache) is made already: minutes of a slow board.
touch "$root/usr"
touch -r "$root/usr" "$root/etc/.updated" "$data/.updated"
mke2fs -q -t ext4 -L system-a -d "$root" "$work/system" 1536M
mke2fs -q -t ext4 -L data -d "$data" "$work/data.img" 512M
truncate -s 256M "$work/esp"
mkfs.vfat -F 32 -n ESP "$work/esp" >/dev/null
export MTOOLS_SKIP_CHECK=1
put() { mcopy -i "$work/esp" "$1" "::$2"; }
mmd -i "$work/esp" ::/EFI ::/EFI/BOOT ::/EFI/systemd ::/loader ::/loader/entries ::/a ::/b
loader=$root/usr/lib/systemd/boot/efi/systemd-boot$efi.efi
put "$loader" /EFI/BOOT/BOOT$EFI.EFI
put "$loader" /EFI/systemd/systemd-boot$efi.efi
put "$root/boot/vmlinuz-$release" /a/vmlinuz
put "$root/boot/initrd.img-$release" /a/initrd.img
printf 'timeout 0\neditor no\nauto-entries no\n' >"$work/loader.conf"
cat >"$work/a.conf" <<CONF
title Aboyeur $version (a)
sort-key aboyeur
version 1
linux /a/vmlinuz
initrd /a/initrd.img
options root=PARTLABEL=system-a rootfstype=ext4 rootflags=noatime rw panic=10 quiet console=tty0 console=$console,115200 aboyeur.system=a
CONF
put "$work/loader.conf" /loader/loader.conf
put "$work/a.conf" /loader/entries/aboyeur-a.conf

mkdir -p "$(dirname "$out")"
rm -f "$out"
truncate -s $((1 + 256 + 1536 + 1536 + 512 + 1))M "$out"
case $arch in
arm64) kind=B921B045-1DF0-41C3-AF44-4C6F280D3FAE ;;
amd64) kind=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 ;;
esac
sfdisk -q "$out" <<TABLE
label: gpt
start=1MiB, size=256MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
size=1536MiB, type=$kind, name=system-a
size=1536MiB, type=$kind, name=system-b
size=512MiB, type=4D21B016-B534-45C2-A9FB-5C16E091FD2D, name=data
TABLE
cp --sparse=always "$work/system" "${out%.img}.system"
lay() { dd if="$1" of="$out" bs=1M seek="$2" conv=notrunc,sparse status=none; }
lay "$work/esp" 1
lay "$work/system" 257
lay "$work/data.img" $((257 + 1536 * 2))
say "$out: $(du -m "$out" | cut -f1) MiB of $(stat -c %s "$out" | numfmt --to=iec) used, Linux $release"
