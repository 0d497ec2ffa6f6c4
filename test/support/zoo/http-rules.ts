import { type OverBoth, explicit, good } from './behaviour.ts';
import { OK, says } from './http-answers.ts';
import { onceAsked } from './pieces.ts';

function json(body: string): string {
  return `${OK}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const cel = (condition: string): { expect: { cel: string } } => ({ expect: { cel: condition } });
const costly = explicit('mismatch', /it would take too long over this answer/);

/** Answers that are hard to judge, or made so that judging them takes for ever. */
export const httpJudged: readonly OverBoth[] = [
  {
    name: 'sends a long list to a macro inside a macro',
    onPeer: says(json(`[${'1,'.repeat(40_000)}1]`)),
    settings: cel('json.all(a, json.all(b, a == b))'),
    expected: costly,
  },
  {
    name: 'sends JSON of very many values',
    onPeer: says(json(`[${'{"constructor":1},'.repeat(50_000)}1]`)),
    settings: cel('size(json) > 1'),
    expected: { ...costly, message: /too many values to be read as JSON/ },
  },
  {
    name: 'sends a needle that is hard to find',
    onPeer: says(
      json(JSON.stringify({ a: 'a'.repeat(500_000), b: `${'a'.repeat(50_000)}b${'a'.repeat(50_000)}` })),
    ),
    settings: cel('json.a.contains(json.b)'),
    expected: costly,
  },
  {
    name: 'sends a text that stalls backtracking patterns',
    onPeer: says(json(JSON.stringify({ a: `${'a'.repeat(100_000)}!` }))),
    settings: cel('json.a.matches("^(a+)+$")'),
    expected: explicit('mismatch', /it is false/),
  },
  {
    name: 'sends JSON that is nested without end',
    onPeer: says(json('['.repeat(400_000) + ']'.repeat(400_000))),
    settings: cel('json == [json]'),
    expected: explicit('mismatch'),
  },
  {
    name: 'sends JSON with the names of prototypes',
    onPeer: says(json('{"__proto__":{"a":1},"constructor":{"prototype":{"b":1}},"ok":true}')),
    settings: cel('json.ok && !has(json.a) && !has(json.b)'),
    expected: good(),
  },
  {
    name: 'sends half of a JSON',
    onPeer: says(json('{"a":')),
    settings: cel('json.a == 1'),
    expected: explicit('mismatch', /not JSON/),
  },
  {
    name: 'sends no body to a condition',
    onPeer: says(json('')),
    settings: cel('json.a == 1'),
    expected: explicit('mismatch', /empty/),
  },
  {
    name: 'is good but for a warning',
    onPeer: says(json('{"load":2}')),
    settings: { warn: { json: { '$.load': '< 1' } } },
    expected: { status: 'warn', by: 'answer', message: /json\.load is 2/ },
  },
  {
    name: 'sets more cookies than fit, and redirects to itself for ever',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        const cookies = Array.from(
          { length: 500 },
          (_, n) => `Set-Cookie: c${n}=${'x'.repeat(90)}; Path=/\r\n`,
        );
        socket.write(`HTTP/1.1 302 X\r\nLocation: /again\r\n${cookies.join('')}Content-Length: 0\r\n\r\n`);
      }),
    settings: { redirects: 5, cookies: true },
    expected: explicit('protocol', /more than 5 redirects/),
  },
  {
    name: 'wants its cookie back',
    onPeer: (socket) =>
      onceAsked(socket, (request) => {
        const back = /\r\ncookie: session=1\r\n/.test(request);
        socket.write(
          back
            ? json('{}')
            : 'HTTP/1.1 303 X\r\nLocation: /in\r\nSet-Cookie: session=1; HttpOnly\r\nContent-Length: 0\r\n\r\n',
        );
      }),
    settings: { redirects: 1, cookies: true },
    expected: good(),
  },
];
