/** One instruction from a row of forms/, its operands chosen. */
import type { CaseContext } from './case-context.ts';
import { RDX, RSP } from './cpu-state.ts';
import { encode, type Instruction, isHighByte, type MemoryOperand } from './encode.ts';
import type { Form, OperandSize, RegisterClass } from './forms/form.ts';

export function plainInstruction(form: Form, context: CaseContext): Instruction {
  const { random } = context;
  const size = operandSize(form, context);
  const rm = modrmOperand(form, size, context);
  const isMemory = typeof rm !== 'number';
  const lock = isMemory && form.lock && random.chance(35);
  const operands = {
    size,
    rm,
    reg: registerOperand(form, size, form.opcodeRegister ? 'gpr' : form.reg, context),
    immediate: immediate(form, size, context),
    lock,
    rep: form.rep && random.chance(65) ? 0xf2 + random.below(2) : 0,
  };
  const bits = form.bits && isMemory && random.chance(85) ? context.index() : undefined;
  const chosen = bits === undefined ? operands : { ...operands, reg: bits };
  return encode(form, withoutClash(form, chosen));
}

/** AH…BH and a REX prefix exclude each other: the low byte register in place of the high one. */
function withoutClash<T extends { size: OperandSize; reg: number; rm: number | MemoryOperand }>(
  form: Form,
  operands: T,
): T {
  const { reg, rm, size } = operands;
  const highReg = isHighByte(reg);
  const highRm = typeof rm === 'number' && isHighByte(rm);
  if (!highReg && !highRm) return operands;
  const rmRex =
    typeof rm === 'number' ? !highRm && (rm > 7 || (byteRm(form, size) && rm > 3)) : rm.base > 7 || rm.index > 7;
  const regRex = !highReg && form.modrm === 8 && (reg > 7 || (size === 8 && reg > 3));
  if (size !== 64 && !rmRex && !regRex) return operands;
  return { ...operands, reg: highReg ? reg - 16 : reg, ...(highRm ? { rm: rm - 16 } : {}) };
}

function byteRm(form: Form, size: OperandSize): boolean {
  return form.rmClass === 'gpr' && (form.rmSize === 8 || (form.rmSize === 0 && size === 8));
}

function operandSize(form: Form, { random }: CaseContext): OperandSize {
  const [first = 32] = form.sizes;
  if (form.sizes.length === 1) return first;
  // A stack that is moved by two bytes stays askew: seldom.
  if (form.stackSize) return random.chance(88) ? 64 : 16;
  return random.pick(form.sizes);
}

function modrmOperand(form: Form, size: OperandSize, context: CaseContext): number | MemoryOperand {
  const { random } = context;
  const bytes = form.memory >= 0 ? form.memory : size / 8;
  if (form.moffs) {
    const displacement = context.address(bytes, false);
    return { base: -1, index: -1, scale: 0, displacement, displacementBytes: 4, address32: random.chance(20) };
  }
  if (form.modrm < 0) return 0;
  const register = form.rm === 'register' || (form.rm === 'any' && random.chance(45));
  if (register) {
    if (form.rmClass === 'xmm') return random.below(16);
    if (form.rmClass === 'mmx') return random.below(8);
    return byteRm(form, size) ? byteRegister(context) : unscannable(form, context);
  }
  if (form.memory === 0) return context.lea();
  // A locked access across a cache line is legal, but some hosts stop the machine for it.
  const aligned = form.family === 'atomic' || form.lock ? true : form.aligned && random.chance(96);
  return context.memory(bytes, aligned);
}

/** Division by RSP's or RDX's own value says little. */
function unscannable(form: Form, context: CaseContext): number {
  for (;;) {
    const register = context.gpr();
    if (form.div && (register === RDX || register === RSP) && context.random.chance(90)) continue;
    return register;
  }
}

function registerOperand(form: Form, size: OperandSize, kind: RegisterClass, context: CaseContext): number {
  if (kind === 'xmm') return context.random.below(16);
  if (kind === 'mmx') return context.random.below(8);
  if (form.modrm !== 8 && !form.opcodeRegister) return 0;
  return size === 8 ? byteRegister(context) : context.gpr();
}

/** SPL…DIL, AH…BH or the low byte of any other. */
function byteRegister(context: CaseContext): number {
  const { random } = context;
  for (;;) {
    if (random.chance(75)) return context.gpr();
    const high = random.below(4);
    if (!context.forbidden.has(high) && !context.reserved.has(high)) return 16 + high;
  }
}

function immediate(form: Form, size: OperandSize, context: CaseContext): readonly [number, number] {
  const { random } = context;
  if (form.immediate === 'i3') return [random.below(8), 0];
  if (form.family === 'shift' && form.immediate === 'ib') {
    // SHLD and SHRD of 16 bits by more than 16 have no defined result.
    if (form.opcode[0] === 0x0f && size === 16) return [random.below(17), 0];
    return [random.chance(80) ? random.below(size + 1) : random.below(256), 0];
  }
  return context.value();
}
