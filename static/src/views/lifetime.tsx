import { ChoiceField } from "./choice-field";

type Props = Omit<Parameters<typeof ChoiceField>[0], "label" | "name" | "value" | "options" | "change"> & {
  /** Each with its name, and the seconds or null. */
  lifetimes: readonly (readonly [string, number | null])[];
  /** The place of the chosen one. */
  at: number;
  change: (at: number) => void;
};

/** After how long what is made expires. */
export const Lifetime = ({ lifetimes, at, change, ...rest }: Props) => (
  <ChoiceField
    {...rest}
    label="Expires"
    name="expires"
    value={String(at)}
    options={lifetimes.map(([name], place) => ({ value: String(place), name }))}
    change={(place) => change(Number(place))}
  />
);
