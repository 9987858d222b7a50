/** An initial root of one static busybox and an init script: the smallest user space that a person can type into. */
import { type CpioEntry, cpioArchive } from './newc.ts';

/** What is packed beside busybox. */
export interface BusyboxInitrdOptions {
  /** The static busybox binary. */
  readonly busybox: Uint8Array;
  /** The script run as process 1; its interpreter is /bin/sh. Default: an interactive shell, then power-off. */
  readonly init?: string;
  /** Further files by path without leading slash. Missing parent directories are made. Default mode 0644. */
  readonly files?: readonly InitrdFile[];
}

export interface InitrdFile {
  readonly path: string;
  readonly data: Uint8Array;
  readonly mode?: number;
}

/**
 * Mounts what user space expects, shows where it is, and gives the console a shell with job control: cttyhack looks up
 * the console's terminal in sysfs and makes it the controlling one. When the shell ends, the machine powers off, and
 * where it can't (no ACPI), it halts with "reboot: System halted" or "Power down". `poweroff`, `halt` and `reboot` typed
 * into the shell reach process 1 as signals, as busybox's init has it; a shell that waits takes them at once.
 *
 * The second setsid finds itself the leader of a group, so that it forks and returns: what a script starts with an
 * ampersand ignores Ctrl-C, and so does all that it starts (POSIX, 2.11 Signals and Error Handling).
 */
export const SHELL_INIT = `#!/bin/sh
export PATH=/sbin:/bin:/usr/sbin:/usr/bin HOME=/root TERM=\${TERM:-linux}
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
/bin/busybox --install -s /bin
ip link set lo up 2>/dev/null
hostname unpin-guest
cd /root
echo "unpin guest: Linux $(uname -r), user space up $(cut -d' ' -f1 /proc/uptime) s after boot"
trap 'sync; poweroff -f' USR1 USR2
trap 'sync; reboot -f' TERM
setsid setsid cttyhack sh -c 'sh -i; poweroff -f'
while :; do sleep 86400 & wait $!; done
`;

/** The archive, uncompressed. Throws RangeError for a path that cannot be packed. */
export function busyboxInitrd(options: BusyboxInitrdOptions): Buffer {
  const entries: CpioEntry[] = [];
  const known = new Set<string>();
  const directory = (path: string, mode?: number): void => {
    if (known.has(path)) return;
    const slash = path.lastIndexOf('/');
    if (slash > 0) directory(path.slice(0, slash));
    known.add(path);
    entries.push(mode === undefined ? { kind: 'directory', path } : { kind: 'directory', path, mode });
  };
  for (const path of ['bin', 'dev', 'etc', 'mnt', 'proc', 'sys', 'usr']) directory(path);
  directory('root', 0o700);
  directory('tmp', 0o1777);
  // The kernel opens /dev/console for process 1 before anything could mount devtmpfs.
  entries.push({ kind: 'character-device', path: 'dev/console', major: 5, minor: 1 });
  entries.push({ kind: 'character-device', path: 'dev/null', mode: 0o666, major: 1, minor: 3 });
  entries.push({ kind: 'file', path: 'bin/busybox', mode: 0o755, data: options.busybox });
  for (const applet of BEFORE_INSTALL) entries.push({ kind: 'symlink', path: `bin/${applet}`, target: 'busybox' });
  entries.push({ kind: 'symlink', path: 'sbin', target: 'bin' });
  for (const path of ['usr/bin', 'usr/sbin']) entries.push({ kind: 'symlink', path, target: '../bin' });
  for (const path of ['sbin', 'usr/bin', 'usr/sbin']) known.add(path);
  entries.push({ kind: 'file', path: 'init', mode: 0o755, data: Buffer.from(options.init ?? SHELL_INIT) });
  for (const file of options.files ?? []) {
    const slash = file.path.lastIndexOf('/');
    if (slash > 0) directory(file.path.slice(0, slash));
    entries.push({ kind: 'file', mode: 0o644, ...file });
  }
  return cpioArchive(entries);
}

/** What a script may call before `busybox --install` has made the other names. */
const BEFORE_INSTALL = ['sh', 'mount', 'mkdir', 'echo', 'cat', 'insmod', 'poweroff', 'reboot', 'setsid', 'cttyhack'];
