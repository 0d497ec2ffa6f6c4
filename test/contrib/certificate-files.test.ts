import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { contrib, said } from '../support/contrib.ts';
import { OPENSSL } from '../support/nginx.ts';
import { findPrograms } from '../support/programs.ts';
import { temporaryDirectory } from '../support/real-server.ts';
import { runScript } from '../support/script.ts';

const found = findPrograms([OPENSSL]);

async function asking(given: object): Promise<Outcome> {
  return (await runScript(contrib('certificate-files.mjs'), { given })).outcome;
}

interface Made {
  readonly cert: string;
  readonly key: string;
}

function made(directory: string, name: string, days: number): Made {
  const [cert, key] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const what = [
    '-days',
    String(days),
    '-subj',
    `/CN=${name}.test`,
    '-addext',
    `subjectAltName=DNS:${name}.test`,
  ];
  execFileSync(found![0], [...how, ...what, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { cert, key };
}

describe.skipIf(!found)('certificate-files.mjs', () => {
  let pem: { shop: string; shopKey: string; soon: string };
  beforeAll(() => {
    const directory = temporaryDirectory();
    const [shop, soon] = [made(directory, 'shop', 90), made(directory, 'soon', 10)];
    pem = {
      shop: readFileSync(shop.cert, 'utf8'),
      shopKey: readFileSync(shop.key, 'utf8'),
      soon: readFileSync(soon.cert, 'utf8'),
    };
  });

  /** Files of these names and contents; their directory. */
  function files(contents: Readonly<Record<string, string>>): (name: string) => string {
    const directory = temporaryDirectory();
    for (const [name, text] of Object.entries(contents)) writeFileSync(join(directory, name), text);
    return (name) => join(directory, name);
  }

  test('days left, of the nearest in a chain and among files', async () => {
    const at = files({ 'shop.pem': pem.shop, 'chain.pem': `text before\n${pem.shop}${pem.soon}` });
    const fine = await asking({ files: [at('shop.pem')] });
    expect(said(fine)).toMatch(
      /^ok: 1 certificates, the nearest to its end is shop.test with (89|90) days left$/,
    );
    expect(fine.facts).toEqual({ certificates: 1, days_left: expect.any(Number), nearest: at('shop.pem') });
    expect(said(await asking({ files: [at('shop.pem'), at('chain.pem')] }))).toMatch(
      /^warn: soon.test in .*chain.pem has (9|10) days left$/,
    );
    expect(said(await asking({ files: [at('chain.pem')], fail_days: 30 }))).toMatch(
      /^fail: soon.test in .*chain.pem has (9|10) days left$/,
    );
    expect((await asking({ files: [at('chain.pem')], warn_days: '5' })).status).toBe('ok');
  });

  test('a certificate that has expired, one that is not valid yet', async () => {
    const directory = temporaryDirectory();
    const { cert } = made(directory, 'old', 1);
    const shown = (extra: string[]): string => {
      const key = join(directory, 'old.key');
      const csr = join(directory, 'old.csr');
      execFileSync(found![0], ['req', '-new', '-key', key, '-subj', '/CN=old.test', '-out', csr], {
        stdio: 'pipe',
      });
      const config = join(directory, 'ca.cnf');
      writeFileSync(
        config,
        `[ca]\ndefault_ca = a\n[a]\ndatabase = ${directory}/index\nserial = ${directory}/serial\n` +
          `new_certs_dir = ${directory}\ndefault_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n`,
      );
      writeFileSync(join(directory, 'index'), '');
      writeFileSync(join(directory, 'serial'), '01\n');
      const out = join(directory, 'made.pem');
      const by = [
        '-config',
        config,
        '-cert',
        cert,
        '-keyfile',
        key,
        '-in',
        csr,
        '-out',
        out,
        '-batch',
        '-notext',
      ];
      execFileSync(found![0], ['ca', ...by, ...extra], { stdio: 'pipe' });
      return out;
    };
    const expired = shown(['-startdate', '20200101000000Z', '-enddate', '20210101000000Z']);
    expect(said(await asking({ files: [expired] }))).toMatch(
      /^fail: old.test in .*made.pem has expired on Jan  ?1 00:00:00 2021 GMT$/,
    );
    const future = shown(['-startdate', '20480101000000Z', '-enddate', '20490101000000Z']);
    expect(said(await asking({ files: [future] }))).toMatch(/^fail: old.test in .* is not valid before Jan/);
  });

  test('keys and names', async () => {
    const at = files({
      'shop.pem': pem.shop,
      'shop.key': pem.shopKey,
      'soon.pem': pem.soon,
      'bad.key': 'no',
    });
    const both = (cert: string, key: string, names?: string[]) => ({
      files: [{ cert: at(cert), key: at(key), ...(names && { names }) }],
      warn_days: 1,
    });
    expect((await asking(both('shop.pem', 'shop.key', ['shop.test']))).status).toBe('ok');
    expect(said(await asking(both('shop.pem', 'shop.key', ['shop.test', 'pay.test'])))).toBe(
      `fail: ${at('shop.pem')} does not cover pay.test`,
    );
    expect(said(await asking(both('soon.pem', 'shop.key')))).toBe(
      `fail: ${at('shop.key')} is not the key of soon.test`,
    );
    expect(said(await asking(both('shop.pem', 'none.key')))).toBe(`fail: ${at('none.key')} does not exist`);
    expect(said(await asking(both('shop.pem', 'bad.key')))).toMatch(
      /^fail: .*bad.key is no key that can be read/,
    );
  });

  test('a directory, and files that are missing, empty, broken or shut', async () => {
    const at = files({
      'a.pem': pem.shop,
      'b.crt': pem.soon,
      'c.pem': pem.shopKey,
      'notes.txt': 'x',
    });
    expect((await asking({ files: [at('')], warn_days: 1 })).facts).toMatchObject({ certificates: 2 });
    const other = files({
      'empty.pem': '',
      'broken.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    });
    expect(said(await asking({ files: [other('none.pem'), other('empty.pem'), other('broken.pem')] }))).toBe(
      `fail: ${other('none.pem')} does not exist; ${other('empty.pem')}: there is no certificate in it (PEM); ` +
        `${other('broken.pem')}: a certificate in it cannot be read`,
    );
    mkdirSync(other('hollow'));
    expect(said(await asking({ files: [other('hollow')] }))).toBe(
      'fail: there is no certificate in any of the files',
    );
    if (process.getuid?.() === 0) return;
    copyFileSync(at('a.pem'), other('shut.pem'));
    chmodSync(other('shut.pem'), 0o000);
    expect(said(await asking({ files: [other('shut.pem')] }))).toBe(
      `void: ${other('shut.pem')} may not be read`,
    );
  });
});

describe('certificate-files.mjs, misused', () => {
  test.each<[object, RegExp]>([
    [{ file: '/a' }, /there is no setting file/],
    [{}, /files: a list of paths is needed/],
    [{ files: ['a.pem'] }, /files: a.pem is not an absolute path/],
    [{ files: ['/a.pem'], warn_days: 'soon' }, /soon is not a number of days/],
  ])('%j', async (given, message) => {
    const outcome = await asking(given);
    expect(outcome.status).toBe('void');
    expect(outcome.message).toMatch(message);
  });
});
