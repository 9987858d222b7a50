/** Bits of a table entry. */
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const LARGE = 0x80n;
const NO_EXECUTE = 1n << 63n;
const ADDRESS = 0x000f_ffff_ffff_f000n;

export type AccessKind = 'read' | 'write' | 'fetch';

export interface WalkInput {
  /** GPA of the top table's entry for the address, then what `read` says of the others. */
  readonly top: number;
  readonly linear: bigint;
  readonly kind: AccessKind;
  readonly isUser: boolean;
  readonly writeProtect: boolean;
  readonly noExecuteEnabled: boolean;
  readonly cBit: bigint;
  /** Bits that no address has. */
  readonly reserved: bigint;
  readonly read: (gpa: number) => bigint;
}

export type WalkResult =
  | { readonly code: number; readonly touched: readonly number[] }
  | {
      readonly gpa: number;
      readonly encrypted: boolean;
      /** GPAs of the entries on the way, the page's own last, and whether D is set there. */
      readonly touched: readonly number[];
      readonly dirty: boolean;
    };

/**
 * Four-level translation as the manual tells it (AMD64 APM volume 2, 5.3 to 5.6), for one address at a time and with no
 * cache: what the interpreter's own is compared with. `touched` are the entries whose A bit must be set afterwards.
 */
export function walk(input: WalkInput): WalkResult {
  const { kind, isUser, cBit } = input;
  const fetchBit = kind === 'fetch' && input.noExecuteEnabled ? 16 : 0;
  const common = (kind === 'write' ? 2 : 0) | (isUser ? 4 : 0) | fetchBit;
  const never = input.reserved | (input.noExecuteEnabled ? 0n : NO_EXECUTE);
  const touched: number[] = [];
  const entries: bigint[] = [];
  let at = input.top;
  for (let level = 4; ; level--) {
    const raw = input.read(at);
    const entry = raw & ~cBit;
    if ((entry & PRESENT) === 0n) return { code: common, touched };
    const size = 12n + 9n * BigInt(level - 1);
    const isLarge = level > 1 && (entry & LARGE) !== 0n;
    const misplaced = isLarge && (level === 4 || (entry & ADDRESS & ((1n << size) - 1n) & ~0x1fffn) !== 0n);
    if ((entry & never) !== 0n || misplaced) return { code: common | 9, touched };
    entries.push(entry);
    if (level === 1 || isLarge) return finish(input, entries, (raw & cBit) !== 0n, [...touched, at], size, common);
    touched.push(at);
    at = Number(entry & ADDRESS) + Number((input.linear >> (size - 9n)) & 511n) * 8;
  }
}

function finish(
  input: WalkInput,
  entries: readonly bigint[],
  encrypted: boolean,
  touched: readonly number[],
  size: bigint,
  common: number,
): WalkResult {
  const { kind, isUser } = input;
  const all = (bit: bigint) => entries.every((entry) => (entry & bit) !== 0n);
  const mayWrite = all(WRITABLE) || (!isUser && !input.writeProtect);
  const isExecutable = entries.every((entry) => (entry & NO_EXECUTE) === 0n);
  const refused = (kind === 'fetch' && !isExecutable) || (isUser && !all(USER)) || (kind === 'write' && !mayWrite);
  if (refused) return { code: common | 1, touched: touched.slice(0, -1) };
  const inPage = (1n << size) - 1n;
  const last = entries.at(-1) ?? 0n;
  const gpa = Number((last & ADDRESS & ~inPage) | (input.linear & inPage));
  return { gpa, encrypted, touched, dirty: kind === 'write' || (last & DIRTY) !== 0n };
}

export { ACCESSED, DIRTY };
