/* Which of the states of the session is shown, and within it which screen. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { forgetPosters } from "../cameras/posters";
import { Button } from "../design/Button";
import { Mark } from "../design/Icon";
import { Blank, refusalWords } from "../design/Notice";
import { ChoosePassword } from "../login/ChoosePassword";
import { Login } from "../login/Login";
import type { Refusal } from "../outcome";
import { Screens } from "./Screens";
import { CurrentUser, useServices, useSessionState } from "./services";
import { Shell } from "./Shell";

const AGAIN_MS = 3000;

export function App() {
  const state = useSessionState();
  const client = useQueryClient();
  const who = state.kind === "in" ? state.user.id : undefined;

  /* what one user has seen is not for the next */
  useEffect(
    () => () => {
      client.clear();
      forgetPosters();
    },
    [client, who],
  );

  switch (state.kind) {
    case "starting":
      return <Starting />;
    case "away":
      return <Away refusal={state.refusal} />;
    case "out":
      return <Login ended={state.ended} />;
    case "in":
      return (
        <CurrentUser.Provider value={state.user}>
          {state.user.mustChangePassword ? (
            <ChoosePassword />
          ) : (
            <Shell>
              <Screens />
            </Shell>
          )}
        </CurrentUser.Provider>
      );
  }
}

function Starting() {
  return (
    <main className="starting" aria-busy="true" aria-label="Loading">
      <Mark size={44} />
    </main>
  );
}

function Away({ refusal }: { refusal: Refusal }) {
  const { session } = useServices();
  const { title, text } = refusalWords(refusal);

  useEffect(() => {
    const timer = setInterval(() => void session.start(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [session]);

  return (
    <main className="starting">
      <Blank
        icon="plug"
        title={title}
        tone="bad"
        actions={
          <Button icon="refresh" onClick={() => void session.start()}>
            Try again
          </Button>
        }
      >
        <p>{text}</p>
      </Blank>
    </main>
  );
}
