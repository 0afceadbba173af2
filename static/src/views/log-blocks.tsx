import type { RefObject } from "preact";
import type { BlockHeights } from "../state/log-heights";
import type { LogSource } from "../state/log-source";
import { Block, type BlockLook } from "./log-block";

interface Props extends BlockLook {
  source: LogSource;
  /** The blocks in the page, in order. */
  keys: readonly number[];
  /** The first block after them. */
  end: number;
  heights: BlockHeights;
  content: RefObject<HTMLDivElement | null>;
}

/** Some blocks between two spaces as high as all other blocks. */
export function LogBlocks({ source, keys, end, heights, content, ...look }: Props) {
  return (
    <>
      <div style={{ height: `${heights.top(keys[0] ?? end)}px` }} />
      <div ref={content}>
        {keys.map((key) => {
          const lines = source.lines(key);
          const before = source.lines(key - 1)?.at(-1) ?? null;
          const after = source.lines(key + 1)?.[0] ?? null;
          const length = lines?.length ?? 0;
          const more = { before, after, length, oldest: key === source.first, height: heights.height(key) };
          return <Block {...{ key, number: key, lines, ...more, ...look }} />;
        })}
      </div>
      <div style={{ height: `${Math.max(0, heights.total - heights.top(end))}px` }} />
    </>
  );
}
