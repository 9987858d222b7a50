import { styleText } from 'node:util';
import type { Capabilities, TypeCapability } from '@unpin/contract';
import type { Execution } from '@unpin/policy';
import { queryCapabilities } from '@unpin/vmm';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { table } from '../render/table.ts';
import { bytes } from '../render/units.ts';

export async function doctor(globals: GlobalOptions, options: { readonly testHost?: boolean }): Promise<number> {
  if (options.testHost === true) {
    const { runSelfInTestHost } = await import('../test-host/run-self.ts');
    return runSelfInTestHost(['doctor', ...(globals.json === true ? ['--json'] : [])], {
      quiet: globals.json === true,
    });
  }
  const capabilities = await queryCapabilities();
  print(globals.json, capabilities, () => capabilitiesText(capabilities));
  return 0;
}

/** What this machine can run, how, and why not. */
export function capabilitiesText(c: Capabilities): string {
  return [
    `${styleText('bold', 'machine')}  ${c.host.cpuModel}, ${c.host.cpus} CPUs, ${bytes(c.host.memoryBytes)} (${bytes(c.host.availableBytes)} available), Linux ${c.host.kernel}`,
    `${styleText('bold', 'KVM')}      ${kvmLine(c)}`,
    '',
    table([
      ['VM TYPE', 'HERE', 'PRIVATE MEMORY', ''].map((h) => styleText('bold', h)),
      ...c.types.map((t) => [t.type, how(t), memoryOf(t), t.obstacles.join('; ')]),
    ]),
    '',
    'Only hardware SEV is confidential. SHAPED guests have the memory rules of SEV and none of its secrecy. EMULATED guests are run by the software KVM: real encryption, with a key that this machine holds.',
  ].join('\n');
}

function kvmLine(c: Capabilities): string {
  if (!c.kvm.present) return `none: ${c.kvm.problem ?? 'unknown'}`;
  const measured = [
    c.kvm.hypercallsExit === undefined
      ? undefined
      : c.kvm.hypercallsExit
        ? 'hypercalls reach the VMM'
        : 'hypercalls never reach the VMM',
    c.kvm.ringZeroMips === undefined ? undefined : `ring 0 at ${c.kvm.ringZeroMips.toPrecision(2)} MIPS`,
  ].filter((part) => part !== undefined);
  const verdict = c.kvm.bootsLinux
    ? styleText('green', 'boots Linux')
    : styleText('yellow', 'too slow or too limited to boot Linux; runs small guests (the probe)');
  return `${c.kvm.engine ?? 'unknown engine'}: ${verdict} (${measured.join(', ')})`;
}

function how({ ways }: TypeCapability): string {
  return ways.length === 0 ? styleText('dim', 'no') : ways.map(wayWord).join(' or ');
}

function wayWord(way: TypeCapability['ways'][number]): string {
  const word = way.confidential ? styleText('green', 'hardware') : WORDS[way.execution];
  return way.bootsLinux ? word : `${word} (probe only)`;
}

const WORDS: Readonly<Record<Execution, string>> = {
  hardware: 'yes',
  shaped: styleText('yellow', 'SHAPED'),
  emulated: styleText('yellow', 'EMULATED'),
};

function memoryOf({ ways }: TypeCapability): string {
  return [...new Set(ways.map((way) => way.privateMemory))].join(' or ');
}
