import type { Command } from './command.ts';
import { CONTROL } from './control-commands.ts';
import { FILES } from './file-commands.ts';
import { INERT } from './inert-commands.ts';
import { LOADING } from './load-commands.ts';
import { MENU } from './menu-commands.ts';

/** GRUB's commands, by name. What is none of these, no function and no assignment is a problem of the configuration. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ...INERT,
  ...Object.entries(CONTROL),
  ...Object.entries(FILES),
  ...Object.entries(LOADING),
  ...Object.entries(MENU),
]);
