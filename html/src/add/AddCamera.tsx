/*
 * The first step of adding a camera: what it is and where.  A request that may
 * or may not have arrived is repeated under the same key, so that pressing
 * the button twice adds one camera.
 */

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useMay, useServices } from "../app/services";
import { Title } from "../app/Title";
import { CameraExtras, CameraFields } from "../camera/CameraFields";
import { incomplete, Trouble } from "../camera/EditDialog";
import { EMPTY, missing, toCreate } from "../camera/form";
import { Button, ButtonLink } from "../design/Button";
import { Icon } from "../design/Icon";
import { Blank } from "../design/Notice";
import type { Refusal } from "../outcome";
import { keys } from "../queries";
import { go, HOME, href } from "../router";
import { Steps } from "./Steps";
import { newKey } from "./attempt";
import "./add.css";

export default function AddCamera() {
  return useMay("cameras:write") ? <Form /> : <NotForYou />;
}

function Form() {
  const { api } = useServices();
  const client = useQueryClient();
  const [form, setForm] = useState(EMPTY);
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const attempt = useRef({ body: "", key: "" });
  const element = useRef<HTMLFormElement>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const fields = missing(form);

    if (fields.length > 0) {
      refuse(incomplete(fields));
      return;
    }

    const body = toCreate(form);
    const text = JSON.stringify(body);

    if (attempt.current.body !== text) {
      attempt.current = { body: text, key: newKey() };
    }

    setBusy(true);
    const outcome = await api.createCamera(body, attempt.current.key);
    setBusy(false);

    if (outcome.kind !== "ok") {
      refuse(outcome);
      return;
    }

    const { id, rtmpUrl } = outcome.value;

    client.setQueryData(keys.camera(id), outcome);
    client.setQueryData(keys.address(id), rtmpUrl);
    void client.invalidateQueries({ queryKey: keys.lists });
    go({ kind: "connect", id }, "replace");
  };

  /* the first field that is wrong is where to go on */
  const refuse = (why: Refusal) => {
    setRefusal(why);
    requestAnimationFrame(() => {
      element.current
        ?.querySelector<HTMLElement>('[aria-invalid="true"]')
        ?.focus();
    });
  };

  return (
    <div className="add">
      <div className="screen-head">
        <a className="back" href={href(HOME)} aria-label="All cameras">
          <Icon name="back" size={20} />
        </a>
        <Title text="Add a camera" focus={false} />
      </div>
      <Steps at={0} />
      <form
        ref={element}
        className="card add-form"
        onSubmit={(event) => void submit(event)}
        noValidate
      >
        <Trouble refusal={refusal} />
        <CameraFields
          form={form}
          onChange={setForm}
          refusal={refusal}
          autoFocus
        />
        <details
          className="more-fields"
          open={hasExtraError(refusal) ? true : undefined}
        >
          <summary>
            <Icon name="down" size={16} />
            More settings
          </summary>
          <div>
            <CameraExtras form={form} onChange={setForm} refusal={refusal} />
          </div>
        </details>
        <div className="add-actions">
          <ButtonLink href={href(HOME)}>Cancel</ButtonLink>
          <Button type="submit" look="primary" busy={busy}>
            Add and connect
          </Button>
        </div>
      </form>
    </div>
  );
}

function hasExtraError(refusal: Refusal | undefined): boolean {
  return (
    refusal?.code === "CAMERA_EXTERNAL_ID_DUPLICATE" ||
    (refusal?.kind === "invalid" &&
      refusal.fields.some(({ field }) =>
        /^(externalId|allowedCidrs)/.test(field),
      ))
  );
}

export function NotForYou() {
  return (
    <Blank
      icon="lock"
      title="Not for your role"
      tone="bad"
      actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
    >
      <p>Cameras are added by operators and administrators.</p>
    </Blank>
  );
}
