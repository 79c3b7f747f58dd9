/** Each hook's health: what it has answered, and how its time compares with its budget. */

import { useRef, useState } from "preact/hooks";
import { Chart } from "../chart";
import { count, ms } from "../format";
import { useLive, useLoad } from "../hooks";
import { live } from "../live";
import { Bar, Card, Empty, Fault, Tile, Type } from "../ui";

type Length = number | null;

interface Figures {
  hooks: HookFigures[];
  days: number | null;
  events: number;
  series: { at: number; n: number; p50: Length; p95: Length; p99: Length }[];
  all: { p50: Length; p95: Length; p99: Length; max: Length };
}

interface HookFigures {
  hook: string;
  event: string;
  role: string;
  runs: number;
  outcomes: Record<string, number>;
  decisions: Record<string, number>;
  p50_ms: Length;
  p95_ms: Length;
  p99_ms: Length;
  budget_ms: number;
  timeouts: number;
  timeout_rate: number;
  timeout_rate_low: number;
  timeout_rate_high: number;
  near_budget: boolean;
  recommended_budget_ms: number | null;
}

const SPANS: [string, number][] = [
  ["24 h", 24],
  ["7 days", 168],
  ["30 days", 720],
  ["all", 0],
];

const TONES: Record<string, string> = {
  decided: "accent",
  "no opinion": "none",
  degraded: "ask",
  "timed out": "deny",
  crashed: "deny",
  skipped: "muted",
};

