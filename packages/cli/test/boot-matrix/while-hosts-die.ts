import { UnpinError } from '@unpin/contract';

/** Emulated hosts die now and then. What one left open is asked again in another, so often. */
export const ATTEMPTS = 3;

/** What `work` answers in the first test host that lives; what else goes wrong is thrown. */
export async function whileHostsDie<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !reportDeadHost(error)) throw error;
    }
}

/** Whether an error is a test host's death: then it is told on standard error. */
export function reportDeadHost(error: unknown): boolean {
  if (!(error instanceof UnpinError) || error.code !== 'TEST_HOST_FAILED') return false;
  process.stderr.write(`${error.message}\n`);
  return true;
}
