/** Installs unpin from `npm pack` tarballs into an empty project, as a user would, and runs the README with it. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
// Not in /tmp, which machines may keep in memory: this is a whole node_modules.
const place = mkdtempSync('/var/tmp/unpin-packed-');
const run = (program: string, args: readonly string[], cwd: string): void =>
  void execFileSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });

try {
  run(process.execPath, [join(root, 'scripts/pack.ts'), join(place, 'tarballs')], root);
  const tarballs = globSync('tarballs/*.tgz', { cwd: place });
  writeFileSync(
    join(place, 'package.json'),
    JSON.stringify({
      private: true,
      allowScripts: { koffi: true },
      dependencies: Object.fromEntries(tarballs.map((t) => [nameOf(t), `file:${t}`])),
    }),
  );
  run('npm', ['install', '--no-audit', '--no-fund', '--silent'], place);
  run(
    process.execPath,
    [join(root, 'scripts/check-readme.ts'), '--program', join(place, 'node_modules/.bin/unpin')],
    root,
  );
} finally {
  rmSync(place, { recursive: true, force: true });
}

/** `unpin-kvm-0.1.0.tgz` → `@unpin/kvm`, `unpin-0.1.0.tgz` → `unpin`. */
function nameOf(tarball: string): string {
  const stem = tarball.replace(/^tarballs\//, '').replace(/-\d+\.\d+\.\d+.*$/, '');
  return stem === 'unpin' ? stem : stem.replace(/^unpin-/, '@unpin/');
}
