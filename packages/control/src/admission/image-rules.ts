import type { ImageRule, ImageSource } from '@unpin/contract';

/** One way in which something of another control plane names what it boots. */
export interface ImageReference {
  readonly from: ImageSource;
  readonly name: string;
  /** Of Kubernetes, where it has one. */
  readonly namespace?: string;
}

export interface RuleHit {
  readonly image: string;
  readonly reference: ImageReference;
}

/** Where the first of the operator's rules that fits any of these references leads. Pure. */
export function imageByRules(rules: readonly ImageRule[], references: readonly ImageReference[]): RuleHit | undefined {
  for (const rule of rules) {
    const reference = references.find((each) => fits(rule, each));
    if (reference !== undefined) return { image: rule.image, reference };
  }
  return undefined;
}

function fits(rule: ImageRule, reference: ImageReference): boolean {
  return (
    rule.from === reference.from &&
    (rule.namespace === undefined || matches(rule.namespace, reference.namespace ?? '')) &&
    matches(rule.match, reference.name)
  );
}

/**
 * Whether a name fits a pattern in which `*` stands for any characters. Takes the leftmost place for each part, so that
 * no name makes it slow: names are written by strangers.
 */
export function matches(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return name === pattern;
  if (!name.startsWith(head) || name.length < head.length + tail.length || !name.endsWith(tail)) return false;
  const end = name.length - tail.length;
  let at = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
