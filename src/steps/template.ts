import { basename } from 'node:path';
import type { z } from 'zod';
import type { Action } from '../core/step.ts';
import { argv } from '../schema/command.ts';
import { placeholders } from '../schema/placeholder.ts';

/** What `{name}` stands for in an argument. */
const VALUES = placeholders<Action>({
  id: ({ id }) => id,
  target: ({ target }) => target,
  group: ({ group }) => group ?? '',
  probe: ({ probe }) => probe,
  reason: ({ reason }) => reason ?? '',
  class: (action) => action.class ?? '',
  incident: ({ incident }) => incident,
  step: ({ step }) => step,
  try: (action) => String(action.try),
});

/** What runs its arguments as a shell's text, here or on another host; whatever comes before it: env, sudo, timeout. */
const SHELLS = new Set(
  ['sh', 'bash', 'rbash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'fish', 'csh', 'tcsh', 'busybox'].concat([
    'su',
    'ssh',
    'eval',
    'script',
    'parallel',
    'watch',
    'flock',
  ]),
);

/** Languages of their own, in which an argument may be a program: always, or behind an option. */
const LANGUAGE = /^(?:[gm]?awk|socat|expect)$/;
const INTERPRETER = /^(?:python[\d.]*|perl|ruby|node|php|lua)$/;
const CODE_OPTION = /^(?:-\w*[ceEpr]|--(?:eval|print|run))$/;
/** `env -S` takes a line apart as a shell does. */
const SPLITS = /^(?:-\w*S|--split-string)/;

function runsText(words: readonly string[]): boolean {
  return words
    .map((word) => basename(word))
    .some((name, index) => {
      const rest = words.slice(index + 1);
      return (
        SHELLS.has(name) ||
        LANGUAGE.test(name) ||
        (INTERPRETER.test(name) && rest.some((word) => CODE_OPTION.test(word))) ||
        (name === 'env' && rest.some((word) => SPLITS.test(word)))
      );
    });
}

function insteadOf(name: string): string {
  return name.startsWith('labels.')
    ? 'read it from stdin, as JSON,'
    : `write "$VITALD_${name.toUpperCase()}"`;
}

/** A program with its arguments, in which placeholders may stand: each stays inside of its argument, whatever is in it. */
export function argvTemplate(): z.ZodType<[string, ...string[]]> {
  return argv().superRefine((words, context) => {
    const isShell = runsText(words);
    for (const [index, word] of words.entries()) {
      for (const name of VALUES.namesIn(word)) {
        const problem =
          index === 0
            ? 'the program itself cannot be a placeholder'
            : isShell
              ? `a shell would run what {${name}} stands for; ${insteadOf(name)} instead`
              : name === 'message'
                ? 'what the peer has said is in $VITALD_MESSAGE and on stdin, not among the arguments'
                : VALUES.problem(name);
        if (problem !== undefined) context.addIssue({ code: 'custom', path: [index], message: problem });
      }
    }
  });
}

/** Labels that arguments ask for, and the target does not have: half a name is another one. */
export function missingLabels(words: readonly string[], { labels }: Action): string[] {
  const wanted = words.flatMap((word) => VALUES.namesIn(word)).filter((name) => name.startsWith('labels.'));
  return wanted.map((name) => name.slice('labels.'.length)).filter((label) => !Object.hasOwn(labels, label));
}

/** The arguments with the action's values put in. */
export function filled(
  [program, ...rest]: readonly [string, ...string[]],
  action: Action,
): [string, ...string[]] {
  return [program, ...rest.map((word) => VALUES.fill(word, action).replaceAll('\0', ''))];
}
