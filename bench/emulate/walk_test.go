//go:build emulate

// Package emulate_test walks a technician's first ten minutes with a box made of the image, in QEMU; see walk.sh.
package emulate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aboyeur/simulate/printer"
	"aboyeur/simulate/usbredir"
)

var (
	disk       = flag.String("disk", "", "card that walk.sh made, qcow2")
	arch       = flag.String("arch", "arm64", "its architecture")
	system     = flag.String("system", "", "a newer system, for the card's other half")
	saved      = flag.String("saved", "", "saved state to begin from, instead of a boot")
	transcript = flag.String("transcript", "", "file to write what happened to, as Markdown")
)

// A walk is the kitchen around the box: two printers, an office with its key, sticks.
type walk struct {
	*guest
	usb, pass *printer.Printer
	plug      *usbredir.Device
	bundles   string // of the office, on this machine
	program   string
	token     string
	at        int // number of the bundle in force
}

const usbNumber = "SIM4711"

// TestWalk is one story: each chapter goes on where the former ended.
func TestWalk(t *testing.T) {
	if *disk == "" {
		t.Skip("run make emulate")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &story{t: t, began: time.Now()}
	w := &walk{guest: &guest{t: t, story: s, disk: *disk, arch: *arch}, bundles: t.TempDir()}
	t.Cleanup(w.cut)
	t.Cleanup(func() {
		if *transcript == "" {
			return
		}
		if err := s.write(*transcript, "A technician's ten minutes, walked in QEMU", head(*arch, t.Failed())); err != nil {
			t.Error(err)
		}
	})
	w.office()
	w.firstBoot()
	w.plugPrinters(ctx)
	w.firstBundle()
	w.orders()
	w.figures()
	w.sticks()
	w.printerAway()
	w.unhealthy()
	w.powerCuts(ctx)
	w.nextSystem(ctx)
}

func head(arch string, failed bool) string {
	text := "What `make emulate` did, line by line: the image of `make image` for " + arch + `, booted by UEFI in QEMU without KVM (times are those of an
emulated processor on a busy machine, and long), on a card that is larger than the image. A simulated USB printer is plugged in by usb-redir, a
simulated serial one behind QEMU's FTDI adapter, sticks are plugged in and pulled out by QEMU. The technician's laptop is the box itself: its own
USB device port (dummy_hcd) is connected to its own USB socket. A unit that is not in the image runs what stands behind ` + "`box#`" + `,
and a system on trial has more than the image's five minutes to be good.
Seconds since the start stand first; the run writes this page anew.`
	if failed {
		text += "\n\n**This walk did not come to its end.**"
	}
	return text
}

// office makes the bundles: the key and its first number, later ones, one of another kitchen, one that was changed on its way.
func (w *walk) office() {
	w.t.Helper()
	w.program = filepath.Join(w.bundles, "aboyeur")
	out, err := exec.Command("go", "build", "-trimpath", "-o", w.program, "../../cmd/aboyeur").CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
	w.run("bundle", "keygen", "--name", "office", filepath.Join(w.bundles, "keys"))
	for number, usb := range map[int]string{1: usbNumber, 2: usbNumber, 3: "NOT-THERE", 4: usbNumber, 5: usbNumber} {
		w.pack("bistro-1", number, usb)
	}
	w.pack("elsewhere-9", 6, usbNumber)
	changed, err := os.ReadFile(w.bundle("bistro-1", 2))
	if err != nil {
		w.t.Fatal(err)
	}
	changed[len(changed)-20] ^= 1
	if err := os.WriteFile(w.bundle("bistro-1", 7), changed, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *walk) run(args ...string) {
	w.t.Helper()
	if out, err := exec.Command(w.program, args...).CombinedOutput(); err != nil {
		w.t.Fatalf("aboyeur %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (w *walk) bundle(site string, number int) string {
	return filepath.Join(w.bundles, fmt.Sprintf("%s-%d.aboyeur", site, number))
}

func (w *walk) pack(site string, number int, usb string) {
	w.t.Helper()
	config := filepath.Join(w.bundles, "box.yaml")
	text := fmt.Sprintf(`site: {id: %s, name: Bistro des Halles %d, timezone: Europe/Paris, currency: EUR, language: en}
data: {dir: /var/lib/aboyeur}
http: {listen: ":8080", tokens_file: /var/lib/aboyeur/tokens}
printers:
  - {name: grill, connect: "usb:04b8:0e15:%s", model: epson-tm-t20, fallback: pass, fallback_after: 60s}
  - {name: pass, connect: "serial:/dev/aboyeur/serial-FT0001?baud=19200", model: epson-tm-t20}
stations:
  - {name: grill, printers: [grill], default: true}
  - {name: pass, printers: [pass], categories: [Desserts]}
`, site, number, usb)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.run("bundle", "pack", "--key", filepath.Join(w.bundles, "keys", "office.key"), "--site", site, "--number", fmt.Sprint(number),
		"--out", w.bundle(site, number), config)
}

func (w *walk) firstBoot() {
	w.t.Helper()
	w.story.chapter("First boot")
	w.start(*saved)
	w.story.note("the box answers")
	if *saved == "" {
		w.until("the end of booting", "systemctl is-system-running --wait && test -e /var/lib/aboyeur-image/grown")
		w.control.human("savevm booted")
	}
	w.clock()
	w.sh("hostname; cat /etc/aboyeur-image; aboyeur version")
	w.sh("lsblk -o NAME,PARTLABEL,SIZE,MOUNTPOINTS; /usr/lib/aboyeur/system status; systemd-analyze; systemd-analyze blame | head -n 5")
	w.sh("systemctl is-system-running; systemctl show aboyeur.service -p ActiveState -p StatusText")
	w.sh("setpriv --reuid=aboyeur --regid=aboyeur --clear-groups aboyeur identity")
}

// clock sets the guest's clock, which a restored state has from when it was saved.
func (w *walk) clock() {
	w.t.Helper()
	if out, code := w.try(fmt.Sprintf("date -s @%d", time.Now().Unix())); code != 0 {
		w.t.Fatal(out)
	}
}

func (w *walk) plugPrinters(ctx context.Context) {
	w.t.Helper()
	if w.usb == nil {
		w.story.chapter("The printers are plugged in")
		var err error
		if w.usb, err = printer.New(printer.Config{Model: "epson-tm-t20", Serial: usbNumber}); err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { w.usb.Close() })
		if w.pass, err = printer.New(printer.Config{Model: "epson-tm-t20"}); err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { w.pass.Close() })
	}
	var err error
	if w.plug, err = usbredir.New(usbredir.Config{Serial: usbNumber, Serve: w.usb.ServeConn,
		DeviceID: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;SN:" + usbNumber + ";"}); err != nil {
		w.t.Fatal(err)
	}
	w.plugPrinter(ctx, "usbprinter", w.plug.Serve)
	conn := w.plugSerial("ftdi", "FT0001")
	go func() { _ = w.pass.ServeConn(ctx, conn) }() // ends with the guest
	w.until("both printers", "test -e /dev/usb/lp0 && ls -l /dev/usb/lp0 /dev/aboyeur/serial-FT0001")
}

// firstBundle comes by cable: the box knows no key yet.
func (w *walk) firstBundle() {
	w.t.Helper()
	w.story.chapter("The first bundle, by cable")
	content, err := os.ReadFile(w.bundle("bistro-1", 1))
	if err != nil {
		w.t.Fatal(err)
	}
	w.put("/root/bistro-1-1.aboyeur", content)
	w.token = w.secret("setpriv --reuid=aboyeur --regid=aboyeur --clear-groups aboyeur token add --file /var/lib/aboyeur/tokens --role admin --name walk 2>/dev/null")
	w.sh("modprobe dummy_hcd && systemctl restart aboyeur-gadget.service && udevadm settle")
	w.until("the cable", "test -c /dev/ttyACM0 && systemctl is-active aboyeur-cable@ttyGS0.service")
	w.sh("aboyeur flash cable --port /dev/ttyACM0 status")
	w.sh("aboyeur flash cable --port /dev/ttyACM0 /root/bistro-1-1.aboyeur")
	w.ready()
	w.number(1)
	w.slip("bundle 1")
	w.sh("aboyeur flash cable --port /dev/ttyACM0 logs | tail -n 5 | cut -c1-200")
	w.sh("systemctl stop aboyeur-gadget.service")
}

// ready waits until the box takes orders, as seen from the network.
func (w *walk) ready() {
	w.t.Helper()
	began := time.Now()
	for {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", w.port))
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				w.story.note("GET /readyz: 200")
				return
			}
		}
		if time.Since(began) > patient {
			log, _ := w.try("journalctl --no-pager -u aboyeur -n 40 -o cat")
			w.t.Fatalf("not ready: %v\n%s", err, log)
		}
		time.Sleep(100 * time.Millisecond) // the next look over the network
	}
}

// number wants the box on that bundle, and settled.
func (w *walk) number(want ...int) int {
	w.t.Helper()
	out := w.until("a bundle that stays", "systemctl show aboyeur.service -p StatusText --value | grep bundle | grep -v trial")
	for _, n := range want {
		if strings.Contains(out, fmt.Sprintf("bundle %d,", n)) {
			return n
		}
	}
	w.t.Fatalf("the box is on %q, want bundle %v", out, want)
	return 0
}

// slip waits for the commissioning slip with these words, on whichever printer worked first.
func (w *walk) slip(words string) {
	w.t.Helper()
	w.paper(map[string]*printer.Printer{"grill": w.usb, "pass": w.pass}, words)
}

// ticket waits for the kitchen's ticket with this dish.
func (w *walk) ticket(name, dish string) {
	w.t.Helper()
	w.paper(map[string]*printer.Printer{name: map[string]*printer.Printer{"grill": w.usb, "pass": w.pass}[name]}, dish)
}

// paper waits for paper with these words on one of the printers, and has it in the transcript.
func (w *walk) paper(printers map[string]*printer.Printer, words string) {
	w.t.Helper()
	for end := time.Now().Add(patient); ; time.Sleep(50 * time.Millisecond) {
		for name, p := range printers {
			for _, ticket := range p.Tickets() {
				if strings.Contains(strings.ToLower(ticket.Text), strings.ToLower(words)) {
					w.story.paper(name, ticket.Text)
					return
				}
			}
		}
		if time.Now().After(end) {
			log, _ := w.try("journalctl --no-pager -u aboyeur -n 40 -o cat")
			w.t.Fatalf("no paper with %q\n%s", words, log)
		}
	}
}

// order places an order of one dish, or of dish and dessert, and returns its number.
func (w *walk) order(id, dish, dessert string) {
	w.t.Helper()
	lines := []map[string]any{{"name": dish, "quantity": 1, "price": 1450, "category": "Mains"}}
	if dessert != "" {
		lines = append(lines, map[string]any{"name": dessert, "quantity": 2, "price": 700, "category": "Desserts"})
	}
	answer := w.call(http.MethodPost, "/v1/orders", map[string]any{"source": "walk", "source_order_id": id, "currency": "EUR", "lines": lines})
	var order struct{ Number int }
	if err := json.Unmarshal(answer, &order); err != nil || order.Number == 0 {
		w.t.Fatalf("%v: %s", err, answer)
	}
	w.story.note("POST /v1/orders %s: number %d", dish, order.Number)
}

func (w *walk) call(method, path string, body any) []byte {
	w.t.Helper()
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			w.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, fmt.Sprintf("http://127.0.0.1:%d%s", w.port, path), &b)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %s %v\n%s", method, path, answer.Status, err, got)
	}
	return got
}

