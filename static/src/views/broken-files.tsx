import type { BrokenFile } from "../client/types";

/** Names the job files that the server cannot import, so that nobody looks for their job types in vain. */
export function BrokenFiles({ files }: { files: readonly BrokenFile[] }) {
  if (!files.length) return null;
  return (
    <div class="problem" role="status">
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
