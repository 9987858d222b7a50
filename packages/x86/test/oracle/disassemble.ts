import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';

/** Bytes as NASM would write them, one line an instruction: address, bytes, text. */
export function disassemble(code: Uint8Array, at: number): string[] {
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Nasm);
  decoder.ip = BigInt(at);
  const lines: string[] = [];
  while (decoder.canDecode) {
    const instruction = decoder.decode();
    const start = Number(instruction.ip) - at;
    const bytes = Buffer.from(code.subarray(start, start + instruction.length)).toString('hex');
    lines.push(`${(at + start).toString(16)}  ${bytes.padEnd(24)}  ${formatter.format(instruction)}`);
    instruction.free();
  }
  formatter.free();
  decoder.free();
  return lines;
}
