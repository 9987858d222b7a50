import { styleText } from 'node:util';
import { UnpinError } from '@unpin/contract';
import { findVmType, STATEMENTS, type VmType, vmTypes } from '@unpin/policy';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { table } from '../render/table.ts';

export async function vmTypesCommand(globals: GlobalOptions, name: string | undefined): Promise<number> {
  if (name === undefined) {
    print(globals.json, vmTypes(), () => overview(vmTypes()));
    return 0;
  }
  const type = requireVmType(name);
  print(globals.json, type, () => inFull(type));
  return 0;
}

/** The VM type of that name. Throws VM_TYPE_UNKNOWN. */
export function requireVmType(name: string): VmType {
  const type = findVmType(name);
  if (type === undefined)
    throw new UnpinError('VM_TYPE_UNKNOWN', {
      subject: `'${name}'`,
      needed: `one of ${vmTypes()
        .map((t) => t.id)
        .join(', ')}`,
      next: 'unpin vm-types',
    });
  return type;
}

function overview(types: readonly VmType[]): string {
  const head = ['TYPE', 'MEMORY MODEL', 'PINNING', 'NEEDS OF THE IMAGE', 'RUN BY'].map((h) => styleText('bold', h));
  const rows = types.map((t) => [
    t.id,
    t.memoryModel,
    t.pinning,
    t.needs.length === 0 ? '–' : t.needs.map((n) => n.statement).join(', '),
    runners(t),
  ]);
  return `${table([head, ...rows])}\n\nOnly SEV hardware is confidential. unpin vm-types TYPE tells one in full.`;
}

function runners(type: VmType): string {
  const built = type.runners.filter((r) => r.built);
  return built.length === 0 ? 'not built' : built.map((r) => `${r.execution} (${r.backend})`).join(', ');
}

function inFull(type: VmType): string {
  const needs = type.needs.map(
    (n) =>
      `  ${n.statement} (${n.atLeast}): ${STATEMENTS.find((s) => s.id === n.statement)?.says ?? ''}\n    why: ${n.why}`,
  );
  const ways = type.runners.map(
    (r) =>
      `  ${r.execution} on ${r.backend}${r.built ? '' : ' (not built)'}${r.requires.length === 0 ? '' : `: needs ${r.requires.join(', ')}`}`,
  );
  return [
    `${styleText('bold', type.id)}  ${type.disclaimer}`,
    `memory model  ${type.memoryModel}`,
    `pinning       ${type.pinning}`,
    `conversions   ${type.conversions}`,
    `needs${needs.length === 0 ? '         –' : `\n${needs.join('\n')}`}`,
    `run by\n${ways.join('\n')}`,
  ].join('\n');
}
