/** Writes the parts of docs/ that are made from code. A test compares them: run this after changing the code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CATALOGUE, imageVerdictSchema } from '@unpin/contract';
import { STATEMENTS, vmTypes } from '@unpin/policy';

/** docs/errors.md: every code with its meaning, HTTP status and exit status. */
export function errorsPage(): string {
  const rows = Object.entries(CATALOGUE).map(([code, e]) => `| \`${code}\` | ${e.means} | ${e.http} | ${e.exit} |`);
  return [
    '# Errors',
    '',
    'Every error has a stable code, the thing it is about, what was found, what was needed, and what to do next.',
    'With `--json` it is one object `{"error": {code, message, subject, found, needed, next, detail}}`; over HTTP the same object without the wrapping.',
    'Exit status 0 is yes or done, 1 is no, 2 is unknown; errors are 64 and above (sysexits.h), but for a refused admission (1) and an unknown one (2).',
    '',
    '| code | what it means | HTTP | exit |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** docs/vm-types.md: the registry for people. */
export function vmTypesPage(): string {
  const rows = vmTypes().map((t) => {
    const needs = t.needs.map((n) => `\`${n.statement}\` (${n.atLeast})`).join(', ') || '–';
    const runners = t.runners.map((r) => `${r.execution} on ${r.backend}${r.built ? '' : ' (not built)'}`).join(', ');
    return `| \`${t.id}\` | ${t.tech} | ${t.memoryModel} | ${t.pinning} | ${needs} | ${runners} |`;
  });
  return [
    '# VM types',
    '',
    'What a VM is created as. `unpin vm-types TYPE` tells one in full; `unpin doctor` tells what this machine can run.',
    'Only SEV hardware is confidential: *shaped* VMs have the memory rules of SEV and none of its secrecy.',
    '',
    '| type | technique | memory model | pinning | needs of the image | run by |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '## What a verdict can say',
    '',
    ...STATEMENTS.map((s) => `- \`${s.id}\`: ${s.says}`),
    '',
    ...vmTypes().flatMap((t) => [`## ${t.id}`, '', t.disclaimer, '']),
  ].join('\n');
}

export const PAGES: readonly { readonly file: string; readonly make: () => string }[] = [
  { file: 'docs/errors.md', make: errorsPage },
  { file: 'docs/vm-types.md', make: vmTypesPage },
  { file: 'docs/schema/image-verdict.schema.json', make: () => JSON.stringify(imageVerdictSchema(), null, 2) },
];

if (import.meta.main)
  for (const page of PAGES) {
    const file = join(import.meta.dirname, '..', page.file);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${page.make().trimEnd()}\n`);
  }
