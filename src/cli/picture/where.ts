/** The keys that say what is asked, in the settings of all kinds; the first that is there. */
const PLACES = [
  'url',
  'address',
  'unix',
  'host',
  'name',
  'file',
  'command',
  'shell',
  'pid_file',
  'every',
] as const;

/** Where a probe asks, in the words of its settings: `10.0.0.7:5432`, the program with its arguments. */
export function whereOf(written: unknown): string {
  if (Array.isArray(written)) return written.map(String).join(' ');
  if (typeof written !== 'object' || written === null) return String(written);
  const settings = written as Readonly<Record<string, unknown>>;
  const key = PLACES.find((place) => settings[place] !== undefined);
  return key === undefined ? '' : whereOf(settings[key]);
}
