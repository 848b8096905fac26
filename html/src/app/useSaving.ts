/*
 * Saves what a dialog is about: the busy button, what was refused, and after a
 * success a word, the end of the dialog, and `what` asked for anew.
 */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useToast } from "../design/Toasts";
import type { Outcome, Refusal } from "../outcome";

export function useSaving(what: string, done: string, onClose: () => void) {
  const client = useQueryClient();
  const say = useToast();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  const save = async (ask: () => Promise<Outcome<unknown>>) => {
    setBusy(true);
    const outcome = await ask();
    setBusy(false);

    if (outcome.kind === "ok") {
      void client.invalidateQueries({ queryKey: [what] });
      say(done);
      onClose();
    } else {
      setRefusal(outcome);
    }
  };

  return { busy, refusal, save };
}
