// certificate-files.mjs: are the certificates in these files still valid, and do their keys belong to them?
//
// It reads PEM files, each with one certificate or a chain. What a server sends is the matter of the probes http and tcp
// with `tls`; this one looks at what lies on the disk: renewed and not yet loaded, or about to run out unseen.
//
//   ok     every certificate of every file has more days left than the limits
//   warn   one has less than `warn_days` left
//   fail   one has less than `fail_days` left, has expired, or is not valid yet; a file is missing, or is no PEM; a key
//          does not belong to its certificate; a name is not covered
//   void   a file may not be read
//
// Settings, in brackets what holds without them.
//   files       required: a list of paths, or of { cert, key, names }; a directory stands for its *.pem, *.crt and *.cer
//   warn_days   [21]
//   fail_days   [3]
//   passphrase  of the keys [none]
//
// Needs: the right to read the files; no package. Paths are absolute.
//
//   targets:
//     - name: certificates
//       interval: 1h
//       script:
//         file: ./probes/contrib/certificate-files.mjs
//         with:
//           files:
//             - /etc/ssl/certs/ca.pem
//             - { cert: /etc/nginx/shop.pem, key: /etc/nginx/shop.key, names: [shop.example.com] }

import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { defineProbe, fail, ok, voided, warn } from 'vitald';

const KNOWN = new Set(['files', 'warn_days', 'fail_days', 'passphrase']);
const BLOCK = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g;
const LARGEST = 4 * 1024 * 1024;
const MOST_NAMED = 5;
const DAY_MS = 86_400_000;

export default defineProbe({
  settings(given) {
    const unknown = Object.keys(given).find((key) => !KNOWN.has(key));
    if (unknown !== undefined) throw new Error(`there is no setting ${unknown}`);
    const { files, warn_days = 21, fail_days = 3, passphrase } = given;
    if (!Array.isArray(files) || files.length === 0) throw new Error('files: a list of paths is needed');
    const entries = files.map((entry) => (typeof entry === 'string' ? { cert: entry } : entry));
    for (const { cert, key = '/', names = [] } of entries) {
      for (const path of [cert, key]) {
        if (typeof path !== 'string' || !isAbsolute(path))
          throw new Error(`files: ${path} is not an absolute path`);
      }
      if (!Array.isArray(names)) throw new Error('files: names is a list');
    }
    for (const days of [warn_days, fail_days]) {
      if (!Number.isFinite(Number(days))) throw new Error(`${String(days)} is not a number of days`);
    }
    return { entries, warnDays: Number(warn_days), failDays: Number(fail_days), passphrase };
  },

  async attempt({ entries, warnDays, failDays, passphrase }, { clock }) {
    const now = clock.wallTime();
    const fails = [];
    const warns = [];
    let nearest;
    let count = 0;
    for (const { cert, key, names = [] } of entries) {
      let chains;
      try {
        chains = await readAll(cert);
      } catch (error) {
        if (error.code === 'EACCES' || error.code === 'EPERM') return voided(`${cert} may not be read`);
        fails.push(error.code === 'ENOENT' ? `${cert} does not exist` : `${cert}: ${error.message}`);
        continue;
      }
      for (const { path, chain } of chains) {
        for (const certificate of chain) {
          count += 1;
          const daysLeft = Math.floor((Date.parse(certificate.validTo) - now) / DAY_MS);
          if (nearest === undefined || daysLeft < nearest.daysLeft)
            nearest = { daysLeft, path, name: nameOf(certificate) };
          const what = `${nameOf(certificate)} in ${path}`;
          if (Date.parse(certificate.validFrom) > now)
            fails.push(`${what} is not valid before ${certificate.validFrom}`);
          else if (daysLeft < 0) fails.push(`${what} has expired on ${certificate.validTo}`);
          else if (daysLeft < failDays) fails.push(`${what} has ${daysLeft} days left`);
          else if (daysLeft < warnDays) warns.push(`${what} has ${daysLeft} days left`);
        }
        // The first certificate of a chain is the server's own.
        for (const name of names) {
          if (chain[0].checkHost(name) === undefined) fails.push(`${path} does not cover ${name}`);
        }
        if (key === undefined) continue;
        const problem = await keyProblem(key, passphrase, chain[0]);
        if (problem?.mayNotRead) return voided(`${key} may not be read`);
        if (problem !== undefined) fails.push(problem.message);
      }
    }
    const facts = { certificates: count, days_left: nearest?.daysLeft, nearest: nearest?.path };
    if (fails.length > 0) return fail('tls', listed([...fails, ...warns]), facts);
    if (warns.length > 0) return warn(listed(warns), facts);
    if (nearest === undefined) return fail('tls', 'there is no certificate in any of the files');
    return ok(
      `${count} certificates, the nearest to its end is ${nearest.name} with ${nearest.daysLeft} days left`,
      facts,
    );
  },
});

/** The chains of a file, or of all files of a directory that look like certificates. */
async function readAll(path) {
  const about = await stat(path);
  if (!about.isDirectory()) return [{ path, chain: parse(await readBounded(path, about.size)) }];
  const names = (await readdir(path)).filter((name) => /\.(pem|crt|cer)$/.test(name)).toSorted();
  const chains = [];
  for (const name of names) {
    const file = join(path, name);
    const text = await readBounded(file, (await stat(file)).size);
    // A directory may hold keys and parameters beside its certificates.
    if (text.match(BLOCK)) chains.push({ path: file, chain: parse(text) });
  }
  return chains;
}

async function readBounded(path, size) {
  if (size > LARGEST) throw new Error('too large for a file of certificates');
  return readFile(path, 'latin1');
}

function parse(text) {
  const blocks = text.match(BLOCK);
  if (!blocks) throw new Error('there is no certificate in it (PEM)');
  return blocks.map((block) => {
    try {
      return new X509Certificate(block.replaceAll('TRUSTED ', ''));
    } catch {
      throw new Error('a certificate in it cannot be read');
    }
  });
}

async function keyProblem(path, passphrase, certificate) {
  try {
    const key = createPrivateKey({ key: await readFile(path), ...(passphrase && { passphrase }) });
    return certificate.checkPrivateKey(key)
      ? undefined
      : { message: `${path} is not the key of ${nameOf(certificate)}` };
  } catch (error) {
    if (error.code === 'EACCES' || error.code === 'EPERM') return { mayNotRead: true };
    if (error.code === 'ENOENT') return { message: `${path} does not exist` };
    return { message: `${path} is no key that can be read: ${error.message}` };
  }
}

function listed(troubles) {
  const rest = troubles.length - MOST_NAMED;
  return troubles.slice(0, MOST_NAMED).join('; ') + (rest > 0 ? ` and ${rest} more` : '');
}

function nameOf({ subject, subjectAltName }) {
  const common = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  return (
    common ?? subjectAltName?.split(', ')[0] ?? subject?.split('\n').at(-1) ?? 'a certificate without a name'
  );
}
