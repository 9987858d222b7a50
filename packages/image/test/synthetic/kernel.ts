/**
 * A small image with the shape of a vmlinux: text with the code that is looked for, strings, symbols, type information.
 * Each part can be left out, so that every signal's absence can be tried.
 */
import { btfSection } from './btf-section.ts';
import { type ElfPart, elfImage } from './elf-image.ts';
import { kallsymsTables, type Layout, type TestSymbol } from './kallsyms-tables.ts';
import { u8, u32 } from './little-endian.ts';

export const TEXT = 0xffffffff81000000n;
const RODATA = 0xffffffff81100000n;
const BTF = 0xffffffff81200000n;
export const INIT = 0xffffffff81300000n;

const RETURN = u8(0xc3);
const nops = (count: number): Buffer => Buffer.alloc(count, 0x90);

export interface KernelTraits {
  /** The function that reports: the upstream form, the one before upstream (no mask), or none. */
  readonly reportingCode?: 'masked' | 'unmasked' | 'none';
  readonly reportingCopies?: number;
  readonly hook?: 'installs' | 'installs-later' | 'installs-earlier' | 'none';
  readonly callSite?: boolean;
  readonly symbols?: Layout | 'none';
  readonly reportingSymbol?: boolean;
  readonly installerSymbol?: boolean;
  readonly prototype?: 'size' | 'npages' | 'none';
  readonly rangeCall?: 'size' | 'pages' | 'none';
  readonly sev?: 'both' | 'code' | 'text' | 'none';
  readonly sevEs?: boolean;
  readonly snp?: boolean;
  readonly banner?: string | undefined;
  readonly sections?: boolean;
}

export const BANNER = 'Linux version 6.0-test (nobody@nowhere) (gcc 1.0) #1 SMP\n';

/** The bytes of an ELF with these traits; by default an up-to-date kernel with everything. */
export function syntheticKernel(traits: KernelTraits = {}): Buffer {
  const text = new Code(TEXT);
  text.label('_text', nops(512));
  const { reportingCode = 'masked', reportingCopies = 1 } = traits;
  if (reportingCode !== 'none')
    for (let i = 0; i < reportingCopies; i++)
      text.label(i === 0 ? 'reporter' : `reporter${i}`, reporter(reportingCode === 'masked'));
  text.label('other', Buffer.concat([nops(200), RETURN]));
  const sev = traits.sev ?? 'both';
  if (sev === 'both' || sev === 'code')
    text.label('sme_enable', Buffer.concat([u8(0xb9, 0x31, 0x01, 0x01, 0xc0, 0x0f, 0x32), RETURN]));
  if (traits.sevEs ?? true) text.label('es_call', Buffer.concat([u8(0xf3, 0x0f, 0x01, 0xd9), RETURN]));
  if (traits.snp ?? true) text.label('pvalidate', Buffer.concat([u8(0xf2, 0x0f, 0x01, 0xff), RETURN]));

  const init = new Code(INIT);
  init.label('kvm_init_platform', installer(traits, text));

  const strings = [
    traits.callSite === false ? '' : 'kpte lookup for vaddr',
    sev === 'both' || sev === 'text' ? '\u0001c SEV' : '',
    traits.sevEs === false ? '' : 'SEV: Failure in communication with VMM (exit-code 0x%02lx)',
    traits.snp === false ? '' : '6SEV: Using SNP CPUID table, %d entries present.',
    'banner' in traits ? (traits.banner ?? '') : BANNER,
  ];
  const rodata = Buffer.from(`Linux version %s\0${strings.map((text) => `${text}\0`).join('')}`, 'latin1');
  const tableAt = BigInt(Math.ceil(rodata.length / 16) * 16);
  const symbols = symbolsOf(traits, text, init);
  const layout = traits.symbols ?? 'after';
  const tables =
    layout === 'none' ? Buffer.alloc(0) : kallsymsTables(symbols, layout, 'absolute-percpu', RODATA + tableAt);
  const parts: ElfPart[] = [
    { name: '.text', vaddr: TEXT, bytes: text.bytes, sectionFlags: 6, segmentFlags: 5, memsz: 0x100000 },
    {
      name: '.rodata',
      vaddr: RODATA,
      bytes: Buffer.concat([rodata, Buffer.alloc(Number(tableAt) - rodata.length), tables]),
      segmentFlags: 4,
      memsz: 0x100000,
    },
    // As in 7.x: a segment with init code that is not marked executable.
    { name: '.init.text', vaddr: INIT, bytes: init.bytes, sectionFlags: 6, segmentFlags: 6, memsz: 0x100000 },
  ];
  const prototype = traits.prototype ?? 'size';
  if (prototype !== 'none')
    parts.push({ name: '.BTF', vaddr: BTF, bytes: btfSection({ enc_dec_hypercall: ['vaddr', prototype, 'enc'] }) });
  return elfImage(parts, { sections: traits.sections ?? true });
}

