/* What cannot be undone: said in full before, and what came of it after. */

import { useQueryClient } from "@tanstack/react-query";
import { useServices } from "../app/services";
import { Confirm, Consequence } from "../design/Confirm";
import { useToast } from "../design/Toasts";
import { keys } from "../queries";
import { go, HOME } from "../router";
import type { Camera, CameraRemoved } from "../types";
import { useRenewCamera } from "./useRenewCamera";

interface Props {
  camera: Camera;
  onClose: () => void;
}

export function RevokeDialog({ camera, onClose }: Props) {
  const { api } = useServices();
  const renew = useRenewCamera();
  const say = useToast();
  const online = camera.streamStatus === "online";

  return (
    <Confirm
      title="Revoke all keys?"
      action="Revoke"
      onClose={onClose}
      work={() => api.revokeKeys(camera.id)}
      onDone={() => {
        renew(camera.id);
        say("Revoked. Its next address is under Connection.");
        onClose();
      }}
    >
      <p className="dialog-text">
        For a key that fell into wrong hands. Every address that{" "}
        <b>{camera.name}</b> has had stops working.
      </p>
      <ul className="facts">
        <Consequence icon="camera-off">
          {online
            ? "The live picture ends within a second."
            : "It is not live now, so no picture ends."}
        </Consequence>
        <Consequence icon="plug">
          It sends again once it has a new address; see Connection.
        </Consequence>
      </ul>
    </Confirm>
  );
}

export function RemoveDialog({ camera, onClose }: Props) {
  const { api } = useServices();
  const client = useQueryClient();
  const say = useToast();
  const online = camera.streamStatus === "online";

  return (
    <Confirm
      title={`Remove ${camera.name}?`}
      action="Remove camera"
      onClose={onClose}
      work={() => api.deleteCamera(camera.id)}
      onDone={(removed: CameraRemoved) => {
        say(removedWords(camera.name, removed));
        go(HOME);
        client.removeQueries({ queryKey: keys.camera(camera.id) });
        void client.invalidateQueries({ queryKey: keys.lists });
      }}
    >
      <ul className="facts">
        <Consequence icon="camera-off">
          {online
            ? "It is live: it is cut, and its viewers go dark within a second."
            : "It is not live now."}
        </Consequence>
        <Consequence icon="trash">
          What can be seen live is deleted within a minute.
        </Consequence>
        <Consequence icon="key">Its keys are dead for good.</Consequence>
        <Consequence icon="download">
          Recordings stay for as long as they would have.
        </Consequence>
      </ul>
    </Confirm>
  );
}

function removedWords(name: string, removed: CameraRemoved): string {
  const live =
    removed.liveStream === "ended" ? " and its live picture ended" : "";

  return `${name} was removed${live}. Recordings are kept.`;
}
