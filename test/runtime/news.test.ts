import { describe, expect, test } from 'vitest';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

/** What is told of a target whose attempts come out as in the script. */
async function newsOf(script: string, ms: number): Promise<string[]> {
  const clock = createFakeClock();
  const { observer, of } = recorder();
  const fleet = createFleet({
    probes: { scripted: scriptedProbe(script) },
    clock,
    observer,
    redact: (text) => text,
  });
  fleet.apply([aTarget()], { total: 9, perHost: 9 });
  await clock.advance(ms);
  await fleet.stop();
  return of('news');
}

describe('what is told of a target', () => {
  test('an incident, opened and closed', async () => {
    expect(await newsOf('+----++', 60_000)).toEqual(['news t down no', 'news t up fine']);
  });

  test('warnings, once they are as many as the threshold, until they are over', async () => {
    expect(await newsOf('+wwwww+++', 60_000)).toEqual(['news t degraded so so', 'news t restored fine']);
  });

  test('a target that goes down over and over flaps, which is told once', async () => {
    expect(await newsOf('+---++---++---++---++---+++', 700_000)).toEqual([
      'news t down no',
      'news t up fine',
      'news t down no',
      'news t up fine',
      'news t down no',
      'news t up fine',
      'news t flapping no',
      'news t settled fine',
    ]);
  });

  test('one that fails every other time is degraded, and no more where its confirmations are good', async () => {
    expect(await newsOf('-+'.repeat(20), 40_000)).toEqual([
      'news t degraded 5 of the last 10 attempts failed',
    ]);
  });
});