/** shl rdx, 4; [and edx, 0xff0]; mov eax, 12; mov rbx, rdi; vmmcall; ret */
function reporter(masked: boolean): Buffer {
  return Buffer.concat([
    u8(0x48, 0xc1, 0xe2, 0x04),
    masked ? u8(0x81, 0xe2, 0xf0, 0x0f, 0, 0) : u8(),
    u8(0xb8, 12, 0, 0, 0, 0x48, 0x89, 0xfb, 0x0f, 0x01, 0xd9),
    RETURN,
  ]);
}

function installer(traits: KernelTraits, text: Code): Buffer {
  const { hook = 'installs', rangeCall = 'size' } = traits;
  const parts = [nops(16)];
  if (hook !== 'none') {
    const label = { installs: 'reporter', 'installs-later': 'other', 'installs-earlier': '_text' }[hook];
    const target = text.address(label) ?? TEXT;
    // test eax, 0x20000; je; mov qword [rip + …], target
    parts.push(u8(0xa9, 0, 0, 2, 0, 0x74, 0x7f, 0x48, 0xc7, 0x05), u32(0x1234, Number(target & 0xffffffffn)));
  }
  if (rangeCall === 'size') parts.push(u8(0x48, 0x81, 0xee), u32(0x81600000));
  if (rangeCall === 'pages') parts.push(u8(0x48, 0x81, 0xee), u32(0x81600000), u8(0x48, 0xc1, 0xee, 0x0c));
  parts.push(u8(0xe8), u32(0), u8(0xb9, 0x08, 0x4d, 0x56, 0x4b, 0x0f, 0x30), RETURN);
  return Buffer.concat(parts);
}

/** The symbols of the code, and two thousand more, as real tables are large. */
function symbolsOf(traits: KernelTraits, text: Code, init: Code): TestSymbol[] {
  const rename: Readonly<Record<string, string>> = {
    reporter: 'kvm_sev_hc_page_enc_status',
    es_call: 'asm_exc_vmm_communication',
    pvalidate: 'snp_set_memory_private',
  };
  const symbols: TestSymbol[] = [
    { address: 0n, type: 'A', name: 'fixed_percpu_data' },
    { address: 0x1000n, type: 'A', name: 'percpu_counter' },
  ];
  for (const [name, address] of text.labels) {
    if (name === 'reporter' && traits.reportingSymbol === false) continue;
    symbols.push({ address, type: 't', name: rename[name] ?? name });
  }
  for (let i = 0; i < 2000; i++)
    symbols.push({ address: TEXT + 0x10000n + BigInt(i * 64), type: i % 3 ? 't' : 'T', name: `get_page_${i}` });
  if (traits.installerSymbol !== false)
    for (const [name, address] of init.labels) symbols.push({ address, type: 't', name });
  symbols.push({ address: INIT + 0x10000n, type: 'B', name: '_end' });
  return symbols;
}

class Code {
  readonly labels = new Map<string, bigint>();
  readonly #start: bigint;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(start: bigint) {
    this.#start = start;
  }

  label(name: string, bytes: Buffer): void {
    this.labels.set(name, this.#start + BigInt(this.#length));
    // Functions begin at multiples of 16; what lies between is int3.
    const pad = Buffer.alloc(16 - (bytes.length % 16), 0xcc);
    this.#parts.push(bytes, pad);
    this.#length += bytes.length + pad.length;
  }

  address(name: string): bigint | undefined {
    return this.labels.get(name);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
