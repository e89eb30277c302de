package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	firmwareconfig "aboyeur/firmware-config"

	"aboyeur/firmware-config/bundle"
	"aboyeur/firmware-config/slot"
)

const bundleUsage = `aboyeur bundle keygen [--name NAME] [--development] DIR
aboyeur bundle pack --key K [--key K2] --site ID --number N [--program VERSION] [--board KIND] [--trust PUB] [--revoke FINGERPRINT]
               [--seal-to KEY --secret NAME=FILE] --out F CONFIG [FILES..]
aboyeur bundle verify --pub P [--site ID] F
aboyeur bundle show F
aboyeur bundle apply [--firmware DIR] [--claim] [--allow-site any] [--wait TIME] F
A bundle is a configuration with its files, signed and numbered for one site. apply is for the box itself; a technician
uses aboyeur flash. Refusals exit 2.
`

// values is a flag that may be given several times.
type values []string

func (v *values) String() string     { return strings.Join(*v, ",") }
func (v *values) Set(s string) error { *v = append(*v, s); return nil }

// runBundle makes, checks and applies configuration bundles.
func runBundle(ctx context.Context, std stdio, args []string) int {
	acts := map[string]func(context.Context, stdio, *flag.FlagSet, []string) error{
		"keygen": bundleKeygen, "pack": bundlePack, "verify": bundleVerify, "show": bundleShow, "apply": bundleApply,
	}
	return runActs(ctx, std, "aboyeur bundle", bundleUsage, acts, args)
}

// errUsage says that a command was called in a way it cannot be.
var errUsage = errors.New("called wrongly")

// runActs runs a command that has acts of its own.
func runActs(ctx context.Context, std stdio, name, usage string, acts map[string]func(context.Context, stdio, *flag.FlagSet, []string) error, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(std.err, usage)
		return exitRefused
	}
	if args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Fprint(std.out, usage)
		return exitOK
	}
	act, ok := acts[args[0]]
	if !ok {
		fmt.Fprintf(std.err, "%s: there is no %q\n%s", name, args[0], usage)
		return exitRefused
	}
	flags := flag.NewFlagSet(name+" "+args[0], flag.ContinueOnError)
	flags.SetOutput(std.err)
	flags.Usage = func() { fmt.Fprint(std.err, usage) }
	err := act(ctx, std, flags, args[1:])
	var no *bundle.Refusal
	var link *linkError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitRefused
	case errors.As(err, &no):
		fmt.Fprintf(std.err, "%s %s: refused: %v\n", name, args[0], err)
		return exitRefused
	case errors.As(err, &link):
		fmt.Fprintf(std.err, "%s %s: %v\n", name, args[0], err)
		return exitLink
	}
	fmt.Fprintf(std.err, "%s %s: %v\n", name, args[0], err)
	return exitFailed
}

// parse reads flags and holds the number of words behind them between least and most (-1: any).
func parse(std stdio, flags *flag.FlagSet, args []string, least, most int) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() < least || most >= 0 && flags.NArg() > most {
		fmt.Fprintf(std.err, "%s: %d words instead of %d\n", flags.Name(), flags.NArg(), least)
		flags.Usage()
		return errUsage
	}
	return nil
}

// need reports flags that were left out.
func need(std stdio, flags *flag.FlagSet, names ...string) error {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, name := range names {
		if !given[name] {
			fmt.Fprintf(std.err, "%s: --%s is missing\n", flags.Name(), name)
			flags.Usage()
			return errUsage
		}
	}
	return nil
}

// bundleKeygen makes a signing key: NAME.key for whoever signs, NAME.pub for the boxes' trust.d.
func bundleKeygen(_ context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	name := flags.String("name", "office", "whose key it is")
	development := flags.Bool("development", false, "only boxes for development believe it")
	if err := parse(std, flags, args, 1, 1); err != nil {
		return err
	}
	k, err := bundle.GenerateKey(*name, *development)
	if err != nil {
		return err
	}
	dir := flags.Arg(0)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	secret, public := filepath.Join(dir, *name+".key"), filepath.Join(dir, *name+".pub")
	if err := create(secret, []byte(k.Text()), 0o600); err != nil {
		return err
	}
	if err := create(public, []byte(k.String()+"\n"), 0o644); err != nil {
		return errors.Join(err, os.Remove(secret))
	}
	fmt.Fprintf(std.out, "%s\n%s\n%s\n", secret, public, k.Fingerprint())
	fmt.Fprintf(std.err, "keep %s where nobody else reads it; boxes get %s into /etc/aboyeur/trust.d\n", secret, public)
	return nil
}

