/**
 * Asks a KVM all rules of packages/kvm/conformance.
 *
 *   node scripts/conformance.ts [--backend linux|software] [--json] [--list] [--rule ID]... [--run-limit-ms N]
 *
 * Exit codes: 0 every rule that can be answered holds, 1 at least one does not, 2 there is no KVM to ask, 64 wrong
 * arguments.
 */
import { parseArgs } from 'node:util';
import {
  type BackendRef,
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
/** Backend → where it is opened. The rules ask each what its own kernel (`info.kernel`) promises. */
const BACKENDS: ReadonlyMap<string, BackendRef> = new Map(
  Object.entries({
    linux: { module: import.meta.resolve('../packages/kvm/src/linux/index.ts'), export: 'openLinuxKvm' },
    software: { module: import.meta.resolve('../packages/kvm/src/software/index.ts'), export: 'openSoftwareKvm' },
  }),
);

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'linux' },
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
  const backend = BACKENDS.get(values.backend);
  if (backend === undefined) {
    console.error(`no backend '${values.backend}': ${[...BACKENDS.keys()].join(' or ')}`);
    return EXIT_USAGE;
  }
  const options: SuiteOptions = {
    backend,
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
