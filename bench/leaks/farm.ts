import { type Behaviour, type ZooContext } from '../../test/support/zoo/behaviour.ts';
import { makeCertificates } from '../../test/support/zoo/certificates.ts';
import { createZooContext } from '../../test/support/zoo/context.ts';
import { zoo } from '../../test/support/zoo/index.ts';

/**
 * The zoo in a process of its own, so that what the probing process holds is its own alone. Told the index of a row, it
 * ends the row before, starts this one, and answers with the settings to ask it by.
 */
const { certificates, remove } = makeCertificates();
let open: (ZooContext & { close(): Promise<void> }) | undefined;

async function start(row: Behaviour): Promise<unknown> {
  await open?.close();
  open = createZooContext(certificates);
  return row.settings(await row.serve(open), open);
}

process.on('message', (index: number) => {
  void start(zoo[index]!).then((settings) => process.send!({ settings }));
});
process.on('disconnect', () => {
  remove();
  process.exit();
});
// A server of the zoo that breaks is one more misbehaviour.
process.on('uncaughtException', () => {});
