import { hostname, userInfo } from 'node:os';
import { UsageError } from './args.ts';

/** What a command is about, as the API takes it. */
export type ScopeWords = { target: string } | { group: string } | { all: true };

export const SCOPE_OPTIONS = { group: { type: 'string' }, all: { type: 'boolean' } } as const;
export const SCOPE_HELP = [
  '--group NAME     a group, with all of its targets',
  '--all            everything',
];

/** The target, the group or everything, and the files that say where the agent is. */
export function scopeOf(
  { group, all }: { readonly group?: string | undefined; readonly all?: boolean | undefined },
  positionals: readonly string[],
): { readonly scope: ScopeWords; readonly files: readonly string[] } {
  if (group !== undefined && all) throw new UsageError('--group and --all are two different things');
  if (group !== undefined) return { scope: { group }, files: positionals };
  if (all) return { scope: { all }, files: positionals };
  const [target, ...files] = positionals;
  if (target === undefined) throw new UsageError('name a target, or take --group NAME or --all');
  return { scope: { target }, files };
}

/** `web-1`, `group web`, `everything` */
export function nameOf(scope: {
  readonly target?: string;
  readonly group?: string;
  readonly all?: true;
}): string {
  return scope.target ?? (scope.group === undefined ? 'everything' : `group ${scope.group}`);
}

/** Who asks. A container may run as a user without a name. */
export function whoAsks(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    user = `uid ${process.getuid?.() ?? 'unknown'}`;
  }
  return `${user}@${hostname()}`;
}
