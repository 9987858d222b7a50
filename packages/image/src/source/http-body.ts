import { HttpFailure } from './http-error.ts';

/**
 * The body of an answer, at most `length` bytes. Each part must come within `stallMilliseconds` of the one before.
 * @returns what came; less than `length` where the connection ended early
 * @throws HttpFailure where the body is longer than asked for
 */
export async function readBody(
  response: Response,
  length: number,
  stallMilliseconds: number,
  deadline: number,
): Promise<Uint8Array> {
  const out = Buffer.allocUnsafeSlow(length);
  const reader = response.body?.getReader();
  if (reader === undefined) return out.subarray(0, 0);
  let done = 0;
  try {
    for (;;) {
      const left = Math.min(stallMilliseconds, deadline - Date.now());
      const part = await within(reader.read(), left);
      // A connection that broke: what came of it counts, the rest is asked for again.
      if (part === undefined || part.done) return out.subarray(0, done);
      if (done + part.value.length > length) throw new HttpFailure('sends more than it was asked for', false);
      out.set(part.value, done);
      done += part.value.length;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** What the promise brings, undefined where it fails or takes longer. */
async function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, milliseconds), undefined);
  });
  try {
    return await Promise.race([promise.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
