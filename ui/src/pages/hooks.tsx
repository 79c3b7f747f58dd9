/** Each hook's health: what it has answered, and how its time compares with its budget. */

import { useRef } from "preact/hooks";
import { Chart } from "../chart";
import { ago, count, ms } from "../format";
import { useLive, useLoad } from "../hooks";
import { live } from "../live";
import { Bar, Card, Empty, Fault, Tile, Type } from "../ui";

interface Figures {
  hooks: HookFigures[];
  events: number;
  series: { at: number; n: number; p50: number; p95: number; p99: number }[];
  all: { p50: number; p95: number; p99: number; max: number };
}

interface HookFigures {
  hook: string;
  role: string;
  runs: number;
  outcomes: Record<string, number>;
  decisions: Record<string, number>;
  budget: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  last: number;
}

const TONES: Record<string, string> = {
  decided: "accent",
  "no opinion": "none",
  degraded: "ask",
  "timed out": "deny",
  crashed: "deny",
  skipped: "muted",
};

export function Hooks() {
  const { value, error, again } = useLoad<Figures>("/api/hooks");
  const seen = useRef(live.last);
  useLive(() => {
    if (live.last !== seen.current) {
      seen.current = live.last;
      again();
    }
  }, 3000);
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
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
      <div class="tiles">
        <Tile label="Hooks" value={count(value.hooks.length)} note={`${count(runs)} runs`} />
        <Tile label="Events" value={count(value.events)} note="the newest" />
        <Tile label="Half are answered within" value={ms(value.all.p50)} />
        <Tile label="95 % within" value={ms(value.all.p95)} />
        <Tile label="99 % within" value={ms(value.all.p99)} note={`at most ${ms(value.all.max)}`} />
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
          label="Time to a decision over time: half, 95 and 99 percent of the events"
        />
      </Card>
      <Card title="Health against the budget" class="scroll">
        <table class="list hooks">
          <thead>
            <tr>
              <th>hook</th>
              <th class="num">runs</th>
              <th>how they ended</th>
              <th class="num">answers</th>
              <th class="num">half</th>
              <th class="num">95 %</th>
              <th class="num">99 %</th>
              <th>99 % of the budget</th>
              <th>last</th>
            </tr>
          </thead>
          <tbody>
            {value.hooks.map((each) => (
              <tr key={`${each.hook} ${each.role}`}>
                <td>
                  {each.hook} <small class="muted">{each.role}</small>
                </td>
                <td class="num">{count(each.runs)}</td>
                <td>
                  <Bar
                    parts={Object.entries(each.outcomes).map(([name, n]) => ({
                      name,
                      value: n,
                      tone: TONES[name] ?? "none",
                    }))}
                  />
                </td>
                <td class="num">
                  {Object.entries(each.decisions).map(([name, n]) => (
                    <span key={name} class={`is-${name} said`}>
                      {n} {name}
                    </span>
                  ))}
                  {Object.keys(each.decisions).length === 0 && <span class="muted">–</span>}
                </td>
                <td class="num">{ms(each.p50)}</td>
                <td class="num">{ms(each.p95)}</td>
                <td class="num">{ms(each.p99)}</td>
                <td>
                  <Budget used={each.p99} of={each.budget} />
                </td>
                <td class="muted">{ago(each.last, live.now())}</td>
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

function Budget({ used, of }: { used: number; of: number }) {
  if (!of) return <span class="muted">none</span>;
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
