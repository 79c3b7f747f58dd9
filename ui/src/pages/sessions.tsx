/** Sessions: the list, and one of them as tree, time line and text, with a replay. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, type Row } from "../api";
import { Board, type Lane } from "../board";
import { ago, base, clock, count, ms, short, span } from "../format";
import { Halt } from "../halt";
import { useKeys, useLive, useLoad } from "../hooks";
import { clamp, Lanes, type View } from "../lanes";
import { live } from "../live";
import { Card, Empty, Fault, Rows, Tile, Type, Verdict } from "../ui";

interface Summary {
  session: string;
  host: string;
  repository: string | null;
  events: number;
  calls: number;
  denied: number;
  asked: number;
  modified: number;
  failed: number;
  agents: number;
  first: string;
  last: string;
  over: boolean;
  last_seq: number;
}

export function Sessions() {
  const { value, error, again } = useLoad<{ sessions: Summary[]; complete: boolean }>("/api/sessions");
  const seen = useRef(live.last);
  useLive(() => {
    // Not with every event: the list is a summary.
    if (live.last - seen.current > 0) {
      seen.current = live.last;
      again();
    }
  }, 3000);
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  if (!value.sessions.length)
    return (
      <Empty title="No session is on record yet">
        <p>
          Start your agent in a project with hooks. <Type>pointsman init</Type>
        </p>
      </Empty>
    );
  return (
    <div class="page">
      <Card
        title={`${count(value.sessions.length)} ${value.sessions.length === 1 ? "session" : "sessions"}`}
        side={!value.complete && <span class="muted">the newest; the others are in the ledger</span>}
        class="fill scroll"
      >
        <table class="list">
          <thead>
            <tr>
              <th>session</th>
              <th>repository</th>
              <th class="num">agents</th>
              <th class="num">calls</th>
              <th class="num">stopped</th>
              <th class="num">asked</th>
              <th class="num">lasted</th>
              <th>last heard of</th>
            </tr>
          </thead>
          <tbody>
            {value.sessions.map((each) => {
              const last = Date.parse(each.last);
              const alive = !each.over && live.now() - last < 60_000;
              return (
                <tr key={each.session}>
                  <td>
                    <a href={`/sessions/${encodeURIComponent(each.session)}`}>
                      <i class={`dot ${alive ? "alive" : ""}`} />
                      {short(each.session)}
                    </a>
                  </td>
                  <td title={each.repository ?? ""}>{each.repository ? base(each.repository) : "–"}</td>
                  <td class="num">{count(each.agents)}</td>
                  <td class="num">{count(each.calls)}</td>
                  <td class={`num ${each.denied ? "is-deny" : "muted"}`}>{count(each.denied)}</td>
                  <td class={`num ${each.asked ? "is-ask" : "muted"}`}>{count(each.asked)}</td>
                  <td class="num">{span((last - Date.parse(each.first)) / 1000)}</td>
                  <td>{each.over ? `ended ${ago(last, live.now())}` : ago(last, live.now())}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Card>
    </div>
  );
}

interface Agent {
  agent_id: string | null;
  agent_type: string | null;
  parent: string | null;
  first: number;
  last: number;
  events: number;
  calls: number;
  denied: number;
  asked: number;
}

interface Whole {
  session: string;
  agents: Agent[];
  rows: Row[];
  total: number;
  next: number | null;
}

export function Session({ name, open }: { name: string; open: (seq: number) => void }) {
  const path = `/api/session/${encodeURIComponent(name)}`;
  const { value, error, again } = useLoad<Whole>(path, { limit: STEP });
  const [more, setMore] = useState<Row[]>([]);
  const [older, setOlder] = useState<Row[]>([]);
  useEffect(() => {
    setMore([]);
    setOlder([]);
    // The newest are there at once; what is older follows, a piece at a time.
    const stop = new AbortController();
    const load = async (): Promise<void> => {
      let next = value?.next ?? null;
      for (let left = MOST_LOADED - STEP; next && left > 0; left -= STEP) {
        const page: Whole = await get<Whole>(path, { limit: STEP, before: next }, stop.signal);
        setOlder((was) => [...page.rows, ...was]);
        next = page.next;
      }
    };
    void load().catch(() => undefined);
    return () => stop.abort();
  }, [name, value]);
  useLive((rows) => {
    const mine = rows.filter((row) => row.session === name);
    if (mine.length) setMore((was) => [...was, ...mine]);
  });
  const rows = useMemo(() => {
    const known = value?.rows.at(-1)?.seq ?? 0;
    return [...older, ...(value?.rows ?? []), ...more.filter((row) => row.seq > known)];
  }, [value, more, older]);
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  if (!rows.length)
    return (
      <Empty title="Nothing of this session is on record">
        <a href="/sessions">All sessions</a>
      </Empty>
    );
  const total = value.total + rows.length - value.rows.length - older.length;
  return <Replay key={name} name={name} rows={rows} total={total} open={open} />;
}

const STEP = 500;
const MOST_LOADED = 6000;
const SPEEDS = [1, 4, 16, 64];

function Replay(props: { name: string; rows: Row[]; total: number; open: (seq: number) => void }) {
  const { rows } = props;
  const first = rows[0]!.at;
  const last = rows.at(-1)!.at;
  const [at, setAt] = useState<number | null>(null);
  const [playing, play] = useState(false);
  const [speed, setSpeed] = useState(4);
  const [agent, choose] = useState<string | null>(null);
  const length = Math.max(last - first, 1000);
  // All of it, growing with a session that goes on, until one moves in time.
  const [moved, setView] = useState<View | null>(null);
  const view = moved ?? { span: clamp(length * 1.08), end: last + length * 0.04 };
  const board = useMemo(() => {
    const made = new Board();
    made.add(rows);
    return made;
  }, [rows]);
  useEffect(() => {
    if (!playing) return;
    let before = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const by = (now - before) * speed;
      before = now;
      setAt((was) => {
        const next = (was ?? first) + by;
        if (next < last) return next;
        play(false);
        return null;
      });
    }, 50);
    return () => clearInterval(timer);
  }, [playing, speed, first, last]);
  const toggle = (): void => {
    if (at === null) setAt(first);
    play((was) => !was);
  };
  const step = (by: number): void => {
    const times = rows.map((row) => row.at);
    const now = at ?? last;
    const next = by > 0 ? times.find((time) => time > now) : times.findLast((time) => time < now);
    setAt(next === undefined || next >= last ? null : next);
    play(false);
  };
  useKeys({
    " ": toggle,
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    Home: () => setAt(first),
    End: () => setAt(null),
  });
  const lanes = board.order();
  const until = at ?? undefined;
  const shown = rows.filter(
    (row) => row.at <= (at ?? Infinity) && !row.derived_from && (agent === null || (row.agent_id ?? "main") === agent),
  );
  const calls = rows.filter((row) => row.event === "PreToolUse");
  return (
    <div class="page session">
      <div class="tiles">
        <Tile label="Session" value={short(props.name)} note={base(rows.find((row) => row.repository)?.repository ?? "")} />
        <Tile label="Events" value={count(props.total)} note={<a href={`/ledger?session=${encodeURIComponent(props.name)}`}>in the ledger</a>} />
        <Tile label="Agents" value={count(lanes.length)} note={`lasted ${span((last - first) / 1000)}`} />
        <Tile label="Calls" value={count(calls.length)} note={`from ${clock(first)}`} />
        <Tile label="Stopped" value={count(calls.filter((row) => row.decision === "deny").length)} tone="deny" />
        <Tile label="Asked" value={count(calls.filter((row) => row.decision === "ask").length)} tone="ask" />
      </div>
      <Card class="timeline">
        <Lanes
          lanes={lanes}
          view={view}
          change={setView}
          open={props.open}
          selected={lanes.findIndex((lane) => lane.agentId === agent)}
          until={until}
          label={`${lanes.length} agents of this session over time`}
        />
        <div class="scrubber">
          <button type="button" onClick={toggle} aria-label={playing ? "Pause" : "Replay"}>
            {playing ? "❚❚" : "▶"}
          </button>
          <input
            type="range"
            min={first}
            max={last}
            step={Math.max(1, Math.round(length / 1000))}
            value={at ?? last}
            aria-label="Time of the replay"
            aria-valuetext={clock(at ?? last)}
            onInput={(event) => {
              play(false);
              const value = Number(event.currentTarget.value);
              setAt(value >= last - length / 1000 ? null : value);
            }}
          />
          <span class="num">{at === null ? "end" : clock(at)}</span>
          <select aria-label="Speed" value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
            {SPEEDS.map((each) => (
              <option key={each} value={each}>
                {each}×
              </option>
            ))}
          </select>
        </div>
      </Card>
      <div class="split session-split">
        <Tree lanes={lanes} chosen={agent} choose={choose} session={props.name} />
        <Prompts rows={shown} open={props.open} at={at} />
      </div>
    </div>
  );
}

function Tree(props: {
  lanes: Lane[];
  chosen: string | null;
  choose: (agent: string | null) => void;
  session: string;
}) {
  const chosen = props.lanes.find((lane) => lane.agentId === props.chosen);
  const over = props.lanes.find((lane) => lane.agentId === "main")?.over ?? false;
  return (
    <Card
      title="Agents"
      class="tree"
      side={
        props.chosen !== null && (
          <button type="button" onClick={() => props.choose(null)}>
            all
          </button>
        )
      }
    >
      <ul>
        {props.lanes.map((lane) => (
          <li key={lane.key} style={{ paddingLeft: `${lane.depth * 16}px` }}>
            <button
              type="button"
              aria-pressed={props.chosen === lane.agentId}
              onClick={() => props.choose(props.chosen === lane.agentId ? null : lane.agentId)}
            >
              <b>{lane.agent}</b> <span class="id">{lane.agentId === "main" ? "" : short(lane.agentId)}</span>
              <span class="muted">
                {count(lane.calls.length)} calls, {span((lane.last - lane.first) / 1000)}
              </span>
              {lane.denied > 0 && <span class="count is-deny">{lane.denied}</span>}
              {lane.asked > 0 && <span class="count is-ask">{lane.asked}</span>}
            </button>
          </li>
        ))}
      </ul>
      <Halt session={props.session} agent={props.chosen} name={chosen?.agent ?? ""} over={over} />
    </Card>
  );
}

type Item = { prompt: string; seq: number; at: number } | Row;

/** What was asked for, and what was done about it, in order. */
function Prompts({ rows, open, at }: { rows: Row[]; open: (seq: number) => void; at: number | null }) {
  const items: Item[] = rows.map((row) =>
    row.event === "UserPromptSubmit" ? { prompt: row.what || "(a prompt)", seq: row.seq, at: row.at } : row,
  );
  return (
    <Card title="Prompt by prompt" side={<span class="muted">{count(items.length)} events</span>} class="fill prompts">
      <Rows
        items={items}
        height={30}
        label="Events in order"
        selected={at === null ? -1 : items.length - 1}
        row={(item) =>
          "prompt" in item ? (
            <button type="button" class="prompt" key={item.seq} onClick={() => open(item.seq)} title={item.prompt}>
              <span class="num muted">{clock(item.at)}</span>
              <span class="cut">❯ {item.prompt}</span>
            </button>
          ) : (
            <button type="button" class="srow" key={item.seq} onClick={() => open(item.seq)} title={item.reason}>
              <span class="num muted">{clock(item.at)}</span>
              <Verdict of={item.decision} failed={item.event === "PostToolUseFailure"} />
              <span class="cut">{item.agent}</span>
              <span class="cut">{item.tool ? `${item.event.replace("ToolUse", "")} · ${item.tool}` : item.event}</span>
              <span class="cut mono">{item.what ?? item.path ?? ""}</span>
              <span class="num muted">{ms(item.ms)}</span>
            </button>
          )
        }
      />
    </Card>
  );
}
