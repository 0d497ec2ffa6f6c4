import { plain } from '../core/plain.ts';
import { formatDuration } from '../core/units.ts';
import type { Paint } from './style.ts';
import type { LogRecord } from './terminal-log.ts';

/** What the log says of recovery, for a person; undefined for other records. */
export function recoveryLine(
  record: LogRecord,
  paint: Paint,
): { readonly mark: string; readonly text: string } | undefined {
  const field = (key: string): string => plain(String(record[key]));
  const line = (mark: string, colour: Parameters<Paint>[0], text: string) => ({
    mark: paint(colour, mark),
    text: `${paint(colour, 'recovery'.padEnd(10))} ${text}`,
  });
  const step = `${field('step')} (${field('kind')})`;
  switch (record.msg) {
    case 'recovery held':
      return line('‖', 'gray', `held: ${field('why')}`);
    case 'recovery begins': {
      const mode = record['mode'] === 'dry_run' ? 'dry run of ' : '';
      return line('▸', 'blue', `${mode}${step}, attempt ${field('try')}: ${field('what')}`);
    }
    case 'recovery acted': {
      const how = record['ok'] ? 'done' : 'failed';
      const colour = record['ok'] ? 'green' : 'red';
      const took = formatDuration(Number(record['ms']));
      return line(record['ok'] ? '▪' : '✗', colour, `${step} ${how} in ${took}: ${field('detail')}`);
    }
    case 'recovery outcome': {
      const isGood = record['outcome'] === 'recovered' || record['outcome'] === 'self_healed';
      const words = field('outcome').replace('_', ' ');
      return line(isGood ? '✓' : '✗', isGood ? 'green' : 'red', `${step}, ${words}: ${field('why')}`);
    }
    case 'recovery refuses to act':
      return line('✗', 'red', `refuses to act: ${field('why')}`);
    case 'recovery gave up':
      return line('✗', 'red', `gave up: ${field('why')}; \`vitald ack\` arms it again`);
    case 'recovery armed again':
      return line('•', 'blue', `armed again: ${field('why')}`);
    default:
      return undefined;
  }
}
