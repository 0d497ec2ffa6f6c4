import { formatAddress } from '../../src/core/address.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { VERSION } from '../../src/core/version.ts';
import { withShortForm } from '../../src/schema/scalars.ts';
import { dial } from '../wire/dial.ts';
import { createGrowingBuffer } from '../wire/growing-buffer.ts';
import type { Client } from '../http2/client.ts';
import { DEFAULT_WINDOW } from '../http2/frames.ts';
import { type KeptClient, clientOver, createClients } from '../http2/kept.ts';
import type { Request } from '../http2/sender.ts';
import { ProbeFailure, outcomeOf } from '../wire/reason.ts';
import { type Asking, askOver } from '../wire/reuse.ts';
import { withCertificate } from '../wire/tls.ts';
import { judgeAnswer } from './judge.ts';
import { announced, encodeRequest } from './message.ts';
import { type GrpcSettings, keys } from './settings.ts';

const PATH = '/grpc.health.v1.Health/Check';
/** A HealthCheckResponse is two bytes; this leaves room for fields of the future. */
const MAX_ANSWER = 64 * 1024;

const keep = createClients();

/** grpc.health.v1.Health/Check: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const grpc: Probe<GrpcSettings> = {
  kind: 'grpc',
  settings: withShortForm(['scalar'], (address) => ({ address }), keys),
  peer: (settings) => settings.address,

  async attempt(settings, context) {
    const reuse = settings.connection === 'reuse';
    const asking: Asking<KeptClient, Outcome> = {
      keep,
      owner: settings,
      origin: '',
      reuse,
      open: (context) => open(settings, reuse, context),
      ask: ({ client }, context) => call(client, settings, context),
      reusable: ({ client }) => client.usable,
    };
    try {
      const { over, answer } = await askOver(asking, context);
      return withCertificate(answer, over.connection.certificate);
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

async function open(
  { address, family, tls }: GrpcSettings,
  keeps: boolean,
  context: ProbeContext,
): Promise<KeptClient> {
  const connection = dial(address, context, {
    family: family === 'any' ? 0 : family,
    tls: tls && { settings: tls, host: address.host, alpn: ['h2'] },
  });
  // A server that says goodbye before it has answered is going down, however orderly.
  return await clientOver(connection, { window: DEFAULT_WINDOW, bearsGoaway: false, keeps });
}

async function call(client: Client, settings: GrpcSettings, context: ProbeContext): Promise<Outcome> {
  const data = createGrowingBuffer();
  const answer = await client.exchange(requestOf(settings, context), context, (piece) => {
    data.add(piece);
    // Also where it only says so: the rest would be waited for.
    if (data.length > MAX_ANSWER || announced(data.bytes()) > MAX_ANSWER) {
      throw new ProbeFailure('protocol', 'the answer is larger than a health answer can be');
    }
    return true;
  });
  return judgeAnswer(answer, data.bytes(), context.trace);
}

function requestOf(settings: GrpcSettings, { deadline, clock }: ProbeContext): Request {
  const { address, service, metadata, tls } = settings;
  const fields = {
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': timeoutField(deadline - clock.now()),
    'user-agent': `vitald/${VERSION}`,
    ...metadata,
  };
  return {
    method: 'POST',
    scheme: tls ? 'https' : 'http',
    authority: settings.authority ?? formatAddress(address),
    path: PATH,
    fields: Object.entries(fields),
    content: encodeRequest(service),
  };
}

/** At most eight digits, so the longest timeouts go out in seconds. */
function timeoutField(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms));
  return whole < 1e8 ? `${whole}m` : `${Math.ceil(whole / 1_000)}S`;
}
