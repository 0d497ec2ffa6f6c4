import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that some tests need and that npm does not bring. */
export interface Wanted {
  readonly program: string;
  /** The Debian package that has it. */
  readonly from: string;
  /** Where to look beside PATH. */
  readonly alsoIn?: readonly string[];
}

/** The paths of the programs; undefined, after saying so, where one of them is missing. */
export function findPrograms<const Names extends readonly Wanted[]>(
  wanted: Names,
): { readonly [Index in keyof Names]: string } | undefined {
  const paths = wanted.map(find);
  const missing = wanted.filter((_, index) => paths[index] === undefined);
  for (const { program, from } of missing) {
    // oxlint-disable-next-line no-console -- a test that is skipped must say what it misses
    console.warn(`skipped: there is no ${program} here; on Debian: apt-get install ${from}`);
  }
  return missing.length > 0 ? undefined : (paths as { [Index in keyof Names]: string });
}

function find({ program, alsoIn = [] }: Wanted): string | undefined {
  // Daemons live in sbin, which is not in everybody's PATH.
  const directories = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    ...alsoIn,
  ];
  return directories.map((directory) => join(directory, program)).find(isExecutable);
}

/** Debian keeps the server's programs apart, by version; the newest first. */
export function postgresqlDirectories(): string[] {
  const root = '/usr/lib/postgresql';
  try {
    return readdirSync(root)
      .toSorted((one, other) => Number(other) - Number(one))
      .map((version) => join(root, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
