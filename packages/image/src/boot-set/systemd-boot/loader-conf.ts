/** `loader/loader.conf` of systemd-boot, as far as it decides what starts (loader.conf(5)). */
export interface LoaderConf {
  /** A pattern of entries' names, or one of its own words (`@saved`). */
  readonly default: string | undefined;
  /** The menu waits for a person: `timeout menu-force`. */
  readonly waits: boolean;
  /** Lines that say what isn't understood here, from 1. */
  readonly other: readonly { readonly line: number; readonly key: string }[];
}

/** Keys that don't change what starts. */
const KNOWN: ReadonlySet<string> = new Set([
  'timeout',
  'console-mode',
  'editor',
  'auto-entries',
  'auto-firmware',
  'auto-poweroff',
  'auto-reboot',
  'beep',
  'reboot-for-bitlocker',
  'reboot-on-error',
  'secure-boot-enroll',
  'secure-boot-enroll-action',
  'secure-boot-enroll-timeout-sec',
  'random-seed-mode',
  'log-level',
]);

export function readLoaderConf(text: string): LoaderConf {
  let chosen: string | undefined;
  let waits = false;
  const other: { line: number; key: string }[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, key = trimmed, raw = ''] = /^(\S+)\s+(.*)$/s.exec(trimmed) ?? [];
    // systemd-boot takes quotes off.
    const value = raw.replace(/^"(.*)"$/s, '$1').replace(/^'(.*)'$/s, '$1');
    if (key === 'default') chosen = value;
    else if (key === 'timeout') waits = value === 'menu-force';
    else if (!KNOWN.has(key)) other.push({ line: index + 1, key });
  }
  return { default: chosen === '' ? undefined : chosen, waits, other };
}
