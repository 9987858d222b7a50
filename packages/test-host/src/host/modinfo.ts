/**
 * What a Linux kernel module says of itself: the `.modinfo` section of its ELF file, a list of NUL-terminated
 * `key=value` strings (include/linux/moduleinfo.h; written by modpost). Debian ships no modules.dep, depmod writes it on
 * the installed system: the modules' own words make that step unnecessary.
 */

/** Names use underscores, as in /sys/module, never the dashes that file names may have. */
export interface ModuleInfo {
  readonly name: string;
  /** Names of the modules that must be inserted before. */
  readonly depends: readonly string[];
}

/** The file is not an ELF64 little-endian module, or cut short. */
export class ModuleFormatError extends Error {
  override readonly name = 'ModuleFormatError';
}

/** ELF64 header and section header fields (System V ABI, "ELF Header", "Sections"): offsets in bytes. */
const ELF = {
  magic: 0x464c457f,
  class64: 2,
  sectionTable: 0x28,
  sectionSize: 0x3a,
  sectionCount: 0x3c,
  nameTable: 0x3e,
};
const SECTION = { name: 0, offset: 0x18, size: 0x20, bytes: 0x40 };

/** Reads a decompressed module (.ko). Throws ModuleFormatError. */
export function readModinfo(module: Uint8Array): ModuleInfo {
  const view = new DataView(module.buffer, module.byteOffset, module.byteLength);
  const text = new TextDecoder().decode(section(module, view, '.modinfo'));
  const lines = text.split('\0');
  const name = value(lines, 'name');
  if (name === undefined) throw new ModuleFormatError('.modinfo has no name=');
  const depends = (value(lines, 'depends') ?? '').split(',').filter((each) => each !== '');
  return { name: moduleName(name), depends: depends.map(moduleName) };
}

/** The name in /sys/module of a module's file: `kernel/arch/x86/kvm/kvm-amd.ko.xz` → `kvm_amd`. */
export function moduleName(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  return base.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}

function value(lines: readonly string[], key: string): string | undefined {
  return lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
}

function section(module: Uint8Array, view: DataView, wanted: string): Uint8Array {
  if (view.byteLength < 0x40 || view.getUint32(0, true) !== ELF.magic || view.getUint8(4) !== ELF.class64)
    throw new ModuleFormatError('no ELF64 file');
  const table = smallOffset(view, ELF.sectionTable);
  const size = view.getUint16(ELF.sectionSize, true);
  const count = view.getUint16(ELF.sectionCount, true);
  if (size < SECTION.bytes || table + size * count > view.byteLength) throw new ModuleFormatError('sections cut short');
  const contents = (index: number): Uint8Array => {
    const start = smallOffset(view, table + index * size + SECTION.offset);
    const length = smallOffset(view, table + index * size + SECTION.size);
    if (start + length > view.byteLength) throw new ModuleFormatError('a section is cut short');
    return module.subarray(start, start + length);
  };
  const nameTable = view.getUint16(ELF.nameTable, true);
  if (nameTable >= count) throw new ModuleFormatError('no section names');
  const names = contents(nameTable);
  for (let index = 0; index < count; index++) {
    const start = view.getUint32(table + index * size + SECTION.name, true);
    const end = names.indexOf(0, start);
    if (end >= start && new TextDecoder().decode(names.subarray(start, end)) === wanted) return contents(index);
  }
  throw new ModuleFormatError(`no section ${wanted}`);
}

/** A 64-bit file offset that must fit a file we hold in memory. */
function smallOffset(view: DataView, at: number): number {
  if (view.getUint32(at + 4, true) !== 0) throw new ModuleFormatError('an offset is beyond 4 GiB');
  return view.getUint32(at, true);
}
