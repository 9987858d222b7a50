import { styleText } from 'node:util';
import { UnpinError } from '@unpin/contract';

/** Prints an error for people (stderr) or programs (stdout) and answers the exit status. */
export function reportError(thrown: unknown, json: boolean): number {
  const error = UnpinError.from(thrown);
  if (json) process.stdout.write(`${JSON.stringify({ error: error.toBody() })}\n`);
  else process.stderr.write(errorText(error));
  return error.exitCode;
}

function errorText(error: UnpinError): string {
  const { found, needed, next } = error.parts;
  const rows: [string, string | undefined][] = [
    ['found', found],
    ['needed', needed],
    ['next', next],
  ];
  const lines = [
    `${styleText('red', 'error')} ${styleText('bold', error.code)}  ${error.parts.subject}: ${meaning(error)}`,
    ...rows.flatMap(([label, text]) =>
      text === undefined ? [] : [`  ${styleText('dim', label.padEnd(7))} ${indent(text)}`],
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function meaning(error: UnpinError): string {
  return error.message.slice(error.parts.subject.length + 2).replace(/ \((found|needed) [\s\S]*\)$/, '');
}

function indent(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat(10)}`);
}
