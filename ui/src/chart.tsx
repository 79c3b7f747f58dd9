/** Lines over time, by uPlot. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  name: string;
  /** The name of a colour of the style sheet. */
  ink: string;
  values: (number | null)[];
  fill?: boolean;
}

/** `step` in seconds: how far points lie apart, so that one alone does not stand for years. */
export function Chart(props: {
  times: number[];
  lines: Line[];
  unit: (value: number) => string;
  label: string;
  step?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = props.lines.map((line) => line.name).join();
  const theme = document.documentElement.dataset.theme;
  useEffect(() => {
    const element = box.current!;
    const style = getComputedStyle(element);
    const ink = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    const axis = { stroke: ink("muted"), grid: { stroke: ink("line"), width: 1 }, ticks: { show: false } };
    const made = new uPlot(
      {
        width: element.clientWidth || 600,
        height: 220,
        cursor: { points: { size: 7 } },
        legend: { live: true },
        scales: {
          x: { range: (_plot, low, high) => spread(low, high, props.step ?? 3600) },
          y: { range: (_plot, _low, high) => [0, (high || 1) * 1.15] },
        },
        axes: [axis, { ...axis, size: 64, values: (_plot, ticks) => ticks.map((tick) => props.unit(tick)) }],
        series: [
          {},
          ...props.lines.map((line) => ({
            label: line.name,
            stroke: ink(line.ink),
            width: 2,
            fill: line.fill ? `${ink(line.ink)}22` : undefined,
            points: { show: props.times.length < 40, size: 5 },
            value: (_plot: uPlot, value: number | null) => (value === null ? "–" : props.unit(value)),
          })),
        ],
      },
      data(props),
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 220 }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, theme]);
  useEffect(() => plot.current?.setData(data(props)), [props.times, props.lines]);
  return <div class="chart" ref={box} role="img" aria-label={props.label} />;
}

/** At least twelve steps, the newest at the right. */
function spread(low: number, high: number, step: number): [number, number] {
  const least = 12 * step;
  if (high == null) return [Date.now() / 1000 - least, Date.now() / 1000];
  return high - low < least ? [high - least, high + step / 2] : [low, high];
}

function data(props: { times: number[]; lines: Line[]; step?: number }): uPlot.AlignedData {
  // Around one point alone the library would draw years.
  const [only, ...more] = props.times;
  if (only !== undefined && !more.length) {
    const times = [only - 11 * (props.step ?? 3600), only];
    return [times, ...props.lines.map((line) => [null, line.values[0] ?? null])] as uPlot.AlignedData;
  }
  return [props.times, ...props.lines.map((line) => line.values)] as uPlot.AlignedData;
}
