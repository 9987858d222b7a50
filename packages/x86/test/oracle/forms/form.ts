/**
 * Encodings as rows, in a notation close to the manuals' (Intel SDM volume 2, 3.1.1): hexadecimal bytes of the opcode,
 * a mandatory prefix first, then words:
 *
 * | word | meaning |
 * |---|---|
 * | `/r`, `/0`…`/7` | ModRM with a register, or with an opcode extension |
 * | `+r` | the register is in the opcode's low three bits |
 * | `b` `v` `y` `s` | operand sizes: 8; 16, 32, 64; 32, 64; 64, 16 (stack: no REX.W for 64). None: fixed, as if 32 |
 * | `W` | REX.W always |
 * | `m`, `r` | the ModRM operand is memory only, register only (else either) |
 * | `m1`…`m512` | bytes of memory that are accessed (else the operand size); `m0`: only the address is used |
 * | `rm8` `rm16` `rm32` | size of a general ModRM operand that is not the operand size |
 * | `xr` `xm` `nr` `nm` | the register, the ModRM register is of SSE (x) or MMX (n) |
 * | `a` | memory must be aligned to its size |
 * | `ib` `iw` `iz` `iv` | immediate of 8, 16, 16/32, 16/32/64 bits; `i3`: 8 bits of which three are used |
 * | `moffs` | an absolute address in place of ModRM |
 * | `lock` | LOCK is allowed with a memory destination |
 * | `rep` | a string instruction: REP prefixes, RSI, RDI, RCX |
 * | `cl` | the count is in CL: no flag changes when it is 0 |
 * | `bits` | the register is a bit offset that reaches beyond the operand |
 * | `div` | RDX should be small, or it always faults |
 */
export const FAMILIES = [
  'alu',
  'mov',
  'extend',
  'condition',
  'shift',
  'muldiv',
  'bit',
  'atomic',
  'string',
  'stack',
  'flags',
  'control',
  'trap',
  'hint',
  'sse-move',
  'sse-integer',
  'sse-shuffle',
  'sse-logic',
  'sse-compare',
  'sse-convert',
  'sse-arithmetic',
  'sse-state',
  'x87',
  'mmx',
] as const;
export type Family = (typeof FAMILIES)[number];

export type RegisterClass = 'gpr' | 'xmm' | 'mmx';
export type Immediate = 'none' | 'ib' | 'iw' | 'iz' | 'iv' | 'i3';
export type OperandSize = 8 | 16 | 32 | 64;

export interface Form {
  /** Position in the table: a key for what is remembered of a form. */
  readonly id: number;
  readonly family: Family;
  /** As the row is written. */
  readonly text: string;
  /** Mandatory prefix, 0 for none. */
  readonly prefix: number;
  readonly opcode: readonly number[];
  /** -1: no ModRM. 8: its reg field is a register. Else the opcode extension. */
  readonly modrm: number;
  readonly opcodeRegister: boolean;
  readonly sizes: readonly OperandSize[];
  readonly stackSize: boolean;
  readonly rexW: boolean;
  readonly rm: 'any' | 'memory' | 'register';
  readonly reg: RegisterClass;
  readonly rmClass: RegisterClass;
  /** Bits of a general ModRM operand, 0: the operand size. */
  readonly rmSize: 0 | 8 | 16 | 32;
  /** Bytes accessed in memory, -1: the operand size. */
  readonly memory: number;
  readonly aligned: boolean;
  readonly immediate: Immediate;
  readonly moffs: boolean;
  readonly lock: boolean;
  readonly rep: boolean;
  readonly cl: boolean;
  readonly bits: boolean;
  readonly div: boolean;
}

const SIZES: Record<string, readonly OperandSize[]> = { b: [8], v: [16, 32, 64], y: [32, 64], s: [64, 16] };
const CLASSES: Record<string, RegisterClass> = { x: 'xmm', n: 'mmx' };
const IMMEDIATES: readonly Immediate[] = ['ib', 'iw', 'iz', 'iv', 'i3'];
const MARKS = new Set(['+r', 'W', 'm', 'r', 'a', 'moffs', 'lock', 'rep', 'cl', 'bits', 'div']);

/** Rows written in one string, with semicolons between. */
export function rows(text: string): string[] {
  return text.split('; ');
}

/** Reads one row. Throws for a word that the notation does not have. */
export function form(id: number, family: Family, text: string): Form {
  const words = text.split(' ');
  const bytes: number[] = [];
  while (/^[0-9A-F]{2}$/.test(words[0] ?? '')) bytes.push(Number.parseInt(words.shift() ?? '', 16));
  const [first = 0] = bytes;
  const mandatory = bytes.length > 1 && (first === 0x66 || first === 0xf2 || first === 0xf3);
  const marks = new Set<string>();
  let modrm = -1;
  let sizes: readonly OperandSize[] = [32];
  let reg: RegisterClass = 'gpr';
  let rmClass: RegisterClass = 'gpr';
  let rmSize: Form['rmSize'] = 0;
  let memory = -1;
  let immediate: Immediate = 'none';
  for (const word of words) {
    const found = IMMEDIATES.find((each) => each === word);
    const named = CLASSES[word[0] ?? ''];
    if (MARKS.has(word)) marks.add(word);
    else if (SIZES[word] !== undefined) sizes = SIZES[word];
    else if (found !== undefined) immediate = found;
    else if (word === '/r') modrm = 8;
    else if (/^\/[0-7]$/.test(word)) modrm = Number(word.slice(1));
    else if (/^m\d+$/.test(word)) memory = Number(word.slice(1));
    else if (word === 'rm8' || word === 'rm16' || word === 'rm32')
      rmSize = word === 'rm8' ? 8 : word === 'rm16' ? 16 : 32;
    else if (named !== undefined && word[1] === 'r') reg = named;
    else if (named !== undefined && word[1] === 'm') rmClass = named;
    else throw new SyntaxError(`row '${text}': '${word}' is no word of the notation`);
  }
  return {
    id,
    family,
    text,
    prefix: mandatory ? first : 0,
    opcode: mandatory ? bytes.slice(1) : bytes,
    modrm,
    opcodeRegister: marks.has('+r'),
    sizes,
    stackSize: words.includes('s'),
    rexW: marks.has('W'),
    rm: marks.has('m') ? 'memory' : marks.has('r') ? 'register' : 'any',
    reg,
    rmClass,
    rmSize,
    memory,
    aligned: marks.has('a'),
    immediate,
    moffs: marks.has('moffs'),
    lock: marks.has('lock'),
    rep: marks.has('rep'),
    cl: marks.has('cl'),
    bits: marks.has('bits'),
    div: marks.has('div'),
  };
}
