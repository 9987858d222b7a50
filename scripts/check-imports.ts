/**
 * Imports run one way. Each room lists the rooms it may import; folders inside a room may be stricter.
 * Reads import and export statements, dynamic imports and import.meta.resolve calls.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Room → the rooms it may import. ARCHITECTURE.md draws this table. */
const ROOMS: Record<string, readonly string[]> = {
  policy: [],
  contract: ['policy'],
  x86: [],
  kvm: ['policy', 'x86'],
  image: ['policy', 'contract'],
  vmm: ['policy', 'contract', 'kvm', 'image'],
  control: ['policy', 'contract'],
  agent: ['policy', 'contract', 'image'],
  'test-host': ['contract'],
  cli: ['policy', 'contract', 'image', 'vmm', 'control', 'agent', 'test-host'],
};

/** Places inside a room, and what must not be imported there. */
const STRICTER: readonly { readonly inside: string; readonly never: RegExp; readonly why: string }[] = [
  {
    inside: 'packages/vmm/src/devices/',
    never: /^@unpin\/(kvm|image)/,
    why: 'a device knows offsets and lines, not KVM',
  },
  {
    inside: 'packages/kvm/src/port/',
    never: /^(koffi|\.\.\/(linux|sys|software))/,
    why: 'the port knows none of its backends',
  },
  { inside: 'packages/kvm/conformance/', never: /src\/(linux|sys|software)/, why: 'rules speak to the port' },
  {
    inside: 'packages/control/',
    never: /^@unpin\/(vmm|kvm|image)/,
    why: 'the control plane speaks to agents by contract',
  },
];

/** What checks a room may take what it needs from Debian, whatever the room itself may import. */
const CHECKS = /^packages\/[^/]+\/(test|bench|soak)\//;

const FFI_HOME = 'packages/kvm/src/sys/';
const STATEMENT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|\bimport\.meta\.resolve\(\s*)'([^']+)'/g;

const complaints: string[] = [];
for (const path of globSync('packages/*/**/*.{ts,mts}', { cwd: root, exclude: ['**/node_modules/**'] })) {
  const room = path.split('/')[1] ?? '';
  const text = readFileSync(join(root, path), 'utf8');
  const allowed = ROOMS[room];
  if (allowed === undefined) {
    complaints.push(`${path}: room '${room}' is not in the table of scripts/check-imports.ts`);
    continue;
  }
  for (const [, spec = ''] of text.matchAll(STATEMENT)) {
    const target = roomOf(spec, path);
    const isChecks = target === 'test-host' && CHECKS.test(path);
    if (target !== undefined && target !== room && !allowed.includes(target) && !isChecks)
      complaints.push(`${path}: ${room} may not import ${target} ('${spec}')`);
    if (spec === 'koffi' && !path.startsWith(FFI_HOME))
      complaints.push(`${path}: FFI lives in ${FFI_HOME} and nowhere else`);
    for (const rule of STRICTER)
      if (path.startsWith(rule.inside) && rule.never.test(spec)) complaints.push(`${path}: '${spec}': ${rule.why}`);
  }
}
for (const line of complaints) console.error(line);
if (complaints.length > 0) process.exitCode = 1;

/** The room a specifier leads to, undefined for libraries. */
function roomOf(spec: string, from: string): string | undefined {
  const named = /^@unpin\/([a-z0-9-]+)/.exec(spec)?.[1];
  if (named !== undefined) return named;
  if (spec === 'unpin' || spec.startsWith('unpin/')) return 'cli';
  if (!spec.startsWith('.')) return undefined;
  const [top, room] = relative(root, join(root, dirname(from), spec)).split('/');
  return top === 'packages' ? room : undefined;
}
