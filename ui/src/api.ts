/** What the server says, and how it is asked. */

export interface Row {
  seq: number;
  at: number;
  agent: string;
  ms: number;
  event: string;
  session: string;
  decision: Decision;
  agent_id?: string;
  agent_type?: string;
  parent?: string;
  prompt_id?: string;
  tool_use_id?: string;
  tool?: string;
  path?: string;
  repository?: string;
  rule?: string;
  reason?: string;
  hook?: string;
  cause?: string;
  transport?: string;
  derived_from?: number;
  what?: string;
}

export type Decision = "none" | "allow" | "modify" | "ask" | "deny";

export interface HookRun {
  hook: string;
  role: string;
  event: string;
  ms: number;
  outcome: string;
  budget_ms: number;
  reason: string;
  decision: string;
  rule: string;
  lines: unknown[];
}

export interface Whole extends Omit<Row, "at" | "what"> {
  time: string;
  cwd: string;
  host: string;
  context: string;
  exit_code: number;
  client: string;
  client_version: string;
  permission_mode: string;
  payload: string | null;
  stdout: string | null;
  stderr: string | null;
  problems: unknown;
  hook_runs: HookRun[];
  related: Row[];
}

export interface Page {
  rows: Row[];
  next: number | null;
  scanned: number | null;
  total: number | null;
  newest: number;
  now: number;
}

export class Refused extends Error {
  constructor(
    message: string,
    readonly fix: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return answered<T>(await fetch(address(path, query), { signal }));
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return answered<T>(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export type Query = Record<string, string | number | null | undefined>;

export function address(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

async function answered<T>(response: Response): Promise<T> {
  const value = await response.json().catch(() => null);
  if (!response.ok) {
    const { error, fix } = value ?? {};
    throw new Refused(error ?? `the server answers ${response.status}`, fix ?? "", response.status);
  }
  return value as T;
}
