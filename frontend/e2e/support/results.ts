/** What lmms-eval itself left on disk. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "./api.ts";

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The numbers of all `*_results.json` below a folder: task, `metric` or `metric,filter`, value. */
export function metricsOnDisk(folder: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const file of filesBelow(folder).filter((name) => name.endsWith("_results.json"))) {
    const document = JSON.parse(readFileSync(file, "utf8").replaceAll(/\bNaN\b/g, "null")) as Json;
    for (const [task, values] of Object.entries<Json>({ ...document.groups, ...document.results })) {
      for (const [key, value] of Object.entries<Json>(values)) {
        const [metric, filter] = key.split(",");
        // Without a filter it is a size or an alias; errors are no metrics of their own.
        if (filter === undefined || metric.includes("_stderr")) continue;
        const named = (name: string): string => `${task} ${name}${filter === "none" ? "" : `,${filter}`}`;
        if (typeof value === "number") found.set(named(metric), value);
        else if (value !== null && typeof value === "object") {
          for (const [part, each] of Object.entries<Json>(value)) found.set(named(`${metric}/${part}`), each);
        }
      }
    }
  }
  return found;
}

/** The number of lines of all samples files below a folder. */
export function samplesOnDisk(folder: string): number {
  return filesBelow(folder)
    .filter((name) => /_samples_.*\.jsonl$/.test(name))
    .map((name) => readFileSync(name, "utf8").trim().split("\n").length)
    .reduce((sum, lines) => sum + lines, 0);
}

/** The events that the driver wrote in an attempt. */
export function driverEvents(attemptDir: string): Json[] {
  return readFileSync(join(attemptDir, "events.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
