/** EFI programs with what they are told by, and nothing else. */
import { efiProgram } from '../image-set/pe.ts';

/** A section of modules as GRUB's own tools fill it: a header, then objects of a kind and a size. */
function modules(objects: readonly (readonly [kind: number, bytes: Buffer])[]): Buffer {
  const parts = objects.map(([kind, bytes]) => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(kind, 0);
    header.writeUInt32LE(8 + bytes.length, 4);
    return Buffer.concat([header, bytes]);
  });
  const all = Buffer.concat(parts);
  const info = Buffer.alloc(24);
  info.writeUInt32LE(0x676d696d, 0);
  info.writeUInt32LE(24, 8);
  info.writeUInt32LE(24 + all.length, 16);
  return Buffer.concat([info, all]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`.padEnd(Math.ceil((value.length + 1) / 8) * 8, '\0'));
}

/** GRUB with its prefix, and a script of its own. */
export function grubProgram(prefix: string, script?: string): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(64, 0xf4)],
    [
      'mods',
      modules([
        [0, Buffer.from('a module, not looked at.')],
        [3, text(prefix)],
        ...(script === undefined ? [] : ([[2, text(script)]] as const)),
      ]),
    ],
  ]);
}

export function systemdBootProgram(): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(64, 0xf4)],
    ['.sdmagic', '#### LoaderInfo: systemd-boot 257.8-1 ####\0'],
  ]);
}

/** Shim's sections have names that need a string table, as in the real one. */
export function shimProgram(): Buffer {
  const program = efiProgram([
    ['.text', Buffer.alloc(64, 0xf4)],
    ['/4', 'the certificate of a vendor'],
    ['.sbat', 'sbat,1,SBAT Version\nshim,4,UEFI shim,shim,1,https://github.com/rhboot/shim\n'],
  ]);
  const strings = Buffer.concat([Buffer.alloc(4), Buffer.from('.vendor_cert\0')]);
  strings.writeUInt32LE(strings.length, 0);
  const pe = program.readUInt32LE(0x3c);
  program.writeUInt32LE(program.length, pe + 12);
  return Buffer.concat([program, strings]);
}

/** One of shim's two helpers. */
export function shimHelper(): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(64, 0xf4)],
    ['.sbat', 'sbat,1,SBAT Version\nshim,4,UEFI shim,shim,1,https://github.com/rhboot/shim\n'],
  ]);
}

export function otherProgram(words: string): Buffer {
  return efiProgram([
    ['.text', Buffer.alloc(64, 0xf4)],
    ['.rodata', words],
  ]);
}

/** `BOOTX64.CSV`, in UTF-16 as firmware's strings are. */
export function bootCsv(line: string): Buffer {
  return Buffer.from(`\uFEFF${line}\n`, 'utf16le');
}
