/** Looking at processes from outside, as an operator would. */
import { readFileSync, readdirSync } from "node:fs";

export interface Process {
  pid: number;
  argv: string[];
}

/** All processes whose environment or command line names `mark`. */
export function processesWith(mark: string): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), argv: read(name, "cmdline"), environment: read(name, "environ") }))
    .filter(({ pid, argv, environment }) => pid !== process.pid && [...argv, ...environment].some((word) => word.includes(mark)))
    .map(({ pid, argv }) => ({ pid, argv }));
}

export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function read(pid: string, file: string): string[] {
  try {
    const words = readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
    // The last argument ends with a NUL as well.
    return words.slice(0, -1);
  } catch {
    return []; // it has just ended
  }
}
