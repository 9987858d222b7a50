/**
 * How the GRUB of Fedora and RHEL orders entries of the Boot Loader Specification: by their files' names, taken for a
 * package's name, version and release, each compared as RPM compares versions.
 * Negative where `a` is older, 0 where they are the same.
 */
export function compareAsPackages(a: string, b: string): number {
  const one = splitPackage(a);
  const two = splitPackage(b);
  return compareRpm(one.name, two.name) || compareRpm(one.version, two.version) || compareRpm(one.release, two.release);
}

interface PackageName {
  readonly name: string;
  readonly version: string;
  readonly release: string;
}

/** Where parts are missing, a name comes before a version, that before a release. */
function splitPackage(text: string): PackageName {
  const parts = /^(.*)-([^-]*)-([^-]*)$/s.exec(text) ?? /^(.*)-([^-]*)$/s.exec(text);
  const [, name = text, version = '', release = ''] = parts ?? [];
  return { name, version, release };
}

const SEGMENT = /[0-9]+|[A-Za-z]+/y;

/** RPM's comparison: digits by number, letters by code, `~` before everything, `+` after what ends there. */
export function compareRpm(a: string, b: string): number {
  if (a === b) return 0;
  let one = 0;
  let two = 0;
  for (;;) {
    one = skip(a, one);
    two = skip(b, two);
    const first = a[one];
    const second = b[two];
    if (first === '~' || second === '~') {
      if (first !== '~') return 1;
      if (second !== '~') return -1;
      one++;
      two++;
      continue;
    }
    if (first === '+' || second === '+') {
      if (first === undefined) return -1;
      if (second === undefined) return 1;
      if (first !== '+') return 1;
      if (second !== '+') return -1;
      one++;
      two++;
      continue;
    }
    if (first === undefined || second === undefined) break;
    const left = segment(a, one);
    const right = segment(b, two);
    const numeric = isDigit(first);
    if (numeric !== isDigit(second)) return numeric ? 1 : -1;
    const difference = numeric ? compareDigits(left, right) : compareText(left, right);
    if (difference !== 0) return difference;
    one += left.length;
    two += right.length;
  }
  return Number(one < a.length) - Number(two < b.length);
}

function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && !/[A-Za-z0-9~+]/.test(text.charAt(at))) at++;
  return at;
}

function segment(text: string, at: number): string {
  SEGMENT.lastIndex = at;
  return SEGMENT.exec(text)?.[0] ?? '';
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

/** Numbers of any length. */
export function compareDigits(a: string, b: string): number {
  const one = a.replace(/^0+/, '');
  const two = b.replace(/^0+/, '');
  return one.length - two.length || compareText(one, two);
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
