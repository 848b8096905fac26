/* Searches while one types: what is typed counts after a pause. */

import { useEffect, useRef, useState } from "react";
import { Icon } from "./Icon";

interface SearchProps {
  label: string;
  placeholder?: string;
  value: string; // what is searched for now
  onSearch: (text: string) => void;
}

const TYPING_MS = 250;

export function Search({ label, placeholder, value, onSearch }: SearchProps) {
  const [text, setText] = useState(value);
  const asked = useRef(value);
  const search = useRef(onSearch);

  search.current = onSearch;

  /* it changed by other means than this field */
  useEffect(() => {
    if (value !== asked.current) {
      asked.current = value;
      setText(value);
    }
  }, [value]);

  useEffect(() => {
    const timer = setTimeout(() => {
      if (text.trim() !== asked.current) {
        asked.current = text.trim();
        search.current(text.trim());
      }
    }, TYPING_MS);

    return () => clearTimeout(timer);
  }, [text]);

  return (
    <div className="input-box">
      <Icon name="search" />
      <input
        className="input"
        type="search"
        aria-label={label}
        placeholder={placeholder}
        maxLength={100}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}
