/**
 * Owns the geometry of the score curve: rounds and scores to points and paths in pixels.
 * Deliberately draws nothing and knows no colour; views/curveView.ts does.
 */
import { scaleLinear } from 'd3-scale';
import { area, curveMonotoneX, line } from 'd3-shape';
import type { CurvePoint, RunModel } from './runModel.ts';

export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly point: CurvePoint;
}

export interface Curve {
  readonly line: string;
  readonly band: string;
  readonly marks: readonly Mark[];
}

export interface Chart {
  readonly width: number;
  readonly height: number;
  readonly plot: {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  };
  readonly xTicks: readonly { readonly x: number; readonly round: number }[];
  readonly yTicks: readonly { readonly y: number; readonly score: number }[];
  readonly main: Curve;
  readonly control: Curve;
  /** Candidates of the loop that were tried and refused. */
  readonly refused: readonly {
    readonly x: number;
    readonly y: number;
    readonly mean: number;
    readonly round: number;
  }[];
  /** The sealed test score stands after the last round; null until it is known. */
  readonly test: {
    readonly x: number;
    readonly y: number;
    readonly low: number;
    readonly high: number;
    readonly score: number;
  } | null;
  readonly xOf: (round: number) => number;
  readonly roundAt: (x: number) => number;
}

const margin = { left: 44, right: 104, top: 12, bottom: 28 };

/** Rounds to label: all of them where they fit, else evenly spread with the last one kept. */
export function roundTicks(last: number, width: number): readonly number[] {
  const room = Math.max(2, Math.floor(width / 36));
  const step = Math.max(1, Math.ceil((last + 1) / room));
  const ticks: number[] = [];
  for (let round = 0; round <= last; round += step) ticks.push(round);
  return ticks;
}

/** The whole chart of a run for a box of this many pixels. Scores are always drawn on 0 to 100 %: no gain is made to look larger than it is. */
export function chartOf(model: RunModel, width: number, height: number): Chart {
  const reached = [...model.main.points, ...model.control.points].map((point) => point.round);
  const last = Math.max(1, model.plannedRounds, ...reached);
  const plot = {
    left: margin.left,
    right: Math.max(margin.left + 40, width - margin.right),
    top: margin.top,
    bottom: height - margin.bottom,
  };
  const x = scaleLinear([0, last], [plot.left, plot.right]);
  const y = scaleLinear([0, 1], [plot.bottom, plot.top]);
  const curveOf = (points: readonly CurvePoint[]): Curve => ({
    line:
      line<CurvePoint>(
        (point) => x(point.round),
        (point) => y(point.mean),
      ).curve(curveMonotoneX)([...points]) ?? '',
    band:
      area<CurvePoint>(
        (point) => x(point.round),
        (point) => y(point.interval.low),
        (point) => y(point.interval.high),
      ).curve(curveMonotoneX)([...points]) ?? '',
    marks: points.map((point) => ({ x: x(point.round), y: y(point.mean), point })),
  });
  const { test } = model;
  return {
    width,
    height,
    plot,
    xTicks: roundTicks(last, plot.right - plot.left).map((round) => ({ round, x: x(round) })),
    yTicks: [0, 0.25, 0.5, 0.75, 1].map((score) => ({ score, y: y(score) })),
    main: curveOf(model.main.points),
    control: curveOf(model.control.points),
    refused: model.main.refused.map(({ round, mean }) => ({ x: x(round), y: y(mean), mean, round })),
    test:
      test === null
        ? null
        : {
            x: plot.right + 80,
            y: y(test.final),
            low: y(test.interval.low),
            high: y(test.interval.high),
            score: test.final,
          },
    xOf: x,
    roundAt: (pixel) => Math.min(last, Math.max(0, Math.round(x.invert(pixel)))),
  };
}
