/** The smallest user space there is: process 1 says that it is there and switches the machine off. Needs no asset. */
import { cpioArchive } from './newc.ts';

/** What process 1 writes to the console. */
export const TINY_INIT_LINE = 'unpin guest: user space is up\n';

const BASE = 0x40_0000;
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
/** Of the message, from the end of the LEA that names it. */
const LEA_END = 17;

/** An initrd for kernels of x86-64. */
export function tinyInitrd(): Buffer {
  return cpioArchive([
    { kind: 'directory', path: 'dev' },
    { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'init', mode: 0o755, data: tinyInit() },
  ]);
}

/** write(1, line), sync(), reboot(POWER_OFF) as a static ELF64 of one segment (System V ABI, AMD64 supplement). */
export function tinyInit(): Buffer {
  const message = Buffer.from(TINY_INIT_LINE);
  const code = (messageAt: number): number[] =>
    [
      [0xb8, ...le32(1)], // mov eax, write
      [0xbf, ...le32(1)], // mov edi, standard output
      [0x48, 0x8d, 0x35, ...le32(messageAt - LEA_END)], // lea rsi, [rip + message]
      [0xba, ...le32(message.length)], // mov edx, length
      SYSCALL,
      [0xb8, ...le32(162), ...SYSCALL], // sync
      [0xb8, ...le32(169)], // mov eax, reboot
      [0xbf, ...le32(0xfee1_dead)], // LINUX_REBOOT_MAGIC1
      [0xbe, ...le32(0x2812_1969)], // LINUX_REBOOT_MAGIC2
      [0xba, ...le32(0x4321_fedc)], // LINUX_REBOOT_CMD_POWER_OFF
      SYSCALL,
      [0xeb, 0xfe], // jmp $
    ].flat();
  const text = Buffer.from(code(code(0).length));
  const size = EHDR_BYTES + PHDR_BYTES + text.length + message.length;
  return Buffer.concat([elfHeader(), programHeader(size), text, message]);
}

const SYSCALL = [0x0f, 0x05];

function le32(value: number): number[] {
  return [...new Uint8Array(Uint32Array.of(value).buffer)];
}

function elfHeader(): Buffer {
  const header = Buffer.alloc(EHDR_BYTES);
  // 64-bit, little-endian, version 1.
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(62, 18); // EM_X86_64
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(BASE + EHDR_BYTES + PHDR_BYTES, 24); // e_entry
  header.writeUInt32LE(EHDR_BYTES, 32); // e_phoff
  header.writeUInt16LE(EHDR_BYTES, 52);
  header.writeUInt16LE(PHDR_BYTES, 54);
  header.writeUInt16LE(1, 56); // e_phnum
  return header;
}

function programHeader(size: number): Buffer {
  const header = Buffer.alloc(PHDR_BYTES);
  header.writeUInt32LE(1, 0); // PT_LOAD
  header.writeUInt32LE(5, 4); // read, execute
  header.writeUInt32LE(BASE, 16); // p_vaddr
  header.writeUInt32LE(BASE, 24); // p_paddr
  header.writeUInt32LE(size, 32); // p_filesz
  header.writeUInt32LE(size, 40); // p_memsz
  header.writeUInt32LE(0x1000, 48); // p_align
  return header;
}
