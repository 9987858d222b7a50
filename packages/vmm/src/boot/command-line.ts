import { BootError } from './boot-error.ts';
import { COMMAND_LINE_ROOM } from './layout.ts';

/**
 * What every guest is told: log and shell on the first serial port; a reset through the keyboard controller, which is
 * a device here; and no waiting after a panic, so that a dead guest ends.
 */
export const DEFAULT_COMMAND_LINE = 'console=ttyS0 reboot=k panic=-1';

/** The default with the caller's words after it: of two that contradict each other the kernel takes the last. */
export function commandLineWith(extras: string | undefined): string {
  const more = extras?.trim() ?? '';
  return more === '' ? DEFAULT_COMMAND_LINE : `${DEFAULT_COMMAND_LINE} ${more}`;
}

/**
 * The line as the kernel reads it: UTF-8 with a NUL.
 * @throws BootError `command-line-too-long` beyond `limit` bytes (without the NUL), `command-line-malformed` for NULs
 * and line breaks.
 */
export function commandLineBytes(line: string, limit: number): Uint8Array {
  if (/[\0\n\r]/.test(line))
    throw new BootError('command-line-malformed', 'a command line with a NUL or a line break', 'one line is needed');
  const text = new TextEncoder().encode(line);
  const most = Math.min(limit, COMMAND_LINE_ROOM - 1);
  if (text.length > most)
    throw new BootError('command-line-too-long', `a command line of ${text.length} bytes`, `at most ${most} are taken`);
  const bytes = new Uint8Array(text.length + 1);
  bytes.set(text);
  return bytes;
}
