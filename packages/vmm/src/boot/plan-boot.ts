import type { GpaRange } from '@unpin/kvm';
import type { AcpiTables } from './acpi/acpi-tables.ts';
import { BootError } from './boot-error.ts';
import { bootParams, checkSetupHeader, commandLineLimit } from './boot-params.ts';
import { commandLineBytes } from './command-line.ts';
import { gdtBytes } from './cpu-entry.ts';
import { e820Table } from './e820.ts';
import { placeInitrd } from './initrd-place.ts';
import * as layout from './layout.ts';
import { pageTables } from './page-tables.ts';
import { type BootPlan, checkedPieces, piece } from './plan.ts';

/** A loadable segment of a vmlinux, at its physical address. */
export interface KernelSegment {
  readonly paddr: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory; what the file doesn't have is zero. */
  readonly memsz: number;
}

/** What direct boot needs to know of a kernel. */
export interface BootKernel {
  readonly segments: readonly KernelSegment[];
  /** Physical address of startup_64. */
  readonly entry: number;
  /** The bzImage's bytes from 0x1f1 to the end of the setup header, or null for a bare vmlinux. */
  readonly setupHeader: Uint8Array | null;
}

export interface BootInputs {
  readonly kernel: BootKernel;
  /** The initrd as it is in its file, or null. */
  readonly initrd: Uint8Array | null;
  readonly commandLine: string;
  /** From ramRanges. */
  readonly ram: readonly GpaRange[];
  readonly cBit: number | null;
  /** From acpiTables, or null: then the guest finds neither its IOAPIC nor a way to switch off, and parks instead. */
  readonly acpi: AcpiTables | null;
}

/**
 * Lays a Linux kernel out for its 64-bit entry (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"), skipping
 * the bzImage's own stub: that one loads CR3 without the C bit, which only real firmware state survives.
 * Pure: the same inputs give the same bytes, so a launch measurement can be computed ahead.
 * @throws BootError
 */
export function planBoot(inputs: BootInputs): BootPlan {
  const { kernel, ram, cBit, acpi } = inputs;
  checkEntry(kernel);
  if (kernel.setupHeader !== null) checkSetupHeader(kernel.setupHeader);

  const tables = pageTables([{ va: 0, gpa: 0, size: layout.IDENTITY_MAPPED, view: 'private' }], cBit, {
    gpa: layout.PAGE_TABLES,
    size: layout.PAGE_TABLES_END - layout.PAGE_TABLES,
  });
  const gdt = gdtBytes();
  const line = commandLineBytes(inputs.commandLine, commandLineLimit(kernel.setupHeader));
  const fixed = [
    piece('GDT', layout.GDT, gdt),
    piece('page tables', tables.gpa, tables.bytes),
    piece('command line', layout.COMMAND_LINE, line),
    ...kernel.segments.map((segment, index) =>
      piece(`kernel segment ${index}`, segment.paddr, segment.bytes, segment.memsz),
    ),
    ...(acpi === null ? [] : [piece('ACPI tables', acpi.gpa, acpi.bytes)]),
  ];
  const initrd = initrdPiece(inputs.initrd, ram, checkedPieces(fixed, ram));
  const params = bootParams({
    setupHeader: kernel.setupHeader,
    commandLineGpa: layout.COMMAND_LINE,
    initrd: initrd === null ? null : { gpa: initrd.gpa, size: initrd.bytes.length },
    e820: e820Table(ram, acpi === null ? null : { gpa: layout.ACPI_TABLES, size: layout.ACPI_TABLES_ROOM }),
    rsdpGpa: acpi?.rsdpGpa ?? null,
  });
  const all = [...fixed, piece('boot_params', layout.BOOT_PARAMS, params), ...(initrd === null ? [] : [initrd])];
  return {
    pieces: checkedPieces(all, ram),
    entry: {
      rip: kernel.entry,
      rsi: layout.BOOT_PARAMS,
      rsp: 0,
      cr3: tables.cr3,
      gdt: { gpa: layout.GDT, limit: gdt.length - 1 },
    },
    ram,
    cBit,
  };
}

/** An empty initrd is none. It stays out of everything below 1 MiB. */
function initrdPiece(bytes: Uint8Array | null, ram: readonly GpaRange[], taken: readonly GpaRange[]) {
  if (bytes === null || bytes.length === 0) return null;
  const low = { gpa: 0, size: layout.EXTENDED_BASE };
  return piece('initrd', placeInitrd(bytes.length, ram, [low, ...taken]), bytes);
}

function checkEntry(kernel: BootKernel): void {
  const inside = kernel.segments.some(
    ({ paddr, bytes }) => kernel.entry >= paddr && kernel.entry < paddr + bytes.length,
  );
  if (!inside)
    throw new BootError(
      'bad-entry',
      `an entry at 0x${kernel.entry.toString(16)}`,
      'one inside a kernel segment is needed',
    );
}
