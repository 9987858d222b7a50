/**
 * A closure as a small Debian of its own, for programs that look for files where packages put them, and ask dpkg what is
 * installed. Its programs are started in it (chroot), in a mount namespace: the machine's own files stay untouched.
 */
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '../run-tool.ts';
import { LAUNCHER_FOLDER } from './launchers.ts';
import { runtimeOf } from './runtime.ts';

const TOOL_MS = 60_000;

/** What a maintainer's script would have done, had one run. */
const MASTERS = [
  ['usr/share/base-passwd/passwd.master', 'etc/passwd'],
  ['usr/share/base-passwd/group.master', 'etc/group'],
] as const;

/** Records packages as installed, and makes what their scripts would have made. */
export async function settle(folder: string, debs: readonly string[]): Promise<void> {
  const database = join(folder, 'var/lib/dpkg');
  const info = join(database, 'info');
  for (const path of [
    info,
    join(database, 'updates'),
    ...['proc', 'dev', 'sys', 'tmp', 'root', 'mnt'].map((each) => join(folder, each)),
  ])
    mkdirSync(path, { recursive: true });
  // Files of packages that several architectures may have bear its name since version 1.
  writeFileSync(join(info, 'format'), '1\n');
  writeFileSync(join(database, 'status'), '');
  for (const deb of debs) await record(database, deb);
  for (const [from, to] of MASTERS)
    if (existsSync(join(folder, from))) copyFileSync(join(folder, from), join(folder, to));
  if (!existsSync(join(folder, 'usr/bin/awk')) && existsSync(join(folder, 'usr/bin/gawk')))
    symlinkSync('gawk', join(folder, 'usr/bin/awk'));
  await runTool(join(folder, 'sbin/ldconfig'), ['-r', folder], { timeoutMs: TOOL_MS });
  await indexModules(folder);
}

async function record(database: string, deb: string): Promise<void> {
  const control = await output('dpkg-deb', ['--field', deb]);
  const [name = '', same = ''] = (
    await output('dpkg-deb', ['--show', '--showformat', '${Package}\\n${Multi-Arch}', deb])
  ).split('\n');
  const listed = await output('dpkg-deb', ['--contents', deb]);
  // Mode, owner, size, date, time, then the path, which a link's target follows.
  const paths = listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replace(/^(\S+\s+){5}\./, '')
        .replace(/ (->|link to) .*$/, '')
        .replace(/\/$/, ''),
    )
    .map((path) => (path === '' ? '/.' : path));
  const file = same === 'same' ? `${name}:amd64` : name;
  writeFileSync(join(database, 'info', `${file}.list`), `${paths.join('\n')}\n`);
  const installed = control.trimEnd().replace(/^Package: .*$/m, '$&\nStatus: install ok installed');
  appendFileSync(join(database, 'status'), `${installed}\n\n`);
}

/** `depmod` for each kernel that is there. */
async function indexModules(folder: string): Promise<void> {
  const modules = join(folder, 'lib/modules');
  const runtime = runtimeOf(folder);
  if (!existsSync(modules) || runtime === undefined) return;
  for (const release of readdirSync(modules))
    await runTool(
      runtime.loader,
      [
        '--library-path',
        runtime.libraries.join(':'),
        '--argv0',
        'depmod',
        join(folder, 'bin/kmod'),
        '-b',
        folder,
        release,
      ],
      { timeoutMs: TOOL_MS },
    );
}

async function output(tool: string, args: readonly string[]): Promise<string> {
  return (await runTool(tool, args, { timeoutMs: TOOL_MS })).stdout.toString('utf8');
}

/**
 * Writes launchers of programs that run in the system: they see the caller's folder as theirs (`/mnt`). Root, or a
 * machine that lets others make namespaces, is needed.
 */
export function writeSystemLaunchers(
  folder: string,
  programs: readonly string[],
  environment: Readonly<Record<string, string>>,
): void {
  mkdirSync(join(folder, LAUNCHER_FOLDER), { recursive: true });
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const own = [
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'TERM=dumb',
    'LC_ALL=C',
    'TMPDIR=/tmp',
    ...variables,
  ];
  for (const program of programs)
    writeFileSync(
      join(folder, LAUNCHER_FOLDER, program),
      `#!/bin/sh
root=$(CDPATH= cd -- "\${0%/*}/.." && pwd) || exit 127
[ "$(id -u)" = 0 ] && user= || user='--user --map-root-user'
export root
exec unshare $user --mount --propagation private sh -c '
  mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --bind "$PWD" "$root/mnt" || exit 127
  exec chroot "$root" /usr/bin/env -i -C /mnt ${own.join(' ')} ${program} "$@"
' sh "$@"
`,
      { mode: 0o755 },
    );
}
