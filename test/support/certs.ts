import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** Paths of the PEM files, and what is in them. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** Issues a certificate for these names, good from and until so many days from now. */
  issue(name: string, names: string, days?: number, from?: number, key?: readonly string[]): Certificate;
}

/** Why no certificate can be made here, or undefined where one can. */
export function opensslProblem(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no openssl to make certificates with: ${(error as Error).message}`;
  }
}

/** A certificate authority in a directory of its own. */
export function createAuthority(): Authority & { remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'vitald-ca-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  };
  mkdirSync(join(dir, 'issued'));
  writeFileSync(join(dir, 'index.txt'), '');
  writeFileSync(
    join(dir, 'ca.cnf'),
    [
      '[ca]',
      'default_ca=own',
      '[own]',
      'database=index.txt',
      'new_certs_dir=issued',
      'default_md=sha256',
      'unique_subject=no',
      'policy=any',
      'email_in_dn=no',
      'rand_serial=yes',
      '[any]',
      'commonName=supplied',
      '[req]',
      'distinguished_name=dn',
      '[dn]',
      '',
    ].join('\n'),
  );
  const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const plain = ['-nodes', '-config', 'ca.cnf'];

  function files(name: string): Certificate {
    const certFile = join(dir, `${name}.pem`);
    const keyFile = join(dir, `${name}.key`);
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }

  openssl(
    'req',
    '-x509',
    ...ecKey,
    ...plain,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
  );

  return {
    ...files('ca'),
    issue(name, names, days = 2, from = -9, key = ecKey) {
      openssl(
        'req',
        ...key,
        ...plain,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}`,
      );
      writeFileSync(join(dir, `${name}.ext`), `subjectAltName=${names}\n`);
      const day = 86_400_000;
      openssl(
        'ca',
        '-batch',
        '-config',
        'ca.cnf',
        '-cert',
        'ca.pem',
        '-keyfile',
        'ca.key',
        '-notext',
        '-in',
        `${name}.csr`,
        '-out',
        `${name}.pem`,
        '-extfile',
        `${name}.ext`,
        '-startdate',
        asn1Time(Date.now() + from * day),
        '-enddate',
        asn1Time(Date.now() + days * day),
      );
      return files(name);
    },
    remove: () => rmSync(dir, { recursive: true }),
  };
}

/** 20260131235959Z */
function asn1Time(at: number): string {
  return `${new Date(at).toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`;
}
