import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAdmissionConfig } from '@unpin/contract';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/admission.md'), 'utf8');
const CODE = /'((?:nova|image)-[a-z0-9-]+)'/g;
/** Names that look like codes and are none. */
const OTHERS = new Set(['image-from', 'nova-extra-spec', 'nova-image-property']);

test('docs/admission.md lists every code that is no need of a type, and no other', () => {
  const places = ['packages/control/src/admission/**/*.ts', 'packages/policy/src/nova/*.ts'];
  const inCode = places
    .flatMap((place) => globSync(place, { cwd: ROOT }))
    .flatMap((path) => [...readFileSync(join(ROOT, path), 'utf8').matchAll(CODE)].map(([, code = '']) => code))
    .filter((code) => !OTHERS.has(code));
  const inDocs = [...PAGE.matchAll(/^\| `((?:nova|image)-[a-z0-9-]+)` \|/gm)].map(([, code = '']) => code);
  assert.deepEqual([...new Set(inCode)].toSorted(), inDocs.toSorted());
});

test('its example of an admission file is one', () => {
  const example = /^ {4}\{\n[\s\S]*?^ {4}\}\n/m.exec(PAGE)?.[0] ?? '';
  const { webhook, images = [] } = parseAdmissionConfig(example, 'docs/admission.md');
  assert.deepEqual([webhook, images.length], [{ unknown: 'refuse', onError: 'refuse' }, 3]);
});
