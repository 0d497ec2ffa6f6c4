import { z } from 'zod';
import type { Group } from '../core/group.ts';
import {
  type AgentCheckSettings,
  FORMATS,
  type FileSettings,
  type Layout,
  type PublishSettings,
  type Serves,
} from '../core/publication.ts';
import type { Peer } from '../core/probe.ts';
import type { Target } from '../core/target.ts';
import { argv } from '../schema/command.ts';
import { baseDir, filePath } from '../schema/file.ts';
import { address, duration, expected, integer, text, withShortForm } from '../schema/scalars.ts';
import { name } from './names.ts';
import type { Problem } from './problem.ts';
import { type Sourced, unknown, validate } from './validate.ts';

/** What a target says of itself to consumers. */
export const servesSchema = withShortForm(
  ['scalar'],
  (address) => ({ address }),
  z.strictObject({
    address: address().optional().describe('where consumers find it: host:port'),
    weight: integer(1, 256)
      .default(1)
      .describe('how much of the traffic it is to have, beside the others of its group'),
  }),
);

/** Where nothing is written, consumers find what its probe dials. */
export function servesOf(written: z.infer<typeof servesSchema> | undefined, peer: Peer | undefined): Serves {
  const dialled = peer?.port === undefined ? null : { host: peer.host, port: peer.port };
  return { address: written?.address ?? dialled, weight: written?.weight ?? 1 };
}

const LEASE_MS = 60_000;
/** Shorter ones would only wear out the disk. */
const SHORTEST_LEASE_MS = 2_000;

const template = withShortForm(
  ['scalar'],
  (line) => ({ line }),
  z.strictObject({
    header: text()
      .default('')
      .describe('the beginning, with `{group}`, `{valid_until}` and `{panic}` put in'),
    line: text().describe(
      'for each node that is published, with `{name}`, `{host}`, `{port}`, `{address}`, `{weight}` and `{group}` put in',
    ),
    footer: text().default('').describe('the end, as the beginning'),
  }),
);

const mode = z
  .string({ error: expected('a mode in quotes, such as "0644"') })
  .regex(/^0?[0-7]{3}$/, 'expected a mode of three digits, such as "0644"')
  .transform((digits) => Number.parseInt(digits, 8))
  .meta({ as: 'mode' });

export const fileSchema = z.strictObject({
  group: name.describe('whose nodes'),
  path: filePath().describe('the file; its directory has to be there'),
  format: z
    .enum(FORMATS, { error: expected(`one of ${FORMATS.join(', ')}`) })
    .optional()
    .describe('how it is written; either this or `template`'),
  template: template.optional().describe('a text of your own; a plain text is its `line`'),
  mode: mode
    .optional()
    .meta({ otherwise: "the file's, or `0644`" })
    .describe('who may read and write it, in quotes: `"0640"`'),
  lease: duration({ min: SHORTEST_LEASE_MS })
    .default(LEASE_MS)
    .describe('how long what stands in it may be relied on; it is written again at half of that'),
  // It is no function: nobody could take this for a promise.
  // oxlint-disable-next-line unicorn/no-thenable
  then: argv()
    .transform((argv) => ({ argv, cwd: baseDir() }))
    .optional()
    .meta({ as: 'list of texts' })
    .describe('a command that makes its reader read it again, after each change'),
});

export const agentCheckSchema = withShortForm(
  ['scalar'],
  (listen) => ({ listen }),
  z.strictObject({
    listen: address().describe('where HAProxy asks: `agent-addr` and `agent-port`'),
    weight: text().optional().describe('the fact that is the weight, in per cent: 0 to 100'),
  }),
);

/** One place in which consumers look. */
export const publishSchema = z.strictObject({
  file: fileSchema.optional().describe('a file that is kept as the group stands'),
  agent_check: agentCheckSchema.optional().describe('answers for the agent checks of HAProxy'),
});

/** `publish:`, and whether what is published of a group can be. */
export function loadPublish(
  entries: readonly Sourced[],
  groups: readonly Group[],
  targets: readonly Target[],
  problems: Problem[],
): PublishSettings {
  const files: FileSettings[] = [];
  const agentChecks: AgentCheckSettings[] = [];
  const paths = new Set<string>();
  for (const entry of entries) {
    const { source, path } = entry;
    const problem = (keys: readonly string[], message: string): void => {
      problems.push({ place: source.locate([...path, ...keys]), message });
    };
    const checked = validate(publishSchema, entry, problems);
    if (!checked) continue;
    const { file, agent_check: agentCheck } = checked;
    if ((file === undefined) === (agentCheck === undefined)) {
      problem([], 'exactly one of file and agent_check is needed');
    } else if (agentCheck) {
      agentChecks.push({ listen: agentCheck.listen, weight: agentCheck.weight ?? null });
    } else if (file) {
      const layout = layoutOf(file);
      if (typeof layout === 'string') {
        problem(['file'], layout);
        continue;
      }
      if (paths.has(file.path)) problem(['file', 'path'], `${file.path} is written by another entry already`);
      paths.add(file.path);
      const group = groups.find((one) => one.name === file.group);
      if (!group) {
        problem(
          ['file', 'group'],
          unknown(
            'group',
            file.group,
            groups.map((one) => one.name),
          ),
        );
        continue;
      }
      const members = targets.filter((target) => target.group === group.name);
      const unfit = unfitFor(layout, group.name, members);
      if (unfit !== undefined) problem(['file', 'group'], unfit);
      files.push({
        group: group.name,
        path: file.path,
        layout,
        mode: file.mode ?? null,
        leaseMs: file.lease,
        reload: file.then ?? null,
      });
    }
  }
  return { files, agentChecks };
}

function layoutOf({ format, template }: z.infer<typeof fileSchema>): Layout | string {
  if (format !== undefined && template) return 'format and template exclude each other';
  return format === undefined
    ? (template ?? `it is not said how: format (${FORMATS.join(', ')}) or template`)
    : { format };
}

/** What is a word for those who read such a file. */
const WORD = /^[A-Za-z0-9._-]+$/;
const IP = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/;

/** Why the nodes cannot stand in such a file; undefined where they can. */
function unfitFor(layout: Layout, group: string, members: readonly Target[]): string | undefined {
  const format = 'format' in layout ? layout.format : 'template';
  const seen = new Map<string, string>();
  for (const { name, serves } of members) {
    if (!serves?.address) {
      if (format === 'json' || format === 'haproxy_map') continue;
      return `"${name}" has no address that could be published: give it serves: host:port`;
    }
    const { host, port } = serves.address;
    const earlier = seen.get(`${host} ${port}`);
    if (earlier !== undefined) {
      return `"${earlier}" and "${name}" are both at ${host}:${port}: a group that is published has one target for each node`;
    }
    seen.set(`${host} ${port}`, name);
    if (format === 'hosts' && !IP.test(host)) {
      return `"${name}" is at ${host}, and hosts takes addresses: give it serves: 10.0.0.5:${port}`;
    }
  }
  const words = { hosts: [group], nginx: [group], haproxy_map: [], json: [], file_sd: [], template: [] }[
    format
  ];
  const names = format === 'hosts' || format === 'haproxy_map' ? members.map(({ name }) => name) : [];
  const strange = [...words, ...names].find((word) => !WORD.test(word));
  return strange === undefined
    ? undefined
    : `"${strange}" cannot stand in a file of the format ${format}: letters, digits, dots, - and _ can`;
}
