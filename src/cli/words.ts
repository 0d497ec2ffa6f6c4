/**
 * The words of a command line, split as a shell does: quotes and backslashes hold words together, and nothing is
 * expanded. Undefined where a quote is not closed.
 */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let rest = line;
  while (rest !== '') {
    const token = TOKEN.exec(rest);
    if (!token) return undefined;
    const [written, blank, single, double, escaped, bare] = token;
    rest = rest.slice(written.length);
    if (blank === undefined) {
      word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? bare ?? '');
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

const TOKEN = /^(?:(\s+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\]+))/;
