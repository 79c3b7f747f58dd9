/** Who the agents are: contracts, who owns what, and how they have done. */

import { useState } from "preact/hooks";
import { ago, base, count } from "../format";
import { useLoad } from "../hooks";
import { live } from "../live";
import { Bar, Card, Empty, Fault, Type } from "../ui";

interface Entry {
  model: string;
  capabilities: string[];
  tools: string[];
  mayWrite: string[];
  mayNotWrite: string[];
  owns: string[];
  files: string[];
  blockedBy: string[];
}

interface Answer {
  repositories: Record<string, number>;
  repository: string;
  registry: {
    gone?: boolean;
    agents?: Record<string, Entry>;
    faults?: { kind: string; file: string; text: string; fix: string }[];
  };
  outcomes: Record<"agent" | "model" | "role", Outcome[]>;
}

interface Outcome {
  name: string;
  runs: number;
  events: number;
  calls: number;
  allowed: number;
  denied: number;
  asked: number;
  modified: number;
  failed: number;
  last: number;
}

const SPANS: [string, number][] = [
  ["24 h", 24],
  ["7 days", 168],
  ["30 days", 720],
  ["all", 0],
];

export function Agents() {
  const [repository, choose] = useState("");
  const [hours, span] = useState(168);
  const { value, error, again } = useLoad<Answer>("/api/agents", { repository, hours });
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  const declared = value.registry.agents ?? {};
  const names = [...new Set([...value.outcomes.agent.map((each) => each.name), ...Object.keys(declared)])];
  if (!names.length)
    return (
      <Empty title="No agent is known yet">
        <p>
          Agents come from the files of your repository (<code>.claude/agents</code>), and from what is on
          record: let one work in a project that has the hooks.
        </p>
        <p>
          <Type>pointsman init</Type>
        </p>
      </Empty>
    );
  return (
    <div class="page">
      <div class="toolbar">
        <label>
          <span>repository</span>
          <select value={value.repository} onChange={(event) => choose(event.currentTarget.value)}>
            {Object.entries(value.repositories).map(([path, n]) => (
              <option key={path} value={path}>
                {base(path)} ({count(n)} events)
              </option>
            ))}
            {!value.repository && <option value="">none</option>}
          </select>
        </label>
        <div class="segments" role="group" aria-label="Heard of within">
          {SPANS.map(([label, n]) => (
            <button key={n} type="button" aria-pressed={hours === n} onClick={() => span(n)}>
              {label}
            </button>
          ))}
        </div>
        <span class="muted">by whole days, in UTC</span>
        <span class="muted mono">{value.repository}</span>
      </div>
      {value.registry.faults?.map((each) => (
        <div class="fault" key={each.text}>
          <b>
            {each.kind}: {each.text}
          </b>
          <span>Next step: {each.fix}</span>
        </div>
      ))}
      <Card title={`${count(names.length)} ${names.length === 1 ? "agent" : "agents"}`} class="scroll">
        <table class="list">
          <thead>
            <tr>
              <th>agent</th>
              <th>model</th>
              <th>may write</th>
              <th>can</th>
              <th class="num">calls</th>
              <th>outcome</th>
              <th class="num">stopped</th>
              <th class="num">failed</th>
              <th>last</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => {
              const entry = declared[name];
              const done = value.outcomes.agent.find((each) => each.name === name);
              return (
                <tr key={name}>
                  <td>
                    <a href={`/ledger?agent=${encodeURIComponent(name)}`}>{name}</a>
                    {!entry && <small class="muted"> no contract</small>}
                  </td>
                  <td>{entry?.model ?? "–"}</td>
                  <td class="globs">
                    {entry ? (
                      entry.mayWrite.length ? (
                        entry.mayWrite.map((glob) => (
                          <code key={glob} class={entry.owns?.includes(glob) ? "owned" : ""}>
                            {glob}
                          </code>
                        ))
                      ) : (
                        <span class="muted">{entry.capabilities.includes("write") ? "anything" : "nothing"}</span>
                      )
                    ) : (
                      <span class="muted">anything</span>
                    )}
                    {entry?.mayNotWrite.map((glob) => (
                      <code key={glob} class="not">
                        {glob}
                      </code>
                    ))}
                  </td>
                  <td class="muted">{entry?.capabilities.join(", ") ?? "–"}</td>
                  {done ? <Done of={done} /> : <td colSpan={5} class="muted">not heard of in this time</td>}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Card>
      <Outcomes title="Outcome by model" rows={value.outcomes.model} none="not known yet" />
      <Outcomes title="Outcome by role" rows={value.outcomes.role} none="no role" />
    </div>
  );
}

/** The cells of what somebody has done: calls, how they ended, stopped, failed, last. */
function Done({ of }: { of: Outcome }) {
  const silent = Math.max(0, of.events - of.denied - of.asked - of.modified);
  return (
    <>
      <td class="num">{count(of.calls)}</td>
      <td>
        {of.events > 0 && (
          <Bar
            parts={[
              { name: "without a word", value: silent, tone: "none" },
              { name: "changed", value: of.modified, tone: "modify" },
              { name: "asked", value: of.asked, tone: "ask" },
              { name: "stopped", value: of.denied, tone: "deny" },
            ]}
          />
        )}
      </td>
      <td class={`num ${of.denied ? "is-deny" : "muted"}`}>{count(of.denied)}</td>
      <td class={`num ${of.failed ? "is-fail" : "muted"}`}>{count(of.failed)}</td>
      <td class="muted">{ago(of.last, live.now())}</td>
    </>
  );
}

function Outcomes({ title, rows, none }: { title: string; rows: Outcome[]; none: string }) {
  if (!rows.length) return null;
  return (
    <Card title={title} class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th>{title.split(" ").at(-1)}</th>
            <th class="num">agents</th>
            <th class="num">calls</th>
            <th>outcome</th>
            <th class="num">stopped</th>
            <th class="num">failed</th>
            <th>last</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((each) => (
            <tr key={each.name}>
              <td>{each.name || <span class="muted">{none}</span>}</td>
              <td class="num">{count(each.runs)}</td>
              <Done of={each} />
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
