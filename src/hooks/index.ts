import type { HookRegistry } from '../core/hook.ts';
import { alertmanager } from './alertmanager.ts';
import { email } from './email.ts';
import { exec } from './exec.ts';
import { ntfy } from './ntfy.ts';
import { pagerduty } from './pagerduty.ts';
import { shell } from './shell.ts';
import { slack } from './slack.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** Every kind of hook, by the key that it has in the YAML. */
export const hooks = {
  exec,
  shell,
  webhook,
  alertmanager,
  slack,
  teams,
  pagerduty,
  ntfy,
  email,
} satisfies HookRegistry;
