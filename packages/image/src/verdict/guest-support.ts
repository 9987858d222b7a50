import type { Evidence, Finding } from '@unpin/policy';
import type { SignalInput } from '../signals/signal.ts';
import { findAnySymbol, missingSymbol } from '../signals/symbol.ts';
import { inferred, proven, seen, unknown } from './finding.ts';

/** What a kernel with support for one kind of guest has. */
export interface SupportSignals {
  /** 'an SEV guest'. */
  readonly name: string;
  /** Code that nothing but such a guest needs: all of it must be there. */
  readonly code: readonly (Evidence | undefined)[];
  /** Structures and texts that go with it: one must be there. Other kernels have some of them too. */
  readonly agrees: readonly (Evidence | undefined)[];
  /** Names of a function of it, newest last. */
  readonly symbols: readonly string[];
}

/**
 * Code, and a structure or a text that agrees with it, together prove support; code alone, or the symbol of it, lets it
 * be inferred; what agrees says nothing alone: Linux 6.12 for TDX only has the names of SEV's features. The absence of
 * code proves the lack of support where the kernel's own symbols agree, and lets it be inferred where there are none.
 */
export function judgeGuestSupport(input: SignalInput, signals: SupportSignals): Finding {
  const { name, code, agrees } = signals;
  const symbol = findAnySymbol(input, signals.symbols);
  const found = seen(...code, ...agrees, symbol);
  if (code.every((each) => each !== undefined) && agrees.some((each) => each !== undefined))
    return proven('yes', `has the code of ${name}`, ...found);
  if (symbol !== undefined || code.some((each) => each !== undefined))
    return inferred('yes', `has a part of what ${name} needs`, ...found);
  const missing = signals.symbols.map((each) => missingSymbol(input, each));
  if (missing.every((each) => each !== undefined))
    return proven('no', `has neither the code nor a symbol of ${name}`, ...missing, ...found);
  if (found.length > 0)
    return unknown(`has what goes with ${name}, but no code of it; its symbols cannot be read`, ...found);
  return inferred('no', `has neither code nor text of ${name}; its symbols cannot be read`);
}
