import { defineConfig } from "vite";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: process.env.POINTSMAN_UI_OUT ?? "../src/pointsman/web/static",
    emptyOutDir: true,
    // The content security policy lets nothing be inlined, and a map would double the wheel.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
