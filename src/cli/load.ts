import { probes } from '../../probes/index.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { hooks } from '../hooks/index.ts';
import { steps } from '../steps/index.ts';

/** The configuration of these files, with all that is built in. Throws ConfigError. */
export function load(files: readonly string[]): Config {
  return loadConfig(files, { probes, hooks, steps, env: process.env });
}
