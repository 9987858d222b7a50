/**
 * A small image with the shape of a vmlinux: text with the code that is looked for, strings, symbols, type information.
 * Each part can be left out, so that every signal's absence can be tried.
 */
import { btfSection } from './btf-section.ts';
import { type ElfPart, elfImage } from './elf-image.ts';
import { kallsymsTables, type Layout, type TestSymbol } from './kallsyms-tables.ts';
import { u8, u32, u64 } from './little-endian.ts';

export const TEXT = 0xffffffff81000000n;
const RODATA = 0xffffffff81100000n;
const BTF = 0xffffffff81200000n;
const DATA = 0xffffffff81280000n;
export const INIT = 0xffffffff81300000n;

const RETURN = u8(0xc3);
const nops = (count: number): Buffer => Buffer.alloc(count, 0x90);

export interface KernelTraits {
  /** The function that reports: two upstream forms, the one before upstream (no shift), or none. */
  readonly reportingCode?: 'masked' | 'shifted' | 'unmasked' | 'none';
  readonly reportingCopies?: number;
  readonly hook?: 'installs' | 'installs-later' | 'installs-earlier' | 'none';
  readonly callSite?: boolean;
  readonly symbols?: Layout | 'none';
  readonly reportingSymbol?: boolean;
  readonly installerSymbol?: boolean;
  readonly prototype?: 'size' | 'npages' | 'none';
  readonly rangeCall?: 'size' | 'pages' | 'none';
  /** What the function at the other end of that call takes. */
  readonly rangeEnd?: 'size' | 'sum' | 'pages' | 'none';
  /** That the table of symbols has the kernel's beginning: it is whole. */
  readonly beginningSymbol?: boolean;
  readonly sev?: 'both' | 'code' | 'text' | 'none';
  readonly sevEs?: boolean;
  readonly snp?: boolean;
  /** Page state changes: by MSR, by GHCB page, both or none. */
  readonly pageStates?: 'both' | 'request' | 'event' | 'number' | 'none';
  /** TDX: the call and the name; the name as text or in the code. */
  readonly tdx?: 'text' | 'numbers' | 'call' | 'name' | 'none';
  readonly unaccepted?: 'both' | 'table' | 'parameter' | 'none';
  /** The gate of the #VC exception. */
  readonly vcGate?: boolean;
  readonly vcText?: boolean;
  /** Words that the kernel knows, apart from those that other traits bring. */
  readonly parameters?: readonly string[];
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
      text.label(i === 0 ? 'reporter' : `reporter${i}`, reporter(reportingCode));
  text.label('enc_dec_hypercall', rangeEnd(traits));
  text.label('hand_on', handOn(text));
  text.label('other', Buffer.concat([nops(200), RETURN]));
  const sev = traits.sev ?? 'both';
  if (sev === 'both' || sev === 'code')
    text.label('sme_enable', Buffer.concat([u8(0xb9, 0x31, 0x01, 0x01, 0xc0, 0x0f, 0x32), RETURN]));
  const sevEs = traits.sevEs ?? true;
  const snp = traits.snp ?? true;
  if (sevEs) text.label('es_call', Buffer.concat([u8(0xf3, 0x0f, 0x01, 0xd9), RETURN]));
  if (snp) text.label('pvalidate', Buffer.concat([u8(0xf2, 0x0f, 0x01, 0xff), RETURN]));
  const pageStates = traits.pageStates ?? (sevEs && snp ? 'both' : 'none');
  if (pageStates === 'both' || pageStates === 'request') text.label('early_set_pages_state', stateRequest());
  if (pageStates === 'number') text.label('get_unmapped_area', Buffer.concat([u8(0xb8, 0x10, 0, 0, 0x80), RETURN]));
  if (pageStates === 'both' || pageStates === 'event') text.label('set_pages_state', stateEvent(text));
  const tdx = traits.tdx ?? 'text';
  if (tdx !== 'none' && tdx !== 'name') text.label('__tdcall', Buffer.concat([u8(0x66, 0x0f, 0x01, 0xcc), RETURN]));
  if (tdx === 'numbers') text.label('tdx_early_init', tdxCompare());
  else if (tdx !== 'none') text.label('tdx_early_init', RETURN);
  const unaccepted = traits.unaccepted ?? 'both';
  if (unaccepted !== 'none') text.label('accept_memory', RETURN);

  const init = new Code(INIT);
  init.label('kvm_init_platform', installer(traits, text));

