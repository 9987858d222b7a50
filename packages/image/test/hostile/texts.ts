/** Texts of loaders, garbled by the rules of their languages. */
import type { Random } from './random.ts';

/** Words that mean something to GRUB's script, BLS, systemd-boot or extlinux, and some that nobody expects. */
const WORDS: readonly string[] = [
  '{',
  '}',
  '{{{{{{{{',
  '${',
  '${default}',
  '$root',
  '"',
  "'",
  '\\',
  '\n',
  '\r\n',
  ';',
  '&&',
  '|',
  '[ ',
  ' ]',
  'if true; then',
  'fi',
  'elif',
  'else',
  'while true; do',
  'until false; do',
  'for i in 1 2 3; do',
  'done',
  'break',
  'function f { f; }',
  'f',
  'menuentry x { linux /boot/vmlinuz-6.0-test }',
  'submenu x { submenu y { submenu z {',
  'source $prefix/grub.cfg',
  'configfile /boot/grub/grub.cfg',
  'configfile $prefix/grub.cfg',
  'extract_entries_source $prefix/grub.cfg',
  'load_env -f /boot/grub/grub.cfg',
  'save_env default',
  'set default=',
  'set default="9999999999999999999999"',
  'set default="-1"',
  'set default="1>1>1>1>1>1"',
  'set default=$default$default',
  'set a="$a$a$a$a"',
  'linux /../../../../etc/passwd',
  'linux (hd0,gpt1)/etc/passwd',
  'linux (loop)/x',
  'loopback loop /boot/vmlinuz-6.0-test',
  'search --set=root --file /boot/grub/grub.cfg',
  'regexp --set a "((a*)*)*b" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  'test a = a -a ( b',
  'blscfg',
  'insmod blscfg; blscfg',
  'default *************a',
  'default l0',
  'include extlinux.conf',
  'include /extlinux/extlinux.conf',
  'label l0',
  'kernel ../../../../../etc/passwd',
  'linux /vmlinuz',
  'append nopv',
  'efi /EFI/Linux/x.efi',
  'title',
  'version 99999999999999999999999999999.9',
  'options $kernelopts $kernelopts',
  'sort-key',
  '\0',
  '\ufffd\ufeff',
  'x'.repeat(5000),
  ' '.repeat(5000),
  '$x'.repeat(3000),
  '{'.repeat(3000),
  'if '.repeat(1000),
];

/** A text with words put in, lines doubled, turned or lost. */
export function garbled(text: string, random: Random): string {
  let lines = text.split('\n');
  for (let count = 1 + random.below(5); count > 0; count--) {
    const at = random.below(lines.length);
    const line = lines[at] ?? '';
    switch (random.below(7)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(at, 0, random.pick(WORDS));
        break;
      case 2: {
        const place = random.below(line.length);
        lines[at] = line.slice(0, place) + random.pick(WORDS) + line.slice(place + random.below(3));
        break;
      }
      case 3:
        lines[at] = line.slice(0, random.below(line.length));
        break;
      case 4:
        lines = [...lines.slice(0, at), ...lines.slice(at).toReversed()];
        break;
      case 5:
        // As often as a person would never write it.
        lines.splice(at, 0, ...Array.from({ length: 2 ** random.below(10) }, () => line));
        break;
      default:
        lines[at] = line.replaceAll(/[a-z]+/g, (word) => (random.once(3) ? random.pick(WORDS) : word));
    }
  }
  return lines.join('\n').slice(0, 2 ** 20);
}
