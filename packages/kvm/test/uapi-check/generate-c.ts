import type { Group } from './groups.ts';

/**
 * A C program that asks the compiler for the sizes, offsets and values of a group and prints them as its golden file.
 * It takes only names from the table, no number.
 */
export function generateC(group: Group): string {
  const lines = [
    '#define _GNU_SOURCE',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '#include <stdio.h>',
    ...group.headers.map((header) => `#include <${header}>`),
    '#include "newer.h"',
    'int main(void) {',
    'printf("{\\"structs\\":{");',
  ];
  for (const [index, { name, fields }] of group.structs.entries()) {
    lines.push(`printf("${comma(index)}\\"${name}\\":{\\"size\\":%zu,\\"fields\\":{", sizeof(struct ${name}));`);
    for (const [place, [field, { kind }]] of Object.entries(fields).entries())
      lines.push(
        `printf("${comma(place)}\\"${field}\\":[%zu,%zu]", ${offset(name, field)}, ${size(name, field, kind === 'tail')});`,
      );
    lines.push('printf("}}");');
  }
  lines.push('printf("},\\"constants\\":{");');
  for (const [index, name] of Object.keys(group.constants).entries())
    lines.push(`printf("${comma(index)}\\"${name}\\":%llu", (unsigned long long)(${name}));`);
  lines.push('printf("}}\\n");', 'return 0;', '}', '');
  return lines.join('\n');
}

const comma = (index: number): string => (index === 0 ? '' : ',');

/** The union member of kvm_run that headers before 6.8 lack stands in newer.h, by itself. */
const LATER_MEMBER = 'memory_fault.';

function offset(struct: string, field: string): string {
  if (field.startsWith(LATER_MEMBER)) return `RUN_MEMORY_FAULT_OFFSET(${field.slice(LATER_MEMBER.length)})`;
  return `offsetof(struct ${struct}, ${field})`;
}

function size(struct: string, field: string, isTail: boolean): string {
  if (isTail) return '(size_t)0';
  if (field.startsWith(LATER_MEMBER)) return `RUN_MEMORY_FAULT_SIZE(${field.slice(LATER_MEMBER.length)})`;
  return `sizeof(((struct ${struct} *)0)->${field})`;
}
