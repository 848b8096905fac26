/* What is known of a camera, and what its stream does now. */

import type { ReactNode } from "react";
import { refusalWords } from "../design/Notice";
import { refusalOf } from "../outcome";
import { useStreamState } from "../queries";
import { HOME, href } from "../router";
import type { Camera, StreamState } from "../types";
import { ago, bitrate, codecs, day, frames, moment, resolution } from "./facts";

export function Details({ camera }: { camera: Camera }) {
  const stream = useStreamState(camera.id);

  return (
    <aside className="details">
      <section className="card">
        <h2>Stream</h2>
        {stream.data !== undefined ? (
          <StreamFacts state={stream.data} />
        ) : stream.isError ? (
          <p className="details-none">
            {refusalWords(refusalOf(stream.error)).title}.
          </p>
        ) : (
          <p className="details-none">Asking…</p>
        )}
      </section>

      <section className="card">
        <h2>Details</h2>
        <dl>
          <Text name="Place" text={camera.place} />
          <Text name="Location" text={camera.location} />
          <Text name="Camera" text={`${camera.company} ${camera.model}`} />
          <Text name="Serial number" text={camera.serialNumber} mono />
          <Text name="Your own id" text={camera.externalId ?? ""} mono />
          {camera.tags.length > 0 && (
            <Fact name="Tags">
              <span className="tags">
                {camera.tags.map((tag) => (
                  <a key={tag} href={href({ ...HOME, tag })}>
                    {tag}
                  </a>
                ))}
              </span>
            </Fact>
          )}
          <Fact name="Sends from">
            {camera.allowedCidrs.length === 0
              ? "any address"
              : camera.allowedCidrs.join(", ")}
          </Fact>
          <Fact name="Added">{day(camera.createdAt)}</Fact>
          <Fact name="Changed">{moment(camera.updatedAt)}</Fact>
        </dl>
      </section>
    </aside>
  );
}

function StreamFacts({ state }: { state: StreamState }) {
  return (
    <dl>
      <Fact name="Last picture">
        {state.lastSeen === null ? "never" : ago(state.lastSeen)}
      </Fact>
      {state.resolution !== null && (
        <Fact name="Resolution">{resolution(state.resolution)}</Fact>
      )}
      {state.fps !== null && <Fact name="Pictures">{frames(state.fps)}</Fact>}
      {state.bitrate !== null && (
        <Fact name="Bit rate">{bitrate(state.bitrate)}</Fact>
      )}
      {state.codecs !== null && (
        <Fact name="Codecs">{codecs(state.codecs)}</Fact>
      )}
      {state.droppedFrames !== null && state.droppedFrames > 0 && (
        <Fact name="Lost pictures">{state.droppedFrames}</Fact>
      )}
      <Fact name="Viewers">{state.viewerCount}</Fact>
      {state.nodeId !== null && <Fact name="Server">{state.nodeId}</Fact>}
    </dl>
  );
}

/* a camera that was added at the command line has a name and no more */
function Text(props: { name: string; text: string; mono?: boolean }) {
  const { name, text, mono } = props;

  return text.trim() === "" ? null : (
    <Fact name={name}>
      {mono === true ? <span className="mono">{text}</span> : text}
    </Fact>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
