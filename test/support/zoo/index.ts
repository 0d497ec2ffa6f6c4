import type { Behaviour } from './behaviour.ts';
import { grpcRows } from './grpc.ts';
import { httpRows } from './http.ts';
import { http2Rows } from './http2.ts';
import { tcpRows } from './tcp.ts';
import { tlsRows } from './tls.ts';

/** Every behaviour that there is. One line for each array of rows. */
export const zoo: readonly Behaviour[] = [...tcpRows, ...tlsRows, ...httpRows, ...http2Rows, ...grpcRows];
