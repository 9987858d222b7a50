/** General-purpose instructions: form.ts tells the notation. */
import { type Family, rows } from './form.ts';

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** ADD OR ADC SBB AND SUB XOR CMP: eight encodings each; CMP writes nothing and can't be locked. */
const ALU = range(0, 8).flatMap((operation) => {
  const at = (offset: number): string => hex(operation * 8 + offset);
  const lock = operation === 7 ? '' : ' lock';
  return [
    `${at(0)} /r b${lock}`,
    `${at(1)} /r v${lock}`,
    `${at(2)} /r b`,
    `${at(3)} /r v`,
    `${at(4)} ib b`,
    `${at(5)} iz v`,
    `80 /${operation} ib b${lock}`,
    `81 /${operation} iz v${lock}`,
    `83 /${operation} ib v${lock}`,
  ];
});

/** ROL ROR RCL RCR SHL SHR SAL SAR */
const SHIFTS = range(0, 8).flatMap((operation) => [
  `C0 /${operation} ib b`,
  `C1 /${operation} ib v`,
  `D0 /${operation} b`,
  `D1 /${operation} v`,
  `D2 /${operation} b cl`,
  `D3 /${operation} v cl`,
]);

export const INTEGER: Partial<Record<Family, readonly string[]>> = {
  alu: [
    ...ALU,
    ...rows('84 /r b; 85 /r v; A8 ib b; A9 iz v; F6 /0 ib b; F7 /0 iz v; F6 /1 ib b; F7 /1 iz v'),
    ...rows('FE /0 b lock; FF /0 v lock; FE /1 b lock; FF /1 v lock'),
    ...rows('F6 /2 b lock; F7 /2 v lock; F6 /3 b lock; F7 /3 v lock'),
  ],
  mov: [
    ...rows('88 /r b; 89 /r v; 8A /r b; 8B /r v; C6 /0 ib b; C7 /0 iz v; B0 +r ib b; B8 +r iv v'),
    ...rows('A0 b moffs; A1 v moffs; A2 b moffs; A3 v moffs'),
    ...rows('8D /r v m m0; 90 +r v; 0F C3 /r y m; D7 b'),
  ],
  extend: [
    ...rows('0F B6 /r v rm8 m1; 0F B7 /r v rm16 m2; 0F BE /r v rm8 m1; 0F BF /r v rm16 m2; 63 /r y rm32 m4'),
    ...rows('98 v; 99 v; 0F C8 +r y'),
  ],
  condition: range(0, 16).flatMap((code) => [`0F ${hex(0x90 + code)} /0 b`, `0F ${hex(0x40 + code)} /r v`]),
  shift: [...SHIFTS, '0F A4 /r ib v', '0F AC /r ib v', '0F A5 /r y cl', '0F AD /r y cl'],
  muldiv: [
    ...rows('F6 /4 b; F7 /4 v; F6 /5 b; F7 /5 v; 0F AF /r v; 69 /r iz v; 6B /r ib v'),
    ...rows('F6 /6 b div; F7 /6 v div; F6 /7 b div; F7 /7 v div'),
  ],
  bit: [
    ...rows('0F A3 /r v bits; 0F AB /r v bits lock; 0F B3 /r v bits lock; 0F BB /r v bits lock'),
    ...rows('0F BA /4 ib v; 0F BA /5 ib v lock; 0F BA /6 ib v lock; 0F BA /7 ib v lock'),
    ...rows('0F BC /r W m8; 0F BD /r W m8; F3 0F BC /r v'),
  ],
  atomic: [
    ...rows('0F C0 /r b lock; 0F C1 /r v lock; 0F B0 /r b lock; 0F B1 /r v lock'),
    ...rows('0F C7 /1 m m8 lock; 0F C7 /1 m m16 a W lock; 86 /r b; 87 /r v'),
  ],
  string: ['A4 b', 'A5 v', 'A6 b', 'A7 v', 'AA b', 'AB v', 'AC b', 'AD v', 'AE b', 'AF v'].map((row) => `${row} rep`),
  stack: [...rows('50 +r s; 58 +r s; FF /6 s; 8F /0 s; 68 iz s; 6A ib s; 9C s; C9 s')],
  flags: ['9E', '9F', 'F5', 'F8', 'F9', 'FC', 'FD'],
  trap: rows('CC; 0F 0B; F4; FA; FB; 0F 09; 0F 08; 0F 30; 0F 32; 0F 22 /0 r; 0F 00 /2 r; 0F 01 /2 m m16'),
  hint: [
    ...rows('90; F3 90; 0F 1F /0 v; 0F AE /5 r; 0F AE /6 r; 0F AE /7 r'),
    ...rows('0F 18 /0 m m1; 0F 18 /1 m m1; 0F 18 /2 m m1; 0F 18 /3 m m1; 0F 0D /1 m m1'),
  ],
};
