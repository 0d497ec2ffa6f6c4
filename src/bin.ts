#!/usr/bin/env node
import { main } from './cli/main.ts';
import { killAll } from './process/command.ts';

// A reader that goes away, as `| head` does, is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main(process.argv.slice(2));
// A probe that ignores its end may still hold a socket, and a command may ignore TERM: nobody waits for them.
setTimeout(() => {
  killAll();
  process.exit();
}, 1_000).unref();
