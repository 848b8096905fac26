/*
 * Fields of a form.  Each has a label, may have a hint, and shows what is
 * wrong with it beneath itself, where a reader hears it with the field.
 */

import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
  useState,
} from "react";
import { Button } from "./Button";
import { Icon } from "./Icon";

interface Frame {
  label: string;
  optional?: boolean;
  hint?: ReactNode;
  error?: string | undefined;
}

type FieldProps = Frame & InputHTMLAttributes<HTMLInputElement>;
type SelectProps = Frame & SelectHTMLAttributes<HTMLSelectElement>;
type AreaProps = Frame & TextareaHTMLAttributes<HTMLTextAreaElement>;

interface Described {
  id: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
}

export function Field(props: FieldProps) {
  const { label, optional, hint, error, ...rest } = props;

  return (
    <Framed frame={{ label, optional: optional === true, hint, error }}>
      {(described) => <input className="input" {...rest} {...described} />}
    </Framed>
  );
}

export function Area(props: AreaProps) {
  const { label, optional, hint, error, ...rest } = props;

  return (
    <Framed frame={{ label, optional: optional === true, hint, error }}>
      {(described) => <textarea className="input" {...rest} {...described} />}
    </Framed>
  );
}

export function Select(props: SelectProps) {
  const { label, optional, hint, error, ...rest } = props;

  return (
    <Framed frame={{ label, optional: optional === true, hint, error }}>
      {(described) => <select className="input" {...rest} {...described} />}
    </Framed>
  );
}

export function PasswordField(props: FieldProps) {
  const { label, optional, hint, error, ...rest } = props;
  const [shown, setShown] = useState(false);

  return (
    <Framed frame={{ label, optional: optional === true, hint, error }}>
      {(described) => (
        <div className="input-box">
          <input
            className="input"
            {...rest}
            {...described}
            type={shown ? "text" : "password"}
            autoCapitalize="none"
            spellCheck={false}
          />
          <Button
            look="quiet"
            small
            icon={shown ? "eye-off" : "eye"}
            aria-label={shown ? "Hide password" : "Show password"}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          />
        </div>
      )}
    </Framed>
  );
}

interface CheckProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
}

export function Check({ label, hint, ...rest }: CheckProps) {
  return (
    <label className="check">
      <input type="checkbox" {...rest} />
      <span>
        {label}
        {hint !== undefined && <small>{hint}</small>}
      </span>
    </label>
  );
}

function Framed(props: {
  frame: Frame;
  children: (described: Described) => ReactNode;
}) {
  const { label, optional, hint, error } = props.frame;
  const id = useId();
  const about = error !== undefined || hint !== undefined;

  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {optional === true && <small>(optional)</small>}
      </label>
      {props.children({
        id,
        "aria-invalid": error !== undefined,
        "aria-describedby": about ? `${id}-about` : undefined,
      })}
      {error !== undefined ? (
        <p className="field-error" id={`${id}-about`}>
          <Icon name="alert" size={15} />
          {error}
        </p>
      ) : (
        hint !== undefined && (
          <p className="field-hint" id={`${id}-about`}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}
