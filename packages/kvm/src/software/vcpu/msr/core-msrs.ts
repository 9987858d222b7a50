import type { Engine, WordName } from '@unpin/x86';
import type { U64Words } from '../../irq/index.ts';
import { eferAfterWrite, isEferKnown } from '../sregs-rules.ts';
import { give, type MsrAnswer, type MsrBank } from './msr-bank.ts';

const EFER = 0xc000_0080;
const FS_BASE = 0xc000_0100;
const GS_BASE = 0xc000_0101;

/** MSRs that the engine keeps among its registers. */
const NAMES: ReadonlyMap<number, WordName> = new Map([
  [0x174, 'sysenterCs'],
  [0x175, 'sysenterEsp'],
  [0x176, 'sysenterEip'],
  [0x277, 'pat'],
  [EFER, 'efer'],
  [0xc000_0081, 'star'],
  [0xc000_0082, 'lstar'],
  [0xc000_0083, 'cstar'],
  [0xc000_0084, 'sfmask'],
  [0xc000_0102, 'kernelGsBase'],
  [0xc000_0103, 'tscAux'],
]);

/** As KVM_GET_MSR_INDEX_LIST names them: segment bases and EFER come with KVM_GET_SREGS. */
export const CORE_MSRS = [...NAMES.keys()].filter((index) => index !== EFER);

/** Whether the engine does RDMSR and WRMSR of it by itself. */
export function isCoreMsr(index: number): boolean {
  return NAMES.has(index) || index === FS_BASE || index === GS_BASE;
}

/** The core's own MSRs for user space. The vCPU must be on the core. */
export class CoreMsrs implements MsrBank {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  read(index: number, into: U64Words): MsrAnswer {
    const { cpu } = this.#engine;
    if (index === FS_BASE || index === GS_BASE) {
      const { base } = cpu.segment(index === FS_BASE ? 'fs' : 'gs');
      return give(into, Number(base >> 32n), Number(base & 0xffff_ffffn));
    }
    const name = NAMES.get(index);
    return name === undefined ? 'unknown' : give(into, cpu.high(name), cpu.low(name));
  }

  write(index: number, high: number, low: number): MsrAnswer {
    if (!isCoreMsr(index)) return 'unknown';
    const value = (BigInt(high) << 32n) | BigInt(low);
    if (index === EFER) return this.#writeEfer(value);
    return this.#engine.writeMsr(index, value) ? 'done' : 'refused';
  }

  /** User space may change LME while paging is on: it is restoring a state. */
  #writeEfer(value: bigint): MsrAnswer {
    if (!isEferKnown(value)) return 'refused';
    const { cpu } = this.#engine;
    cpu.set('efer', eferAfterWrite(cpu.get('efer'), value));
    cpu.commit();
    return 'done';
  }
}
