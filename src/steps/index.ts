import type { StepRegistry } from '../core/step.ts';
import { exec } from './exec.ts';
import { publish } from './publish.ts';
import { shell } from './shell.ts';
import { signal } from './signal.ts';
import { systemd } from './systemd.ts';
import { webhook } from './webhook.ts';

/** Every kind of recovery step, by the key that it has in the YAML. */
export const steps = { exec, shell, webhook, signal, systemd, publish } satisfies StepRegistry;
