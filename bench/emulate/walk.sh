#!/bin/bash
# walk.sh IMAGE ARCH [TRANSCRIPT]: boots an image as make image leaves it in QEMU and walks a technician's first ten minutes
# with it. What is booted is a copy on a larger card, with one unit more: a shell behind a virtio line, by which the walk asks
# and looks; a second disk holds the next system, for the exchange. KEEP=FOLDER keeps the copy and its state after the first boot; the next run then starts from there in seconds.
set -euo pipefail
image=$(realpath "$1") arch=$2 transcript=${3:+$(realpath -m "$3")}
cd "$(dirname "$0")/../.."
go=${GO:-go}
work=${KEEP:-}
if [ -z "$work" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
if [ ! -s "$work/card.qcow2" ] || [ "$image" -nt "$work/card.raw" ]; then
	rm -f "$work"/card.*
	cp --sparse=always "$image" "$work/card.raw"
	start=$(sfdisk -l -o Start "$work/card.raw" | awk 'f {n++} n == 2 {print $1; exit} /Start/ {f = 1}')
	cat >"$work/agent" <<'AGENT'
#!/bin/bash
until exec 3<>/dev/virtio-ports/walk; do sleep 0.2; done 2>/dev/null
echo ready >&3
while read -r -u 3 id command; do
	out=$(base64 -d <<<"$command" >/run/walk-command && timeout -k 5 900 bash /run/walk-command </dev/null 2>&1 3>&-)
	code=$?
	echo "$id $code $(head -c 60000 <<<"$out" | base64 -w0)" >&3
done
AGENT
	cat >"$work/walk.service" <<'UNIT'
[Unit]
Description=The walk's line into the box
After=basic.target
[Service]
ExecStart=/usr/lib/walk-agent
Restart=always
UNIT
	# with_agent FILE: the root file system there gets the unit too.
	with_agent() {
		debugfs -w "$1" -f /dev/stdin >>"$work/debugfs.log" 2>&1 <<COMMANDS
write $work/agent /usr/lib/walk-agent
set_inode_field /usr/lib/walk-agent mode 0100755
write $work/walk.service /usr/lib/systemd/system/walk.service
mkdir /usr/lib/systemd/system/multi-user.target.wants
symlink /usr/lib/systemd/system/multi-user.target.wants/walk.service ../walk.service
mkdir /usr/lib/systemd/system/boot-complete.target.d
write $work/patience.conf /usr/lib/systemd/system/boot-complete.target.d/patience.conf
COMMANDS
	}
	# An emulated processor may need longer for a good start than the image gives a board.
	printf '[Unit]\nJobTimeoutSec=40min\n' >"$work/patience.conf"
	with_agent "$work/card.raw?offset=$((start * 512))"

	# The next system: the image's own with a newer version of the program.
	version=$(basename "${image%_*}" | cut -d_ -f2)+next
	GO=$go systemd/package/build.sh "$version" "$arch" "$work"
	dpkg-deb -x "$work/aboyeur_${version}_$arch.deb" "$work/newer"
	echo "$version" >"$work/aboyeur-image"
	cp --sparse=always "${image%.img}.system" "$work/next.system"
	with_agent "$work/next.system"
	debugfs -w "$work/next.system" -f /dev/stdin >>"$work/debugfs.log" 2>&1 <<COMMANDS
rm /usr/bin/aboyeur
write $work/newer/usr/bin/aboyeur /usr/bin/aboyeur
set_inode_field /usr/bin/aboyeur mode 0100755
rm /etc/aboyeur-image
write $work/aboyeur-image /etc/aboyeur-image
COMMANDS
	rm -rf "$work/newer" "$work"/*.deb
	truncate -s 6G "$work/card.raw"
	qemu-img create -q -f qcow2 -b "$work/card.raw" -F raw "$work/card.qcow2"
fi
saved=
if qemu-img snapshot -l "$work/card.qcow2" | grep -q booted; then
	saved=booted
fi
"$go" test -tags emulate -count 1 -v -timeout 4h -run '^TestWalk$' ./bench/emulate \
	-args -saved "$saved" -system "$work/next.system" -disk "$work/card.qcow2" -arch "$arch" -transcript "$transcript"
