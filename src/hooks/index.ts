import type { HookRegistry } from '../core/hook.ts';
import { exec } from './exec.ts';
import { shell } from './shell.ts';
import { webhook } from './webhook.ts';

/** Every kind of hook, by the key that it has in the YAML. */
export const hooks = { exec, shell, webhook } satisfies HookRegistry;
