import type { IoApic } from './io-apic.ts';
import { IOAPIC_PINS } from './io-apic.ts';
import { PIC_LINES, type Pic } from './pic.ts';

/** Who holds a line up: a line is up while anybody does. */
export const LINE_SOURCE = { userSpace: 0, resample: 1, pit: 2 } as const;
export type LineSource = (typeof LINE_SOURCE)[keyof typeof LINE_SOURCE];

export type Chip = 'pic' | 'io-apic';

export interface Route {
  readonly gsi: number;
  readonly chip: Chip;
  readonly pin: number;
}

/**
 * Where KVM's interrupt lines (GSIs) lead by default: 0 to 15 to the 8259 pair and the IOAPIC, 16 to 23 to the IOAPIC
 * alone, each to the pin of its own number. The PIT's line 0 is at IOAPIC pin 0, too: pin 2, where PCs have it, is what
 * QEMU sets by KVM_SET_GSI_ROUTING, which the port doesn't have. The VMM's MADT says so to the guest.
 */
export const DEFAULT_ROUTES: readonly Route[] = [
  ...Array.from({ length: PIC_LINES }, (_, gsi): Route => ({ gsi, chip: 'pic', pin: gsi })),
  ...Array.from({ length: IOAPIC_PINS }, (_, gsi): Route => ({ gsi, chip: 'io-apic', pin: gsi })),
];

/** Who holds which pin up, for a snapshot. */
export interface RoutingState {
  readonly pic: Uint8Array;
  readonly ioApic: Uint8Array;
}

/** Interrupt lines, from GSIs to the pins of the chips. */
export class Routing {
  readonly #pic: Pic;
  readonly #ioApic: IoApic;
  readonly #routes: readonly Route[];
  readonly #byGsi: readonly (readonly Route[])[];
  /** Who holds each pin up: a bit a source. */
  readonly #held: Record<Chip, Uint8Array> = { pic: new Uint8Array(PIC_LINES), 'io-apic': new Uint8Array(IOAPIC_PINS) };

  constructor(pic: Pic, ioApic: IoApic, routes: readonly Route[] = DEFAULT_ROUTES) {
    this.#pic = pic;
    this.#ioApic = ioApic;
    this.#routes = routes;
    const gsis = Math.max(...routes.map(({ gsi }) => gsi)) + 1;
    this.#byGsi = Array.from({ length: gsis }, (_, gsi) => routes.filter((route) => route.gsi === gsi));
  }

  /** One source raises or lowers a line; a GSI that leads nowhere is no error, as in KVM. */
  setLine(gsi: number, source: LineSource, level: boolean): void {
    for (const { chip, pin } of this.#byGsi[gsi] ?? []) {
      const held = this.#held[chip];
      const before = held[pin] ?? 0;
      const after = level ? before | (1 << source) : before & ~(1 << source);
      held[pin] = after;
      if (chip === 'pic') this.#pic.setLine(pin, after !== 0);
      else this.#ioApic.setLine(pin, after !== 0);
    }
  }

  /** Up and down: an edge. */
  pulse(gsi: number, source: LineSource): void {
    this.setLine(gsi, source, true);
    this.setLine(gsi, source, false);
  }

  state(): RoutingState {
    return { pic: this.#held.pic.slice(), ioApic: this.#held['io-apic'].slice() };
  }

  /** The chips know their lines by themselves. */
  resume({ pic, ioApic }: RoutingState): void {
    this.#held.pic.set(pic);
    this.#held['io-apic'].set(ioApic);
  }

  /** The GSI that leads to a pin, or -1. */
  gsiOf(chip: Chip, pin: number): number {
    return this.#routes.find((route) => route.chip === chip && route.pin === pin)?.gsi ?? -1;
  }
}
