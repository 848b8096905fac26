/*
 * Somebody else chose the password: until there is another one the server
 * answers nothing else, so there is no other screen either.
 */

import { type FormEvent, useEffect } from "react";
import { PasswordFields, usePasswordChange } from "../app/PasswordChange";
import { useServices, useUser } from "../app/services";
import { Button } from "../design/Button";
import { Mark } from "../design/Icon";
import { refusalWords } from "../design/Notice";
import { useToast } from "../design/Toasts";
import "./login.css";

export function ChoosePassword() {
  const { api, session } = useServices();
  const user = useUser();
  const say = useToast();
  const change = usePasswordChange(async () => {
    await api.passwordCounts();
    session.passwordChanged();
  });

  useEffect(() => {
    document.title = "Choose a new password";
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void change.save();
  };

  const leave = async () => {
    const outcome = await session.logout();

    if (outcome.kind !== "ok" && outcome.kind !== "signed-out") {
      say(`You are still signed in. ${refusalWords(outcome).title}.`, "bad");
    }
  };

  return (
    <main className="login">
      <div className="login-box card">
        <Mark size={40} />
        <h1>Choose a new password</h1>
        <p className="login-lead">
          An administrator chose the one of {user.username}. Only you should
          know it.
        </p>
        <form onSubmit={submit} noValidate>
          <PasswordFields present="Password you were given" change={change} />
          <Button
            type="submit"
            look="primary"
            wide
            busy={change.busy}
            disabled={!change.ready}
          >
            Save and go on
          </Button>
          <Button look="quiet" wide onClick={() => void leave()}>
            Sign out
          </Button>
        </form>
      </div>
    </main>
  );
}
