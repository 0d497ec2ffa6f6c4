import { type Problem, position } from '../config/problem.ts';
import { type Paint } from './style.ts';

/** Every problem with its line and a caret, and how many there are. */
export function renderProblems(problems: readonly Problem[], paint: Paint): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return `${problems.map((problem) => renderProblem(problem, paint)).join('\n\n')}\n\n${paint('red', count)}`;
}

function renderProblem({ place, message }: Problem, paint: Paint): string {
  const head = `${paint('bold', position(place))}: ${paint('red', message)}`;
  if (place.line === 0) return head;
  const number = String(place.line);
  // Tabs are one column for the file and eight for a terminal.
  const text = place.text.replaceAll('\t', ' ').replaceAll(PASSWORD, (secret) => '*'.repeat(secret.length));
  const { shown, column } = windowOf(text, place.column);
  const caret = '^'.repeat(Math.max(1, Math.min(place.width, shown.length - column + 1)));
  return [
    head,
    `${paint('gray', `  ${number} | `)}${shown}`,
    `${paint('gray', `  ${' '.repeat(number.length)} | `)}${' '.repeat(column - 1)}${paint('red', caret)}`,
  ].join('\n');
}

/** In a URL. Who sees a terminal, or its recording, is not who may read the file. */
const PASSWORD = /(?<=\b[a-z][a-z0-9+.-]*:\/\/[^/?#@:\s]*:)[^/?#@\s]+(?=@)/gi;

/** Of a very long line, the part around the place. */
function windowOf(text: string, column: number): { shown: string; column: number } {
  const line = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  if (line.length <= 120) return { shown: line, column };
  const from = Math.max(0, column - 40);
  const cut = line.slice(from, from + 110);
  const more = from + cut.length < line.length ? '…' : '';
  return { shown: `${from > 0 ? '…' : ''}${cut}${more}`, column: column - from + (from > 0 ? 1 : 0) };
}
