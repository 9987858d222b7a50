/**
 * The guest-physical memory map, all addresses in one place. Bytes; everything below is private memory of SEV types.
 * Sources: Documentation/arch/x86/boot.rst (what a 64-bit loader sets up), zero-page.rst, the PC's usual places.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Low RAM ends here at the latest: 3–4 GiB is left to devices (IOAPIC, LAPIC, KVM's own pages). */
export const LOW_RAM_LIMIT = 3 * GIB;
/** RAM that doesn't fit below goes on from here. */
export const HIGH_RAM_BASE = 4 * GIB;

/** Conventional memory as firmware reports it: 639 KiB, the last KiB below 640 belongs to the EBDA. */
export const CONVENTIONAL_END = 0x9_fc00;
/** End of the EBDA, begin of the legacy video hole. */
export const EBDA_END = 0xa_0000;
/** RAM above the legacy hole; nothing of the boot set but page tables and parameters lies below. */
export const EXTENDED_BASE = MIB;

/** Global descriptor table for the entry; one page. Linux loads its own within its first instructions. */
export const GDT = 0x6000;
/** boot_params, "the zero page"; one page. */
export const BOOT_PARAMS = 0x7000;
/** Page tables of the entry: PML4, PDPT, one page directory a GiB. */
export const PAGE_TABLES = 0x9000;
export const PAGE_TABLES_END = 0x2_0000;
/** Command line with its NUL; room for what any kernel takes (cmdline_size is 2047 in Linux today). */
export const COMMAND_LINE = 0x2_0000;
export const COMMAND_LINE_ROOM = 64 * KIB;

/** ACPI tables, where firmware keeps them too: RSDP, XSDT, FADT, MADT, FACS, DSDT. E820 type ACPI where there are any. */
export const ACPI_TABLES = 0xe_0000;
export const ACPI_TABLES_ROOM = 64 * KIB;

/** What the entry's page tables map one to one: all of what lies below 4 GiB. startup_64 asks for no more. */
export const IDENTITY_MAPPED = 4 * GIB;

/** In-kernel interrupt controllers of KVM, at the PC's addresses. */
export const IOAPIC_BASE = 0xfec0_0000;
export const LAPIC_BASE = 0xfee0_0000;

/** KVM_SET_IDENTITY_MAP_ADDR (one page) and KVM_SET_TSS_ADDR (three): for VMX without unrestricted guest; in no memslot. */
export const KVM_IDENTITY_MAP = 0xfffb_c000;
export const KVM_TSS = 0xfffb_d000;
