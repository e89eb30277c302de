#!/bin/bash
# nspawn.sh DEB ROOT: boots a Debian with the package under systemd itself and goes through a technician's first minutes:
# an empty box waits, a bundle claims it, one that is not healthy is given back, a killed service comes back, one that hangs
# is found by the watchdog, the sandbox holds. Needs root, systemd-nspawn, and a ROOT as test.sh makes it; / is this machine's
# own, of which an overlay is used. With MAYBE=1 a machine on which no container boots is named and skipped (exit 0).
set -euo pipefail
deb=$(realpath "$1") root=$(realpath "$2")
die() {
	echo "nspawn.sh: $*" >&2
	[ -z "${leader:-}" ] || inside journalctl --no-pager -n 60 -u 'aboyeur*' >&2 || true
	exit 1
}
cannot() {
	if [ -n "${MAYBE:-}" ]; then
		echo "SKIPPED, not tried: the package under systemd. $*"
		exit 0
	fi
	die "$*"
}
[ "$(id -u)" = 0 ] || cannot "it needs root"
command -v systemd-nspawn >/dev/null || cannot "systemd-nspawn is not installed"
work=$(mktemp -d)
mkdir "$work"/{up,root}
mount -t tmpfs -o size=768m none "$work/up" || cannot "no file system can be mounted here"
mkdir "$work"/up/{up,work}
box=$work/root leader=
inside() { nsenter -t "$leader" -m -p -u -i -n -C -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C SYSTEMD_PAGER= "$@"; }
clean() {
	if [ -n "$leader" ]; then
		inside systemctl poweroff >/dev/null 2>&1 || true
		for _ in $(seq 100); do kill -0 "$leader" 2>/dev/null || break; sleep 0.1; done
	fi
	umount "$work/root" "$work/up" 2>/dev/null || umount -l "$work/root" "$work/up" || true
	rm -rf "$work"
}
trap clean EXIT
mount -t overlay -o "lowerdir=$root,upperdir=$work/up/up,workdir=$work/up/work" none "$box" || cannot "no overlay can be mounted over $root"
force=
if [ "$root" = / ]; then
	# This machine's own services are not what is looked at.
	rm -rf "$box"/etc/systemd/system/*.wants "$box"/etc/systemd/system/*.requires "$box"/etc/fstab
	ln -sf /lib/systemd/system/multi-user.target "$box/etc/systemd/system/default.target"
	mkdir -p "$box"/{dev,proc,sys,run,tmp}
	force=--force-depends
fi
cp "$deb" "$box/aboyeur.deb"
chroot "$box" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive dpkg -i $force /aboyeur.deb >"$work/dpkg" 2>&1 || { cat "$work/dpkg" >&2; die "not installed"; }
mkdir -p "$box/etc/systemd/system/aboyeur.service.d"
printf '[Service]\nWatchdogSec=6\nExecStart=\nExecStart=%s --trial 8s\n' \
	"$(sed -n 's/^ExecStart=//p' "$box/lib/systemd/system/aboyeur.service")" >"$box/etc/systemd/system/aboyeur.service.d/quick.conf"

began=$(date +%s%N)
systemd-nspawn -q -D "$box" --register=no --keep-unit --private-network -b >"$work/console" 2>&1 &
nspawn=$!
until_() { # until_ SECONDS WHAT COMMAND...: waits until the command succeeds
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || die "waited in vain until $what"
		sleep 0.1
	done
}
find_leader() { leader=$(pgrep -P "$nspawn" -x systemd) && [ -n "$leader" ]; }
booted() { inside systemctl is-active multi-user.target; }
end=$((SECONDS + 45))
until find_leader && booted >/dev/null 2>&1; do
	kill -0 "$nspawn" 2>/dev/null && [ $SECONDS -lt $end ] || cannot "no container boots here: $(tail -n 3 "$work/console" | tr -d '\r' | tr '\n' ' ')"
	sleep 0.1
done
echo "booted in $((($(date +%s%N) - began) / 1000000)) ms"
inside ip link set lo up 2>/dev/null || true
until_ 20 "the service waits for a bundle" inside systemctl is-active aboyeur.service
inside systemctl show aboyeur.service -p StatusText | grep 'waiting for the first' >/dev/null || die "an empty box does not wait"

echo "first bundle"
dir=$box/root/office
mkdir -p "$dir"
pack() { # pack NUMBER PRINTER
	cat >"$dir/box.yaml" <<YAML
site: {id: test-1, name: Test, timezone: Europe/Paris, currency: EUR}
http: {listen: "127.0.0.1:8080", tokens_file: /var/lib/aboyeur/tokens}
printers: [{name: grill, connect: "$2"}]
stations: [{name: grill, printers: [grill], default: true}]
YAML
	inside aboyeur bundle pack --key /root/office/keys/office.key --site test-1 --number "$1" --out "/root/office/b$1.aboyeur" /root/office/box.yaml >/dev/null
}
apply() { inside setpriv --reuid=aboyeur --regid=aboyeur --clear-groups aboyeur bundle apply --claim --wait 80s /dev/stdin <"$dir/b$1.aboyeur"; }
inside aboyeur bundle keygen /root/office/keys >/dev/null 2>&1
inside setpriv --reuid=aboyeur --regid=aboyeur --clear-groups aboyeur token add --file /var/lib/aboyeur/tokens --role admin --name test >"$work/token" 2>/dev/null
pack 1 file:/var/lib/aboyeur/ticket.bin
apply 1 || die "bundle 1 was not taken"
ready() { inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET /readyz HTTP/1.0\r\n\r\n" >&3 && grep -q "200 OK" <&3'; }
ready || die "not ready on bundle 1"
inside systemctl show aboyeur.service -p StatusText | grep 'bundle 1' >/dev/null || die "systemd is not told of bundle 1"
judged() { ! inside systemctl show aboyeur.service -p StatusText | grep 'on trial' >/dev/null; }
until_ 10 "systemd is told that bundle 1 stays" judged

echo "started again, to ready"
for _ in 1 2 3; do
	inside systemctl restart aboyeur.service
	since=$(inside systemctl show aboyeur.service -p ExecMainStartTimestampMonotonic --value)
	until=$(inside systemctl show aboyeur.service -p ActiveEnterTimestampMonotonic --value)
	echo "ready in $(((until - since) / 1000)) ms"
done

echo "a bundle that is not healthy"
pack 2 tcp:127.0.0.1:1
if apply 2 2>"$work/said"; then die "bundle 2 was kept"; fi
grep -q 'was not healthy' "$work/said" || die "$(cat "$work/said")"
until_ 10 "bundle 1 is back" ready

echo "killed"
old=$(inside systemctl show aboyeur.service -p MainPID --value)
inside systemctl kill -s KILL aboyeur.service
killed() { local now; now=$(inside systemctl show aboyeur.service -p MainPID --value) && [ "$now" != 0 ] && [ "$now" != "$old" ] && ready; }
began=$(date +%s%N)
until_ 20 "the service is back" killed
echo "back in $((($(date +%s%N) - began) / 1000000)) ms, RestartSec of a second among them"

echo "hanging"
old=$(inside systemctl show aboyeur.service -p MainPID --value)
inside systemctl kill -s STOP aboyeur.service
until_ 60 "the watchdog finds it" killed
barked() { inside journalctl -u aboyeur.service --no-pager | grep "result 'watchdog'"; }
until_ 10 "the journal says that it was the watchdog" barked

echo "sandbox"
pid=$(inside systemctl show aboyeur.service -p MainPID --value)
status=$(inside cat "/proc/$pid/status")
grep -q '^NoNewPrivs:[[:space:]]*1' <<<"$status" || die "new privileges can be had"
grep -q '^CapEff:[[:space:]]*0*$' <<<"$status" || die "it has capabilities"
grep -q '^Seccomp:[[:space:]]*2' <<<"$status" || die "no system calls are filtered"
grep -qE '^Uid:[[:space:]]*0' <<<"$status" && die "it is root"
inside nsenter -t "$pid" -m -- touch /usr/bin/written 2>/dev/null && die "it could write to /usr"
failed=$(inside systemctl --failed --no-legend --plain | grep aboyeur || true)
[ -z "$failed" ] || die "failed: $failed"
echo "the package under systemd: all as it should be"
