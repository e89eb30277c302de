#!/bin/bash
# test.sh VERSION DEB ROOT [OLDER]: installs the package in a throw-away Debian root, upgrades it over an older version with its
# journal kept, removes and purges it, and looks each time whether what should be there is there. Needs root; ROOT is made
# by mmdebstrap when it does not exist, and is left alone: the test works on a copy in an overlay. OLDER is the package of an
# earlier version; without one the older version is this program under a lower number.
set -euo pipefail
version=$1 deb=$(realpath "$2") root=$3 older=${4:+$(realpath "$4")}
here=$(cd "$(dirname "$0")/../.." && pwd)
die() { echo "test.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root"
if [ ! -d "$root" ]; then
	echo "making a Debian root in $root" >&2
	mmdebstrap --variant=minbase --include=systemd,udev,procps,init-system-helpers,adduser,libusb-1.0-0 bookworm "$root" >&2
fi
work=$(mktemp -d)
mkdir "$work"/{up,work,root}
mount -t tmpfs -o size=512m none "$work/up"
mkdir "$work"/up/{up,work}
mount -t overlay -o "lowerdir=$(realpath "$root"),upperdir=$work/up/up,workdir=$work/up/work" none "$work/root"
trap 'umount "$work/root/proc" 2>/dev/null || true; umount "$work/root"; umount "$work/up"; rm -rf "$work"' EXIT
mount -t proc proc "$work/root/proc"
in_root() { chroot "$work/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
box=$work/root

if [ -n "$older" ]; then
	cp "$older" "$box/older.deb"
else
	dpkg-deb -R "$deb" "$work/older"
	sed -i 's/^Version:.*/Version: 0.0.0~before/' "$work/older/DEBIAN/control"
	sed -i '/^$/d' "$work/older/DEBIAN/conffiles" 2>/dev/null || true
	dpkg-deb --build "$work/older" "$box/older.deb" >/dev/null
fi
cp "$deb" "$box/newer.deb"

# whole: what the package brings is there.
whole() {
	in_root id aboyeur | grep dialout >/dev/null || die "the user is not made"
	[ "$(stat -c '%U %a' "$box/var/lib/aboyeur" 2>/dev/null)" != "" ] || die "no folder for the journal"
	[ -d "$box/etc/aboyeur/trust.d" ] || die "no folder for keys"
	for unit in aboyeur.service aboyeur-reload.path; do
		[ -L "$box/etc/systemd/system/multi-user.target.wants/$unit" ] || die "$unit is not enabled"
	done
	in_root aboyeur version
	if [ "$(dpkg-deb -f "$deb" Depends | grep -c libusb)" = 1 ]; then
		in_root aboyeur version | grep 'with libusb' >/dev/null || die "it depends on libusb and is built without"
	fi
	in_root id aboyeur-kiosk | grep video >/dev/null || die "the kiosk's user is not made"
	for file in /usr/lib/aboyeur/kiosk /usr/lib/aboyeur/kiosk-monitor /usr/lib/aboyeur/gadget; do
		[ -x "$box$file" ] || die "$file cannot be run"
	done
	[ ! -L "$box/etc/systemd/system/graphical.target.wants/aboyeur-kiosk.service" ] || die "the kiosk is enabled on a box without a monitor"
	! in_root systemd-analyze verify --man=no /lib/systemd/system/aboyeur.service /lib/systemd/system/aboyeur-reload.path 2>&1 | grep aboyeur || die "systemd does not like the units"
}

echo "install"
in_root dpkg -i /older.deb >/dev/null
in_root dpkg -s aboyeur | grep '^Status: install ok installed' >/dev/null || die "not installed"
[ -n "$older" ] || whole

echo "a kitchen at work, as the service's own user"
cat >"$box/etc/aboyeur/box.yaml" <<YAML
site: {id: test-1, name: Test, timezone: Europe/Paris, currency: EUR}
http: {listen: "127.0.0.1:18080", tokens_file: /var/lib/aboyeur/tokens}
printers: [{name: grill, connect: "file:/tmp/ticket.bin"}]
stations: [{name: grill, printers: [grill], default: true}]
YAML
token=$(in_root setpriv --reuid=aboyeur --regid=aboyeur --clear-groups aboyeur token add --file /var/lib/aboyeur/tokens --role till --name test 2>/dev/null)
run() { # run COMMAND: while the box runs
	# Not through in_root, whose own shell would get the signal.
	chroot "$box" /usr/bin/setpriv --reuid=aboyeur --regid=aboyeur --clear-groups \
		/usr/bin/aboyeur run --config /etc/aboyeur/box.yaml --firmware /var/lib/aboyeur/firmware 2>"$work/log" &
	local pid=$!
	for _ in $(seq 200); do
		curl -fs http://127.0.0.1:18080/readyz >/dev/null && break
		kill -0 $pid 2>/dev/null || { cat "$work/log" >&2; die "the box ended"; }
		sleep 0.05
	done
	"$@" || { cat "$work/log" >&2; die "the box does not answer"; }
	kill -TERM $pid
	wait $pid || die "the box did not end well"
}
order() {
	curl -fsS -X POST http://127.0.0.1:18080/v1/orders -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d \
		'{"source":"test","source_order_id":"1","currency":"EUR","lines":[{"name":"Soup","quantity":1,"price":500}]}' -o "$work/order" -D "$work/head"
}
run order
grep -q ' 201' "$work/head" || die "the order was not taken: $(cat "$work/head" "$work/order")"

echo "upgrade from $(in_root dpkg-query -f '${Version}' -W aboyeur)"
in_root dpkg -i /newer.deb >/dev/null
in_root dpkg -s aboyeur | grep "^Version: $version$" >/dev/null || die "not upgraded"
whole
run order
grep -qi 'idempotent-replayed: true' "$work/head" || die "the journal was not kept: $(cat "$work/head" "$work/order")"
[ -e "$box/etc/aboyeur/box.yaml" ] || die "the configuration was not kept"

echo "remove"
in_root dpkg -r aboyeur >/dev/null
[ ! -e "$box/usr/bin/aboyeur" ] || die "the program is still there"
[ -e "$box/var/lib/aboyeur/journal.db" ] || die "the journal went with the program"
[ ! -L "$box/etc/systemd/system/multi-user.target.wants/aboyeur.service" ] || [ "$(readlink "$box/etc/systemd/system/aboyeur.service")" = /dev/null ] || die "the service is still enabled"

echo "install again, and purge"
in_root dpkg -i /newer.deb >/dev/null
[ -L "$box/etc/systemd/system/multi-user.target.wants/aboyeur.service" ] || die "not enabled after a removal"
in_root dpkg -P aboyeur >/dev/null
for left in /var/lib/aboyeur /etc/aboyeur /usr/bin/aboyeur /usr/lib/aboyeur /lib/systemd/system/aboyeur.service; do
	[ ! -e "$box$left" ] || die "$left is left after a purge"
done
in_root dpkg -s aboyeur 2>/dev/null | grep -q '^Status:.*installed$' && die "still installed"
echo "package $version: installed, upgraded with its journal, removed, purged"