export function Hooks() {
  const [hours, span] = useState(24);
  const { value, error, again } = useLoad<Figures>("/api/hooks", { hours });
  const seen = useRef(live.last);
  useLive(() => {
    if (live.last !== seen.current) {
      seen.current = live.last;
      again();
    }
  }, 3000);
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  const spans = (
    <div class="segments" role="group" aria-label="Time">
      {SPANS.map(([label, n]) => (
        <button key={n} type="button" aria-pressed={hours === n} onClick={() => span(n)}>
          {label}
        </button>
      ))}
    </div>
  );
  if (!value.hooks.length && hours)
    return (
      <Empty title="No hook has run in this time">
        {spans}
        <p>
          Choose a longer time, or let an agent work in a project that has the hooks: <Type>pointsman init</Type>
        </p>
      </Empty>
    );
  if (!value.hooks.length)
    return (
      <Empty title="No hook has run yet">
        <p>
          The guards that are shipped run with the first event. Your own are added in your settings; see what
          is in force: <Type>pointsman status</Type>
        </p>
      </Empty>
    );
  const bad = value.hooks.reduce((sum, each) => sum + faults(each), 0);
  const runs = value.hooks.reduce((sum, each) => sum + each.runs, 0);
  return (
    <div class="page">
      <div class="toolbar">
        {spans}
        <span class="muted">
          Hooks by whole days, in UTC{value.days ? `: ${value.days}` : ""}. Lengths are at most a quarter too high.
        </span>
      </div>
      <div class="tiles">
        <Tile label="Hooks" value={count(new Set(value.hooks.map((each) => each.hook)).size)} note={`${count(runs)} runs`} />
        <Tile label="Events" value={count(value.events)} note="with an answer" />
        <Tile label="Half within" value={length(value.all.p50)} />
        <Tile label="95 % within" value={length(value.all.p95)} />
        <Tile label="99 % within" value={length(value.all.p99)} note={`at most ${length(value.all.max)}`} />
        <Tile label="Failed or late" value={count(bad)} tone={bad ? "deny" : undefined} note="crashed, timed out, degraded" />
      </div>
      <Card title="Time to a decision">
        <Chart
          times={value.series.map((each) => each.at)}
          lines={[
            { name: "99 %", ink: "deny", values: value.series.map((each) => each.p99) },
            { name: "95 %", ink: "ask", values: value.series.map((each) => each.p95) },
            { name: "half", ink: "accent", values: value.series.map((each) => each.p50), fill: true },
          ]}
          unit={ms}
          step={hours > 96 ? Math.ceil(hours / 96) * 3600 : hours ? 3600 : 86_400}
          label="Time to a decision over time: half, 95 and 99 percent of the events"
        />
      </Card>
      <Card title="Health against the budget" class="scroll">
        <table class="list hooks">
          <thead>
            <tr>
              <th>hook</th>
              <th>event</th>
              <th class="num">runs</th>
              <th>decided</th>
              <th>how they ended</th>
              <th class="num">half</th>
              <th class="num">95 %</th>
              <th class="num">99 %</th>
              <th>99 % of the budget</th>
              <th>out of time</th>
              <th>budget to give</th>
            </tr>
          </thead>
          <tbody>
            {value.hooks.map((each) => (
              <tr key={`${each.hook} ${each.event}`}>
                <td>
                  {each.hook}
                  <small class="muted">{each.role}</small>
                </td>
                <td>{each.event}</td>
                <td class="num">{count(each.runs)}</td>
                <td>
                  <Decided of={each} />
                </td>
                <td>
                  <Bar
                    parts={Object.entries(each.outcomes).map(([name, n]) => ({
                      name,
                      value: n,
                      tone: TONES[name] ?? "none",
                    }))}
                  />
                </td>
                <td class="num">{length(each.p50_ms)}</td>
                <td class="num">{length(each.p95_ms)}</td>
                <td class="num">{length(each.p99_ms)}</td>
                <td>
                  <Budget used={each.p99_ms} of={each.budget_ms} />
                </td>
                <td
                  class={each.timeouts ? "is-deny" : "muted"}
                  title={`${count(each.timeouts)} of ${count(each.runs)} runs; 95 % certain: between ${percent(each.timeout_rate_low)} and ${percent(each.timeout_rate_high)}`}
                >
                  {percent(each.timeout_rate)}
                  <small class="muted">
                    {percent(each.timeout_rate_low)} to {percent(each.timeout_rate_high)}
                  </small>
                </td>
                <td>
                  <Advice of={each} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
    </div>
  );
}

function faults(each: HookFigures): number {
  return ["crashed", "timed out", "degraded"].reduce((sum, name) => sum + (each.outcomes[name] ?? 0), 0);
}

function length(value: Length): string {
  return value === null ? "–" : ms(value);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

/** What a hook has decided: where it had something to say, a way to the events. */
function Decided({ of }: { of: HookFigures }) {
  const said = Object.entries(of.decisions);
  if (!said.length) return <span class="muted">nothing</span>;
  return (
    <span class="decided">
      {said.map(([decision, n]) => (
        <a
          key={decision}
          class={`is-${decision}`}
          href={`/ledger?hook=${encodeURIComponent(of.hook)}&event=${encodeURIComponent(of.event)}&decision=${decision}`}
          title={`${count(n)} times: ${decision}`}
        >
          {count(n)} {decision}
        </a>
      ))}
    </span>
  );
}

/** The budget that the runs ask for, where there are enough of them to say so. */
function Advice({ of }: { of: HookFigures }) {
  const wanted = of.recommended_budget_ms;
  if (wanted === null) return <span class="muted">too few runs</span>;
  if (of.timeouts && wanted <= of.budget_ms) return <span class="is-deny">make it quicker</span>;
  if (of.timeouts || of.near_budget) return <span class="is-ask">{ms(wanted)}</span>;
  return (
    <span class="muted" title={`${ms(wanted)} would do`}>
      well inside
    </span>
  );
}

function Budget({ used, of }: { used: Length; of: number }) {
  if (!of || used === null) return <span class="muted">none</span>;
  const share = used / of;
  const tone = share > 1 ? "deny" : share > 0.5 ? "ask" : "allow";
  return (
    <span class="budget" title={`${ms(used)} of ${ms(of)}`}>
      <i class={`is-${tone}`} style={{ width: `${Math.max(1, Math.min(100, share * 100))}%` }} />
      <span>
        {share < 0.01 ? "< 1 %" : `${Math.round(share * 100)} %`} of {ms(of)}
      </span>
    </span>
  );
}
