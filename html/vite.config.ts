import { defineConfig } from "vite";

/*
 * Every page is an .html file beside this one.  Nothing is inlined, so that
 * the strict Content-Security-Policy in conf/security.conf holds.
 */

export default defineConfig({
  base: "./",
  build: {
    target: "es2021",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1700,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: "index.html", docs: "docs.html", watch: "watch.html" },
      onwarn(warning, warn) {
        /* "use client" is for frameworks that render on a server */
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") {
          warn(warning);
        }
      },
    },
  },
});
