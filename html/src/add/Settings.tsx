/* The settings for one camera, in the words of what they are put into. */

import { type KeyboardEvent, useState } from "react";
import { useServices } from "../app/services";
import { Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { Notice, RefusalNotice } from "../design/Notice";
import type { Refusal } from "../outcome";
import type { Camera } from "../types";
import type { How } from "./Connect";
import { type Address, ffmpegCommand, type Source, SOURCES } from "./settings";

interface SettingsProps {
  camera: Camera;
  address: Address;
  how: How;
  onHow: (how: How) => void;
}

const TABS: readonly [How, string][] = [
  ["ffmpeg", "FFmpeg"],
  ["obs", "OBS"],
  ["camera", "IP camera"],
];

export function Settings({ camera, address, how, onHow }: SettingsProps) {
  return (
    <>
      <Copy label="Address to send to" text={address.whole} />
      <div className="segments" role="tablist" onKeyDown={walk}>
        {TABS.map(([one, name]) => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`tab-${one}`}
            aria-selected={how === one}
            aria-controls="settings"
            tabIndex={how === one ? 0 : -1}
            onClick={() => onHow(one)}
          >
            {name}
          </button>
        ))}
      </div>
      <div
        id="settings"
        className="settings"
        role="tabpanel"
        aria-labelledby={`tab-${how}`}
      >
        {how === "ffmpeg" && <Ffmpeg address={address} />}
        {how === "obs" && <Obs address={address} />}
        {how === "camera" && <IpCamera camera={camera} address={address} />}
      </div>
      <Notice tone="calm" icon="lock">
        The address is a secret: whoever has it can send pictures as this
        camera. Video is H.264, sound AAC or none.
      </Notice>
    </>
  );
}

function Ffmpeg({ address }: { address: Address }) {
  const [source, setSource] = useState<Source>("test");

  return (
    <>
      <fieldset className="sources">
        <legend className="field-label">What it sends</legend>
        {SOURCES.map(([one, name]) => (
          <label key={one} className="check">
            <input
              type="radio"
              name="source"
              checked={source === one}
              onChange={() => setSource(one)}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <Copy label="Command" text={ffmpegCommand(source, address)} />
      {source === "file" && (
        <p className="field-hint">
          Put your file in place of FILE.mp4; it is sent again and again.
        </p>
      )}
      {source === "rtsp" && (
        <p className="field-hint">
          Put in the camera&apos;s own RTSP address. Its video is passed on as
          it is, so it has to be H.264.
        </p>
      )}
    </>
  );
}

function Obs({ address }: { address: Address }) {
  return (
    <>
      <p>
        Settings, Stream: the service is <b>Custom…</b>, then
      </p>
      <Copy label="Server" text={address.server} />
      <Copy label="Stream key" text={address.key} />
      <p className="field-hint">
        Settings, Output, mode Advanced: keyframe interval <b>2 s</b>, B-frames{" "}
        <b>0</b>, encoder x264 or your card&apos;s H.264.
      </p>
    </>
  );
}

function IpCamera({ camera, address }: { camera: Camera; address: Address }) {
  return (
    <>
      <p>
        Look for <b>RTMP</b> or <b>RTMPS push</b> in the camera&apos;s network
        or platform settings. Where there is one field, the whole address above
        goes in. Where there are more:
      </p>
      <div className="pair">
        <Copy label="Host" text={address.host} />
        <Copy label="Port" text={address.port} />
      </div>
      <Copy label="Server" text={address.server} />
      <Copy label="Stream name or key" text={address.key} />
      <ShortKey camera={camera} />
      <p className="field-hint">
        Set the video to H.264, its I-frame interval to two seconds, and
        &ldquo;smart&rdquo; codecs (H.264+, Zipstream) to off.
      </p>
    </>
  );
}

/* firmware cuts long addresses without a word */
function ShortKey({ camera }: { camera: Camera }) {
  const { api } = useServices();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const [address, setAddress] = useState<string>();

  const make = async () => {
    setBusy(true);
    const outcome = await api.rotateKey(camera.id, { opaque: true });
    setBusy(false);

    if (outcome.kind === "ok") {
      setAddress(outcome.value.rtmpUrl);
    } else {
      setRefusal(outcome);
    }
  };

  if (address !== undefined) {
    return (
      <Copy
        label="Short address"
        text={address}
        hint="It is shown this once. The long one goes on for a day."
      />
    );
  }

  return (
    <div className="short-key">
      {refusal !== undefined && <RefusalNotice refusal={refusal} />}
      <span>Is the field too short for the address?</span>
      <Button small icon="key" busy={busy} onClick={() => void make()}>
        Make a short one
      </Button>
    </div>
  );
}

function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];

  if (step === undefined) {
    return;
  }

  const tabs = [
    ...event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]"),
  ];
  const at = tabs.indexOf(document.activeElement as HTMLElement);
  const next = tabs[(at + step + tabs.length) % tabs.length];

  next?.focus();
  next?.click();
}
