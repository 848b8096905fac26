/*
 * Log in.  What the server answers is said where it helps: wrong credentials
 * at the form, a wait with the seconds that are left, an absent server with a
 * promise that nothing was lost.
 */

import { type FormEvent, useEffect, useRef, useState } from "react";
import { auth } from "../api";
import { useServices } from "../app/services";
import { Button, ButtonLink } from "../design/Button";
import { Check, Field, PasswordField } from "../design/Field";
import { Mark } from "../design/Icon";
import { Notice, seconds } from "../design/Notice";
import type { Refusal } from "../outcome";
import type { Providers } from "../types";
import { errorWords, providerAddress, takeError } from "./providers";
import { Register } from "./Register";
import "./login.css";

export function Login({ ended }: { ended: boolean }) {
  const { session } = useServices();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [remember, setRemember] = useState(true);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const [error, setError] = useState<string>();
  const [newcomer, setNewcomer] = useState(false);
  const others = useProviders();
  const left = useCountdown(refusal);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    document.title = "Sign in";
    setError((old) => takeError() ?? old);
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();

    if (username.trim() === "" || password === "") {
      form.current?.querySelector<HTMLInputElement>("input:invalid")?.focus();
      return;
    }

    setBusy(true);
    setError(undefined);
    const outcome = await session.login({
      username: username.trim(),
      password,
      remember,
    });

    /* on success this screen is gone by now */
    if (outcome.kind !== "ok") {
      setBusy(false);
      setRefusal(outcome);
      form.current?.querySelector<HTMLInputElement>("[name=password]")?.focus();
    }
  };

  return (
    <main className="login">
      <div className="login-box card">
        <Mark size={40} />
        <h1>{newcomer ? "Sign up" : "Sign in"}</h1>
        <p className="login-lead">Watch and manage your cameras.</p>

        {newcomer && <Register onBack={() => setNewcomer(false)} />}

        <form
          ref={form}
          hidden={newcomer}
          onSubmit={(event) => void submit(event)}
          noValidate
        >
          {ended && refusal === undefined && (
            <Notice tone="info" title="Your session has ended">
              Sign in again to go on where you were.
            </Notice>
          )}
          {error !== undefined && (
            <Notice tone="bad" title="Signing in did not work">
              {errorWords(error)}
            </Notice>
          )}
          {refusal !== undefined && <Why refusal={refusal} left={left} />}

          <Field
            label="User name or e-mail"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
            maxLength={254}
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          <PasswordField
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            maxLength={72}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
          <Check
            label="Stay signed in"
            hint="For 30 days on this device."
            checked={remember}
            onChange={(event) => setRemember(event.target.checked)}
          />
          <Button
            type="submit"
            look="primary"
            wide
            busy={busy}
            disabled={left > 0}
          >
            {left > 0 ? `Wait ${seconds(left)}` : "Sign in"}
          </Button>
          {others?.providers.map(({ name, label }) => (
            <ButtonLink
              key={name}
              wide
              href={providerAddress(
                name,
                location.pathname + location.hash,
                remember,
              )}
            >
              Sign in with {label}
            </ButtonLink>
          ))}
          {others?.registration === true && (
            <Button look="quiet" wide onClick={() => setNewcomer(true)}>
              Sign up
            </Button>
          )}
        </form>
      </div>
    </main>
  );
}

function Why({ refusal, left }: { refusal: Refusal; left: number }) {
  switch (refusal.kind) {
    case "credentials":
      return (
        <Notice tone="bad" title="User name or password is wrong">
          Both are checked together; capital letters matter in the password.
        </Notice>
      );

    case "busy":
      return left > 0 ? (
        <Notice tone="warn" title="Too many attempts" icon="pause">
          For your protection the next one is possible in {seconds(left)}.
        </Notice>
      ) : (
        <Notice tone="info" title="You can try again now" />
      );

    case "away":
      return (
        <Notice tone="bad" title="The server cannot be reached" icon="plug">
          Your password was not refused. Try again in a moment.
        </Notice>
      );

    default:
      return (
        <Notice tone="bad" title="Signing in did not work">
          {refusal.message}
          {refusal.requestId !== undefined && (
            <span className="mono"> Request {refusal.requestId}</span>
          )}
        </Notice>
      );
  }
}

/* what there is beside a password; without an answer there is nothing */
function useProviders(): Providers | undefined {
  const [providers, setProviders] = useState<Providers>();

  useEffect(() => {
    void auth.providers().then((outcome) => {
      if (outcome.kind === "ok") {
        setProviders(outcome.value);
      }
    });
  }, []);

  return providers;
}

/* seconds until the next attempt is allowed */
function useCountdown(refusal: Refusal | undefined): number {
  const [left, setLeft] = useState(0);

  useEffect(() => {
    if (refusal?.kind !== "busy") {
      setLeft(0);
      return;
    }

    const until = Date.now() + refusal.seconds * 1000;
    const tick = () =>
      setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    const timer = setInterval(tick, 250);

    tick();
    return () => clearInterval(timer);
  }, [refusal]);

  return left;
}
