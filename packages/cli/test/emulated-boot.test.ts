import { emulatedBoots, emulatedLegacy } from './boot-matrix/emulated.ts';

/** The others are in packages/cli/soak. */
emulatedBoots([
  { kernel: 'kernel-6.12-cloud', type: 'standard' },
  { kernel: 'kernel-6.12-cloud', type: 'sev' },
  { kernel: 'kernel-6.12-cloud', type: 'sev-upm' },
  { kernel: 'kernel-6.1-cloud', type: 'sev-upm' },
  { kernel: 'kernel-5.10-cloud', type: 'sev' },
]);

emulatedLegacy();
