import { suggest } from '../core/suggest.ts';

/** `{{` stands for a brace; else a word in braces stands for a value. */
const PLACEHOLDER = /\{\{|\{([A-Za-z_][\w.-]*)\}/g;
const LABEL = 'labels.';

/** What may be put in for `{name}`: values by name, and the labels of a target as `{labels.NAME}`. */
export interface Placeholders<From> {
  /** The names in a text, in order. */
  namesIn(text: string): string[];
  /** What is wrong with a name; undefined for one that is known. */
  problem(name: string): string | undefined;
  /** The text with the values put in. A value is text: what looks like a placeholder in it is none. */
  fill(text: string, from: From): string;
}

export function placeholders<From extends { readonly labels: Readonly<Record<string, string>> }>(
  values: Readonly<Record<string, (from: From) => string>>,
): Placeholders<From> {
  const names = Object.keys(values);
  return {
    namesIn: (text) => [...text.matchAll(PLACEHOLDER)].flatMap(([, name]) => name ?? []),
    problem(name) {
      if (Object.hasOwn(values, name) || (name.startsWith(LABEL) && name.length > LABEL.length)) {
        return undefined;
      }
      const near = suggest(name, names);
      const hint =
        near === undefined
          ? `write {{ for a brace; there is ${names.join(', ')} and ${LABEL}NAME`
          : `did you mean {${near}}?`;
      return `unknown placeholder {${name}}; ${hint}`;
    },
    fill: (text, from) =>
      text.replaceAll(PLACEHOLDER, (_written, name: string | undefined) => {
        if (name === undefined) return '{';
        return name.startsWith(LABEL) ? (from.labels[name.slice(LABEL.length)] ?? '') : values[name]!(from);
      }),
  };
}