// create writes a new file, whole or not at all, and never over another.
func create(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; remove it first, or choose another name", path)
	}
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// bundlePack signs a configuration and its files.
func bundlePack(_ context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	var keys, trust, revoke, sealTo, secrets values
	flags.Var(&keys, "key", "private key to sign with; several sign together")
	flags.Var(&trust, "trust", "public key file the box believes from now on")
	flags.Var(&revoke, "revoke", "fingerprint the box no longer believes")
	flags.Var(&sealTo, "seal-to", "public key of the box, from aboyeur identity; several may be named")
	flags.Var(&secrets, "secret", "NAME=FILE, a secret only these boxes can read; the configuration calls it secrets/NAME")
	m := bundle.Manifest{Created: time.Now().UTC().Truncate(time.Second)}
	flags.StringVar(&m.Site, "site", "", "the site it is for")
	flags.Uint64Var(&m.Number, "number", 0, "higher than that of the site's last bundle")
	flags.StringVar(&m.Program, "program", "", "oldest program version that can use it")
	flags.StringVar(&m.Board, "board", "", "kind of box it is for")
	out := flags.String("out", "", "the file to write")
	if err := parse(std, flags, args, 1, -1); err != nil {
		return err
	}
	if err := need(std, flags, "key", "site", "number", "out"); err != nil {
		return err
	}
	var signers []bundle.PrivateKey
	for _, path := range keys {
		text, err := readSmall(path)
		if err != nil {
			return err
		}
		k, err := bundle.ParsePrivateKey(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		signers = append(signers, k)
	}
	for _, path := range trust {
		k, err := readKey(path)
		if err != nil {
			return err
		}
		m.Trust = append(m.Trust, k)
	}
	m.Revoke = revoke
	files, err := gather(flags.Arg(0), flags.Args()[1:], sealTo, secrets)
	if err != nil {
		return err
	}
	if err := suits(flags.Arg(0), m.Site, files); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := bundle.Pack(&b, m, files, signers...); err != nil {
		return err
	}
	if err := replaceFile(*out, b.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s: site %s, number %d, %d files, %d bytes\n", *out, m.Site, m.Number, len(files), b.Len())
	return nil
}

// suits holds the configuration to its schema, to the site of the bundle, and to the files beside it.
func suits(path, site string, files []bundle.Contents) error {
	c, err := firmwareconfig.Parse(path, files[0].Bytes)
	if err != nil {
		return &bundle.Refusal{Code: bundle.Configuration, Detail: "it is not valid:\n" + err.Error(), Remedy: "correct it and ask `aboyeur check`"}
	}
	if c.Site.ID != site {
		return &bundle.Refusal{Code: bundle.WrongSite, Detail: fmt.Sprintf("the configuration is of site %s", c.Site.ID), Remedy: "write --site " + c.Site.ID}
	}
	// Read from a folder that nothing lies in, only what the file names by a relative path lies in it.
	const folder = "/a bundle/"
	if c, err = firmwareconfig.Parse(folder+bundle.ConfigName, files[0].Bytes); err != nil {
		return err
	}
	for _, name := range c.Files() {
		inside, relative := strings.CutPrefix(name, folder)
		if !relative {
			continue
		}
		packed := false
		for _, f := range files {
			packed = packed || f.SealTo == nil && f.Name == inside || f.SealTo != nil && bundle.SecretsFolder+"/"+f.Name == inside
		}
		if !packed {
			return &bundle.Refusal{Code: bundle.FileMissing, Detail: "the configuration names " + inside + ", which is not packed", Remedy: "add the file, or --seal-to KEY --secret NAME=FILE for secrets/NAME"}
		}
	}
	return nil
}

// gather reads the files of a bundle, the configuration first. A file below the configuration's folder keeps its path.
func gather(config string, others, sealTo, secrets []string) ([]bundle.Contents, error) {
	var files []bundle.Contents
	add := func(name, path string, sealTo []string) error {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return &bundle.Refusal{Code: bundle.NotRegular, Detail: path + " is a link, folder or device", Remedy: "name the file itself"}
		}
		if info.Size() > bundle.MaxFile {
			return &bundle.Refusal{Code: bundle.TooLarge, Detail: fmt.Sprintf("%s has %d bytes", path, info.Size()), Remedy: fmt.Sprintf("at most %d are taken", bundle.MaxFile)}
		}
		b, err := os.ReadFile(path)
		files = append(files, bundle.Contents{Name: name, Bytes: b, SealTo: sealTo})
		return err
	}
	if err := add(bundle.ConfigName, config, nil); err != nil {
		return nil, err
	}
	for _, path := range others {
		name, err := filepath.Rel(filepath.Dir(config), path)
		if err != nil || !filepath.IsLocal(name) {
			name = filepath.Base(path)
		}
		if err := add(filepath.ToSlash(name), path, nil); err != nil {
			return nil, err
		}
	}
	for _, s := range secrets {
		name, path, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("--secret %s: write NAME=FILE", s)
		}
		if len(sealTo) == 0 {
			return nil, fmt.Errorf("--secret %s: say with --seal-to which box may read it; `aboyeur identity` on the box shows its key", name)
		}
		if err := add(name, path, sealTo); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// readSmall reads a key's file.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 64<<10))
}

func readKey(path string) (bundle.Key, error) {
	text, err := readSmall(path)
	if err != nil {
		return bundle.Key{}, err
	}
	k, err := bundle.ParseKey(string(text))
	if err != nil {
		return k, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// bundleVerify checks signature and every byte.
func bundleVerify(_ context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	var publics values
	flags.Var(&publics, "pub", "public key file to believe; several may be named")
	site := flags.String("site", "", "also that it is for this site")
	if err := parse(std, flags, args, 1, 1); err != nil {
		return err
	}
	if err := need(std, flags, "pub"); err != nil {
		return err
	}
	trust := bundle.Trust{Development: true}
	for _, path := range publics {
		k, err := readKey(path)
		if err != nil {
			return err
		}
		trust.Keys = append(trust.Keys, k)
	}
	f, err := os.Open(flags.Arg(0))
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := bundle.Open(f, trust)
	if err == nil {
		err = in.Verify()
	}
	if err == nil {
		err = in.Fits(bundle.Box{Site: *site, Board: in.Board, Program: in.Program})
	}
	if err != nil {
		return err
	}
	kind := ""
	if in.Signer.Development {
		kind = ", a development key"
	}
	fmt.Fprintf(std.out, "%s: site %s, number %d, signed by %s (%s)%s\n", flags.Arg(0), in.Site, in.Number, in.Signer.Name, in.Signer.Fingerprint(), kind)
	return nil
}

// bundleShow prints what a bundle says of itself, believed or not.
func bundleShow(_ context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	if err := parse(std, flags, args, 1, 1); err != nil {
		return err
	}
	f, err := os.Open(flags.Arg(0))
	if err != nil {
		return err
	}
	defer f.Close()
	m, signers, err := bundle.Peek(f)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s", bytes.TrimSuffix(m.AppendTo(nil), []byte("\n")))
	for _, k := range signers {
		kind := ""
		if k.Development {
			kind = ", a development key"
		}
		fmt.Fprintf(std.out, "signed by %s (%s)%s\n", k.Name, k.Fingerprint(), kind)
	}
	fmt.Fprintln(std.out, "not verified: aboyeur bundle verify --pub KEY does that")
	return nil
}

// bundleApply lays a bundle into the box. The service takes it up at its next reload, which systemd does at once.
func bundleApply(ctx context.Context, std stdio, flags *flag.FlagSet, args []string) error {
	dir := flags.String("firmware", slot.DefaultDir, "the box's folder of bundles")
	trust := flags.String("trust", slot.DefaultTrust, "folder of the public keys it believes")
	words := flags.String("box", slot.DefaultBox, "folder of the image's own words: site, board, development")
	way := flags.String("way", "command", "how it came: stick, cable, command")
	claim := flags.Bool("claim", false, "an unclaimed box believes the key of this bundle from now on")
	allow := flags.String("allow-site", "", "any: this box has moved, or is a spare")
	wait := flags.Duration("wait", 0, "wait this long for the service to judge it")
	if err := parse(std, flags, args, 1, 1); err != nil {
		return err
	}
	if *allow != "" && *allow != bundle.AnySite {
		fmt.Fprintln(std.err, "aboyeur bundle apply: --allow-site takes the word any alone")
		return errUsage
	}
	store, err := slot.Open(slot.Config{Dir: *dir, Trust: *trust, Box: *words, Program: version})
	if err != nil {
		return err
	}
	defer store.Close()
	f, err := os.Open(flags.Arg(0))
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := store.Apply(ctx, f, slot.Order{Way: *way, Claim: *claim, AnySite: *allow != ""})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "bundle %d of site %s is laid in; the service starts on it and keeps it when it is healthy within a minute\n", m.Number, m.Site)
	if *wait <= 0 {
		return nil
	}
	text, err := settle(ctx, store, m.Number, *wait)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "bundle %d: %s\n", m.Number, text)
	return nil
}
