import type { RefObject } from "preact";
import type { BlockHeights } from "../state/log-heights";
import { linesAround, type LogSource } from "../state/log-source";
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
          const last = lines?.at(-1)?.sequence ?? 0;
          const more = { ...linesAround(source, key), last, length: lines?.length ?? 0, oldest: key === source.first, height: heights.height(key) };
          return <Block {...{ key, number: key, lines, ...more, ...look }} />;
        })}
      </div>
      <div style={{ height: `${Math.max(0, heights.total - heights.top(end))}px` }} />
    </>
  );
}
