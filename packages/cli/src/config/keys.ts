/** One setting: flag over environment over file over default. */
export interface ConfigKey {
  readonly key: 'url' | 'stateDir' | 'listen' | 'cacheDir';
  readonly env: string;
  readonly flag?: string;
  readonly says: string;
  readonly fallback: (env: NodeJS.ProcessEnv) => string;
}

const home = (env: NodeJS.ProcessEnv): string => env['HOME'] ?? '/root';

export const CONFIG_KEYS: readonly ConfigKey[] = [
  {
    key: 'url',
    env: 'UNPIN_URL',
    flag: '--url',
    says: 'control plane that commands talk to',
    fallback: () => 'http://127.0.0.1:7070',
  },
  {
    key: 'stateDir',
    env: 'UNPIN_STATE_DIR',
    flag: '--state-dir',
    says: 'database, sockets and logs of running VMs',
    fallback: (env) => `${env['XDG_STATE_HOME'] ?? `${home(env)}/.local/state`}/unpin`,
  },
  {
    key: 'listen',
    env: 'UNPIN_LISTEN',
    flag: '--listen',
    says: 'address of the API that `unpin up` serves',
    fallback: () => '127.0.0.1:7070',
  },
  {
    key: 'cacheDir',
    env: 'UNPIN_CACHE',
    says: "what was fetched from Debian's packages",
    fallback: (env) => `${env['XDG_CACHE_HOME'] ?? `${home(env)}/.cache`}/unpin`,
  },
];

export type ConfigName = ConfigKey['key'];
