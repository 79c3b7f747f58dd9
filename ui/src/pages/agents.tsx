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
  outcomes: Record<string, Record<string, number>>;
}

export function Agents() {
  const [repository, choose] = useState("");
  const { value, error, again } = useLoad<Answer>("/api/agents", { repository });
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  const declared = value.registry.agents ?? {};
  const names = [...new Set([...Object.keys(value.outcomes), ...Object.keys(declared)])];
  if (!names.length)
    return (
      <Empty title="No agent is known yet">
        <p>Agents come from the files of your repository, and from what is on record.</p>
        <p>
          <Type>pointsman agents</Type>
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
              const done = value.outcomes[name] ?? {};
              const calls = done.calls ?? 0;
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
                  <td class="num">{count(calls)}</td>
                  <td>
                    {calls > 0 && (
                      <Bar
                        parts={[
                          { name: "without a word", value: (done.none ?? 0) + (done.allow ?? 0), tone: "none" },
                          { name: "changed", value: done.modify ?? 0, tone: "modify" },
                          { name: "asked", value: done.ask ?? 0, tone: "ask" },
                          { name: "stopped", value: done.deny ?? 0, tone: "deny" },
                        ]}
                      />
                    )}
                  </td>
                  <td class={`num ${done.deny ? "is-deny" : "muted"}`}>{count(done.deny ?? 0)}</td>
                  <td class={`num ${done.failed ? "is-fail" : "muted"}`}>{count(done.failed ?? 0)}</td>
                  <td class="muted">{done.last ? ago(done.last, live.now()) : "not on record"}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Card>
    </div>
  );
}
