import { type Instruction, OpKind, Register } from 'iced-x86';
import * as layout from '../../layout.ts';
import { OP_EA } from '../../ops/integer.ts';
import { SSE_IMMEDIATE } from '../../ops/sse.ts';
import type { TraceWriter } from '../trace-writer.ts';

// IMM of an OP_EA micro-op: see assembly/address.ts.
const MASK_16 = 0x10;
const MASK_32 = 0x20;
const WRAP_32 = 0x40;

/** Address of a general (32 or 64 bits), XMM or MMX register's lowest byte in the state block. */
export function registerAddress(register: Register): number {
  if (register >= Register.XMM0 && register <= Register.XMM15) return layout.XMM + 16 * (register - Register.XMM0);
  if (register >= Register.MM0 && register <= Register.MM7) return layout.FPU_REGS + 16 * (register - Register.MM0);
  if (register >= Register.RAX && register <= Register.R15) return layout.REGS + 8 * (register - Register.RAX);
  if (register >= Register.EAX && register <= Register.R15D) return layout.REGS + 8 * (register - Register.EAX);
  if (register >= Register.AX && register <= Register.R15W) return layout.REGS + 8 * (register - Register.AX);
  throw new RangeError(`register ${register} is no operand of SSE or x87`);
}

function addressRegister(register: Register): number {
  if (register === Register.None) return layout.ZERO;
  return register === Register.RIP || register === Register.EIP ? layout.PAGE_BASE : registerAddress(register);
}

function addressBits(instruction: Instruction): 16 | 32 | 64 {
  switch (instruction.op0Kind) {
    case OpKind.MemorySegDI:
      return 16;
    case OpKind.MemorySegEDI:
      return 32;
    case OpKind.MemorySegRDI:
      return 64;
    default: {
      const register = instruction.memoryBase || instruction.memoryIndex;
      if (register === Register.None) return ({ 2: 16, 4: 32 } as const)[instruction.memoryDisplSize] ?? 64;
      if (register === Register.RIP || register >= Register.RAX) return 64;
      return register === Register.EIP || register >= Register.EAX ? 32 : 16;
    }
  }
}

/**
 * A micro-op with the instruction's memory operand (RDI for MASKMOVDQU), behind an OP_EA micro-op where base, index and
 * displacement don't say it all. `high` is IMM's upper half: for SSE, how the source is read.
 */
export function emitMemory(
  instruction: Instruction,
  writer: TraceWriter,
  op: number,
  a: number,
  b: number,
  low: number,
  high: number,
): void {
  const bits = addressBits(instruction);
  const isString = instruction.op0Kind !== OpKind.Memory && instruction.op0Kind >= OpKind.MemorySegDI;
  const hasRdi = isString && instruction.op0Kind <= OpKind.MemorySegRDI;
  const base = hasRdi ? layout.REGS + 8 * 7 : addressRegister(instruction.memoryBase);
  const index = hasRdi ? layout.ZERO : addressRegister(instruction.memoryIndex);
  const scale = hasRdi ? 0 : 31 - Math.clz32(instruction.memoryIndexScale);
  const disp = hasRdi ? 0 : Number(BigInt.asIntN(32, instruction.memoryDisplacement));
  const segment = instruction.memorySegment - Register.ES;
  if (writer.bits === 64 && bits === 64 && segment < layout.FS) {
    writer.emit(op, a, b, base, index, scale, disp, low, high);
    return;
  }
  const mask = bits === 16 ? MASK_16 : bits === 32 ? MASK_32 : 0;
  writer.emit(
    OP_EA,
    layout.TMP_EA,
    layout.ZERO,
    base,
    index,
    scale,
    disp,
    segment | mask | (writer.bits === 64 ? 0 : WRAP_32),
  );
  writer.emit(op, a, b, layout.TMP_EA, layout.ZERO, 0, 0, low, high);
}

/** The immediate behind the other operands, 0 where there is none. */
export function control(instruction: Instruction): number {
  return instruction.opKind(instruction.opCount - 1) === OpKind.Immediate8 ? instruction.immediate8 : 0;
}

/** A micro-op with destination `a`, whose source is operand 1: a register, `how` memory or an immediate. */
export function emitSource(
  instruction: Instruction,
  writer: TraceWriter,
  op: number,
  a: number,
  low: number,
  how: number,
): void {
  const kind = instruction.op1Kind;
  if (kind === OpKind.Memory) emitMemory(instruction, writer, op, a, layout.ZERO, low, how);
  else if (kind === OpKind.Immediate8)
    writer.emit(op, a, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, instruction.immediate8, SSE_IMMEDIATE);
  else writer.emit(op, a, registerAddress(instruction.op1Register), layout.ZERO, layout.ZERO, 0, 0, low, 0);
}
