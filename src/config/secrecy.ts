import type { Redact } from '../core/redact.ts';
import { isSecretName, secretParameters } from '../core/secret-name.ts';
import type { Expansion } from './expand.ts';

/** Path of keys and indexes from the document's root. */
export type Path = readonly (string | number)[];

/** Keys whose values are names, numbers, hosts, ports or paths: a plain `${VAR}` in them stays readable. */
const READABLE = new Set([
  'name',
  'group',
  'groups',
  'maintenance',
  'labels',
  'purpose',
  'each',
  'depends_on',
  'notify',
  'recover',
  'mode',
  'veto',
  'attempts',
  'settle',
  'unit',
  'off_file',
  'on',
  'interval',
  'timeout',
  'retry_interval',
  'failure_threshold',
  'success_threshold',
  'detect_within',
  'max_false_down',
  'retries',
  'stop_grace',
  'state',
  'listen',
  'every',
  'grace',
  'concurrency',
  'address',
  'unix',
  'ca',
  'cert',
  'key',
  'cwd',
  'file',
  'server_name',
  'authority',
  'service',
  'method',
  'redirects',
  'max_body',
  'cookies',
  'decompress',
  'connection',
  'latency',
  'user',
  'database',
  'pid_file',
  'user',
  'host',
  'server',
  'transport',
  'insecure',
  'family',
  'min_version',
  'max_version',
  'alpn',
  'cert_expiry',
  'status',
]);

/** Probes whose short form is a name or an address. */
const SHORT_FORMS = new Set(['tcp', 'grpc', 'redis', 'script', 'dns', 'icmp', 'postgres', 'mysql']);

/** Keys below which nothing is readable, whatever it is called there. */
const HIDDEN = new Set([
  'headers',
  'auth',
  'body',
  'metadata',
  'env',
  'passphrase',
  'send',
  'send_hex',
  'token',
  'with',
  'reason',
]);

/** Keys whose value is always a secret, also one that is written out in the file. */
const ALWAYS = new Set([
  'password',
  'bearer',
  'token',
  'passphrase',
  'authorization',
  'cookie',
  'proxy-authorization',
  'hmac',
  'routing_key',
]);

/** Hooks whose URL is all that it takes to write in somebody's name. */
const SECRET_URLS = new Set(['slack', 'teams']);

/** Which of the expanded values must never be printed. */
export function secretsOf(path: Path, written: string, { parts }: Expansion): string[] {
  return parts
    .filter(({ offset, fromFile }) => fromFile || !isReadable(path, written, offset))
    .map(({ value }) => value);
}

/** Whether this key's value is masked even where it was written out. */
function isAlwaysSecret(path: Path): boolean {
  if (path[0] === 'hooks' && SECRET_URLS.has(String(path[2]))) return true;
  return path.some((key) => typeof key === 'string' && ALWAYS.has(key.toLowerCase()));
}

/** Below these, keys are the names of fields and variables. */
const NAMING = new Set(['headers', 'metadata', 'env', 'with', 'cookies']);

/** Shorter ones are words that occur everywhere. */
const SHORTEST_WRITTEN = 4;
/** Where only the name makes it a secret. */
const SHORTEST_NAMED = 6;
/** What follows `Bearer ` has to be long enough not to be a word. */
const SHORTEST_CREDENTIALS = 8;

/** Secrets that are written out in the file, and what a request says of a user and a password. */
export function writtenSecrets(data: unknown, path: Path = []): string[] {
  if (typeof data === 'string' || typeof data === 'number') {
    const text = String(data);
    if (!isAlwaysSecret(path)) {
      const named = [...(isNamedSecret(path) ? [text] : []), ...secretParameters(text)];
      return [...userinfoOf(text), ...named.filter(({ length }) => length >= SHORTEST_NAMED)];
    }
    if (text.length < SHORTEST_WRITTEN) return [];
    const credentials = /^\S+ +(\S+)$/.exec(text)?.[1] ?? '';
    return credentials.length < SHORTEST_CREDENTIALS ? [text] : [text, credentials];
  }
  if (typeof data !== 'object' || data === null) return [];
  const { username, password } = data as Partial<Record<string, unknown>>;
  const pair = typeof username === 'string' && typeof password === 'string' && `${username}:${password}`;
  return [
    ...(pair ? [pair] : []),
    ...Object.entries(data).flatMap(([key, value]) => writtenSecrets(value, [...path, key])),
  ];
}

/** Whether it is the value of a field or a variable whose name says that it is a secret. */
function isNamedSecret(path: Path): boolean {
  return NAMING.has(String(path.at(-2))) && isSecretName(String(path.at(-1)));
}

/** User and password of a URL, together and the password alone. */
function userinfoOf(text: string): string[] {
  const [, pair, password = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@:]*:([^/?#@]*))@/i.exec(text) ?? [];
  if (pair === undefined) return [];
  return [pair, password].filter(({ length }) => length >= SHORTEST_WRITTEN);
}

function isReadable(path: Path, written: string, offset: number): boolean {
  const keys = path.filter((key) => typeof key === 'string');
  if (keys.some((key) => HIDDEN.has(key))) return false;
  // A target's own URL, or a probe's short form. A webhook's URL is a credential in itself.
  if (keys[0] !== 'hooks' && ['url', 'http', 'websocket', 'proxy'].includes(keys.at(-1) ?? ''))
    return isPlaceInUrl(written, offset);
  return keys.some((key) => READABLE.has(key)) || SHORT_FORMS.has(keys.at(-1) ?? '');
}

/** Inside the host, the port or the path of a URL; not in what may carry a credential, nor the URL as a whole. */
function isPlaceInUrl(written: string, offset: number): boolean {
  const before = written.slice(0, offset);
  const after = written.slice(offset);
  const credentials = /^[^/?#]*@/.test(after.replaceAll(/\$\{[^}]*\}/g, ''));
  return /^(https?|wss?):\/\//i.test(before) && !/[?#]/.test(before) && !credentials;
}

/** Credentials that are written into a URL. */
const USERINFO = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i;

/** A copy of merged configuration data that may be printed. */
export function masked(data: unknown, redact: Redact, path: Path = []): unknown {
  if (Array.isArray(data)) return data.map((item, index) => masked(item, redact, [...path, index]));
  if (typeof data === 'object' && data !== null) {
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [redact(key), masked(value, redact, [...path, key])]),
    );
  }
  if (isAlwaysSecret(path) || isNamedSecret(path)) return '***';
  return typeof data === 'string' ? redact(data).replace(USERINFO, '$1***@') : data;
}
