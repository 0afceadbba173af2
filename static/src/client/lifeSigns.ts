let at = Date.now();

/** Notes that the server has answered or sent something. */
export const heard = (): void => void (at = Date.now());

/** Returns when the server was heard last, in milliseconds of this machine's clock. */
export const lastHeard = (): number => at;
