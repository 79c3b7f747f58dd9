/** Swim lanes on a canvas: one for each agent, each call drawn from its start to its end. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Call, Lane, Mark } from "./board";
import { base, clock, short, span } from "./format";
import { live } from "./live";

const AXIS = 26;

export interface View {
  /** Length of what is shown, in ms. */
  span: number;
  /** The right edge; null follows the present. */
  end: number | null;
}

interface Hit {
  x: number;
  y: number;
  width: number;
  height: number;
  lane: Lane;
  call?: Call;
  mark?: Mark;
}

interface Colours {
  [name: string]: string;
}

const NAMES = [
  "text", "muted", "line", "panel", "raised", "accent", "call", "call-edge", "deny", "ask",
  "modify", "allow", "fail", "now",
];

export function rowHeight(lanes: number): number {
  if (lanes <= 8) return 44;
  if (lanes <= 24) return 30;
  return lanes <= 80 ? 22 : 17;
}

/** How high all of so many lanes are, with the axis, in pixels. */
export function lanesHeight(lanes: number): number {
  return AXIS + lanes * rowHeight(lanes) + 14;
}

export function Lanes(props: {
  lanes: Lane[];
  view: View;
  change: (view: View) => void;
  open: (seq: number) => void;
  selected: number;
  /** What is not yet: of a replay, what comes later is not drawn. */
  until?: number;
  label: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const hits = useRef<Hit[]>([]);
  const latest = useRef(props);
  latest.current = props;
  const [tip, setTip] = useState<Hit | null>(null);
  const [range, setRange] = useState({ from: 0, to: 40 });
  const height = rowHeight(props.lanes.length);

  useEffect(() => {
    let frame = 0;
    let drawn = 0;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const tick = (time: number): void => {
      frame = requestAnimationFrame(tick);
      const moving = latest.current.view.end === null || latest.current.until !== undefined;
      // Twenty to thirty times a second are smooth, and leave the rest to the page.
      const many = latest.current.lanes.length > 60;
      if (time - drawn < (calm ? 500 : moving ? (many ? 50 : 33) : 120)) return;
      drawn = time;
      if (canvas.current && scroll.current)
        hits.current = draw(canvas.current, scroll.current, latest.current);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, []);

  useEffect(() => {
    const element = scroll.current!;
    const look = (): void => {
      const row = rowHeight(latest.current.lanes.length);
      const from = Math.max(0, Math.floor(element.scrollTop / row) - 2);
      setRange({ from, to: from + Math.ceil(element.clientHeight / row) + 4 });
    };
    look();
    const watch = new ResizeObserver(look);
    watch.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [height]);

  const find = (event: MouseEvent): Hit | null => {
    const box = canvas.current!.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    // The last one drawn lies on top.
    return (
      hits.current.findLast(
        (hit) =>
          x >= hit.x - 3 && x <= hit.x + hit.width + 3 && y >= hit.y - 2 && y <= hit.y + hit.height + 2,
      ) ?? null
    );
  };

  const wheel = (event: WheelEvent): void => {
    const { view, change } = latest.current;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      change({ ...view, span: clamp(view.span * (event.deltaY > 0 ? 1.2 : 1 / 1.2)) });
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const moved = ((event.deltaX || event.deltaY) / 600) * view.span;
      const end = (view.end ?? live.now()) + moved;
      change({ ...view, end: end >= live.now() ? null : end });
    }
  };

  const drag = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const from = event.clientX;
    const { view } = latest.current;
    const start = view.end ?? live.now();
    const width = canvas.current!.clientWidth;
    const move = (moved: PointerEvent): void => {
      const by = ((from - moved.clientX) / width) * view.span;
      if (Math.abs(from - moved.clientX) > 4) {
        const end = start + by;
        latest.current.change({ ...view, end: end >= live.now() ? null : end });
      }
    };
    const up = (ended: PointerEvent): void => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      const hit = Math.abs(from - ended.clientX) <= 4 ? find(ended) : null;
      const seq = hit?.call?.seq ?? hit?.mark?.seq;
      if (seq) latest.current.open(seq);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
  };

  return (
    <div class={`lanes ${height < 20 ? "dense" : ""}`} ref={scroll} tabIndex={-1}>
      <div class="lane-names" style={{ height: `${props.lanes.length * height + AXIS}px` }}>
        {props.lanes.slice(range.from, range.to).map((lane, index) => (
          <Name
            key={lane.key}
            lane={lane}
            top={(range.from + index) * height + AXIS}
            height={height}
            selected={range.from + index === props.selected}
          />
        ))}
      </div>
      <div class="lane-canvas">
        <canvas
          ref={canvas}
          role="img"
          aria-label={props.label}
          onPointerDown={drag}
          onPointerMove={(event) => setTip(event.buttons ? null : find(event))}
          onPointerLeave={() => setTip(null)}
          onWheel={wheel}
        />
        {tip && <Tip hit={tip} />}
      </div>
    </div>
  );
}

export function clamp(value: number): number {
  return Math.min(6 * 3_600_000, Math.max(10_000, value));
}

function Name(props: { lane: Lane; top: number; height: number; selected: boolean }) {
  const { lane } = props;
  const main = lane.agentId === "main";
  const alive = !lane.over && live.now() - lane.last < 60_000;
  const style = {
    top: `${props.top}px`,
    height: `${props.height}px`,
    paddingLeft: `${12 + lane.depth * 14}px`,
  };
  return (
    <a
      class={`lane-name ${props.selected ? "selected" : ""} ${main ? "main" : ""}`}
      style={style}
      href={`/sessions/${encodeURIComponent(lane.session)}`}
      title={`${lane.agent} in session ${lane.session}${lane.repository ? `, ${lane.repository}` : ""}`}
    >
      <i class={`dot ${alive ? "alive" : ""}`} aria-hidden="true" />
      <span class="who">{main ? base(lane.repository) || "main" : lane.agent}</span>
      <span class="id">{short(main ? lane.session : lane.agentId)}</span>
      {lane.denied > 0 && <span class="count is-deny">{lane.denied}</span>}
      {lane.asked > 0 && <span class="count is-ask">{lane.asked}</span>}
    </a>
  );
}

function Tip({ hit }: { hit: Hit }) {
  const { call, mark } = hit;
  const long = call?.end ? call.end - call.start : 0;
  return (
    <div class="tip" style={{ left: `${Math.max(4, hit.x)}px`, top: `${hit.y + hit.height + 8}px` }}>
      <b>
        {call ? call.tool : mark!.event}{" "}
        <span class={`is-${call?.failed ? "fail" : (call ?? mark!).decision}`}>
          {call?.failed ? "failed" : (call ?? mark!).decision === "none" ? "" : (call ?? mark!).decision}
        </span>
      </b>
      <span class="mono">{(call ?? mark!).what}</span>
      <span class="muted">
        {clock(call?.start ?? mark!.at, true)}
        {call && (call.decision === "deny" ? ", stopped" : call.end ? `, ${span(long / 1000)}` : ", running")}
        {` · #${(call ?? mark!).seq}`}
      </span>
    </div>
  );
}

let cached: { theme: string; colours: Colours } | null = null;

function colours(element: Element): Colours {
  const theme = `${document.documentElement.dataset.theme}${matchMedia("(prefers-color-scheme: dark)").matches}`;
  if (cached?.theme !== theme) {
    const style = getComputedStyle(element);
    const found = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
    cached = { theme, colours: Object.fromEntries(found) };
  }
  return cached.colours;
}

function draw(
  canvas: HTMLCanvasElement,
  box: HTMLElement,
  given: { lanes: Lane[]; view: View; until?: number; selected: number },
): Hit[] {
  const scale = devicePixelRatio || 1;
  const width = canvas.parentElement!.clientWidth;
  const height = box.clientHeight;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d")!;
  const ink = colours(canvas);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const now = live.now();
  const end = given.view.end ?? now + given.view.span * 0.02;
  const start = end - given.view.span;
  const at = (time: number): number => ((time - start) / given.view.span) * width;
  const row = rowHeight(given.lanes.length);
  const first = Math.max(0, Math.floor(box.scrollTop / row) - 1);
  const last = Math.min(given.lanes.length, first + Math.ceil(height / row) + 2);
  const hits: Hit[] = [];
  const until = given.until ?? Infinity;
  grid(pen, ink, { start, end, width, height, at });
  pen.save();
  pen.beginPath();
  pen.rect(0, AXIS, width, height - AXIS);
  pen.clip();
  for (let index = first; index < last; index++) {
    const lane = given.lanes[index]!;
    const top = index * row - box.scrollTop + AXIS;
    if (lane.agentId === "main") rule(pen, ink.line!, top, width);
    if (index === given.selected) {
      pen.fillStyle = ink.raised!;
      pen.fillRect(0, top, width, row);
    }
    life(pen, ink, lane, { top, row, at, now: Math.min(now, until) });
    for (const mark of lane.marks)
      if (mark.at >= start && mark.at <= Math.min(end, until)) hits.push(tick(pen, ink, lane, mark, at(mark.at), top, row));
    for (const call of lane.calls) {
      const done = call.end || (lane.over ? lane.last : Math.min(now, until));
      if (call.start > Math.min(end, until) || done < start) continue;
      hits.push(block(pen, ink, lane, call, at(call.start), at(Math.min(done, until)), top, row));
    }
  }
  pen.restore();
  const edge = given.until ?? now;
  if (edge >= start && edge <= end) {
    pen.fillStyle = ink.now!;
    pen.fillRect(Math.round(at(edge)), AXIS - 6, 1, height);
  }
  return hits;
}

interface Area {
  start: number;
  end: number;
  width: number;
  height: number;
  at: (time: number) => number;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((s) => s * 1000);

function grid(pen: CanvasRenderingContext2D, ink: Colours, area: Area): void {
  const wanted = (area.end - area.start) / Math.max(2, area.width / 110);
  const step = STEPS.find((each) => each >= wanted) ?? 14_400_000;
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (let time = Math.ceil(area.start / step) * step; time < area.end; time += step) {
    const x = Math.round(area.at(time));
    pen.fillStyle = ink.line!;
    pen.globalAlpha = 0.6;
    pen.fillRect(x, AXIS, 1, area.height);
    pen.globalAlpha = 1;
    pen.fillStyle = ink.muted!;
    pen.fillText(clock(time), x + 4, AXIS / 2);
  }
  rule(pen, ink.line!, AXIS - 1, area.width);
}

function rule(pen: CanvasRenderingContext2D, colour: string, y: number, width: number): void {
  pen.fillStyle = colour;
  pen.fillRect(0, Math.round(y), width, 1);
}

function life(
  pen: CanvasRenderingContext2D,
  ink: Colours,
  lane: Lane,
  place: { top: number; row: number; at: (time: number) => number; now: number },
): void {
  const alive = !lane.over && place.now - lane.last < 60_000;
  const from = place.at(lane.first);
  const to = place.at(Math.min(alive ? place.now : lane.last, place.now));
  pen.fillStyle = ink.line!;
  pen.fillRect(from, Math.round(place.top + place.row / 2), Math.max(0, to - from), 1);
}

function block(
  pen: CanvasRenderingContext2D,
  ink: Colours,
  lane: Lane,
  call: Call,
  from: number,
  to: number,
  top: number,
  row: number,
): Hit {
  const pad = row > 24 ? 6 : 3;
  const height = row - pad * 2;
  const stopped = call.decision === "deny";
  const size = Math.min(Math.max(height, 8), 14);
  const width = stopped ? size : Math.max(3, to - from);
  const x = Math.max(-10, stopped ? from - size / 2 : from);
  const shown = stopped ? size : Math.max(3, from + width - x);
  const y = top + pad;
  const colour = call.failed ? ink.fail! : (ink[call.decision] ?? ink.call!);
  pen.fillStyle = call.decision === "none" && !call.failed ? ink.call! : colour;
  // What still runs is paler: its end is not known.
  pen.globalAlpha = call.end ? 1 : 0.62;
  round(pen, x, y, shown, height, Math.min(4, height / 3));
  pen.fill();
  pen.globalAlpha = 1;
  if (stopped) cross(pen, ink.panel!, x + shown / 2, y + height / 2, size * 0.22);
  else {
    pen.fillStyle = call.decision === "none" && !call.failed ? ink["call-edge"]! : colour;
    pen.fillRect(x, y, 2.5, height);
    if (height >= 13 && shown > 34) label(pen, ink, call, x + 8, y + height / 2, shown - 12);
  }
  return { x, y, width: shown, height, lane, call };
}

function label(
  pen: CanvasRenderingContext2D,
  ink: Colours,
  call: Call,
  x: number,
  y: number,
  width: number,
): void {
  const plain = call.decision === "none" && !call.failed;
  pen.font = "600 11px system-ui, sans-serif";
  pen.fillStyle = plain ? ink.text! : ink.panel!;
  const tool = fit(pen, call.tool, width);
  pen.fillText(tool, x, y + 0.5);
  const used = pen.measureText(tool).width + 6;
  if (width - used < 40 || !call.what) return;
  pen.font = "11px ui-monospace, monospace";
  pen.globalAlpha = 0.75;
  pen.fillText(fit(pen, call.what.split("\n")[0]!, width - used), x + used, y + 0.5);
  pen.globalAlpha = 1;
}

function fit(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (pen.measureText(text).width <= width) return text;
  const each = pen.measureText("n").width;
  const kept = Math.floor(width / each) - 1;
  return kept > 1 ? `${text.slice(0, kept)}…` : "";
}

function tick(
  pen: CanvasRenderingContext2D,
  ink: Colours,
  lane: Lane,
  mark: Mark,
  x: number,
  top: number,
  row: number,
): Hit {
  const size = Math.min(9, row * 0.42);
  const middle = top + row / 2;
  pen.fillStyle = mark.decision === "none" ? ink.muted! : (ink[mark.decision] ?? ink.muted!);
  if (mark.event === "UserPromptSubmit") {
    pen.fillStyle = ink.accent!;
    pen.beginPath();
    pen.moveTo(x - size / 2, middle - size / 1.6);
    pen.lineTo(x + size / 1.6, middle);
    pen.lineTo(x - size / 2, middle + size / 1.6);
    pen.fill();
  } else {
    pen.beginPath();
    pen.arc(x, middle, size / 3, 0, 7);
    pen.fill();
  }
  return { x: x - size / 2, y: middle - size / 2, width: size, height: size, lane, mark };
}

function cross(pen: CanvasRenderingContext2D, colour: string, x: number, y: number, size: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.8;
  pen.beginPath();
  pen.moveTo(x - size, y - size);
  pen.lineTo(x + size, y + size);
  pen.moveTo(x + size, y - size);
  pen.lineTo(x - size, y + size);
  pen.stroke();
}

function round(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
): void {
  pen.beginPath();
  pen.roundRect(x, y, width, height, radius);
}
