/** One event whole, in a drawer beside the page. */

import { useEffect, useRef } from "preact/hooks";
import type { Whole } from "./api";
import { clock, ms } from "./format";
import { useKeys, useLoad } from "./hooks";
import { Fault, Type, Verdict } from "./ui";

export function Detail({ seq, close, open }: { seq: number; close: () => void; open: (seq: number) => void }) {
  const { value, error, again } = useLoad<Whole>(`/api/events/${seq}`);
  const box = useRef<HTMLElement>(null);
  useKeys({ Escape: close });
  useEffect(() => box.current?.focus(), []);
  return (
    <aside class="drawer" aria-label={`Event ${seq}`} ref={box} tabIndex={-1}>
      <header>
        <h2>
          <a href={`/ledger/${seq}`} title="The address of this event">
            #{seq}
          </a>
        </h2>
        {value && <Verdict of={value.decision} failed={value.event === "PostToolUseFailure"} />}
        <button type="button" class="close" onClick={close} aria-label="Close">
          ✕
        </button>
      </header>
      {error && <Fault error={error} again={again} />}
      {value && value.seq === seq && <Body of={value} open={open} />}
    </aside>
  );
}

function Body({ of, open }: { of: Whole; open: (seq: number) => void }) {
  const facts: [string, string | undefined | null][] = [
    ["event", of.event],
    ["tool", of.tool],
    ["file", of.path],
    ["agent", of.agent + (of.agent_id ? ` (${of.agent_id})` : "")],
    ["started by", of.parent],
    ["session", of.session],
    ["prompt", of.prompt_id],
    ["in", of.cwd],
    ["repository", of.repository],
    ["mode", of.permission_mode],
    ["rule", of.rule && `${of.rule}${of.hook ? `, by ${of.hook}` : ""}`],
    ["cause", of.cause],
    ["received", `${of.time.slice(0, 10)} ${of.time.slice(11, 23)} UTC`],
    ["answered in", ms(of.ms)],
    ["exit code", String(of.exit_code)],
    ["came by", `${of.transport}${of.client ? `, ${of.client} ${of.client_version}` : ""}`],
  ];
  return (
    <div class="drawer-body">
      {of.reason && <p class={`reason is-${of.decision}`}>{of.reason}</p>}
      <Input payload={of.payload} />
      {of.context && (
        <details>
          <summary>What the model was told</summary>
          <pre>{of.context}</pre>
        </details>
      )}
      <h3>Hooks that were asked</h3>
      {of.hook_runs.length === 0 && <p class="muted">None listens to this event.</p>}
      <table class="runs">
        <tbody>
          {of.hook_runs.map((run, index) => (
            <tr key={index} class={run.decision !== "none" ? `is-${run.decision}` : ""}>
              <td>
                {run.hook}
                <small>{run.role}</small>
              </td>
              <td>
                <span class={`outcome o-${run.outcome.replace(" ", "-")}`}>
                  {run.decision !== "none" ? run.decision : run.outcome}
                </span>
              </td>
              <td class="num">{ms(run.ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {of.related.length > 1 && (
        <>
          <h3>The same call</h3>
          <ul class="related">
            {of.related.map((row) => (
              <li key={row.seq}>
                <button type="button" onClick={() => open(row.seq)} aria-current={row.seq === of.seq}>
                  <span class="num">#{row.seq}</span> {clock(row.at, true)} {row.event}
                  {row.decision !== "none" && <Verdict of={row.decision} />}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>The record</h3>
      <dl class="facts">
        {facts
          .filter(([, text]) => text)
          .map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
      </dl>
      <details>
        <summary>Payload, and the answer that the host was given</summary>
        <Code text={of.payload ?? "purged"} />
        {of.stdout && <Code text={of.stdout} />}
        {of.stderr && <Code text={of.stderr} />}
      </details>
      <p class="muted">
        The same in a terminal: <Type>{`pointsman ledger show ${of.seq}`}</Type>
      </p>
    </div>
  );
}

/** The input of a call, key by key: what is read first. */
function Input({ payload }: { payload: string | null }) {
  const value = parsed(payload);
  const input = (value?.tool_input ?? (value?.prompt ? { prompt: value.prompt } : null)) as Record<
    string,
    unknown
  > | null;
  if (!input || typeof input !== "object") return null;
  return (
    <div class="input">
      {Object.entries(input).map(([key, each]) => (
        <div key={key}>
          <span class="muted">{key}</span>
          <pre>{typeof each === "string" ? each : JSON.stringify(each, null, 2)}</pre>
        </div>
      ))}
    </div>
  );
}

function Code({ text }: { text: string }) {
  const value = parsed(text);
  return <pre>{value ? JSON.stringify(value, null, 2) : text}</pre>;
}

function parsed(text: string | null): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text ?? "");
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
