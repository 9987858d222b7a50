/**
 * Builds publishable packages: JavaScript and declarations by tsc, package.json rewritten from src/*.ts to dist/*.js,
 * then `npm pack` for each. `node scripts/pack.ts OUT_DIR` leaves one tarball a room in OUT_DIR.
 *
 * The sources run directly inside this repository; under node_modules Node strips no types, hence this build.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The first Nodes whose processes can give up permissions (process.permission.drop), which images are parsed without. */
const NODE = '^24.20 || >=26.3';

const root = join(import.meta.dirname, '..');
const out = resolve(process.argv[2] ?? join(root, 'dist'));
mkdirSync(out, { recursive: true });
const stage = mkdtempSync(join(tmpdir(), 'unpin-pack-'));

try {
  writeFileSync(
    join(stage, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        rootDir: join(root, 'packages'),
        outDir: join(stage, 'out'),
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: [
        join(root, 'packages/*/src/**/*.ts'),
        join(root, 'packages/*/conformance/**/*.ts'),
        join(root, 'packages/*/probe/**/*.ts'),
      ],
    }),
  );
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(stage, 'tsconfig.json')], { stdio: 'inherit' });
  for (const manifestPath of globSync('packages/*/package.json', { cwd: root }))
    packOne(manifestPath.split('/')[1] ?? '');
} finally {
  rmSync(stage, { recursive: true, force: true });
}

function packOne(room: string): void {
  const source = join(root, 'packages', room);
  const target = join(stage, 'packages', room);
  cpSync(join(stage, 'out', room), target, { recursive: true });
  // What is not code but belongs to it: binaries, goldens, assembler sources.
  for (const asset of globSync('{src,probe,conformance,generated}/**/*', {
    cwd: source,
    exclude: ['**/*.ts', '**/*.wat'],
  }))
    if (!asset.endsWith('/') && /\.[a-z0-9]+$/.test(asset))
      cpSync(join(source, asset), join(target, asset), { recursive: true });
  for (const file of ['LICENSE', 'README.md']) {
    const own = join(source, file);
    if (existsSync(own)) cpSync(own, join(target, file));
    else if (existsSync(join(root, file))) cpSync(join(root, file), join(target, file));
  }
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Record<string, unknown>;
  const rewritten = JSON.parse(JSON.stringify(manifest).replaceAll(/(\.\/[\w./-]+)\.ts"/g, '$1.js"')) as Record<
    string,
    unknown
  >;
  writeFileSync(
    join(target, 'package.json'),
    `${JSON.stringify({ ...rewritten, engines: { node: NODE } }, null, 2)}\n`,
  );
  execFileSync('npm', ['pack', '--silent', '--pack-destination', out], {
    cwd: target,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
