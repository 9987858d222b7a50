import type { Evidence } from '@unpin/policy';
import type { Unit } from './range-call.ts';
import type { SignalInput } from './signal.ts';

/** The fix of CVE-2023-53996 changed what both functions take: a size in bytes instead of a count of pages. */
const FUNCTIONS = ['enc_dec_hypercall', 'early_set_mem_enc_dec_hypercall'] as const;

export interface RangePrototype {
  readonly unit: Unit;
  readonly evidence: Evidence;
}

/** What BTF says the range functions take; undefined without BTF, or where no function has a known form. */
export function findRangePrototype(input: SignalInput): RangePrototype | undefined {
  for (const name of FUNCTIONS) {
    const parameters = input.btf?.function(name)?.parameters;
    const second = parameters?.[1]?.name;
    if (parameters === undefined || (second !== 'size' && second !== 'npages')) continue;
    const list = parameters.map((p) => `${p.type} ${p.name}`.trim()).join(', ');
    return {
      unit: second === 'size' ? 'bytes' : 'pages',
      evidence: { signal: 'range-prototype', where: '.BTF', seen: `${name}(${list})` },
    };
  }
  return undefined;
}
