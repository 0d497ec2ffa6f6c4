/**
 * Reading the files stops everything else for a moment: however often a reload is asked for, it takes at most a fifth of
 * the time, and what was asked meanwhile is done once.
 */
export function spaced(reload: (why: string) => Promise<void>) {
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let asked: string | undefined;
  let ended = false;
  let notBefore = 0;

  async function begin(why: string): Promise<void> {
    const startedAt = performance.now();
    await reload(why);
    const endedAt = performance.now();
    notBefore = endedAt + 4 * (endedAt - startedAt);
    underWay = undefined;
    if (asked !== undefined) ask(asked);
  }
  function ask(why: string): void {
    asked = why;
    // Whatever comes after the end is too late.
    if (ended || underWay) return;
    timer ??= setTimeout(
      () => {
        timer = undefined;
        asked = undefined;
        underWay = begin(why);
      },
      Math.max(0, notBefore - performance.now()),
    );
  }
  return {
    ask,
    /** Resolves when the one under way is through. */
    async end(): Promise<void> {
      ended = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}
