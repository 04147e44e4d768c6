import { defineConfig } from "@playwright/test";
import { output } from "./support/stack.ts";

/** Programs of others that judge the product: no browser is needed. */
export default defineConfig({
  testDir: "judges",
  outputDir: output("judges"),
  // They share one product, and what one of them changes must not disturb the next.
  workers: 1,
  timeout: 300_000,
  forbidOnly: !!process.env.CI,
  reporter: [["list"]],
});
