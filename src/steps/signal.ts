import { constants } from 'node:os';
import { z } from 'zod';
import type { StepKind } from '../core/step.ts';
import { pidIn, pidsNamed, sendSignal } from '../process/signal.ts';
import { filePath } from '../schema/file.ts';
import { text } from '../schema/scalars.ts';

const settings = z
  .strictObject({
    pid_file: filePath().optional().describe('a file that begins with the process id'),
    process: text()
      .refine((name) => name !== '' && !name.includes('/'), 'the name of a program, without its path')
      .optional()
      .describe('the name of a program: all processes of that name get it'),
    signal: text()
      .transform((written, context): NodeJS.Signals => {
        const name = `SIG${written.toUpperCase().replace(/^SIG/, '')}`;
        if (name in constants.signals) return name as NodeJS.Signals;
        context.addIssue({ code: 'custom', message: `there is no signal "${written}"` });
        return z.NEVER;
      })
      .meta({ as: 'signal' })
      .describe('`HUP`, `TERM`, `KILL`, `USR1`, ...'),
  })
  .superRefine(({ pid_file, process }, context) => {
    if ((pid_file === undefined) !== (process === undefined)) return;
    const message =
      pid_file === undefined
        ? 'say who gets it: pid_file or process'
        : 'pid_file and process are two ways of saying it';
    context.addIssue({ code: 'custom', message });
  });

type SignalSettings = z.infer<typeof settings>;

/** A signal to a process of this host. Sent is success: whether it helped, the probe says. */
export const signal: StepKind<SignalSettings> = {
  kind: 'signal',
  settings,
  timeoutMs: 10_000,
  asks: false,
  preview: ({ pid_file, process, signal }) =>
    pid_file === undefined ? `pkill -x -${signal} ${process}` : `kill -${signal} $(cat ${pid_file})`,

  async act({ pid_file, process, signal }) {
    const pids = pid_file === undefined ? await pidsNamed(process!) : [await pidIn(pid_file)];
    if (pids.length === 0) throw new Error(`no process is called ${process}`);
    for (const pid of pids) sendSignal(pid, signal);
    return { ok: true, detail: `${signal} to ${pids.join(', ')}`, output: '' };
  },
};
