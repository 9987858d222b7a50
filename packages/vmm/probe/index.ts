export { EXCHANGE_RESULT, exchangePattern, pattern } from './exchange.ts';
export {
  CHANNELS,
  type Channel,
  COMMAND,
  CONVERSION_PORT,
  CONVERT_PRIVATE,
  FLAVOURS,
  type Flavour,
  PROBE_PORT,
} from './layout.ts';
export { type ProbeOptions, planProbe, probeCode } from './load.ts';
