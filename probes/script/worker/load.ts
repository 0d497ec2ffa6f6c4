import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { Given, ScriptProbe, StandardIssue } from '../define.ts';

/** The script cannot be used, and the message says all there is to say. */
export class Unusable extends Error {}
/** The file has changed since this thread loaded it; what it imports may have, too: only a fresh thread forgets it. */
export class Stale extends Error {}

export interface Script {
  readonly probe: ScriptProbe<unknown>;
  /** The settings that it makes of what stands under `with`, as JSON. */
  settings(given: string): Promise<unknown>;
}

const MOST_SETTINGS = 1_000;
const loaded = new Map<string, { readonly version: string; readonly script: Script }>();

export async function load(file: string): Promise<Script> {
  const version = versionOf(file);
  const known = loaded.get(file);
  if (known) {
    if (known.version !== version) throw new Stale();
    return known.script;
  }
  const { default: exported } = await imported(file);
  if (typeof (exported as ScriptProbe<unknown> | undefined)?.attempt !== 'function') {
    throw new Unusable(
      `${file} has no probe: it has to \`export default defineProbe({ attempt() { ... } })\``,
    );
  }
  const script = scriptOf(file, exported as ScriptProbe<unknown>);
  loaded.set(file, { version, script });
  return script;
}

async function imported(file: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    const place = error instanceof SyntaxError ? await placeOfSyntaxError(file) : undefined;
    if (place !== undefined) (error as Error).stack = place;
    throw error;
  }
}

/** Node tells the place of a syntax error to nobody but the terminal. */
function placeOfSyntaxError(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: 5_000 }, (error, _, stderr) => {
      resolve(error && stderr.startsWith(file) ? stderr.split('\n\nNode.js')[0]!.trimEnd() : undefined);
    });
  });
}

function versionOf(file: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    throw new Unusable(`the script cannot be read: ${(error as Error).message}`);
  }
}

function scriptOf(file: string, probe: ScriptProbe<unknown>): Script {
  const known = new Map<string, unknown>();
  return {
    probe,
    async settings(given) {
      if (known.has(given)) return known.get(given);
      const settings = await checked(file, probe, JSON.parse(given) as Given);
      if (known.size >= MOST_SETTINGS) known.clear();
      known.set(given, settings);
      return settings;
    },
  };
}

async function checked(file: string, { settings }: ScriptProbe<unknown>, given: Given): Promise<unknown> {
  if (settings === undefined) return frozen(given);
  let issues: readonly StandardIssue[];
  try {
    if (!('~standard' in settings)) return frozen(await settings(given));
    const result = await settings['~standard'].validate(given);
    if (!result.issues) return frozen(result.value);
    ({ issues } = result);
  } catch (error) {
    // A function may use a schema inside.
    const inner = (error as { issues?: unknown } | undefined)?.issues;
    issues = Array.isArray(inner) ? (inner as StandardIssue[]) : [{ message: messageOf(error) }];
  }
  throw new Unusable(`${file} refuses its settings: ${issues.slice(0, 5).map(wordsOf).join('; ')}`);
}

/** All attempts of a target share them: what one changed, another would see. */
function frozen(settings: unknown): unknown {
  const isPlain =
    Array.isArray(settings) ||
    (typeof settings === 'object' &&
      settings !== null &&
      Object.getPrototypeOf(settings) === Object.prototype);
  if (!isPlain || Object.isFrozen(settings)) return settings;
  Object.freeze(settings);
  for (const value of Object.values(settings as object)) frozen(value);
  return settings;
}

function wordsOf({ path, message }: StandardIssue): string {
  const keys = (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
  return keys.length > 0 ? `with.${keys.join('.')}: ${message}` : message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
