/**
 * Runs every command that README.md shows, as a reader would, and fails on the first that fails.
 * `npm ci && npm start` runs until it serves and is then ended with Ctrl-C; `npm test` and `npm ci` are the gate's own
 * steps. With `--program PATH` the unpin commands run that installed program instead of this checkout, but for those
 * that need a test host: they ran from the checkout, and once is enough for their minutes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const at = process.argv.indexOf('--program');
const program = at === -1 ? undefined : process.argv[at + 1];
const state = mkdtempSync(join(tmpdir(), 'unpin-readme-'));
const env = { ...process.env, UNPIN_STATE_DIR: state, UNPIN_LISTEN: '127.0.0.1:0' };

try {
  for (const command of commandsOf(readFileSync(join(root, 'README.md'), 'utf8'))) await runOne(command);
} finally {
  rmSync(state, { recursive: true, force: true });
}

/** The lines of all sh blocks. */
function commandsOf(readme: string): string[] {
  return [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line.trim() !== ''),
  );
}

async function runOne(command: string): Promise<void> {
  if (command === 'npm test') return;
  const line = program === undefined ? command : command.replaceAll('npm run --silent unpin --', program);
  console.log(`\n$ ${line}`);
  if (command.includes('npm start')) {
    await runUntilServing(program === undefined ? 'npm start' : `${program} up --no-demo`);
    return;
  }
  const { status } = spawnSync('bash', ['-c', line], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 600_000,
  });
  if (status !== 0) throw new Error(`exit status ${status}: ${line}`);
}

/** Starts the servers, waits for the line that says that they serve, interrupts, and wants exit status 0. */
async function runUntilServing(line: string): Promise<void> {
  const child = spawn('bash', ['-c', `exec ${line}`], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const deadline = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 600_000);
  let served = false;
  for await (const chunk of child.stdout) {
    process.stdout.write(chunk as Buffer);
    if (!served && String(chunk).includes('serving on ')) {
      served = true;
      process.kill(-(child.pid ?? 0), 'SIGINT');
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  clearTimeout(deadline);
  // npm passes Ctrl-C on to the program, waits for it, and then ends by that signal itself.
  const inOrder = child.exitCode === 0 || child.signalCode === 'SIGINT';
  if (!served || !inOrder) throw new Error(`${line}: served ${served}, ended ${child.exitCode ?? child.signalCode}`);
}
