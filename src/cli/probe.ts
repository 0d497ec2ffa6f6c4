import { killAll } from '../process/command.ts';
import { createSystemClock } from '../runtime/system-clock.ts';
import { parse } from './args.ts';
import { type Look, type Subject, lookAt } from './look.ts';
import { lookRecord } from './look-record.ts';
import type { Command } from './main.ts';
import type { Page } from './picture/page.ts';
import { picture } from './picture/picture.ts';
import { watch } from './probe-watch.ts';
import { paintFor } from './style.ts';
import { KINDS, durationOf, subjectOf } from './subject.ts';

/** Their names fill two lines of the help. */
const HALF = Math.ceil(KINDS.length / 2);

export const probe: Command = {
  synopsis: 'NAME FILE... | --KIND VALUE [--timeout T] [--watch [T]] [--json]',
  summary: 'Makes one attempt and shows all that can be seen of it.',
  options: [
    'NAME FILE...     the target of that name; an only one needs no name',
    '--KIND VALUE     no file: a probe in its short form, or its keys as a mapping:',
    '                   --http https://host/healthz    --exec "check_disk -w 90"',
    "                   --tcp '{ address: host:25, expect: ^220 }'",
    `                 KIND is ${KINDS.slice(0, HALF).join(', ')},`,
    `                 ${KINDS.slice(HALF).join(', ')}`,
    "--timeout T      instead of the target's own",
    "--watch [T]      again until Ctrl-C, at the target's interval or every T",
    '--json           one JSON object for each attempt',
    '',
    'Exit code 0: ok or warn, or void, which says nothing about the target.',
    '1: fail. 2: the configuration or the usage is wrong.',
    'With --watch the last attempt decides.',
  ],

  async run(args) {
    const { values, positionals } = parse(withOptionalValue(args, '--watch'), {
      ...Object.fromEntries(KINDS.map((kind) => [kind, { type: 'string', multiple: true } as const])),
      timeout: { type: 'string' },
      watch: { type: 'string' },
      json: { type: 'boolean' },
    });
    const given: Readonly<Record<string, unknown>> = values;
    const adHoc = KINDS.flatMap((kind) => {
      const texts = (given[kind] ?? []) as readonly string[];
      return texts.map((text) => [kind, text] as const);
    });
    const subject = subjectOf({ positionals, adHoc, timeout: values.timeout });
    const show = values.json ? showJson : showPicture;
    if (values.watch === undefined) return exitCode(await once(subject, show));
    const { intervalMs } = subject.target.rules;
    return exitCode(
      await watch(subject, {
        intervalMs: values.watch === '' ? intervalMs : durationOf('--watch', values.watch),
        show,
        page: values.json ? undefined : ownPage(),
        onTrouble,
      }),
    );
  },
};

async function once(subject: Subject, show: (look: Look) => void): Promise<Look> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      killAll();
      process.exit(1);
    });
  }
  const look = await lookAt(subject, 1, { clock: createSystemClock(), onTrouble });
  show(look);
  return look;
}

function exitCode(look: Look | undefined): number {
  return look?.attempt.outcome.status === 'fail' ? 1 : 0;
}

function showJson(look: Look): void {
  process.stdout.write(`${JSON.stringify(lookRecord(look))}\n`);
}

function showPicture(look: Look): void {
  process.stdout.write(`${picture(look, ownPage())}\n`);
}

/** Asked each time: windows are resized. */
function ownPage(): Page {
  return { paint: paintFor(process.stdout), columns: process.stdout.columns ?? Infinity };
}

function onTrouble(what: string, detail: string): void {
  process.stderr.write(`vitald: a bug in ${what}: ${detail}\n`);
}

/** An option whose value may be left out gets an empty one: `parseArgs` has no such thing. */
function withOptionalValue(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => {
    if (arg === option) return /^\d/.test(args[index + 1] ?? '') ? [] : [`${option}=`];
    return args[index - 1] === option && /^\d/.test(arg) ? [`${option}=${arg}`] : [arg];
  });
}
