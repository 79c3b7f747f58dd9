/** Values as a person reads them. */

export function clock(at: number, withMs = false): string {
  const text = new Date(at).toLocaleTimeString([], { hour12: false });
  return withMs ? `${text}.${String(Math.floor(at % 1000)).padStart(3, "0")}` : text;
}

export function day(at: number): string {
  const date = new Date(at);
  const today = new Date().toDateString() === date.toDateString();
  const shown = date.toLocaleDateString([], { month: "short", day: "numeric" });
  return today ? clock(at) : `${shown} ${clock(at)}`;
}

export function ago(at: number, now: number): string {
  const seconds = Math.max(0, (now - at) / 1000);
  return seconds < 2 ? "now" : `${span(seconds)} ago`;
}

export function span(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(1)} d`;
}

export function ms(value: number): string {
  if (value < 1) return `${value.toFixed(2)} ms`;
  if (value < 100) return `${value.toFixed(1)} ms`;
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** The last part of a path: enough to tell repositories apart. */
export function base(path: string): string {
  return path.split("/").filter(Boolean).pop() ?? path;
}

export function short(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

export function dollars(value: number): string {
  if (value === 0) return "$0";
  return value < 0.01 ? `$${value.toFixed(4)}` : `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

export function tokens(value: number): string {
  if (value < 10_000) return count(value);
  if (value < 1_000_000) return `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)} k`;
  return `${(value / 1_000_000).toFixed(2)} M`;
}
