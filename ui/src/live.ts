/** The live stream: the newest events, kept in a ring, and who wants to be told of them. */

import { get, type Page, type Query, type Row } from "./api";

const MOST_KEPT = 20_000;
const FIRST = 400;
const STEP = 500;
const MOST_LOADED = 5000;
/** A stream that says nothing for so long (it beats every 10 s) is broken without having ended. */
const SILENT_MS = 25_000;

export type LiveState = "connecting" | "live" | "lost" | "refused";

class Live {
  rows: Row[] = [];
  state: LiveState = "connecting";
  /** Questions that wait for a person, and alerts that are not over; null where it is not known. */
  waiting: number | null = 0;
  alerts: number | null = 0;
  critical: number | null = 0;
  last = 0;
  /** What the server's clock is ahead of ours, in ms. */
  skew = 0;
  /** Counts what changed but the rows: a number to compare. */
  version = 0;
  fault = "";
  loaded = false;
  /** Grows when rows came that are not at the end: who has added them up begins anew. */
  generation = 0;
  private readonly told = new Set<(rows: Row[]) => void>();
  private source: EventSource | null = null;
  private heard = 0;

  async start(): Promise<void> {
    await this.load();
    this.connect();
    setInterval(() => this.watch(), 5000);
  }

  /** Call `tell` with each batch; an empty one says that something else has changed. */
  subscribe(tell: (rows: Row[]) => void): () => void {
    this.told.add(tell);
    return () => this.told.delete(tell);
  }

  now(): number {
    return Date.now() + this.skew;
  }

  private async load(): Promise<void> {
    try {
      // The newest first, so that there is something to see; what is older follows behind it.
      const page = await get<Page>("/api/events", { limit: FIRST, since: "2h" });
      this.rows = page.rows.reverse();
      this.last = page.newest;
      this.skew = page.now - Date.now();
      this.generation += 1;
      this.loaded = true;
      if (page.next) void this.older(page.next, this.generation);
    } catch (error) {
      this.fault = String(error instanceof Error ? error.message : error);
    }
    this.changed([]);
  }

  private async older(before: number, generation: number): Promise<void> {
    let next: number | null = before;
    while (next && this.rows.length < MOST_LOADED) {
      const query: Query = { limit: STEP, since: "2h", before: next };
      const page: Page | null = await get<Page>("/api/events", query).catch(() => null);
      // Meanwhile it may have begun anew: these rows are not of that view.
      if (!page || generation !== this.generation) return;
      this.rows = [...page.rows.reverse(), ...this.rows];
      this.generation = generation += 1;
      this.changed([]);
      next = page.next;
    }
  }

  private connect(): void {
    this.source?.close();
    const source = new EventSource(`/api/stream?after=${this.last}`);
    this.source = source;
    this.heard = Date.now();
    source.onopen = () => this.set("live");
    source.onerror = () => this.failed(source);
    source.addEventListener("events", (message) => this.take(JSON.parse(message.data)));
    source.addEventListener("waiting", (message) => {
      this.heard = Date.now();
      const { approvals, alerts, critical } = JSON.parse(message.data);
      Object.assign(this, { waiting: approvals, alerts, critical });
      this.changed([]);
    });
    source.addEventListener("beat", () => {
      this.heard = Date.now();
    });
    source.addEventListener("fault", (message) => {
      this.fault = JSON.parse(message.data).error;
      this.changed([]);
    });
    // Too far behind, or another ledger: what is shown begins anew.
    source.addEventListener("resync", () => void this.load());
  }

  private take(rows: Row[]): void {
    this.heard = Date.now();
    this.fault = "";
    // After a break a row could come twice: the number says so.
    const fresh = rows.filter((row) => row.seq > this.last);
    if (!fresh.length) return;
    this.last = fresh[fresh.length - 1]!.seq;
    this.rows.push(...fresh);
    if (this.rows.length > MOST_KEPT * 1.25) this.rows = this.rows.slice(-MOST_KEPT);
    this.changed(fresh);
  }

  private failed(source: EventSource): void {
    if (source.readyState !== EventSource.CLOSED) return this.set("lost");
    // The browser gives up where the answer is no stream: the key has changed, or the port has.
    this.set("lost");
    void get("/api/status").then(
      () => setTimeout(() => this.connect(), 1000),
      (error: { status?: number }) => {
        if (error.status === 401) this.set("refused");
        else setTimeout(() => this.connect(), 2000);
      },
    );
  }

  private watch(): void {
    if (this.state === "live" && Date.now() - this.heard > SILENT_MS) {
      this.set("lost");
      this.connect();
    }
  }

  private set(state: LiveState): void {
    this.state = state;
    this.changed([]);
  }

  private changed(rows: Row[]): void {
    this.version += 1;
    for (const tell of this.told) tell(rows);
  }
}

export const live = new Live();
