/* The permissions of a token, to be ticked. */

import { useUser } from "../app/services";
import { Check } from "../design/Field";
import { Icon } from "../design/Icon";
import { toggled } from "../sets";
import { may, type Permission } from "../types";
import { PERMISSIONS } from "./words";

interface PermissionsProps {
  offered: readonly Permission[];
  chosen: ReadonlySet<Permission>;
  error: string | undefined;
  onChange: (chosen: Set<Permission>) => void;
}

export function Permissions(props: PermissionsProps) {
  const { offered, chosen, error, onChange } = props;
  const user = useUser();

  return (
    <fieldset className="choice tokens-permissions">
      <legend>May do</legend>
      {offered.map((one) => (
        <Check
          key={one}
          label={PERMISSIONS[one]}
          hint={may(user, one) ? one : `${one}: more than you may do`}
          name={one}
          checked={chosen.has(one)}
          onChange={() => onChange(toggled(chosen, one))}
        />
      ))}
      {error !== undefined && (
        <p className="field-error" role="alert">
          <Icon name="alert" size={15} />
          {error}
        </p>
      )}
    </fieldset>
  );
}
