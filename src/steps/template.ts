import { basename } from 'node:path';
import type { z } from 'zod';
import type { Action } from '../core/step.ts';
import { suggest } from '../core/suggest.ts';
import { argv } from '../schema/command.ts';

/** What `{name}` stands for in an argument. */
const VALUES: Readonly<Record<string, (action: Action) => string>> = {
  id: ({ id }) => id,
  target: ({ target }) => target,
  group: ({ group }) => group ?? '',
  probe: ({ probe }) => probe,
  reason: ({ reason }) => reason ?? '',
  class: (action) => action.class ?? '',
  incident: ({ incident }) => incident,
  step: ({ step }) => step,
  try: (action) => String(action.try),
};
const LABEL = 'labels.';

/** `{{` stands for a brace; else a word in braces is a placeholder. */
const PLACEHOLDER = /\{\{|\{([A-Za-z_][\w.-]*)\}/g;

/** What runs its arguments as a shell's text, here or on another host; whatever comes before it: env, sudo, timeout. */
const SHELLS = new Set(
  ['sh', 'bash', 'rbash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'fish', 'csh', 'tcsh', 'busybox'].concat([
    'su',
    'ssh',
    'eval',
    'script',
    'parallel',
    'watch',
  ]),
);

/** A program with its arguments, in which placeholders may stand: each stays inside of its argument, whatever is in it. */
export function argvTemplate(): z.ZodType<[string, ...string[]]> {
  return argv().superRefine((words, context) => {
    const isShell = words.some((word) => SHELLS.has(basename(word)));
    for (const [index, word] of words.entries()) {
      for (const [written, name] of word.matchAll(PLACEHOLDER)) {
        if (name === undefined) continue;
        const problem =
          index === 0
            ? 'the program itself cannot be a placeholder'
            : isShell
              ? `a shell would run what ${written} stands for; write "$VITALD_${name.toUpperCase()}" instead`
              : name === 'message'
                ? 'what the peer has said is in $VITALD_MESSAGE and on stdin, not among the arguments'
                : isKnown(name)
                  ? undefined
                  : stranger(name);
        if (problem !== undefined) context.addIssue({ code: 'custom', path: [index], message: problem });
      }
    }
  });
}

function stranger(name: string): string {
  const near = suggest(name, Object.keys(VALUES));
  const known = `${Object.keys(VALUES).join(', ')} and ${LABEL}NAME`;
  return `unknown placeholder {${name}}; ${near === undefined ? `there are ${known}; write {{ for a brace` : `did you mean {${near}}?`}`;
}

function isKnown(name: string): boolean {
  return Object.hasOwn(VALUES, name) || (name.startsWith(LABEL) && name.length > LABEL.length);
}

/** The arguments with the action's values put in. */
export function filled(
  [program, ...rest]: readonly [string, ...string[]],
  action: Action,
): [string, ...string[]] {
  const value = (name: string): string =>
    name.startsWith(LABEL) ? (action.labels[name.slice(LABEL.length)] ?? '') : VALUES[name]!(action);
  const put = (word: string): string =>
    word.replaceAll(PLACEHOLDER, (_written, name: string | undefined) =>
      name === undefined ? '{' : value(name).replaceAll('\0', ''),
    );
  return [program, ...rest.map(put)];
}
