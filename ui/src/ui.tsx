/** The pieces that pages are made of. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Decision } from "./api";
import { Refused } from "./api";

const SIGNS: Record<string, string> = { deny: "✕", ask: "?", modify: "✎", allow: "✓", none: "·" };

/** A decision by colour, sign and word: none of them alone. */
export function Verdict({ of, failed }: { of: Decision | string; failed?: boolean }) {
  const shown = failed ? "failed" : of;
  return (
    <span class={`verdict is-${shown}`}>
      <i aria-hidden="true">{failed ? "!" : (SIGNS[of] ?? "·")}</i>
      {shown === "none" ? "no opinion" : shown}
    </span>
  );
}

export function Card(props: {
  title?: ComponentChildren;
  side?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`card ${props.class ?? ""}`}>
      {props.title !== undefined && (
        <header>
          <h2>{props.title}</h2>
          <div class="side">{props.side}</div>
        </header>
      )}
      {props.children}
    </section>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 48 32" aria-hidden="true">
        <path d="M4 26h40M4 16h14c8 0 8-10 16-10h10M18 16h8c6 0 6 6 10 6h8" />
      </svg>
      <h3>{title}</h3>
      <div>{children}</div>
    </div>
  );
}

/** A command to type, with a button that copies it. */
export function Type({ children }: { children: string }) {
  const [copied, set] = useState(false);
  const copy = (): void => {
    void navigator.clipboard?.writeText(children).then(() => {
      set(true);
      setTimeout(() => set(false), 1200);
    });
  };
  return (
    <span class="type">
      <code>{children}</code>
      <button type="button" onClick={copy} aria-label={`Copy: ${children}`}>
        {copied ? "copied" : "copy"}
      </button>
    </span>
  );
}

export function Fault({ error, again }: { error: Error; again?: () => void }) {
  const fix = error instanceof Refused ? error.fix : "";
  return (
    <div class="fault" role="alert">
      <b>{error.message}</b>
      {fix && <span>Next step: {fix}</span>}
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Tile(props: {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  tone?: string;
  href?: string;
}) {
  const inner = (
    <>
      <span class="label">{props.label}</span>
      <b class="value">{props.value}</b>
      <span class="note">{props.note ?? " "}</span>
    </>
  );
  const name = `tile ${props.tone ? `is-${props.tone}` : ""}`;
  return props.href ? (
    <a class={name} href={props.href}>
      {inner}
    </a>
  ) : (
    <div class={name}>{inner}</div>
  );
}

/** Rows of one height in a scrolling box: only those in sight are there. */
export function Rows<T>(props: {
  items: T[];
  height: number;
  row: (item: T, index: number) => ComponentChildren;
  end?: ComponentChildren;
  label: string;
  selected?: number;
  onNearEnd?: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [view, set] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const element = box.current!;
    const look = (): void => {
      set({ top: element.scrollTop, height: element.clientHeight });
      if (element.scrollTop + element.clientHeight * 2 > element.scrollHeight) props.onNearEnd?.();
    };
    const watch = new ResizeObserver(look);
    watch.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [props.onNearEnd]);
  useEffect(() => {
    if (props.selected === undefined || props.selected < 0 || !box.current) return;
    const top = props.selected * props.height;
    const element = box.current;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + props.height > element.scrollTop + element.clientHeight)
      element.scrollTop = top + props.height - element.clientHeight;
  }, [props.selected, props.height]);
  const from = Math.max(0, Math.floor(view.top / props.height) - 8);
  const to = Math.min(props.items.length, Math.ceil((view.top + view.height) / props.height) + 8);
  return (
    <div class="rows" ref={box} role="region" aria-label={props.label} tabIndex={-1}>
      <div class="sizer" style={{ height: `${props.items.length * props.height}px` }}>
        <div style={{ transform: `translateY(${from * props.height}px)` }}>
          {props.items.slice(from, to).map((item, index) => props.row(item, from + index))}
        </div>
      </div>
      {props.end}
    </div>
  );
}

export function Bar({ parts }: { parts: { name: string; value: number; tone: string }[] }) {
  const sum = parts.reduce((total, part) => total + part.value, 0) || 1;
  const said = parts.map((part) => `${part.value} ${part.name}`).join(", ");
  return (
    <div class="bar" role="img" aria-label={said} title={said}>
      {parts
        .filter((part) => part.value > 0)
        .map((part) => (
          <i key={part.name} class={`is-${part.tone}`} style={{ flexGrow: part.value / sum }} />
        ))}
    </div>
  );
}
