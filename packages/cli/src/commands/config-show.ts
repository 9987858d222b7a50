import { CONFIG_KEYS } from '../config/keys.ts';
import { loadConfig } from '../config/load.ts';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { table } from '../render/table.ts';

export async function configShow(globals: GlobalOptions, options: { readonly origin?: boolean }): Promise<number> {
  const config = loadConfig(globals);
  print(globals.json, config, () =>
    table(
      CONFIG_KEYS.map(({ key, says }) => [
        key,
        config[key].value,
        ...(options.origin === true ? [config[key].origin] : []),
        `# ${says}`,
      ]),
    ),
  );
  return 0;
}
