# Aboyeur. `make` lists what can be done here.
#
#   make run SECONDS=20   the demonstration for 20 seconds; its last line is a summary as JSON
#   make test             everything, with what the tests need

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO        ?= $(or $(shell command -v go),/usr/local/go/bin/go)
VERSION   ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),dev)
SECONDS   ?=
FUZZTIME  ?= 20s
TESTFLAGS ?=
TESTED    ?= ./...

# Git refuses to describe a tree that belongs to somebody else; the build then goes without its revision.
BUILDVCS  := $(if $(shell git rev-parse HEAD 2>/dev/null),auto,false)
BUILD      = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=$(BUILDVCS) -ldflags "-s -w -X main.version=$(VERSION)"
PACKAGES   = $(GO) list -f '{{.Dir}}' ./...
# Packages whose tests have a longer form behind -long.
LONG       = grep -rl --include='*_test.go' 'flag.Bool("long"' . | xargs -r -n1 dirname | sort -u

# need installs the packages whose test fails, a pair a word as in `strace:command -v strace`. It says so and goes on
# where it cannot: what really needs them then fails by its own words.
define need
missing=; \
have() { command -v "$$1" >/dev/null 2>&1; }; \
for package in $(1); do \
  case $$package in \
    libc6-dev) test -e /usr/include/stdlib.h;; \
    gcc|strace|pkg-config|chromium-headless-shell) have $$package;; \
    *) dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed';; \
  esac || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
  as=; if [ "$$(id -u)" != 0 ]; then as='sudo -n'; fi; \
  if ! have apt-get; then \
    echo "not installed, and there is no apt-get here:$$missing; going on without" >&2; \
  elif [ -n "$$as" ] && ! $$as true 2>/dev/null; then \
    echo "not installed, and only root may: sudo apt-get install$$missing; going on without" >&2; \
  else \
    echo "installing$$missing" >&2; \
    export DEBIAN_FRONTEND=noninteractive; \
    apt="$$as apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120"; \
    { $$apt update && $$apt install -y --no-install-recommends $$missing; } </dev/null >&2 || \
      echo "could not be installed:$$missing; going on without" >&2; \
  fi; \
fi
endef

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r t d; do printf '  %-12s %s\n' "$$t" "$$d"; done

.PHONY: run
run: need-run build ## builds and runs the demonstration; SECONDS=20 ends it by itself
	@bin/aboyeur demo $(if $(SECONDS),--seconds $(SECONDS))

# The race detector also checks each unsafe pointer, and SQLite as translated from C consists of them: a third of the time.
.PHONY: test
test: need-test ## every test, under the race detector
	$(GO) test -race -gcflags=modernc.org/...=-d=checkptr=0 -p 2 -timeout 10m $(TESTFLAGS) $(TESTED)

.PHONY: build
build: ## leaves bin/aboyeur
	@mkdir -p bin
	@$(BUILD) -o bin/aboyeur ./cmd/aboyeur

# Lint builds as the boxes' program is built, so that nothing is compiled twice.
LINT   = CGO_ENABLED=0 GOFLAGS=-trimpath $(GO)
BOARDS ?= amd64 arm64 arm/7

.PHONY: lint
lint: boards ## gofmt, go vet, staticcheck, and builds for every board
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l $$($(PACKAGES))); \
	if [ -n "$$unformatted" ]; then echo "not as gofmt writes it:"; echo "$$unformatted"; exit 1; fi
	$(LINT) vet ./...
	$(LINT) tool staticcheck ./...

.PHONY: boards
boards:
	@for board in $(BOARDS); do \
	  echo "build for linux/$$board"; \
	  arch=$${board%/*}; arm=; if [ "$$arch" != "$$board" ]; then arm=$${board#*/}; fi; \
	  GOOS=linux GOARCH=$$arch GOARM=$$arm $(LINT) build -buildvcs=false ./...; \
	done

.PHONY: bench
bench: bench-build ## orders against disk and machine: runs, knee, overload, small board; some minutes on a quiet machine
	bin/inject -knee -overload -json bin/bench.json
	bin/inject -profile pi -json bin/bench-pi.json

.PHONY: bench-short
bench-short: bench-build ## the same in under a minute
	bin/inject -short -json bin/bench-short.json

.PHONY: bench-build
bench-build: build
	@$(BUILD) -o bin/ ./bench/inject ./bench/floor

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME=20s
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ {targets[n++]=$$1} /^ok/ {for (i = 0; i < n; i++) print $$2, targets[i]; n = 0}' | \
	while read -r package target; do \
	  echo "$$package $$target"; \
	  $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package"; \
	done

.PHONY: nightly
nightly: test ## the long forms of tests, fuzzing and bench; hours
	@for package in $$($(LONG)); do echo "$$package, long form"; $(GO) test -race -timeout 2h "$$package" -args -long; done
	$(MAKE) boards BOARDS=arm/6
	$(MAKE) fuzz FUZZTIME=5m
	$(MAKE) bench

.PHONY: screenshots
screenshots: need-test ## a picture of every page into screenshots/
	$(GO) test -count 1 -run '^TestScreenshots|^TestPagesOfNothing' ./bridge/web -args -screenshots $(CURDIR)/screenshots

