/* Sign up, where the server lets anybody do so. */

import { type FormEvent, useState } from "react";
import { auth } from "../api";
import { useServices } from "../app/services";
import { Button } from "../design/Button";
import { Field, PasswordField } from "../design/Field";
import { Notice } from "../design/Notice";
import { fieldMessage } from "../messages";
import type { Refusal } from "../outcome";

export function Register({ onBack }: { onBack: () => void }) {
  const { session } = useServices();
  const [values, setValues] = useState({
    tenantName: "",
    name: "",
    email: "",
    password: "",
  });
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  const field = (name: keyof typeof values) => ({
    name,
    required: true,
    value: values[name],
    error: fieldMessage(refusal, name),
    onChange: (event: { target: { value: string } }) =>
      setValues({ ...values, [name]: event.target.value }),
  });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);

    const outcome = await session.join(() => auth.register(values));

    /* on success this screen is gone by now */
    if (outcome.kind !== "ok") {
      setBusy(false);
      setRefusal(outcome);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      {refusal !== undefined && refusal.kind !== "invalid" && (
        <Notice tone="bad" title="Signing up did not work">
          {refusal.message}
        </Notice>
      )}
      <Field label="Organisation" maxLength={100} {...field("tenantName")} />
      <Field
        label="Your name"
        autoComplete="name"
        maxLength={100}
        {...field("name")}
      />
      <Field
        label="E-mail"
        type="email"
        autoComplete="email"
        maxLength={254}
        {...field("email")}
      />
      <PasswordField
        label="Password"
        autoComplete="new-password"
        maxLength={72}
        {...field("password")}
      />
      <Button type="submit" look="primary" wide busy={busy}>
        Sign up
      </Button>
      <Button wide onClick={onBack}>
        I have an account
      </Button>
    </form>
  );
}
