/** A label of syslinux's or extlinux's configuration. */
export interface ExtlinuxLabel {
  readonly name: string;
  title: string | undefined;
  /** File and line. */
  readonly where: string;
  /** What is started, and by which word: `linux`, `kernel`, `com32`, `localboot`… */
  start: { readonly word: string; readonly value: string } | undefined;
  append: string | undefined;
  initrds: readonly string[];
  isMenuDefault: boolean;
}

export interface ExtlinuxConfiguration {
  readonly labels: readonly ExtlinuxLabel[];
  /** What DEFAULT says: a label, or a command line. */
  readonly default: string | undefined;
  /** A menu program that takes the choice over. */
  readonly ui: string | undefined;
  readonly onTimeout: string | undefined;
  /** In tenths of a second; undefined where nothing says it. */
  readonly timeout: number | undefined;
  readonly prompt: boolean;
  /** APPEND before any label: for those that have none of their own. */
  readonly append: string | undefined;
  /** Words that aren't understood, with file and line. */
  readonly unknown: readonly { readonly where: string; readonly word: string }[];
}

/** A line, and where it is from. */
export interface SourceLine {
  readonly text: string;
  /** File and line, for people. */
  readonly where: string;
}

/** Words that don't change what starts. */
const KNOWN: ReadonlySet<string> = new Set([
  'allowoptions',
  'console',
  'display',
  'f0',
  'f1',
  'f2',
  'f3',
  'f4',
  'f5',
  'f6',
  'f7',
  'f8',
  'f9',
  'f10',
  'f11',
  'f12',
  'fdt',
  'fdtdir',
  'devicetree',
  'devicetreedir',
  'fdtoverlays',
  'devicetree-overlay',
  'font',
  'implicit',
  'ipappend',
  'sysappend',
  'kbdmap',
  'nocomplete',
  'noescape',
  'nohalt',
  'path',
  'say',
  'sendcookies',
  'serial',
  'text',
  'totaltimeout',
]);

const STARTS: ReadonlySet<string> = new Set([
  'kernel',
  'linux',
  'boot',
  'bss',
  'pxe',
  'fdimage',
  'comboot',
  'com32',
  'config',
  'localboot',
]);

/** The file that a line includes: `INCLUDE file`, `MENU INCLUDE file title`; undefined where it includes none. */
export function includedBy(line: string): string | undefined {
  return /^\s*(?:menu\s+)?include\s+(\S+)/i.exec(line)?.[1];
}

/**
 * Reads a configuration (SYSLINUX, "Configuration") whose includes are in their places. Never fails: what isn't
 * understood is said.
 */
export function readExtlinux(lines: readonly SourceLine[]): ExtlinuxConfiguration {
  const labels: ExtlinuxLabel[] = [];
  const unknown: { where: string; word: string }[] = [];
  const settings = { default: undefined, ui: undefined, onTimeout: undefined, append: undefined } as Record<
    'default' | 'ui' | 'onTimeout' | 'append',
    string | undefined
  >;
  let timeout: number | undefined;
  let prompt = false;
  let label: ExtlinuxLabel | undefined;
  let inText = false;
  for (const { text, where } of lines) {
    const trimmed = text.trim();
    if (inText) {
      if (/^endtext\b/i.test(trimmed)) inText = false;
      continue;
    }
    if (trimmed === '' || trimmed.startsWith('#') || includedBy(trimmed) !== undefined) continue;
    const [, first = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(trimmed) ?? [];
    const word = first.toLowerCase();
    if (word === 'label') {
      label = {
        name: value,
        title: undefined,
        where,
        start: undefined,
        append: undefined,
        initrds: [],
        isMenuDefault: false,
      };
      labels.push(label);
    } else if (STARTS.has(word) && label !== undefined) label.start = { word, value };
    else if (word === 'append') {
      if (label === undefined) settings.append = value;
      else label.append = value;
    } else if (word === 'initrd' && label !== undefined) label.initrds = value.split(',').filter((name) => name !== '');
    else if (word === 'default') settings.default = value;
    else if (word === 'ui') settings.ui = value;
    else if (word === 'ontimeout') settings.onTimeout = value;
    else if (word === 'timeout') timeout = Number.parseInt(value, 10) || 0;
    else if (word === 'prompt') prompt = (Number.parseInt(value, 10) || 0) !== 0;
    else if (word === 'menu') {
      const [, inner = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(value) ?? [];
      switch (inner.toLowerCase()) {
        case 'label':
          if (label !== undefined) label.title = rest.replaceAll('^', '');
          break;
        case 'default':
          if (label !== undefined) label.isMenuDefault = true;
          break;
        default:
          // Colours, titles, submenus: labels of those are found like the others.
          break;
      }
    } else if (word === 'text') inText = /^help\b/i.test(value);
    else if (!KNOWN.has(word)) unknown.push({ where, word: first });
  }
  return { labels, ...settings, timeout, prompt, unknown };
}
