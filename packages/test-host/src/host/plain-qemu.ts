import { assetFolder, requireAssets } from '../debian/fetch.ts';
import { qemuEnvironment } from './qemu-command.ts';
import { qemuProgram } from './qemu-program.ts';

export interface QemuInvocation {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * How to start the fetched QEMU with arguments of one's own: as a peer to measure with, or an oracle.
 * @throws UnpinError TEST_HOST_MISSING
 */
export function plainQemu(args: readonly string[]): QemuInvocation {
  requireAssets(['qemu']);
  const program = qemuProgram(assetFolder('qemu'));
  return {
    program: program.loader,
    args: [
      '--library-path',
      program.libraries.join(':'),
      program.binary,
      ...program.firmware.flatMap((folder) => ['-L', folder]),
      ...args,
    ],
    env: qemuEnvironment(program),
  };
}
