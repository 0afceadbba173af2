export interface Message {
  type: string;
  data: string;
}

/** Splits the text of an event stream, which comes in pieces, into messages; leaves out comments and messages without
 * data. */
export class EventStreamText {
  private rest = "";

  push(piece: string): Message[] {
    const blocks = (this.rest + piece).split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(messageOf).filter((message) => message !== null);
  }
}

function messageOf(block: string): Message | null {
  let type = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
    if (field === "event") type = value ?? type;
    else if (field === "data") data.push(value ?? "");
  }
  return data.length ? { type, data: data.join("\n") } : null;
}
