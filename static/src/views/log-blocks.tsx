import type { RefObject } from "preact";
import type { BlockHeights } from "../state/log-heights";
import type { LineRange } from "../state/log-link";
import type { LogSource } from "../state/log-source";
import { Block } from "./log-block";

interface Props {
  source: LogSource;
  first: number;
  end: number;
  heights: BlockHeights;
  content: RefObject<HTMLDivElement | null>;
  query: string;
  range: LineRange | null;
  current: number | null;
}

/** A range of blocks between two spaces as high as all other blocks. */
export function LogBlocks({ source, first, end, heights, content, ...marks }: Props) {
  const keys = Array.from({ length: end - first }, (_, index) => first + index);
  return (
    <>
      <div style={{ height: `${heights.top(first)}px` }} />
      <div ref={content}>
        {keys.map((key) => {
          const lines = source.lines(key);
          return <Block {...{ key, number: key, lines, length: lines?.length ?? 0, height: heights.height(key), ...marks }} />;
        })}
      </div>
      <div style={{ height: `${Math.max(0, heights.total - heights.top(end))}px` }} />
    </>
  );
}
