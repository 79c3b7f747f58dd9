/** What goes on at this moment: a lane for each agent, and what was stopped or asked. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Row } from "../api";
import { Board } from "../board";
import { ago, clock, count, ms } from "../format";
import { useEvery, useKeys, useLive } from "../hooks";
import { clamp, Lanes, lanesHeight, type View } from "../lanes";
import { live } from "../live";
import { Card, Empty, Rows, Tile, Type, Verdict } from "../ui";

const SPANS: [string, number][] = [
  ["1 min", 60_000],
  ["5 min", 300_000],
  ["15 min", 900_000],
  ["1 h", 3_600_000],
];
const KEPT = 6 * 3_600_000;
/** So many agents leave room for what each of them did, in words. */
const FEW = 6;
const SHOWN = 200;

export function Now({ open }: { open: (seq: number) => void }) {
  const [view, setView] = useState<View>(() => ({ span: firstSpan(), end: null }));
  const [only, setOnly] = useState("");
  const [selected, select] = useState(-1);
  const held = useRef<{ board: Board; generation: number } | null>(null);
  // Older rows, or another ledger: the lanes are made anew.
  if (held.current?.generation !== live.generation) {
    held.current = { board: new Board(), generation: live.generation };
    held.current.board.add(live.rows);
  }
  const { board } = held.current;
  useLive((rows) => {
    if (held.current?.generation === live.generation) held.current.board.add(rows);
  });
  const [, tick] = useState(0);
  useEvery(1000, () => tick((n) => n + 1));
  useEvery(60_000, () => board.forget(live.now() - KEPT));
  const wanted = only.trim().toLowerCase();
  const edge = view.end ?? live.now();
  const lanes = board
    .order()
    .filter((lane) => lane.last >= edge - view.span && lane.first <= edge)
    .filter((lane) =>
      wanted ? `${lane.agent} ${lane.session} ${lane.repository}`.toLowerCase().includes(wanted) : true,
    );
  const zoom = (by: number): void => setView((was) => ({ ...was, span: clamp(was.span * by) }));
  const pan = (by: number): void =>
    setView((was) => {
      const end = (was.end ?? live.now()) + was.span * by;
      return { ...was, end: end >= live.now() ? null : end };
    });
  useKeys({
    "+": () => zoom(1 / 1.5),
    "=": () => zoom(1 / 1.5),
    "-": () => zoom(1.5),
    ArrowLeft: () => pan(-0.25),
    ArrowRight: () => pan(0.25),
    " ": () => setView((was) => ({ ...was, end: was.end === null ? live.now() : null })),
    j: () => select((n) => Math.min(lanes.length - 1, n + 1)),
    k: () => select((n) => Math.max(0, n - 1)),
    Enter: () => {
      const call = lanes[selected]?.calls.at(-1);
      if (call) open(call.seq);
    },
  });
  useEffect(() => {
    if (live.loaded) setView((was) => (was.end === null ? { ...was, span: firstSpan() } : was));
  }, [live.loaded]);
  const few = lanes.length > 0 && lanes.length <= FEW;
  if (!live.rows.length) return live.loaded ? <Nothing /> : <Waiting />;
  return (
    <div class="page now">
      <Figures board={board} />
      <div class="toolbar">
        <div class="segments" role="group" aria-label="How long a time is shown">
          {SPANS.map(([name, span]) => (
            <button
              key={name}
              type="button"
              aria-pressed={Math.abs(view.span - span) < 1}
              onClick={() => setView({ ...view, span })}
            >
              {name}
            </button>
          ))}
        </div>
        <button
          type="button"
          class={`follow ${view.end === null ? "on" : ""}`}
          aria-pressed={view.end === null}
          onClick={() => setView({ ...view, end: view.end === null ? live.now() : null })}
        >
          {view.end === null ? "Following" : `Held at ${clock(view.end)}`}
        </button>
        <input
          type="search"
          placeholder="Only agents, sessions or repositories with…"
          aria-label="Only these agents"
          value={only}
          onInput={(event) => setOnly(event.currentTarget.value)}
        />
        <span class="muted">
          {count(lanes.length)} {lanes.length === 1 ? "agent" : "agents"}
        </span>
        <Legend />
      </div>
      <div class="split">
       <div class="column">
        <section
          class={`card ${few ? "few" : "fill"}`}
          style={few ? { height: `${lanesHeight(lanes.length)}px` } : undefined}
          aria-label="Agents over time"
        >
          {lanes.length ? (
            <Lanes
              lanes={lanes}
              view={view}
              change={setView}
              open={open}
              selected={selected}
              label={`${lanes.length} agents over time; the list beside it and the ledger say the same in words`}
            />
          ) : (
            <Empty title={wanted ? "No agent matches" : "Nobody has done anything in this time"}>
              <button type="button" onClick={() => (wanted ? setOnly("") : setView({ ...view, span: 3_600_000 }))}>
                {wanted ? "Show all" : "Show the last hour"}
              </button>
            </Empty>
          )}
        </section>
        {few && <Calls keys={new Set(lanes.map((lane) => lane.key))} open={open} />}
       </div>
        <Feed open={open} />
      </div>
    </div>
  );
}

