import type { Fault } from './protocol.ts';

/** An error of ours, of the system or of SQLite, as what it means for the store. */
export class StoreError extends Error {
  readonly fault: Fault;
  constructor(kind: Fault['kind'], detail: string) {
    super(detail);
    this.fault = { kind, detail };
  }
}

const KIND_OF_CODE: Readonly<Record<string, Fault['kind']>> = {
  SQLITE_BUSY: 'busy',
  SQLITE_LOCKED: 'busy',
  SQLITE_FULL: 'full',
  ENOSPC: 'full',
  EDQUOT: 'full',
  SQLITE_READONLY: 'unwritable',
  SQLITE_CANTOPEN: 'unwritable',
  SQLITE_PERM: 'unwritable',
  SQLITE_AUTH: 'unwritable',
  EEXIST: 'unwritable',
  EACCES: 'unwritable',
  EPERM: 'unwritable',
  EROFS: 'unwritable',
  ENOTDIR: 'unwritable',
  EISDIR: 'unwritable',
  ENOENT: 'unwritable',
  ELOOP: 'unwritable',
  ENAMETOOLONG: 'unwritable',
  SQLITE_CORRUPT: 'corrupt',
  SQLITE_NOTADB: 'corrupt',
};

/** SQLite's primary result codes, where libsql gives no more than the number at the end of its message. */
const CODE_OF_NUMBER: Readonly<Record<string, string>> = {
  5: 'SQLITE_BUSY',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
};

export function faultOf(error: unknown): Fault {
  if (error instanceof StoreError) return error.fault;
  const message = error instanceof Error ? error.message : String(error);
  const number = /: (\d+)"\)$/.exec(message)?.[1];
  const code = (error as { code?: string }).code ?? (number && CODE_OF_NUMBER[Number(number) & 0xff]);
  // Extended codes begin with the primary one: SQLITE_READONLY_DIRECTORY.
  const primary = code?.startsWith('SQLITE_') ? code.split('_').slice(0, 2).join('_') : code;
  return {
    kind: KIND_OF_CODE[primary ?? ''] ?? 'disk',
    detail: code === undefined ? message : plainly(code, message),
  };
}

function plainly(code: string, message: string): string {
  if (message.startsWith('ConnectionFailed')) return code;
  return message.includes(code) ? message : `${message}, ${code}`;
}
