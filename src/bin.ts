#!/usr/bin/env node
import { main } from './cli/main.ts';

process.exitCode = await main(process.argv.slice(2));
// A probe that ignores its end may still hold a socket; nobody waits for it.
setTimeout(() => process.exit(), 1_000).unref();
