import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, readlink, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Cancel, Clock } from '../core/clock.ts';
import type { FileSettings, PublishReport, Publication } from '../core/publication.ts';
import { firstLine, minimalEnvironment, run } from '../process/command.ts';
import { rendered, withoutLease } from './layout.ts';

/** One file that is kept as its group stands. */
export interface PublishedFile {
  /** This is what it is to hold from now on. Never waits. */
  offer(publication: Publication): void;
  /** Writes nothing more, and leaves the file as it is: its lease runs out. */
  stop(): Promise<void>;
}

export interface PublishedFileOptions {
  readonly settings: FileSettings;
  readonly clock: Clock;
  readonly onReport: (report: PublishReport) => void;
}

/** After a change others may follow at once: nodes fail together. One reload is to do for all, ms. */
const GATHER_MS = 200;
/** What could not be written or reloaded is tried again so much later, ms. */
const AGAIN_MS = 5_000;
const RELOAD_TIMEOUT_MS = 30_000;

export function createPublishedFile({ settings, clock, onReport }: PublishedFileOptions): PublishedFile {
  const { group, path, layout, leaseMs, reload } = settings;
  const end = new AbortController();
  let wanted: Publication | undefined;
  /** What is in the file, its lease apart; undefined until it has been looked at. */
  let written: string | undefined;
  let isReloadDue = false;
  /** Said once, for as long as it is the same. */
  let trouble = '';
  let underWay: Promise<void> | undefined;
  let isStale = false;
  let cancelLease: Cancel = () => {};
  let cancelReload: Cancel = () => {};
  let reloading: Promise<void> | undefined;

  function say(what: Exclude<PublishReport['what'], 'set'>, detail: string): void {
    const isTrouble = what === 'not written' || what === 'not reloaded';
    if (isTrouble && trouble === `${what} ${detail}`) return;
    trouble = isTrouble ? `${what} ${detail}` : '';
    onReport({ what, group, path, detail });
  }

  /** One write at a time; what has changed meanwhile is written after it. */
  function write(): void {
    if (underWay) {
      isStale = true;
      return;
    }
    if (end.signal.aborted || !wanted) return;
    isStale = false;
    cancelLease();
    underWay = writeOnce(wanted).then((isDone) => {
      underWay = undefined;
      if (end.signal.aborted) return;
      const waitMs = isDone ? leaseMs / 2 : Math.min(AGAIN_MS, leaseMs / 2);
      cancelLease = clock.schedule(clock.now() + waitMs, write);
      if (isStale) write();
    });
  }

  async function writeOnce(publication: Publication): Promise<boolean> {
    try {
      written ??= withoutLease(await readFile(path, 'utf8').catch(() => ''));
      const text = rendered(layout, publication, new Date(clock.wallTime() + leaseMs).toISOString());
      await replace(path, text, settings.mode);
      const isNew = withoutLease(text) !== written;
      written = withoutLease(text);
      if (isNew) {
        say('written', `${publication.nodes.filter((node) => node.published).length} published`);
        if (reload) isReloadDue = true;
      }
      if (isReloadDue) reloadSoon(GATHER_MS);
      return true;
    } catch (error) {
      say('not written', (error as Error).message);
      return false;
    }
  }

  function reloadSoon(waitMs: number): void {
    cancelReload();
    cancelReload = clock.schedule(clock.now() + waitMs, () => {
      // What has changed while it runs is not what it has read.
      if (!reloading) reloading = reloadOnce().finally(() => (reloading = undefined));
    });
  }

  async function reloadOnce(): Promise<void> {
    isReloadDue = false;
    const problem = await ran(reload!, clock, end.signal);
    if (end.signal.aborted) return;
    if (problem === null) say('reloaded', reload!.argv.join(' '));
    else say('not reloaded', problem);
    if (problem !== null) isReloadDue = true;
    if (isReloadDue) reloadSoon(problem === null ? GATHER_MS : AGAIN_MS);
  }

  return {
    offer(publication) {
      wanted = publication;
      const text = withoutLease(rendered(layout, publication, ''));
      if (text !== written || underWay) write();
    },
    async stop() {
      end.abort();
      cancelLease();
      cancelReload();
      await Promise.all([underWay, reloading]);
    },
  };
}

/** What is wrong with it, in words; null where it has run well. */
async function ran(
  { argv, cwd }: NonNullable<FileSettings['reload']>,
  clock: Clock,
  ended: AbortSignal,
): Promise<string | null> {
  const timeout = new AbortController();
  const cancel = clock.schedule(clock.now() + RELOAD_TIMEOUT_MS, () => timeout.abort());
  const signal = AbortSignal.any([timeout.signal, ended]);
  try {
    const exit = await run({ argv, cwd, env: minimalEnvironment() }, { signal, clock });
    if (exit.code === 0) return null;
    if (timeout.signal.aborted) return `${argv[0]}: no end within ${RELOAD_TIMEOUT_MS / 1_000}s`;
    const said = firstLine({ stdout: exit.stderr, stderr: exit.stdout });
    return `${argv[0]}: exit ${exit.signal ?? exit.code}${said === '' ? '' : `: ${said}`}`;
  } catch (error) {
    return `${argv[0]}: ${(error as Error).message}`;
  } finally {
    cancel();
  }
}

/** It names the file, not the draft that nobody knows. */
function whyNot({ code, message }: NodeJS.ErrnoException, path: string): string {
  switch (code) {
    case 'ENOENT':
      return `there is no directory ${dirname(path)}`;
    case 'EACCES':
    case 'EPERM':
      return `${dirname(path)} cannot be written by this user (${code})`;
    case 'ENOSPC':
      return 'the disk is full (ENOSPC)';
    case 'EROFS':
      return `${dirname(path)} is on a read-only file system (EROFS)`;
    default:
      return message.replace(/, \w+ '.*$/, '');
  }
}

const USUAL_MODE = 0o644;

/** Links that lead to links, as many as Linux follows. */
const MOST_LINKS = 40;

async function linkedTo(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    // What is meant by `..` in a link depends on where its directory really is.
    const directory = await realpath(dirname(at)).catch(() => dirname(at));
    const next = await readlink(at).catch(() => null);
    if (next === null) return join(directory, basename(at));
    at = resolve(directory, next);
  }
  throw new Error(`${path} is a link that leads to itself`);
}

/** Whoever reads it has the old text or the new one, also after a power cut, and never a part. */
async function replace(path: string, text: string, mode: number | null): Promise<void> {
  // A link goes on to lead to the file, also to one that is not there yet.
  const target = await linkedTo(path);
  const last = await stat(target).catch(() => undefined);
  const directory = dirname(target);
  const draft = join(directory, `.${basename(target)}.${randomBytes(6).toString('hex')}`);
  let file: FileHandle | undefined;
  try {
    file = await open(draft, 'wx', 0o600);
    await file.writeFile(text);
    await file.chmod(mode ?? (last ? last.mode & 0o777 : USUAL_MODE));
    await file.sync();
    await file.close();
    await rename(draft, target);
  } catch (error) {
    await file?.close().catch(() => {});
    await unlink(draft).catch(() => {});
    throw new Error(whyNot(error as NodeJS.ErrnoException, target), { cause: error });
  }
  const entry = await open(directory, 'r');
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}
