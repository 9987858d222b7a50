/** Filesystems made of a table of files, as readers of real ones would show them. */
import type { DirectoryEntry, FileNode, Filesystem } from '../../src/filesystem/filesystem.ts';
import type { Volume } from '../../src/filesystem/volume.ts';
import { Budget } from '../../src/source/budget.ts';
import { memorySource } from '../../src/source/memory-source.ts';

export type Content = string | Uint8Array | { readonly link: string };
/** Path without a leading slash → what is there. */
export type Files = Readonly<Record<string, Content>>;

export interface VolumeSettings {
  readonly kind?: Filesystem['kind'];
  readonly uuid?: string;
  readonly label?: string;
  /** Its partition's number; undefined: the whole disk. */
  readonly partition?: number;
  readonly type?: string;
  readonly files: Files;
}

interface Entry {
  readonly node: FileNode;
  readonly content: Content | Map<string, Entry>;
}

export const ESP_TYPE = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
export const LINUX_TYPE = '0fc63daf-8483-4772-8e79-3d69d8477de4';

export function plenty(): Budget {
  return new Budget(2 ** 40, 10_000_000);
}

export function volume(settings: VolumeSettings): Volume {
  const { kind = 'ext4', partition, type = kind.startsWith('FAT') ? ESP_TYPE : LINUX_TYPE } = settings;
  return {
    filesystem: filesystem(settings),
    partition:
      partition === undefined
        ? undefined
        : {
            number: partition,
            start: 2 ** 20,
            bytes: 2 ** 20,
            type,
            uuid: `0000000${partition}-1111-2222-3333-444444444444`,
            label: '',
            notes: [],
            source: memorySource(`partition ${partition}`, Buffer.alloc(512)),
          },
  };
}

function filesystem({ kind = 'ext4', uuid = '', label = '', files }: VolumeSettings): Filesystem {
  const ignoresCase = kind.startsWith('FAT');
  const fold = (name: string): string => (ignoresCase ? name.toLowerCase() : name);
  let next = 1;
  const node = (type: FileNode['kind'], size: number): FileNode => ({ id: next++, kind: type, size });
  const names = new Map<Entry, string>();
  const root: Entry = { node: node('directory', 0), content: new Map() };
  const all = new Map<number, Entry>([[root.node.id, root]]);
  for (const [path, content] of Object.entries(files)) {
    let at = root;
    const parts = path.split('/');
    for (const [index, name] of parts.entries()) {
      if (!(at.content instanceof Map)) throw new Error(`${path}: a folder is a file`);
      let entry: Entry | undefined = at.content.get(fold(name));
      if (entry === undefined) {
        entry = index < parts.length - 1 ? { node: node('directory', 0), content: new Map() } : leaf(content, node);
        at.content.set(fold(name), entry);
        names.set(entry, name);
        all.set(entry.node.id, entry);
      }
      at = entry;
    }
  }
  const folder = (of: FileNode): Map<string, Entry> => {
    const content = all.get(of.id)?.content;
    if (!(content instanceof Map)) throw new Error('no folder');
    return content;
  };
  return {
    kind,
    uuid,
    label,
    ignoresCase,
    root: root.node,
    notes: [],
    find: async (directory, name) => folder(directory).get(fold(name))?.node,
    list: async (directory) =>
      [...folder(directory).values()].map(
        (entry): DirectoryEntry => ({ name: names.get(entry) ?? '', node: entry.node }),
      ),
    open: async (file) => {
      const content = all.get(file.id)?.content;
      if (typeof content === 'string') return memorySource('file', Buffer.from(content));
      if (content instanceof Uint8Array) return memorySource('file', content);
      throw new Error('no file');
    },
    readLink: async (link) => {
      const content = all.get(link.id)?.content;
      if (typeof content === 'object' && 'link' in content) return content.link;
      throw new Error('no link');
    },
  };
}

function leaf(content: Content, node: (kind: FileNode['kind'], size: number) => FileNode): Entry {
  if (typeof content === 'string') return { node: node('file', Buffer.byteLength(content)), content };
  if (content instanceof Uint8Array) return { node: node('file', content.length), content };
  return { node: node('symlink', content.link.length), content };
}
