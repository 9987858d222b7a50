import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GpaRange, PAGE_BYTES } from '@unpin/kvm';
import { BootError } from '../src/boot/boot-error.ts';
import { gdtBytes } from '../src/boot/cpu-entry.ts';
import { GDT, HIGH_RAM_BASE } from '../src/boot/layout.ts';
import { pageTables, type Window } from '../src/boot/page-tables.ts';
import { type BootPlan, checkedPieces, piece } from '../src/boot/plan.ts';
import * as layout from './layout.ts';
import { parameterPage } from './parameters.ts';

export interface ProbeOptions {
  /** From ramRanges; at least 4 MiB. */
  readonly ram: readonly GpaRange[];
  readonly cBit: number | null;
  readonly flavour: layout.Flavour;
  /** Ignored by the silent flavour, which never reports. */
  readonly channel: layout.Channel;
  /** Private memory to touch, in bytes: a multiple of 4096. */
  readonly touchBytes: number;
  /** 0–64; 2 unless told otherwise. */
  readonly exchangePages?: number;
  readonly rounds?: number;
  readonly exits?: number;
}

const LARGE_PAGE = 2 * 1024 * 1024;
const DEFAULT_EXCHANGE_PAGES = 2;

/**
 * Lays the probe guest out, as planBoot does a kernel.
 * @throws BootError `memory-size` where there is less RAM than is to be touched, `bad-mapping` where the page tables for
 * it don't fit (above about 140 GiB)
 */
export function planProbe(options: ProbeOptions): BootPlan {
  const { ram, cBit, flavour } = options;
  const exchangePages = options.exchangePages ?? DEFAULT_EXCHANGE_PAGES;
  if (!Number.isInteger(exchangePages) || exchangePages < 0 || exchangePages > layout.EXCHANGE_PAGES_MAX)
    throw new RangeError(`${exchangePages} pages to exchange; 0 to ${layout.EXCHANGE_PAGES_MAX} can be`);
  const touch = touchedRanges(ram, options.touchBytes);
  const tables = pageTables(windows(touch), cBit, {
    gpa: layout.PAGE_TABLES,
    size: layout.PAGE_TABLES_END - layout.PAGE_TABLES,
  });
  const parameters = parameterPage({
    flavour,
    channel: flavour === 'silent' ? 'none' : options.channel,
    touch,
    exchangePages,
    cBit,
    rounds: options.rounds ?? 0,
    exits: options.exits ?? 0,
  });
  const gdt = gdtBytes();
  return {
    pieces: checkedPieces(
      [
        piece('GDT', GDT, gdt),
        piece('page tables', tables.gpa, tables.bytes),
        piece('probe code', layout.CODE, probeCode(), layout.CODE_ROOM),
        piece('probe parameters', layout.PARAMETERS, parameters),
      ],
      ram,
    ),
    entry: {
      rip: layout.CODE,
      rsi: layout.PARAMETERS,
      rsp: layout.STACK_TOP,
      cr3: tables.cr3,
      gdt: { gpa: GDT, limit: gdt.length - 1 },
    },
    ram,
    cBit,
  };
}

/** The assembled probe.asm. */
export function probeCode(): Uint8Array {
  return readFileSync(join(import.meta.dirname, 'probe.bin'));
}

/** Low RAM from TOUCH on first, then high RAM. */
function touchedRanges(ram: readonly GpaRange[], bytes: number): { readonly low: GpaRange; readonly high: GpaRange } {
  const lowEnd = ram.find((range) => range.gpa === 0)?.size ?? 0;
  const highSize = ram.find((range) => range.gpa === HIGH_RAM_BASE)?.size ?? 0;
  const low = Math.min(bytes, Math.max(0, lowEnd - layout.TOUCH));
  if (bytes % PAGE_BYTES !== 0 || bytes < 0 || lowEnd < layout.TOUCH || bytes - low > highSize)
    throw new BootError(
      'memory-size',
      `${bytes} bytes to touch`,
      `a multiple of 4096, at most ${Math.max(0, lowEnd - layout.TOUCH) + highSize} in this memory, is needed`,
    );
  return { low: { gpa: layout.TOUCH, size: low }, high: { gpa: HIGH_RAM_BASE, size: bytes - low } };
}

/** Everything that the probe uses at its own address, and the exchanged pages without the C bit. */
function windows(touch: { readonly low: GpaRange; readonly high: GpaRange }): readonly Window[] {
  return [
    { va: 0, gpa: 0, size: wholeLargePages(touch.low.gpa + touch.low.size), view: 'private' },
    { va: touch.high.gpa, gpa: touch.high.gpa, size: wholeLargePages(touch.high.size), view: 'private' },
    { va: layout.SHARED_WINDOW, gpa: 0, size: layout.SHARED_WINDOW_SIZE, view: 'shared' },
  ];
}

function wholeLargePages(size: number): number {
  return Math.ceil(size / LARGE_PAGE) * LARGE_PAGE;
}
