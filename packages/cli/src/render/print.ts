/** Prints a value as JSON, or for people. */
export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
}

/**
 * A progress line on stderr that rewrites itself on a terminal, and prints each new stage once elsewhere.
 * Silent with --json.
 */
export function progressLine(silent: boolean): { show(text: string): void; clear(): void } {
  if (silent) return { show() {}, clear() {} };
  const tty = process.stderr.isTTY;
  let last = '';
  return {
    show(text) {
      if (text === last) return;
      last = text;
      process.stderr.write(tty ? `\r\x1b[K${text}` : `${text}\n`);
    },
    clear() {
      if (tty && last !== '') process.stderr.write('\r\x1b[K');
      last = '';
    },
  };
}
