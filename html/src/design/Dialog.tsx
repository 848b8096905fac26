/*
 * A modal dialog: the browser's own, so focus stays inside, Escape closes it
 * and what is behind it is inert.  With `onSubmit` its contents are a form.
 */

import { type FormEvent, type ReactNode, useEffect, useRef } from "react";
import { Button } from "./Button";

interface DialogProps {
  title: string;
  onClose: () => void;
  onSubmit?: () => void;
  actions: ReactNode;
  children: ReactNode;
}

const FIRST_FIELD = "input:not([type=radio], [type=checkbox]), textarea";
const FIRST_ACTION = "footer button"; // the one that changes nothing

export function Dialog(props: DialogProps) {
  const { title, onClose, onSubmit, actions, children } = props;
  const ref = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    const dialog = ref.current;

    dialog?.showModal();
    (
      dialog?.querySelector<HTMLElement>(FIRST_FIELD) ??
      dialog?.querySelector<HTMLElement>(FIRST_ACTION)
    )?.focus();

    return () => dialog?.close();
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit?.();
  };

  const contents = (
    <>
      <header>
        <h2>{title}</h2>
        <Button
          look="quiet"
          small
          icon="close"
          aria-label="Close"
          onClick={onClose}
        />
      </header>
      {children}
      <footer>{actions}</footer>
    </>
  );

  return (
    <dialog
      className="dialog"
      ref={ref}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      {onSubmit === undefined ? (
        <div>{contents}</div>
      ) : (
        <form onSubmit={submit} noValidate>
          {contents}
        </form>
      )}
    </dialog>
  );
}
