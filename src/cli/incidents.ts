import type { IncidentAnswer, IncidentStatus, IncidentsAnswer, StepsAnswer } from '../api/incidents.ts';
import { IN_VAIN_RUNS, type StepEffect } from '../core/effect.ts';
import { plain } from '../core/plain.ts';
import { formatDuration } from '../core/units.ts';
import { UsageError, parse } from './args.ts';
import { API_HELP, API_OPTION, clientFor } from './client.ts';
import type { Command } from './main.ts';
import { incidentStory } from './picture/incident.ts';
import { type Paint, paintFor, table } from './style.ts';
import { localTime } from './windows.ts';

export const incidents: Command = {
  synopsis: '[FILE...] [--target NAME] [--limit N] [--steps] [--json]',
  summary: 'What was down, when and why; what recovery steps have achieved.',
  options: [
    '--target NAME  of one target',
    '--limit N      so many, the newest first [20]',
    '--steps        what each recovery step has achieved instead',
    ...API_HELP,
    '--json         what the agent answered',
  ],

  async run(args) {
    const { values, positionals } = parse(args, {
      ...API_OPTION,
      target: { type: 'string' },
      limit: { type: 'string' },
      steps: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    const client = await clientFor(values.api, positionals);
    const paint = paintFor(process.stdout);
    const steps = (await client.ask('GET', '/api/v1/steps')) as StepsAnswer;
    if (values.steps) {
      return say(client.read(() => (values.json ? JSON.stringify(steps) : stepsTable(steps, paint))));
    }
    const query = new URLSearchParams({
      limit: values.limit ?? '20',
      ...(values.target !== undefined && { target: values.target }),
    });
    const answer = (await client.ask('GET', `/api/v1/incidents?${query.toString()}`)) as IncidentsAnswer;
    return say(
      client.read(() =>
        values.json
          ? JSON.stringify(answer)
          : [incidentsTable(answer, paint), ...vainLines(steps)].join('\n'),
      ),
    );
  },
};

export const incident: Command = {
  synopsis: 'ID [FILE...] [--json]',
  summary: 'One incident, from its first failure to its verified end.',
  options: [...API_HELP, '--json         what the agent answered'],

  async run(args) {
    const { values, positionals } = parse(args, { ...API_OPTION, json: { type: 'boolean' } });
    const [id, ...files] = positionals;
    if (id === undefined) throw new UsageError('name an incident; `vitald incidents` lists them');
    const path = `/api/v1/incidents/${encodeURIComponent(id)}`;
    const client = await clientFor(values.api, files);
    const answer = (await client.ask('GET', path)) as IncidentAnswer;
    const page = { paint: paintFor(process.stdout), columns: process.stdout.columns ?? Infinity };
    return say(client.read(() => (values.json ? JSON.stringify(answer) : incidentStory(answer, page))));
  },
};

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function incidentsTable({ at, incidents }: IncidentsAnswer, paint: Paint): string {
  if (incidents.length === 0) return 'there was no incident';
  return table(
    ['INCIDENT', 'OPENED', 'LASTED', 'END', 'WHY'],
    incidents.map((one) => [
      plain(one.id),
      localTime(one.opened),
      lastedOf(one, at),
      one.end ?? 'open',
      `${one.reason === null ? '' : `${one.reason}: `}${plain(one.message)}`,
    ]),
    process.stdout.columns ?? Infinity,
    (text, row, column) =>
      row === -1
        ? paint('gray', text)
        : column === 3 && incidents[row]!.end === null
          ? paint('red', text)
          : text,
  );
}

/** Until it was closed, or until now. */
export function lastedOf({ opened, closed }: Pick<IncidentStatus, 'opened' | 'closed'>, at: string): string {
  return formatDuration(Math.max(0, Date.parse(closed ?? at) - Date.parse(opened)));
}

function stepsTable({ steps }: StepsAnswer, paint: Paint): string {
  if (steps.length === 0) return 'no step was tried yet';
  const rows = steps.flatMap((step) =>
    step.by_class.map((cls) => [
      plain(step.step),
      cls.class ?? '-',
      String(cls.runs),
      String(cls.recovered),
      cls.median_ms === null ? '-' : formatDuration(cls.median_ms),
      step.in_vain ? `never helped in its last ${IN_VAIN_RUNS} runs` : '',
    ]),
  );
  return table(
    ['STEP', 'EVIDENCE', 'RUNS', 'RECOVERED', 'MEDIAN', ''],
    rows,
    process.stdout.columns ?? Infinity,
    (text, row, column) => (row === -1 ? paint('gray', text) : column === 5 ? paint('yellow', text) : text),
  );
}

function vainLines({ steps }: StepsAnswer): string[] {
  const vain = steps.filter((step: StepEffect) => step.in_vain);
  return vain.length === 0
    ? []
    : ['', ...vain.map(({ step }) => `${plain(step)} never helped in its last ${IN_VAIN_RUNS} runs`)];
}
