/**
 * The 99th percentile of a stream in five numbers and their places, without keeping the stream: the P² algorithm of Jain
 * and Chlamtac, CACM 28(10), 1985.
 */
export interface Quantile {
  /** Heights of the markers: least, two in between, the quantile's own in the middle, most. */
  readonly heights: readonly number[];
  /** How many samples are at or below each marker. */
  readonly places: readonly number[];
  readonly samples: number;
}

export const NO_QUANTILE: Quantile = { heights: [], places: [], samples: 0 };

const P = 0.99;
const SHARES = [0, P / 2, P, (1 + P) / 2, 1];
/** From so many on, the older half of them counts half: what was usual last month is not what is usual now. */
const FORGET_AT = 8_192;

export function withSample(quantile: Quantile, value: number): Quantile {
  const samples = quantile.samples + 1;
  if (samples <= SHARES.length) {
    const heights = [...quantile.heights, value].toSorted((a, b) => a - b);
    return { heights, places: heights.map((_, i) => i + 1), samples };
  }
  const heights = [...quantile.heights];
  const places = [...quantile.places];
  heights[0] = Math.min(heights[0]!, value);
  heights[4] = Math.max(heights[4]!, value);
  for (let i = 1; i < 5; i++) if (i === 4 || value < heights[i]!) places[i]!++;
  for (let i = 1; i < 4; i++) move(heights, places, i, 1 + (samples - 1) * SHARES[i]!);
  return samples < FORGET_AT ? { heights, places, samples } : halved(heights, places, samples);
}

/** The quantile, or undefined where there are fewer than `least` samples. */
export function valueOf({ heights, samples }: Quantile, least: number): number | undefined {
  return samples < Math.max(least, SHARES.length) ? undefined : heights[2];
}

/** Moves one marker by one place towards where it should be, along a parabola through its neighbours. */
function move(heights: number[], places: number[], i: number, wanted: number): void {
  const [before, here, after] = [places[i - 1]!, places[i]!, places[i + 1]!];
  const off = wanted - here;
  const step = off >= 1 && after - here > 1 ? 1 : off <= -1 && before - here < -1 ? -1 : 0;
  if (step === 0) return;
  const [low, height, high] = [heights[i - 1]!, heights[i]!, heights[i + 1]!];
  const curved =
    height +
    (step / (after - before)) *
      (((here - before + step) * (high - height)) / (after - here) +
        ((after - here - step) * (height - low)) / (here - before));
  const straight =
    step > 0 ? height + (high - height) / (after - here) : height - (height - low) / (here - before);
  heights[i] = curved > low && curved < high ? curved : straight;
  places[i] = here + step;
}

function halved(heights: number[], places: number[], samples: number): Quantile {
  const half = Math.floor(samples / 2);
  const last = SHARES.length - 1;
  // Places stay whole, strictly rising, from the first to the last sample.
  return {
    heights,
    places: places.map((place, i) =>
      i === 0 ? 1 : i === last ? half : Math.min(half - (last - i), Math.max(i + 1, Math.round(place / 2))),
    ),
    samples: half,
  };
}
