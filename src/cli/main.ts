import { ListenError } from '../api/listen.ts';
import { ConfigError } from '../config/problem.ts';
import { VERSION } from '../core/version.ts';
import { UsageError } from './args.ts';
import { AskError } from './client.ts';
import { renderProblems } from './problems.ts';
import { paintFor } from './style.ts';
import { suggest } from '../core/suggest.ts';

/** Every command by its name. Only what is asked for is loaded: `vitald status` takes a tenth of what all of them do. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).run,
  check: async () => (await import('./check.ts')).check,
  once: async () => (await import('./once.ts')).once,
  probe: async () => (await import('./probe.ts')).probe,
  status: async () => (await import('./status.ts')).status,
  explain: async () => (await import('./explain.ts')).explain,
  pause: async () => (await import('./pause.ts')).pause,
  resume: async () => (await import('./pause.ts')).resume,
  pauses: async () => (await import('./pauses.ts')).pauses,
  notify: async () => (await import('./notify.ts')).notify,
  recovery: async () => (await import('./recovery.ts')).recovery,
  ack: async () => (await import('./recovery.ts')).ack,
  replay: async () => (await import('./replay.ts')).replay,
  incidents: async () => (await import('./incidents.ts')).incidents,
  incident: async () => (await import('./incidents.ts')).incident,
  new: async () => (await import('./new.ts')).newFiles,
  schema: async () => (await import('./schema.ts')).schema,
  demo: async () => (await import('./demo.ts')).demo,
};

/** What a command takes, what it is for, and its code, which resolves to the exit code. */
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
    process.stderr.write(`${await overview()}\n`);
    return 2;
  }
  if (name === 'help' || name === '--help' || name === '-h') return help(rest[0]);
  const command = await find(name);
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

async function find(name: string): Promise<Command | undefined> {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name]!() : undefined;
}

async function help(topic: string | undefined): Promise<number> {
  if (topic === undefined) return say(await overview());
  const command = await find(topic);
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

async function overview(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => [name, (await load()).summary] as const),
  );
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
