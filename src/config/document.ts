import { dirname, resolve } from 'node:path';
import { LineCounter, Scalar, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair, ParsedNode, Range, YAMLError } from 'yaml';
import { type Sources, expand } from './expand.ts';
import type { Place, Problem } from './problem.ts';
import { type Path, secretsOf, writtenSecrets } from './secrecy.ts';

/** One YAML file as plain data, its references expanded, and the way back from a path in the data to the text. */
export interface SourceFile {
  /** As the user named it. */
  readonly file: string;
  /** What its relative paths start from. */
  readonly dir: string;
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** Expanded values that must never be printed. */
  readonly secrets: readonly string[];
  /** Where the value, or the key, at a path stands; the nearest thing above where there is no such path. */
  locate(path: Path, what?: 'value' | 'key'): Place;
}

/** Long lists share an anchor; a bomb of nested aliases has millions. */
const MAX_ALIASES = 1_000_000;

export function parseSource(
  file: string,
  text: string,
  sources: Pick<Sources, 'env'> & { readonly readFile: (path: string) => string },
  /** The keys above it, where the text is not a whole file. */
  above: Path = [],
): SourceFile {
  const counter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: counter,
    merge: true,
    prettyErrors: false,
    stringKeys: true,
  });
  const dir = dirname(resolve(file));
  const lines = text.split('\n');

  function placeOf([start, end]: readonly [number, number]): Place {
    const { line, col } = counter.linePos(start);
    const content = (lines[line - 1] ?? '').replace(/\r$/, '');
    const width = Math.max(1, Math.min(end - start, content.length - col + 1));
    return { file, line, column: col, text: content, width };
  }

  const problems: Problem[] = document.errors.map((error) => ({
    place: placeOf(error.pos),
    message: yamlMessage(error),
  }));
  const { expandProblems, secrets } = expandScalars(document, text, above, {
    env: sources.env,
    readFile: (path) => sources.readFile(resolve(dir, path)),
  });
  if (text.includes('__proto__')) {
    visit(document, {
      Pair(_key, { key }) {
        if (!isScalar(key) || key.value !== '__proto__') return;
        problems.push({ place: placeOf(rangeOf(key)), message: 'no key can be called __proto__' });
      },
    });
  }
  for (const { node, message } of expandProblems) problems.push({ place: placeOf(rangeOf(node)), message });

  let data: unknown;
  try {
    // A key that is set twice hides nothing else; after a broken syntax one guess would follow another.
    if (document.errors.every(({ code }) => code === 'DUPLICATE_KEY')) {
      data = document.toJS({ maxAliasCount: MAX_ALIASES });
      // Aliases can make a value contain itself: nothing that follows could come to its end.
      JSON.stringify(data);
    }
  } catch (error) {
    data = undefined;
    const circular = error instanceof TypeError || error instanceof RangeError;
    const message = circular
      ? 'an alias stands for something that it is itself a part of'
      : (error as Error).message;
    problems.push({ place: placeOf(rangeAt(document, [], 'value')), message });
  }

  return {
    file,
    dir,
    data,
    problems,
    secrets: [...new Set([...secrets, ...writtenSecrets(data, above)])],
    locate: (path, what = 'value') => placeOf(rangeAt(document, path, what)),
  };
}

function expandScalars(
  document: Document.Parsed,
  text: string,
  above: Path,
  sources: Sources,
): { expandProblems: { node: Node; message: string }[]; secrets: string[] } {
  const expandProblems: { node: Node; message: string }[] = [];
  const secrets: string[] = [];
  if (!/\$\{|\*/.test(text)) return { expandProblems, secrets };
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document)) return;
      expandProblems.push({ node, message: `there is no anchor &${node.source} for this alias` });
      const nothing = new Scalar(null);
      nothing.range = node.range ?? null;
      return nothing;
    },
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const path = [...above, ...pathOf(node, ancestors)];
      if (isShellText(path)) return;
      const expansion = expand(node.value, sources);
      for (const message of expansion.problems) expandProblems.push({ node, message });
      secrets.push(...secretsOf(path, node.value, expansion));
      if (path.join('/') === 'targets/name' && expansion.parts.some(({ fromFile }) => fromFile)) {
        expandProblems.push({ node, message: 'a name is printed everywhere: it cannot come from a file' });
      }
      node.value = expansion.text;
    },
  });
  return { expandProblems, secrets };
}

/**
 * A shell line is the shell's: it has the same notation, and no value is ever pasted into a line that a shell reads.
 * It stands at `targets: exec: shell:`, and in a hook at `shell:` or `shell: command:`.
 */
function isShellText(path: Path): boolean {
  if (path[0] === 'targets') return path.slice(1).join('/') === 'exec/shell';
  return path[0] === 'hooks' && ['shell', 'shell/command'].includes(path.slice(2).join('/'));
}

/** The keys on the way to a scalar; places in lists do not matter to what may be printed. */
function pathOf(node: Scalar, ancestors: readonly (Document | Node | Pair)[]): Path {
  const path: string[] = [];
  for (const step of [...ancestors, node]) {
    if ('key' in step && isScalar(step.key)) path.push(String(step.key.value));
  }
  return path;
}

function rangeAt(document: Document.Parsed, path: Path, what: 'value' | 'key'): readonly [number, number] {
  let node: ParsedNode | null = document.contents;
  let range: readonly [number, number] = node ? rangeOf(node) : [0, 1];
  for (const [depth, step] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair: Pair<ParsedNode, ParsedNode | null> | undefined = node.items.find(
        ({ key }) => isScalar(key) && key.value === step,
      );
      if (!pair) return range;
      node = pair.value;
      range = rangeOf(last && what === 'key' ? pair.key : (node ?? pair.key));
      // A block mapping has no first line of its own: its key says best what is meant.
      if (last && (isMap(node) || isSeq(node)) && !node.flow) range = rangeOf(pair.key);
    } else if (isSeq(node)) {
      // A short form: the list stands for a mapping that has it under this key.
      if (typeof step === 'string') continue;
      const item: ParsedNode | undefined = node.items[step];
      if (!item) return range;
      node = item;
      range = isMap(item) && !item.flow && item.items[0] ? rangeOf(item.items[0].key) : rangeOf(item);
    } else return range;
  }
  return range;
}

function rangeOf(node: Node): readonly [number, number] {
  const [start, end] = node.range as Range;
  return [start, end];
}

/** yaml's own words are for those who know its grammar; the commonest mistakes get plainer ones. */
function yamlMessage({ code, message }: YAMLError): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key is set twice';
    case 'TAB_AS_INDENT':
      return 'a tab cannot indent in YAML; use spaces';
    case 'MULTIPLE_DOCS':
      return 'one file holds one document; put the second one (after ---) into a file of its own';
    default:
      return message;
  }
}
