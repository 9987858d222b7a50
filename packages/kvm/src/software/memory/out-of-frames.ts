import type { KvmError } from '../../port/errors.ts';
import { ERRNO, failure } from '../../sys/errno.ts';

/** Every host frame is in use: the host memory of the software KVM is full. */
export class OutOfFramesError extends Error {
  override readonly name = 'OutOfFramesError';
  /** Frames of 4 KiB that there are in all. */
  readonly frames: number;

  constructor(frames: number) {
    super(`all ${frames} host frames of the software KVM are in use`);
    this.frames = frames;
  }
}

/** What a call of the KVM user API answers then: ENOMEM. Any other error is itself. */
export function asEnomem(call: string, error: unknown): unknown {
  return error instanceof OutOfFramesError ? enomem(call, error) : error;
}

function enomem(call: string, error: OutOfFramesError): KvmError {
  return failure(call, ERRNO.ENOMEM, error.message);
}
