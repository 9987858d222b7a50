const SIGNATURE = '# GRUB Environment Block\n';

/**
 * The variables of an environment block (grubenv): a signature, `name=value` lines in which a backslash quotes what
 * follows it, and `#` up to 1024 bytes. Undefined where it isn't one.
 */
export function readEnvBlock(text: string): ReadonlyMap<string, string> | undefined {
  if (!text.startsWith(SIGNATURE)) return undefined;
  const variables = new Map<string, string>();
  let at = SIGNATURE.length;
  while (at < text.length) {
    let line = '';
    while (at < text.length && text[at] !== '\n') {
      if (text[at] === '\\') at++;
      line += text[at] ?? '';
      at++;
    }
    at++;
    const equals = line.indexOf('=');
    if (!line.startsWith('#') && equals > 0) variables.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return variables;
}
