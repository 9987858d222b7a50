import { MATRIX } from '../test/boot-matrix/cases.ts';
import { emulatedBoots } from '../test/boot-matrix/emulated.ts';

/** Every kernel under every type that it may have. */
emulatedBoots(MATRIX);
