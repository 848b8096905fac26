/* After a change: what is shown of a camera, and the lists it stands in. */

import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { keys } from "../queries";

export function useRenewCamera(): (id: string) => void {
  const client = useQueryClient();

  return useCallback(
    (id) => {
      for (const queryKey of [
        keys.lists,
        keys.allCameras,
        keys.stream(id),
        keys.address(id),
      ]) {
        void client.invalidateQueries({ queryKey });
      }
    },
    [client],
  );
}
