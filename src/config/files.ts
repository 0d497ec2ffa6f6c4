import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from './problem.ts';

export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

/** The texts of the files named, and of the .yaml and .yml files of the directories named, in order, each once. */
export function readTexts(paths: readonly string[], problems: Problem[]): ConfigText[] {
  const files = new Set<string>();
  for (const path of paths) {
    try {
      for (const file of filesAt(path)) files.add(file);
    } catch (error) {
      problems.push(fileProblem(path, error));
    }
  }
  return [...files].flatMap((file) => {
    try {
      return [{ file, text: readFileSync(file, 'utf8') }];
    } catch (error) {
      problems.push(fileProblem(file, error));
      return [];
    }
  });
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path)
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => join(path, name));
  if (files.length === 0) throw new Error('there is no .yaml or .yml file in this directory');
  return files;
}

function fileProblem(file: string, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'this file may not be read' : message;
  return { place: { file, line: 0, column: 0, text: '', width: 0 }, message: why };
}
