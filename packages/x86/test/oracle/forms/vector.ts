/** SSE, SSE2, x87 state and MMX: form.ts tells the notation. Approximations (RCPPS, RSQRTPS) differ between makers: not here. */
import { type Family, rows } from './form.ts';

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Packed single, packed double, scalar single, scalar double, with what each reads of memory. */
const FOUR = [
  ['', 'm16 a'],
  ['66 ', 'm16 a'],
  ['F3 ', 'm4'],
  ['F2 ', 'm8'],
] as const;

const four = (opcode: string, more = ''): string[] =>
  FOUR.map(([prefix, memory]) => `${prefix}0F ${opcode} /r xr xm ${memory}${more}`);
const packed = (opcode: string, more = ''): string[] =>
  ['', '66 '].map((prefix) => `${prefix}0F ${opcode} /r xr xm m16 a${more}`);

/** The 66 0F map's integer rows, logic and shifts by register included. */
const INTEGER_OPCODES = [
  ...range(0x60, 0x6d),
  ...range(0x74, 0x76),
  ...range(0xd1, 0xd5),
  ...range(0xd8, 0xdf),
  ...range(0xe0, 0xe5),
  ...range(0xe8, 0xef),
  ...range(0xf1, 0xf6),
  ...range(0xf8, 0xfe),
];
/** What MMX has of them: all but the 64-bit unpacks. */
const MMX_OPCODES = INTEGER_OPCODES.filter((opcode) => opcode !== 0x6c && opcode !== 0x6d);

const SHIFTS = ['71 /2', '71 /4', '71 /6', '72 /2', '72 /4', '72 /6', '73 /2', '73 /6'];

export const VECTOR: Partial<Record<Family, readonly string[]>> = {
  'sse-move': [
    ...packed('28'),
    ...packed('29'),
    ...rows('0F 2B /r xr m m16 a; 66 0F 2B /r xr m m16 a; 66 0F E7 /r xr m m16 a'),
    ...['10', '11'].flatMap((opcode) =>
      ['', '66 ']
        .map((prefix) => `${prefix}0F ${opcode} /r xr xm m16`)
        .concat([`F3 0F ${opcode} /r xr xm m4`, `F2 0F ${opcode} /r xr xm m8`]),
    ),
    ...rows('0F 12 /r xr xm m8; 0F 16 /r xr xm m8; 0F 13 /r xr m m8; 0F 17 /r xr m m8'),
    ...['12', '13', '16', '17'].map((opcode) => `66 0F ${opcode} /r xr m m8`),
    ...rows('66 0F 6F /r xr xm m16 a; 66 0F 7F /r xr xm m16 a; F3 0F 6F /r xr xm m16; F3 0F 7F /r xr xm m16'),
    ...rows('66 0F 6E /r xr y; 66 0F 7E /r xr y; F3 0F 7E /r xr xm m8; 66 0F D6 /r xr xm m8'),
    ...rows('0F 50 /r xm r; 66 0F 50 /r xm r; 66 0F D7 /r xm r; 66 0F F7 /r xr xm r'),
  ],
  'sse-integer': [
    ...INTEGER_OPCODES.map((opcode) => `66 0F ${hex(opcode)} /r xr xm m16 a`),
    ...SHIFTS.map((row) => `66 0F ${row} xm r ib`),
    ...rows('66 0F C4 /r xr ib rm16 m2; 66 0F C5 /r xm r ib'),
  ],
  'sse-shuffle': [
    ...rows('66 0F 70 /r xr xm m16 a ib; F2 0F 70 /r xr xm m16 a ib; F3 0F 70 /r xr xm m16 a ib'),
    ...packed('C6', ' ib'),
    ...packed('14'),
    ...packed('15'),
    ...rows('66 0F 73 /3 xm r ib; 66 0F 73 /7 xm r ib'),
  ],
  'sse-logic': ['54', '55', '56', '57'].flatMap((opcode) => packed(opcode)),
  'sse-compare': [
    ...four('C2', ' i3'),
    ...['2E', '2F'].flatMap((opcode) => [`0F ${opcode} /r xr xm m4`, `66 0F ${opcode} /r xr xm m8`]),
  ],
  'sse-convert': [
    ...rows('0F 5A /r xr xm m8; 66 0F 5A /r xr xm m16 a; F3 0F 5A /r xr xm m4; F2 0F 5A /r xr xm m8'),
    ...['', '66 ', 'F3 '].map((prefix) => `${prefix}0F 5B /r xr xm m16 a`),
    ...rows('F3 0F E6 /r xr xm m8; F2 0F E6 /r xr xm m16 a; 66 0F E6 /r xr xm m16 a'),
    ...rows('F3 0F 2A /r xr y; F2 0F 2A /r xr y'),
    ...['2C', '2D'].flatMap((opcode) => [`F3 0F ${opcode} /r xm y m4`, `F2 0F ${opcode} /r xm y m8`]),
  ],
  'sse-arithmetic': ['51', '58', '59', '5C', '5D', '5E', '5F'].flatMap((opcode) => four(opcode)),
  'sse-state': ['0F AE /3 m m4'],
  x87: [
    ...rows('DB E3; DB E2; 9B; 0F 77; DF E0; D9 /7 m m2; DD /7 m m2'),
    ...rows('DF /0 m m2; DB /0 m m4; DF /5 m m8'),
    ...rows('DF /2 m m2; DB /2 m m4; DF /3 m m2; DB /3 m m4; DF /7 m m8'),
  ],
  mmx: [
    ...MMX_OPCODES.filter((opcode) => opcode !== 0xe6 && opcode !== 0xd6).map(
      (opcode) => `0F ${hex(opcode)} /r nr nm m${opcode >= 0x60 && opcode <= 0x62 ? 4 : 8}`,
    ),
    ...SHIFTS.map((row) => `0F ${row} nm r ib`),
    ...rows('0F 6F /r nr nm m8; 0F 7F /r nr nm m8; 0F 6E /r nr y; 0F 7E /r nr y; 0F E7 /r nr m m8'),
    ...rows('0F 70 /r nr nm m8 ib; 0F D7 /r nm r; F2 0F D6 /r xm r; F3 0F D6 /r xr r'),
  ],
};
