/** Events as lanes: one for each agent, with its calls from their beginning to their end. */

import type { Decision, Row } from "./api";

export interface Call {
  seq: number;
  start: number;
  /** 0 while it runs, and for a call that was stopped. */
  end: number;
  tool: string;
  what: string;
  decision: Decision;
  failed: boolean;
}

export interface Mark {
  seq: number;
  at: number;
  event: string;
  decision: Decision;
  what: string;
}

export interface Lane {
  key: string;
  session: string;
  agent: string;
  agentId: string;
  parent: string;
  repository: string;
  depth: number;
  first: number;
  last: number;
  calls: Call[];
  marks: Mark[];
  denied: number;
  asked: number;
  over: boolean;
}

const ENDS = new Set(["PostToolUse", "PostToolUseFailure"]);
const OVER = new Set(["SubagentStop", "SessionEnd"]);
const MAIN = "main";

export class Board {
  readonly lanes = new Map<string, Lane>();
  private readonly open = new Map<string, Call>();
  private ordered: Lane[] | null = null;

  add(rows: Iterable<Row>): void {
    for (const row of rows) this.put(row);
  }

  /** Lanes in the order they are drawn: the session heard of last on top, agents below their own. */
  order(): Lane[] {
    if (this.ordered) return this.ordered;
    const sessions = new Map<string, Lane[]>();
    for (const lane of this.lanes.values()) {
      const group = sessions.get(lane.session);
      if (group) group.push(lane);
      else sessions.set(lane.session, [lane]);
    }
    const begun = (group: Lane[]): number => Math.min(...group.map((lane) => lane.first));
    this.ordered = [...sessions.values()]
      .sort((a, b) => begun(b) - begun(a))
      .flatMap((group) => tree(group));
    return this.ordered;
  }

  /** Forget what ended before a time, so that a long day stays small. */
  forget(before: number): void {
    for (const [key, lane] of this.lanes) {
      if (lane.last < before) this.lanes.delete(key);
      else if ((lane.calls[0]?.start ?? before) < before) {
        lane.calls = lane.calls.filter((call) => (call.end || lane.last) >= before);
        lane.marks = lane.marks.filter((mark) => mark.at >= before);
      }
    }
    this.ordered = null;
  }

  private put(row: Row): void {
    // What was derived from an event stands beside it on the record, and is no call of its own.
    if (row.derived_from || row.transport === "derived") return;
    const lane = this.lane(row);
    lane.last = Math.max(lane.last, row.at);
    lane.over = OVER.has(row.event);
    if (row.event === "PreToolUse") this.begin(lane, row);
    else if (ENDS.has(row.event)) this.finish(lane, row);
    else lane.marks.push(markOf(row));
  }

  private begin(lane: Lane, row: Row): void {
    const call = callOf(row);
    // Whoever goes on with something else was told no at its own prompt: no event says so.
    const before = lane.calls.at(-1);
    if (before?.decision === "ask" && !before.end) before.end = row.at;
    lane.calls.push(call);
    if (row.decision === "deny") {
      lane.denied += 1;
      call.end = row.at;
    } else {
      lane.asked += row.decision === "ask" ? 1 : 0;
      if (row.tool_use_id) this.open.set(`${row.session} ${row.tool_use_id}`, call);
    }
  }

  private finish(lane: Lane, row: Row): void {
    const key = `${row.session} ${row.tool_use_id}`;
    let call = this.open.get(key);
    this.open.delete(key);
    if (!call) {
      call = { ...callOf(row), decision: "none" };
      lane.calls.push(call);
    }
    call.end = Math.max(row.at, call.start + 1);
    call.failed = row.event === "PostToolUseFailure";
    if (row.decision !== "none") lane.marks.push(markOf(row));
  }

  private lane(row: Row): Lane {
    const agentId = row.agent_id ?? MAIN;
    const key = `${row.session} ${agentId}`;
    let lane = this.lanes.get(key);
    if (!lane) {
      lane = {
        key,
        agentId,
        session: row.session,
        agent: row.agent_type ?? agentId,
        parent: row.parent ?? (agentId === MAIN ? "" : MAIN),
        repository: row.repository ?? "",
        depth: 0,
        first: row.at,
        last: row.at,
        calls: [],
        marks: [],
        denied: 0,
        asked: 0,
        over: false,
      };
      this.lanes.set(key, lane);
      this.ordered = null;
    }
    lane.repository ||= row.repository ?? "";
    return lane;
  }
}

function callOf(row: Row): Call {
  return {
    seq: row.seq,
    start: row.at,
    end: 0,
    tool: row.tool ?? "",
    what: row.what ?? row.path ?? "",
    decision: row.decision,
    failed: false,
  };
}

function markOf(row: Row): Mark {
  return {
    seq: row.seq,
    at: row.at,
    event: row.event,
    decision: row.decision,
    what: row.what ?? row.reason ?? "",
  };
}

function tree(group: Lane[]): Lane[] {
  const below = new Map<string, Lane[]>();
  const known = new Set(group.map((lane) => lane.agentId));
  const roots: Lane[] = [];
  for (const lane of [...group].sort((a, b) => a.first - b.first)) {
    if (lane.agentId === MAIN || !known.has(lane.parent)) roots.push(lane);
    else below.set(lane.parent, [...(below.get(lane.parent) ?? []), lane]);
  }
  const out: Lane[] = [];
  const walk = (lane: Lane, depth: number): void => {
    lane.depth = depth;
    out.push(lane);
    // A record that names itself as its own parent must not lead round in circles.
    if (depth < 20) for (const child of below.get(lane.agentId) ?? []) walk(child, depth + 1);
  };
  const main = roots.find((lane) => lane.agentId === MAIN);
  if (main) walk(main, 0);
  for (const lane of roots) if (lane !== main) walk(lane, main ? 1 : 0);
  return out;
}
