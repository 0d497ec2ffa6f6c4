import { ANCHORED, EQUAL_LOAD, PROMISED, UNANCHORED } from './ours.ts';
import { PEERS } from './peers.ts';
import { row, table } from './table.ts';

/**
 * How quick, and how often wrong, each rule is: `npm run bench:detect [HOURS]`. HOURS of noise are simulated for each
 * regime, 2000 unless told otherwise.
 */
const hours = Number(process.argv[2] ?? 2_000);

const rows = [...PEERS, UNANCHORED, ANCHORED, EQUAL_LOAD, PROMISED].map((detector) => row(detector, hours));

process.stdout.write(`${table(rows)}\n`);
