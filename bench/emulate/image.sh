#!/bin/bash
# Makes what a QEMU guest boots from, in the cache folder given: kernel, initramfs and a small Debian with systemd, udev,
# usblp and libusb. About a minute the first time and 0.6 GB; nothing when it is there. Debian 12 on amd64, as root.
#
#   image.sh CACHE     leaves CACHE/vmlinuz, CACHE/initrd, CACHE/root.img
set -euo pipefail

cache=${1:?image.sh CACHE}
version=1 # of this recipe: another number makes all anew
suite=bookworm
packages=systemd,systemd-sysv,udev,dbus,kmod,libusb-1.0-0,usbutils

mkdir -p "$cache"
cd "$cache"
if [ "$(cat version 2>/dev/null)" = "$version" ] && [ -s root.img ] && [ -s vmlinuz ] && [ -s initrd ]; then
	exit 0
fi
say() { echo "image: $*" >&2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -s root.tar ]; then
	say "a Debian root with mmdebstrap"
	mmdebstrap --variant=minbase --architectures=amd64 --include=$packages $suite "$work/root.tar" 2>"$work/mmdebstrap.log" ||
		{ cat "$work/mmdebstrap.log" >&2; exit 1; }
	mv "$work/root.tar" root.tar
fi

if ! ls linux-image-*.deb >/dev/null 2>&1; then
	kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
	say "the kernel $kernel"
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$kernel")
	mv "$work"/linux-image-*.deb .
fi
mkdir "$work/kernel"
dpkg -x "$(ls linux-image-*.deb | head -1)" "$work/kernel"
release=$(ls "$work/kernel/lib/modules")
depmod -b "$work/kernel" "$release"

say "the disk"
mkdir "$work/root"
tar -C "$work/root" -xf root.tar --exclude='./dev/*'
mkdir -p "$work/root/usr/lib/modules/$release/kernel"
# What the guest's own udev and kernel load; printers and serial adapters, not a desktop's drivers.
for part in arch crypto drivers/block drivers/char drivers/hid drivers/scsi drivers/usb drivers/virtio fs/ext4 fs/jbd2 fs/mbcache.ko lib block; do
	if [ -e "$work/kernel/lib/modules/$release/kernel/$part" ]; then
		mkdir -p "$(dirname "$work/root/usr/lib/modules/$release/kernel/$part")"
		cp -r "$work/kernel/lib/modules/$release/kernel/$part" "$work/root/usr/lib/modules/$release/kernel/$part"
	fi
done
cp "$work/kernel/lib/modules/$release"/modules.{builtin,order}* "$work/root/usr/lib/modules/$release/"
depmod -b "$work/root" "$release"
echo guest >"$work/root/etc/hostname"
: >"$work/root/etc/fstab"
: >"$work/root/etc/machine-id"
passwd=$work/root/etc/shadow
sed -i 's/^root:[^:]*:/root::/' "$passwd"
# The program lies on the second disk, so that a new one needs no new image.
cat >"$work/root/etc/systemd/system/guest.service" <<'UNIT'
[Unit]
Description=the program under test
After=systemd-udevd.service systemd-udev-trigger.service
[Service]
ExecStartPre=/bin/mount -o ro /dev/vdb /mnt
ExecStart=/mnt/guest -test.run=^TestGuest$ -test.v -test.timeout=20m
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
Restart=no
[Install]
WantedBy=multi-user.target
UNIT
ln -sf /etc/systemd/system/guest.service "$work/root/etc/systemd/system/multi-user.target.wants/guest.service"
for unit in getty@tty1 serial-getty@ttyS0 apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap \
	fstrim.timer systemd-timesyncd systemd-resolved systemd-networkd; do
	case $unit in *.*) ;; *) unit=$unit.service ;; esac
	ln -sf /dev/null "$work/root/etc/systemd/system/$unit"
done
rm -f "$work/root.img"
mke2fs -q -t ext4 -d "$work/root" "$work/root.img" 900M

say "the initramfs"
init=$work/init
mkdir -p "$init"/{bin,dev,proc,root,modules}
cp /bin/busybox "$init/bin/busybox"
{
	echo '#!/bin/busybox sh'
	echo '/bin/busybox mount -t devtmpfs dev /dev'
	n=0
	seen=" "
	for module in virtio_pci virtio_blk crc32c_generic ext4; do
		while read -r verb path _; do
			[ "$verb" = insmod ] || continue
			case $seen in *" $path "*) continue ;; esac
			seen="$seen$path "
			n=$((n + 1))
			file=$(printf '%02d-%s' $n "$(basename "$path")")
			cp "$path" "$init/modules/$file"
			echo "/bin/busybox insmod /modules/$file"
		done < <(modprobe -d "$work/kernel" -S "$release" --show-depends $module)
	done
	echo 'i=0; while [ ! -e /dev/vda ] && [ $i -lt 100 ]; do /bin/busybox sleep 0.1; i=$((i+1)); done'
	echo '/bin/busybox mount -t ext4 /dev/vda /root'
	echo '/bin/busybox mount --move /dev /root/dev'
	echo 'exec /bin/busybox switch_root /root /lib/systemd/systemd'
} >"$init/init"
chmod +x "$init/init"
(cd "$init" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initrd"

cp "$work/kernel/boot/vmlinuz-$release" vmlinuz
mv "$work/initrd" initrd
mv "$work/root.img" root.img
echo $version >version
say "made, $release"
