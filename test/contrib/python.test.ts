import { createServer as createHttp } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ask, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { serve, tcpServer } from '../support/servers.ts';

/** What the scripts that speak HTTP have in common, whoever answers. */
const SCRIPTS: [name: string, option: string, env: Readonly<Record<string, string>>][] = [
  ['elasticsearch.py', '--url', { ES_USER: 'joe', ES_PASSWORD: 'secret' }],
  ['rabbitmq.py', '--url', { RABBITMQ_USER: 'joe', RABBITMQ_PASSWORD: 'secret' }],
  ['etcd.py', '--url', {}],
  ['kubernetes-nodes.py', '--server', { KUBE_TOKEN: 'secret' }],
];

const python = findPrograms([{ program: 'python3', from: 'python3' }]);

describe.skipIf(!python).each(SCRIPTS)('%s', (name, option, env) => {
  test('takes its login to nobody that the peer names', async () => {
    const heard: string[] = [];
    const thief = await serve(
      createHttp((request, response) => {
        heard.push(request.url ?? '');
        response.end('{}');
      }),
    );
    const port = await serve(
      createHttp((_, response) =>
        response.writeHead(302, { location: `http://127.0.0.1:${thief}/steal` }).end(),
      ),
    );
    expect(said(await ask(name, [option, `http://127.0.0.1:${port}`], env))).toMatch(/^(void|fail): .*302/);
    expect(heard).toEqual([]);
  });

  test.each([
    [
      'JSON that is nested without end',
      `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${'['.repeat(200_000)}`,
      'void',
    ],
    ['JSON of another shape', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[[1]', 'void'],
    ['a body that is cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{', 'fail'],
    ['an error whose body is cut off', 'HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\n{', 'fail'],
    ['an error that is a page', 'HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n<p>oops</', 'fail'],
    ['no HTTP', 'SSH-2.0-x\r\n', 'fail'],
  ])('%s is neither ok nor a warning', async (_, answer, status) => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.end(answer)));
    const outcome = await ask(name, [option, `http://127.0.0.1:${port}`], env);
    expect(outcome).toMatchObject({ status });
    expect(outcome.message).not.toContain('Traceback');
  });
});
