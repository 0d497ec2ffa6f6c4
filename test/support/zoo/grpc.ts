import { GRPC_ANSWER, goaway } from '../h2.ts';
import { type Behaviour, type OnPeer, explicit, overGrpc } from './behaviour.ts';
import { grpcAnswers } from './grpc-answers.ts';
import { grpcLegal } from './grpc-legal.ts';
import { H2_ENDS } from './h2-ends.ts';
import { ILLEGAL_FRAMES } from './h2-frames.ts';
import { ILLEGAL_HEADS } from './h2-heads.ts';
import { says, saysAtOnce } from './h2-says.ts';

const SERVING = says(...GRPC_ANSWER);

const goodbyes = overGrpc([
  {
    name: 'an orderly GOAWAY before the answer',
    onPeer: says(GRPC_ANSWER[0]!, goaway(0, { last: 1 }), ...GRPC_ANSWER.slice(1)),
    expected: explicit('protocol', /GOAWAY \(NO_ERROR\) before the answer/),
  },
  {
    name: 'GOAWAY that announces a shutdown',
    onPeer: says(GRPC_ANSWER[0]!, goaway(0, { last: 2 ** 31 - 1, words: 'graceful_stop' })),
    expected: explicit('protocol', /"graceful_stop"/),
  },
]);

function overTls(
  name: string,
  alpn: readonly string[] | undefined,
  onPeer: OnPeer,
  expected: Behaviour['expected'],
): Behaviour {
  return {
    name,
    transport: 'grpcs',
    serve: ({ tlsServer }) => tlsServer(onPeer, alpn ? { ALPNProtocols: [...alpn] } : undefined),
    settings: (port, { certificates }) => ({
      address: `127.0.0.1:${port}`,
      tls: { ca: certificates.ca.certFile },
    }),
    expected,
  };
}

const handshakes: Behaviour[] = [
  overTls('TLS that agrees on no protocol', undefined, SERVING, explicit('protocol', /ALPN: none/)),
  overTls('TLS that speaks HTTP/1 alone', ['http/1.1'], SERVING, explicit('tls')),
  {
    name: 'cleartext where TLS is expected',
    transport: 'grpcs',
    serve: ({ tcpServer }) => tcpServer(saysAtOnce(...GRPC_ANSWER)),
    settings: (port) => ({ address: `127.0.0.1:${port}`, tls: true }),
    expected: explicit('tls'),
  },
  {
    name: 'TLS where cleartext is expected',
    transport: 'grpcs',
    serve: ({ tlsServer }) => tlsServer(SERVING, { ALPNProtocols: ['h2'] }),
    settings: (port) => ({ address: `127.0.0.1:${port}` }),
    expected: explicit('closed'),
  },
  {
    name: 'a certificate that nobody vouches for',
    transport: 'grpcs',
    serve: ({ tlsServer, certificates }) =>
      tlsServer(SERVING, { ...certificates.selfSigned, ALPNProtocols: ['h2'] }),
    settings: (port) => ({ address: `127.0.0.1:${port}`, tls: true }),
    expected: explicit('tls'),
  },
  {
    name: 'a certificate for another name',
    transport: 'grpcs',
    serve: ({ tlsServer, certificates }) =>
      tlsServer(SERVING, { ...certificates.wrongName, ALPNProtocols: ['h2'] }),
    settings: (port, { certificates }) => ({
      address: `127.0.0.1:${port}`,
      tls: { ca: certificates.ca.certFile },
    }),
    expected: explicit('tls'),
  },
];

export const grpcRows: readonly Behaviour[] = [
  ...grpcAnswers,
  ...grpcLegal,
  ...goodbyes,
  ...handshakes,
  ...overGrpc([...ILLEGAL_FRAMES, ...ILLEGAL_HEADS, ...H2_ENDS]),
];
