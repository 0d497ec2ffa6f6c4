/** What keeps this process alive, by kind, timers of the test runner apart. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Sockets and timers that are there now and were not before. */
export function leftBehind(): { since(): Record<string, number> } {
  const before = resources();
  return {
    since() {
      const left: Record<string, number> = {};
      for (const [name, count] of Object.entries(resources())) {
        const more = count - (before[name] ?? 0);
        if (more > 0 && /TCP|TLS|Pipe|Timeout/.test(name)) left[name] = more;
      }
      return left;
    },
  };
}
