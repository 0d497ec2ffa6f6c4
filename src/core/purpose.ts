/**
 * What a target is watched for, and so what may be done about it. The lesson is kubelet's: a container that is not ready
 * is taken out of traffic, and only one that is not alive is started again; whoever mixes the two restarts what waits for
 * somebody else.
 */
export const PURPOSES = ['live', 'ready', 'dependency', 'canary'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Whether hooks may act on it; of all others someone is told. */
export function mayRecover(purpose: Purpose): boolean {
  return purpose === 'live';
}
