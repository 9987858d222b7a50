import { type Static, Type } from '../schema.ts';
import { TypeCapability } from './capabilities.ts';
import { Name } from './image.ts';
import { Execution, RegimeMessage, StatementId } from './policy.ts';

/** A VM type as the registry has it, with what the hosts of this control plane make of it. */
export const VmTypeView = Type.Object({
  regime: RegimeMessage,
  needs: Type.Array(
    Type.Object({
      statement: StatementId,
      atLeast: Type.Enum(['proven', 'inferred']),
      why: Type.String(),
      remedy: Type.String(),
    }),
  ),
  runners: Type.Array(
    Type.Object({
      execution: Execution,
      backend: Type.Enum(['linux', 'software']),
      requires: Type.Array(Type.String()),
      built: Type.Boolean(),
    }),
  ),
  disclaimer: Type.String(),
  hosts: Type.Array(Type.Object({ host: Name, capability: TypeCapability })),
});
export type VmTypeView = Static<typeof VmTypeView>;
