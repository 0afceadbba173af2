/** The name of a field of a form, with a mark when the field is required. */
export const FieldName = ({ name, required }: { name: string; required: boolean }) => (
  <span>
    {name}
    {required && (
      <b class="required" title="required">
        {" "}
        *
      </b>
    )}
  </span>
);
