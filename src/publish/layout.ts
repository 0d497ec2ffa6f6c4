import { type HostPort, formatAddress } from '../core/address.ts';
import {
  type Format,
  type Layout,
  type Node,
  type Publication,
  publicationJson,
} from '../core/publication.ts';

/** A node as a file can name it: the configuration was refused where one has no address. */
interface Placed extends Node {
  readonly address: HostPort;
}

/** The text of the file. `validUntil` is ISO 8601; with an empty one two texts can be compared. */
export function rendered(layout: Layout, publication: Publication, validUntil: string): string {
  const nodes = publication.nodes.filter((node): node is Placed => node.address !== null);
  const published = nodes.filter((node) => node.published);
  if ('format' in layout) return FORMATTERS[layout.format](publication, { nodes, published, validUntil });
  const { group, panic } = publication;
  const about = { group, valid_until: validUntil, panic: String(panic) };
  const lines = published.map(({ name, address, weight }) =>
    filled(layout.line, {
      group,
      name,
      host: address.host,
      port: String(address.port),
      address: formatAddress(address),
      weight: String(weight),
    }),
  );
  return [filled(layout.header, about), ...lines, filled(layout.footer, about)]
    .filter((part) => part !== '')
    .map((part) => (part.endsWith('\n') ? part : `${part}\n`))
    .join('');
}

/** Lines that differ only in how long they hold. */
export function withoutLease(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '');
}

interface Placement {
  readonly nodes: readonly Placed[];
  readonly published: readonly Placed[];
  readonly validUntil: string;
}

const FORMATTERS: Readonly<Record<Format, (publication: Publication, placement: Placement) => string>> = {
  json: (publication, { validUntil }) =>
    `${JSON.stringify(publicationJson(publication, { validUntil }), null, 2)}\n`,

  // Labels that begin with __meta_ are dropped after relabelling: a new lease makes no new series.
  file_sd: ({ group, panic }, { published, validUntil }) => {
    const entries = published.map(({ name, address }) => ({
      targets: [formatAddress(address)],
      labels: {
        group,
        node: name,
        __meta_vitald_valid_until: validUntil,
        __meta_vitald_panic: String(panic),
      },
    }));
    return `${JSON.stringify(entries, null, 2)}\n`;
  },

  hosts: (publication, { published, validUntil }) =>
    commented(
      publication,
      validUntil,
      published.map(({ name, address }) => `${address.host} ${publication.group} ${name}`),
    ),

  // An upstream without a server is refused, one whose servers are all down is not.
  nginx: (publication, { nodes, validUntil }) =>
    commented(publication, validUntil, [
      `upstream ${publication.group} {`,
      ...nodes.map(
        ({ name, address, weight, published }) =>
          `    server ${formatAddress(address)} weight=${weight}${published ? '' : ' down'}; # ${name}`,
      ),
      '}',
    ]),

  haproxy_map: (publication, { nodes, validUntil }) =>
    commented(
      publication,
      validUntil,
      nodes.map(({ name, published }) => `${name} ${published ? 'up' : 'down'}`),
    ),
};

function commented({ group, panic }: Publication, validUntil: string, lines: readonly string[]): string {
  const state = panic ? ', panic' : '';
  return [`# vitald: ${group}${state}, valid until ${validUntil}`, ...lines, ''].join('\n');
}

/** Braces around any other word are left alone. */
function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (all, word: string) =>
    Object.hasOwn(values, word) ? values[word]! : all,
  );
}
