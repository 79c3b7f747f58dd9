/** Where one is: the path and the query of the address bar, which is all there is of state. */

import { useEffect, useState } from "preact/hooks";

const told = new Set<() => void>();

export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  for (const tell of told) tell();
}

window.addEventListener("popstate", () => {
  for (const tell of told) tell();
});

/** Links of ours change the page without loading it anew. */
document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest?.("a[href^='/']");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || link.getAttribute("target")) return;
  event.preventDefault();
  go(link.getAttribute("href")!);
});

export function useRoute(): { path: string; query: URLSearchParams } {
  const [, draw] = useState(0);
  useEffect(() => {
    const tell = (): void => draw((n) => n + 1);
    told.add(tell);
    return () => void told.delete(tell);
  }, []);
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}
