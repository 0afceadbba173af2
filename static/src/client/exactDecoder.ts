import { Decoder, Encoder, protocol } from "socket.io-parser";
import { digits, hasLongNumber, markLongNumbers } from "./json";

/** The decoder of Socket.IO, which keeps the digits of long integers. Messages without any take no longer than otherwise. */
class ExactDecoder extends Decoder {
  private readonly exact = new Decoder(digits);

  constructor() {
    super();
    this.exact.on("decoded", (packet) => this.emitReserved("decoded", packet));
  }

  override add(data: unknown): void {
    if (typeof data === "string" && hasLongNumber(data)) this.exact.add(markLongNumbers(data));
    else super.add(data);
  }
}

export const exactParser = { protocol, Encoder, Decoder: ExactDecoder };
