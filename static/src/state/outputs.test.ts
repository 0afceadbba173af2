import { expect, test } from "vitest";
import type { OutputFile } from "../client/related";
import { bytes, outputRows, typeWord } from "./outputs";

const file = (name: string, content_type = "text/csv; charset=utf-8"): OutputFile => ({
  name,
  size: 1,
  content_type,
  attempt: 1,
  created_at: "2026-01-02T03:04:00Z",
});

test("what a job declares and has not saved stands behind what is there", () => {
  const rows = outputRows([file("extra.bin"), file("report.csv")], { "report.csv": "The sales", "chart.png": "A picture" });

  expect(rows.map(({ name, about, file: saved }) => [name, about, saved !== null])).toEqual([
    ["extra.bin", "", true],
    ["report.csv", "The sales", true],
    ["chart.png", "A picture", false],
  ]);
});

test("sizes have three digits at most and one unit", () => {
  expect([0, 999, 1_000, 12_345, 99_949, 999_499, 999_501, 5e9].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "12.3 kB",
    "99.9 kB",
    "999 kB",
    "1.0 MB",
    "5.0 GB",
  ]);
});

test("a type is one word", () => {
  expect(["text/csv; charset=utf-8", "application/x-ndjson", "application/octet-stream", "application/vnd.apache.parquet"].map((type) => typeWord(file("a", type)))).toEqual([
    "csv",
    "ndjson",
    "",
    "parquet",
  ]);
});
