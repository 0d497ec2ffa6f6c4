import { createHash } from 'node:crypto';
import { type Publication, publicationJson } from '../core/publication.ts';
import { type Route, iso, refused, unknownName } from './routes.ts';

/** What of the agent has to do with what is published. */
export interface Publishing {
  wallTime(): number;
  /** Null while not every member has been heard of; undefined where there is no such group. */
  publication(group: string): Publication | null | undefined;
  groupNames(): readonly string[];
}

/** So long an answer may be relied on, ms. */
const LEASE_MS = 60_000;

/** `GET /api/v1/groups/NAME/members`, and with `?healthy` only those that are published. */
export function membersRoute(agent: Publishing): Route {
  return {
    method: 'GET',
    path: '/api/v1/groups/:group/members',
    answer({ params, query, ifNoneMatch }) {
      const name = params['group'] ?? '';
      const publication = agent.publication(name);
      if (publication === undefined) return unknownName('group', name, agent.groupNames());
      if (publication === null) return refused(503, 'not every member has been heard of yet');
      const onlyPublished = query['healthy'] !== undefined && query['healthy'] !== 'false';
      const until = agent.wallTime() + LEASE_MS;
      const body = publicationJson(publication, { validUntil: iso(until), onlyPublished });
      // The lease is renewed with every answer, and is no reason to send the same set again.
      const content = publicationJson(publication, { validUntil: '', onlyPublished });
      const hash = createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22);
      const headers = { etag: `W/"${hash}"`, expires: new Date(until).toUTCString() };
      const isKnown = ifNoneMatch
        ?.split(',')
        .some((tag) => tag.trim() === headers.etag || tag.trim() === '*');
      return isKnown ? { status: 304, body: undefined, headers } : { status: 200, body, headers };
    },
  };
}
