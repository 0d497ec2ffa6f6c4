import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { z } from 'zod';
import { filePath } from '../../src/schema/file.ts';
import { pattern } from '../../src/schema/pattern.ts';
import { address, family, text } from '../../src/schema/scalars.ts';
import { tlsChoice } from '../wire/tls.ts';

const NEEDS_USER = ['password', 'database', 'query', 'expect'] as const;

/** The keys of a probe that asks a database; `packageName` is the client that a login takes. */
export function sqlKeys(kind: string, packageName: string) {
  return z
    .strictObject({
      address: address().optional().describe('what to dial: host:port or [v6]:port; either this or `unix`'),
      unix: filePath().optional().describe('a unix socket to dial instead'),
      family: family().describe('which addresses of the name are dialled: any (the first), 4 or 6'),
      tls: tlsChoice().describe('TLS, asked for in the protocol: true, or a mapping'),
      user: text()
        .optional()
        .describe(`log in as this user and ask \`query\`; takes the package \`${packageName}\``),
      password: text().optional().describe('of `user`'),
      database: text().optional().describe('the database to log in to'),
      query: text()
        .refine((sql) => sql.trim() !== '', 'the query is empty')
        .optional()
        .describe('asked after the login, else `SELECT 1`; the columns of its first row become facts'),
      expect: pattern().optional().describe('must match the first column of the first row'),
    })
    .superRefine((written, context) => {
      const refuse = (message: string, ...path: string[]): void =>
        context.addIssue({ code: 'custom', message, path });
      const { address, unix, user, family } = written;
      if ((address === undefined) === (unix === undefined)) refuse(`${kind} takes either address or unix`);
      const literal = address ? isIP(address.host) : 0;
      if (family !== 'any' && unix !== undefined) refuse('a unix socket has no family', 'family');
      else if (family !== 'any' && literal !== 0 && literal !== family) {
        refuse(`${address!.host} is not an IPv${family} address`, 'family');
      }
      for (const key of NEEDS_USER) {
        if (written[key] !== undefined && user === undefined) refuse(`${key} needs a user`, key);
      }
      const missing = user === undefined ? undefined : missingPackage(kind, packageName);
      if (missing !== undefined) refuse(missing, 'user');
    });
}

export type SqlSettings = z.infer<ReturnType<typeof sqlKeys>>;

/** Clients are optional: whoever does not log in to a database does without them. */
export function missingPackage(kind: string, name: string): string | undefined {
  try {
    createRequire(import.meta.url).resolve(name);
    return undefined;
  } catch {
    return `${kind} with a user needs the package ${name}: npm install ${name}`;
  }
}
