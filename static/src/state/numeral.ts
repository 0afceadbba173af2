/** A number as it was written, which JavaScript would round or write in another way. */
export class Numeral {
  constructor(private readonly digits: string) {}

  toString(): string {
    return this.digits;
  }
}
