/** The audit trail: search, filters, one event's own address, and whether the record holds. */

import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, type Page, post, type Query, type Row } from "../api";
import { ago, count, day, ms, span } from "../format";
import { useEvery, useKeys, useLive, useLoad } from "../hooks";
import { live } from "../live";
import { go } from "../route";
import { Card, Empty, Fault, Rows, Type, Verdict } from "../ui";

const FIELDS = ["q", "decision", "event", "tool", "agent", "session", "rule", "hook", "path", "since", "until"];
const DECISIONS = ["deny", "ask", "modify", "allow", "none"];
const SINCE: [string, string][] = [
  ["15m", "15 minutes"],
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["", "all time"],
];

interface Verification {
  available: boolean;
  entries: number;
  signed: number;
  checkpoint: number | null;
  root?: string;
  age_s?: number;
  run: Run | null;
}

interface Run {
  read: number;
  done: boolean;
  ended?: number;
  error?: string;
  fix?: string;
  verdict?: { ok: boolean; fault: string | null; first_bad: number | null; words: string; records: number; entries: number; signed: number };
}

export function Ledger(props: { query: URLSearchParams; open: (seq: number) => void; shown: number | null }) {
  const wanted: Query = Object.fromEntries(FIELDS.map((name) => [name, props.query.get(name) ?? ""]));
  const asked = JSON.stringify(wanted);
  const { state, more, fresh, refresh } = usePages(wanted, asked);
  const [selected, select] = useState(-1);
  const search = useRef<HTMLInputElement>(null);
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(props.query);
    if (value) next.set(name, value);
    else next.delete(name);
    const text = next.toString();
    go(text ? `/ledger?${text}` : "/ledger", true);
  };
  useEffect(() => select(-1), [asked]);
  const { rows } = state;
  useKeys({
    "/": () => search.current?.focus(),
    j: () => select((n) => Math.min(rows.length - 1, n + 1)),
    k: () => select((n) => Math.max(0, n - 1)),
    Enter: () => rows[selected] && props.open(rows[selected]!.seq),
    ".": refresh,
  });
  const filtered = FIELDS.some((name) => wanted[name]);
  return (
    <div class="page ledger">
      <div class="toolbar">
        <Field
          box={search}
          type="search"
          class="wide"
          placeholder='Search in everything: rm "force push" …   ( / )'
          aria-label="Search in all texts"
          given={String(wanted.q)}
          set={(text) => set("q", text)}
        />
        <div class="segments" role="group" aria-label="Decision">
          {DECISIONS.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={wanted.decision === each}
              onClick={() => set("decision", wanted.decision === each ? "" : each)}
            >
              <Verdict of={each} />
            </button>
          ))}
        </div>
        <select aria-label="Since" value={String(wanted.since)} onChange={(event) => set("since", event.currentTarget.value)}>
          {!SINCE.some(([value]) => value === wanted.since) && <option value={String(wanted.since)}>{wanted.since}</option>}
          {SINCE.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div class="toolbar fields">
        {FIELDS.filter((name) => !["q", "decision", "since", "until"].includes(name)).map((name) => (
          <label key={name}>
            <span>{name}</span>
            <Field given={String(wanted[name])} set={(text) => set(name, text)} placeholder="any" />
          </label>
        ))}
        {filtered && (
          <button type="button" onClick={() => go("/ledger", true)}>
            Clear
          </button>
        )}
      </div>
      <Card
        class="fill"
        title={
          <span aria-live="polite">
            {state.total !== null
              ? `${count(state.total)} ${state.total === 1 ? "event" : "events"}`
              : `${count(rows.length)} found${state.next ? " so far" : ""}`}
          </span>
        }
        side={
          <>
            {fresh > 0 && (
              <button type="button" class="fresh" onClick={refresh}>
                {count(fresh)} newer, show
              </button>
            )}
            <Verified />
          </>
        }
      >
        {state.error && <Fault error={state.error} again={refresh} />}
        {!state.error && !rows.length && !state.loading && <None filtered={filtered} />}
        <div class="thead" aria-hidden="true">
          <span>#</span>
          <span>time</span>
          <span>decision</span>
          <span>agent</span>
          <span>event</span>
          <span>what</span>
          <span class="num">took</span>
        </div>
        <Rows
          items={rows}
          height={32}
          label="Events, the newest first"
          selected={selected}
          onNearEnd={more}
          row={(row, index) => (
            <Line key={row.seq} row={row} selected={index === selected || row.seq === props.shown} open={props.open} />
          )}
          end={
            state.next !== null && rows.length > 0 ? (
              <button type="button" class="more" onClick={more} disabled={state.loading}>
                {state.loading
                  ? `Looking${state.scanned ? `, down to #${count(state.scanned)}` : ""}…`
                  : state.scanned
                    ? `Looked down to #${count(state.scanned)}; go on`
                    : "Older events"}
              </button>
            ) : null
          }
        />
      </Card>
    </div>
  );
}

