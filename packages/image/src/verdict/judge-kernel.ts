import type { Evidence, Finding, StatementId, Verdict } from '@unpin/policy';
import { readBtf } from '../kernel/btf.ts';
import { decodeKallsyms } from '../kernel/kallsyms.ts';
import type { KernelImage } from '../kernel/vmlinux.ts';
import { findInstructions } from '../signals/instructions.ts';
import type { SignalInput } from '../signals/signal.ts';
import { proven, unknown } from './finding.ts';
import { judgePageStateChanges } from './page-state-changes.ts';
import { judgeReportsConversions } from './reports-conversions.ts';
import { judgeReportsCorrectly } from './reports-correctly.ts';
import { judgeSevEsGuest } from './sev-es-guest.ts';
import { judgeSevGuest } from './sev-guest.ts';
import { judgeSnpGuest } from './snp-guest.ts';
import { judgeTdxGuest } from './tdx-guest.ts';
import { judgeUnacceptedMemory } from './unaccepted-memory.ts';

export type Statements = Verdict['statements'];

/** What a kernel image can do. Pure: the same image and command line give the same findings. */
export function judgeKernel(kernel: KernelImage, commandLine: string | undefined): Statements {
  const input: SignalInput = {
    kernel,
    symbols: decodeKallsyms(kernel.elf),
    btf: readBtf(kernel.elf),
    instructions: findInstructions(kernel),
    commandLine,
  };
  const reports = judgeReportsConversions(input);
  return {
    'sev-guest': judgeSevGuest(input),
    'sev-es-guest': judgeSevEsGuest(input),
    'snp-guest': judgeSnpGuest(input),
    'page-state-changes': judgePageStateChanges(input),
    'tdx-guest': judgeTdxGuest(input),
    'unaccepted-memory': judgeUnacceptedMemory(input),
    'reports-conversions': reports.finding,
    'reports-correctly': judgeReportsCorrectly(input, reports),
  };
}

/** A kernel for 32-bit x86 can do none of it: AMD memory encryption exists in 64-bit kernels only. */
export function judge32Bit(): Statements {
  const evidence: Evidence = { signal: 'elf-class', where: 'vmlinux', offset: 4, seen: 'ELF32, i386' };
  return everyStatement(proven('no', 'is a 32-bit kernel', evidence));
}

/** Nothing is known of what could not be read. */
export function judgeUnread(obstacle: string): Statements {
  return everyStatement(unknown(obstacle));
}

function everyStatement(finding: Finding): Statements {
  return {
    'sev-guest': finding,
    'sev-es-guest': finding,
    'snp-guest': finding,
    'page-state-changes': finding,
    'tdx-guest': finding,
    'unaccepted-memory': finding,
    'reports-conversions': finding,
    'reports-correctly': finding,
  } satisfies Record<StatementId, Finding>;
}
