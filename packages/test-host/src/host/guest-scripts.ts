/**
 * The three scripts that run inside the test host, all by the static busybox: `init` finds the machine's root and moves
 * into it, `session` runs the command there and reports, `command` is the command itself.
 *
 * What they say on the control port, a line each, is the protocol that control-line.ts reads.
 */
import { CONTROL_PORT, STDERR_PORT, STDIN_PORT, STDOUT_PORT } from './ports.ts';

/** The folder of the scripts and of busybox once the machine's root is the root: on a tmpfs. */
export const SESSION_FOLDER = '/run/unpin';

/** Mount tag of the machine's root; writable shares are `share0`, `share1`, … in the order of their list. */
export const ROOT_TAG = 'root';

/** The largest message of 9p: QEMU's virtio queue of 128 pages takes no more, and fewer messages mean fewer exits. */
const MSIZE = 512 * 1024 - 4096;
const TRANSPORT = `trans=virtio,version=9p2000.L,msize=${MSIZE}`;

const PRELUDE = `#!/bin/busybox sh
say() { echo "$@" >&3; }
fail() { say "failed $*"; echo "unpin test host: $*"; poweroff -f; sleep 60; }
`;

/**
 * Process 1 of the initial root. The machine's root comes over 9p and cannot be written; an overlay lets programs write
 * all the same, into memory, and forgets it with the host. `modules` are the files in /modules, in insmod order.
 */
export function initScript(modules: readonly string[]): string {
  return `${PRELUDE}
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ports() {
  for port in /sys/class/virtio-ports/*; do
    [ -e "$port/name" ] && read -r name <"$port/name" && [ "$name" = "$1" ] && echo "/dev/\${port##*/}" && return
  done
}
exec 3<>"$(ports ${CONTROL_PORT})" || { echo "unpin test host: no control port"; poweroff -f; }
say kernel-up "$(uname -r)"
for module in ${modules.join(' ')}; do
  insmod "/modules/$module.ko" || fail "insmod $module"
done
[ -e /dev/kvm ] || fail "kvm_amd loaded, but there is no /dev/kvm"
read -r npt </sys/module/kvm_amd/parameters/npt
say kvm-loaded "npt=$npt"
mkdir -p /lower /upper /newroot
mount -t 9p -o ro,${TRANSPORT},cache=loose ${ROOT_TAG} /lower || fail "mount the machine's root"
mount -t tmpfs -o size=75% tmpfs /upper
mkdir -p /upper/data /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /newroot || fail "mount the overlay"
index=0
while read -r path; do
  mkdir -p "/newroot$path"
  mount -t 9p -o rw,${TRANSPORT},cache=none "share$index" "/newroot$path" || fail "mount the writable share $path"
  index=$((index + 1))
done </etc/writable
cd /newroot
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs devtmpfs dev
mkdir -p dev/pts dev/shm run
mount -t devpts -o ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777,size=100% tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t debugfs debugfs sys/kernel/debug
mkdir -p .${SESSION_FOLDER} run/lock
chmod 1777 run/lock
cp /bin/busybox /session /command .${SESSION_FOLDER}/
ip link set lo up
hostname unpin-test-host
echo 0 >/proc/sys/kernel/io_uring_disabled 2>/dev/null
for port in ${[STDIN_PORT, STDOUT_PORT, STDERR_PORT].join(' ')}; do
  ln -s "$(ports "$port")" ".${SESSION_FOLDER}/$port"
done
exec /bin/busybox switch_root /newroot ${SESSION_FOLDER}/busybox sh ${SESSION_FOLDER}/session
`;
}

/** How often the session says that it is alive: an emulated host whose timer is lost hangs for ever, without a word. */
const HEARTBEAT_SECONDS = 5;

/**
 * Process 1 after the move. The ports stand behind pipes: Node reads a pipe without blocking, while its exit would wait
 * for a read of a port that never comes back.
 */
export function sessionScript(terminal: TerminalSize | undefined): string {
  return `${PRELUDE}
ulimit -l unlimited
ulimit -n 1048576
cd ${SESSION_FOLDER}
(while sleep ${HEARTBEAT_SECONDS}; do say alive; done) </dev/null >/dev/null 2>&1 &
${terminal === undefined ? PIPED : onTerminal(terminal)}
cd /
sync
say "exit $code"
poweroff -f
`;
}

/** Rows and columns of a terminal, as it was when the command started. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * A read of the port gives nothing, at once, as long as the guest does not know that the other side is there: hence the
 * greeting, a line that comes before the command's input. The port stays open from then on: closing it throws away
 * what has arrived. Output is waited for until all writers are gone, but a
 * background process that the command left keeps it for two seconds only.
 */
const PIPED = `mkfifo in out err
exec 4<${STDIN_PORT}
while :; do
  read -r greeting <&4 && [ "$greeting" = ready ] && break
  sleep 0.02
done
cat <&4 >in 2>/dev/null &
exec 4<&-
cat <out >${STDOUT_PORT} & out=$!
cat <err >${STDERR_PORT} & err=$!
say running
sh ./command <in >out 2>err 3>&-
code=$?
(sleep 2; kill $out $err) 2>/dev/null &
wait $out $err 2>/dev/null`;

/**
 * The size is set by the session itself: a console that nobody holds open forgets it. Our own terminal, though raw, still
 * turns a line feed into two characters (libuv leaves ONLCR on), so that this one must not.
 */
function onTerminal(size: TerminalSize): string {
  return `say running
setsid -c sh -c 'stty rows ${size.rows} cols ${size.columns} -onlcr; exec sh ./command' </dev/hvc0 >/dev/hvc0 2>&1 3>&-
code=$?`;
}

/** What is run, where, with which environment: all of it reaches the program as it is, whatever characters it has. */
export interface CommandSpec {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The machine's own `env` and `sh` start it: busybox would take its own applets for programs of the same name. */
export function commandScript(spec: CommandSpec): string {
  const assignments = Object.entries(spec.env).map(([name, value]) => quote(`${name}=${value}`));
  const words = spec.command.map(quote);
  return `cd ${quote(spec.cwd)} || exit 126
exec /usr/bin/env -i ${[...assignments, '/bin/sh', '-c', quote('exec "$@"'), 'sh', ...words].join(' ')}
`;
}

/** A word that a POSIX shell takes literally. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