/** A field that says what was written once it is finished, and is left alone until then. */
function Field({
  given,
  set,
  box,
  ...rest
}: {
  given: string;
  set: (text: string) => void;
  box?: RefObject<HTMLInputElement | null>;
  type?: "search";
  class?: string;
  placeholder: string;
  "aria-label"?: string;
}) {
  const [text, write] = useState(given);
  useEffect(() => write(given), [given]);
  const finish = (): void => {
    if (text.trim() !== given) set(text.trim());
  };
  return (
    <input
      {...(rest as { type?: "text" })}
      ref={box as RefObject<HTMLInputElement>}
      value={text}
      onInput={(event) => write(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Enter" && finish()}
      onBlur={finish}
    />
  );
}

function Line({ row, selected, open }: { row: Row; selected: boolean; open: (seq: number) => void }) {
  return (
    <a
      class={`trow ${selected ? "selected" : ""} ${row.derived_from ? "derived" : ""}`}
      href={`/ledger/${row.seq}`}
      data-seq={row.seq}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        open(row.seq);
      }}
    >
      <span class="num muted">{row.seq}</span>
      <span class="num" title={new Date(row.at).toISOString()}>
        {day(row.at)}
      </span>
      <span>
        <Verdict of={row.decision} failed={row.event === "PostToolUseFailure"} />
      </span>
      <span class="cut">{row.agent}</span>
      <span class="cut">{row.tool ? `${row.event} · ${row.tool}` : row.event}</span>
      <span class="cut mono" title={row.reason}>
        {row.what || row.path || row.reason || ""}
      </span>
      <span class="num muted">{ms(row.ms)}</span>
    </a>
  );
}

interface State {
  rows: Row[];
  next: number | null;
  total: number | null;
  scanned: number | null;
  newest: number;
  loading: boolean;
  error: Error | null;
}

const START: State = { rows: [], next: null, total: null, scanned: null, newest: -1, loading: true, error: null };

/** The pages of a search, one after the other, and how many events have come since. */
function usePages(wanted: Query, asked: string) {
  const [state, set] = useState<State>(START);
  const [turn, again] = useState(0);
  const busy = useRef(false);
  const latest = useRef(state);
  latest.current = state;
  const load = useCallback(
    async (before: number | null, signal?: AbortSignal): Promise<void> => {
      busy.current = true;
      set((was) => ({ ...(before ? was : { ...START, rows: was.rows, total: was.total }), loading: true }));
      try {
        const query = { ...wanted, before, limit: 200, total: before ? null : 1 };
        const page = await get<Page>("/api/events", query, signal);
        set((was) => ({
          rows: before ? [...was.rows, ...page.rows] : page.rows,
          next: page.next,
          total: before ? was.total : page.total,
          scanned: page.scanned,
          newest: before ? was.newest : page.newest,
          loading: false,
          error: null,
        }));
      } catch (error) {
        if (!signal?.aborted) set((was) => ({ ...was, loading: false, error: error as Error }));
      } finally {
        busy.current = false;
      }
    },
    [asked],
  );
  useEffect(() => {
    const stop = new AbortController();
    void load(null, stop.signal);
    return () => stop.abort();
  }, [load, turn]);
  const more = useCallback(() => {
    const { next, loading } = latest.current;
    if (next !== null && !loading && !busy.current) void load(next);
  }, [load]);
  // A search that has found little yet looks on by itself: it reads so many events at a time.
  useEffect(() => {
    if (state.scanned !== null && state.rows.length < 50 && !state.loading && state.next) more();
  }, [state]);
  useLive(undefined, 300);
  // An empty ledger has 0 as its newest, and is followed like any other.
  const fresh = state.newest >= 0 ? live.last - state.newest : 0;
  const unfiltered = !Object.values(wanted).some(Boolean);
  const refresh = useCallback(() => again((n) => n + 1), []);
  // Without a filter, what comes is put on top: who looks at the whole record sees it live.
  useEffect(() => {
    if (!unfiltered || state.loading || fresh <= 0) return;
    const came = live.rows.filter((row) => row.seq > state.newest).reverse();
    if (came.length < fresh) return refresh();
    set((was) => ({
      ...was,
      rows: [...came, ...was.rows],
      total: was.total === null ? null : was.total + came.length,
      newest: live.last,
    }));
  }, [live.last, state.loading, unfiltered]);
  return { state, more, fresh: unfiltered ? 0 : Math.max(0, fresh), refresh };
}

