/* Make a token: what it may do and for how long, then the token, this once. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay, useServices, useUser } from "../app/services";
import { Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { Dialog } from "../design/Dialog";
import { Area, Field, Select } from "../design/Field";
import { Notice, RefusalNotice } from "../design/Notice";
import { fieldMessage, otherMessages } from "../messages";
import { type Refusal, unwrap } from "../outcome";
import type { ApiTokenCreated } from "../types";
import {
  choices,
  EMPTY,
  EXPIRIES,
  FIELDS,
  isReady,
  toCreate,
  type TokenForm,
} from "./form";
import { Permissions } from "./Permissions";
import { expiryWords, WINDOWS } from "./words";

/* nothing but this component ever has the token: no query, no storage */
export function AddTokenDialog({ onClose }: { onClose: () => void }) {
  const { api } = useServices();
  const client = useQueryClient();
  const [form, setForm] = useState(EMPTY);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const [made, setMade] = useState<ApiTokenCreated>();

  const make = async () => {
    setBusy(true);
    const outcome = await api.tokens.create(toCreate(form, Date.now()));
    setBusy(false);

    if (outcome.kind === "ok") {
      void client.invalidateQueries({ queryKey: ["tokens"] });
      setMade(outcome.value);
    } else {
      setRefusal(outcome);
    }
  };

  if (made !== undefined) {
    return <Made made={made} onClose={onClose} />;
  }

  return (
    <Dialog
      title="Make an API token"
      onClose={onClose}
      onSubmit={() => void make()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            icon="key"
            busy={busy}
            disabled={!isReady(form)}
          >
            Make token
          </Button>
        </>
      }
    >
      <Trouble refusal={refusal} />
      <WhatFor form={form} onChange={setForm} refusal={refusal} />
      <HowMuch form={form} onChange={setForm} refusal={refusal} />
    </Dialog>
  );
}

function Made(props: { made: ApiTokenCreated; onClose: () => void }) {
  const { made, onClose } = props;

  return (
    <Dialog
      title="The new token"
      onClose={onClose}
      actions={
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <Copy label={made.name} text={made.token} />
      <Notice tone="info" icon="lock" title="It is shown this once">
        Whoever has it may do what it may. If it is lost, revoke it and make
        another one.
      </Notice>
      <p className="dialog-text">
        A program sends it as <code>Authorization: Bearer</code> or{" "}
        <code>X-API-Key</code>. It is good {made.expiresAt === null ? "for ever" : expiryWords(made.expiresAt)}.
      </p>
    </Dialog>
  );
}

/* what was refused and belongs to no field */
function Trouble({ refusal }: { refusal: Refusal | undefined }) {
  const others = otherMessages(refusal, FIELDS);

  if (refusal === undefined) {
    return null;
  }

  return refusal.kind !== "invalid" ? (
    <RefusalNotice refusal={refusal} what="user" />
  ) : others.length > 0 ? (
    <Notice tone="bad" title="That cannot be saved">
      {others.join(", ")}
    </Notice>
  ) : null;
}

interface FieldsProps {
  form: TokenForm;
  onChange: (form: TokenForm) => void;
  refusal: Refusal | undefined;
}

function WhatFor({ form, onChange, refusal }: FieldsProps) {
  const user = useUser();
  const [offered] = useState(() => choices(user));

  return (
    <>
      <Field
        label="Name"
        name="name"
        autoComplete="off"
        hint="What uses it, like: Reception display."
        maxLength={100}
        value={form.name}
        error={fieldMessage(refusal, "name")}
        onChange={(event) => onChange({ ...form, name: event.target.value })}
      />
      <Owner form={form} onChange={onChange} refusal={refusal} />
      <Permissions
        offered={offered}
        chosen={form.permissions}
        error={fieldMessage(refusal, "permissions")}
        onChange={(permissions) => onChange({ ...form, permissions })}
      />
    </>
  );
}

/* a token does no more than its owner's role allows */
function Owner({ form, onChange, refusal }: FieldsProps) {
  const { api } = useServices();
  const user = useUser();
  const manages = useMay("users:manage");
  const query = useQuery({
    queryKey: ["users", "owners"],
    enabled: manages,
    queryFn: async ({ signal }) => unwrap(await api.users.all(signal)).value,
  });

  return !manages ? null : (
    <Select
      label="Owner"
      name="owner"
      hint="It may do no more than its owner's role, and goes with them."
      value={form.owner}
      error={fieldMessage(refusal, "userId")}
      onChange={(event) => onChange({ ...form, owner: event.target.value })}
    >
      <option value="">{user.username} (you)</option>
      {(query.data ?? [])
        .filter(({ id, isActive }) => id !== user.id && isActive)
        .map(({ id, username }) => (
          <option key={id} value={id}>
            {username}
          </option>
        ))}
    </Select>
  );
}

function HowMuch({ form, onChange, refusal }: FieldsProps) {
  return (
    <>
      <Select
        label="Expires"
        name="expires"
        value={form.expiresIn}
        error={fieldMessage(refusal, "expiresAt")}
        onChange={(event) =>
          onChange({ ...form, expiresIn: Number(event.target.value) })
        }
      >
        {EXPIRIES.map(([seconds, words]) => (
          <option key={seconds} value={seconds}>
            {words}
          </option>
        ))}
      </Select>
      <div className="pair">
        <Field
          label="Requests at most"
          name="rateLimit"
          inputMode="numeric"
          maxLength={9}
          value={form.rateLimit}
          error={fieldMessage(refusal, "rateLimit")}
          onChange={(event) =>
            onChange({ ...form, rateLimit: event.target.value })
          }
        />
        <Select
          label="In"
          name="rateWindow"
          value={form.rateWindow}
          onChange={(event) =>
            onChange({ ...form, rateWindow: Number(event.target.value) })
          }
        >
          {WINDOWS.map(([seconds, words]) => (
            <option key={seconds} value={seconds}>
              {words}
            </option>
          ))}
        </Select>
      </div>
      <Area
        label="Allowed networks"
        optional
        name="allowedCidrs"
        rows={2}
        hint="Where it may be used from, one on each line, like 192.0.2.0/24. Empty means anywhere."
        value={form.allowedCidrs}
        error={fieldMessage(refusal, "allowedCidrs")}
        onChange={(event) =>
          onChange({ ...form, allowedCidrs: event.target.value })
        }
      />
      <Area
        label="Remark"
        optional
        name="remark"
        rows={2}
        maxLength={1000}
        value={form.remark}
        error={fieldMessage(refusal, "remark")}
        onChange={(event) => onChange({ ...form, remark: event.target.value })}
      />
    </>
  );
}
