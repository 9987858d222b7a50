import { type ImageBoot, UnpinError } from '@unpin/contract';
import {
  bootSetOf,
  type FormatErrorKind,
  inspectKernelFile,
  readRegularFile,
  sha256,
  toUnpinError,
} from '@unpin/image';
import type { Verdict } from '@unpin/policy';

/**
 * The child in which files from outside are parsed: `inspect-child BOOT`, with an image's boot as JSON. Prints
 * `{"verdict":…}` or `{"error":…}`, one line.
 */
type LinuxBoot = Extract<ImageBoot, { kind: 'linux' }>;

/** Bytes that are read of an initrd. */
const INITRD_LIMIT = 1024 * 1_048_576;

/** A file with these is no kernel that could boot. With the others it may be one: then nothing is known of it. */
const NO_KERNEL: ReadonlySet<FormatErrorKind> = new Set(['not-a-kernel', 'truncated', 'malformed', 'not-64-bit']);

function inspect(boot: LinuxBoot): Verdict {
  const { commandLine } = boot;
  const { verdict, problem } = inspectKernelFile(boot.kernel, commandLine === undefined ? {} : { commandLine });
  if (problem !== undefined && NO_KERNEL.has(problem.kind)) throw toUnpinError(problem, boot.kernel);
  if (boot.initrd === undefined) return verdict;
  const bytes = readRegularFile(boot.initrd, INITRD_LIMIT);
  const initrd = { name: boot.initrd, sha256: sha256(bytes), bytes: bytes.length };
  return { ...verdict, bootSet: bootSetOf(verdict.bootSet.kernel, initrd, commandLine) };
}

// Ctrl-C reaches the whole group; whether this inspection goes on is the agent's to say, by SIGKILL.
process.on('SIGINT', () => {}).on('SIGTERM', () => {});

let answer: unknown;
try {
  answer = { verdict: inspect(JSON.parse(process.argv[2] ?? '') as LinuxBoot) };
} catch (error) {
  answer = { error: UnpinError.from(error).toBody() };
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
