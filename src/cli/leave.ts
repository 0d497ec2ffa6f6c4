/** One wish may come as two signals: `timeout` and `npm start` pass on what the process group has had already. */
const SAME_WISH_MS = 50;

/** SIGTERM and SIGINT: the first one asks for an orderly stop, the second one means it. */
export function toldToLeave() {
  let onSecond: () => void = () => {};
  let resolve: (why: string) => void = () => {};
  const first = new Promise<string>((done) => {
    resolve = done;
  });
  let count = 0;
  let firstAt = 0;
  function stop(why: string): void {
    if (count > 0 && performance.now() - firstAt < SAME_WISH_MS) return;
    count++;
    if (count > 1) return onSecond();
    firstAt = performance.now();
    resolve(why);
  }
  const onSignal = (signal: NodeJS.Signals): void => stop(signal);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    first,
    stop,
    second(act: () => void): void {
      onSecond = act;
      if (count > 1) act();
    },
    forget(): void {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
    },
  };
}
