/** A machine that holds bare-image.ts, as fast as it can be used: no RegisterFile a case. */
export interface BareMachine {
  readonly name: string;
  /** Guest-physical. What was translated from code that is overwritten is forgotten. */
  write(address: number, bytes: Uint8Array): void;
  /** Guest-physical, bytes that nothing executes. */
  writeData(address: number, bytes: Uint8Array): void;
  read(address: number, into: Uint8Array): void;
  /** 16 general registers as 32 words (low, high), in the encodings' order. */
  setGprs(words: Uint32Array): void;
  getGprs(words: Uint32Array): void;
  cr2(): bigint;
  /**
   * Runs from this linear address in supervisor mode until the HLT that every exception of the image ends in. Answers
   * undefined, or in words why it never gets there (an instruction that the machine can't run).
   */
  runToHalt(rip: bigint): string | undefined;
  close(): void;
}
