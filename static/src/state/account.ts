import { AccountApi } from "../client/accountApi";
import { session } from "./session";

/** The calls of the pages of settings and of the trail: not in the first load. */
export const account = new AccountApi(session);
