import type { Evidence, Finding } from '@unpin/policy';
import type { SignalInput } from '../signals/signal.ts';
import { findAnySymbol, missingSymbol } from '../signals/symbol.ts';
import { inferred, proven, seen } from './finding.ts';

/** The two signals that a kernel with support for one kind of SEV guest has, and the symbol that goes with them. */
export interface SupportSignals {
  /** 'SEV', 'SEV-ES', 'SEV-SNP'. */
  readonly name: string;
  /** Code that nothing but such a guest needs. */
  readonly code: Evidence | undefined;
  /** What such a kernel says in its log. */
  readonly text: Evidence | undefined;
  /** Names of a function of it, newest last. */
  readonly symbols: readonly string[];
}

/**
 * Code and text together prove support; one alone lets it be inferred. Their absence proves the lack of support where
 * the kernel's own symbols agree, and lets it be inferred where there are none.
 */
export function judgeGuestSupport(input: SignalInput, signals: SupportSignals): Finding {
  const { name, code, text } = signals;
  const symbol = findAnySymbol(input, signals.symbols);
  const found = seen(code, text, symbol);
  if (code !== undefined && text !== undefined) return proven('yes', `has the code of an ${name} guest`, ...found);
  if (found.length > 0) return inferred('yes', `has a part of what an ${name} guest needs`, ...found);
  const missing = signals.symbols.map((each) => missingSymbol(input, each));
  if (missing.every((each) => each !== undefined))
    return proven('no', `has neither code, text nor symbol of an ${name} guest`, ...missing);
  return inferred('no', `has neither code nor text of an ${name} guest; its symbols cannot be read`);
}
