import type { HostPort } from './address.ts';
import type { State } from './health.ts';

/** What consumers are told of a group. */
export interface Publication {
  readonly group: string;
  /** Too many are bad at once: all that nobody has drained are published, whatever is believed of them. */
  readonly panic: boolean;
  /** The agent is in doubt of itself: this is what was published last. */
  readonly stale: boolean;
  /** All members, in the order of the files. */
  readonly nodes: readonly Node[];
}

/** One member of a group. */
export interface Node {
  readonly name: string;
  /** Null where nobody said. */
  readonly address: HostPort | null;
  readonly weight: number;
  readonly state: State;
  readonly published: boolean;
}

/** What a target has to say of itself to consumers. */
export interface Serves {
  readonly address: HostPort | null;
  readonly weight: number;
}

/** What `publish:` says. */
export interface PublishSettings {
  readonly files: readonly FileSettings[];
  readonly agentChecks: readonly AgentCheckSettings[];
}

/** A file that holds who of a group is available. */
export interface FileSettings {
  readonly group: string;
  /** Absolute. */
  readonly path: string;
  readonly layout: Layout;
  /** As of chmod; null: as the file is, 0644 where there is none. */
  readonly mode: number | null;
  /** How long what stands in it may be relied on, ms. */
  readonly leaseMs: number;
  /** What makes its reader read it again, and where that runs. */
  readonly reload: { readonly argv: readonly [string, ...string[]]; readonly cwd: string } | null;
}

export const FORMATS = ['json', 'file_sd', 'hosts', 'nginx', 'haproxy_map'] as const;
export type Format = (typeof FORMATS)[number];

/** A format that is known, or a text of one's own: `line` for each node that is published. */
export type Layout =
  | { readonly format: Format }
  | { readonly header: string; readonly line: string; readonly footer: string };

export interface AgentCheckSettings {
  readonly listen: HostPort;
  /** The fact whose value is the weight, in per cent; null: none is told. */
  readonly weight: string | null;
}

/** What became of publishing, for the log. */
export type PublishReport =
  | {
      readonly what: 'set';
      readonly group: string;
      readonly panic: boolean;
      readonly published: number;
      readonly of: number;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  | {
      readonly what: 'written' | 'not written' | 'reloaded' | 'not reloaded';
      readonly group: string;
      readonly path: string;
      readonly detail: string;
    };

/** As it goes out as JSON, over HTTP and into files; its keys are a contract. `validUntil` is ISO 8601. */
export function publicationJson(
  { group, panic, stale, nodes }: Publication,
  { validUntil, onlyPublished = false }: { readonly validUntil: string; readonly onlyPublished?: boolean },
) {
  return {
    group,
    valid_until: validUntil,
    panic,
    stale,
    members: nodes
      .filter(({ published }) => published || !onlyPublished)
      .map(({ name, address, weight, state, published }) => ({
        name,
        host: address?.host ?? null,
        port: address?.port ?? null,
        weight,
        state,
        published,
      })),
  };
}
