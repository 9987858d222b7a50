import { MATRIX } from '../test/boot-matrix/cases.ts';
import { emulatedBoots } from '../test/boot-matrix/emulated.ts';

/** Every kernel under every type that it may have, and on probation. */
emulatedBoots([
  ...MATRIX,
  { kernel: 'kernel-5.10-cloud', type: 'sev-upm', args: ['--probation'] },
  { kernel: 'kernel-6.12-cloud', type: 'sev-upm', args: ['--probation'] },
]);
