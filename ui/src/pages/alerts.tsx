/** What waits for a person: questions to answer, and alerts. */

import { useState } from "preact/hooks";
import { AlertCard, type Alerted, Stops } from "../alert";
import { post } from "../api";
import { ago, base, day, span } from "../format";
import { useEvery, useLive, useLoad } from "../hooks";
import { live } from "../live";
import { Card, Empty, Fault, Type } from "../ui";

interface Approval {
  id: string;
  state: string;
  tool: string;
  input: Record<string, unknown>;
  input_cut: boolean;
  rule: string;
  hook: string;
  reason: string;
  cause: string;
  agent: string;
  session: string;
  repository: string;
  cwd: string;
  requests: number;
  created: string;
  wait_until: string | null;
  decided: string | null;
  decided_by: string;
  note: string;
  valid_for_s: number;
  on_timeout: string;
  risk: { reversible: string; reach: string[] | string; cost: string; rollback: string };
  modified: Record<string, unknown> | null;
}

export function Alerts() {
  const { value, error, again } = useLoad<{ approvals: Approval[]; waiting: number }>("/api/approvals", { limit: 100 });
  const alerts = useLoad<Alerted>("/api/alerts", { state: "open", limit: 200 });
  const [seen, see] = useState(live.waiting);
  const [, draw] = useState(0);
  useLive(() => {
    if (live.waiting !== seen) {
      see(live.waiting);
      again();
    }
  });
  useEvery(1000, () => draw((n) => n + 1));
  useEvery(5000, again);
  useEvery(2000, alerts.again);
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  const waiting = value.approvals.filter((each) => each.state === "waiting");
  const settled = value.approvals.filter((each) => each.state !== "waiting");
  return (
    <div class="page alerts">
      <Card title={`Waiting for an answer: ${waiting.length}`}>
        {waiting.length ? (
          <ul class="questions">
            {waiting.map((each) => (
              <Question key={each.id} of={each} done={again} />
            ))}
          </ul>
        ) : (
          <Empty title="Nothing waits for you">
            <p>
              When an agent that nobody sits at meets a rule that asks, its question stands here. The call
              stays stopped until you answer.
            </p>
          </Empty>
        )}
      </Card>
      <Card title="Alerts">
        {alerts.value?.alerts.length ? (
          <ul class="questions">
            {alerts.value.alerts.map((each) => (
              <AlertCard key={each.number} of={each} stops={alerts.value?.stops ?? []} done={alerts.again} />
            ))}
          </ul>
        ) : (
          <Empty title={alerts.value?.available ? "No alert stands open" : "Nothing has been found wrong"}>
            <p>What a detector finds in a run stands here while it goes on, with what shows it.</p>
          </Empty>
        )}
      </Card>
      {!!alerts.value?.stops.length && (
        <Card title="Stopped by a person">
          <Stops of={alerts.value.stops} done={alerts.again} />
        </Card>
      )}
      <Card title="Asked before">
        {settled.length === 0 && <p class="muted pad">No other question was asked so far.</p>}
        <table class="list">
          <tbody>
            {settled.map((each) => (
              <tr key={each.id}>
                <td class="mono">{each.id}</td>
                <td>
                  <span class={`verdict is-${TONES[each.state] ?? "none"}`}>
                    {each.state === "asked" ? "asked at its prompt" : each.state}
                  </span>
                </td>
                <td>{each.tool}</td>
                <td class="mono cut">{said(each.input)}</td>
                <td>{each.rule}</td>
                <td class="muted">{each.decided_by || "–"}</td>
                <td class="muted">{day(Date.parse(each.decided ?? each.created))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
    </div>
  );
}

const TONES: Record<string, string> = {
  approved: "allow",
  used: "allow",
  "answered yes": "allow",
  refused: "deny",
  "answered no": "deny",
  lapsed: "ask",
  expired: "ask",
};

function Question({ of, done }: { of: Approval; done: () => void }) {
  const [note, setNote] = useState("");
  const [editing, edit] = useState<string | null>(null);
  const [error, fail] = useState<Error | null>(null);
  const [busy, work] = useState(false);
  const answer = async (verdict: "approve" | "deny" | "modify"): Promise<void> => {
    work(true);
    fail(null);
    try {
      const input = verdict === "modify" ? JSON.parse(editing ?? "{}") : undefined;
      await post(`/api/approvals/${of.id}/${verdict}`, { note, input });
      done();
    } catch (thrown) {
      fail(thrown as Error);
    } finally {
      work(false);
    }
  };
  const left = of.wait_until ? (Date.parse(of.wait_until) - live.now()) / 1000 : 0;
  const reach = Array.isArray(of.risk.reach) ? of.risk.reach.join(", ") : of.risk.reach;
  return (
    <li class="question is-ask" data-approval={of.id}>
      <div class="question-head">
        <b>
          {of.agent} wants {of.tool}
        </b>
        <span class="muted">
          {base(of.repository || of.cwd)} · asked {ago(Date.parse(of.created), live.now())}
          {of.requests > 1 ? `, ${of.requests} times` : ""}
          {left > 0 ? ` · ${span(left)} left, then ${of.on_timeout === "deny" ? "no" : "a person is told"}` : ""}
        </span>
        <span class="mono id">{of.id}</span>
      </div>
      {editing === null ? (
        <pre class="call">{said(of.input)}</pre>
      ) : (
        <textarea
          class="mono"
          rows={8}
          aria-label="The whole new input, as JSON"
          value={editing}
          onInput={(event) => edit(event.currentTarget.value)}
        />
      )}
      {of.input_cut && <p class="is-ask">Only the beginning is shown; all of it would run.</p>}
      <p>{of.reason}</p>
      <dl class="risk">
        <div>
          <dt>rule</dt>
          <dd>{of.rule}</dd>
        </div>
        <div>
          <dt>reversible</dt>
          <dd>{of.risk.reversible}</dd>
        </div>
        <div>
          <dt>reach</dt>
          <dd>{reach}</dd>
        </div>
        <div>
          <dt>undone by</dt>
          <dd>{of.risk.rollback}</dd>
        </div>
        <div>
          <dt>a yes is good</dt>
          <dd>once, for {span(of.valid_for_s)}</dd>
        </div>
      </dl>
      {error && <Fault error={error} />}
      <div class="answers">
        <input
          placeholder="A word for the record and the agent"
          aria-label="A word for the record and the agent"
          value={note}
          maxLength={2000}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
        {editing === null ? (
          <>
            <button type="button" class="yes" disabled={busy} onClick={() => void answer("approve")}>
              Approve once
            </button>
            <button type="button" class="no" disabled={busy} onClick={() => void answer("deny")}>
              Deny
            </button>
            <button type="button" disabled={busy} onClick={() => edit(JSON.stringify(of.input, null, 2))}>
              Change the call…
            </button>
          </>
        ) : (
          <>
            <button type="button" class="yes" disabled={busy} onClick={() => void answer("modify")}>
              Approve with this input
            </button>
            <button type="button" onClick={() => edit(null)}>
              Back
            </button>
          </>
        )}
        <span class="muted">
          or <Type>{`pointsman approvals show ${of.id}`}</Type>
        </span>
      </div>
    </li>
  );
}

function said(input: Record<string, unknown>): string {
  const keys = Object.keys(input);
  const command = input.command;
  const plain = typeof command === "string" && keys.every((key) => ["command", "description"].includes(key));
  return plain ? String(command) : JSON.stringify(input, null, 2);
}
