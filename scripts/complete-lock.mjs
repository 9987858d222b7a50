#!/usr/bin/env node
/**
 * Completes package-lock.json after `npm install`.
 *
 * A registry mirror may carry only some of the platform packages that native tools list as optional
 * dependencies. npm then leaves them out of the lock, and `npm ci` refuses the lock as incomplete.
 * The version of each is pinned by its parent, and os/cpu stand in its name: enough for a lock entry
 * which every other platform skips. Download addresses and engines go: they speak of the machine that
 * ran npm, not of the project. Plain JavaScript, because it must run before `npm ci`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const OS = ['android', 'darwin', 'freebsd', 'linux', 'openbsd', 'openharmony', 'win32', 'netbsd', 'sunos', 'aix'];
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64'];
const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));

let added = 0;
for (const [path, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] || !/^\d/.test(version)) continue;
    const os = OS.find((o) => new RegExp(`\\b${o}(-|$)`).test(name));
    const words = name.replace(/^@[^/]*\//, '').split(/[-_]/);
    const cpu = CPU.find((c) => words.includes(c)) ?? null;
    if (os === undefined || cpu === null) throw new Error(`${path}: cannot tell the platform of ${name}`);
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      dev: entry.dev,
      license: entry.license,
      optional: true,
      os: [os],
    };
    added++;
  }
}
for (const [path, entry] of Object.entries(lock.packages)) {
  if (entry.resolved?.includes('://')) delete lock.packages[path].resolved;
  // npm would compare them with the Node that runs npm; what runs here is the Node of node_modules.
  delete lock.packages[path].engines;
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} platform packages added`);
