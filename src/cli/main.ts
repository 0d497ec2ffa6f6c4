import { ListenError } from '../api/listen.ts';
import { ConfigError } from '../config/problem.ts';
import { VERSION } from '../core/version.ts';
import { UsageError } from './args.ts';
import { check } from './check.ts';
import { AskError } from './client.ts';
import { demo } from './demo.ts';
import { explain } from './explain.ts';
import { incident, incidents } from './incidents.ts';
import { newFiles } from './new.ts';
import { notify } from './notify.ts';
import { once } from './once.ts';
import { pause, resume } from './pause.ts';
import { pauses } from './pauses.ts';
import { probe } from './probe.ts';
import { renderProblems } from './problems.ts';
import { ack, recovery } from './recovery.ts';
import { replay } from './replay.ts';
import { run } from './run.ts';
import { schema } from './schema.ts';
import { status } from './status.ts';
import { paintFor } from './style.ts';
import { suggest } from '../core/suggest.ts';

/** Every command by its name: what it takes, what it is for, and its code, which resolves to the exit code. */
const COMMANDS: Readonly<Record<string, Command>> = {
  run,
  check,
  once,
  probe,
  status,
  explain,
  pause,
  resume,
  pauses,
  notify,
  recovery,
  ack,
  replay,
  incidents,
  incident,
  new: newFiles,
  schema,
  demo,
};

export interface Command {
  readonly synopsis: string;
  readonly summary: string;
  /** The options, a line each. */
  readonly options: readonly string[];
  run(args: readonly string[]): Promise<number>;
}

/** 0: fine. 1: something is down or failed. 2: the configuration or the usage is wrong. */
export async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  if (name === '--version' || name === '-V') return say(VERSION);
  if (name === '') {
    process.stderr.write(`${overview()}\n`);
    return 2;
  }
  if (name === 'help' || name === '--help' || name === '-h') return help(rest[0]);
  const command = find(name);
  if (!command) return complain(unknownCommand(name));
  if (rest.includes('--help') || rest.includes('-h')) return say(commandHelp(name, command));
  try {
    return await command.run(rest);
  } catch (error) {
    if (error instanceof UsageError)
      return complain(`${error.message}\nusage: vitald ${name} ${command.synopsis}`);
    if (error instanceof ConfigError) {
      process.stderr.write(`${renderProblems(error.problems, paintFor(process.stderr))}\n`);
      return 2;
    }
    if (error instanceof ListenError || error instanceof AskError) return complain(error.message);
    throw error;
  }
}

function find(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

function help(topic: string | undefined): number {
  if (topic === undefined) return say(overview());
  const command = find(topic);
  return command ? say(commandHelp(topic, command)) : complain(unknownCommand(topic));
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function complain(text: string): number {
  process.stderr.write(`vitald: ${text}\n`);
  return 2;
}

function unknownCommand(name: string): string {
  const near = suggest(name, Object.keys(COMMANDS));
  const hint = near === undefined ? 'vitald --help lists the commands' : `did you mean "${near}"?`;
  return `unknown command "${name}"; ${hint}`;
}

function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary] as const);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    'vitald: asks your services whether they are alive, and acts when they are not',
    '',
    'usage: vitald COMMAND FILE...',
    '',
    ...rows.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'vitald COMMAND --help says more. FILE is a YAML file or a directory of them.',
    'Exit codes: 0 fine, 1 something is down or failed, 2 the configuration or the',
    'usage is wrong.',
  ].join('\n');
}

function commandHelp(name: string, { synopsis, summary, options }: Command): string {
  const lines = [`vitald ${name} ${synopsis}`, '', summary];
  return [...lines, ...(options.length > 0 ? ['', ...options.map((line) => `  ${line}`)] : [])].join('\n');
}
