import { expect, test } from "vitest";
import { searchAddress } from "./run-search";

const ids = ["0199c3a1-0000-7000-8000-000000000001", "0199c3a2-0000-7000-8000-000000000002"];
const calls = { tasks: async () => ({ tasks: ids.map((task_id) => ({ task_id })) as never, next: null }) };

test.each([
  [ids[0], `/runs/${ids[0]}`],
  [`#${ids[1]?.toUpperCase()}`, `/runs/${ids[1]}`],
  ["0199c3a2", `/runs/${ids[1]}`],
  ["#0199c3a1-0", `/runs/${ids[0]}`],
  ["0199c3a", "/?q=0199c3a"],
  ["cafe", "/?q=cafe"],
  ["knowledge base & more", "/?q=knowledge%20base%20%26%20more"],
  ["", "/"],
])("%j is found at %s", async (text = "", address = "") => expect(await searchAddress(text, calls)).toBe(address));
