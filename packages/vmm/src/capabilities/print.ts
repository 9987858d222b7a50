import type { Capabilities, TypeCapability } from '@unpin/contract';
import { capabilities } from './capabilities.ts';

/** Answers the exit status. */
export async function printCapabilities(json: boolean): Promise<number> {
  const found = await capabilities();
  process.stdout.write(json ? `${JSON.stringify(found)}\n` : text(found));
  return 0;
}

function text({ host, kvm, features, types }: Capabilities): string {
  const lines = [
    `host      Linux ${host.kernel}, ${host.cpuModel}, ${host.cpus} processors, ${gib(host.memoryBytes)} of memory`,
    kvm.present
      ? `KVM       ${kvm.engine ?? 'unknown'}; ${kvm.bootsLinux ? 'boots Linux' : 'small guests only'}; ring 0 at ${kvm.ringZeroMips?.toFixed(1) ?? '?'} MIPS; hypercalls ${kvm.hypercallsExit === true ? 'exit' : 'do not exit'}`
      : `KVM       none: ${kvm.problem ?? ''}`,
    ...features.map(
      ({ id, present, detail }) => `feature   ${present ? '+' : '-'} ${id}${detail === undefined ? '' : `: ${detail}`}`,
    ),
    ...types.map((row) =>
      row.ways.length > 0
        ? `type      + ${row.type}: ${row.ways.map(wayText).join(', or ')}`
        : `type      - ${row.type}: ${row.obstacles.join('; ')}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function wayText({ execution, bootsLinux, privateMemory }: TypeCapability['ways'][number]): string {
  const notes = [execution === 'shaped' ? ' (no encryption)' : '', bootsLinux ? '' : ' (probe only)'].join('');
  return `${execution}${notes} with private memory in ${privateMemory}`;
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
