/**
 * Asks a KVM all rules of packages/kvm/conformance.
 *
 *   node scripts/conformance.ts [--json] [--list] [--rule ID]... [--run-limit-ms N]
 *
 * Exit codes: 0 every rule that can be answered holds, 1 at least one does not, 2 there is no KVM to ask, 64 wrong
 * arguments.
 */
import { parseArgs } from 'node:util';
import {
  EXIT_UNAVAILABLE,
  exitCodeOf,
  NoKvm,
  outcomeInWords,
  reportAsJson,
  reportInWords,
  runSuite,
  type SuiteOptions,
} from '../packages/kvm/conformance/index.ts';
import { rules } from '../packages/kvm/conformance/rules/index.ts';

const EXIT_USAGE = 64;
/** The only backend there is so far. */
const LINUX = { module: import.meta.resolve('../packages/kvm/src/linux/index.ts'), export: 'openLinuxKvm' };

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    rule: { type: 'string', multiple: true },
    'run-limit-ms': { type: 'string' },
  },
});

if (values.list) {
  for (const { id, says, source } of rules) console.log(`${id}\n    ${says}\n    (${source})`);
} else {
  process.exitCode = await ask();
}

async function ask(): Promise<number> {
  const limit = values['run-limit-ms'];
  const options: SuiteOptions = {
    backend: LINUX,
    ...(values.rule === undefined ? {} : { only: values.rule }),
    ...(limit === undefined ? {} : { runLimitMs: Number(limit) }),
    ...(values.verbose ? { onOutcome: (outcome) => console.error(outcomeInWords(outcome)) } : {}),
  };
  try {
    const report = await runSuite(options);
    console.log(values.json ? reportAsJson(report) : reportInWords(report));
    return exitCodeOf(report);
  } catch (error) {
    if (error instanceof NoKvm) {
      console.error(`no KVM to ask: ${error.message}`);
      return EXIT_UNAVAILABLE;
    }
    if (error instanceof RangeError) {
      console.error(`${error.message}; --list names them all`);
      return EXIT_USAGE;
    }
    throw error;
  }
}
