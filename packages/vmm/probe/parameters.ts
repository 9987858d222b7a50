import { type GpaRange, PAGE_BYTES } from '@unpin/kvm';
import {
  CHANNELS,
  type Channel,
  FLAVOURS,
  type Flavour,
  GUEST_SEED,
  HOST_SEED,
  MAGIC,
  NO_C_BIT,
  PARAMETER,
  SHARED_WINDOW,
} from './layout.ts';

/** What a probe is told. */
export interface ProbeParameters {
  readonly flavour: Flavour;
  readonly channel: Channel;
  readonly touch: { readonly low: GpaRange; readonly high: GpaRange };
  /** Pages exchanged with the host, 0 for none. */
  readonly exchangePages: number;
  readonly cBit: number | null;
  /** How often the exchanged pages are shared and taken back afterwards. */
  readonly rounds: number;
  /** How many plain exits it makes. */
  readonly exits: number;
}

/** The parameter page: 4096 bytes. */
export function parameterPage(parameters: ProbeParameters): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  const u64 = (offset: number, value: number | bigint) => view.setBigUint64(offset, BigInt(value), true);
  u64(PARAMETER.magic, MAGIC);
  view.setUint32(PARAMETER.flavour, FLAVOURS.indexOf(parameters.flavour), true);
  view.setUint32(PARAMETER.channel, CHANNELS.indexOf(parameters.channel), true);
  u64(PARAMETER.sharedWindow, SHARED_WINDOW);
  u64(PARAMETER.touchLowGpa, parameters.touch.low.gpa);
  u64(PARAMETER.touchLowSize, parameters.touch.low.size);
  u64(PARAMETER.touchHighGpa, parameters.touch.high.gpa);
  u64(PARAMETER.touchHighSize, parameters.touch.high.size);
  u64(PARAMETER.exchangePages, parameters.exchangePages);
  u64(PARAMETER.guestSeed, GUEST_SEED);
  u64(PARAMETER.hostSeed, HOST_SEED);
  u64(PARAMETER.cBit, parameters.cBit ?? NO_C_BIT);
  u64(PARAMETER.rounds, parameters.rounds);
  u64(PARAMETER.exits, parameters.exits);
  return page;
}
