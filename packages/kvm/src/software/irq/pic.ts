import { PicChip } from './pic-chip.ts';

export const PIC_LINES = 16;

/** Where the slave hangs on the master. */
const CASCADE = 2;
/** Timer, keyboard and cascade, on the slave RTC and FPU, are always edge-triggered. */
const MASTER_ELCR = 0xf8;
const SLAVE_ELCR = 0xde;

export interface PicOptions {
  /** The end of a line's interrupt, 0 to 15. */
  acked(line: number): void;
  /** A guest masked or unmasked a line. */
  masked(line: number, isMasked: boolean): void;
}

/** Both chips, for a snapshot: struct kvm_pic_state of each, and the INTR line as it stands. */
export interface PicState {
  readonly master: Uint8Array;
  readonly slave: Uint8Array;
  readonly output: boolean;
}

/** A port of the pair: which chip, and its even or odd port; or a chip's edge/level control register. */
type PicPort = { readonly chip: 'master' | 'slave'; readonly register: 0 | 1 | 'elcr' };

const PORTS: ReadonlyMap<number, PicPort> = new Map<number, PicPort>([
  [0x20, { chip: 'master', register: 0 }],
  [0x21, { chip: 'master', register: 1 }],
  [0xa0, { chip: 'slave', register: 0 }],
  [0xa1, { chip: 'slave', register: 1 }],
  [0x4d0, { chip: 'master', register: 'elcr' }],
  [0x4d1, { chip: 'slave', register: 'elcr' }],
]);

/** The two 8259As of a PC and their edge/level control registers. */
export class Pic {
  readonly #master: PicChip;
  readonly #slave: PicChip;
  #output = false;

  constructor(options: PicOptions) {
    const settle = (): void => this.#settle();
    this.#master = new PicChip({ ...options, elcrMask: MASTER_ELCR, cascade: 1 << CASCADE, polled: () => {}, settle });
    this.#slave = new PicChip({
      elcrMask: SLAVE_ELCR,
      cascade: 0,
      acked: (line) => options.acked(line + 8),
      masked: (line, isMasked) => options.masked(line + 8, isMasked),
      polled: () => this.#master.dropCascade(),
      settle,
    });
  }

  /** The INTR line: a vCPU that hears it should acknowledge. */
  get intr(): boolean {
    return this.#output;
  }

  /** Whether an access of `size` bytes is the pair's: KVM takes those that lie within two neighbouring ports. */
  static hasPort(port: number, size: number): boolean {
    return PORTS.has(port) && PORTS.has(port + size - 1) && size <= 2;
  }

  setLine(line: number, level: boolean): void {
    if (line < 8) this.#master.setLine(line, level);
    else this.#slave.setLine(line - 8, level);
    this.#settle();
  }

  /** The processor's acknowledge cycle: the vector to inject. Line 7 of either chip where the request is gone. */
  acknowledge(): number {
    const line = this.#master.acknowledge();
    const vector = line === CASCADE ? this.#slave.vectorOf(this.#slave.acknowledge()) : this.#master.vectorOf(line);
    this.#settle();
    return vector;
  }

  /** Registers are bytes: a wider access reads 0. */
  read(port: number, data: Uint8Array): void {
    data.fill(0);
    const at = PORTS.get(port);
    if (at === undefined || data.length !== 1) return;
    const chip = this.#chip(at.chip);
    data[0] = at.register === 'elcr' ? chip.elcr : chip.read(at.register);
  }

  /** A wider write is dropped. */
  write(port: number, data: Uint8Array): void {
    const at = PORTS.get(port);
    const [value = 0] = data;
    if (at === undefined || data.length !== 1) return;
    const chip = this.#chip(at.chip);
    if (at.register === 'elcr') chip.elcr = value;
    else chip.write(at.register, value);
  }

  /** struct kvm_pic_state of one chip. */
  save(chip: 'master' | 'slave'): Uint8Array {
    return this.#chip(chip).save();
  }

  restore(chip: 'master' | 'slave', bytes: Uint8Array): void {
    this.#chip(chip).restore(bytes);
    this.#settle();
  }

  state(): PicState {
    return { master: this.#master.save(), slave: this.#slave.save(), output: this.#output };
  }

  /** As it was: nobody looks again what is wanted. */
  resume({ master, slave, output }: PicState): void {
    this.#master.restore(master);
    this.#slave.restore(slave);
    this.#output = output;
  }

  #chip(name: 'master' | 'slave'): PicChip {
    return name === 'master' ? this.#master : this.#slave;
  }

  /** The slave's request is an edge on the master each time it is looked at, as KVM has it: none is ever lost. */
  #settle(): void {
    if (this.#slave.request() >= 0) {
      this.#master.setLine(CASCADE, true);
      this.#master.setLine(CASCADE, false);
    }
    this.#output = this.#master.request() >= 0;
  }
}
