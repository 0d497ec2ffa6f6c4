import { createHash } from 'node:crypto';
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readTexts } from '../config/files.ts';

/** How often to look without having been told, ms: a watch does not see a link above it swapped, nor itself replaced. */
const LOOK_EVERY_MS = 5_000;

/** Editors and mounted volumes change a file in several steps. */
const SETTLE_MS = 150;

/**
 * Calls back when the content of the files, or of the directories' YAML files, has become another. The directories are
 * watched, not the files: an editor, and Kubernetes with a mounted ConfigMap, put a new file (or link) in the old one's
 * place. Returns what ends it.
 */
export function watchFiles(
  paths: readonly string[],
  { onChange, onTrouble }: { onChange: () => void; onTrouble: (error: Error) => void },
): () => void {
  let known = contentOf(paths);
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const now = contentOf(paths);
    if (now === known) return;
    known = now;
    onChange();
  }
  function onEvent(): void {
    clearTimeout(timer);
    timer = setTimeout(look, SETTLE_MS);
  }

  const watchers = [...new Set(paths.map(directoryOf))].flatMap((directory): FSWatcher[] => {
    try {
      const watcher = watch(directory, { persistent: false }, onEvent);
      watcher.on('error', onTrouble);
      return [watcher];
    } catch (error) {
      onTrouble(error as Error);
      return [];
    }
  });
  const slow = setInterval(look, LOOK_EVERY_MS).unref();
  return () => {
    clearInterval(slow);
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

function directoryOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(resolve(path));
}

/** A digest of all that would be read; a file that cannot be read just now counts as absent. */
function contentOf(paths: readonly string[]): string {
  const digest = createHash('sha256');
  for (const { file, text } of readTexts(paths, [])) digest.update(`${file}\0${text}\0`);
  return digest.digest('base64');
}