func (w *walk) orders() {
	w.t.Helper()
	w.story.chapter("An order, on USB and on the serial line")
	w.order("1", "Steak frites", "Tarte Tatin")
	w.ticket("grill", "Steak frites")
	w.ticket("pass", "Tarte Tatin")
}

// stick makes the image of a stick with these bundles.
func (w *walk) stick(name string, bundles ...string) string {
	w.t.Helper()
	image := filepath.Join(w.bundles, name+".img")
	mounted := filepath.Join(w.bundles, name)
	if err := os.Mkdir(mounted, 0o755); err != nil {
		w.t.Fatal(err)
	}
	for _, b := range bundles {
		w.run("flash", "stick", "--dir", mounted, b)
	}
	for _, command := range [][]string{
		{"truncate", "-s", "33M", image}, {"mkfs.vfat", "-n", "STICK", image}, {"mcopy", "-s", "-i", image, filepath.Join(mounted, "aboyeur"), "::"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			w.t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	return image
}

// result is what the box wrote on a stick.
func (w *walk) result(image, want string) {
	w.t.Helper()
	name, err := exec.Command("sh", "-c", `mdir -b -i "$0" ::/aboyeur | grep RESULT`, image).Output()
	if err != nil {
		w.t.Fatalf("no result on the stick: %v", err)
	}
	out, err := exec.Command("mtype", "-i", image, strings.TrimSpace(string(name))).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
	w.story.note("on the stick, %s:", strings.TrimSpace(string(name)))
	w.story.note("%s", out)
	if !strings.Contains(string(out), want) {
		w.t.Errorf("the stick says %q, want %q", out, want)
	}
}

// served waits until the unit that serves a stick has come and gone.
func (w *walk) served(since string) {
	w.t.Helper()
	w.until("the stick's unit", `journalctl --no-pager -o cat -b -u 'aboyeur-flash@*' --since @`+since+` | grep -E '^(Finished|Failed to start|aboyeur-flash.*Failed with)' && journalctl --no-pager -o cat -b -u 'aboyeur-flash@*' --since @`+since+` | grep aboyeur: | cut -c1-220`)
}

func (w *walk) now() string {
	w.t.Helper()
	out, _ := w.try("date +%s")
	return out
}

func (w *walk) sticks() {
	w.t.Helper()
	w.story.chapter("A stick for another kitchen, and one that was changed on its way")
	wrong := w.stick("wrong", w.bundle("elsewhere-9", 6), w.bundle("bistro-1", 7))
	since := w.now()
	w.plugStick("wrong", wrong)
	w.served(since)
	w.pull("wrong")
	w.result(wrong, "wrong_site")
	w.number(1)

	w.story.chapter("A stick pulled out early")
	good := w.stick("good", w.bundle("bistro-1", 2))
	since = w.now()
	w.plugStick("early", good)
	w.until("the stick's unit at work", "journalctl --no-pager -o cat -b -u 'aboyeur-flash@*' --since @"+since+" | grep Starting")
	w.pull("early")
	w.served(since)
	n := w.number(1, 2)
	w.ready()

	w.story.chapter("The stick, left in")
	since = w.now()
	w.plugStick("good", good)
	w.served(since)
	w.number(2)
	if n == 1 {
		w.slip("bundle 2")
	}
	w.pull("good")
	w.result(good, "bundle 2")
}

func (w *walk) printerAway() {
	w.t.Helper()
	w.story.chapter("The USB printer is unplugged, an order comes, it is plugged in again")
	if err := w.plug.Do("unplug"); err != nil {
		w.t.Fatal(err)
	}
	w.until("the kernel to know", "! grep -qs "+usbNumber+" /sys/bus/usb/devices/*/serial")
	w.order("2", "Magret", "")
	if err := w.plug.Do("plug"); err != nil {
		w.t.Fatal(err)
	}
	w.story.note("plugged in again")
	w.ticket("grill", "Magret")
}

func (w *walk) unhealthy() {
	w.t.Helper()
	w.story.chapter("A bundle that names a printer which is not there")
	bad := w.stick("bad", w.bundle("bistro-1", 3))
	since := w.now()
	w.plugStick("bad", bad)
	w.served(since)
	w.pull("bad")
	w.result(bad, "was not healthy")
	w.number(2)
	w.slip("bundle 3")
}

// powerCuts takes the power while a bundle is applied, at another moment each time.
func (w *walk) powerCuts(ctx context.Context) {
	w.t.Helper()
	w.story.chapter("Power cuts while a bundle is applied")
	w.at = 2
	for i, next := range []int{4, 5} {
		stick := w.stick(fmt.Sprintf("cut-%d", next), w.bundle("bistro-1", next))
		since := w.now()
		w.plugStick(fmt.Sprintf("cut-%d", next), stick)
		if i == 0 { // as soon as the unit runs
			w.until("the stick's unit at work", "journalctl --no-pager -o cat -b -u 'aboyeur-flash@*' --since @"+since+" | grep Starting")
		} else { // as soon as the bundle is laid in
			w.until("the bundle laid in", `journalctl --no-pager -o cat -b --since @`+since+` | grep -i 'trial\|laid in' || test -n "$(find /var/lib/aboyeur/firmware/applied -newermt @`+since+`)"`)
		}
		w.story.note("the power is cut")
		w.cut()
		w.start("")
		w.story.note("the box answers again")
		w.clock()
		w.plugPrinters(ctx)
		w.ready()
		got := w.number(w.at, next)
		w.story.note("it stands on bundle %d; before the cut it stood on %d", got, w.at)
		w.at = got
		w.sh("cat /var/lib/aboyeur/firmware/applied")
		w.order(fmt.Sprintf("cut-%d", next), fmt.Sprintf("Cassoulet %d", next), "")
		w.ticket("grill", fmt.Sprintf("Cassoulet %d", next))
	}
}

func (w *walk) figures() {
	w.t.Helper()
	w.story.chapter("Metrics, doctor, the state of the machine")
	for line := range strings.Lines(string(w.call(http.MethodGet, "/metrics", nil))) {
		for _, name := range []string{"aboyeur_config_bundle_number ", "aboyeur_orders_total", "aboyeur_printer_up", "aboyeur_tickets_total", "process_resident_memory_bytes "} {
			if strings.HasPrefix(line, name) {
				w.story.note("GET /metrics: %s", line)
			}
		}
	}
	w.sh("setpriv --reuid=aboyeur --regid=aboyeur --groups dialout,lp aboyeur doctor || true")
	w.sh("systemctl --failed --no-legend --plain; systemctl show aboyeur.service -p NRestarts -p MemoryCurrent")
	w.sh("journalctl --no-pager -b -p err -o cat | sort | uniq -c | sort -rn | head -n 8")
}

// nextSystem exchanges the system for a newer one, which stays, and that one for one whose program does not start, which does not.
func (w *walk) nextSystem(ctx context.Context) {
	w.t.Helper()
	if *system == "" {
		return
	}
	w.story.chapter("A newer system, in the card's other half")
	w.sh("/usr/lib/aboyeur/system install /dev/vdb")
	w.sh("/usr/lib/aboyeur/system status")
	w.reboot(booting)
	w.clock()
	w.sh("findmnt -no SOURCE /; hostname; aboyeur version")
	w.runs("b")
	w.ready()
	w.number(w.at)
	w.until("the loader to be told that it is good", "test -e /efi/loader/entries/aboyeur-b.conf && /usr/lib/aboyeur/system status")
	w.order("next", "Blanquette", "")
	w.ticket("grill", "Blanquette")

	w.story.chapter("A system whose program does not start")
	w.sh("/usr/lib/aboyeur/system install /dev/vdb")
	// The walk's own line is taken out of it as well: the next word comes from the system that works.
	w.sh(`mount PARTLABEL=system-a /mnt && printf '#!/bin/sh\nexit 1\n' >/mnt/usr/bin/aboyeur && echo broken >/mnt/etc/aboyeur-image && rm /mnt/usr/lib/systemd/system/multi-user.target.wants/walk.service && umount /mnt`)
	w.sh("/usr/lib/aboyeur/system status")
	since := w.now()
	w.reboot(4 * booting)
	w.clock()
	w.runs("b")
	w.sh("journalctl --no-pager -o cat --since @" + since + " _TRANSPORT=kernel | grep -o 'Kernel command line:.*aboyeur.system=.' | sed 's/:.*aboyeur/: ... aboyeur/'")
	w.sh("/usr/lib/aboyeur/system status; aboyeur version")
	w.ready()
	w.number(w.at)
	w.order("back", "Cassoulet de retour", "")
	w.ticket("grill", "Cassoulet de retour")
}

// runs wants that system of the card.
func (w *walk) runs(system string) {
	w.t.Helper()
	if out, _ := w.try("cat /proc/cmdline"); !strings.Contains(out, "aboyeur.system="+system) {
		w.t.Errorf("it runs on %s", out)
	}
}
