import { isAbsolute, resolve } from 'node:path';
import { accessSync, constants, statSync } from 'node:fs';
import { z } from 'zod';

/**
 * Paths in a YAML file are relative to that file. zod has no context to hand a schema, so the loader sets the base for
 * the time of one synchronous parse; outside of one it is the working directory.
 */
let base = '';

export function relativeTo<T>(dir: string, parse: () => T): T {
  const before = base;
  base = dir;
  try {
    return parse();
  } finally {
    base = before;
  }
}

/** The directory that relative paths start from. */
export function baseDir(): string {
  return resolve(base);
}

export function resolvePath(path: string): string {
  return isAbsolute(path) ? path : resolve(base, path);
}

/** A path that comes out absolute. */
export function filePath(): z.ZodType<string, string> {
  return z.string().min(1, 'a path must not be empty').transform(resolvePath).meta({ as: 'path' });
}

/** A file that must be readable when the configuration is loaded. */
export function readableFile(): z.ZodType<string, string> {
  return filePath().superRefine((path, context) => {
    const problem = accessProblem(path, constants.R_OK);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });
}

/** Why the file cannot be used, or undefined where it can. */
export function accessProblem(path: string, mode: number): string | undefined {
  try {
    if (!statSync(path).isFile()) return `${path} is not a file`;
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return `${path} does not exist`;
    return mode === constants.X_OK ? `${path} is not executable` : `${path} cannot be read`;
  }
}

/** Why nothing can run in the directory, or undefined where it can. */
export function directoryProblem(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return `${path} is not a directory`;
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? `${path} does not exist` : `${path} cannot be entered`;
  }
}