# The guest's image is made once, outside this folder: CACHE=... says where else.
.PHONY: emulate-usb
emulate-usb: need-emulate ## USB printing through the real kernel and libusb, in a QEMU guest; minutes, Debian amd64 as root
	GO=$(GO) bench/emulate/usb.sh docs/usb-transcript.md

CUTS ?= 20

.PHONY: powercut
powercut: need-emulate ## the box on a disk that forgets what was not flushed, its power cut CUTS times; half a minute each, Debian amd64 as root
	GO=$(GO) bench/powercut/cut.sh $(CUTS) docs/powercut-transcript.md

.PHONY: need-emulate
need-emulate: need-run
	@$(call need,gcc libc6-dev qemu-system-x86 ipxe-qemu seabios mmdebstrap e2fsprogs kmod cpio busybox-static)

# Packages carry a version that Debian can order: the tag, or 0.0.0 with the commit behind it.
DEBVERSION ?= $(patsubst v%,%,$(shell git describe --tags --match 'v[0-9]*' 2>/dev/null || echo 0.0.0+git$$(git log -1 --format=%cd.%h --date=format:%Y%m%d 2>/dev/null || echo none)))
DEBARCHS   ?= amd64 arm64 armhf

.PHONY: deb
deb: need-deb ## bin/aboyeur_VERSION_ARCH.deb for amd64, arm64 and armhf
	@for arch in $(DEBARCHS); do GO=$(GO) BUILDVCS=$(BUILDVCS) systemd/package/build.sh $(DEBVERSION) $$arch bin; done

.PHONY: deb-test
deb-test: need-deb-test deb ## the package in a throw-away Debian root: install, upgrade (from OLDER=PACKAGE), remove, purge; as root
	systemd/package/test.sh $(DEBVERSION) bin/aboyeur_$(DEBVERSION)_amd64.deb $(or $(CACHE),$(HOME)/.cache/aboyeur)/deb-root $(OLDER)

.PHONY: nspawn
nspawn: need-nspawn deb-test ## the package booted under systemd: first bundle, bad bundle, kill, hang, sandbox; as root
	systemd/package/nspawn.sh bin/aboyeur_$(DEBVERSION)_amd64.deb $(or $(CACHE),$(HOME)/.cache/aboyeur)/deb-root

# A base system is made once for each architecture (CACHE): 2 minutes for this machine's own, up to 20 for another.
IMAGEARCH ?= arm64

.PHONY: image
image: need-image ## bin/aboyeur_VERSION_arm64.img: Debian and the package for a card, two systems; IMAGEARCH=amd64; TRUST=KEY.pub; as root
	@GO=$(GO) BUILDVCS=$(BUILDVCS) systemd/package/build.sh $(DEBVERSION) $(IMAGEARCH) bin
	systemd/image/build.sh $(DEBVERSION) bin/aboyeur_$(DEBVERSION)_$(IMAGEARCH).deb $(or $(CACHE),$(HOME)/.cache/aboyeur)/image bin/aboyeur_$(DEBVERSION)_$(IMAGEARCH).img

.PHONY: emulate
emulate: need-emulate-image image ## a technician's ten minutes with the image in QEMU, written to docs/emulate-transcript.md; 40 minutes or more; as root
	GO=$(GO) bench/emulate/walk.sh bin/aboyeur_$(DEBVERSION)_$(IMAGEARCH).img $(IMAGEARCH) docs/emulate-transcript.md

.PHONY: need-image
need-image: need-deb
	@$(call need,mtools dosfstools e2fsprogs fdisk $(if $(filter $(shell dpkg --print-architecture 2>/dev/null),$(IMAGEARCH)),,qemu-user-static binfmt-support arch-test))

.PHONY: need-emulate-image
need-emulate-image:
	@$(call need,qemu-utils $(if $(filter amd64,$(IMAGEARCH)),qemu-system-x86 ovmf,qemu-system-arm qemu-efi-aarch64) ipxe-qemu)

# The same with a package made in a second, in an overlay of this machine's own root; says so and passes where no container boots.
.PHONY: nspawn-quick
nspawn-quick: need-nspawn build ## the package booted under systemd in half a minute, on this machine's own Debian; as root
	@out=$$(mktemp -d); trap 'rm -rf "$$out"' EXIT; \
	PACK=dpkg-deb systemd/package/build.sh 0.0.0 $$(dpkg --print-architecture) "$$out" bin/aboyeur; \
	MAYBE=1 systemd/package/nspawn.sh "$$out"/aboyeur_0.0.0_*.deb /

.PHONY: need-nspawn
need-nspawn:
	@$(call need,systemd-container)

.PHONY: need-deb
need-deb: need-run
	@$(call need,gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross mmdebstrap)

.PHONY: need-deb-test
need-deb-test:
	@$(call need,mmdebstrap curl)

.PHONY: clean
clean: ## removes what was built; the Go caches stay
	rm -rf bin screenshots

.PHONY: need-run
need-run:
	@$(call need,libusb-1.0-0-dev pkg-config)

.PHONY: need-test
need-test: need-run
	@$(call need,gcc libc6-dev chromium-headless-shell strace fonts-dejavu-core)
