import type { BootChoice } from '../boot-choice.ts';
import type { BootDisk, BootVolume, FoundFile } from '../boot-disk.ts';
import { splitGrubPath, volumeOf } from './device.ts';
import { Environment } from './environment.ts';
import { isUnknown, type Oracle } from './oracle.ts';
import type { Script, Statement } from './syntax.ts';
import type { Status } from './test-expression.ts';

/**
 * Statements that all GRUBs of one disk run in all of their worlds; long words and copies of variables count as some.
 * A desktop with twenty kernels runs some 50 000.
 */
const STATEMENT_LIMIT = 300_000;
/** Functions in functions, files in files: GRUB's own limit is its stack. */
export const CALL_LIMIT = 40;

/** A file as a command named it. */
export interface NamedFile {
  readonly name: string;
  /** Undefined where it isn't there. */
  readonly found: FoundFile | undefined;
}

/** What has been loaded to be booted. */
export type Load =
  | {
      readonly kind: 'linux';
      readonly kernel: NamedFile;
      /** Undefined where a part of it can't be told. */
      readonly commandLine: string | undefined;
      readonly initrds: readonly NamedFile[];
    }
  /** Another loader, or what no Linux is: `sector` where it is a partition's first sector and no file. */
  | {
      readonly kind: 'chain' | 'image';
      readonly command: string;
      readonly file: NamedFile;
      readonly sector: BootVolume | undefined;
      readonly args: readonly string[];
    };

/** An entry of the menu, not run yet. */
export interface MenuItem {
  readonly title: string;
  readonly id: string | undefined;
  /** File and line. */
  readonly where: string;
  readonly submenu: boolean;
  readonly body: readonly Statement[];
  /** The file that the body is from, for what is said of its lines. */
  readonly file: string;
  /** What `$1` and so on are in the body. */
  readonly parameters: readonly string[];
  /** Open to everybody although the menu has users. */
  readonly unrestricted: boolean;
  readonly loader: 'grub' | 'bls';
}

/** What ended the script before its end. */
export type End =
  | { readonly kind: 'boot' }
  /** A menu that another configuration has shown. */
  | { readonly kind: 'menu'; readonly choice: BootChoice }
  /** Back to the firmware, or off: `exit`, `halt`, `reboot`, `fwsetup`. */
  | { readonly kind: 'left'; readonly command: string; readonly where: string }
  /** It can't be followed any further; a problem says why. */
  | { readonly kind: 'lost' };

export type Flow =
  | { readonly kind: 'break' | 'continue'; levels: number }
  | { readonly kind: 'return' }
  | { readonly kind: 'end'; readonly end: End };

/** What a machine can't do by itself. */
export interface Host {
  /** Runs a configuration in a context of its own, and its menu; undefined where it has none. */
  readonly configure: (machine: Machine, file: FoundFile, name: string) => Promise<BootChoice | undefined>;
  /** What an EFI program leads to; undefined where that isn't understood. */
  readonly chain: (file: FoundFile, args: readonly string[]) => Promise<BootChoice | undefined>;
}

/** What all machines of one resolution share. */
export interface Shared {
  readonly disk: BootDisk;
  readonly platform: 'bios' | 'uefi';
  readonly oracle: Oracle;
  readonly host: Host;
  /** By all GRUBs of the disk, in all of their worlds. */
  readonly spent: { statements: number };
  /** Scripts by their texts: each is run in several worlds. */
  readonly parsed: Map<string, Script>;
  /** The filesystem in GRUB's own program. */
  readonly memdisk: BootVolume | undefined;
  /** Configuration files that were read. */
  readonly read: FoundFile[];
}

/** A GRUB that runs a script: its variables, functions, menu, and what it has loaded. */
export class Machine {
  readonly shared: Shared;
  env = new Environment();
  readonly functions: Map<string, { readonly body: readonly Statement[]; readonly file: string }>;
  menu: MenuItem[] = [];
  load: Load | undefined;
  /** `$1` and so on; undefined outside of functions and entries. */
  parameters: readonly string[] | undefined;
  /** Loops that `break` may leave: those of the function that runs. */
  loops = 0;
  status: Status = true;
  flow: Flow | undefined;
  /** The file whose statements run. */
  file = '';
  depth = 0;
  /** What may have made it go another way than GRUB would: nothing that it chose is sure then. */
  readonly problems: string[] = [];
  /** What a person may want to know, and changes nothing. */
  readonly notes: string[] = [];

  constructor(shared: Shared, functions?: Machine['functions']) {
    this.shared = shared;
    this.functions = new Map(functions);
  }

  /** A machine in the same state, to run an entry in: nothing that happens in it is seen here. */
  fork(): Machine {
    const fork = new Machine(this.shared, this.functions);
    fork.env = this.env.copy();
    fork.file = this.file;
    fork.depth = this.depth;
    fork.load = this.load;
    return fork;
  }

  problem(line: number, text: string): void {
    add(this.problems, `${this.file}:${line}: ${text}`);
  }

  note(line: number, text: string): void {
    add(this.notes, `${this.file}:${line}: ${text}`);
  }

  end(end: End): void {
    this.flow = { kind: 'end', end };
  }

  /** Counts a statement, or what costs as much as `count` of them; false where there have been too many. */
  step(line: number, count = 1): boolean {
    this.shared.disk.budget.takeSteps(count, 'GRUB script', 0);
    this.shared.spent.statements += count;
    if (this.shared.spent.statements <= STATEMENT_LIMIT) return true;
    this.problem(line, 'it runs more commands than any configuration needs');
    this.end({ kind: 'lost' });
    return false;
  }

  /** A status as an answer; the oracle gives what nothing here tells. */
  decide(status: Status): boolean {
    return typeof status === 'boolean' ? status : this.shared.oracle.choose(status.unknown, 2) === 0;
  }

  /** The volume that a device's name means; undefined where it is none of this disk. */
  volume(device: string): BootVolume | undefined {
    const { disk, memdisk } = this.shared;
    return device === 'memdisk' ? memdisk : volumeOf(disk, device);
  }

  /** The volume that paths without a device are on. */
  root(): BootVolume | undefined {
    return this.volume(this.env.get('root') ?? '');
  }

  /** Volume and path that a file's name means; undefined where the device is none of this disk. */
  place(name: string): { readonly on: BootVolume; readonly path: string } | undefined {
    if (isUnknown(name)) return undefined;
    const { device, path } = splitGrubPath(name);
    const on = device === undefined ? this.root() : this.volume(device);
    return on && path.startsWith('/') ? { on, path } : undefined;
  }

  async find(name: string): Promise<FoundFile | undefined> {
    const place = this.place(name);
    return place && (await this.shared.disk.find(place.on, place.path));
  }

  async findFile(name: string): Promise<NamedFile> {
    const place = this.place(name);
    return { name, found: place && (await this.shared.disk.findFile(place.on, place.path)) };
  }

  /** The text of a configuration, which is remembered as read. */
  async read(file: FoundFile): Promise<string | undefined> {
    if (!this.shared.read.includes(file)) this.shared.read.push(file);
    return await this.shared.disk.text(file);
  }
}

/** More lines than this say nothing more. */
const LINES_LIMIT = 50;

function add(lines: string[], line: string): void {
  if (lines.length < LINES_LIMIT && !lines.includes(line)) lines.push(line);
}
