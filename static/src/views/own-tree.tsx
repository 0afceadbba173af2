import { api, connection } from "../state/app";
import { Run } from "../state/run";
import { TreeApproval } from "./tree-approval";
import type { TreeHost } from "./tree-host";
import { TreePanel, type TreeProps } from "./tree-panel";

const HOST: TreeHost = { run: (taskId) => new Run(taskId, api, connection), linked: true, Approval: TreeApproval };

/** The tree of a run on a page of the user's: its tasks have pages of their own, and what waits can be decided. */
export const OwnTree = (props: Omit<TreeProps, "host">) => <TreePanel {...props} host={HOST} />;
