/** A line of shim's `BOOTX64.CSV`: what a boot entry is to start. */
export interface BootCsvLine {
  /** A program in the same folder. */
  readonly file: string;
  readonly label: string;
  /** What it is started with: for shim, the program that it starts instead of GRUB. */
  readonly options: string;
}

/** Lines are a hundred characters; more lines are no boot entries. */
const LINE_LIMIT = 100;

/** Reads `BOOTX64.CSV`: UTF-16, `file,label,options,comment`. Never fails: what is no such line is left out. */
export function readBootCsv(bytes: Uint8Array): readonly BootCsvLine[] {
  const text = Buffer.from(bytes)
    .toString('utf16le')
    .replace(/^\uFEFF/, '');
  return text
    .split(/[\r\n\0]+/)
    .slice(0, LINE_LIMIT)
    .map((line) => line.split(','))
    .filter((fields) => (fields[0] ?? '').trim() !== '')
    .map(([file = '', label = '', options = '']) => ({ file: file.trim(), label, options: options.trim() }));
}
