import { overHttp } from './behaviour.ts';
import { httpBodies } from './http-bodies.ts';
import { httpCodings } from './http-codings.ts';
import { httpEnds } from './http-ends.ts';
import { httpForeign } from './http-foreign.ts';
import { httpHeads } from './http-heads.ts';
import { httpJudged } from './http-rules.ts';

/** HTTP/1 in all the ways in which it goes wrong. */
export const httpRows = overHttp([
  ...httpEnds,
  ...httpHeads,
  ...httpBodies,
  ...httpForeign,
  ...httpCodings,
  ...httpJudged,
]);
