/*
 * The second and third step: the settings to put into the camera, and beside
 * them what the server hears of it, until its picture is there.
 */

import { useEffect, useState } from "react";
import { useMay } from "../app/services";
import { Title } from "../app/Title";
import { cameraWords } from "../cameras/status";
import { ButtonLink } from "../design/Button";
import { Icon } from "../design/Icon";
import { Notice, RefusalNotice, Refused } from "../design/Notice";
import { sentence } from "../messages";
import { refusalOf } from "../outcome";
import { LivePlayer } from "../player/LivePlayer";
import { useAddress, useCamera, useStreamState } from "../queries";
import { HOME, href } from "../router";
import type { Camera, StreamState } from "../types";
import { codecs, frames, resolution } from "../camera/facts";
import { NotForYou } from "./AddCamera";
import { Settings } from "./Settings";
import { type Address, hints, readAddress } from "./settings";
import { Steps } from "./Steps";
import "./add.css";

export type How = "ffmpeg" | "obs" | "camera";

const HINTS_AFTER_MS = 20_000;

export default function Connect({ id }: { id: string }) {
  return useMay("cameras:write") ? <Loader id={id} /> : <NotForYou />;
}

function Loader({ id }: { id: string }) {
  const camera = useCamera(id);

  if (camera.data !== undefined) {
    return <Screen camera={camera.data.value} />;
  }

  return camera.isError ? (
    <Refused
      refusal={refusalOf(camera.error)}
      onRetry={() => void camera.refetch()}
      actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
    />
  ) : (
    <div className="add" aria-busy="true" aria-label="Loading" />
  );
}

function Screen({ camera }: { camera: Camera }) {
  const [how, setHow] = useState<How>("ffmpeg");
  const address = useAddress(camera.id);
  const parsed = readAddress(address.data ?? "");
  const stream = useStreamState(camera.id);
  const online = stream.data?.status === "online" ? stream.data : undefined;

  return (
    <div className="add add-wide">
      <div className="screen-head">
        <a
          className="back"
          href={href({ kind: "camera", id: camera.id })}
          aria-label={`To ${camera.name}`}
        >
          <Icon name="back" size={20} />
        </a>
        <Title text={`Connect ${camera.name}`} />
      </div>
      <Steps at={online !== undefined ? 2 : 1} />
      <div className="connect">
        <section className="card connect-settings">
          {parsed !== undefined ? (
            <Settings
              key={parsed.whole}
              camera={camera}
              address={parsed}
              how={how}
              onHow={setHow}
            />
          ) : address.isError ? (
            <RefusalNotice refusal={refusalOf(address.error)} />
          ) : address.data == null ? (
            <span className="spinner" />
          ) : (
            <Notice tone="bad" title="The server gave no address to send to">
              Its operator has to set one: camera_api_publish_url.
            </Notice>
          )}
        </section>
        <section className="card connect-state" aria-live="polite">
          {online !== undefined ? (
            <Connected camera={camera} state={online} />
          ) : (
            <Waiting
              camera={camera}
              state={stream.data}
              address={parsed}
              how={how}
            />
          )}
        </section>
      </div>
    </div>
  );
}

interface WaitingProps {
  camera: Camera;
  state: StreamState | undefined;
  address: Address | undefined;
  how: How;
}

function Waiting({ camera, state, address, how }: WaitingProps) {
  const late = useLater(HINTS_AFTER_MS);
  const arriving = state?.status === "connecting";

  return (
    <>
      <div className="waiting" data-arriving={arriving}>
        <span className="waiting-eye">
          <Icon name={arriving ? "plug" : "camera"} size={28} />
        </span>
        <h2>
          {arriving
            ? "Your camera is here…"
            : camera.isActive
              ? "Waiting for your camera…"
              : "This camera is switched off"}
        </h2>
        <p>
          {arriving
            ? "Its first picture is on the way."
            : camera.isActive
              ? "Leave this page open. It notices by itself."
              : "Switch it on under Edit before it can connect."}
        </p>
      </div>
      {state?.status === "error" && state.warning === null && (
        <Notice tone="bad" title={cameraWords(camera).word}>
          The last stream of this camera ended with an error.
        </Notice>
      )}
      {state?.warning != null && (
        <Notice tone="warn" title="The last attempt">
          {sentence(state.warning)}
        </Notice>
      )}
      {late && !arriving && address !== undefined && (
        <div className="hints">
          <h3>Still nothing?</h3>
          <ul>
            {hints(address, how).map((hint) => (
              <li key={hint}>{hint}</li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function Connected(props: { camera: Camera; state: StreamState }) {
  const { camera, state } = props;
  const facts = [
    state.resolution !== null ? resolution(state.resolution) : undefined,
    state.fps !== null ? `${frames(state.fps)}` : undefined,
    state.codecs !== null ? codecs(state.codecs) : undefined,
  ].filter((one) => one !== undefined);

  return (
    <>
      <div className="connected">
        <span className="connected-mark">
          <Icon name="check" size={20} />
        </span>
        <div>
          <h2>Connected</h2>
          <p>{facts.join(" · ")}</p>
        </div>
      </div>
      <LivePlayer camera={camera} />
      {state.warning !== null && (
        <Notice tone="warn" title="About this stream">
          {sentence(state.warning)}
        </Notice>
      )}
      <div className="connect-done">
        <ButtonLink icon="plus" href={href({ kind: "add" })}>
          Add another
        </ButtonLink>
        <ButtonLink
          look="primary"
          href={href({ kind: "camera", id: camera.id })}
        >
          Open camera
        </ButtonLink>
      </div>
    </>
  );
}

function useLater(ms: number): boolean {
  const [later, setLater] = useState(false);

  useEffect(() => {
    const timer = setTimeout(() => setLater(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);

  return later;
}
