import { compareDigits, compareText } from './rpm-order.ts';

/**
 * The order of versions that the UAPI group specifies (UAPI.10, "Version Format Specification"), as systemd-boot
 * compares. Negative where `a` is older.
 */
export function compareVersions(a: string, b: string): number {
  let one = 0;
  let two = 0;
  for (;;) {
    one = skip(a, one);
    two = skip(b, two);
    // `~` comes before all, even the end.
    let order = compareSeparator('~', a[one], b[two]);
    if (order !== 0) return order;
    if (a[one] === '~') {
      one++;
      two++;
    }
    if (one >= a.length || two >= b.length) return Number(one < a.length) - Number(two < b.length);
    for (const separator of ['-', '^', '.']) {
      order = compareSeparator(separator, a[one], b[two]);
      if (order !== 0) return order;
      if (a[one] !== separator) continue;
      one++;
      two++;
    }
    const numeric = isDigitAt(a, one) || isDigitAt(b, two);
    const left = take(numeric ? DIGITS : LETTERS, a, one);
    const right = take(numeric ? DIGITS : LETTERS, b, two);
    order = numeric ? compareNumbers(left, right) : compareText(left, right);
    if (order !== 0) return order;
    one += left.length;
    two += right.length;
  }
}

const DIGITS = /[0-9]*/y;
const LETTERS = /[A-Za-z]*/y;

/** What is neither letter, digit nor separator is not looked at. */
function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && !/[A-Za-z0-9~^.-]/.test(text.charAt(at))) at++;
  return at;
}

/** Who has the separator is the older. */
function compareSeparator(separator: string, a: string | undefined, b: string | undefined): number {
  return Number(a !== separator) - Number(b !== separator);
}

/** A number is newer than what is none. */
function compareNumbers(a: string, b: string): number {
  if (a === '' || b === '') return Number(a !== '') - Number(b !== '');
  return compareDigits(a, b);
}

function isDigitAt(text: string, at: number): boolean {
  return /[0-9]/.test(text.charAt(at));
}

function take(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}
