/** One alert: what was found, what became of it, and what a person may do about it. */

import { useState } from "preact/hooks";
import { post } from "./api";
import { ago, base } from "./format";
import { live } from "./live";
import { Fault, Type } from "./ui";

export interface Alert {
  number: number;
  state: "warning" | "critical" | "escalated" | "acknowledged" | "recovered";
  severity: "warning" | "critical";
  detector: string;
  summary: string;
  agent: string;
  agent_id: string | null;
  session: string;
  repository: string | null;
  count: number;
  opened: string;
  seen: string;
  changed: string;
  by: string;
  approval: string | null;
  seqs: number[];
}

export interface Stop {
  session: string;
  agent_id: string | null;
  by: string;
  reason: string;
  since: string;
  alert: number | null;
}

export interface Alerted {
  available: boolean;
  alerts: Alert[];
  open: Record<string, number>;
  stops: Stop[];
}

export function AlertCard({ of, stops, done }: { of: Alert; stops: Stop[]; done: () => void }) {
  const [note, setNote] = useState("");
  const [error, fail] = useState<Error | null>(null);
  const [busy, work] = useState(false);
  const answer = async (verb: string, whole = false): Promise<void> => {
    work(true);
    fail(null);
    try {
      await post(`/api/alerts/${of.number}/${verb}`, { note, whole });
      done();
    } catch (thrown) {
      fail(thrown as Error);
    } finally {
      work(false);
    }
  };
  const stopped = stops.some(
    (each) => each.session === of.session && (each.agent_id === null || each.agent_id === of.agent_id),
  );
  const taken = of.state === "acknowledged";
  return (
    <li
      class={`question is-${taken ? "none" : of.severity === "critical" ? "deny" : "ask"}`}
      data-alert={of.number}
    >
      <div class="question-head">
        <b>
          {of.detector}: {of.agent}
        </b>
        <span class="muted">
          {of.state}
          {taken && of.by ? ` by ${of.by}` : ""}
          {of.repository ? ` · ${base(of.repository)}` : ""} · {ago(Date.parse(of.opened), live.now())}
          {of.count > 1 ? `, seen ${of.count} times` : ""}
          {stopped ? " · stopped by a person" : ""}
        </span>
        <span class="mono id">{of.number}</span>
      </div>
      <p>{of.summary}</p>
      <p class="muted">
        {of.session && <a href={`/sessions/${encodeURIComponent(of.session)}`}>session</a>}
        {of.seqs.slice(-5).map((seq) => (
          <>
            {" "}
            <a key={seq} href={`/ledger/${seq}`}>
              event {seq}
            </a>
          </>
        ))}
      </p>
      {error && <Fault error={error} />}
      <div class="answers">
        <input
          placeholder="A word for the record and the agent"
          aria-label={`A word about alert ${of.number}`}
          value={note}
          maxLength={2000}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
        {!taken && (
          <button type="button" class="yes" disabled={busy} onClick={() => void answer("ack")}>
            Acknowledge
          </button>
        )}
        {of.session && !stopped && of.agent_id && (
          <button type="button" class="no" disabled={busy} onClick={() => void answer("stop")}>
            Stop this agent
          </button>
        )}
        {of.session && !stopped && (
          <button type="button" class="no" disabled={busy} onClick={() => void answer("stop", true)}>
            Stop the session
          </button>
        )}
        {of.session && stopped && (
          <button type="button" disabled={busy} onClick={() => void answer("resume")}>
            Let it go on
          </button>
        )}
        <button type="button" disabled={busy} onClick={() => void answer("resolve")}>
          It is over
        </button>
        <span class="muted">
          <Type>{`pointsman incident ${of.number}`}</Type>
        </span>
      </div>
    </li>
  );
}

/** Whom people have stopped, with the way back. */
export function Stops({ of, done }: { of: Stop[]; done: () => void }) {
  const [error, fail] = useState<Error | null>(null);
  const resume = async (stop: Stop): Promise<void> => {
    try {
      const agent = stop.agent_id ?? "";
      await post(`/api/sessions/${encodeURIComponent(stop.session)}/resume`, { agent });
      fail(null);
      done();
    } catch (thrown) {
      fail(thrown as Error);
    }
  };
  return (
    <>
      {error && <Fault error={error} />}
      <table class="list">
        <tbody>
          {of.map((each) => (
            <tr key={`${each.session}/${each.agent_id}`} data-stop={each.session}>
              <td class="mono cut">{each.session}</td>
              <td>{each.agent_id ? `agent ${each.agent_id}` : "the whole session"}</td>
              <td class="cut">{each.reason || "–"}</td>
              <td class="muted">
                {each.by}, {ago(Date.parse(each.since), live.now())}
              </td>
              <td>
                <button type="button" onClick={() => void resume(each)}>
                  Let it go on
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
