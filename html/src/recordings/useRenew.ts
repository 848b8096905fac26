/* After a change: what is shown of a camera's recordings. */

import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { keys as all } from "../queries";
import { keys } from "./queries";

export function useRenewRecordings(): (cameraId: string) => void {
  const client = useQueryClient();

  return useCallback(
    (cameraId) => {
      for (const queryKey of [
        keys.timelines(cameraId),
        keys.allFiles(cameraId),
        keys.exports(cameraId),
        keys.schedule(cameraId),
        all.stream(cameraId),
      ]) {
        void client.invalidateQueries({ queryKey });
      }
    },
    [client],
  );
}
