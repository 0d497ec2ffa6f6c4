import { type HookEvent, type HookEventName, OPENING_OF } from '../core/hook.ts';
import { tellingId } from '../core/incident.ts';

/** Events that no attempt causes: they follow from what was told. */

/** It still lasts: told again to whoever asks for reminders. */
export function reminderEvent(opened: HookEvent, wallMs: number): HookEvent {
  const at = new Date(wallMs).toISOString();
  return { ...opened, id: `${opened.incident}/still_down-${wallMs.toString(36)}`, event: 'still_down', at };
}

/** The end of an incident that nobody will ever verify: its target is gone from the configuration. */
export function abandonedEvent(opened: HookEvent, wallMs: number): HookEvent {
  const message = 'taken out of the configuration while it was down';
  return { ...closing(opened, 'abandoned', wallMs), message };
}

/** The end of what was over before anybody noticed: what was known of it was lost, in a crash say. */
export function overEvent(opened: HookEvent, wallMs: number): HookEvent {
  const names = Object.keys(OPENING_OF) as HookEventName[];
  const name = names.find((name) => OPENING_OF[name] === opened.event)!;
  const message = 'over, and the agent did not see when';
  return { ...closing(opened, name, wallMs), state: 'up', message };
}

function closing(opened: HookEvent, event: HookEventName, wallMs: number): HookEvent {
  const id =
    opened.event === 'down' ? tellingId(opened.incident!, event, opened.relapses) : `${opened.id}/${event}`;
  const at = new Date(wallMs).toISOString();
  return { ...opened, id, event, from: opened.state, reason: null, class: null, at };
}
