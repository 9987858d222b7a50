import { ErrorBody } from '../errors/error-body.ts';
import { type Static, Type } from '../schema.ts';
import { Conversion, Ending, Figures, Lie, VmEvent, VmReport } from './vm-report.ts';

/**
 * What a VMM process prints on its standard output, one JSON object a line: `ready` once, when its API listens, and
 * one last line. An order that is refused has only the last one, with `error`.
 */
export const VmmReadyLine = Type.Object({
  ready: Type.Object({ name: Type.String(), pid: Type.Number(), api: Type.String(), console: Type.String() }),
});
export type VmmReadyLine = Static<typeof VmmReadyLine>;

export const VmmLastLine = Type.Object({
  /** Absent where there was no guest to end. */
  ending: Type.Optional(Ending),
  figures: Type.Optional(Figures),
  /** The report as it was at the end. */
  report: Type.Optional(VmReport),
  /** The latest lies, where there were any; `report.lies` counts all. */
  lies: Type.Optional(Type.Array(Lie)),
  /** The latest conversions; `figures.conversions` counts all. */
  conversions: Type.Optional(Type.Array(Conversion)),
  /** The steps of its start. */
  events: Type.Optional(Type.Array(VmEvent)),
  error: Type.Optional(ErrorBody),
});
export type VmmLastLine = Static<typeof VmmLastLine>;
