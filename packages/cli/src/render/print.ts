/** Prints a value as JSON, or for people. */
export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
}

export interface ProgressLine {
  show(text: string): void;
  /** Takes the line away; the next `show` starts a new one. */
  clear(): void;
  /** Takes the line away for good: the terminal belongs to somebody else now. */
  stop(): void;
}

/**
 * A progress line on stderr that rewrites itself on a terminal, and prints each new stage once elsewhere. Silent where
 * a program reads.
 */
export function progressLine(silent: boolean): ProgressLine {
  const tty = process.stderr.isTTY;
  let stopped = silent;
  let last = '';
  const clear = (): void => {
    if (tty && last !== '') process.stderr.write('\r\x1b[K');
    last = '';
  };
  return {
    show(text) {
      if (stopped || text === last) return;
      last = text;
      process.stderr.write(tty ? `\r\x1b[K${text}` : `${text}\n`);
    },
    clear,
    stop() {
      clear();
      stopped = true;
    },
  };
}