/** A run that has just begun is looked at closely. */
function firstSpan(): number {
  const now = live.now();
  const first = live.rows.find((row) => row.at > now - 300_000)?.at ?? now;
  return now - first < 90_000 ? 60_000 : 300_000;
}

/** The newest calls of these agents, in words. */
function Calls({ keys, open }: { keys: Set<string>; open: (seq: number) => void }) {
  const rows: Row[] = [];
  for (let at = live.rows.length - 1; at >= 0 && rows.length < SHOWN; at--) {
    const row = live.rows[at]!;
    const told = row.event !== "PostToolUse" && row.transport !== "derived";
    if (told && keys.has(`${row.session} ${row.agent_id ?? "main"}`)) rows.push(row);
  }
  return (
    <Card title="What they did" class="fill" side={<a href="/ledger">all events</a>}>
      <Rows
        items={rows}
        height={30}
        label="Calls, the newest first"
        row={(row) => (
          <button type="button" class="srow" key={row.seq} onClick={() => open(row.seq)} title={row.reason}>
            <span class="num muted">{clock(row.at)}</span>
            <Verdict of={row.decision} failed={row.event === "PostToolUseFailure"} />
            <span class="cut">{row.agent}</span>
            <span class="cut">{row.tool ?? row.event}</span>
            <span class="cut mono">{row.what ?? row.path ?? ""}</span>
            <span class="num muted">{ms(row.ms)}</span>
          </button>
        )}
      />
    </Card>
  );
}

function Legend() {
  return (
    <div class="legend" aria-label="Colours">
      {(["none", "modify", "ask", "deny"] as const).map((each) => (
        <Verdict key={each} of={each} />
      ))}
      <Verdict of="none" failed />
    </div>
  );
}

/** The calls of the last quarter of an hour, added up. */
function added(now: number) {
  const calls: Row[] = [];
  for (let at = live.rows.length - 1; at >= 0 && live.rows[at]!.at > now - 900_000; at--) {
    const row = live.rows[at]!;
    if (row.event === "PreToolUse" && !row.derived_from) calls.push(row);
  }
  const times = calls.map((row) => row.ms).sort((a, b) => a - b);
  return {
    calls,
    lastMinute: calls.filter((row) => row.at > now - 60_000).length,
    denied: calls.filter((row) => row.decision === "deny").length,
    asked: calls.filter((row) => row.decision === "ask").length,
    p95: times[Math.ceil(times.length * 0.95) - 1] ?? 0,
  };
}

