/** The frame around the pages: where to go, whether the stream is live, light and dark, keys. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "./style.css";
import { Detail } from "./detail";
import { count } from "./format";
import { useKeys, useLive, useLiveText } from "./hooks";
import { live } from "./live";
import { Agents } from "./pages/agents";
import { Alerts } from "./pages/alerts";
import { Cost } from "./pages/cost";
import { Hooks } from "./pages/hooks";
import { Ledger } from "./pages/ledger";
import { Now } from "./pages/now";
import { Session, Sessions } from "./pages/sessions";
import { go, useRoute } from "./route";
import { Empty, Type } from "./ui";

const PAGES: [string, string, string][] = [
  ["now", "Now", "M3 6h9M3 12h14M3 18h6M15 6h6M12 18h9"],
  ["sessions", "Sessions", "M5 5v14M5 9h6a3 3 0 0 1 3 3v0M14 12h5M5 16h10"],
  ["cost", "Cost", "M4 20V10M10 20V4M16 20v-7M22 20H2"],
  ["hooks", "Hooks", "M3 12h4l3-8 4 16 3-8h4"],
  ["alerts", "Alerts", "M12 3 2 20h20L12 3zM12 10v4M12 17v.5"],
  ["ledger", "Ledger", "M5 3h14v18H5zM9 8h6M9 12h6M9 16h4"],
  ["agents", "Agents", "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 21c1-5 4-7 8-7s7 2 8 7"],
];

const KEYS: [string, string][] = [
  ["1 – 7", "the pages, from Now to Agents"],
  ["/", "search"],
  ["j  k", "next and previous row or lane"],
  ["Enter", "open what is chosen"],
  ["Esc", "close"],
  ["Space", "hold and follow; on a session: replay"],
  ["←  →", "earlier and later; on a session: event by event"],
  ["+  -", "closer and further"],
  [".", "load anew"],
  ["t", "light and dark"],
  ["?", "this help"],
];

function App() {
  const { path, query } = useRoute();
  const [help, showHelp] = useState(false);
  const [, retheme] = useState(0);
  const [root = "now", ...rest] = path.split("/").filter(Boolean);
  const name = rest.map(decodeURIComponent).join("/");
  const linked = root === "ledger" && /^\d+$/.test(name) ? Number(name) : null;
  const [shown, show] = useState<number | null>(linked);
  // Not with every event: the pages draw themselves.
  useLiveText(() => `${live.state} ${live.waiting} ${live.alerts} ${live.critical} ${live.fault}`);
  useEffect(() => show(linked), [path]);
  useEffect(() => {
    const title = PAGES.find(([id]) => id === root)?.[1] ?? "Dashboard";
    document.title = `${live.waiting ? `(${live.waiting}) ` : ""}${title} · Pointsman`;
  });
  const theme = (): void => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
    setTheme(now === "dark" ? "light" : "dark");
    retheme((n) => n + 1);
  };
  const pages = Object.fromEntries(PAGES.map(([id], index) => [String(index + 1), () => go(`/${id}`)]));
  useKeys({ ...pages, "?": () => showHelp((was) => !was), t: theme, Escape: () => showHelp(false) });
  const open = (seq: number): void => show(seq);
  const close = (): void => {
    show(null);
    if (linked !== null) go("/ledger", true);
  };
  return (
    <div class={`app ${shown !== null ? "with-drawer" : ""}`}>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <nav aria-label="Pages">
        <a class="brand" href="/now" aria-label="Pointsman">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M6 25V7M6 16h7c6 0 6-8 12-8M6 16h7c6 0 6 8 12 8" />
            <circle cx="26" cy="8" r="3" class="go" />
            <circle cx="26" cy="24" r="3" class="stop" />
          </svg>
          <b>Pointsman</b>
        </a>
        {PAGES.map(([id, title, icon], index) => (
          <a
            key={id}
            class="page-link"
            href={`/${id}`}
            aria-current={root === id ? "page" : undefined}
            title={`${title} (${index + 1})`}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={icon} />
            </svg>
            <span>{title}</span>
            {id === "alerts" && !!live.waiting && (
              <span class="count questions is-ask" title={`${live.waiting} waiting for an answer`}>
                ? {live.waiting}
              </span>
            )}
            {id === "alerts" && !!live.alerts && (
              <span class={`count open is-${live.critical ? "deny" : "ask"}`} title={`${live.alerts} alerts are open`}>
                ! {live.alerts}
              </span>
            )}
          </a>
        ))}
        <div class="foot">
          <State />
          <div class="tools">
            <button type="button" onClick={theme} title="Light and dark (t)" aria-label="Light and dark">
              ◐
            </button>
            <button type="button" onClick={() => showHelp(true)} title="Keys (?)" aria-label="Keys">
              ?
            </button>
          </div>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <h1 class="hidden">{PAGES.find(([id]) => id === root)?.[1] ?? "Dashboard"}</h1>
        {live.fault && <p class="fault">{live.fault}</p>}
        {page(root, name, query, open, shown)}
      </main>
      {shown !== null && <Detail key={shown} seq={shown} close={close} open={open} />}
      {help && <Help close={() => showHelp(false)} />}
    </div>
  );
}

function page(root: string, name: string, query: URLSearchParams, open: (seq: number) => void, shown: number | null) {
  switch (root) {
    case "now":
      return <Now open={open} />;
    case "sessions":
      return name ? <Session name={name} open={open} /> : <Sessions />;
    case "cost":
      return <Cost />;
    case "hooks":
      return <Hooks />;
    case "alerts":
      return <Alerts />;
    case "ledger":
      return <Ledger query={query} open={open} shown={shown} />;
    case "agents":
      return <Agents />;
    default:
      return (
        <Empty title="There is no such page">
          <a href="/now">To what goes on now</a>
        </Empty>
      );
  }
}

const STATES = {
  connecting: "connecting…",
  live: "live",
  lost: "connection lost, trying again",
  refused: "this browser is not let in any more",
};

function State() {
  useLive(undefined, 500);
  return (
    <div class={`state s-${live.state}`} role="status">
      <i aria-hidden="true" />
      <span>
        {STATES[live.state]}
        {live.state === "live" && <small> · #{count(live.last)}</small>}
        {live.state === "refused" && <Type>pointsman dashboard</Type>}
      </span>
    </div>
  );
}

function Help({ close }: { close: () => void }) {
  return (
    <div class="veil" onClick={close}>
      <div class="help card" role="dialog" aria-modal="true" aria-label="Keys" onClick={(event) => event.stopPropagation()}>
        <header>
          <h2>Keys</h2>
          <button type="button" class="close" onClick={close} aria-label="Close" autoFocus>
            ✕
          </button>
        </header>
        <dl>
          {KEYS.map(([key, text]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        <p class="muted">
          On the lanes: drag to move in time, Ctrl and the wheel for closer, Shift and the wheel for earlier.
        </p>
      </div>
    </div>
  );
}

function setTheme(theme: string): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

try {
  const kept = localStorage.getItem("theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
} catch {
  // The system's choice it is.
}
if (location.pathname === "/") history.replaceState(null, "", "/now");
void live.start();
render(<App />, document.getElementById("app")!);
