/**
 * Owns how the score curve looks: the loop and its control told apart by dash, shape and a written name, never by colour
 * alone, and the same numbers as a table below. Deliberately computes no geometry; curve.ts does.
 */
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import type { Interval } from '../../src/core/model/candidate.ts';
import { percent, range, roundWord } from '../../src/protocol/wording.ts';
import { chartOf, type Chart, type Curve, type Mark } from '../curve.ts';
import { keptIn, newest, type RunModel } from '../runModel.ts';

export interface CurveProps {
  readonly model: RunModel;
  /** Width of the box in CSS pixels; 0 before it has been measured. */
  readonly width: number;
  readonly selectedRound: number | null;
  readonly onRound: (round: number) => void;
}

const height = 208;

function diamond({ x, y }: { readonly x: number; readonly y: number }, size: number): string {
  return `M${x} ${y - size}L${x + size} ${y}L${x} ${y + size}L${x - size} ${y}Z`;
}

function loopMark(mark: Mark, kept: boolean | null): SVGTemplateResult {
  const outcome = kept === null ? '' : kept ? ', kept' : ', nothing kept';
  const title = `Loop, ${roundWord(mark.point.round)}: ${percent(mark.point.mean)} (${range(mark.point.interval)})${outcome}`;
  return svg`<g class="mark loop">
    ${kept === true ? svg`<circle class="kept" cx=${mark.x} cy=${mark.y} r="7.5" />` : nothing}
    <circle class="dot" cx=${mark.x} cy=${mark.y} r="4" /><title>${title}</title>
  </g>`;
}

function crossPath({ x, y }: { readonly x: number; readonly y: number }, arm: number): string {
  return `M${x - arm} ${y - arm}L${x + arm} ${y + arm}M${x - arm} ${y + arm}L${x + arm} ${y - arm}`;
}

function refusedMark(mark: Chart['refused'][number]): SVGTemplateResult {
  return svg`<g class="mark refused"><path class="cross" d=${crossPath(mark, 3.5)} /><title>${`Tried in round ${
    mark.round
  } and refused: ${percent(mark.mean)}`}</title></g>`;
}

function controlMark(mark: Mark): SVGTemplateResult {
  return svg`<g class="mark control"><path class="dot" d=${diamond(mark, 5)} /><title>${`Control, ${roundWord(
    mark.point.round,
  )}: ${percent(mark.point.mean)} (${range(mark.point.interval)})`}</title></g>`;
}

function axes(chart: Chart): SVGTemplateResult {
  const { plot } = chart;
  return svg`
    ${chart.yTicks.map(
      ({ y, score }) => svg`
        <line class="grid" x1=${plot.left} x2=${plot.right} y1=${y} y2=${y} />
        <text class="tick" x=${plot.left - 8} y=${y} dy="0.32em" text-anchor="end">${Math.round(100 * score)}${
          score === 1 ? ' %' : ''
        }</text>`,
    )}
    ${chart.xTicks.map(
      ({ x, round }) =>
        svg`<text class="tick" x=${x} y=${plot.bottom + 18} text-anchor="middle">${
          round === 0 ? 'start' : round
        }</text>`,
    )}`;
}

function endName(
  curve: Curve,
  name: string,
  other: Curve,
  right: number,
): SVGTemplateResult | typeof nothing {
  const last = curve.marks.at(-1);
  if (last === undefined) return nothing;
  const otherLast = other.marks.at(-1);
  const close = otherLast !== undefined && otherLast.x === last.x && Math.abs(otherLast.y - last.y) < 16;
  const shift = close && last.y >= otherLast.y ? 12 : close ? -8 : 0;
  const inside = last.x + 12 <= right + 2;
  return svg`<text class="name" x=${last.x + (inside ? 10 : 11)} y=${last.y + shift} dy="0.32em">${name}</text>`;
}

function testMark(chart: Chart): SVGTemplateResult | typeof nothing {
  const { test, plot } = chart;
  if (test === null) return nothing;
  return svg`<g class="mark test">
    <line class="split" x1=${plot.right + 60} x2=${plot.right + 60} y1=${plot.top} y2=${plot.bottom} />
    <line class="whisker" x1=${test.x} x2=${test.x} y1=${test.low} y2=${test.high} />
    <rect class="dot" x=${test.x - 4.5} y=${test.y - 4.5} width="9" height="9" /><title>Sealed test: ${percent(test.score)}</title>
    <text class="tick" x=${test.x} y=${plot.bottom + 18} text-anchor="middle">test</text>
  </g>`;
}

