import { styleText } from 'node:util';
import type { Capabilities } from '@unpin/contract';
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
      ...c.types.map((t) => [t.type, how(t), t.privateMemory ?? '', t.obstacles.join('; ')]),
    ]),
    '',
    'Only hardware SEV is confidential. SHAPED guests have the memory rules of SEV and none of its secrecy.',
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

function how(t: Capabilities['types'][number]): string {
  if (!t.available) return styleText('dim', 'no');
  const word =
    t.execution === 'shaped' ? styleText('yellow', 'SHAPED') : t.confidential ? styleText('green', 'hardware') : 'yes';
  return t.bootsLinux ? word : `${word}, probe only`;
}
