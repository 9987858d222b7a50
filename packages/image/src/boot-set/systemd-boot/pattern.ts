/**
 * Whether a name fits a pattern of `loader.conf`: `*`, `?`, and sets as `[a-z]`; case doesn't matter on the ESP.
 * Not by a RegExp: a pattern from an image may take one exponential time.
 */
export function fits(pattern: string, name: string): boolean {
  const parts = partsOf(pattern.toLowerCase());
  const text = name.toLowerCase();
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let from = 0; from < text.length; ) {
    const part = parts[at];
    if (part === '*') {
      star = at++;
      resume = from;
    } else if (part !== undefined && part(text.charAt(from))) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++resume;
    } else return false;
  }
  while (parts[at] === '*') at++;
  return at === parts.length;
}

type Part = '*' | ((char: string) => boolean);

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    const end = char === '[' ? pattern.indexOf(']', at + 2) : -1;
    if (char === '*') parts.push('*');
    else if (char === '?') parts.push(() => true);
    else if (end > 0) {
      parts.push(setOf(pattern.slice(at + 1, end)));
      at = end;
    } else {
      const literal = char === '\\' ? pattern.charAt(++at) : char;
      parts.push((other) => other === literal);
    }
  }
  return parts;
}

function setOf(inside: string): (char: string) => boolean {
  return (char) => {
    for (let at = 0; at < inside.length; at++) {
      const first = inside.charAt(at);
      if (inside[at + 1] === '-' && at + 2 < inside.length) {
        if (char >= first && char <= inside.charAt(at + 2)) return true;
        at += 2;
      } else if (char === first) return true;
    }
    return false;
  };
}
