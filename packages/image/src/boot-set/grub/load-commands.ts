import { type Call, type Command, untold } from './command.ts';
import { splitGrubPath } from './device.ts';
import type { Machine, NamedFile } from './machine.ts';
import { isUnknown } from './oracle.ts';
import type { Status } from './test-expression.ts';

/** Commands that load what is to be booted, and those that boot it or leave GRUB. */
export const LOADING: Readonly<Record<string, Command>> = {
  ...same(['linux', 'linux16', 'linuxefi'], linux),
  ...same(['initrd', 'initrd16', 'initrdefi'], initrd),
  chainloader: (machine, args, call) => loadOther(machine, 'chain', args, call),
  ...same(
    `appleloader freedos kfreebsd knetbsd kopenbsd legacy_kernel multiboot multiboot2 ntldr plan9 pxechainloader
     truecrypt xen_hypervisor xnu_kernel xnu_kernel64 xnu_resume`.split(/\s+/),
    (machine, args, call) => loadOther(machine, 'image', args, call),
  ),
  // What belongs to the above.
  ...same(
    `devicetree kfreebsd_loadenv kfreebsd_module kfreebsd_module_elf knetbsd_module knetbsd_module_elf
     kopenbsd_ramdisk legacy_initrd legacy_initrd_nounzip module module2 xen_module xnu_devprop_load xnu_kext
     xnu_kextdir xnu_mkext xnu_ramdisk xnu_uuid`.split(/\s+/),
    () => true,
  ),
  boot: (machine) => {
    if (machine.load === undefined) return false;
    machine.end({ kind: 'boot' });
    return true;
  },
  ...same(['exit', 'halt', 'reboot'], left),
  // The firmware's own setup; asked whether it is there, nothing on the disk tells.
  fwsetup: (machine, args, call) =>
    args.includes('--is-supported') ? untold('fwsetup', args) : left(machine, args, call),
};

function same(names: readonly string[], command: Command): Record<string, Command> {
  return Object.fromEntries(names.map((name) => [name, command]));
}

async function linux(machine: Machine, args: readonly string[], { line }: Call): Promise<Status> {
  const [name, ...words] = args;
  if (name === undefined) return false;
  machine.load = undefined;
  const kernel = await machine.findFile(name);
  if (kernel.found === undefined) {
    if (isUnknown(name)) machine.problem(line, "which kernel is loaded can't be told");
    else machine.note(line, `the kernel ${machine.env.get('root') ?? ''} ${name} is not there`);
    return false;
  }
  if (words.some(isUnknown)) machine.problem(line, "a part of the command line can't be told");
  // GRUB's loaders begin the line with the kernel's name, as it was written.
  const commandLine = words.some(isUnknown) ? undefined : ['BOOT_IMAGE=' + name, ...words].map(quoted).join(' ');
  machine.load = { kind: 'linux', kernel, commandLine, initrds: [] };
  return true;
}

/** A word of the command line: what the kernel would split is in double quotes. */
function quoted(word: string): string {
  const escaped = word.replaceAll(/["'\\]/g, '\\$&');
  return /[ \t\n]/.test(word) ? `"${escaped}"` : escaped;
}

async function initrd(machine: Machine, args: readonly string[], { line }: Call): Promise<Status> {
  if (machine.load?.kind !== 'linux') return false;
  const initrds: NamedFile[] = [];
  for (const arg of args) {
    // `newc:name:file` packs a file as it is into an archive.
    const name = /^newc:[^:]*:(.*)$/s.exec(arg)?.[1] ?? arg;
    if (isUnknown(name)) machine.problem(line, "which initrd is loaded can't be told");
    const file = await machine.findFile(name);
    initrds.push(file);
    if (file.found !== undefined) continue;
    // GRUB says so and goes on without any.
    machine.note(line, `the initrd ${machine.env.get('root') ?? ''} ${name} is not there`);
    machine.load = { ...machine.load, initrds: [] };
    return false;
  }
  machine.load = { ...machine.load, initrds };
  return true;
}

async function loadOther(
  machine: Machine,
  kind: 'chain' | 'image',
  args: readonly string[],
  { name: command, line }: Call,
): Promise<Status> {
  const [name, ...words] = args.filter((arg) => !arg.startsWith('--'));
  if (name === undefined) return false;
  machine.load = undefined;
  if (isUnknown(name)) {
    machine.problem(line, `what '${command}' loads can't be told`);
    return untold(command, args);
  }
  // `+1`: the first sector of the device, as BIOS starts it.
  const { device, path } = splitGrubPath(name);
  const sector = /^\+[0-9]+$/.test(path) ? (device === undefined ? machine.root() : machine.volume(device)) : undefined;
  const file = await machine.findFile(name);
  if (file.found === undefined && sector === undefined) {
    machine.note(line, `${machine.env.get('root') ?? ''} ${name}, which '${command}' loads, is not there`);
    return false;
  }
  machine.load = { kind, command, file, sector, args: words };
  return true;
}

function left(machine: Machine, _: readonly string[], { name, line }: Call): Status {
  machine.end({ kind: 'left', command: name, where: `${machine.file}:${line}` });
  return true;
}
