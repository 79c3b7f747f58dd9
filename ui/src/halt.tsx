/** Stopping a session, or one agent of it, and letting it go on: takes hold at its next event. */

import { useState } from "preact/hooks";
import type { Stop } from "./alert";
import { post } from "./api";
import { useEvery, useLoad } from "./hooks";
import { Fault } from "./ui";

export function Halt({ session, agent, name, over }: { session: string; agent: string | null; name: string; over: boolean }) {
  const { value, again } = useLoad<{ stops: Stop[] }>("/api/alerts", { session, limit: 1 });
  const [asked, ask] = useState(false);
  const [note, write] = useState("");
  const [error, fail] = useState<Error | null>(null);
  useEvery(3000, again);
  const one = agent === null || agent === "main" ? null : agent;
  const stops = value?.stops.filter((each) => each.session === session) ?? [];
  const stop = stops.find((each) => each.agent_id === null) ?? stops.find((each) => each.agent_id === one);
  const act = (verb: "stop" | "resume"): void => {
    const who = verb === "resume" ? (stop?.agent_id ?? "") : (one ?? "");
    post(`/api/sessions/${encodeURIComponent(session)}/${verb}`, { agent: who, note }).then(
      () => {
        ask(false);
        write("");
        fail(null);
        again();
      },
      fail,
    );
  };
  const what = one ? `agent ${name}` : "the session";
  if (stop)
    return (
      <div class="halt">
        <span class="is-deny">
          {stop.agent_id ? `Agent ${name}` : "The session"} is stopped by {stop.by}
          {stop.reason ? `: ${stop.reason}` : ""}
        </span>
        <button type="button" onClick={() => act("resume")}>
          Let it go on
        </button>
        {error && <Fault error={error} />}
      </div>
    );
  if (over && !one) return null;
  return (
    <div class="halt">
      {asked ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act("stop");
          }}
        >
          <input
            placeholder="A word for the record and the agent"
            aria-label="A word for the record and the agent"
            value={note}
            maxLength={2000}
            onInput={(event) => write(event.currentTarget.value)}
            ref={(box) => box?.focus()}
          />
          <button type="submit" class="no">
            Stop {what} at its next event
          </button>
          <button type="button" onClick={() => ask(false)}>
            Back
          </button>
        </form>
      ) : (
        <button type="button" class="no" onClick={() => ask(true)}>
          Stop {what}…
        </button>
      )}
      {error && <Fault error={error} />}
    </div>
  );
}
