/** Small hooks that every page uses. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, type Query, Refused, type Row } from "./api";
import { live } from "./live";

/** Draw again when the stream says something, at most so often; `tell` gets every row. */
export function useLive(tell?: (rows: Row[]) => void, everyMs = 250): void {
  const [, draw] = useState(0);
  const latest = useRef(tell);
  latest.current = tell;
  useEffect(() => {
    let timer = 0;
    const end = live.subscribe((rows) => {
      latest.current?.(rows);
      timer ||= window.setTimeout(() => {
        timer = 0;
        draw((n) => n + 1);
      }, everyMs);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [everyMs]);
}

/** Draw again only when this text of the stream's changes. */
export function useLiveText(read: () => string): string {
  const [text, set] = useState(read);
  useEffect(() => live.subscribe(() => set(read)), []);
  return text;
}

export interface Loaded<T> {
  value: T | null;
  error: Refused | Error | null;
  loading: boolean;
  again: () => void;
}

/** Load from the server, anew where what is asked for changes; an answer that is late is dropped. */
export function useLoad<T>(path: string | null, query: Query = {}): Loaded<T> {
  const [state, set] = useState<Omit<Loaded<T>, "again">>({ value: null, error: null, loading: true });
  const [turn, next] = useState(0);
  const asked = JSON.stringify([path, query]);
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    set((was) => ({ ...was, loading: true }));
    get<T>(path, query, stop.signal).then(
      (value) => set({ value, error: null, loading: false }),
      (error: Error) => {
        if (!stop.signal.aborted) set((was) => ({ value: was.value, error, loading: false }));
      },
    );
    return () => stop.abort();
  }, [asked, turn]);
  const again = useCallback(() => next((n) => n + 1), []);
  return { ...state, again };
}

/** Call on each key that is not typed into a field. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      const typing = target.closest("input, textarea, select, [contenteditable]");
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (typing && event.key !== "Escape") return;
      // A button that has the focus is pressed by these: they are not ours then.
      if ((event.key === " " || event.key === "Enter") && target.closest("button, a, summary")) return;
      const run = latest.current[event.key];
      if (run) {
        event.preventDefault();
        run(event);
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

export function useEvery(everyMs: number, run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const timer = setInterval(() => latest.current(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}
