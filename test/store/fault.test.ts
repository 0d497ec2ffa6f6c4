import { expect, test } from 'vitest';
import { faultOf } from '../../src/store/fault.ts';

function coded(code: string, message = 'in their words'): Error {
  return Object.assign(new Error(message), { code });
}

test.each([
  [coded('SQLITE_BUSY'), 'busy'],
  [coded('SQLITE_FULL'), 'full'],
  [coded('ENOSPC'), 'full'],
  [coded('SQLITE_READONLY_DIRECTORY'), 'unwritable'],
  [coded('EROFS'), 'unwritable'],
  [coded('SQLITE_CORRUPT_INDEX'), 'corrupt'],
  [coded('SQLITE_NOTADB'), 'corrupt'],
  [coded('SQLITE_IOERR_FSYNC'), 'disk'],
  // libsql tells of an open that failed by the number of SQLite's code alone.
  [new Error('ConnectionFailed("Unable to open connection to local database x: 14")'), 'unwritable'],
  [new Error('ConnectionFailed("Unable to open connection to local database x: 26")'), 'corrupt'],
  ['anything', 'disk'],
])('%s', (error, kind) => expect(faultOf(error).kind).toBe(kind));
