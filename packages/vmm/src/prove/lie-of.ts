import type { LieRecord } from '../machine/messages.ts';
import type { NamedLie } from './divergence.ts';

/** A lie as a proof tells it. */
export function lieOf(
  { kind, gpa, rip, hostUse, onHardware }: LieRecord,
  nameOf: (rip: bigint) => string | undefined = () => undefined,
): NamedLie {
  const symbol = nameOf(rip);
  return {
    kind,
    gpa,
    rip: `0x${rip.toString(16)}`,
    ...(symbol === undefined ? {} : { symbol }),
    ...(hostUse === undefined ? {} : { hostUse }),
    onHardware,
  };
}