function None({ filtered }: { filtered: boolean }) {
  if (filtered)
    return (
      <Empty title="No event matches">
        <button type="button" onClick={() => go("/ledger", true)}>
          Show all events
        </button>
      </Empty>
    );
  return (
    <Empty title="Nothing is on record yet">
      <p>
        Each event of an agent is put on record before it is answered. <Type>pointsman init</Type>
      </p>
    </Empty>
  );
}

/** How far the record is signed, and whether it still says so: found out by reading all of it. */
function Verified() {
  const { value, again } = useLoad<Verification>("/api/verification");
  const [fault, fail] = useState<Error | null>(null);
  const running = !!value?.run && !value.run.done;
  useEvery(running ? 500 : 10_000, again);
  if (!value) return null;
  if (!value.available)
    return (
      <span class="badge is-none" title="Nothing can be changed in it by way of the database; it has no signed chain">
        append-only
      </span>
    );
  const when = value.age_s === undefined ? "" : `, ${span(value.age_s)} ago`;
  const start = (): void => {
    post("/api/verification", {}).then(again, fail);
  };
  return (
    <>
      <span
        class={`badge is-${value.checkpoint ? "allow" : "ask"}`}
        title={`Root of the newest checkpoint: ${value.root ?? "none"}`}
      >
        {value.checkpoint ? `signed up to ${count(value.signed)} of ${count(value.entries)}${when}` : "not signed yet"}
      </span>
      <span aria-live="polite" class="verification">
        {fault ? <span class="is-deny">{fault.message}</span> : value.run && <Outcome of={value.run} entries={value.entries} />}
      </span>
      <button
        type="button"
        disabled={running}
        onClick={start}
        title="Reads every record again and holds it against what was signed; the same in a terminal: pointsman ledger verify"
      >
        {running ? "Verifying…" : "Verify"}
      </button>
    </>
  );
}

function Outcome({ of, entries }: { of: Run; entries: number }) {
  const { verdict } = of;
  if (!of.done)
    return (
      <>
        <progress max={Math.max(entries, 1)} value={of.read} aria-label="Read so far" /> {count(of.read)} read
      </>
    );
  if (!verdict)
    return (
      <span class="badge is-ask" title={of.fix}>
        could not verify: {of.error ?? "it said nothing"}
      </span>
    );
  const when = of.ended ? `, ${ago(of.ended, live.now())}` : "";
  if (verdict.ok)
    return (
      <span class="badge is-allow" title={`${count(verdict.entries)} entries, ${count(verdict.signed)} of them signed`}>
        ✓ {count(verdict.records)} records hold{when}
      </span>
    );
  return (
    <a class="badge is-deny" href={verdict.first_bad ? `/ledger/${verdict.first_bad}` : "/ledger"} title={verdict.words}>
      ✕ {verdict.fault}
      {verdict.first_bad ? ` from #${count(verdict.first_bad)} on` : ""}: {verdict.words}
    </a>
  );
}
