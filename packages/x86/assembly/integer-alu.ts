// ADD OR ADC SBB AND SUB XOR CMP TEST by shape, and the one-operand INC DEC NOT NEG. T is signed: results are kept
// sign-extended (flags.ts). Those of ADD … TEST answer the next micro-op; of the others false is a fault.
import { carry, CC_ADC, CC_ADD, CC_DEC, CC_INC, CC_LOGIC, CC_SBB, CC_SUB, setFlags } from "./flags";
import { faulted } from "./jumps";
import { address, getA, getB, getImmediate, plainAddress, putA } from "./operands";
import { finishWrite, readable, updatable } from "./tlb";

// As encoded, with TEST behind.
export const ADD = 0;
export const OR = 1;
export const ADC = 2;
export const SBB = 3;
export const AND = 4;
export const SUB = 5;
export const XOR = 6;
export const CMP = 7;
export const TEST = 8;

export const INC = 0;
export const DEC = 1;
export const NOT = 2;
export const NEG = 3;

/** CF that came into the last `result`. */
let carryIn: u32 = 0;

// @ts-ignore: decorator
@inline
function result<T>(kind: i32, a: T, b: T): T {
  if (kind == ADD) return <T>(a + b);
  if (kind == OR) return <T>(a | b);
  if (kind == ADC) {
    carryIn = carry();
    return <T>(a + b + <T>carryIn);
  }
  if (kind == SBB) {
    carryIn = carry();
    return <T>(a - b - <T>carryIn);
  }
  if (kind == AND || kind == TEST) return <T>(a & b);
  if (kind == XOR) return <T>(a ^ b);
  return <T>(a - b);
}

// @ts-ignore: decorator
@inline
function commit<T>(kind: i32, r: T, b: T): void {
  if (kind == ADD) setFlags<T>(CC_ADD, r, b);
  else if (kind == ADC) setFlags<T>(carryIn ? CC_ADC : CC_ADD, r, b);
  else if (kind == SBB) setFlags<T>(carryIn ? CC_SBB : CC_SUB, r, b);
  else if (kind == SUB || kind == CMP) setFlags<T>(CC_SUB, r, b);
  else setFlags<T>(CC_LOGIC, r, b);
}

// @ts-ignore: decorator
@inline
function registers<T>(kind: i32, pc: u32, b: T): void {
  const r = result<T>(kind, getA<T>(pc), b);
  commit<T>(kind, r, b);
  if (kind != CMP && kind != TEST) putA<T>(pc, r);
}

// @ts-ignore: decorator
@inline
function toMemory<T>(kind: i32, pc: u32, b: T): u32 {
  const linear = plainAddress(pc);
  if (kind == CMP || kind == TEST) {
    const at = readable(linear, sizeof<T>());
    if (!at) return faulted(pc);
    commit<T>(kind, result<T>(kind, load<T>(at), b), b);
    return pc + 32;
  }
  const at = updatable(linear, sizeof<T>());
  if (!at) return faulted(pc);
  const r = result<T>(kind, load<T>(at), b);
  store<T>(at, r);
  if (!finishWrite(at, linear, sizeof<T>())) return faulted(pc);
  commit<T>(kind, r, b);
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function aluRR<T>(kind: i32, pc: u32): u32 {
  registers<T>(kind, pc, getB<T>(pc));
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function aluRI<T>(kind: i32, pc: u32): u32 {
  registers<T>(kind, pc, getImmediate<T>(pc));
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function aluRM<T>(kind: i32, pc: u32): u32 {
  const at = readable(plainAddress(pc), sizeof<T>());
  if (!at) return faulted(pc);
  registers<T>(kind, pc, load<T>(at));
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function aluMR<T>(kind: i32, pc: u32): u32 {
  return toMemory<T>(kind, pc, getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function aluMI<T>(kind: i32, pc: u32): u32 {
  return toMemory<T>(kind, pc, getImmediate<T>(pc));
}

// @ts-ignore: decorator
@inline
function unary<T>(kind: i32, a: T): T {
  if (kind == INC) return <T>(a + 1);
  if (kind == DEC) return <T>(a - 1);
  if (kind == NOT) return <T>(~a);
  return <T>(-a);
}

// @ts-ignore: decorator
@inline
function commitUnary<T>(kind: i32, r: T, a: T): void {
  if (kind == INC) setFlags<T>(CC_INC, r, <T>carry());
  else if (kind == DEC) setFlags<T>(CC_DEC, r, <T>carry());
  else if (kind == NEG) setFlags<T>(CC_SUB, r, a);
}

// @ts-ignore: decorator
@inline
export function unaryR<T>(kind: i32, pc: u32): void {
  const a = getA<T>(pc);
  const r = unary<T>(kind, a);
  commitUnary<T>(kind, r, a);
  putA<T>(pc, r);
}

// @ts-ignore: decorator
@inline
export function unaryM<T>(kind: i32, pc: u32): bool {
  const linear = address(pc);
  const at = updatable(linear, sizeof<T>());
  if (!at) return false;
  const a = load<T>(at);
  const r = unary<T>(kind, a);
  store<T>(at, r);
  if (!finishWrite(at, linear, sizeof<T>())) return false;
  commitUnary<T>(kind, r, a);
  return true;
}
