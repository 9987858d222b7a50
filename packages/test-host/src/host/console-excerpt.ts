/** What of a console log tells why a host died. */

/** How much an error carries, in lines. */
const LINES = 12;

/** A kernel's or our init's own words at the end; what follows them is registers and traces. */
const LAST_WORDS = /^(\[[ .\d]+\] )?(unpin test host: |Kernel panic|BUG: |Oops: |Out of memory: )/;

/** The first last words and what follows, else the log's end; at most twelve lines, none empty. */
export function consoleExcerpt(log: string): string[] {
  const lines = log.split(/\r?\n/).filter((line) => line.trim() !== '');
  const start = lines.findIndex((line) => LAST_WORDS.test(line));
  return start < 0 ? lines.slice(-LINES) : lines.slice(start, start + LINES);
}
