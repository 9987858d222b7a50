import { fileURLToPath } from 'node:url';

export { farewell, runningVms, type Survivor } from './survivors.ts';

/** The line that an agent prints when its control plane knows it. */
export interface AgentReadyLine {
  readonly ready: { readonly host: string; readonly pid: number; readonly socketPath: string };
}

/** The program of the agent's process: `--control URL --host NAME --state-dir DIR --vmm PROGRAM [--log-level LEVEL]`. */
export function agentProgram(): string {
  return fileURLToPath(new URL(`./main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}
