/** What was used, in tokens and money: over time, by anything. */

import { useMemo, useState } from "preact/hooks";
import { Chart } from "../chart";
import { base, count, dollars, short, tokens } from "../format";
import { useEvery, useLoad } from "../hooks";
import { Bar, Card, Empty, Fault, Tile, Type } from "../ui";

interface Figures {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_5m_tokens: number;
  cache_write_1h_tokens: number;
  cost_usd: number | null;
  priced_usd: number;
  unpriced_calls: number;
  calls: number;
}

interface Answer {
  by: string;
  basis: string;
  dimensions: string[];
  rows: (Figures & Record<string, string | null | number>)[];
  total: Figures | null;
  series: { at: number; usd: number[]; tokens: number; unpriced: number }[];
}

const SPANS: [string, number][] = [
  ["24 h", 24],
  ["7 days", 168],
  ["30 days", 720],
  ["90 days", 2160],
];
const INKS = ["accent", "allow", "ask", "modify", "fail", "deny", "muted"];

export function Cost() {
  const [by, group] = useState("model");
  const [hours, span] = useState(24);
  const { value, error, again } = useLoad<Answer>("/api/cost", { by, hours });
  useEvery(10_000, again);
  const lines = useMemo(() => (value ? linesOf(value) : []), [value]);
  const times = useMemo(() => value?.series?.map((each) => each.at) ?? [], [value]);
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  if (!value.total)
    return (
      <Empty title="Nothing was used in this time">
        <p>
          Usage is read from the transcripts of sessions while they go on; the first one that is seen stands
          here.
        </p>
        {hours < 2160 && (
          <button type="button" onClick={() => span(2160)}>
            Show 90 days
          </button>
        )}
        <p class="muted">
          What is on record meanwhile: <Type>pointsman ledger tail</Type>
        </p>
      </Empty>
    );
  const { total } = value;
  const unpriced = value.series.reduce((sum, each) => sum + each.unpriced, 0);
  const most = Math.max(...value.rows.map((each) => each.priced_usd), 1e-9);
  return (
    <div class="page">
      <div class="toolbar">
        <div class="segments" role="group" aria-label="Time">
          {SPANS.map(([name, n]) => (
            <button key={n} type="button" aria-pressed={hours === n} onClick={() => span(n)}>
              {name}
            </button>
          ))}
        </div>
        <label>
          <span>by</span>
          <select value={by} onChange={(event) => group(event.currentTarget.value)}>
            {value.dimensions.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <span class="muted">
          {value.basis === "allocated"
            ? "allocated: a message's tokens are divided evenly among the calls it asked for"
            : "measured, from the transcripts"}
        </span>
      </div>
      <div class="tiles">
        <Tile
          label="Cost"
          value={dollars(total.priced_usd)}
          note={total.unpriced_calls ? `and ${count(total.unpriced_calls)} messages without a price` : "by list prices"}
          tone={total.unpriced_calls ? "ask" : undefined}
        />
        <Tile label="Messages" value={count(total.calls)} />
        <Tile label="Input" value={tokens(total.input_tokens)} note="not from the cache" />
        <Tile label="Output" value={tokens(total.output_tokens)} />
        <Tile label="Read from the cache" value={tokens(total.cache_read_tokens)} />
        <Tile
          label="Written to the cache"
          value={tokens(total.cache_write_5m_tokens + total.cache_write_1h_tokens)}
          note={`${tokens(total.cache_write_1h_tokens)} of it for 1 h`}
        />
      </div>
      <Card title={`Cost by ${value.by} over time`}>
        <Chart times={times} lines={lines} unit={dollars} label={`Cost by ${value.by} over time`} />
        {unpriced > 0 && (
          <p class="is-ask">
            {`${count(unpriced)} of these messages have no price and are in no line: their models are "unpriced" below.`}
          </p>
        )}
      </Card>
      <Card class="scroll" title={`By ${value.by}`}>
        <table class="list">
          <thead>
            <tr>
              <th>{value.by}</th>
              <th class="num">cost</th>
              <th>share</th>
              <th class="num">messages</th>
              <th class="num">input</th>
              <th class="num">output</th>
              <th class="num">cache read</th>
              <th class="num">write 5 m</th>
              <th class="num">write 1 h</th>
            </tr>
          </thead>
          <tbody>
            {value.rows.map((each) => (
              <tr key={keyOf(value, each)}>
                <td title={keyOf(value, each)}>{named(value.by, keyOf(value, each))}</td>
                <td class="num">
                  {each.cost_usd === null ? (
                    <span class="is-ask">
                      {each.priced_usd > 0 ? `${dollars(each.priced_usd)} + unpriced` : "unpriced"}
                    </span>
                  ) : (
                    dollars(each.cost_usd)
                  )}
                </td>
                <td>
                  <Bar
                    parts={[
                      { name: "of the largest", value: Math.round((each.priced_usd / most) * 100), tone: "accent" },
                      { name: "left", value: 100 - Math.round((each.priced_usd / most) * 100), tone: "rest" },
                    ]}
                  />
                </td>
                <td class="num">{count(each.calls)}</td>
                <td class="num">{count(each.input_tokens)}</td>
                <td class="num">{count(each.output_tokens)}</td>
                <td class="num">{count(each.cache_read_tokens)}</td>
                <td class="num">{count(each.cache_write_5m_tokens)}</td>
                <td class="num">{count(each.cache_write_1h_tokens)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
      <p class="muted">
        The same in a terminal: <Type>{`pointsman cost --by ${value.by}`}</Type>
      </p>
    </div>
  );
}

function linesOf(value: Answer) {
  // A day is a point of its own: there is one line.
  if (value.by === "day") return [{ name: "all", ink: INKS[0]!, values: value.series.map((each) => each.usd.at(-1) ?? 0) }];
  const names = value.rows.slice(0, 6).map((each) => named(value.by, keyOf(value, each)));
  const rest = value.rows.length > names.length ? ["all others"] : [];
  return [...names, ...rest].map((name, index) => ({
    name,
    ink: INKS[index]!,
    values: value.series.map((each) => each.usd[rest.length && index === names.length ? each.usd.length - 1 : index] ?? 0),
  }));
}

function keyOf(value: Answer, row: Answer["rows"][number]): string {
  return String(row[value.by] ?? "");
}

function named(by: string, key: string): string {
  if (!key) return by === "tool" ? "(no call)" : "(none)";
  if (by === "repository") return base(key);
  return by === "session" || by === "subagent" ? short(key) : key;
}
