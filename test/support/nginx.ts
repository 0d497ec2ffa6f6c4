import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RealServer, adopt, freePort, realServer, temporaryDirectory } from './real-server.ts';

export const NGINX = { program: 'nginx', from: 'nginx-light' };
export const OPENSSL = { program: 'openssl', from: 'openssl' };

export interface Nginx extends RealServer {
  /** A line for the shell that does what an operator would: wakes it where it lives, else starts it anew. */
  readonly mend: string;
  /** Its certificate, where it speaks TLS; it vouches for itself. */
  readonly certificate: string;
}

export interface NginxOptions {
  /** Speaks TLS, with a certificate that this program makes. */
  readonly openssl?: string;
  readonly http2?: boolean;
  /** Whose clients it serves: a file of certificates. */
  readonly clientCa?: string;
}

/** An nginx of the test's own, with a master and a worker, as an ordinary process. */
export async function nginx(
  program: string,
  { openssl, http2, clientCa }: NginxOptions = {},
): Promise<Nginx> {
  const directory = temporaryDirectory();
  const port = await freePort();
  const config = join(directory, 'nginx.conf');
  const pidFile = join(directory, 'nginx.pid');
  const certificate = join(directory, 'cert.pem');
  if (openssl !== undefined) makeCertificate(openssl, directory);
  const listen = `${openssl === undefined ? '' : ' ssl'}${http2 ? ' http2' : ''}`;
  writeFileSync(config, configFor({ directory, port, listen, clientCa }));
  const argv = [program, '-e', 'stderr', '-p', directory, '-c', config] as const;
  adopt(pidFile);
  const quoted = argv.map((word) => `'${word}'`).join(' ');
  return {
    ...realServer({ argv: [...argv], port, cwd: directory }),
    certificate,
    mend: `p=$(cat '${pidFile}'); if kill -0 $p; then kill -s CONT -- -$p; else setsid -f ${quoted} >/dev/null 2>&1; fi`,
  };
}

interface NginxConfig {
  readonly directory: string;
  readonly port: number;
  /** What stands behind the port. */
  readonly listen: string;
  readonly clientCa: string | undefined;
}

function configFor({ directory, port, listen, clientCa }: NginxConfig): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    worker_processes 1;
    pid ${directory}/nginx.pid;
    error_log stderr error;
    events { worker_connections 256; }
    http {
      access_log off;
      ${paths.map((path) => `${path}_temp_path ${directory}/${path};`).join('\n      ')}
      default_type application/json;
      gzip on;
      gzip_types application/json;
      gzip_min_length 1;
      server {
        listen 127.0.0.1:${port}${listen};
        ${clientCa === undefined ? '' : `ssl_client_certificate ${clientCa}; ssl_verify_client on;`}
        ${listen.includes('ssl') ? `ssl_certificate ${directory}/cert.pem; ssl_certificate_key ${directory}/key.pem;` : ''}
        location = /healthz { return 200 '{"status":"ok"}'; }
        location = /requests { return 200 '{"requests":$connection_requests,"load":0.5}'; }
        location = /broken { return 503 '{"status":"broken"}'; }
        location / { return 404; }
        location = /moved { return 302 /healthz; }
      }
    }
  `;
}

function makeCertificate(openssl: string, directory: string): void {
  const names = 'subjectAltName=DNS:orders.test,IP:127.0.0.1';
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const about = ['-days', '30', '-subj', '/CN=orders.test', '-addext', names];
  execFileSync(openssl, [...words, ...about, '-keyout', 'key.pem', '-out', 'cert.pem'], {
    cwd: directory,
    stdio: 'pipe',
  });
}