  const parameters = [...(traits.parameters ?? [])];
  if (unaccepted === 'both' || unaccepted === 'parameter') parameters.push('accept_memory');
  const strings = [
    traits.callSite === false ? '' : 'kpte lookup for vaddr',
    sev === 'both' || sev === 'text' ? '\u0001c SEV' : '',
    !sevEs || traits.vcText === false ? '' : 'SEV: Failure in communication with VMM (exit-code 0x%02lx)',
    snp ? '6SEV: Using SNP CPUID table, %d entries present.' : '',
    pageStates === 'none' || pageStates === 'number' ? '' : 'SNP: PSC failed ret=%d exit_info_2=%llx',
    tdx === 'text' || tdx === 'name' ? 'IntelTDX    ' : '',
    ...parameters,
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
  parts.push({ name: '.init.data', vaddr: DATA, bytes: data(traits, rodata, parameters), segmentFlags: 6 });
  const prototype = traits.prototype ?? 'size';
  if (prototype !== 'none')
    parts.push({ name: '.BTF', vaddr: BTF, bytes: btfSection({ enc_dec_hypercall: ['vaddr', prototype, 'enc'] }) });
  return elfImage(parts, { sections: traits.sections ?? true });
}

/** [shl rdx, 4;] [and edx, 0xff0;] mov eax, 12; mov rbx, rdi; vmmcall; ret */
function reporter(form: 'masked' | 'shifted' | 'unmasked'): Buffer {
  return Buffer.concat([
    form === 'unmasked' ? u8() : u8(0x48, 0xc1, 0xe2, 0x04),
    form === 'masked' ? u8(0x81, 0xe2, 0xf0, 0x0f, 0, 0) : u8(),
    u8(0xb8, 12, 0, 0, 0, 0x48, 0x89, 0xfb, 0x0f, 0x01, 0xd9),
    RETURN,
  ]);
}

/** The start of the function that walks a range, by what it takes as the second argument. */
function rangeEnd({ rangeCall = 'size', rangeEnd = rangeCall }: KernelTraits): Buffer {
  const code = {
    // lea r15, [rdi + rsi]
    size: u8(0x55, 0x4c, 0x8d, 0x3c, 0x37),
    // add rsi, rdi
    sum: u8(0x55, 0x48, 0x01, 0xfe),
    // movsxd rsi, esi; shl rsi, 12; lea r15, [rsi + rdi]
    pages: u8(0x48, 0x63, 0xf6, 0x48, 0xc1, 0xe6, 0x0c, 0x4c, 0x8d, 0x3c, 0x3e),
    none: u8(0x55),
  }[rangeEnd];
  return Buffer.concat([code, nops(48), RETURN]);
}

/** movzx edx, dl; jmp enc_dec_hypercall */
function handOn(text: Code): Buffer {
  const distance = (text.address('enc_dec_hypercall') ?? text.next) - (text.next + 8n);
  return Buffer.concat([u8(0x0f, 0xb6, 0xd2, 0xe9), u32(Number(BigInt.asUintN(32, distance)))]);
}

/** or rax, 0x14; wrmsr; rep vmmcall; rdmsr; cmp rax, 0x15 */
function stateRequest(): Buffer {
  return Buffer.concat([
    u8(0xb9, 0x30, 0x01, 0x01, 0xc0, 0x48, 0x83, 0xc8, 0x14, 0x0f, 0x30, 0xf3, 0x0f, 0x01, 0xd9),
    u8(0x0f, 0x32, 0x48, 0x83, 0xf8, 0x15),
    RETURN,
  ]);
}

/** mov edx, 0x80000010; call es_call */
function stateEvent(text: Code): Buffer {
  const target = Number((text.address('es_call') ?? text.next) - text.next - 10n);
  return Buffer.concat([u8(0xba, 0x10, 0, 0, 0x80, 0xe8), u32(target), RETURN]);
}

/** movabs rax, 'IntelTDX'; cmp [rsp + 0x1c], '    ' */
function tdxCompare(): Buffer {
  return Buffer.concat([
    u8(0x48, 0xb8),
    Buffer.from('IntelTDX'),
    u8(0x81, 0x7c, 0x24, 0x1c, 0x20, 0x20, 0x20, 0x20),
    RETURN,
  ]);
}

/** What stands in .init.data: the gate of #VC, the table's GUID, rows of kernel parameters that point to their names. */
function data(traits: KernelTraits, rodata: Buffer, parameters: readonly string[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(16)];
  if (traits.vcGate ?? traits.sevEs ?? true)
    parts.push(u8(29, 0, 0, 0, 0x10, 0, 0, 0, 0x05, 0x8e, 0, 0, 0, 0, 0, 0), u64(TEXT + 0x40n));
  const unaccepted = traits.unaccepted ?? 'both';
  if (unaccepted === 'both' || unaccepted === 'table')
    parts.push(Buffer.from('3cded1d55c10f9449ea9bcef98120031', 'hex'));
  for (const name of parameters) {
    const at = rodata.indexOf(`\0${name}\0`, 'latin1') + 1;
    parts.push(u64(RODATA + BigInt(at)), u64(INIT), Buffer.alloc(8));
  }
  return Buffer.concat(parts);
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
  // mov rdi, start; sub rsi, start; [shr rsi, 12]; call
  if (rangeCall !== 'none') parts.push(u8(0x48, 0xc7, 0xc7), u32(0x81600000), u8(0x48, 0x81, 0xee), u32(0x81600000));
  if (rangeCall === 'pages') parts.push(u8(0x48, 0xc1, 0xee, 0x0c));
  const after = INIT + BigInt(Buffer.concat(parts).length) + 5n;
  parts.push(
    u8(0xe8),
    u32(Number(BigInt.asUintN(32, (text.address('hand_on') ?? after) - after))),
    u8(0xb9, 0x08, 0x4d, 0x56, 0x4b, 0x0f, 0x30),
    RETURN,
  );
  return Buffer.concat(parts);
}

/** The symbols of the code, and two thousand more, as real tables are large. */
function symbolsOf(traits: KernelTraits, text: Code, init: Code): TestSymbol[] {
  const rename: Readonly<Record<string, string>> = {
    reporter: 'kvm_sev_hc_page_enc_status',
    es_call: 'asm_exc_vmm_communication',
    pvalidate: 'snp_set_memory_private',
    set_pages_state: 'snp_set_memory_shared',
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
  if (traits.beginningSymbol === true) symbols.push({ address: INIT + 0xf000n, type: 'T', name: 'start_kernel' });
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

  /** Where the next label will be. */
  get next(): bigint {
    return this.#start + BigInt(this.#length);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
