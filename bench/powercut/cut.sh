#!/bin/bash
# cut.sh TRIALS [TRANSCRIPT]: the box in QEMU on a disk that loses what was not flushed, its power cut again and again while it
# takes orders and bundles. Half a minute a trial. RUN names one of the tests. Debian on amd64, as root; kernel and modules are those of make emulate-usb.
set -euo pipefail
trials=$1 transcript=${2:+$(realpath -m "$2")}
cd "$(dirname "$0")/../.."
go=${GO:-go}
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aboyeur-emulate}
bench/emulate/image.sh "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The guest is one small file system in memory: busybox, the drivers of the disk, the program, bundles.
init=$work/init
mkdir -p "$init" "$work/data" "$work/none"
(cd "$init" && gzip -dc "$cache/initrd" | cpio --quiet -id)
sed -i '/mount -t ext4/,$d' "$init/init"
sed 1d bench/powercut/init >>"$init/init"
CGO_ENABLED=0 "$go" build -trimpath -ldflags '-s -w' -o "$init/bin/aboyeur" ./cmd/aboyeur
aboyeur=$init/bin/aboyeur
mkdir -p "$init"/{bundles,tmp,sys,data,etc/aboyeur/trust.d}
"$aboyeur" bundle keygen --name office "$work/keys" >/dev/null 2>&1
cp "$work/keys/office.pub" "$init/etc/aboyeur/trust.d/"
for n in $(seq 60); do
	cat >"$work/box.yaml" <<YAML
site: {id: cut-1, name: Bistro $n, timezone: Europe/Paris, currency: EUR}
data: {dir: /data/lib}
http: {listen: "127.0.0.1:8080", tokens_file: /data/tokens}
printers: [{name: grill, connect: "file:/tmp/paper"}]
stations: [{name: grill, printers: [grill], default: true}]
YAML
	for part in a b c; do head -c 100000 /dev/urandom >"$work/$part.bin"; done
	"$aboyeur" bundle pack --key "$work/keys/office.key" --site cut-1 --number "$n" --out "$init/bundles/$n" \
		"$work/box.yaml" "$work"/{a,b,c}.bin >/dev/null
done
"$aboyeur" bundle apply --firmware "$work/data/firmware" --trust "$work/keys" --box "$work/none" "$init/bundles/1"
"$aboyeur" token add --file "$work/data/tokens" --role admin --name cut >"$work/data/token" 2>/dev/null
mkdir "$work/data/lib"
(cd "$init" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initrd"
mke2fs -q -t ext4 -d "$work/data" "$work/disk" 256M

"$go" test -tags emulate -count 1 -v -timeout 4h -run "${RUN:-.}" ./bench/powercut -args -kernel "$cache/vmlinuz" -initrd "$work/initrd" \
	-disk "$work/disk" -trials "$trials" -transcript "$transcript"
