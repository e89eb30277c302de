#!/bin/bash
# build.sh VERSION ARCH OUT [BINARY]: makes the Debian package of one architecture (amd64, arm64, armhf) into the folder OUT.
# With libusb where this machine can link it for that architecture (its compiler, and a sysroot that sysroot.sh makes in
# CACHE), else with the kernel's driver for USB printers; the program says which it is (aboyeur version), LIBUSB=must ends
# instead. BINARY takes a program that is built already. Needs Go, and nfpm in PATH or the module proxy; PACK=dpkg-deb makes a
# package of the same files and scripts without nfpm, in a second, for a test that throws it away.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1 arch=$2 out=$3 binary=${4:-}
GO=${GO:-go}
NFPM_VERSION=v2.43.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $arch in
amd64) goarch=amd64 goarm= gcc=x86_64-linux-gnu-gcc triplet=x86_64-linux-gnu ;;
arm64) goarch=arm64 goarm= gcc=aarch64-linux-gnu-gcc triplet=aarch64-linux-gnu ;;
armhf) goarch=arm goarm=7 gcc=arm-linux-gnueabihf-gcc triplet=arm-linux-gnueabihf ;;
*) echo "build.sh: no such architecture: $arch; write amd64, arm64 or armhf" >&2; exit 2 ;;
esac

depends='init-system-helpers, procps, systemd, udev'
if [ -z "$binary" ]; then
	binary=$work/aboyeur
	cgo=0
	sysroot=
	if command -v "$gcc" >/dev/null; then
		if [ "$(dpkg --print-architecture 2>/dev/null)" != "$arch" ]; then
			sysroot=$(systemd/package/sysroot.sh "$arch" "${CACHE:-$HOME/.cache/aboyeur}") || sysroot=/nonexistent
		fi
		[ -e "$sysroot/usr/lib/$triplet/libusb-1.0.so" ] && [ -e "$sysroot/usr/include/libusb-1.0/libusb.h" ] && cgo=1
	fi
	lib=$sysroot/usr/lib/$triplet
	build() {
		env CGO_ENABLED=$cgo GOOS=linux GOARCH=$goarch GOARM=$goarm CC=$gcc \
			PKG_CONFIG_LIBDIR="$lib/pkgconfig:$sysroot/usr/share/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$sysroot" \
			CGO_CFLAGS="-O2 ${sysroot:+--sysroot=$sysroot} -I$sysroot/usr/include/libusb-1.0" CGO_LDFLAGS="${sysroot:+--sysroot=$sysroot}" \
			"$GO" build -trimpath -buildvcs="${BUILDVCS:-auto}" -ldflags "-s -w -X main.version=$version" -o "$binary" ./cmd/aboyeur
	}
	build
	if [ $cgo = 1 ]; then
		depends="$depends, libc6, libusb-1.0-0"
	else
		echo "build.sh: $arch without libusb: $gcc and libusb-1.0-0-dev for it are not here" >&2
		[ "${LIBUSB:-}" != must ] || exit 1
	fi
fi

# Files of other subjects join the package where they exist.
more=
for unit in systemd/*.service systemd/*.target systemd/*.timer systemd/*.path; do
	[ -e "$unit" ] && ! grep -q "src: $unit," systemd/package/nfpm.yaml && more+="  - {src: $unit, dst: /lib/systemd/system/$(basename "$unit")}"$'\n'
done
for rule in systemd/*.rules; do
	[ -e "$rule" ] && ! grep -q "src: $rule," systemd/package/nfpm.yaml && more+="  - {src: $rule, dst: /lib/udev/rules.d/$(basename "$rule")}"$'\n'
done
more="$more" binary="$binary" awk -v arch="$arch" -v version="$version" -v depends="$depends" '
	{ gsub("@ARCH@", arch); gsub("@VERSION@", version); gsub("@DEPENDS@", depends); gsub("@BINARY@", ENVIRON["binary"]) }
	/^@MORE@$/ { printf "%s", ENVIRON["more"]; next }
	{ print }' systemd/package/nfpm.yaml >"$work/nfpm.yaml"

mkdir -p "$out"
deb=$out/aboyeur_${version}_${arch}.deb
if [ "${PACK:-nfpm}" = dpkg-deb ]; then
	stage=$work/stage
	mkdir -p "$stage/DEBIAN"
	sed -n 's/^  - {src: \([^,}]*\), dst: \([^,}]*\)\(.*\)}$/\1 \2 \3/p' "$work/nfpm.yaml" | while read -r src dst rest; do
		case $dst in
		*/) mkdir -p "$stage$dst" ;;
		*) mkdir -p "$stage$(dirname "$dst")" ;;
		esac
		cp -r --no-preserve=ownership $src "$stage$dst"
		case $rest in
		*mode:\ 0755*) chmod 0755 "$stage$dst" ;;
		esac
		case $rest in
		*type:\ config*) echo "$dst" >>"$stage/DEBIAN/conffiles" ;;
		esac
	done
	for script in postinst prerm postrm; do install -m 755 systemd/package/$script "$stage/DEBIAN/$script"; done
	printf 'Package: aboyeur\nVersion: %s\nArchitecture: %s\nMaintainer: %s\nDepends: %s\nDescription: a test\'"'"'s package\n' \
		"$version" "$arch" "$(sed -n 's/^maintainer: //p' "$work/nfpm.yaml")" "$depends" >"$stage/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone --build "$stage" "$deb" >/dev/null
elif command -v nfpm >/dev/null; then
	nfpm package --config "$work/nfpm.yaml" --packager deb --target "$deb"
else
	"$GO" run github.com/goreleaser/nfpm/v2/cmd/nfpm@$NFPM_VERSION package --config "$work/nfpm.yaml" --packager deb --target "$deb"
fi
