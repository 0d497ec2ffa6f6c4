#!/usr/bin/env node
import { main } from './cli/main.ts';

// A reader that goes away, as `| head` does, is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main(process.argv.slice(2));
// A probe that ignores its end may still hold a socket; nobody waits for it.
setTimeout(() => process.exit(), 1_000).unref();