function Figures({ board }: { board: Board }) {
  const now = live.now();
  // Once a second: thousands of rows are gone through.
  const second = Math.floor(now / 1000);
  const { calls, lastMinute, denied, asked, p95 } = useMemo(() => added(now), [second, live.generation]);
  const active = board.order().filter((lane) => !lane.over && lane.last > now - 60_000);
  const sessions = new Set(active.map((lane) => lane.session)).size;
  return (
    <div class="tiles">
      <Tile
        label="Agents at work"
        value={count(active.length)}
        note={`in ${count(sessions)} ${sessions === 1 ? "session" : "sessions"}, last minute`}
      />
      <Tile label="Calls" value={`${count(lastMinute)}/min`} note={<Spark rows={calls} now={now} />} />
      <Tile
        label="Stopped"
        value={count(denied)}
        note="of the last 15 minutes"
        tone={denied ? "deny" : undefined}
        href="/ledger?decision=deny&since=15m"
      />
      <Tile
        label="Asked"
        value={count(asked)}
        note="of the last 15 minutes"
        tone={asked ? "ask" : undefined}
        href="/ledger?decision=ask&since=15m"
      />
      <Tile
        label="Waiting for you"
        value={live.waiting ?? "?"}
        note={live.waiting ? "answer them" : live.alerts ? `${count(live.alerts)} open ${live.alerts === 1 ? "alert" : "alerts"}` : "nothing to answer"}
        tone={live.critical ? "deny" : live.waiting ? "ask" : undefined}
        href="/alerts"
      />
      <Tile label="Decision time" value={ms(p95)} note="95 % are faster" href="/hooks" />
    </div>
  );
}

/** Calls by half minute, the newest right. */
function Spark({ rows, now }: { rows: Row[]; now: number }) {
  const bins = new Array<number>(30).fill(0);
  for (const row of rows) {
    const bin = 29 - Math.floor((now - row.at) / 30_000);
    if (bin >= 0 && bin < 30) bins[bin]! += 1;
  }
  const most = Math.max(...bins, 1);
  return (
    <svg class="spark" viewBox="0 0 90 16" preserveAspectRatio="none" aria-hidden="true">
      {bins.map((value, bin) => (
        <rect key={bin} x={bin * 3} y={16 - (value / most) * 16} width={2} height={(value / most) * 16} />
      ))}
    </svg>
  );
}

function Feed({ open }: { open: (seq: number) => void }) {
  const rows: Row[] = [];
  for (let at = live.rows.length - 1; at >= 0 && rows.length < 60; at--) {
    const row = live.rows[at]!;
    const speaks = row.decision !== "none" || row.event === "PostToolUseFailure";
    if (speaks && !row.derived_from) rows.push(row);
  }
  return (
    <section class="card feed" aria-label="Decisions">
      <header>
        <h2>Decisions</h2>
        <a class="side" href="/ledger">
          all events
        </a>
      </header>
      {rows.length === 0 && <p class="muted pad">Nothing was stopped, asked or changed so far.</p>}
      <ol aria-live="polite">
        {rows.map((row) => (
          <li key={row.seq}>
            <button type="button" onClick={() => open(row.seq)}>
              <span class="line">
                <Verdict of={row.decision} failed={row.event === "PostToolUseFailure"} />
                <b>{row.tool ?? row.event}</b>
                <span class="muted when" title={clock(row.at, true)}>
                  {ago(row.at, live.now())}
                </span>
              </span>
              <span class="mono what">{row.what ?? row.path ?? ""}</span>
              <span class="muted what">
                {row.agent}
                {row.rule ? ` · ${row.rule}` : ""}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Waiting() {
  return (
    <div class="page now" aria-busy="true">
      <div class="tiles">
        {[1, 2, 3, 4, 5, 6].map((each) => (
          <div key={each} class="tile ghost" />
        ))}
      </div>
      <div class="card fill ghost" />
    </div>
  );
}

function Nothing() {
  return (
    <div class="page">
      <Empty title="No agent has been heard of yet">
        <p>Put the hooks into a project, then work in it as ever. Its first event shows here at once.</p>
        <p>
          <Type>pointsman init</Type>
        </p>
        <p class="muted">
          Nothing comes although an agent works? <Type>pointsman doctor</Type>
        </p>
      </Empty>
    </div>
  );
}
