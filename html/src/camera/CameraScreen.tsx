/*
 * One camera: its picture, live and recorded, what is known of it, what can be
 * done to it.
 */

import { useCallback, useState } from "react";
import { useMay } from "../app/services";
import { Title } from "../app/Title";
import { StatusBadge } from "../cameras/StatusBadge";
import { Button, ButtonLink } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu, MenuItem } from "../design/Menu";
import { Notice, Refused } from "../design/Notice";
import { sentence } from "../messages";
import { refusalOf, type Success } from "../outcome";
import { useCamera, useStreamState } from "../queries";
import { HOME, href } from "../router";
import type { Camera } from "../types";
import { Details } from "./Details";
import { EditDialog } from "./EditDialog";
import { KeyDialog } from "./KeyDialog";
import { RemoveDialog, RevokeDialog } from "./RemoveDialog";
import { Watch } from "./Watch";
import "./camera.css";

type Open = "edit" | "key" | "revoke" | "remove" | undefined;

export default function CameraScreen({ id }: { id: string }) {
  const query = useCamera(id);

  if (query.data === undefined) {
    return query.isError ? (
      <Refused
        refusal={refusalOf(query.error)}
        onRetry={() => void query.refetch()}
        actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
      />
    ) : (
      <Loading />
    );
  }

  const gone = query.isError && refusalOf(query.error).kind === "missing";

  return gone ? (
    <Refused
      refusal={refusalOf(query.error)}
      actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
    />
  ) : (
    <Loaded found={query.data} />
  );
}

function Loaded({ found }: { found: Success<Camera> }) {
  const camera = found.value;
  const [open, setOpen] = useState<Open>();
  const close = useCallback(() => setOpen(undefined), []);

  return (
    <>
      <Head camera={camera} onOpen={setOpen} />
      <div className="camera-screen">
        <div className="camera-main">
          <Watch key={camera.id} camera={camera}>
            <Warning camera={camera} />
          </Watch>
        </div>
        <Details camera={camera} />
      </div>
      {open === "edit" && <EditDialog found={found} onClose={close} />}
      {open === "key" && <KeyDialog camera={camera} onClose={close} />}
      {open === "revoke" && <RevokeDialog camera={camera} onClose={close} />}
      {open === "remove" && <RemoveDialog camera={camera} onClose={close} />}
    </>
  );
}

function Head(props: { camera: Camera; onOpen: (open: Open) => void }) {
  const { camera, onOpen } = props;
  const writes = useMay("cameras:write");

  return (
    <div className="screen-head camera-head">
      <a className="back" href={href(HOME)} aria-label="All cameras">
        <Icon name="back" size={20} />
      </a>
      <div className="camera-title">
        <Title text={camera.name} />
        <StatusBadge camera={camera} />
      </div>
      {writes && (
        <div className="actions">
          <ButtonLink
            icon="plug"
            href={href({ kind: "connect", id: camera.id })}
          >
            Connection
          </ButtonLink>
          <Button icon="edit" onClick={() => onOpen("edit")}>
            Edit
          </Button>
          <Menu label="More" button={<Icon name="more" />}>
            <MenuItem icon="key" onClick={() => onOpen("key")}>
              New key
            </MenuItem>
            <MenuItem icon="stop" onClick={() => onOpen("revoke")}>
              Revoke all keys
            </MenuItem>
            <hr className="menu-line" />
            <MenuItem icon="trash" danger onClick={() => onOpen("remove")}>
              Remove camera
            </MenuItem>
          </Menu>
        </div>
      )}
    </div>
  );
}

function Warning({ camera }: { camera: Camera }) {
  const { data } = useStreamState(camera.id);

  return data?.warning == null ? null : (
    <Notice tone="warn" title="About this stream">
      {sentence(data.warning)}
    </Notice>
  );
}

function Loading() {
  return (
    <div aria-busy="true" aria-label="Loading">
      <div className="screen-head camera-head">
        <span className="skeleton skeleton-title" />
      </div>
      <div className="camera-screen">
        <div className="camera-main">
          <div className="player" />
        </div>
        <div className="card details skeleton skeleton-details" />
      </div>
    </div>
  );
}
