/* Add a user, or change one. */

import { useState } from "react";
import { useKey } from "../add/attempt";
import { useServices } from "../app/services";
import { useSaving } from "../app/useSaving";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Check, Field, Select } from "../design/Field";
import type { Refusal } from "../outcome";
import type { Account } from "../types";
import {
  EMPTY,
  makePassword,
  roleName,
  ROLES,
  toCreate,
  toForm,
  toUpdate,
  type UserForm,
  userMessage,
} from "./form";
import { Trouble } from "./Trouble";

export function AddUserDialog({ onClose }: { onClose: () => void }) {
  const { api } = useServices();
  const [form, setForm] = useState(EMPTY);
  const [password, setPassword] = useState(makePassword);
  const keyOf = useKey();
  const { busy, refusal, save } = useSaving("users", "User added.", onClose);

  const add = () => {
    const body = toCreate(form, password);

    return api.users.create(body, keyOf(body));
  };

  return (
    <Dialog
      title="Add user"
      onClose={onClose}
      onSubmit={() => void save(add)}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={form.username.trim() === "" || password === ""}
          >
            Add user
          </Button>
        </>
      }
    >
      <Trouble refusal={refusal} />
      <Field
        label="User name"
        name="username"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={50}
        value={form.username}
        error={userMessage(refusal, "username")}
        onChange={(event) => setForm({ ...form, username: event.target.value })}
      />
      <UserFields form={form} onChange={setForm} refusal={refusal} />
      <FirstPassword
        value={password}
        onChange={setPassword}
        error={userMessage(refusal, "password")}
      />
    </Dialog>
  );
}

interface EditProps {
  account: Account;
  onClose: () => void;
}

export function EditUserDialog({ account, onClose }: EditProps) {
  const { api } = useServices();
  const [before] = useState(() => toForm(account));
  const [form, setForm] = useState(before);
  const { busy, refusal, save } = useSaving("users", "Saved.", onClose);
  const update = toUpdate(before, form);

  return (
    <Dialog
      title={`Edit ${account.username}`}
      onClose={onClose}
      onSubmit={() => void save(() => api.users.update(account.id, update))}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabled={Object.keys(update).length === 0}
          >
            Save
          </Button>
        </>
      }
    >
      <Trouble refusal={refusal} />
      <UserFields form={form} onChange={setForm} refusal={refusal} />
      <Check
        label="May log in"
        hint="Without this the user is logged out everywhere."
        name="isActive"
        checked={form.isActive}
        onChange={(event) =>
          setForm({ ...form, isActive: event.target.checked })
        }
      />
    </Dialog>
  );
}

interface FieldsProps {
  form: UserForm;
  onChange: (form: UserForm) => void;
  refusal: Refusal | undefined;
}

function UserFields({ form, onChange, refusal }: FieldsProps) {
  return (
    <>
      <Field
        label="Name"
        name="name"
        optional
        autoComplete="off"
        maxLength={100}
        value={form.name}
        error={userMessage(refusal, "name")}
        onChange={(event) => onChange({ ...form, name: event.target.value })}
      />
      <Field
        label="E-mail"
        name="email"
        optional
        type="email"
        autoComplete="off"
        maxLength={254}
        value={form.email}
        error={userMessage(refusal, "email")}
        onChange={(event) => onChange({ ...form, email: event.target.value })}
      />
      <Select
        label="Role"
        name="role"
        value={form.role}
        error={userMessage(refusal, "role")}
        onChange={(event) =>
          onChange({
            ...form,
            role: ROLES.find((one) => one === event.target.value) ?? form.role,
          })
        }
      >
        {ROLES.map((role) => (
          <option key={role} value={role}>
            {roleName(role)}
          </option>
        ))}
      </Select>
      <Check
        label="Sees granted cameras only"
        hint="Administrators see all."
        name="cameraScope"
        checked={form.cameraScope === "granted"}
        onChange={(event) =>
          onChange({
            ...form,
            cameraScope: event.target.checked ? "granted" : "all",
          })
        }
      />
    </>
  );
}

interface PasswordProps {
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
}

/* it is shown, as it has to be told to somebody */
export function FirstPassword({ value, onChange, error }: PasswordProps) {
  return (
    <Field
      label="First password"
      name="password"
      className="input mono"
      hint="Tell it to the user, who has to choose another one at the next login."
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      maxLength={72}
      value={value}
      error={error}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
