import type { BrokenFile } from "../client/types";

/** What somebody misses who looks for a job type that is in one of these files. */
export function BrokenFiles({ files }: { files: readonly BrokenFile[] }) {
  if (!files.length) return null;
  return (
    <div class="trouble" role="status">
      <strong>Some job types are missing: the server cannot import them.</strong>
      <ul>
        {files.map(({ file, error }) => (
          <li key={file}>
            <code>{file}</code>: {error}
          </li>
        ))}
      </ul>
    </div>
  );
}
