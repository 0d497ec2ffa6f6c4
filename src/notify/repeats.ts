import type { HookEvent } from '../core/hook.ts';

/** It still lasts: told again to whoever asks for reminders. */
export function reminderEvent(opened: HookEvent, wallMs: number): HookEvent {
  const at = new Date(wallMs).toISOString();
  return { ...opened, id: `${opened.incident}/still_down-${wallMs.toString(36)}`, event: 'still_down', at };
}

/** The end of an incident that nobody will ever verify: its target is gone from the configuration. */
export function abandonedEvent(opened: HookEvent, wallMs: number): HookEvent {
  return {
    ...opened,
    id: `${opened.incident}/abandoned`,
    event: 'abandoned',
    from: opened.state,
    reason: null,
    class: null,
    message: 'taken out of the configuration while it was down',
    at: new Date(wallMs).toISOString(),
  };
}