function spoken(model: RunModel): string {
  const loop = newest(model.main);
  const control = newest(model.control);
  if (loop === null) return 'Score by round. Nothing evaluated yet.';
  const start = model.main.points[0];
  const parts = [
    `Score by round. Loop: ${start === undefined ? '' : `${percent(start.mean)} at the start, `}${percent(loop.mean)} after round ${loop.round}.`,
  ];
  if (control !== null) parts.push(`Control: ${percent(control.mean)} after round ${control.round}.`);
  if (model.test !== null) parts.push(`Sealed test: ${percent(model.test.final)}.`);
  return `${parts.join(' ')} The table below has all values.`;
}

function legend(model: RunModel): TemplateResult {
  return html`<ul class="legend" aria-hidden="true">
    <li>
      <svg width="30" height="12" viewBox="0 0 30 12">
        <line class="line loop" x1="1" x2="29" y1="6" y2="6" />
        <g class="mark loop"><circle class="dot" cx="15" cy="6" r="4" /></g></svg
      >loop, 95 % interval
    </li>
    ${
      model.hasControl
        ? html`<li>
            <svg width="30" height="12" viewBox="0 0 30 12">
              <line class="line control" x1="1" x2="29" y1="6" y2="6" />
              <g class="mark control"><path class="dot" d=${diamond({ x: 15, y: 6 }, 5)} /></g></svg
            >control
          </li>`
        : nothing
    }
    ${
      [...model.main.decisions.values()].some((decision) => decision.accepted)
        ? html`<li>
            <svg width="18" height="18" viewBox="0 0 18 18">
              <g class="mark loop"><circle class="kept" cx="9" cy="9" r="7.5" /><circle class="dot" cx="9" cy="9" r="4" /></g></svg
            >round kept
          </li>`
        : nothing
    }
    ${
      model.main.refused.length > 0
        ? html`<li>
            <svg width="12" height="12" viewBox="0 0 12 12">
              <g class="mark refused"><path class="cross" d=${crossPath({ x: 6, y: 6 }, 3.5)} /></g></svg
            >tried and refused
          </li>`
        : nothing
    }
  </ul>`;
}

function valueOf(point: { readonly mean: number; readonly interval: Interval } | undefined): string {
  return point === undefined ? '' : `${percent(point.mean)} (${range(point.interval)})`;
}

function table(model: RunModel): TemplateResult {
  const rounds = [
    ...new Set([...model.main.points, ...model.control.points].map((point) => point.round)),
  ].sort((left, right) => left - right);
  return html`<details class="twin">
    <summary>As a table</summary>
    <table>
      <thead>
        <tr>
          <th scope="col">Round</th>
          <th scope="col">Loop</th>
          ${model.hasControl ? html`<th scope="col">Control</th>` : nothing}
          <th scope="col">Kept</th>
        </tr>
      </thead>
      <tbody>
        ${rounds.map((round) => {
          const kept = keptIn(model.main, round);
          return html`<tr>
            <th scope="row">${roundWord(round)}</th>
            <td>${valueOf(model.main.points.find((point) => point.round === round))}</td>
            ${
              model.hasControl
                ? html`<td>${valueOf(model.control.points.find((point) => point.round === round))}</td>`
                : nothing
            }
            <td>${kept === null ? '' : kept ? 'kept' : 'nothing kept'}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </details>`;
}

export function curveView(props: CurveProps): TemplateResult {
  const { model, selectedRound } = props;
  const chart = chartOf(model, Math.max(280, props.width), height);
  const { plot } = chart;
  const pick = (event: PointerEvent) => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    props.onRound(chart.roundAt(event.clientX - box.left));
  };
  return html`<section class="curve" aria-label="Score by round">
    <div class="curve-box">
      <svg
        class="chart"
        role="img"
        aria-label=${spoken(model)}
        width=${chart.width}
        height=${height}
        viewBox="0 0 ${chart.width} ${height}"
        @click=${pick}
      >
        ${axes(chart)}
        ${
          selectedRound === null
            ? nothing
            : svg`<line class="cursor" x1=${chart.xOf(selectedRound)} x2=${chart.xOf(selectedRound)} y1=${plot.top} y2=${plot.bottom} />`
        }
        <path class="band" d=${chart.main.band} />
        <path class="line control" d=${chart.control.line} />
        <path class="line loop" d=${chart.main.line} />
        ${chart.refused.map(refusedMark)} ${chart.control.marks.map(controlMark)}
        ${chart.main.marks.map((mark) => loopMark(mark, keptIn(model.main, mark.point.round)))}
        ${endName(chart.main, 'loop', chart.control, plot.right)}
        ${endName(chart.control, 'control', chart.main, plot.right)} ${testMark(chart)}
      </svg>
    </div>
    <div class="below-chart">${legend(model)} ${table(model)}</div>
  </section>`;
}
